"""Where the entries of a matrix stand, and with which tap, block by block: W is never built."""

from collections.abc import Callable, Iterator
from math import ceil, prod
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array, issparse

from convops._arguments import shown
from convops._arrays import Array
from convops._axis import Axis, end_coefficients, folded
from convops._layout import Layout
from convops.geometry import ConvGeometry
from convops.operators import Conv, ConvTranspose, KernelOperator
from convops.operators.contract import ArrayOperator
from convops.operators.kernel import KernelTranspose

Entries = tuple[Array, Array, Array]
"""Rows, columns and taps, one of each per entry."""

_AT_ONCE = 2**18
_MOST_OF_A_ROW = 2**16
_LONGEST = 2**61


class Drawn(NamedTuple):
    """A matrix as its picture needs it."""

    shape: tuple[int, int]
    arrays: tuple[tuple[int, ...], tuple[int, ...]]
    """Shapes of the arrays that the rows and the columns count in; empty where they are not known."""
    channels: tuple[int, int]
    """How many of the first axes of each of them are no image axes."""
    kernel: tuple[int, ...]
    """Shape of the taps; empty where there are none."""
    blocks: Callable[[int], Iterator[Entries]]
    """All entries, or those of rows spread over the matrix if all would be more than the argument."""


def drawn(A: Any) -> Drawn:
    """Return what can be drawn of an operator, a geometry or a sparse matrix."""
    if isinstance(A, ConvGeometry):
        return _of_convolution(A, None, flip=False, transposed=False)
    if isinstance(A, Conv | ConvTranspose):
        transposed = isinstance(A, ConvTranspose)
        return _of_convolution(
            A.geometry, A._map.correlated, flip=A.flip, transposed=transposed, layout=A._map.layout
        )
    if isinstance(A, KernelOperator | KernelTranspose):
        return _of_kernel_operator(A)
    if isinstance(A, ArrayOperator):
        operator: Any = A
        arrays = operator.output_shape, operator.input_shape
        return _of_sparse(operator.tosparse(), arrays)
    if issparse(A) and A.ndim == 2:
        return _of_sparse(A, ((), ()))
    raise TypeError(
        f"{shown('A', A)}: it must be an operator of convops, a ConvGeometry or a sparse matrix; got "
        f"{type(A).__name__}. Of a dense array, scipy.sparse.csr_array(A); of a black box, probe_matrix(A, "
        "pattern)."
    )


def _of_convolution(
    geometry: ConvGeometry,
    weight: Array | None,
    *,
    flip: bool,
    transposed: bool,
    layout: Layout | None = None,
) -> Drawn:
    _refuse_beyond_int64(geometry)
    outputs, inputs = geometry.output_shape, geometry.input_shape

    def blocks(most: int) -> Iterator[Entries]:
        for row, column, tap, _ in _reads(geometry, weight, 1, most, flip):
            if layout is not None:
                row, column = layout.renumbered(row, outputs), layout.renumbered(column, inputs)
            yield (column, row, tap) if transposed else (row, column, tap)

    arrays, shape, kernel = (outputs, inputs), geometry.shape, geometry.kernel_size
    channels = int(geometry.has_channels and layout is None)
    if layout is not None:
        arrays, kernel = (layout.outside(outputs), layout.outside(inputs)), layout.bare(kernel)
    if transposed:
        arrays, shape = (arrays[1], arrays[0]), (shape[1], shape[0])
    return Drawn(shape, arrays, (channels, channels), kernel, blocks)


def _of_kernel_operator(K: Any) -> Drawn:
    geometry: ConvGeometry = K.geometry
    transposed = isinstance(K, KernelTranspose)
    _refuse_beyond_int64(geometry)
    outputs, layout = geometry.shape[0], K._map.layout
    items = K.shape[transposed] // outputs

    def blocks(most: int) -> Iterator[Entries]:
        for row, _, tap, column in _reads(geometry, None, items, most, K.flip):
            if layout is not None:
                item, place = np.divmod(row, outputs)
                row = item * outputs + layout.renumbered(place, geometry.output_shape)
            yield (column, row, tap) if transposed else (row, column, tap)

    arrays = K.output_shape, K.input_shape
    kernel = geometry.kernel_size
    if layout is None:
        channels = len(arrays[0]) - len(kernel), len(arrays[1]) - len(kernel)
    else:
        kernel = layout.bare(kernel)
        of_items = len(arrays[transposed]) - len(layout.outside(geometry.output_shape))
        of_weight = len(arrays[not transposed]) - len(kernel)
        channels = (of_weight, of_items) if transposed else (of_items, of_weight)
    return Drawn(K.shape, arrays, channels, kernel, blocks)


def _of_sparse(A: Any, arrays: tuple[tuple[int, ...], tuple[int, ...]]) -> Drawn:
    matrix = csr_array(A)

    def blocks(most: int) -> Iterator[Entries]:
        per_row = ceil(matrix.nnz / max(matrix.shape[0], 1))
        for rows in _spread_rows(matrix.shape[0], max(per_row, 1), most):
            counts = matrix.indptr[rows + 1] - matrix.indptr[rows]
            ends = np.cumsum(counts)
            place = np.arange(ends[-1]) + np.repeat(matrix.indptr[rows] - ends + counts, counts)
            place, row = place[matrix.data[place] != 0], np.repeat(rows, counts)[matrix.data[place] != 0]
            yield row, matrix.indices[place].astype(np.int64), np.zeros(place.size, np.int64)

    return Drawn(matrix.shape, arrays, (0, 0), (), blocks)


