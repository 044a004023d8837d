"""One axis of W: which samples each output reads, in runs of outputs that read alike.

The interior, where all taps lie on samples, is one run, whatever its length; each output at the border is
a run of its own.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array

from convops._axis import Axis
from convops.boundary import Ints, extension_entries


class Run(NamedTuple):
    """Successive outputs of one axis whose rows are one template, shifted by the stride."""

    start: int
    outputs: int
    entries_before: int
    """Entries of the axis pattern in the rows before this run."""
    columns: Ints
    """Samples that the first row of the run reads, ascending."""
    template: slice
    """Where this run's values are: first come the taps, then the values of the border rows."""


class Pattern(NamedTuple):
    """A sparse (out_size, size) matrix in runs."""

    axis: Axis
    runs: list[Run]
    entries: int
    taps: Ints
    """Which tap each value of the border rows is, where each is one tap."""
    folding: csr_array | None
    """Else the integer matrix (values of the border rows, taps) that makes them of the taps."""


def axis_pattern(axis: Axis) -> Pattern:
    """Return the pattern of an axis.

    Examples
    --------
    >>> pattern = axis_pattern(Axis(6, 3, 1, 1, 1, 1, "zeros"))
    >>> [(run.start, run.outputs, run.columns.tolist()) for run in pattern.runs]
    [(0, 1, [0, 1]), (1, 4, [0, 1, 2]), (5, 1, [4, 5])]
    >>> pattern.taps
    array([1, 2, 0, 1])
    """
    start, stop = axis.interior
    border = np.concatenate([np.arange(start), np.arange(stop, axis.out_size)])
    no_taps = np.arange(0)
    if not border.size:
        return Pattern(axis, [_interior(axis, 0)], stop * axis.kernel, no_taps, None)

    first_taps = axis.stride * border - axis.before
    if axis.boundary == "zeros":
        rows, taps = _taps_on_samples(axis, first_taps)
        columns, folding = first_taps[rows] + axis.dilation * taps, None
    else:
        rows, columns, folding = _folded_taps(axis, first_taps)
        taps = no_taps
    ends = np.searchsorted(rows, np.arange(border.size + 1)).tolist()

    within = (stop - start) * axis.kernel
    runs = [
        Run(
            p,
            1,
            first + (within if p >= stop else 0),
            columns[first:last],
            slice(axis.kernel + first, axis.kernel + last),
        )
        for p, first, last in zip(border.tolist(), ends, ends[1:], strict=False)
    ]
    if within:
        runs.insert(start, _interior(axis, ends[start]))
    return Pattern(axis, runs, columns.size + within, taps, folding)


def _interior(axis: Axis, entries_before: int) -> Run:
    start, stop = axis.interior
    columns = axis.first_position(start) + axis.dilation * np.arange(axis.kernel)
    return Run(start, stop - start, entries_before, columns, slice(0, axis.kernel))


def _taps_on_samples(axis: Axis, first_taps: Ints) -> tuple[Ints, Ints]:
    """Return (row, tap) of every tap of the rows that lies on a sample, in order."""
    low = np.maximum(-(first_taps // axis.dilation), 0)
    high = np.minimum((axis.size - 1 - first_taps) // axis.dilation + 1, axis.kernel)
    count = np.maximum(high - low, 0)
    rows = np.repeat(np.arange(first_taps.size), count)
    return rows, np.arange(rows.size) - np.repeat(np.cumsum(count) - count - low, count)


def _folded_taps(axis: Axis, first_taps: Ints) -> tuple[Ints, Ints, csr_array]:
    """Return (row, column) of every sample that the rows read, in order, and its share of each tap."""
    positions = first_taps[:, None] + axis.dilation * np.arange(axis.kernel)
    found = extension_entries(positions.ravel(), axis.size, axis.boundary)
    row, tap = np.divmod(found.row, axis.kernel)
    cells, cell = np.unique(row * axis.size + found.sample, return_inverse=True)
    rows, columns = np.divmod(cells, axis.size)
    return rows, columns, csr_array((found.coefficient, (cell, tap)), shape=(cells.size, axis.kernel))
