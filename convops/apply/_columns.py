"""Columns: what each place reads, laid out in one column, times the whole weight at once (im2col)."""

from collections.abc import Iterator
from functools import cached_property, partial
from itertools import product
from math import prod

import numpy as np

from convops._arrays import Array
from convops.apply._blocks import Block, Scratch, fetch, offset_views, ranges, reads, store, strided
from convops.apply._pairs import alone, multiply, paired, summands
from convops.apply._problem import Problem, fitting
from convops.apply._reading import Table, has_gaps, spread
from convops.apply._threads import summed
from convops.apply.cost import CACHE, Cost, copy_seconds, product_seconds

_BLOCK = 8e-6
"""Seconds that Python takes for each block but the first."""
_MOST = 2 * CACHE
"""Bytes of columns in one block: the product is large, and BLAS cuts it up itself."""
_BEYOND_CACHE = 2
"""How much longer columns take to write and to read that do not stay in cache."""


class Columns:
    """One product per block with all taps and channels; what many channels on small images want.

    BLAS spreads these products over its threads, so the blocks are taken in turn.
    """

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._inner = problem.columns * prod([len(reading.offsets) for reading in problem.readings])
        self._outer = problem.phases * problem.rows
        each = max(self._inner, self._outer) * problem.dtype.itemsize
        self._places = fitting(problem.counts, each, _MOST)
        self.cost = self._cost()

    def _cost(self) -> Cost:
        problem = self._problem
        whole = prod(problem.counts)
        blocks = prod([-(-count // most) for count, most in zip(problem.counts, self._places, strict=True)])
        places = -(-whole // blocks)
        run = self._places[-1]
        loaded = problem.columns * prod([r.step * r.places + r.span for r in problem.readings])
        copied, written = self._inner * whole + loaded, self._outer * whole
        beyond_cache = 1 if places * self._inner * problem.dtype.itemsize < CACHE else _BEYOND_CACHE
        self.summands = problem.groups * blocks * summands(self._outer, self._inner, places, problem.dtype)
        seconds = problem.groups * (
            blocks * product_seconds(self._outer, self._inner, places, problem.dtype)
            + beyond_cache * copy_seconds(copied, run, problem.dtype)
            + copy_seconds(written, run, problem.dtype)
        )
        flops = 2.0 * problem.groups * self._outer * self._inner * whole
        nbytes = problem.groups * (2.0 * copied + written) * problem.dtype.itemsize
        return Cost(flops, nbytes, seconds + (blocks - 1) * _BLOCK)

    def matrices(self, weight: Array) -> Array:
        """Return ``(groups, outer, inner)``."""
        tiles = spread(weight, self._tables)
        phases, offsets = range(3, tiles.ndim, 2), range(4, tiles.ndim, 2)
        tiles = tiles.transpose([0, *phases, 1, 2, *offsets])
        return np.ascontiguousarray(tiles).reshape(tiles.shape[0], self._outer, self._inner)

    def run(self, source: Array, out: Array, matrices: Array) -> None:
        """Write the result into `out`; see `Tiling`."""
        blocks = list(self._blocks(len(source)))
        scratch = Scratch(out.dtype, self._scratch(len(source)))
        for block in blocks:
            scratch.clear()
            columns = self._lay_out(source, block, scratch)
            shape = (*columns.shape[:2], self._outer, columns.shape[-1])
            values = scratch.array("values", shape)
            multiply(matrices[slice(*block.group)], columns, out=values)
            store(self._as_stored(values, block), out, self._problem.readings, block)

    def telling(self, out: Array) -> list[Array]:
        """Return one channel of the result, unless nothing is spread; see `Tiling`."""
        return [out[:, :, :1]] if self._has_gaps else []

    @cached_property
    def _has_gaps(self) -> bool:
        return has_gaps(self._tables)

    @property
    def _tables(self) -> list[Table]:
        return [reading.table for reading in self._problem.readings]

    def gradient(self, source: Array, result: Array) -> Array:
        """Return what `matrices` is paired with by the inner product of `result`; see `Tiling`."""
        apart = alone(self._outer, self._inner, self._problem.dtype)
        seconds = self.cost.seconds * len(source) if apart else 0.0
        return summed(partial(self._gradient_of, source, result), list(self._blocks(len(source))), seconds)

    def _gradient_of(self, source: Array, result: Array, blocks: list[Block]) -> Array:
        total = np.zeros((self._problem.groups, self._outer, self._inner), result.dtype)
        scratch = Scratch(result.dtype, self._scratch(len(source)))
        for block in blocks:
            scratch.clear()
            columns = self._lay_out(source, block, scratch)
            values = scratch.array("values", (*columns.shape[:2], self._outer, columns.shape[-1]))
            fetch(self._as_stored(values, block), result, self._problem.readings, block)
            total[slice(*block.group)] += paired(values, columns).sum(axis=0)
        return total

    def _block_of(self, batch: int) -> list[int]:
        """Return how many batch items and groups a block has."""
        each = max(self._inner, self._outer) * prod(self._places) * self._problem.dtype.itemsize
        return fitting((batch, self._problem.groups), each, _MOST)

    def _scratch(self, batch: int) -> int:
        """Return the elements of all scratch arrays of a block."""
        positions = [
            reading.step * places + reading.span
            for reading, places in zip(self._problem.readings, self._places, strict=True)
        ]
        source = self._problem.columns * prod(positions)
        return prod(self._block_of(batch)) * (source + (self._inner + self._outer) * prod(self._places))

    def _blocks(self, batch: int) -> Iterator[Block]:
        problem = self._problem
        items, groups = self._block_of(batch)
        pieces = [ranges(count, most) for count, most in zip(problem.counts, self._places, strict=True)]
        for batch_range, group_range in product(ranges(batch, items), ranges(problem.groups, groups)):
            for places in product(*pieces):
                yield Block(batch_range, group_range, places)

    def _lay_out(self, source: Array, block: Block, scratch: Scratch) -> Array:
        """Return ``(batch, groups, columns and offsets, places)``."""
        *leading, lane = self._problem.readings
        *outer, lanes = block.counts
        read = reads(self._problem.readings, self._problem.columns, block)
        loaded = read.load(source, scratch.array("source", read.shape))
        channels = loaded.shape[:3]
        offsets = [len(reading.offsets) for reading in leading]
        laid = scratch.array("laid out", (*channels, *offsets, len(lane.offsets), *outer, lanes))
        by_position = loaded.strides[3:-2]
        by_offset = [r.offsets.step * stride for r, stride in zip(leading, by_position, strict=True)]
        by_place = [r.step * stride for r, stride in zip(leading, by_position, strict=True)]
        for chosen, start, by_lane_offset in offset_views(loaded.strides, lane):
            target = laid[(*[slice(None)] * (3 + len(leading)), chosen)]
            strides = (*loaded.strides[:3], *by_offset, by_lane_offset, *by_place, loaded.strides[-1])
            np.copyto(target, strided(loaded, target.shape, strides, start))
        return laid.reshape(*channels[:2], self._inner, -1)

    def _as_stored(self, values: Array, block: Block) -> Array:
        """Return a view of values as `store` takes them."""
        problem = self._problem
        phases = [len(reading.taps) for reading in problem.readings]
        values = values.reshape(*values.shape[:2], *phases, problem.rows, *block.counts)
        axes = len(phases)
        order = [0, 1, 2 + axes, *range(3 + axes, 3 + 2 * axes), *range(2, 2 + axes)]
        return values.transpose(order)
