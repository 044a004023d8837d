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
from convops._arrays import Array, check_range, weight_array
from convops._axis import Axis
from convops._copies import write_copies
from convops._layout import Layout, arranged
from convops._memory import ALWAYS_FITS, refuse_beyond_memory
from convops._pattern import Pattern, Run, axis_pattern
from convops._reorder import reordered
from convops.geometry import Boundary, ConvGeometry, IntPerAxis, Padding

_INT32_END = 2**31
_COUNTABLE = 2**24
_ENTRIES_AT_ONCE = 2**13
"""Entries of short rows that are written at once: within cache, and long enough for the speed of a copy."""
_FOLDED = "W, where the boundary folds the weight,"
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
    patterns = [axis_pattern(axis) for axis in geometry.axes]
    indices, indptr = index_arrays(geometry, patterns, index_dtype)
    data = np.empty(indices.size, dtype=weight.dtype)
    write_values(geometry, patterns, weight, data)
    if layout is None or layout.shared:
        return canonical(data, indices, indptr, geometry.shape)
    rows = np.argsort(layout.renumbered(np.arange(geometry.shape[0]), geometry.output_shape))
    columns = layout.renumbered(np.arange(geometry.shape[1]), geometry.input_shape)
    W = canonical(*reordered(data, indices, indptr, rows, columns), geometry.shape)
    W.has_sorted_indices = False
    W.sort_indices()
    return W