def _reads(
    geometry: ConvGeometry, weight: Array | None, items: int, most: int, flip: bool
) -> Iterator[tuple[Array, Array, Array, Array]]:
    """Yield output, sample, tap and entry of the weight wherever an output reads a sample.

    With `weight`, as it is correlated, what its zeros read is left out. Outputs count over all `items` of a
    batch; samples are those of one.
    """
    channels, taps = geometry.in_channels // geometry.groups, prod(geometry.kernel_size)
    each = max(int(_MOST_OF_A_ROW ** (1 / len(geometry.axes))), 1)
    chosen = [_spread(axis.kernel, each) for axis in geometry.axes]
    of_group = _spread(channels, max(_MOST_OF_A_ROW // prod(map(len, chosen)), 1))
    per_row = len(of_group) * prod(map(len, chosen)) * 3 ** geometry.boundary.count("antireflect")
    nonzero = None
    if weight is not None and not weight.all():
        nonzero = weight.reshape(geometry.out_channels, channels, taps) != 0
    outputs = prod(geometry.output_shape[geometry.has_channels :])
    for rows in _spread_rows(items * geometry.shape[0], per_row, most):
        out_channel, p = np.divmod(rows % geometry.shape[0], outputs)
        tap, sample, here = _reads_of_outputs(geometry.axes, p, chosen)
        first = out_channel // (geometry.out_channels // geometry.groups) * channels
        channel = (first[:, None] + of_group)[:, :, None]
        column = channel * prod(geometry.spatial_shape) + sample[:, None, :]
        kept = np.broadcast_to(here[:, None, :], column.shape)
        if nonzero is not None:
            kept = kept & nonzero[out_channel[:, None, None], of_group[:, None], tap]
        of_weight = (out_channel[:, None, None] * channels + of_group[:, None]) * taps
        typed = taps - 1 - tap if flip else tap
        everywhere = [np.broadcast_to(rows[:, None, None], kept.shape), column]
        everywhere += [np.broadcast_to(typed, kept.shape), of_weight + typed]
        row, column, typed, of_weight = (array[kept] for array in everywhere)
        yield row, column, typed, of_weight


def _reads_of_outputs(
    axes: tuple[Axis, ...], outputs: Array, chosen: list[Array]
) -> tuple[Array, Array, Array]:
    """Return taps ``(n,)``, and of each output the samples ``(outputs, n)`` and whether they are any."""
    places = np.unravel_index(outputs, [axis.out_size for axis in axes])
    tap = np.zeros(1, np.int64)
    sample = np.zeros((outputs.size, 1), np.int64)
    here = np.ones((outputs.size, 1), bool)
    for axis, place, taps in zip(axes, places, chosen, strict=True):
        q = (axis.stride * place - axis.before)[:, None] + axis.dilation * taps
        along, present, taps = _samples_of_axis(axis, q, taps)
        sample = (sample[:, :, None] * axis.size + along[:, None, :]).reshape(outputs.size, -1)
        here = (here[:, :, None] & present[:, None, :]).reshape(outputs.size, -1)
        tap = (tap[:, None] * axis.kernel + taps).ravel()
    return tap, sample, here


def _samples_of_axis(axis: Axis, q: Array, taps: Array) -> tuple[Array, Array, Array]:
    """Return the samples that stand for positions ``(outputs, taps)``, whether they do, and the taps."""
    if axis.boundary == "zeros":
        present = (q >= 0) & (q < axis.size)
        return np.where(present, q, 0), present, taps
    sample = folded(q, axis.size, axis.boundary)
    if axis.boundary != "antireflect":
        return sample, np.ones(q.shape, bool), taps
    mirrored, first, last = end_coefficients(q, axis.size)
    samples = [sample, np.zeros_like(q), np.full_like(q, axis.size - 1)]
    present = np.concatenate([mirrored, first, last], axis=1) != 0
    return np.concatenate(samples, axis=1), present, np.tile(taps, 3)


def _spread_rows(rows: int, per_row: int, most: int) -> Iterator[Array]:
    """Yield all rows, or one at random from each of as many equal parts as `most` entries allow."""
    at_once = max(_AT_ONCE // per_row, 1)
    if rows * per_row <= most:
        for start in range(0, rows, at_once):
            yield np.arange(start, min(start + at_once, rows))
        return
    # At equal distances they would keep time with the rows of the image, and miss the rest.
    random = np.random.default_rng(0)
    parts = min(max(most // per_row, 1), rows)
    for start in range(0, parts, at_once):
        ends = [part * rows // parts for part in range(start, min(start + at_once, parts) + 1)]
        yield random.integers(ends[:-1], ends[1:])


def _spread(count: int, most: int) -> Array:
    """Return at most `most` of the numbers below `count`, the first and the last among them."""
    if count <= most:
        return np.arange(count)
    return np.array([place * (count - 1) // max(most - 1, 1) for place in range(most)])


def _refuse_beyond_int64(geometry: ConvGeometry) -> None:
    longest = max(axis.before + axis.size + axis.after for axis in geometry.axes)
    if longest > _LONGEST:
        raise ValueError(
            f"an axis of {longest} positions cannot be drawn: pictures count them up to {_LONGEST}. "
            "Take a smaller one; its pattern is the same."
        )
