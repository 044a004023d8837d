"""Which tiles the transforms of a convolution have, by what they cost."""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from convops._axis import Axis
from convops.apply._tiles import (
    Line,
    Tile,
    line_of,
    may_be_circular,
    operations,
    tile_of_length,
    tiles_of,
    whole_tile,
)
from convops.apply.cost import BORDER, Cost
from convops.geometry import ConvGeometry

PIECE = 2**20
"""Bytes of spectra that are worked on at a time, so that they stay in the second-level cache."""
_CLEARLY = 0.85
"""How much less tiles must cost that are short on all axes to be taken: the model errs more on them."""
_SMALL = 2**12
"""Elements below which one tile is taken without looking for a better one."""
_FEW = 64
"""Pairs of channels from which a matrix product for each frequency is faster than adding up products."""
_WIDE = 8
"""Tiles from which a matrix product for each frequency is faster than one for each tile and frequency."""

_RATE = {4: 25e9, 8: 18e9}
"""Operations a second, by bytes of a real: 2.5 n log2 n of a real transform, 5 n log2 n of a complex one."""
_LINE = 7e-9
"""Seconds that each line of a transform adds."""
_REGISTER = 16
"""Bytes of as many lines as are transformed at once; those left over take 1 + `_ODD` times as long."""
_ODD = 1.2
_LONG = 1600
"""Reals of a line beyond which as many as are transformed at once leave the first-level cache."""
_SLOWER = 1.25
_NEAR = 18e9
"""Bytes a second that transforms read and write within the cache."""
_PRODUCT = 30e9
"""Bytes a second of products of two spectra, each read and written once."""
_FAR = 21e9
"""Bytes a second that transforms across rows do where pieces have `_LARGE` bytes, and beyond as the root."""
_LARGE = 3 * 2**19
_MATRIX_RATE = {4: 84e9, 8: 42e9}
"""Operations a second of the small matrix products that mix channels."""
_MATRIX_BYTES = 17e9
"""Bytes a second that these products read of the weight's spectrum."""
_MATRIX = 30e-9, 200e-9
"""Seconds that each of them adds: of a matrix by a vector, by a matrix."""
_TURN = 10e9
"""Bytes a second that are turned from frequencies last to frequencies first, or back."""
_CALL = 3e-6
"""Seconds that each call of a transform adds."""
_UNSHARED = 0.3
"""How much more, over their number, several pieces take: threads share them unevenly."""
_WHOLE = 0.1
"""How much a single piece takes more, whose transforms take threads one by one."""
_ONCE = 5e-6
"""Seconds that an application takes by Python, whatever its pieces."""
_ROUND = 13e-6
"""Seconds that each piece adds, by Python; one of several tiles `_STACKED` more."""
_STACKED = 10e-6


class Plan(NamedTuple):
    """The tiles per axis, and how many are worked on at a time."""

    lines: tuple[Line, ...]
    tiles: tuple[Tile, ...]
    lane: int
    """The axis that has several tiles in a piece."""
    stack: int
    groups: int
    rows: int
    """Channels out of each group, and `columns`: channels and phases into it."""
    columns: int
    dtype: np.dtype[Any]
    piece: int
    """Bytes of the spectra of one group of a stack of tiles."""
    pieces: int
    cost: Cost
    """Of one batch item, as `pieces` are."""

    @property
    def real(self) -> bool:
        """Whether the arrays are real."""
        return self.dtype.kind != "c"

    @property
    def price(self) -> float:
        """Seconds, and some more for a plan whose pieces are too few to share evenly among threads."""
        return self.cost.seconds * (1 + (_UNSHARED / self.pieces if self.pieces > 1 else _WHOLE))

    @property
    def matrices(self) -> bool:
        """Whether channels are mixed by a matrix product for each frequency."""
        return _mixed_by_matrices(self.rows, self.columns)

    @property
    def frequencies(self) -> tuple[int, ...]:
        """Sizes of the spectrum of a tile."""
        return frequencies_of(self.tiles, self.real)


