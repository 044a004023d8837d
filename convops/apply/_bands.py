"""Banded tiles: neighbouring rows of the result, as one small dense matrix times rows of the source.

Along the last axis but one, `rows` neighbouring places read ``step * (rows - 1) + span`` positions through
a banded Toeplitz matrix that is the same everywhere. Each row of the source is laid out once per offset of
the last axis, or just once (`_lanes`); what a band reads is then one contiguous matrix, and bands overlap in
memory. Offsets of the axes before are summed, one product each. The zeros in the band are wasted flops that
buy long products.
"""

from collections.abc import Iterator
from functools import cached_property, partial
from itertools import product
from math import gcd, inf, prod
from typing import Any, Self

import numpy as np

from convops._arrays import Array
from convops.apply._band import Band
from convops.apply._band_steps import BandSteps, distance
from convops.apply._blocks import Block, Scratch, ranges, remembered, strided
from convops.apply._lanes import Added, LaidOut
from convops.apply._pairs import alone, multiply, paired, summands
from convops.apply._problem import Problem, equal_parts, fitting
from convops.apply._threads import share, summed
from convops.apply.cost import (
    CACHE,
    Cost,
    addition_seconds,
    copy_seconds,
    multiply_add_seconds,
    product_seconds,
    small_product,
    small_vector_product,
    unpacked_run,
)

_BLOCK = 8e-6
"""Seconds that Python takes for each block but the first."""
_WORTH_TWO = 0.5e-3
"""Seconds of multiplying, of one batch item and group, that are cut into two blocks for two threads."""
_TALLEST = 128
_SHORTEST = 48
"""Places of the last axis below which products are too thin, however large the weight."""
_MANY = 4
"""Times more channels of the source than of the result from which additions are weighed against copies."""
_FEWEST = 16
"""Rows of a matrix below which it should not be cut into parts."""


