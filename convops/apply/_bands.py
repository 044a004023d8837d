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
from convops.apply._blocks import (
    Block,
    Scratch,
    contiguous,
    fetch,
    offset_reads,
    ranges,
    reads,
    remembered,
    store,
    strided,
)
from convops.apply._lanes import Added, LaidOut
from convops.apply._pairs import alone, paired, summands
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
_ALIASED = 2**10
"""Bytes of which the distance of rows should be no multiple, and how many more they are apart then."""
_APART = 64

_TALLEST = 128
_SHORTEST = 48
"""Places of the last axis below which products are too thin, however large the weight."""
_MANY = 4
"""Times more channels of the source than of the result from which additions are weighed against copies."""
_FEW_COPIES = 4
"""Copies of a row that are made straight from the source; more are made of a piece that has its margins."""
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
        self._steps: dict[tuple[int, ...], list[_Steps]] = {}
        self._lanes = lanes
        *leading, places, _ = problem.readings
        self._width = self.width_of(lanes)
        self._bands = -(-places.places // band.rows)
        self._leading = [min(reading.places, max(2 * (reading.span - 1), 1)) for reading in leading]
        self.offsets = list(product(*[range(len(reading.offsets)) for reading in leading]))
        before = [
            reading.step * (count - 1) + reading.span
            for reading, count in zip(leading, self._leading, strict=True)
        ]
        distance = _distance(self._width, problem.dtype.itemsize)
        self._by_position = prod(before) * problem.columns * band.lane.copies * distance
        products = self._bands * prod(self._leading) * len(self.offsets)
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

    def width_of(self, lanes: int) -> int:
        """Return how many columns the products of a block have that is so many lanes long."""
        return -(-self.band.lane.columns(lanes) // self._multiple) * self._multiple

    @property
    def direct(self) -> bool:
        """Whether products may be written where they belong, but for bands that reach beyond the result."""
        problem = self.problem
        return (
            isinstance(self.band.lane, LaidOut)
            and len(self.offsets) == 1
            and all(reading.phases == 1 for reading in problem.readings)
            and min(self.band.rows, problem.rows) == 1
        )

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
        products = blocks * prod(self._leading) * bands * len(self.offsets)
        self.summands = products * summands(self.band.outer, self.band.inner, self._lanes, problem.dtype)
        if not alone(self.band.outer, self.band.inner, problem.dtype):
            self.summands = inf
        copied = blocks * self._unrolled(bands)
        written = problem.groups * prod(counts) * problem.phases * problem.rows
        multiplied = [
            self.parts * product_seconds(slab.height // self.parts, slab.inner, self._width, problem.dtype)
            for slab in self.band.slabs
        ]
        copies = 0 if self.direct and self._width == self._lanes else 2 * len(self.offsets) - 1
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

    def _all_steps(self, batch: int, itemsize: int) -> "Iterator[_Steps]":
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
            yield _Steps(self, block, itemsize, near=len(blocks) == 1)

    def _work(self, source: Array, out: Array, matrices: Array, blocks: "list[_Steps]") -> None:
        scratch = Scratch(out.dtype, max([steps.elements for steps in blocks]))
        for steps in blocks:
            self._multiply(steps.lay_out(source, scratch), out, matrices, steps, scratch)

    def _gradient_of(self, source: Array, result: Array, blocks: "list[_Steps]") -> Array:
        total = np.zeros(
            (len(self.offsets), self.problem.groups, self.band.outer, self.band.inner), result.dtype
        )
        scratch = Scratch(result.dtype, max([steps.elements for steps in blocks]))
        for steps in blocks:
            laid = steps.lay_out(source, scratch)
            values = scratch.array("values", steps.values)
            into = values if isinstance(self.band.lane, LaidOut) else scratch.array("sums", steps.sums)
            fetch(self._as_stored(into), result, self.problem.readings, steps.block)
            if isinstance(self.band.lane, Added):
                values = steps.inside(values)
                self.band.lane.spread(self._apart(into), self._apart(values), steps.block.places[-1])
            summed_over = (0, *range(2, values.ndim - 2))
            for number, start in enumerate(steps.starts):
                window = strided(laid, steps.windows, steps.strides, start)
                products = paired(values[..., : steps.columns], window[..., : steps.columns])
                total[number, steps.groups] += products.sum(axis=summed_over)
        return total

    def _multiply(self, laid: Array, out: Array, matrices: Array, steps: "_Steps", scratch: Scratch) -> None:
        values = steps.target(out) if steps.direct else scratch.array("values", steps.values)
        for number, start in enumerate(steps.starts):
            window = strided(laid, steps.windows, steps.strides, start)[..., None, :, :]
            summand = scratch.array("summand", steps.values) if number else values
            for slab, matrix, products in steps.slabs:
                np.matmul(
                    matrices[number, steps.groups, slab.rows, slab.reads].reshape(matrix),
                    window[..., slab.reads, :],
                    out=steps.inside(summand)[..., slab.rows, :].reshape(products),
                )
            if number:
                steps.inside(values)[...] += steps.inside(summand)
        if isinstance(self.band.lane, Added):
            sums = scratch.array("sums", steps.sums)
            self.band.lane.add(self._apart(values), self._apart(sums), steps.block.places[-1])
            values = sums
        if not steps.direct:
            store(self._as_stored(values), out, self.problem.readings, steps.block)

    def _apart(self, values: Array) -> Array:
        """Return a view with an axis of their own for the taps of the last axis, or for its phases."""
        before = self.band.rows * prod([len(reading.taps) for reading in self.problem.readings[:-1]])
        return values.reshape(*values.shape[:-2], before, -1, self.problem.rows, values.shape[-1])

    def _as_stored(self, values: Array) -> Array:
        """Return a view of values as `store` takes them."""
        problem = self.problem
        phases = [len(reading.taps) for reading in problem.readings]
        *stacked, bands, _, lanes = values.shape
        values = values.reshape(*stacked, bands * self.band.rows, *phases, problem.rows, lanes)
        axes = len(phases)
        before = list(range(2, 2 + axes - 1))
        order = [0, 1, values.ndim - 2, *before, values.ndim - 1, *range(1 + axes, 1 + 2 * axes)]
        return values.transpose(order)


def _distance(width: int, itemsize: int) -> int:
    """Return how far apart rows of that many elements lie, so that a column of them fits into the cache.

    Places that are a multiple of some kilobytes apart compete for the same few lines of it.
    """
    return width if width * itemsize % _ALIASED else width + _APART // itemsize


class _Steps:
    """What one block does, in indices, shapes and strides, worked out once."""

    def __init__(self, tiling: Bands, block: Block, itemsize: int, near: bool) -> None:
        problem, rows, lane = tiling.problem, tiling.band.rows, tiling.band.lane
        *leading, band, _ = problem.readings
        *outer, places, lanes = block.counts
        bands = -(-places // rows)
        first = block.places[-2][0]
        read = lane.places(block.places[-1])
        whole = (*block.places[:-2], (first, first + bands * rows), read)
        self.block = block
        readings = (*problem.readings[:-1], lane.read)
        # A source so near that it may be read several times is laid out straight away.
        self._in_place = lane.read.step == 1 and (near or lane.copies == 1) and lane.copies <= _FEW_COPIES
        what = offset_reads if self._in_place else reads
        self._reads = what(readings, problem.columns, block._replace(places=whole))
        items, groups, columns, *positions, _, _ = self._reads.shape
        self.columns = read[1] - read[0]
        width = tiling.width_of(lanes)
        self._laid = (items, groups, *positions, columns, lane.copies, _distance(width, itemsize))
        strides = contiguous(self._laid, itemsize)
        by_position = strides[2 : 2 + len(leading)]
        steps = [reading.step * stride for reading, stride in zip(leading, by_position, strict=True)]
        self.strides = (*strides[:2], *steps, rows * band.step * strides[-4], *strides[-2:])
        stacked = (items, groups, *outer, bands)
        self.windows = (*stacked, tiling.band.inner, width)
        self._channels_first = (0, 1, 2 + len(positions), *range(2, 2 + len(positions)), -2, -1)
        self._copies = (
            [] if self._in_place else self._copies_of(contiguous(self._reads.shape, itemsize), lane)
        )
        before, after = lane.margins(block.places[-1])
        self._products = slice(before, before + width)
        self.values = (*stacked, tiling.band.outer, before + max(width, self.columns + after))
        self.sums = (*stacked, rows * problem.phases * problem.rows, lanes)
        parts = tiling.parts
        self.slabs = [
            (
                slab,
                (groups, *[1] * (len(outer) + 1), parts, slab.height // parts, slab.inner),
                (*stacked, parts, slab.height // parts, width),
            )
            for slab in tiling.band.slabs
        ]
        """The slabs of the band, each with the shapes of its matrices and of their products."""
        self.groups = slice(*block.group)
        apart = [reading.offsets.step * stride for reading, stride in zip(leading, by_position, strict=True)]
        self.starts = [
            sum([offset * stride for offset, stride in zip(offsets, apart, strict=True)])
            for offsets in tiling.offsets
        ]
        self.direct = tiling.direct and width == lanes and places % rows == 0
        of_axes = [slice(*places) for places in block.places]
        self._place = (slice(*block.batch), slice(*block.group), slice(None), *of_axes)
        self._channels_last = (0, 1, *range(3, 2 + len(of_axes)), 2, 2 + len(of_axes))
        results = min(len(self.starts), 2) * prod(self.values)
        if isinstance(lane, Added):
            results += prod(self.sums)
        loaded = 0 if self._in_place else prod(self._reads.shape)
        self.elements = loaded + prod(self._laid) + results
        """Elements of all scratch arrays."""

    def _copies_of(self, strides: tuple[int, ...], lane: LaidOut | Added) -> list[tuple[Any, ...]]:
        """Return index, shape, strides and start of each copy from the loaded source."""
        copies = []
        *before, offsets, _ = self._laid
        for chosen, start, by_offset in lane.views(strides):
            shape = (*before, len(range(offsets)[chosen]), self.columns)
            by_axis = (*strides[:2], *strides[3:-2], strides[2], by_offset, strides[-1])
            copies.append(((..., chosen, slice(self.columns)), shape, by_axis, start))
        return copies

    def inside(self, values: Array) -> Array:
        """Return where the products lie among the values."""
        return values[..., self._products]

    def target(self, out: Array) -> Array:
        """Return the block's place in the result, in the layout of the products."""
        region = out[self._place]
        if region.shape[2] == 1:
            return region.reshape(self.values)
        return region.transpose(self._channels_last)

    def lay_out(self, source: Array, scratch: Scratch) -> Array:
        """Return ``(batch, groups, *leading positions, positions, columns, offsets, lanes and a gap)``."""
        laid = scratch.array("laid out", self._laid)
        if self._in_place:
            self._reads.load(source, laid[..., : self.columns].transpose(self._channels_first))
            return laid
        loaded = self._reads.load(source, scratch.array("source", self._reads.shape))
        for chosen, shape, strides, start in self._copies:
            np.copyto(laid[chosen], strided(loaded, shape, strides, start))
        return laid
