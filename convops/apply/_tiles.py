"""One axis as circular transforms see it: its phases, its tiles, and what each reads and writes.

Of ``q = stride * p + dilation * k - before``, tap k reads position ``p + shift`` of one of `stride` phases,
where ``phase, shift`` are remainder and quotient of ``dilation * k - before`` by the stride: the convolution
is one of stride 1 that reads a channel per phase, and no transform is longer than what it is for. A circular
product of length T then gives ``T - span + 1`` places at a time (overlap-save: Oppenheim and Schafer,
"Discrete-Time Signal Processing", section 8.7), in the adjoint as well, whose taps read backwards.
"""

from collections.abc import Iterator
from functools import lru_cache
from itertools import product
from math import log2
from typing import Any, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray
from scipy.fft import next_fast_len

from convops._arrays import Array
from convops._axis import Axis

BATCH, STACK, GROUP, CHANNEL = range(4)
"""Axes before the spatial ones of what is transformed; STACK counts tiles that are transformed together."""
SPATIAL = 4
_SLOWER = {2: 1.0, 3: 1.2, 5: 1.2, 7: 1.3, 11: 1.6}
"""How much longer a factor of the length takes than its logarithm tells."""

_SHORTER = 1.4
"""How much shorter the next tile is that may be chosen."""


