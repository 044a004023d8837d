"""The seam at which ways to apply a convolution plug in."""

from typing import Any, Protocol

import numpy as np

from convops._arrays import Array
from convops._memory import available_bytes
from convops.geometry import ConvGeometry

METHODS = ("auto", "sparse", "gemm")

_LARGEST_MATRIX = 2**30
"""Bytes of W beyond which a product spends its time fetching W, and memory is better kept."""
_SMALL_MATRIX = 2**20
"""Bytes of W that stay in cache: below, nothing has less overhead than one sparse product."""
_MANY_CHANNELS = 8
"""Where a product per tap overtakes W: at 3×3 taps on 64×64 it takes 1.06 times as long as W @ x for
4 channels in and out, 0.39 times for 8, 0.17 times for 16."""
_LONG_BORDER = 2**16
"""Border outputs of W that it takes long to count, and longer to write."""


class Engine(Protocol):
    """W and Wᴴ on blocks of arrays, built from a geometry and the weight of a cross-correlation.

    Both return a new array, leave their argument as it was, and may run in several threads at once.
    Block and weight may differ in dtype: the result has that of `numpy.result_type`.
    """

    def forward(self, x: Array) -> Array:
        """Return W x for a block of shape ``(batch, C_in, *spatial)``: ``(batch, C_out, *out)``."""

    def adjoint(self, y: Array) -> Array:
        """Return Wᴴ y for a block of shape ``(batch, C_out, *out)``: ``(batch, C_in, *spatial)``."""


def choose_method(geometry: ConvGeometry, dtype: np.dtype[Any]) -> str:
    """Return what "auto" stands for: W while it is of moderate size and the channels are few.

    A product with W reads each of its entries once, however often the same weight stands in it. With many
    channels in and out, a dense product per tap reads far less and is faster. The choice depends on the
    memory that is free when it is made.
    """
    if geometry.most_entries * (dtype.itemsize + 8) <= _SMALL_MATRIX:
        return "sparse"
    if min(geometry.in_channels, geometry.out_channels) // geometry.groups >= _MANY_CHANNELS:
        return "gemm"
    if (geometry.shape[0] + 1) * 4 > _LARGEST_MATRIX or any(
        axis.out_size - (axis.interior[1] - axis.interior[0]) > _LONG_BORDER for axis in geometry.axes
    ):
        return "gemm"
    return "sparse" if geometry.nbytes(dtype) <= min(_LARGEST_MATRIX, available_bytes() // 2) else "gemm"
