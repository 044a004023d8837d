"""The convolution as an explicit sparse matrix: `conv_matrix`.

Along one axis the outputs fall into runs whose rows of W are one template, shifted: the interior, where
all taps lie on samples, and one run for each output at the border. A run per axis makes a block of W
whose entries are that template again and again, so W is written by a few broadcast copies into its
final arrays; nothing is sorted, summed or converted at the size of W.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from convops._arguments import shown
from convops._arrays import Array, weight_array
from convops._axis import Axis
from convops._copies import write_copies
from convops._layout import Layout, arranged
from convops._memory import ALWAYS_FITS, refuse_beyond_memory
from convops._pattern import Pattern, Run, axis_pattern
from convops._reorder import reordered
from convops._templates import templates
from convops.geometry import Boundary, ConvGeometry, IntPerAxis, Padding

_INT32_END = 2**31
_COUNTABLE = 2**24
_ENTRIES_AT_ONCE = 2**13
"""Entries of short rows that are written at once: within cache, and long enough for the speed of a copy."""
_WITHOUT_MATRIX = 'Apply it without the matrix: convops.Conv(weight, input_shape, method="gemm").'


def conv_matrix(
    weight: Any,
    input_shape: IntPerAxis,
    *,
    stride: IntPerAxis = 1,
    padding: Padding = 0,
    dilation: IntPerAxis = 1,
    groups: int = 1,
    boundary: Boundary = "zeros",
    channel_axis: int | None = None,
    flip: bool = False,
    dtype: Any = None,
    index_dtype: Any = None,
) -> csr_array:
    """Return the matrix W of a convolution: ``W @ x.ravel() == conv(x, weight, ...).ravel()``.

    Inputs and outputs are vectorised in C order (`ravel`), channels first, or where `channel_axis` says. W
    is canonical: indices sorted, no duplicates. Its pattern depends on the geometry alone, so zeros of the
    weight are stored. The transposed convolution is ``W.T``.

    Parameters
    ----------
    weight : array_like
        ``(C_out, C_in // groups, *kernel)``, or ``kernel`` alone for one channel in and one out.
    input_shape : int or sequence of int
        ``(C_in, *spatial)``, or ``spatial`` alone where the weight has exactly as many axes; another order
        with `channel_axis`.
    stride, padding, dilation, groups, boundary
        As for `ConvGeometry`.
    channel_axis : int, optional
        As for `Conv`.
    flip : bool, default False
        False: cross-correlation, as in deep learning. True: convolution, the kernel turned round along
        every spatial axis, as in `scipy.signal`.
    dtype : dtype, optional
        Of the entries: float32, float64, complex64, complex128 or an integer. Default: that of the
        weight; int64 for integers.
    index_dtype : dtype, optional
        numpy.int32 or numpy.int64. Default: int32 while every index fits.

    Returns
    -------
    scipy.sparse.csr_array
        Shape ``(M, N)``: elements of the output by elements of the input.

    Raises
    ------
    TypeError, ValueError, OverflowError
        Where an argument does not fit, with the numbers and the fix.
    MemoryError
        Before anything is allocated, if W is larger than the memory that is left.

    Examples
    --------
    >>> from convops import conv_matrix
    >>> W = conv_matrix([[1, 2], [3, 4]], (3, 3))
    >>> print(W.toarray())
    [[1 2 0 3 4 0 0 0 0]
     [0 1 2 0 3 4 0 0 0]
     [0 0 0 1 2 0 3 4 0]
     [0 0 0 0 1 2 0 3 4]]
    >>> W @ range(9)
    array([27, 37, 57, 67])
    """
    taps = weight_array(weight, dtype)
    layout, geometry = arranged(
        taps.shape,
        input_shape,
        channel_axis,
        transposed=False,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        boundary=boundary,
    )
    taps = taps.reshape(geometry.weight_shape)
    return assemble(geometry, oriented(taps, geometry, flip), index_dtype, layout)


def oriented(weight: Array, geometry: ConvGeometry, flip: bool) -> Array:
    """Return the weight of the cross-correlation: turned round along its spatial axes if `flip`."""
    return np.flip(weight, tuple(range(-len(geometry.axes), 0))) if checked_flip(flip) else weight


def checked_flip(flip: object) -> bool:
    """Return `flip` as a bool."""
    if not isinstance(flip, bool | np.bool_):
        raise TypeError(f"{shown('flip', flip)}: it must be True or False; got {type(flip).__name__}.")
    return bool(flip)


def assemble(
    geometry: ConvGeometry, weight: Array, index_dtype: Any = None, layout: Layout | None = None
) -> csr_array:
    """Return W for arguments that have been checked; see `conv_matrix`."""
    moved = layout is not None and not layout.shared
    # Its entries in both orders, and the place of each, stand side by side for a moment.
    refuse_too_large(geometry, weight.dtype, index_dtype, copies=3 if moved else 1)
    rows = all_rows(geometry)
    W = assemble_rows(rows, templates(geometry, rows.patterns, weight), index_dtype)
    return W if layout is None or layout.shared else _in_layout(W, geometry, layout)


def _in_layout(W: csr_array, geometry: ConvGeometry, layout: Layout) -> csr_array:
    """Return the matrix for arrays that have their channels elsewhere than first."""
    rows = np.argsort(layout.renumbered(np.arange(W.shape[0]), geometry.output_shape))
    columns = layout.renumbered(np.arange(W.shape[1]), geometry.input_shape)
    moved = canonical(*reordered(W.data, W.indices, W.indptr, rows, columns), W.shape)
    moved.has_sorted_indices = False
    moved.sort_indices()
    return moved


class Rows(NamedTuple):
    """Which rows of W are written, a box of outputs: some filters, and some outputs of each axis."""

    geometry: ConvGeometry
    filters: range
    patterns: Sequence[Pattern]

    @property
    def shape(self) -> tuple[int, int]:
        """The shape of their matrix."""
        rows = len(self.filters) * prod(pattern.outputs for pattern in self.patterns)
        return rows, self.geometry.shape[1]

    @property
    def channels(self) -> int:
        """Number of channels that a filter reads."""
        return self.geometry.in_channels // self.geometry.groups

    @property
    def nnz(self) -> int:
        """Number of stored entries of their matrix."""
        return len(self.filters) * self.channels * prod(pattern.entries for pattern in self.patterns)


def all_rows(geometry: ConvGeometry) -> Rows:
    """Return the rows of W, all of them."""
    return Rows(geometry, range(geometry.out_channels), [axis_pattern(axis) for axis in geometry.axes])


def assemble_rows(rows: Rows, values: Array, index_dtype: Any = None) -> csr_array:
    """Return the matrix of some rows of W, whose `templates` are given."""
    indices, indptr = index_arrays(rows, index_dtype)
    data = np.empty(indices.size, dtype=values.dtype)
    write_values(rows, values, data)
    return canonical(data, indices, indptr, rows.shape)


def index_arrays(rows: Rows, index_dtype: Any = None) -> tuple[Array, Array]:
    """Return the indices and the indptr of the matrix of some rows."""
    dtype = index_dtype_for(index_dtype, max(rows.nnz, *rows.shape))
    indices = np.empty(rows.nnz, dtype=dtype)
    for block in _blocks(rows):
        _write_indices(block, indices)
    return indices, _row_starts(rows, dtype)


def write_values(rows: Rows, values: Array, data: Array) -> None:
    """Write the data of the matrix of some rows, in the order of its indices, from the `templates`."""
    for block in _blocks(rows):
        _write_data(block, data, values)


class _Block(NamedTuple):
    """Those of the rows in which each axis but the last stays within one of its runs.

    They lie in the arrays of the matrix as ``(filters, *rows, line)``: a line is the rows of one output
    position on the leading axes.
    """

    rows: Rows
    leading: tuple[Run, ...]
    last: Pattern
    offset: int
    line: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    """In entries."""

    def of(self, array: Array) -> Array:
        """Return this block of `array`, as a view."""
        width = array.itemsize
        return np.ndarray(
            self.shape,
            array.dtype,
            buffer=array,
            offset=self.offset * width,
            strides=tuple([step * width for step in self.strides]),
        )


def _blocks(rows: Rows) -> Iterator[_Block]:
    patterns, channels = rows.patterns, rows.channels
    *leading, last = patterns
    if not all(pattern.entries for pattern in patterns):
        return
    for runs in product(*[pattern.runs for pattern in leading]):
        offset, above, strides = 0, channels, []
        below = prod(pattern.entries for pattern in patterns)
        filter_entries = channels * below
        for run, pattern in zip(runs, leading, strict=True):
            below //= pattern.entries
            offset += above * run.entries_before * below
            above *= run.columns.size
            strides.append(above * below)
        line = above * last.entries
        if line:
            shape = (len(rows.filters), *[run.outputs for run in runs], line)
            yield _Block(rows, runs, last, offset, line, shape, (filter_entries, *strides, 1))


def _write_data(block: _Block, data: Array, values: Array) -> None:
    target = block.of(data)
    width = block.line // block.last.entries
    filters = block.rows.filters
    taps = values[(slice(filters.start, filters.stop), slice(None), *[run.template for run in block.leading])]
    for run in block.last.runs:
        rows = taps[..., run.template].reshape(block.shape[0], width * run.columns.size)
        start = width * run.entries_before
        if rows.size:
            write_copies(rows, target[..., start : start + run.outputs * rows.shape[1]])


def _write_indices(block: _Block, indices: Array) -> None:
    geometry, target, channels = block.rows.geometry, block.of(indices), block.rows.channels
    sizes = geometry.spatial_shape
    steps = [prod(sizes[number + 1 :]) for number in range(len(sizes))]

    filters = block.rows.filters
    group = np.arange(filters.start, filters.stop) // (geometry.out_channels // geometry.groups)
    columns = (group[0] * channels + np.arange(channels, dtype=np.int64)) * prod(sizes)
    for run, step in zip(block.leading, steps, strict=False):
        columns = np.add.outer(columns, run.columns * step).ravel()
    single = prod(block.shape[:-1]) == 1
    line = target.reshape(-1) if single else np.empty(block.line, dtype=indices.dtype)
    for run in block.last.runs:
        row = np.add.outer(columns, run.columns).ravel().astype(indices.dtype)
        start = columns.size * run.entries_before
        shifts = _shifts(run, block.last.axis.stride, indices.dtype)[:, None]
        for at_once, times in _copies(run.outputs, row.size):
            rows = np.add(row, shifts[:at_once]).ravel() if at_once > 1 else row
            end = start + times * rows.size
            np.add(rows, shifts[: times * at_once : at_once], out=line[start:end].reshape(times, rows.size))
            start, shifts = end, shifts[times * at_once :]
    if single:
        return

    shift = (group - group[0]).astype(indices.dtype) * (channels * prod(sizes))
    for run, axis, step in zip(block.leading, geometry.axes, steps, strict=False):
        shift = np.add.outer(shift, _shifts(run, axis.stride * step, indices.dtype))
    np.add(shift[..., None], line, out=target)


def _copies(rows: int, size: int) -> list[tuple[int, int]]:
    """Return how to write many like rows, as pairs (rows at once, times): short ones take long one by one."""
    at_once = _ENTRIES_AT_ONCE // max(size, 1)
    if at_once < 2 or rows < 4 * at_once:
        return [(1, rows)]
    return [(at_once, rows // at_once), (1, rows % at_once)]


def _shifts(run: Run, step: int, dtype: np.dtype[Any]) -> Array:
    """Return how far the columns of each output of a run lie from those of its first."""
    # The stride of a single output may be beyond any index.
    return np.arange(run.outputs, dtype=dtype) * (step if run.outputs > 1 else 0)


def _row_starts(rows: Rows, dtype: np.dtype[Any]) -> Array:
    patterns = rows.patterns
    indptr = np.empty(rows.shape[0] + 1, dtype=dtype)
    indptr[0] = 0
    counts = indptr[1:].reshape(len(rows.filters), *[pattern.outputs for pattern in patterns])
    counts[...] = rows.channels
    for number, pattern in enumerate(patterns):
        if len(pattern.runs) == 1:
            counts *= pattern.runs[0].columns.size
            continue
        along = np.repeat(
            [run.columns.size for run in pattern.runs], [run.outputs for run in pattern.runs]
        ).astype(dtype)
        counts *= along.reshape(-1, *[1] * (len(patterns) - 1 - number))
    np.cumsum(indptr[1:], out=indptr[1:])
    return indptr


def canonical(data: Array, indices: Array, indptr: Array, shape: tuple[int, int]) -> csr_array:
    """Return the CSR matrix of these very arrays, whose indices are sorted and without duplicates."""
    if indices.dtype == np.int32:
        W = csr_array((data, indices, indptr), shape=shape)
    else:
        # The constructor would read all of int64 indices to see whether they fit int32, and narrow them.
        W = csr_array(shape, dtype=data.dtype)
        W.data, W.indices, W.indptr = data, indices, indptr
    W.has_sorted_indices = W.has_canonical_format = True
    return W


def index_dtype_for(index_dtype: Any, largest: int) -> np.dtype[Any]:
    """Return the dtype asked for, or the narrowest, of indices up to `largest`."""
    if index_dtype is None:
        return np.dtype(np.int32 if largest < _INT32_END else np.int64)
    found: np.dtype[Any] | None
    try:
        found = np.dtype(index_dtype)
    except TypeError:
        found = None
    if found is None or found not in (np.int32, np.int64):
        raise TypeError(f"{shown('index_dtype', index_dtype)}: it must be numpy.int32 or numpy.int64.")
    if found == np.int32 and largest >= _INT32_END:
        raise ValueError(
            f"{shown('index_dtype', index_dtype)}: W needs an index of {largest}, and int32 ends at "
            f"{_INT32_END - 1}. Use numpy.int64, or leave index_dtype out."
        )
    return found


def refuse_too_large(
    geometry: ConvGeometry, dtype: np.dtype[Any], index_dtype: Any = None, copies: int = 1
) -> None:
    """Raise MemoryError if `copies` of W do not fit the memory that is left, before any is allocated."""
    if geometry.most_entries * (dtype.itemsize + 8) * copies < ALWAYS_FITS:
        return
    rows = geometry.shape[0]
    # Where outputs are so many that counting would take minutes, each still has one entry at least.
    counted = max(axis.outputs_counted for axis in geometry.axes) <= _COUNTABLE
    nnz = geometry.nnz if counted else rows
    width = index_dtype_for(index_dtype, max(nnz, *geometry.shape)).itemsize
    refuse_beyond_memory(
        copies * (nnz * (dtype.itemsize + width) + (rows + 1) * width)
        + sum(map(border_bytes, geometry.axes)),
        f"W of shape {geometry.shape}, {dtype} with int{8 * width} indices and "
        f"{'' if counted else 'at least '}nnz = {nnz} entries,",
        _WITHOUT_MATRIX,
    )
    refuse_beyond_indexing(geometry)


def refuse_beyond_indexing(geometry: ConvGeometry) -> None:
    """Refuse positions that int64 cannot hold where the border is folded."""
    for axis in geometry.axes:
        longest = axis.before + axis.size + axis.after
        if 4 * longest * axis.out_size >= 2**63 and axis.interior != (0, axis.out_size):
            raise ValueError(
                f"an axis of {longest} positions with {axis.out_size} outputs is beyond index arithmetic in "
                f"int64, which W needs at its border. {_WITHOUT_MATRIX}"
            )


def border_bytes(axis: Axis) -> int:
    """Return about what the intermediate arrays of `axis_pattern` take, where they are not negligible."""
    start, stop = axis.interior
    outputs = axis.out_size - stop + start
    taps = min(axis.kernel, axis.size) if axis.boundary == "zeros" else axis.kernel
    needed = outputs * (64 * taps + 640)
    return needed if needed >= ALWAYS_FITS else 0