class Line(NamedTuple):
    """An axis without its boundary: zeros past the ends, or a period."""

    size: int
    """Samples, those of the extension included."""
    outputs: int
    stride: int
    phases: tuple[int, ...]
    phase_of: NDArray[np.intp]
    """The number of its phase for each tap; `shift_of` is its shift."""
    shift_of: NDArray[np.intp]
    first: int
    last: int
    """Least and greatest shift."""
    circular: bool
    extended: bool
    """Whether the samples are those of an extension that is written out."""

    @property
    def span(self) -> int:
        """Positions of a phase that an output reads."""
        return self.last - self.first + 1

    @property
    def sizes(self) -> list[int]:
        """Samples of each phase."""
        return [max(-(-(self.size - phase) // self.stride), 0) for phase in self.phases]

    @property
    def read(self) -> int:
        """Samples of a phase, from the first, that the outputs read, at most; one circle holds no others."""
        return max(self.sizes) if self.circular else min(max(self.sizes), max(self.outputs + self.last, 0))


class Tile(NamedTuple):
    """A circular product along one axis."""

    length: int
    step: int
    """Places that it gives, of the result of either direction."""
    whole: bool
    """Whether it is the only one, and zeros past the ends, or the period, close the circle."""


class Chunk(NamedTuple):
    """Neighbouring tiles of one axis that are loaded and stored together."""

    tiles: int
    length: int
    """Positions that the tiles read."""
    source: slice
    """What is read of the source, and per phase the index of it, and where it lies among the positions."""
    reads: tuple[tuple[Any, slice], ...]
    plain: bool
    """Whether there is nothing to do but read: no phases, no zeros but at the end of one tile."""
    kept: Any
    """Index of the places of a circular product that are wanted."""
    writes: tuple[tuple[slice, int], ...]
    """Per phase of the result: where they go, and how many of each tile."""


def line_of(axis: Axis, circular: bool) -> Line:
    """Return an axis as a period if `circular`, else with its extension as samples."""
    size, before = axis.size, axis.before
    extended = axis.boundary != "zeros" and not circular and axis.before + axis.after > 0
    if extended:
        size, before = axis.before + size + axis.after, 0
    places = axis.dilation * np.arange(axis.kernel) - before
    if circular:
        places %= size
    shift_of, phase_of = np.divmod(places, axis.stride)
    phases = [0]
    if axis.stride > 1:
        present, phase_of = np.unique(phase_of, return_inverse=True)
        phases = present.tolist()
    outputs = min(axis.out_size, size // axis.stride) if circular else axis.out_size
    first, last = int(shift_of.min()), int(shift_of.max())
    return Line(
        size, outputs, axis.stride, tuple(phases), phase_of, shift_of, first, last, circular, extended
    )


def may_be_circular(axis: Axis, real: bool) -> bool:
    """Return whether the period of an axis is a length that transforms fast and the stride divides."""
    if axis.boundary != "wrap" or axis.size % axis.stride:
        return False
    period = axis.size // axis.stride
    return bool(next_fast_len(period, real=real) == period)


def whole_tile(line: Line, real: bool) -> Tile:
    """Return the one tile of an axis."""
    if line.circular:
        period = line.size // line.stride
        return Tile(period, period, True)
    # A read before the samples comes from the far end of the circle, which must be zero there; a read past
    # the last sample must not come round to the first.
    length = max(line.read - min(line.first, 0), line.outputs + line.last, line.outputs)
    return Tile(fast_length(length, real), 0, True)


def tile_of_length(line: Line, length: int) -> Tile:
    """Return one of several tiles."""
    return Tile(length, length - line.span + 1, False)


def tiles_of(line: Line, real: bool) -> list[Tile]:
    """Return tiles to choose from: the whole, then shorter ones that divide the outputs evenly."""
    tiles = [whole_tile(line, real)]
    length = tiles[0].length
    while not line.circular and length > line.span + 8:
        length = int(length / _SHORTER)
        count = -(-line.outputs // max(length - line.span + 1, 1))
        even = fast_length(-(-line.outputs // count) + line.span - 1, real)
        if line.span + 8 <= even < tiles[-1].length:
            tiles.append(tile_of_length(line, even))
    return tiles


@lru_cache(4096)
def fast_length(least: int, real: bool) -> int:
    """Return the length of at least `least`, and hardly more, that transforms fastest."""
    length = best = int(next_fast_len(max(least, 1), real=real))
    while (length := next_fast_len(length + 1, real=real)) <= 1.08 * least:
        best = min(best, length, key=operations)
    return best


@lru_cache(4096)
def operations(length: int) -> float:
    """Return what a complex transform takes, in the time of an operation of one whose length is 2ⁿ."""
    rest, steps = length, 0.0
    for factor, slower in _SLOWER.items():
        while rest % factor == 0:
            rest //= factor
            steps += slower * log2(factor)
    return 5.0 * length * steps


def positions_of(line: Line, tile: Tile) -> NDArray[np.intp]:
    """Return where each tap stands on the circle."""
    return line.shift_of % tile.length if tile.whole else line.shift_of - line.first


def skipped(line: Line, tile: Tile, adjoint: bool) -> int:
    """Return how many places of a circular product are not wanted before those that are."""
    return line.span - 1 if adjoint and not tile.whole else 0


def chunks_of(line: Line, tile: Tile, adjoint: bool, most: int, after: int) -> list[Chunk]:
    """Return the chunks of one direction, of up to `most` tiles; `after` axes follow this one."""
    most_read = line.read if tile.whole else max(line.sizes)
    split = [(phase, min(size, most_read)) for phase, size in zip(line.phases, line.sizes, strict=True)]
    single = [(0, line.outputs)]
    source, result = (single, split) if adjoint else (split, single)
    by_source, by_result = (1, line.stride) if adjoint else (line.stride, 1)
    trailing = (slice(None),) * after
    lengths = [size for _, size in result]
    if tile.whole:
        step, first = tile.length, 0
        tiles_in_all = full = 1
    else:
        step, first = tile.step, -line.last if adjoint else line.first
        tiles_in_all, full = -(-max(lengths) // step), min(lengths) // step
    skip = skipped(line, tile, adjoint)
    chunks, start = [], 0
    while start < tiles_in_all:
        tiles = max(min(most, full - start), 1)
        low, length = start * step + first, (tiles - 1) * step + tile.length
        reads, writes = [], []
        for phase, size in source:
            begin = min(max(low, 0), size)
            end = max(min(low + length, size), begin)
            place = slice(begin - low, end - low) if end > begin else slice(0, 0)
            reads.append((_strided(phase, begin, end, by_source), place))
        for phase, size in result:
            begin = min(start * step, size)
            end = min(begin + tiles * step, size)
            writes.append((_strided(phase, begin, end, by_result), step if tiles > 1 else end - begin))
        kept = (..., slice(skip, skip + max(count for _, count in writes)), *trailing)
        whole = _enclosing([index for index, _ in reads])
        inside = [((..., _moved(index, -whole.start), *trailing), place) for index, place in reads]
        plain = tiles == len(reads) == by_source == 1 and not reads[0][1].start
        chunks.append(Chunk(tiles, length, whole, tuple(inside), plain, kept, tuple(writes)))
        start += tiles
    return chunks


def load(x: Array, axis: int, chunk: Chunk, tile: Tile) -> Array:
    """Return the positions that the tiles of a chunk read, of one axis; phases become channels."""
    index, place = chunk.reads[0]
    if len(chunk.reads) > 1 or place.start or place.stop < chunk.length:
        x = _on_zeros(x, axis, chunk)
    else:
        x = x[index]
    if chunk.tiles == 1:
        return x
    shape, strides = list(x.shape), list(x.strides)
    shape[STACK], shape[axis] = chunk.tiles, tile.length
    strides[STACK] = tile.step * strides[axis]
    return as_strided(x, shape, strides, writeable=False)


def store(values: Array, out: Array, chunks: tuple[Chunk, ...], channels: int) -> None:
    """Write the values of tiles to a part ``(batch, groups, channels, *places)`` of the result."""
    for count, (target, inside) in enumerate(_written(out, chunks)):
        rows = values[:, :, :, count * channels : (count + 1) * channels]
        target[...] = rows[inside]


def written(out: Array, chunks: tuple[Chunk, ...]) -> Array:
    """Return a view of what tiles without phases write: ``(batch, stack, groups, channels, *places)``."""
    ((target, _),) = _written(out, chunks)
    return target


def _written(out: Array, chunks: tuple[Chunk, ...]) -> Iterator[tuple[Array, Any]]:
    """Yield, for each choice of phases, what the tiles write of it, and which of their places go there."""
    stacked = [number for number, chunk in enumerate(chunks) if chunk.tiles > 1]
    for writes in product(*[chunk.writes for chunk in chunks]):
        place: Any = (..., *[where for where, _ in writes])
        target = out[place]
        if stacked:
            axis = SPATIAL - 1 + stacked[0]
            shape, step = target.shape, writes[stacked[0]][1]
            target = target.reshape(*shape[:axis], shape[axis] // step, step, *shape[axis + 1 :])
            target = np.moveaxis(target, axis, STACK)
        else:
            target = target[:, None]
        yield target, (..., *[slice(kept) for _, kept in writes])


def _strided(phase: int, begin: int, end: int, stride: int) -> slice:
    """Return the slice of an axis that holds the places `begin` to `end` of a phase."""
    if end <= begin:
        return slice(0, 0)
    return slice(phase + stride * begin, phase + stride * (end - 1) + 1, stride)


def _enclosing(slices: list[slice]) -> slice:
    """Return the slice that holds all that are not empty."""
    some = [piece for piece in slices if piece.stop > piece.start] or [slice(0, 0)]
    return slice(min(piece.start for piece in some), max(piece.stop for piece in some))


def _moved(piece: slice, by: int) -> slice:
    return slice(piece.start + by, piece.stop + by, piece.step) if piece.stop > piece.start else piece


def _on_zeros(x: Array, axis: int, chunk: Chunk) -> Array:
    """Return the positions of all phases, as channels, with the zeros that a chunk reads."""
    shape = list(x.shape)
    channels = shape[CHANNEL]
    shape[CHANNEL] *= len(chunk.reads)
    shape[axis] = chunk.length
    region = np.zeros(shape, x.dtype)
    for number, (index, place) in enumerate(chunk.reads):
        rows = region[:, :, :, number * channels : (number + 1) * channels]
        rows[(slice(None),) * axis + (place,)] = x[index]
    return region
