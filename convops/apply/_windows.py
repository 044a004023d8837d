"""Windows: neighbouring places of the last axis, as contiguous pieces of the source times one matrix.

Where only the last axis is convolved, `rows` neighbouring places read ``step * (rows - 1) + span``
positions. The windows are copied one below the other, however many axes lie before, and multiplied by the
banded Toeplitz matrix of one of them.
"""

from collections.abc import Iterator
from functools import cached_property, partial
from itertools import product
from math import inf, prod
from typing import NamedTuple, Self

import numpy as np

from convops._arrays import Array
from convops.apply._blocks import (
    Block,
    Reads,
    Scratch,
    contiguous,
    fetch,
    ranges,
    reads,
    remembered,
    store,
    strided,
)
from convops.apply._pairs import alone, multiply, paired, summands
from convops.apply._problem import Problem, fitting
from convops.apply._reading import spread
from convops.apply._threads import share, summed
from convops.apply.cost import CACHE, Cost, copy_seconds, product_seconds, small_product

_BLOCK = 8e-6
"""Seconds that Python takes for each block but the first."""


_TALLEST = 128


class _Steps(NamedTuple):
    """What one block does, in shapes and strides, worked out once."""

    block: Block
    reads: Reads
    shape: tuple[int, ...]
    """``(batch, groups, *places before, windows, columns, window)``, of the source's copy."""
    strides: tuple[int, ...]


