"""Overlap-add of the products of several taps at once: one sum over a strided view of them.

The product of a tap is added as one long line, moved by the tap's offset. Seen each from where it is added,
the products of all taps are one array, which is summed over its axes of taps.
"""

from collections.abc import Iterator, Sequence
from math import prod
from typing import Any

from convops._arrays import Array
from convops.apply._blocks import strided
from convops.apply._reading import Reading


def moved(lines: Array, counts: Sequence[int], steps: Sequence[int], first: int, size: int) -> Array:
    """Return a view of lines ``(..., *taps, rows, positions)`` of which each is seen from elsewhere.

    `size` positions are seen of the first `counts` taps, from `first` on, counted in memory, and by `step`
    positions later per tap.
    """
    *stacked, _, _ = lines.shape
    before = len(stacked) - len(counts)
    itemsize = lines.itemsize
    by_tap = [stride + step * itemsize for stride, step in zip(lines.strides[before:-2], steps, strict=True)]
    return strided(
        lines,
        (*stacked[:before], *counts, lines.shape[-2], size),
        (*lines.strides[:before], *by_tap, *lines.strides[-2:]),
        first * itemsize,
    )


def spacing(offsets: Sequence[int]) -> int:
    """Return how far apart offsets lie that are evenly spaced."""
    return offsets[1] - offsets[0] if len(offsets) > 1 else 0


def rows_match(readings: Sequence[Reading]) -> bool:
    """Return whether neighbours read neighbours, and all axes but the first are as long as the source's."""
    return all(reading.step == 1 for reading in readings) and all(
        reading.places == reading.source for reading in readings[1:]
    )


class Overlap:
    """How products of rows `start` to `stop` of the source are added, all axes in one line; rows must match.

    `offsets` are those of the taps on each axis, evenly spaced. The products lie `before` positions from the
    beginning of lines of `pitch` positions, so that what is seen of a moved line lies on it.
    """

    def __init__(
        self, readings: Sequence[Reading], offsets: Sequence[Sequence[int]], start: int, stop: int
    ) -> None:
        first, *inner = readings
        self._height = stop - start
        self._inner = [reading.source for reading in inner]
        self._offsets = offsets
        distances = [prod(self._inner[axis:]) for axis in range(len(readings))]
        self._across = distances[0]
        low = min(max(start - offsets[0][-1], 0), first.places)
        high = max(min(stop - offsets[0][0], first.places), low)
        self.places = slice(low, high)
        """The rows of the result that these products are added to."""
        self.whole = high - low == first.places
        """Whether they are all rows."""
        self._counts = [len(of_axis) for of_axis in offsets]
        self._steps = [
            spacing(of_axis) * distance for of_axis, distance in zip(offsets, distances, strict=True)
        ]
        least, most = [
            (low - start) * self._across
            + sum([of_axis[end] * distance for of_axis, distance in zip(offsets, distances, strict=True)])
            for end in (0, -1)
        ]
        self._size = (high - low) * self._across
        self.before = max(-least, 0)
        self.pitch = self.before + max(self._height * self._across, most + self._size)
        self._first = self.before + least

    def inside(self, lines: Array) -> Array:
        """Return where on lines, on the last axis, the products are to be written."""
        return lines[..., self.before : self.before + self._height * self._across]

    def add(self, lines: Array, sums: Array, fresh: bool) -> None:
        """Add up lines ``(items, groups, blocks, *taps, channels, pitch)``.

        The sums are ``(items, groups, blocks, channels, *places)``; they are overwritten if they are `fresh`.
        """
        for zeros in self._zeros(lines):
            zeros[...] = 0
        over = tuple(range(3, 3 + len(self._counts)))
        products = moved(lines, self._counts, self._steps, self._first, self._size)
        target = sums[:, :, :, :, self.places]
        if fresh:
            products.sum(axis=over, out=target.reshape(*target.shape[:4], -1))
        else:
            target += products.sum(axis=over).reshape(target.shape)

    def _zeros(self, lines: Array) -> Iterator[Array]:
        """Yield views of what must be zero: beyond the products, and what moves round the end of a row."""
        products = self.inside(lines)
        yield lines[..., : self.before]
        yield lines[..., self.before + products.shape[-1] :]
        products = products.reshape(*products.shape[:-1], self._height, *self._inner)
        tap, row = 3, 4 + len(self._counts)
        for axis, size in enumerate(self._inner, start=1):
            for number, offset in enumerate(self._offsets[axis]):
                if offset:
                    index: list[Any] = [slice(None)] * products.ndim
                    index[tap + axis] = number
                    index[row + axis] = slice(0, offset) if offset > 0 else slice(max(size + offset, 0), size)
                    yield products[tuple(index)]
