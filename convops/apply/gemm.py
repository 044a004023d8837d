"""A convolution as one small matrix product per kernel tap, summed over the taps."""

from collections.abc import Iterator
from math import prod
from typing import Any

import numpy as np

from convops._arrays import Array
from convops._memory import refuse_beyond_memory
from convops.boundary import extend, fold
from convops.geometry import ConvGeometry


class GemmEngine:
    """Every tap sees the extended input through one strided window: W is the sum of those products.

    The adjoint adds each tap's product back into the same window, then folds the border, so it is the
    transpose of each step in the opposite order.
    """

    def __init__(self, geometry: ConvGeometry, weight: Array) -> None:
        self._geometry = geometry
        groups = geometry.groups
        self._channels_in = (groups, geometry.in_channels // groups)
        self._channels_out = (groups, geometry.out_channels // groups)
        shape = (*self._channels_out, self._channels_in[1], *geometry.kernel_size)
        self._weight = weight.reshape(shape)

    def forward(self, x: Array) -> Array:
        """Return W x; see `Engine`."""
        geometry = self._geometry
        sizes = tuple(axis.out_size for axis in geometry.axes)
        # Before the border is extended: "antireflect" leaves the range and the precision of a narrow dtype.
        x = x.astype(np.result_type(self._weight, x), copy=False)
        self._refuse_too_large(x)
        with np.errstate(invalid="ignore", over="ignore"):  # as quiet about inf as the sparse product
            extended = extend(x.reshape(len(x), *self._channels_in, *geometry.spatial_shape), geometry.axes)
            out = np.zeros((len(x), *self._channels_out, *sizes), x.dtype)
            product = np.empty_like(out)
            for tap, window in self._taps():
                out += _mixed(tap, extended[window], product)
        return out.reshape(len(x), -1, *sizes)

    def adjoint(self, y: Array) -> Array:
        """Return Wᴴ y; see `Engine`."""
        geometry = self._geometry
        sizes = tuple(axis.before + axis.size + axis.after for axis in geometry.axes)
        y = y.astype(np.result_type(self._weight, y), copy=False)
        y = y.reshape(len(y), *self._channels_out, *y.shape[2:])
        self._refuse_too_large(y)
        with np.errstate(invalid="ignore", over="ignore"):
            extended = np.zeros((len(y), *self._channels_in, *sizes), y.dtype)
            product = np.empty((len(y), *self._channels_in, *y.shape[3:]), y.dtype)
            for tap, window in self._taps():
                extended[window] += _mixed(tap.conj().swapaxes(1, 2), y, product)
            folded = fold(extended, geometry.axes)
        return folded.reshape(len(y), -1, *geometry.spatial_shape)

    def _refuse_too_large(self, block: Array) -> None:
        """Raise MemoryError if the extended input and the result do not fit the memory that is left."""
        geometry = self._geometry
        extended = prod([axis.before + axis.size + axis.after for axis in geometry.axes])
        elements = len(block) * (geometry.in_channels * extended + prod(geometry.output_shape))
        refuse_beyond_memory(
            elements * block.itemsize,
            f"the input of shape {geometry.input_shape}, padded by {geometry.padding}, and the result",
            "Pad less, or apply the operator to smaller batches.",
        )

    def _taps(self) -> Iterator[tuple[Array, Any]]:
        """Yield each tap's ``(groups, C_out // groups, C_in // groups)`` matrix and its window."""
        axes = self._geometry.axes
        for place in np.ndindex(*self._geometry.kernel_size):
            starts = [axis.dilation * k for axis, k in zip(axes, place, strict=True)]
            window = tuple(
                slice(start, start + axis.stride * (axis.out_size - 1) + 1, axis.stride)
                for axis, start in zip(axes, starts, strict=True)
            )
            yield self._weight[(..., *place)], (..., *window)


def _mixed(matrices: Array, block: Array, out: Array) -> Array:
    """Mix the channels of ``(batch, groups, channels, *spatial)`` by each group's matrix, into `out`."""
    _, rows, columns = matrices.shape
    if rows == columns == 1:
        return np.multiply(matrices.reshape(-1, 1, *[1] * (block.ndim - 3)), block, out=out)
    flat = block.reshape(*block.shape[:3], -1)
    np.matmul(matrices, flat, out=out.reshape(*out.shape[:3], -1))
    return out