def frequencies_of(tiles: Sequence[Tile], real: bool) -> tuple[int, ...]:
    """Return the sizes of the spectrum of a tile; half of the last axis tells all of real data."""
    *outer, last = [tile.length for tile in tiles]
    return (*outer, last // 2 + 1 if real else last)


@lru_cache(8)
def plan_of(geometry: ConvGeometry, dtype: np.dtype[Any], lengths: tuple[int, ...] = ()) -> Plan:
    """Return the plan that costs least, or the one whose tiles have `lengths`, 0 for one tile."""
    real = dtype.kind != "c"
    last = len(geometry.axes) - 1
    problem = _Channels(
        geometry.groups,
        geometry.out_channels // geometry.groups,
        geometry.in_channels // geometry.groups,
        dtype,
    )
    if lengths:
        return _planned([_forced(*pair) for pair in zip(geometry.axes, lengths, strict=True)], problem)
    whole = [_whole(axis, real and number == last) for number, axis in enumerate(geometry.axes)]
    plan = _planned(whole, problem)
    if prod([tile.length for tile in plan.tiles]) <= _SMALL:
        return plan
    choices = [
        [first, *_tilings(axis, real and number == last)]
        for number, (axis, first) in enumerate(zip(geometry.axes, whole, strict=True))
    ]
    plan = _improved(whole, choices, problem)
    # Shorter tiles on one axis alone may cost more where shorter ones on all cost less.
    alike = [
        [of_axis[min(size, len(of_axis) - 1)] for of_axis in choices]
        for size in range(max(map(len, choices)))
    ]
    prices = [_planned(choice, problem).price for choice in alike]
    if min(prices) < plan.price:
        best = alike[prices.index(min(prices))]
        other = _improved(best, choices, problem)
        if other.price < _CLEARLY * plan.price:
            return other
    return plan


def _improved(
    best: list[tuple[Line, Tile]], choices: list[list[tuple[Line, Tile]]], channels: "_Channels"
) -> Plan:
    """Return the plan that costs least of those found by changing one axis at a time."""
    plan, before, best = _planned(best, channels), None, list(best)
    while plan is not before:
        before = plan
        for number, of_axis in enumerate(choices):
            for choice in of_axis:
                if choice is best[number]:
                    continue
                trial = _planned([*best[:number], choice, *best[number + 1 :]], channels)
                if trial.price < plan.price:
                    plan, best[number] = trial, choice
    return plan


def _whole(axis: Axis, halved: bool) -> tuple[Line, Tile]:
    line = line_of(axis, may_be_circular(axis, halved))
    return line, whole_tile(line, halved)


def _tilings(axis: Axis, halved: bool) -> list[tuple[Line, Tile]]:
    line = line_of(axis, False)
    return [(line, tile) for tile in tiles_of(line, halved)]


def _forced(axis: Axis, length: int) -> tuple[Line, Tile]:
    line = line_of(axis, False)
    return (line, tile_of_length(line, length)) if length else _whole(axis, True)


def _mixed_by_matrices(rows: int, columns: int) -> bool:
    return rows * columns >= _FEW and min(rows, columns) >= 4


class _Channels(NamedTuple):
    groups: int
    rows: int
    columns: int
    dtype: np.dtype[Any]


class _Pass(NamedTuple):
    lines: int
    length: int
    halved: bool
    strided: bool


def _planned(choice: list[tuple[Line, Tile]], channels: _Channels) -> Plan:
    """Return the plan with these tiles, and its cost."""
    lines, tiles = zip(*choice, strict=True)
    groups, rows, columns, dtype = channels
    real = dtype.kind != "c"
    itemsize = _itemsize(dtype)
    columns *= prod([len(line.phases) for line in lines])
    counts = [1 if tile.whole else -(-line.outputs // tile.step) for line, tile in choice]
    lane = counts.index(max(counts))
    spectra = prod(frequencies_of(tiles, real)) * (rows + columns) * 2 * itemsize
    stack = max(min(PIECE // spectra, counts[lane]), 1)
    if _mixed_by_matrices(rows, columns) and stack < _WIDE:
        stack = 1
    nothing = Cost(0.0, 0.0, 0.0)
    plan = Plan(lines, tiles, lane, stack, groups, rows, columns, dtype, spectra * stack, 0, nothing)
    return _costed(plan, counts)


def _passes(plan: Plan) -> Iterator[_Pass]:
    """Yield the transforms of one tile: into spectra from the last axis on, and back from the first."""
    last = len(plan.tiles) - 1
    sizes = plan.frequencies
    extents = [
        line.read if tile.whole else tile.length for line, tile in zip(plan.lines, plan.tiles, strict=True)
    ]
    for number in range(last, -1, -1):
        extents[number] = 1
        halved = plan.real and number == last
        yield _Pass(plan.columns * prod(extents), plan.tiles[number].length, halved, number < last)
        extents[number] = sizes[number]
    for number, (line, tile) in enumerate(zip(plan.lines, plan.tiles, strict=True)):
        extents[number] = 1
        halved = plan.real and number == last
        yield _Pass(plan.rows * prod(extents), tile.length, halved, number < last)
        extents[number] = line.outputs if tile.whole else tile.step


def _itemsize(dtype: np.dtype[Any]) -> int:
    """Return the bytes of a real number."""
    return dtype.itemsize // 2 if dtype.kind == "c" else dtype.itemsize


def _costed(plan: Plan, counts: list[int]) -> Plan:
    """Return a plan with what one batch item takes, in `counts` tiles per axis."""
    itemsize = _itemsize(plan.dtype)
    spectrum = prod(plan.frequencies) * 2 * itemsize
    groups = min(max(PIECE // plan.piece, 1), plan.groups)
    flops = nbytes = seconds = 0.0
    for lines, length, halved, strided in _passes(plan):
        together = lines * plan.stack * groups
        odd = _ODD * (together % (_REGISTER // itemsize)) / max(together, 1)
        work = operations(length) / (2 if halved else 1) * lines
        moved = 2 * lines * length * itemsize * (1 if halved else 2)
        rate = _FAR * (_LARGE / plan.piece) ** 0.5 if strided and plan.piece > _LARGE else _NEAR
        slower = _SLOWER if length * (1 if halved else 2) > _LONG else 1.0
        seconds += work / _RATE[itemsize] * (slower + odd) + lines * _LINE + moved / rate
        flops += work
        nbytes += moved
    pairs = plan.rows * plan.columns
    products = 8 * pairs * prod(plan.frequencies)
    if plan.matrices:
        seconds += prod(plan.frequencies) * _MATRIX[plan.stack > 1] / plan.stack
        seconds += products / _MATRIX_RATE[itemsize] + pairs * spectrum / plan.stack / _MATRIX_BYTES
        seconds += (plan.rows + plan.columns) * spectrum / _TURN
    else:
        seconds += 3 * pairs * spectrum / _PRODUCT
    tiles = prod(counts) * plan.groups
    lane = plan.tiles[plan.lane]
    full = 1 if lane.whole else plan.lines[plan.lane].outputs // lane.step
    stacks = -(-full // plan.stack) + counts[plan.lane] - full
    pieces = prod(counts) // counts[plan.lane] * stacks * -(-plan.groups // groups)
    overhead = 2 * len(counts) * _CALL + _ROUND + (_STACKED if plan.stack > 1 else 0)
    nbytes += 3 * pairs * spectrum
    seconds = seconds * tiles + pieces * overhead + _ONCE
    cost = _with_copies(plan, Cost((flops + products) * tiles, nbytes * tiles, seconds))
    return plan._replace(pieces=pieces, cost=cost)


def _with_copies(plan: Plan, cost: Cost) -> Cost:
    """Return a cost with that of copying samples that are taken in steps, and an extension."""
    channels = plan.groups * plan.columns // prod([len(line.phases) for line in plan.lines])
    sizes, last = [line.size for line in plan.lines], plan.lines[-1]
    if last.stride > 1:
        read = channels * prod(sizes) * len(last.phases) / last.stride
        cost = cost.plus_steps(read, last.size / last.stride, plan.dtype)
    if any(line.extended for line in plan.lines):
        cost = cost.plus_extension(channels, sizes, plan.dtype)
        cost = cost._replace(seconds=cost.seconds + BORDER * len(sizes))
    return cost
