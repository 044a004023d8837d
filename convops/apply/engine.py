"""The seam at which ways to apply a convolution plug in."""

from typing import Any, Protocol

import numpy as np

from convops._arrays import Array
from convops._memory import available_bytes
from convops.geometry import ConvGeometry

METHODS = ("auto", "sparse", "gemm")

_LARGEST_MATRIX = 2**30
_SMALL_MATRIX = 2**20
_MANY_CHANNELS = 8
_LONG_BORDER = 2**16


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
    """Return what "auto" stands for: W while it is of moderate size and most of its numbers are used once.

    With many channels in and out a matrix product per tap uses every number many times, and is faster.
    """
    if geometry.most_entries * (dtype.itemsize + 8) <= _SMALL_MATRIX:
        return "sparse"
    if min(geometry.in_channels, geometry.out_channels) // geometry.groups >= _MANY_CHANNELS:
        return "gemm"
    if (geometry.shape[0] + 1) * 4 > _LARGEST_MATRIX or geometry.border_outputs > _LONG_BORDER:
        return "gemm"
    return "sparse" if geometry.nbytes(dtype) <= min(_LARGEST_MATRIX, available_bytes() // 2) else "gemm"