class Windows:
    """Tiles of `rows` places on the last axis; the other axes must be trivial."""

    def __init__(self, problem: Problem, rows: int) -> None:
        self._problem = problem
        self._rows = rows
        self._steps: dict[tuple[int, ...], list[_Steps]] = {}
        *_, lane = problem.readings
        self._window = lane.step * (rows - 1) + lane.span
        self._inner = self._window * problem.columns
        self._outer = rows * problem.phases * problem.rows
        self._tiles = -(-lane.places // rows)
        # A product takes `_stack` windows, a block as many products as stay in cache.
        self._stack = max(small_product(problem.dtype) // (self._outer * self._inner), 16)
        each = (self._inner + self._outer) * problem.dtype.itemsize
        self._counts = fitting((*problem.counts[:-1], self._tiles), each, CACHE)
        self.cost = self._cost()

    def _cost(self) -> Cost:
        problem = self._problem
        tiles = problem.groups * prod(problem.counts[:-1]) * self._tiles
        stack = min(self._stack, prod(self._counts))
        products = -(-tiles // stack)
        copied, written = tiles * self._inner, tiles * self._outer
        blocks = -(-tiles // prod(self._counts))
        # The values of one channel without phases lie in the order of the result.
        run = self._tiles * self._rows if self._outer == self._rows else self._rows
        seconds = (
            products * product_seconds(stack, self._inner, self._outer, problem.dtype)
            + copy_seconds(copied, self._window, problem.dtype)
            + copy_seconds(written, run, problem.dtype)
            + _BLOCK * (blocks - 1)
        )
        each = summands(self._outer, self._inner, -(-tiles // (blocks * problem.groups)), problem.dtype)
        apart = alone(self._outer, self._inner, problem.dtype)
        self.summands = problem.groups * blocks * each if apart else inf
        nbytes = (2.0 * copied + written) * problem.dtype.itemsize
        return Cost(2.0 * tiles * self._inner * self._outer, nbytes, seconds)

    def matrices(self, weight: Array) -> Array:
        """Return ``(groups, inner, outer)``."""
        tables = [reading.table for reading in self._problem.readings]
        tables[-1] = self._problem.readings[-1].band(self._rows)
        tiles = spread(weight, tables)
        tiles = tiles.reshape(*tiles.shape[:3], *tiles.shape[-2:]).transpose(0, 2, 4, 3, 1)
        return np.ascontiguousarray(tiles).reshape(tiles.shape[0], self._inner, self._outer)

    def run(self, source: Array, out: Array, matrices: Array) -> None:
        """Write the result into `out`; see `Tiling`."""
        steps = remembered(self._steps, self._all_steps, len(source), out.itemsize)
        share(partial(self._work, source, out, matrices), steps, self.cost.seconds * len(source))

    def telling(self, out: Array) -> list[Array]:
        """Return so many places that their windows cover the source; see `Tiling`."""
        return [out[:, :, :1, ..., places] for places in self._covering]

    @cached_property
    def _covering(self) -> list[slice]:
        return self._problem.readings[-1].covering(self._rows, self._problem.phases > 1)

    def gradient(self, source: Array, result: Array) -> Array:
        """Return what `matrices` is paired with by the inner product of `result`; see `Tiling`."""
        steps = remembered(self._steps, self._all_steps, len(source), result.itemsize)
        return summed(partial(self._gradient_of, source, result), steps, self.cost.seconds * len(source))

    @classmethod
    def candidates(cls, problem: Problem) -> Iterator[Self]:
        """Yield tilings of more and more rows, where this kind of tiling is possible."""
        rows = 4
        while rows <= _TALLEST and all(reading.trivial for reading in problem.readings[:-1]):
            yield cls(problem, min(rows, problem.counts[-1]))
            rows *= 2

    def _block_of(self, batch: int) -> list[int]:
        """Return how many batch items and groups a block has."""
        each = (self._inner + self._outer) * prod(self._counts) * self._problem.dtype.itemsize
        return fitting((batch, self._problem.groups), each, CACHE)

    def _scratch(self, batch: int) -> int:
        """Return the elements of all scratch arrays of a block."""
        each = self._problem.columns * self._window + self._inner + self._outer
        return prod(self._block_of(batch)) * prod(self._counts) * each

    def _all_steps(self, batch: int, itemsize: int) -> Iterator[_Steps]:
        problem = self._problem
        items, groups = self._block_of(batch)
        *outer, count = problem.counts
        pieces = [ranges(size, most) for size, most in zip(outer, self._counts[:-1], strict=True)]
        lanes = [
            (start * self._rows, min(stop * self._rows, count))
            for start, stop in ranges(self._tiles, self._counts[-1])
        ]
        for batch_range, group_range in product(ranges(batch, items), ranges(problem.groups, groups)):
            for places in product(*pieces, lanes):
                yield self._steps_of(Block(batch_range, group_range, places), itemsize)

    def _work(self, source: Array, out: Array, matrices: Array, blocks: list[_Steps]) -> None:
        scratch = Scratch(out.dtype, self._scratch(len(source)))
        for steps in blocks:
            scratch.clear()
            windows = self._lay_out(source, steps, scratch)
            values = scratch.array("values", (*windows.shape[:-1], self._outer))
            matrix = matrices[slice(*steps.block.group)]
            whole = windows.shape[2] // self._stack * self._stack
            if whole > self._stack:
                self._multiply(windows[:, :, :whole], matrix, values[:, :, :whole])
                windows, rest = windows[:, :, whole:], values[:, :, whole:]
            else:
                rest = values
            if rest.size:
                multiply(windows, matrix, out=rest)
            store(self._as_stored(values, steps.block), out, self._problem.readings, steps.block)

    def _gradient_of(self, source: Array, result: Array, blocks: list[_Steps]) -> Array:
        total = np.zeros((self._problem.groups, self._inner, self._outer), result.dtype)
        scratch = Scratch(result.dtype, self._scratch(len(source)))
        for steps in blocks:
            scratch.clear()
            windows = self._lay_out(source, steps, scratch)
            values = scratch.array("values", (*windows.shape[:-1], self._outer))
            fetch(self._as_stored(values, steps.block), result, self._problem.readings, steps.block)
            total[slice(*steps.block.group)] += paired(windows.swapaxes(-1, -2), values.swapaxes(-1, -2)).sum(
                axis=0
            )
        return total

    def _multiply(self, windows: Array, matrix: Array, values: Array) -> None:
        """Multiply in products of `_stack` windows each."""
        stacked = windows.reshape(*windows.shape[:2], -1, self._stack, self._inner)
        result = values.reshape(*values.shape[:2], -1, self._stack, self._outer)
        multiply(stacked, matrix[:, None], out=result)

    def _steps_of(self, block: Block, itemsize: int) -> _Steps:
        lane = self._problem.readings[-1]
        start, stop = block.places[-1]
        tiles = -(-(stop - start) // self._rows)
        # As a range of source positions: the windows stand `step * rows` apart.
        first = lane.step * start
        positions = first, first + lane.step * (tiles * self._rows - 1) + 1
        whole = block._replace(places=(*block.places[:-1], positions))
        found = reads((*self._problem.readings[:-1], lane._replace(step=1)), self._problem.columns, whole)
        items, groups, columns, *outer, _, _ = found.shape
        by_item, by_group, by_column, *by_place, _, by_position = contiguous(found.shape, itemsize)
        return _Steps(
            block,
            found,
            (items, groups, *outer, tiles, columns, self._window),
            (by_item, by_group, *by_place, lane.step * self._rows * by_position, by_column, by_position),
        )

    def _lay_out(self, source: Array, steps: _Steps, scratch: Scratch) -> Array:
        """Return ``(batch, groups, windows, columns and positions)``."""
        loaded = steps.reads.load(source, scratch.array("source", steps.reads.shape))
        laid = scratch.array("laid out", steps.shape)
        np.copyto(laid, strided(loaded, steps.shape, steps.strides))
        return laid.reshape(*steps.shape[:2], -1, self._inner)

    def _as_stored(self, values: Array, block: Block) -> Array:
        """Return a view of values as `store` takes them."""
        problem = self._problem
        phases = [len(reading.taps) for reading in problem.readings]
        axes = len(phases)
        lanes = -(-block.counts[-1] // self._rows) * self._rows
        values = values.reshape(*values.shape[:2], *block.counts[:-1], lanes, *phases, problem.rows)
        order = [0, 1, values.ndim - 1, *range(2, 2 + 2 * axes)]
        return values.transpose(order)