class Bands:
    """Tiles of as many places on the last axis but one as the band has; there are two axes at least.

    A block has `lanes` places of the last axis; its products have as many columns, or the next multiple, of
    which those beyond the lanes hold anything, and are not looked at.
    """

    def __init__(self, band: Band, lanes: int, parts: int = 1, multiple: int = 1) -> None:
        self.problem = problem = band.problem
        self.band = band
        self.parts = parts
        self._multiple = multiple
        self._steps: dict[tuple[int, ...], list[BandSteps]] = {}
        self._lanes = lanes
        *leading, places, _ = problem.readings
        self._width = self._width_of(lanes)
        self._bands = -(-places.places // band.rows)
        self._leading = [min(reading.places, max(2 * (reading.span - 1), 1)) for reading in leading]
        before = [
            reading.step * (count - 1) + reading.span
            for reading, count in zip(leading, self._leading, strict=True)
        ]
        row = distance(self._width, problem.dtype.itemsize)
        self._by_position = prod(before) * problem.columns * band.lane.copies * row
        products = self._bands * prod(self._leading) * len(self.band.offsets)
        self._multiplying = products * band.entries * lanes * multiply_add_seconds(problem.dtype)
        self._fixed_block = self._block_of(1)
        self.cost = self._cost()

    @classmethod
    def candidates(cls, problem: Problem) -> Iterator[Self]:
        """Yield tilings of more and more rows."""
        *_, band, last = problem.readings
        ways: list[LaidOut | Added] = [LaidOut(last)]
        if problem.columns >= _MANY * problem.rows and last.step == 1 < len(last.offsets):
            ways.append(Added(last))
        rows = 1
        while rows < 2 * band.places:
            for lane in ways:
                yield from cls._of(Band(problem, min(rows, band.places), lane))
            rows *= 2
            if rows > _TALLEST:
                break

    @classmethod
    def _of(cls, band: Band) -> Iterator[Self]:
        """Yield tilings of one band, in long and short runs along the last axis."""
        problem = band.problem
        places = problem.counts[-1]
        heights, inner = [slab.height for slab in band.slabs], max([slab.inner for slab in band.slabs])
        height, common = max(heights), gcd(*heights)
        small = (small_product if height > 1 else small_vector_product)(problem.dtype)
        most = max(small // (min(height, _FEWEST) * inner), _SHORTEST)
        pieces = -(-places // most)
        for cut in (1, 2, 4, 8):
            if cut == 1 or places > pieces * cut * _SHORTEST:
                lanes = -(-places // (pieces * cut))
                columns = band.lane.columns(lanes)
                each = height // common * inner * columns
                parts = equal_parts(common, each, small_product(problem.dtype))
                yield cls(band, lanes, parts)
                if columns % (run := unpacked_run(height // parts, problem.dtype)):
                    yield cls(band, lanes, parts, run)

    def _width_of(self, lanes: int) -> int:
        """Return how many columns the products of a block have that is so many lanes long."""
        return -(-self.band.lane.columns(lanes) // self._multiple) * self._multiple

    def _unrolled(self, bands: int) -> int:
        """Return the elements that a block lays out of one batch item and group."""
        places = self.problem.readings[-2]
        return (places.step * (bands * self.band.rows - 1) + places.span) * self._by_position

    def _block_of(self, batch: int) -> tuple[int, int, int]:
        """Return how many items, groups and bands make a block."""
        itemsize = self.problem.dtype.itemsize
        first, second = self._unrolled(1) * itemsize, self._unrolled(2) * itemsize
        bands = min(self._bands, 1 + max(int((CACHE - first) / max(second - first, 1)), 0))
        blocks = -(-self._bands // bands)
        if blocks > 1 or self._multiplying > _WORTH_TWO:
            blocks += blocks % 2  # two threads have as much to do
        bands = -(-self._bands // blocks)
        if bands < self._bands:
            return 1, 1, bands
        items, groups = fitting((batch, self.problem.groups), self._unrolled(bands) * itemsize, CACHE)
        return items, groups, bands

    def _cost(self) -> Cost:
        problem, (_, _, bands) = self.problem, self._fixed_block
        counts = problem.counts
        pieces = [-(-count // most) for count, most in zip(counts[:-2], self._leading, strict=True)]
        lanes = -(-counts[-1] // self._lanes)
        band_blocks = -(-self._bands // bands)
        blocks = problem.groups * prod(pieces) * band_blocks * lanes
        products = blocks * prod(self._leading) * bands * len(self.band.offsets)
        self.summands = products * summands(self.band.outer, self.band.inner, self._lanes, problem.dtype)
        if not alone(self.band.outer, self.band.inner, problem.dtype):
            self.summands = inf
        copied = blocks * self._unrolled(bands)
        written = problem.groups * prod(counts) * problem.phases * problem.rows
        multiplied = [
            self.parts * product_seconds(slab.height // self.parts, slab.inner, self._width, problem.dtype)
            for slab in self.band.slabs
        ]
        copies = 0 if self.band.direct and self._width == self._lanes else 2 * len(self.band.offsets) - 1
        added = 0.0
        if isinstance(self.band.lane, Added):
            added = written * self.band.lane.rows / len(problem.readings[-1].taps)
        seconds = (
            products * sum(multiplied)
            + copy_seconds(copied, self._lanes, problem.dtype)
            + copy_seconds(written * copies, self._lanes, problem.dtype)
            + addition_seconds(added, self._lanes, problem.dtype)
            + _BLOCK * (-(-blocks // self._fixed_block[1]) - 1)
        )
        flops = 2.0 * products * self.band.entries * self._width
        return Cost(flops, (2.0 * copied + written) * problem.dtype.itemsize, seconds)

    def matrices(self, weight: Array) -> Array:
        """Return those of the band; see `Band`."""
        return self.band.matrices(weight)

    def run(self, source: Array, out: Array, matrices: Array) -> None:
        """Write the result into `out`; see `Tiling`."""
        steps = remembered(self._steps, self._all_steps, len(source), out.itemsize)
        share(partial(self._work, source, out, matrices), steps, self.cost.seconds * len(source))

    def telling(self, out: Array) -> list[Array]:
        """Return so many rows of a few channels that their bands cover the source; see `Tiling`."""
        return [out[index] for index in self._telling]

    @cached_property
    def _telling(self) -> list[Any]:
        problem = self.problem
        if not self.band.has_gaps:
            return []
        # A slab may begin amid the channels of a phase that the last place has, and then have the first
        # channel only of one that it has not.
        channels = sorted({slab.rows.start % problem.rows for slab in self.band.slabs})
        covering = problem.readings[-2].covering(self.band.rows, problem.phases > 1)
        return [
            (slice(None), slice(None), slice(channel, channel + 1), ..., places, slice(None))
            for channel, places in product(channels, covering)
        ]

    def gradient(self, source: Array, result: Array) -> Array:
        """Return what `matrices` is paired with by the inner product of `result`; see `Tiling`."""
        steps = remembered(self._steps, self._all_steps, len(source), result.itemsize)
        return summed(partial(self._gradient_of, source, result), steps, self.cost.seconds * len(source))

    def _all_steps(self, batch: int, itemsize: int) -> Iterator[BandSteps]:
        problem = self.problem
        items, groups, bands = self._block_of(batch)
        counts = problem.counts
        pieces = [ranges(count, most) for count, most in zip(counts[:-2], self._leading, strict=True)]
        # Every band starts at a multiple of `rows`, also in the last block.
        bands_in = [
            (start * self.band.rows, min(stop * self.band.rows, counts[-2]))
            for start, stop in ranges(self._bands, bands)
        ]
        lanes = ranges(counts[-1], self._lanes)
        blocks = [
            Block(batch_range, group_range, places)
            for batch_range, group_range in product(ranges(batch, items), ranges(problem.groups, groups))
            for places in product(*pieces, bands_in, lanes)
        ]
        for block in blocks:
            width = self._width_of(block.counts[-1])
            yield BandSteps(self.band, block, itemsize, width, self.parts, near=len(blocks) == 1)

    def _work(self, source: Array, out: Array, matrices: Array, blocks: list[BandSteps]) -> None:
        scratch = Scratch(out.dtype, max([steps.elements for steps in blocks]))
        for steps in blocks:
            scratch.clear()
            self._multiply(steps.lay_out(source, scratch), out, matrices, steps, scratch)

    def _gradient_of(self, source: Array, result: Array, blocks: list[BandSteps]) -> Array:
        total = np.zeros(
            (len(self.band.offsets), self.problem.groups, self.band.outer, self.band.inner), result.dtype
        )
        scratch = Scratch(result.dtype, max([steps.elements for steps in blocks]))
        for steps in blocks:
            scratch.clear()
            laid = steps.lay_out(source, scratch)
            values = scratch.array("values", steps.values)
            into = values if isinstance(self.band.lane, LaidOut) else scratch.array("sums", steps.sums)
            steps.fetch(into, result)
            if isinstance(self.band.lane, Added):
                values = steps.inside(values)
                self.band.lane.spread(steps.apart(into), steps.apart(values), steps.block.places[-1])
            summed_over = (0, *range(2, values.ndim - 2))
            for number, start in enumerate(steps.starts):
                window = strided(laid, steps.windows, steps.strides, start)
                products = paired(values[..., : steps.columns], window[..., : steps.columns])
                total[number, steps.groups] += products.sum(axis=summed_over)
        return total

    def _multiply(self, laid: Array, out: Array, matrices: Array, steps: BandSteps, scratch: Scratch) -> None:
        values = steps.target(out) if steps.direct else scratch.array("values", steps.values)
        for number, start in enumerate(steps.starts):
            window = strided(laid, steps.windows, steps.strides, start)[..., None, :, :]
            summand = scratch.array("summand", steps.values) if number else values
            for slab, matrix, products in steps.slabs:
                multiply(
                    matrices[number, steps.groups, slab.rows, slab.reads].reshape(matrix),
                    window[..., slab.reads, :],
                    out=steps.inside(summand)[..., slab.rows, :].reshape(products),
                )
            if number:
                steps.inside(values)[...] += steps.inside(summand)
        if isinstance(self.band.lane, Added):
            sums = scratch.array("sums", steps.sums)
            self.band.lane.add(steps.apart(values), steps.apart(sums), steps.block.places[-1])
            values = sums
        if not steps.direct:
            steps.store(values, out)
