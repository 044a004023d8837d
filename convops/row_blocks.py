"""W in blocks of rows, for a W that no memory holds: `iter_row_blocks`.

Successive rows of W are successive outputs in C order. Where they make a box (some filters, or of one filter
some rows of the image, and so on down the axes), they are assembled as W is: from the runs of each axis, cut
to the outputs of the box.
"""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from convops._arguments import integer, shown
from convops._arrays import weight_array
from convops._memory import refuse_beyond_memory
from convops._pattern import Pattern
from convops._templates import templates
from convops.assembly import (
    Rows,
    all_rows,
    assemble_rows,
    border_bytes,
    index_dtype_for,
    oriented,
    refuse_beyond_indexing,
)
from convops.geometry import Boundary, ConvGeometry, IntPerAxis, Padding

MAX_BYTES = 2**28
_MOST_INDPTR = 2**31 - 1
"""Rows, and entries, that indices of 32 bits can count."""


def iter_row_blocks(
    weight: Any,
    input_shape: IntPerAxis,
    *,
    stride: IntPerAxis = 1,
    padding: Padding = 0,
    dilation: IntPerAxis = 1,
    groups: int = 1,
    boundary: Boundary = "zeros",
    flip: bool = False,
    dtype: Any = None,
    index_dtype: Any = None,
    max_bytes: int = MAX_BYTES,
) -> Iterator[csr_array]:
    """Return an iterator over W in blocks of rows, from the top: ``vstack(list(blocks))`` is `conv_matrix`.

    Each block is assembled when it is asked for, from the arguments and not from W, so W may be larger than
    any memory. A block is canonical and has all N columns; rows are outputs in C order, channels first. The
    iterator keeps no block: there are two at a time only while the next is assembled and the caller still
    holds the last, as a ``for`` loop does.

    Parameters
    ----------
    weight : array_like
        ``(C_out, C_in // groups, *kernel)``, or ``kernel`` alone for one channel in and one out.
    input_shape : int or sequence of int
        ``(C_in, *spatial)``, or ``spatial`` alone where the weight has exactly as many axes.
    stride, padding, dilation, groups, boundary
        As for `ConvGeometry`.
    flip : bool, default False
        As for `conv_matrix`.
    dtype : dtype, optional
        Of the entries, as for `conv_matrix`.
    index_dtype : dtype, optional
        numpy.int32 or numpy.int64, of all blocks. Default: int32 while N < 2**31, for a block has rows and
        entries few enough, also where W has not.
    max_bytes : int, default 2**28
        The most that the three arrays of a block take together. A block holds as many rows as fit, but rows
        of several channels, or of several lines of the image, only where all of these are whole.

    Returns
    -------
    iterator of scipy.sparse.csr_array
        Blocks of shape ``(rows, N)``.

    Raises
    ------
    TypeError, ValueError, OverflowError
        Where an argument does not fit, with the numbers and the fix, before the first block is asked for; so
        where one row of W takes more than `max_bytes`.
    MemoryError
        If a block is larger than the memory that is left.

    See Also
    --------
    conv_matrix : W at once.

    Examples
    --------
    >>> from convops import iter_row_blocks
    >>> for block in iter_row_blocks([[1, 2], [3, 4]], (3, 3), max_bytes=120):
    ...     print(block.toarray())
    [[1 2 0 3 4 0 0 0 0]
     [0 1 2 0 3 4 0 0 0]]
    [[0 0 0 1 2 0 3 4 0]
     [0 0 0 0 1 2 0 3 4]]

    The first of the blocks of a W of 670 GiB:

    >>> import numpy as np
    >>> blocks = iter_row_blocks(np.ones((15, 15), "float32"), (20_000, 20_000), padding="same")
    >>> block = next(blocks)
    >>> print(block.shape, block.indices.dtype)
    (180000, 400000000) int32
    """
    taps = weight_array(weight, dtype)
    geometry = ConvGeometry(
        taps.shape,
        input_shape,
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        boundary=boundary,
    )
    most = integer("max_bytes", max_bytes, 1)
    index = index_dtype_for(index_dtype, geometry.shape[1])
    taps = oriented(taps, geometry, flip)
    bound = geometry.most_entries * (taps.itemsize + 8) + geometry.shape[0] * 8
    block = f"A block of W of shape {geometry.shape}, {shown('max_bytes', max_bytes)},"
    refuse_beyond_memory(min(most, bound), block, "Give a smaller max_bytes.")
    border = f"The border of W of shape {geometry.shape}, each of whose outputs reads other samples,"
    refuse_beyond_memory(sum(map(border_bytes, geometry.axes)), border, "Give less padding.")
    refuse_beyond_indexing(geometry)
    rows = all_rows(geometry)
    longest = rows.channels * prod(_longest(pattern) for pattern in rows.patterns)
    entry = taps.itemsize + index.itemsize
    least = longest * entry + 2 * index.itemsize
    if most < least:
        raise ValueError(
            f"{shown('max_bytes', max_bytes)}: a block holds one row of W at least, and the longest has "
            f"{longest} entries, {longest} * ({taps.itemsize} + {index.itemsize}) + 2 * {index.itemsize} = "
            f"{least} bytes in {taps.dtype} with {index} indices. Give at least {least}."
        )
    if index == np.int32:
        most = min(most, _MOST_INDPTR * index.itemsize)
    values = templates(geometry, rows.patterns, taps)
    boxes = _boxes(rows, most - index.itemsize, entry, index.itemsize)
    return (assemble_rows(box, values, index) for box in boxes)


def _boxes(rows: Rows, most: int, entry: int, row: int) -> Iterator[Rows]:
    """Yield successive rows of at most so many bytes, where an entry and a row take so many."""
    geometry, filters, patterns = rows
    outputs, entries = prod(pattern.outputs for pattern in patterns), rows.nnz // len(filters)
    together = most // (entries * entry + outputs * row)
    if together:
        for first in range(0, len(filters), together):
            yield Rows(geometry, filters[first : first + together], patterns)
        return
    for number in range(len(filters)):
        for parts in _parts(patterns, most, rows.channels * entry, row):
            yield Rows(geometry, filters[number : number + 1], parts)


def _parts(patterns: Sequence[Pattern], most: int, entry: int, row: int) -> Iterator[list[Pattern]]:
    """Yield the patterns of successive boxes of one filter, where an entry of W takes so many bytes."""
    first, *others = patterns
    entries = prod(pattern.entries for pattern in others) * entry
    outputs = prod(pattern.outputs for pattern in others) * row
    if _longest(first) * entries + outputs <= most:
        for start, stop in _cuts(first, most, entries, outputs):
            yield [first.between(start, stop), *others]
        return
    for p in range(first.outputs):
        line = first.between(p, p + 1)
        for parts in _parts(others, most, entry * line.entries, row):
            yield [line, *parts]


def _cuts(pattern: Pattern, most: int, entry: int, output: int) -> Iterator[tuple[int, int]]:
    """Yield ``start, stop`` of as many outputs as fit, where an entry and an output take so many bytes."""
    start, left = 0, most
    for run in pattern.runs:
        each = run.columns.size * entry + output
        written = 0
        while (fitting := left // each) < run.outputs - written:
            written += fitting
            yield start, run.start + written
            start, left = run.start + written, most
        left -= (run.outputs - written) * each
    yield start, pattern.outputs


def _longest(pattern: Pattern) -> int:
    return max(run.columns.size for run in pattern.runs)
