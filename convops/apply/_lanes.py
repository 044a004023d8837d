"""What bands do about the last axis: lay out each of its offsets, or add up the products of its taps.

Laid out, a row of the source is copied once per offset, and the product sums over them. Added, it is
copied once, every tap makes rows of products of its own, and these are added where they belong (overlap-add):
worth it where the source has many more channels than the result.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from convops._arrays import Array
from convops.apply._blocks import Range, offset_views
from convops.apply._reading import Reading, Table


class LaidOut:
    """A copy per offset, and a row of products per phase."""

    def __init__(self, reading: Reading) -> None:
        self.read = reading
        """What is loaded of the source."""

    @property
    def rows(self) -> int:
        """How many rows of products a place has."""
        return len(self.read.taps)

    @property
    def table(self) -> Table:
        """The taps: rows of products, by copies."""
        return self.read.table

    @property
    def copies(self) -> int:
        """How often a row of the source is laid out."""
        return len(self.read.offsets)

    def columns(self, lanes: int) -> int:
        """Return how many columns the products for so many places have at most."""
        return lanes

    def places(self, lanes: Range) -> Range:
        """Return the places of `read` that a block loads."""
        return lanes

    def views(self, strides: Sequence[int]) -> Iterator[tuple[slice, int, int]]:
        """Yield which copies there are, where they begin in the loaded source, and their stride."""
        return offset_views(strides, self.read)


class Added:
    """One copy, and a row of products per tap; neighbouring places must read neighbouring positions."""

    copies = 1

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self.read = reading._replace(size=reading.source, phases=1, offsets=range(1), taps={0: (0,)})

    @cached_property
    def taps(self) -> list[tuple[int, int, int]]:
        """The phase of each tap, by number; its offset; and which tap it is."""
        reading = self._reading
        return [
            (number, offset, tap)
            for number, taps in enumerate(reading.taps.values())
            for offset, tap in zip(reading.offsets, taps, strict=True)
            if tap >= 0
        ]

    @property
    def rows(self) -> int:
        """One per tap; see `LaidOut`."""
        return len(self.taps)

    @property
    def table(self) -> Table:
        """The taps of all phases, one below the other; see `LaidOut`."""
        return np.array([[tap] for _, _, tap in self.taps], dtype=np.intp)

    def columns(self, lanes: int) -> int:
        """Return the positions that so many places read; see `LaidOut`."""
        return min(lanes + self._reading.span - 1, self._reading.source)

    def places(self, lanes: Range) -> Range:
        """Return the positions on the source that a block reads; see `LaidOut`."""
        offsets, source = self._reading.offsets, self._reading.source
        start = min(max(lanes[0] + offsets[0], 0), source)
        return start, max(min(lanes[1] + offsets[-1], source), start)

    def views(self, strides: Sequence[int]) -> Iterator[tuple[slice, int, int]]:
        """Yield the only copy; see `LaidOut`."""
        yield slice(None), 0, 0

    def add(self, products: Array, sums: Array, lanes: Range) -> None:
        """Write the sums of ``(..., taps, rows, positions)`` to ``(..., phases, rows, places)``."""
        sums[...] = 0
        for product, place in self._pairs(lanes):
            sums[place] += products[product]

    def spread(self, sums: Array, products: Array, lanes: Range) -> None:
        """Write to each product what it is added to, or zero: `add` transposed."""
        products[...] = 0
        for product, place in self._pairs(lanes):
            products[product] = sums[place]

    def _pairs(self, lanes: Range) -> Iterator[tuple[tuple[Any, ...], tuple[Any, ...]]]:
        """Yield, per tap, the indices of its products and of the places that they are added to."""
        start, stop = self.places(lanes)
        for number, (phase, offset, _) in enumerate(self.taps):
            low, high = max(start, lanes[0] + offset), min(stop, lanes[1] + offset)
            if low < high:
                product = (..., number, slice(None), slice(low - start, high - start))
                first = low - offset - lanes[0]
                yield product, (..., phase, slice(None), slice(first, first + high - low))
