"""Ways to apply the convolution of one array to weights, and which of them is expected to be fastest."""

from collections.abc import Callable
from typing import Any, Protocol

import numpy as np

from convops._arrays import Array
from convops.apply import kernel_fft, kernel_gemm
from convops.apply.kernel_fft import KernelFFT
from convops.apply.kernel_gemm import KernelGemm
from convops.geometry import ConvGeometry


class KernelEngine(Protocol):
    """K and Kᵀ on single arrays, built from a geometry and what is convolved; nothing is conjugated.

    Both return a new array, leave their argument as it was, and may run in several threads at once. The
    result has the dtype that `numpy.result_type` gives both; a complex argument needs a complex x.
    """

    def forward(self, weight: Array) -> Array:
        """Return K w for a weight ``(C_out, C_in // groups, *kernel)``: ``(batch, C_out, *out)``."""

    def transpose(self, y: Array) -> Array:
        """Return Kᵀ y for y of shape ``(batch, C_out, *out)``: ``(C_out, C_in // groups, *kernel)``."""


KERNEL_ENGINES: dict[str, Callable[[ConvGeometry, Array], KernelEngine]] = {
    "gemm": KernelGemm,
    "fft": KernelFFT,
}


def choose_kernel_engine(geometry: ConvGeometry, dtype: np.dtype[Any], batch: int) -> str:
    """Return the method for which one product with K and one with Kᵀ are expected to take least time."""
    seconds = {
        name: sum([cost.seconds for cost in module.estimates(geometry, dtype, batch)])
        for name, module in (("gemm", kernel_gemm), ("fft", kernel_fft))
    }
    return min(seconds, key=lambda name: seconds[name])
