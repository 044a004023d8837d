"""The matrix of a convolution as a map of the weight: windows of the extended array, one row each."""

from math import prod
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.sparse import csr_array

from convops._arrays import Array
from convops._axis import Axis
from convops._memory import refuse_beyond_memory
from convops.boundary import extend
from convops.geometry import ConvGeometry

_INT32_END = 2**31


def kernel_matrix(geometry: ConvGeometry, x: Array, flip: bool) -> csr_array:
    """Return K of shape ``(batch * M, elements of the weight)``, canonical.

    Each output has the entries of the weights of its own channel alone. Samples of the zeros beyond the
    border are no entries; zeros among the samples are.

    Parameters
    ----------
    geometry : ConvGeometry
        All sizes.
    x : ndarray, shape ``(batch, C_in, *spatial)``
        What is convolved.
    flip : bool
        Whether the kernel is turned round.
    """
    groups, kernel = geometry.groups, geometry.kernel_size
    rows, columns = geometry.out_channels // groups, geometry.in_channels // groups
    taps, batch = columns * prod(kernel), len(x)
    places = prod([axis.out_size for axis in geometry.axes])
    entries = columns * prod([int(_inside_of_axis(axis).sum()) for axis in geometry.axes])
    count = batch * geometry.out_channels * entries
    index_dtype = np.int32 if max(count, geometry.out_channels * taps) < _INT32_END else np.int64
    refuse_beyond_memory(
        count * (x.dtype.itemsize + np.dtype(index_dtype).itemsize) + 3 * batch * places * taps,
        f"The matrix of the kernel operator, with nnz = {count} entries,",
        "Apply the operator instead.",
    )

    read = np.repeat(_inside(geometry, flip)[:, None], columns, axis=1).reshape(places, taps)
    windows = _windows(geometry, x, flip).reshape(batch, groups, columns, places, -1).swapaxes(2, 3)
    values = windows.reshape(batch, groups, 1, places, taps)[..., read]
    data = np.broadcast_to(values, (batch, groups, rows, entries)).flatten()

    first: Array = taps * np.arange(groups * rows, dtype=index_dtype)[:, None]
    columns_of: Array = np.nonzero(read)[1].astype(index_dtype)
    indices = np.broadcast_to(first + columns_of, (batch, groups * rows, entries)).flatten()

    lengths = np.tile(read.sum(axis=1), batch * geometry.out_channels)
    starts = np.zeros(lengths.size + 1, index_dtype)
    np.cumsum(lengths, out=starts[1:])
    matrix = csr_array((data, indices, starts), shape=(lengths.size, geometry.out_channels * taps))
    matrix.has_sorted_indices = matrix.has_canonical_format = True
    return matrix


def _windows(geometry: ConvGeometry, x: Array, flip: bool) -> Array:
    """Return what each output reads of each channel: ``(batch, C_in, *out, *kernel)``."""
    axes = geometry.axes
    windows = sliding_window_view(extend(x, axes), [axis.effective for axis in axes], tuple(range(2, x.ndim)))
    steps: Any = (..., *[slice(None, None, axis.stride) for axis in axes])
    taps = [slice(None, None, -axis.dilation if flip else axis.dilation) for axis in axes]
    return windows[(*steps, *taps)]


def _inside(geometry: ConvGeometry, flip: bool) -> Any:
    """Return whether each output reads a sample, or its extension, at each tap: ``(outputs, taps)``."""
    inside = np.ones((1, 1), bool)
    for axis in geometry.axes:
        of_axis = _inside_of_axis(axis)
        inside = np.kron(inside, of_axis[:, ::-1] if flip else of_axis)
    return inside


def _inside_of_axis(axis: Axis) -> Any:
    if axis.boundary != "zeros":
        return np.ones((axis.out_size, axis.kernel), bool)
    positions = np.add.outer(
        axis.stride * np.arange(axis.out_size), axis.dilation * np.arange(axis.kernel) - axis.before
    )
    return (positions >= 0) & (positions < axis.size)
