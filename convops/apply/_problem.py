"""A product with W or Wᴴ as the tilings see it: readings, channels and a dtype."""

from collections.abc import Iterable, Sequence
from math import prod
from typing import Any, NamedTuple, Protocol

import numpy as np

from convops._arrays import Array
from convops.apply._reading import Reading
from convops.apply.cost import Cost


class Problem(NamedTuple):
    """The sizes of a product; the weight is ``(groups, rows, columns, *taps)``.

    Arrays are ``(batch, groups, columns, *source)`` and ``(batch, groups, rows, *result)``.
    """

    readings: tuple[Reading, ...]
    groups: int
    rows: int
    columns: int
    dtype: np.dtype[Any]

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of places per axis."""
        return tuple([reading.places for reading in self.readings])

    @property
    def phases(self) -> int:
        """Number of phases of a place that read anything, over all axes."""
        return prod([len(reading.taps) for reading in self.readings])


class Tiling(Protocol):
    """A way to cut a product into matrix products, whose cost is known before anything is built."""

    cost: Cost
    summands: float
    """Entries of small matrices that `gradient` writes and adds up; infinite where it is out of question."""

    def matrices(self, weight: Array) -> Array:
        """Return what `run` multiplies by."""

    def run(self, source: Array, out: Array, matrices: Array) -> None:
        """Write the result into `out`; places that read nothing are left as they are."""

    def telling(self, out: Array) -> list[Array]:
        """Return parts of a result: one is not finite if any product has spread what is not finite.

        The weight must be finite. A product spreads what it reads times zeros that stand beside the taps;
        where several places are the rows of one, each of them tells for all.
        """

    def gradient(self, source: Array, result: Array) -> Array:
        """Return G of the shape of `matrices`, with ``sum(G * M) == sum(result * out of run(source, M))``.

        Nothing is conjugated. Entries of M that every weight leaves zero may have any value in G.
        """


def fitting(sizes: Sequence[int], bytes_each: float, most: float) -> list[int]:
    """Return how many of each axis fit into `most` bytes, from the last axis to the first, at least 1."""
    room = max(most / bytes_each, 1.0)
    counts: list[int] = []
    for size in reversed(sizes):
        counts.insert(0, max(min(size, int(room)), 1))
        room /= counts[0]
    return counts


def equal_parts(rows: int, each: int, most: int) -> int:
    """Return the least number of equal parts of the rows that have at most `most`, with `each` per row."""
    small = [parts for parts in range(1, rows) if not rows % parts and rows // parts * each <= most]
    return small[0] if small else rows


def cheapest(tilings: Iterable[Tiling]) -> Tiling:
    """Return the tiling that takes the fewest seconds."""
    return min(tilings, key=lambda tiling: tiling.cost.seconds)
