"""Blocks of a result: what they read of the source, and how they are written."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import product
from math import gcd, prod
from typing import Any, NamedTuple, TypeVar

import numpy as np

from convops._arrays import Array
from convops.apply._reading import Reading

Range = tuple[int, int]
Step = TypeVar("Step")

_LINE = 64
"""Bytes of a cache line, at which scratch arrays begin: products of unaligned ones take a quarter longer."""
_FEW = 4096
"""Elements that are filled with zeros faster than their margins are found."""

_KEPT = 2**24
"""Bytes in one piece that glibc must have been given back once, to keep as many for what comes next."""
_SIZES = 8
"""Sizes of batches whose steps are remembered."""


class Block(NamedTuple):
    """A part of the result: ranges of batch items, of groups, and of places m per axis."""

    batch: Range
    group: Range
    places: tuple[Range, ...]

    @property
    def counts(self) -> tuple[int, ...]:
        """Number of places per axis."""
        return tuple([stop - start for start, stop in self.places])


class Scratch:
    """Arrays that the blocks of one thread use in turn, each under its own name.

    They are cut from one piece of memory: the C library keeps one large piece for the next call, but gives
    several back to the system, and every page of them costs a fault the next time. The piece must be large
    enough for all arrays of any one block.
    """

    def __init__(self, dtype: np.dtype[Any], elements: int) -> None:
        self._line = _LINE // dtype.itemsize
        room = np.empty(elements + 8 * self._line, dtype)
        address = room.__array_interface__["data"][0]
        self._room = room[-address % _LINE // dtype.itemsize :]
        self._used = 0
        self._arrays: dict[str, Array] = {}

    def clear(self) -> None:
        """Forget the arrays, before each block: those of the next one may be larger, and find room again."""
        self._used = 0
        self._arrays.clear()

    def array(self, name: str, shape: Sequence[int]) -> Array:
        """Return an uninitialised C-contiguous array of that shape, the same memory for the same name."""
        size = prod(shape)
        flat = self._arrays.get(name)
        if flat is None or flat.size < size:
            flat = self._room[self._used : self._used + size]
            if flat.size < size:
                flat = np.empty(size, self._room.dtype)
            else:
                self._used += -(-size // self._line) * self._line
            self._arrays[name] = flat
        return flat[:size].reshape(shape)


def keep_freed_memory() -> None:
    """Let the C library keep the memory that a call gives back for the next one.

    At first glibc returns pieces beyond some 128 KiB to the system. Each page that is taken again costs a
    fault, and all faults together more time than the products.
    """
    np.empty(_KEPT, np.uint8)


def ranges(count: int, most: int) -> list[Range]:
    """Cut ``range(count)`` into as few ranges of about the same length as `most` allows."""
    pieces = -(-count // max(most, 1))
    return [(count * n // pieces, count * (n + 1) // pieces) for n in range(pieces)]


def strided(base: Array, shape: Sequence[int], strides: Sequence[int], offset: int = 0) -> Array:
    """Return a view on a contiguous array; what `as_strided` does, at a tenth of its overhead."""
    return np.ndarray(shape, base.dtype, base, offset, strides)


def remembered(
    known: dict[tuple[int, ...], list[Step]], make: Callable[..., Iterable[Step]], *sizes: int
) -> list[Step]:
    """Return what `make` yields for a batch's sizes, made once.

    All are forgotten when there are many: batches come in few sizes, or in any.
    """
    steps = known.get(sizes)
    if steps is None:
        if len(known) >= _SIZES:
            known.clear()
        steps = known[sizes] = list(make(*sizes))
    return steps


def contiguous(shape: Sequence[int], itemsize: int) -> tuple[int, ...]:
    """Return the strides of a C-contiguous array."""
    strides = [itemsize]
    for size in reversed(shape[1:]):
        strides.insert(0, strides[0] * size)
    return tuple(strides)


class Reads(NamedTuple):
    """What a block reads of the source, zeros beyond its ends included, the last axis split by ``step``.

    The shape is ``(batch, groups, channels, *positions, step, positions // step)``: positions that one
    place reads lie next to those that its neighbours read.
    """

    shape: tuple[int, ...]
    source: Any
    """Index of what lies within the source."""
    margins: list[Any]
    """Indices of what does not."""
    pieces: list[tuple[Any, Any]]
    """Indices into the result, each with one into what lies within the source."""

    def load(self, source: Array, loaded: Array) -> Array:
        """Return `loaded`, of that shape, with what the block reads copied there."""
        for margin in self.margins:
            loaded[margin] = 0
        source = source[self.source]
        for target, piece in self.pieces:
            loaded[target] = source[piece]
        return loaded


def within(low: int, size: int, source: int) -> tuple[slice, slice]:
    """Return which of `size` positions from `low` on lie on the source, and where they lie on it."""
    begin = min(max(-low, 0), size)
    end = max(min(source - low, size), begin)
    return slice(begin, end), slice(low + begin, low + end) if end > begin else slice(0, 0)


def reads(readings: Sequence[Reading], channels: int, block: Block) -> Reads:
    """Return what a block reads."""
    *leading, lane = readings
    start, stop = block.places[-1]
    low, size = lane.step * start + lane.offsets[0], lane.step * (stop - start - 1) + lane.span
    if lane.step == 1:
        return _rows(leading, lane.source, [low], size, channels, block)
    inside, read = within(low, size, lane.source)
    sizes, targets, source = _before(leading, channels, block)
    pieces: list[tuple[Any, Any]] = []
    for remainder in lane.remainders:
        first = -(-(inside.start - remainder) // lane.step)
        count = len(range(remainder + lane.step * first, inside.stop, lane.step))
        target = (..., *targets, remainder, slice(first, first + count))
        pieces.append((target, (..., slice(remainder + lane.step * first - inside.start, None, lane.step))))
    return Reads((*sizes, lane.step, -(-size // lane.step)), (*source, read), [...], pieces)


def offset_reads(readings: Sequence[Reading], channels: int, block: Block) -> Reads:
    """Return what a block reads, one row of places per offset of the last axis, whose step is 1.

    The shape is ``(batch, groups, channels, *positions, offsets, places)``.
    """
    *leading, lane = readings
    start, stop = block.places[-1]
    lows = [start + offset for offset in lane.offsets]
    return _rows(leading, lane.source, lows, stop - start, channels, block)


def _rows(
    leading: Sequence[Reading], source: int, lows: Sequence[int], size: int, channels: int, block: Block
) -> Reads:
    """Return the reads of `size` positions from each of `lows` on, side by side."""
    sizes, targets, index = _before(leading, channels, block)
    shape = (*sizes, len(lows), size)
    margins: list[Any] = []
    for number, (count, inside) in enumerate(zip(sizes[3:], targets, strict=True)):
        before = (slice(None),) * (3 + number)
        margins += [(*before, beyond) for beyond in _beyond(inside, count)]
    pieces: list[tuple[Any, Any]] = []
    for number, low in enumerate(lows):
        inside, read = within(low, size, source)
        margins += [(..., number, beyond) for beyond in _beyond(inside, size)]
        pieces.append(((..., *targets, number, inside), (..., read)))
    if margins and prod(shape) < _FEW:
        margins = [...]
    return Reads(shape, (*index, slice(None)), margins, pieces)


def _before(
    leading: Sequence[Reading], channels: int, block: Block
) -> tuple[list[int], list[slice], tuple[slice, ...]]:
    """Return the sizes of all axes but the last, what of the leading ones lies on the source, and where."""
    sizes = [block.batch[1] - block.batch[0], block.group[1] - block.group[0], channels]
    targets, sources = [], [slice(*block.batch), slice(*block.group), slice(None)]
    for reading, (start, stop) in zip(leading, block.places[:-1], strict=True):
        size = reading.step * (stop - start - 1) + reading.span
        inside, read = within(reading.step * start + reading.offsets[0], size, reading.source)
        sizes.append(size)
        targets.append(inside)
        sources.append(read)
    return sizes, targets, tuple(sources)


def _beyond(inside: slice, size: int) -> list[slice]:
    """Return the parts of `size` positions before and after those inside, if there are any."""
    return [part for part in (slice(0, inside.start), slice(inside.stop, size)) if part.start < part.stop]


def offset_views(strides: Sequence[int], reading: Reading) -> Iterator[tuple[slice, int, int]]:
    """Yield, for offsets of the last axis that lie evenly, where they begin in memory and their stride.

    The strides are those of a loaded source.
    """
    step, offsets = reading.step, reading.offsets
    by_phase, by_column = strides[-2:]
    classes = min(step // gcd(step, offsets.step), len(offsets))
    for first in range(classes):
        column, phase = divmod(first * offsets.step, step)
        start = phase * by_phase + column * by_column
        yield slice(first, None, classes), start, classes * offsets.step // step * by_column


def store(values: Array, out: Array, readings: Sequence[Reading], block: Block) -> None:
    """Write the block's values, of axes ``(batch, groups, rows, *places, *phases that have any)``."""
    target = out[slice(*block.batch), slice(*block.group)]
    for place, kept in _places(readings, block):
        target[place] = values[kept]


def fetch(values: Array, result: Array, readings: Sequence[Reading], block: Block) -> None:
    """Read what `store` writes; zeros where tiles reach beyond the result."""
    values[...] = 0
    source = result[slice(*block.batch), slice(*block.group)]
    for place, kept in _places(readings, block):
        values[kept] = source[place]


def _places(readings: Sequence[Reading], block: Block) -> Iterator[tuple[Any, Any]]:
    """Yield where each phase of a block lies in the result, and where among the block's values."""
    for chosen in product(*[enumerate(reading.taps) for reading in readings]):
        place: list[Any] = [...]
        kept: list[Any] = [...]
        for reading, (_, phase), (start, stop) in zip(readings, chosen, block.places, strict=True):
            places = range(phase, reading.size, reading.phases)[start:stop]
            place.append(slice(places.start, places.stop, places.step))
            kept.append(slice(len(places)))
        yield tuple(place), tuple(kept + [number for number, _ in chosen])
