"""What bands do about the last axis: lay out each of its offsets, or add up the products of its taps.

Laid out, a row of the source is copied once per offset, and the product sums over them. Added, it is
copied once, every tap makes rows of products of its own, and these are added where they belong (overlap-add):
worth it where the source has many more channels than the result.
"""

from collections.abc import Iterator, Sequence

import numpy as np

from convops._arrays import Array
from convops.apply._blocks import Range, offset_views
from convops.apply._overlap import moved, spacing
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

    def margins(self, lanes: Range) -> tuple[int, int]:
        """Return 0, 0: products need no positions beyond those that a block loads."""
        return 0, 0

    def views(self, strides: Sequence[int]) -> Iterator[tuple[slice, int, int]]:
        """Yield which copies there are, where they begin in the loaded source, and their stride."""
        return offset_views(strides, self.read)


class Added:
    """One copy, and a row of products per tap; neighbouring places must read neighbouring positions."""

    copies = 1

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self.read = reading._replace(size=reading.source, phases=1, offsets=range(1), taps={0: (0,)})
        self._offsets = reading.reached
        """Those of each phase, evenly spaced."""

    @property
    def rows(self) -> int:
        """One per tap; see `LaidOut`."""
        return sum(map(len, self._offsets))

    @property
    def table(self) -> Table:
        """The taps of all phases, one below the other; see `LaidOut`."""
        taps = [tap for of_phase in self._reading.taps.values() for tap in of_phase if tap >= 0]
        return np.array(taps, dtype=np.intp)[:, None]

    def columns(self, lanes: int) -> int:
        """Return the positions that so many places read; see `LaidOut`."""
        return min(lanes + self._reading.span - 1, self._reading.source)

    def places(self, lanes: Range) -> Range:
        """Return the positions on the source that a block reads; see `LaidOut`."""
        offsets, source = self._reading.offsets, self._reading.source
        start = min(max(lanes[0] + offsets[0], 0), source)
        return start, max(min(lanes[1] + offsets[-1], source), start)

    def margins(self, lanes: Range) -> tuple[int, int]:
        """Return how many positions a block reads before and after those that it loads."""
        offsets, (start, stop) = self._reading.offsets, self.places(lanes)
        return max(start - lanes[0] - offsets[0], 0), max(lanes[1] + offsets[-1] - stop, 0)

    def views(self, strides: Sequence[int]) -> Iterator[tuple[slice, int, int]]:
        """Yield the only copy; see `LaidOut`."""
        yield slice(None), 0, 0

    def add(self, lines: Array, sums: Array, lanes: Range) -> None:
        """Write the sums of lines ``(..., taps, rows, positions)`` to ``(..., phases, rows, places)``.

        The products stand on the lines between the margins, which are zeroed.
        """
        start, stop = self.places(lanes)
        before, _ = self.margins(lanes)
        lines[..., :before] = 0
        lines[..., before + stop - start :] = 0
        for phase, (offsets, rows) in enumerate(self._by_phase()):
            first = (
                rows.start * (lines.strides[-3] // lines.itemsize) + before + lanes[0] + offsets[0] - start
            )
            products = moved(lines, [len(offsets)], [spacing(offsets)], first, lanes[1] - lanes[0])
            products.sum(axis=-3, out=sums[..., phase, :, :])

    def spread(self, sums: Array, products: Array, lanes: Range) -> None:
        """Write to each product ``(..., taps, rows, positions)`` what it is added to, or zero."""
        products[...] = 0
        start, stop = self.places(lanes)
        for phase, (offsets, rows) in enumerate(self._by_phase()):
            for number, offset in zip(rows, offsets, strict=True):
                low, high = max(start, lanes[0] + offset), min(stop, lanes[1] + offset)
                if low < high:
                    added_to = slice(low - offset - lanes[0], high - offset - lanes[0])
                    products[..., number, :, low - start : high - start] = sums[..., phase, :, added_to]

    def _by_phase(self) -> Iterator[tuple[list[int], range]]:
        """Yield the offsets of each phase, and the numbers of their rows."""
        begin = 0
        for offsets in self._offsets:
            yield offsets, range(begin, begin := begin + len(offsets))
