"""The matrix of a band: what it takes neighbouring rows of the source to."""

from functools import cached_property
from itertools import pairwise, product
from math import prod
from typing import NamedTuple

import numpy as np

from convops._arrays import Array
from convops.apply._lanes import Added, LaidOut
from convops.apply._problem import Problem
from convops.apply._reading import Table, has_gaps, spread

_HIGH = 8
"""Rows of a matrix below which registers stay empty."""
_AT_A_TIME = 6
"""Rows that BLAS multiplies at a time; an odd number of them leaves one to be multiplied alone."""


class Slab(NamedTuple):
    """Rows of a matrix, and the columns that they have any tap in."""

    rows: slice
    reads: slice

    @property
    def height(self) -> int:
        """Number of rows."""
        return int(self.rows.stop - self.rows.start)

    @property
    def inner(self) -> int:
        """Number of columns."""
        return int(self.reads.stop - self.reads.start)


class Band:
    """What `rows` neighbouring places of the last axis but one read, for each offset of the axes before.

    The rows of the matrix are those places, then the phases of all axes but the last, what `lane` has for
    each place, and the channels. Its columns are positions, channels, and the copies that `lane` makes.
    """

    def __init__(self, problem: Problem, rows: int, lane: LaidOut | Added) -> None:
        self.problem = problem
        self.rows = rows
        self.lane = lane
        *leading, band, _ = problem.readings
        by_position = problem.columns * lane.copies
        self.inner = (band.step * (rows - 1) + band.span) * by_position
        before, each = prod([len(reading.taps) for reading in leading]), lane.rows * problem.rows
        self.outer = rows * before * len(band.taps) * each
        self.slabs = [Slab(slice(0, self.outer), slice(0, self.inner))]
        if rows == 1 < len(band.taps) and each >= _HIGH:
            self.slabs = self._by_phase(before, each, by_position)

    @cached_property
    def offsets(self) -> list[tuple[int, ...]]:
        """Those of the leading axes, by number: each has a matrix, and their products are added."""
        return list(product(*[range(len(reading.offsets)) for reading in self.problem.readings[:-2]]))

    @property
    def direct(self) -> bool:
        """Whether products lie as the result does, but for bands that reach beyond it."""
        problem = self.problem
        return (
            isinstance(self.lane, LaidOut)
            and len(self.offsets) == 1
            and all(reading.phases == 1 for reading in problem.readings)
            and min(self.rows, problem.rows) == 1
        )

    @property
    def entries(self) -> int:
        """Entries of all slabs."""
        return sum([slab.height * slab.inner for slab in self.slabs])

    @property
    def has_gaps(self) -> bool:
        """Whether zeros stand beside the taps of its matrix."""
        return has_gaps(self._tables)

    @property
    def _tables(self) -> list[Table]:
        *leading, band, _ = self.problem.readings
        return [*[reading.table for reading in leading], band.band(self.rows), self.lane.table]

    def matrices(self, weight: Array) -> Array:
        """Return ``(offsets of the leading axes, groups, outer, inner)``."""
        tiles = spread(weight, self._tables)
        groups, out, columns = tiles.shape[:3]
        axes = len(self.problem.readings) - 2
        split = (groups, out, columns, *tiles.shape[3 : 3 + 2 * axes], self.rows, -1, *tiles.shape[-3:])
        tiles = tiles.reshape(split)
        places = [3 + 2 * number for number in range(axes)]
        row, phase, window, lane_row, copy = range(3 + 2 * axes, 8 + 2 * axes)
        order = [number + 1 for number in places] + [0, row, *places, phase, lane_row, 1] + [window, 2, copy]
        return np.ascontiguousarray(tiles.transpose(order)).reshape(-1, groups, self.outer, self.inner)

    def _by_phase(self, before: int, each: int, by_position: int) -> list[Slab]:
        """Return about one slab per phase, which reads less than all of them."""
        band = self.problem.readings[-2]
        origin = band.offsets[0]
        windows = [(offsets[0] - origin, offsets[-1] + 1 - origin) for offsets in band.reached] * before
        lengths = [stop - start for start, stop in windows]
        inside = [
            _boundary(number * each, left, right)
            for number, (left, right) in enumerate(pairwise(lengths), start=1)
        ]
        found = []
        for start, stop in pairwise([0, *inside, self.outer]):
            firsts, lasts = zip(*windows[start // each : -(-stop // each)], strict=True)
            reads = slice(min(firsts) * by_position, max(lasts) * by_position)
            found.append(Slab(slice(start, stop), reads))
        return found


def _boundary(row: int, before: int, after: int) -> int:
    """Return where one slab should end, and the next begin, that read so much: at `row` if that is even.

    Else the one that reads more takes some rows of the other.
    """
    if row % 2 == 0:
        return row
    down = row - row % _AT_A_TIME
    return down if before <= after else down + _AT_A_TIME
