"""One axis of W: which samples each output reads, in runs of outputs that read alike.

The interior, where all taps lie on samples, is one run, whatever its length; each output at the border is
a run of its own.
"""

from bisect import bisect_right
from itertools import pairwise
from operator import attrgetter
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
    """Where this run's values are: first come the taps, then what folding makes of them at the border."""


class Pattern(NamedTuple):
    """A sparse (out_size, size) matrix in runs."""

    axis: Axis
    runs: list[Run]
    entries: int
    folding: csr_array | None
    """(values of border rows, taps): what each of them takes from each tap; None where each is a tap."""

    @property
    def outputs(self) -> int:
        """Number of outputs."""
        return self.runs[-1].start + self.runs[-1].outputs

    def between(self, start: int, stop: int) -> "Pattern":
        """Return the pattern of the outputs ``start <= p < stop`` alone, counted from 0.

        Examples
        --------
        >>> pattern = axis_pattern(Axis(6, 3, 1, 1, 1, 1, "zeros")).between(3, 6)
        >>> [(run.start, run.outputs, run.columns.tolist()) for run in pattern.runs]
        [(0, 2, [2, 3, 4]), (2, 1, [4, 5])]
        """
        runs: list[Run] = []
        entries = 0
        number = bisect_right(self.runs, start, key=attrgetter("start")) - 1
        while number < len(self.runs) and self.runs[number].start < stop:
            run = self.runs[number]
            first, last = max(start, run.start), min(stop, run.start + run.outputs)
            columns = (
                run.columns + self.axis.stride * (first - run.start) if first > run.start else run.columns
            )
            runs.append(Run(first - start, last - first, entries, columns, run.template))
            entries += (last - first) * columns.size
            number += 1
        return Pattern(self.axis, runs, entries, self.folding)


def axis_pattern(axis: Axis) -> Pattern:
    """Return the pattern of an axis.

    Examples
    --------
    >>> pattern = axis_pattern(Axis(6, 3, 1, 1, 1, 1, "zeros"))
    >>> [(run.start, run.outputs, run.columns.tolist()) for run in pattern.runs]
    [(0, 1, [0, 1]), (1, 4, [0, 1, 2]), (5, 1, [4, 5])]
    >>> [run.template for run in pattern.runs]
    [slice(1, 3, None), slice(0, 3, None), slice(0, 2, None)]
    """
    start, stop = axis.interior
    border = [*range(start), *range(stop, axis.out_size)]
    folding = None
    if axis.boundary == "zeros":
        rows = [_taps_on_samples(axis, p) for p in border]
    elif border:
        rows, folding = _folded_taps(axis, np.array(border))
    else:
        rows = []
    interior = axis.first_position(start) + axis.dilation * np.arange(axis.kernel)
    runs: list[Run] = []
    entries = 0
    successive = [(p, 1, *row) for p, row in zip(border, rows, strict=True)]
    if stop > start:
        successive.insert(start, (start, stop - start, interior, slice(0, axis.kernel)))
    for p, outputs, columns, template in successive:
        runs.append(Run(p, outputs, entries, columns, template))
        entries += outputs * columns.size
    return Pattern(axis, runs, entries, folding)


def _taps_on_samples(axis: Axis, p: int) -> tuple[Ints, slice]:
    """Return what output p reads beside zeros: columns, and the taps that stand there, one after another."""
    first = axis.first_position(p)
    low = max(-(first // axis.dilation), 0)
    high = max(min((axis.size - 1 - first) // axis.dilation + 1, axis.kernel), low)
    return first + axis.dilation * np.arange(low, high), slice(low, high)


def _folded_taps(axis: Axis, border: Ints) -> tuple[list[tuple[Ints, slice]], csr_array]:
    """Return what each output of `border` reads, columns and values, and the `folding` of the axis."""
    positions = (axis.stride * border - axis.before)[:, None] + axis.dilation * np.arange(axis.kernel)
    found = extension_entries(positions.ravel(), axis.size, axis.boundary)
    row, tap = np.divmod(found.row, axis.kernel)
    cells, cell = np.unique(row * axis.size + found.sample, return_inverse=True)
    rows, columns = np.divmod(cells, axis.size)
    ends = np.searchsorted(rows, np.arange(border.size + 1)).tolist()
    reads = [(columns[a:b], slice(axis.kernel + a, axis.kernel + b)) for a, b in pairwise(ends)]
    return reads, csr_array((found.coefficient, (cell, tap)), shape=(cells.size, axis.kernel))
