"""Which tiles the transforms of a convolution have, by what they cost."""

from collections.abc import Iterator, Sequence
from math import log2, prod
from typing import Any, NamedTuple

import numpy as np

from convops._axis import Axis
from convops.apply._tiles import Line, Tile, line_of, may_be_circular, tile_of_length, tiles_of, whole_tile
from convops.apply.cost import Cost
from convops.geometry import ConvGeometry

PIECE = 2**20
"""Bytes of spectra that are worked on at a time, so that they stay in the second-level cache."""
_SMALL = 2**12
"""Elements below which one tile is taken without looking for a better one."""
_FEW = 64
"""Pairs of channels from which a matrix product for each frequency is faster than adding up products."""

_RATE = {4: 24e9, 8: 13.5e9}
"""Operations a second of real transforms, counted as 2.5 n log2 n, by bytes of a real number."""
_LINE = 14e-9
"""Seconds that each line of a transform adds."""
_VECTOR = 16
"""Bytes of the registers that take as many lines at a time; lines left over take `_ODD` times as long."""
_ODD = 2.2
_FAR = 6e9
"""Bytes a second that transforms across rows move beyond the cache."""
_COPY = 25e9
"""Bytes a second of copies and elementwise products."""
_FREQUENCY = 0.2e-6
"""Seconds that each matrix product of a frequency adds."""
_PRODUCT_RATE = 60e9
"""Operations a second of those matrix products, in float64."""
_CALL = 3e-6
"""Seconds that each transform adds, by Python."""
_ROUND = 10e-6
"""Seconds that each piece adds, by Python."""


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
    real: bool
    piece: int
    """Bytes of the spectra of one group of a stack of tiles."""
    cost: Cost
    """Of one batch item."""

    @property
    def matrices(self) -> bool:
        """Whether channels are mixed by a matrix product for each frequency."""
        return min(self.rows, self.columns) >= 4 and self.rows * self.columns >= _FEW

    @property
    def frequencies(self) -> tuple[int, ...]:
        """Sizes of the spectrum of a tile."""
        return frequencies_of(self.tiles, self.real)


def frequencies_of(tiles: Sequence[Tile], real: bool) -> tuple[int, ...]:
    """Return the sizes of the spectrum of a tile; half of the last axis tells all of real data."""
    *outer, last = [tile.length for tile in tiles]
    return (*outer, last // 2 + 1 if real else last)


def plan_of(geometry: ConvGeometry, dtype: np.dtype[Any], lengths: Sequence[int] | None = None) -> Plan:
    """Return the plan that costs least, or the one whose tiles have `lengths`, 0 for one tile."""
    real = dtype.kind != "c"
    halved = [real and number == len(geometry.axes) - 1 for number in range(len(geometry.axes))]
    best = [
        _first_choice(axis, half, length)
        for axis, half, length in zip(geometry.axes, halved, lengths or [0] * len(halved), strict=True)
    ]
    problem = _Channels(
        geometry.groups,
        geometry.out_channels // geometry.groups,
        geometry.in_channels // geometry.groups,
        real,
        dtype.itemsize if real else dtype.itemsize // 2,
    )
    plan = _planned(best, problem)
    if lengths is not None or prod([tile.length for tile in plan.tiles]) <= _SMALL:
        return plan
    choices = []
    for axis, half in zip(geometry.axes, halved, strict=True):
        line = line_of(axis, False)
        choices.append([(line, tile) for tile in tiles_of(line, half)])
    for number in 2 * list(range(len(best))):
        for choice in choices[number]:
            trial = _planned([*best[:number], choice, *best[number + 1 :]], problem)
            if trial.cost.seconds < plan.cost.seconds:
                plan, best[number] = trial, choice
    return plan


class _Pass(NamedTuple):
    lines: int
    length: int
    halved: bool
    strided: bool


class _Channels(NamedTuple):
    groups: int
    rows: int
    columns: int
    real: bool
    itemsize: int
    """Bytes of a real number."""


def _first_choice(axis: Axis, halved: bool, length: int) -> tuple[Line, Tile]:
    if length:
        line = line_of(axis, False)
        return line, tile_of_length(line, length)
    line = line_of(axis, may_be_circular(axis, halved))
    return line, whole_tile(line, halved)


def _planned(choice: list[tuple[Line, Tile]], channels: _Channels) -> Plan:
    """Return the plan with these tiles, and its cost."""
    lines, tiles = zip(*choice, strict=True)
    groups, rows, columns, real, itemsize = channels
    columns *= prod([len(line.phases) for line in lines])
    counts = [1 if tile.whole else -(-line.outputs // tile.step) for line, tile in choice]
    lane = counts.index(max(counts))
    frequencies = frequencies_of(tiles, real)
    spectra = prod(frequencies) * (rows + columns) * 2 * itemsize
    stack = max(min(PIECE // spectra, counts[lane]), 1)
    plan = Plan(lines, tiles, lane, stack, groups, rows, columns, real, spectra * stack, Cost(0.0, 0.0, 0.0))
    return plan._replace(cost=_cost(plan, prod(counts), itemsize))


def _passes(plan: Plan) -> Iterator[_Pass]:
    """Yield the transforms of one tile: into spectra from the last axis on, and back from the first."""
    last = len(plan.tiles) - 1
    sizes = plan.frequencies
    extents = [
        min(max(line.sizes), tile.length) if tile.whole else tile.length
        for line, tile in zip(plan.lines, plan.tiles, strict=True)
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


def _cost(plan: Plan, count: int, itemsize: int) -> Cost:
    """Return what the transforms and products of one batch item take, of `count` tiles."""
    spectrum = prod(plan.frequencies) * 2 * itemsize
    far = plan.piece > 1.5 * PIECE
    flops = nbytes = 0.0
    seconds = 0.0
    for lines, length, halved, strided in _passes(plan):
        operations = (2.5 if halved else 5) * length * log2(length + 1) * lines
        vector = _VECTOR // itemsize
        odd = (lines * plan.stack) % vector
        moved = 2 * lines * length * itemsize * (1 if halved else 2)
        flops += operations
        nbytes += moved
        seconds += (operations / _RATE[itemsize] + lines * _LINE) * (
            1 + odd * (_ODD - 1) / max(lines * plan.stack, 1)
        )
        seconds += moved / (_FAR if far and strided else _COPY) / 4
    pairs = plan.rows * plan.columns
    products = 8 * pairs * prod(plan.frequencies)
    flops += products
    if plan.matrices:
        seconds += (
            products / (_PRODUCT_RATE * 8 / itemsize) + prod(plan.frequencies) * _FREQUENCY / plan.stack
        )
    else:
        seconds += pairs * spectrum * 3 / _COPY
    nbytes += 3 * pairs * spectrum
    calls = 2 * len(plan.tiles) * _CALL + _ROUND
    tiles = count * plan.groups
    per_piece = max(PIECE // plan.piece, 1) * plan.stack
    return Cost(flops * tiles, nbytes * tiles, seconds * tiles + calls * max(tiles / per_piece, 1))