def index_arrays(
    geometry: ConvGeometry, patterns: Sequence[Pattern], index_dtype: Any = None
) -> tuple[Array, Array]:
    """Return the indices and the indptr of W, for the patterns of its axes."""
    nnz = geometry.out_channels * (geometry.in_channels // geometry.groups)
    nnz *= prod(pattern.entries for pattern in patterns)
    dtype = _index_dtype(index_dtype, max(nnz, *geometry.shape))
    indices = np.empty(nnz, dtype=dtype)
    for block in _blocks(geometry, patterns):
        _write_indices(block, indices)
    return indices, _row_starts(geometry, patterns, dtype)


def write_values(geometry: ConvGeometry, patterns: Sequence[Pattern], weight: Array, data: Array) -> None:
    """Write the data of W, in the order of its indices, once the weight has been folded without fault."""
    channels = geometry.in_channels // geometry.groups
    templates = _templates(weight.reshape(geometry.out_channels, channels, *geometry.kernel_size), patterns)
    for block in _blocks(geometry, patterns):
        _write_data(block, data, templates)


def _templates(weight: Array, patterns: Sequence[Pattern]) -> Array:
    """Return the values of all templates: each spatial axis holds its taps, then what folding makes of them.

    Small integers are folded in int64 and come back in the dtype of the weight.
    """
    if all(pattern.folding is None for pattern in patterns):
        return weight
    values = weight
    if weight.dtype.kind in "iu":
        _refuse_overflow(weight, patterns)
        values = weight.astype(np.int64)
    for number, pattern in enumerate(patterns, start=2):
        if pattern.folding is not None:
            moved = np.moveaxis(values, number, 0)
            folding = pattern.folding.astype(_real(values.dtype))
            with np.errstate(over="ignore", invalid="ignore"):
                border = folding @ moved.reshape(moved.shape[0], -1)
            moved = np.concatenate([moved, border.reshape(-1, *moved.shape[1:])])
            values = np.moveaxis(moved, 0, number)
    if values.dtype != weight.dtype:
        check_range(_FOLDED, values, weight.dtype)
    elif weight.dtype.kind in "fc" and not np.isfinite(values).all():
        raise OverflowError(
            f"{_FOLDED} leaves the range of {weight.dtype}, which ends at {np.finfo(weight.dtype).max:.3g}. "
            "Scale the weight down."
        )
    return np.ascontiguousarray(values, dtype=weight.dtype)


def _refuse_overflow(weight: Array, patterns: Sequence[Pattern]) -> None:
    """Refuse an integer weight that the boundary could fold to an entry beyond int64."""
    largest = max(-int(weight.min()), int(weight.max()))
    for pattern in patterns:
        if pattern.folding is not None and pattern.folding.nnz:
            largest *= max(int(abs(pattern.folding).sum(axis=1).max()), 1)
    if largest >= 2**63:
        raise OverflowError(
            f"{_FOLDED} could hold {largest}: integers are computed in int64, which ends at 2**63 - 1. Give "
            "the weight as floats."
        )


def _real(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.zeros(0, dtype).real.dtype


class _Block(NamedTuple):
    """The rows of W in which each axis but the last stays within one of its runs.

    They lie in W's arrays as ``(C_out, *rows, line)``: a line is the rows of one output position on
    the leading axes.
    """

    geometry: ConvGeometry
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


def _blocks(geometry: ConvGeometry, patterns: Sequence[Pattern]) -> Iterator[_Block]:
    channels = geometry.in_channels // geometry.groups
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
            shape = (geometry.out_channels, *[run.outputs for run in runs], line)
            yield _Block(geometry, runs, last, offset, line, shape, (filter_entries, *strides, 1))


def _write_data(block: _Block, data: Array, templates: Array) -> None:
    target = block.of(data)
    width = block.line // block.last.entries
    values = templates[(slice(None), slice(None), *[run.template for run in block.leading])]
    for run in block.last.runs:
        rows = values[..., run.template].reshape(block.shape[0], width * run.columns.size)
        start = width * run.entries_before
        if rows.size:
            write_copies(rows, target[..., start : start + run.outputs * rows.shape[1]])


def _write_indices(block: _Block, indices: Array) -> None:
    geometry, target = block.geometry, block.of(indices)
    channels = geometry.in_channels // geometry.groups
    sizes = geometry.spatial_shape
    steps = [prod(sizes[number + 1 :]) for number in range(len(sizes))]

    columns = np.arange(channels, dtype=np.int64) * prod(sizes)
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

    shift = np.arange(geometry.groups, dtype=indices.dtype) * (channels * prod(sizes))
    shift = np.repeat(shift, geometry.out_channels // geometry.groups)
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


def _row_starts(geometry: ConvGeometry, patterns: Sequence[Pattern], dtype: np.dtype[Any]) -> Array:
    indptr = np.empty(geometry.shape[0] + 1, dtype=dtype)
    indptr[0] = 0
    counts = indptr[1:].reshape(geometry.out_channels, *[pattern.axis.out_size for pattern in patterns])
    counts[...] = geometry.in_channels // geometry.groups
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


def _index_dtype(index_dtype: Any, largest: int) -> np.dtype[Any]:
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
    width = _index_dtype(index_dtype, max(nnz, *geometry.shape)).itemsize
    refuse_beyond_memory(
        copies * (nnz * (dtype.itemsize + width) + (rows + 1) * width)
        + sum(map(border_bytes, geometry.axes)),
        f"W of shape {geometry.shape}, {dtype} with int{8 * width} indices and "
        f"{'' if counted else 'at least '}nnz = {nnz} entries,",
        _WITHOUT_MATRIX,
    )
    for axis in geometry.axes:
        longest = axis.before + axis.size + axis.after
        if 4 * longest * axis.out_size >= 2**63 and axis.interior != (0, axis.out_size):
            raise ValueError(
                f"an axis of {longest} positions with {axis.out_size} outputs is beyond index arithmetic in "
                f"int64, which W needs at its border. {_WITHOUT_MATRIX}"
            )


def border_bytes(axis: Axis) -> int:
    """Return about what the intermediate arrays of `_axis_pattern` take, where they are not negligible."""
    start, stop = axis.interior
    outputs = axis.out_size - stop + start
    taps = min(axis.kernel, axis.size) if axis.boundary == "zeros" else axis.kernel
    needed = outputs * (64 * taps + 640)
    return needed if needed >= ALWAYS_FITS else 0
