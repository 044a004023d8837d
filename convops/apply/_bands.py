"""Banded tiles: neighbouring rows of the result, as one small dense matrix times rows of the source.

Along the last axis but one, `rows` neighbouring places read ``step * (rows - 1) + span`` positions through
a banded Toeplitz matrix that is the same everywhere. Each row of the source is laid out once per offset of
the last axis, or just once (`_lanes`); what a band reads is then one contiguous matrix, and bands overlap in
memory. Offsets of the axes before are summed, one product each. The zeros in the band are wasted flops that
buy long products.
"""

from collections.abc import Iterator
from functools import partial
from itertools import product
from math import inf, prod
from typing import Any, NamedTuple, Self

import numpy as np

from convops._arrays import Array
from convops.apply._blocks import (
    Block,
    Scratch,
    contiguous,
    fetch,
    ranges,
    reads,
    remembered,
    store,
    strided,
)
from convops.apply._lanes import Added, LaidOut
from convops.apply._pairs import alone, paired, summands
from convops.apply._problem import Problem, fitting
from convops.apply._reading import spread
from convops.apply._threads import share, summed
from convops.apply.cost import (
    ADDITION,
    CACHE,
    SMALL_PRODUCT,
    SMALL_VECTOR_PRODUCT,
    Cost,
    copy_seconds,
    multiply_add_seconds,
    product_seconds,
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
_HIGH = 8
"""Rows of a matrix below which registers stay empty."""
_FEWEST = 16
"""Rows of a matrix below which it should not be cut into parts."""


class Bands:
    """Tiles of `rows` places on the last axis but one; there are two axes at least.

    A block has `lanes` places of the last axis; its products have as many columns, or the next multiple, of
    which those beyond the lanes hold anything, and are not looked at.
    """

    def __init__(
        self,
        problem: Problem,
        rows: int,
        lanes: int,
        parts: int = 1,
        multiple: int = 1,
        lane: LaidOut | Added | None = None,
    ) -> None:
        self.problem = problem
        self.rows = rows
        self.parts = parts
        self._multiple = multiple
        self._steps: dict[tuple[int, ...], list[_Steps]] = {}
        self._lanes = lanes
        *leading, band, last = problem.readings
        self.lane = lane or LaidOut(last)
        self.slabs = _slabs(problem, rows, self.lane)
        self.outer, self.inner = self.slabs[-1].rows.stop, _inner(problem, rows, self.lane)
        self._width = self.width_of(lanes)
        self._bands = -(-band.places // rows)
        self._leading = [min(reading.places, max(2 * (reading.span - 1), 1)) for reading in leading]
        self.offsets = list(product(*[range(len(reading.offsets)) for reading in leading]))
        products = self._bands * prod(self._leading) * len(self.offsets)
        entries = sum([slab.height * slab.inner for slab in self.slabs])
        self._multiplying = products * entries * lanes * multiply_add_seconds(problem.dtype)
        self._fixed_block = self._block_of(1)
        self.cost = self._cost()

    @classmethod
    def candidates(cls, problem: Problem) -> Iterator[Self]:
        """Yield tilings of more and more rows, and of long and short runs along the last axis."""
        *_, band, last = problem.readings
        ways: list[LaidOut | Added] = [LaidOut(last)]
        if problem.columns >= _MANY * problem.rows and last.step == 1 < len(last.offsets):
            ways.append(Added(last))
        rows = 1
        while rows < 2 * band.places:
            for lane in ways:
                yield from cls._of_height(problem, min(rows, band.places), lane)
            rows *= 2
            if rows > _TALLEST:
                break

    @classmethod
    def _of_height(cls, problem: Problem, rows: int, lane: LaidOut | Added) -> Iterator[Self]:
        """Yield tilings of that many rows."""
        places = problem.counts[-1]
        slabs = _slabs(problem, rows, lane)
        height, inner = slabs[0].height, max([slab.inner for slab in slabs])
        small = SMALL_PRODUCT if height > 1 else SMALL_VECTOR_PRODUCT
        most = max(small // (min(height, _FEWEST) * inner), _SHORTEST)
        pieces = -(-places // most)
        for cut in (1, 2, 4, 8):
            if cut == 1 or places > pieces * cut * _SHORTEST:
                lanes = -(-places // (pieces * cut))
                columns = lane.columns(lanes)
                parts = _parts(height, inner * columns)
                yield cls(problem, rows, lanes, parts, 1, lane)
                if columns % (run := unpacked_run(height // parts, problem.dtype)):
                    yield cls(problem, rows, lanes, parts, run, lane)

    def width_of(self, lanes: int) -> int:
        """Return how many columns the products of a block have that is so many lanes long."""
        return -(-self.lane.columns(lanes) // self._multiple) * self._multiple

    @property
    def direct(self) -> bool:
        """Whether products may be written where they belong, but for bands that reach beyond the result."""
        problem = self.problem
        return (
            isinstance(self.lane, LaidOut)
            and len(self.offsets) == 1
            and all(reading.phases == 1 for reading in problem.readings)
            and min(self.rows, problem.rows) == 1
        )

    def _positions(self, bands: int) -> int:
        """Return the source positions that a block of that many bands reads, but for the last axis."""
        *leading, band, _ = self.problem.readings
        before = [
            reading.step * (count - 1) + reading.span
            for reading, count in zip(leading, self._leading, strict=True)
        ]
        return prod(before) * (band.step * (bands * self.rows - 1) + band.span)

    def _unrolled(self, bands: int) -> int:
        """Return the elements that a block lays out of one batch item and group."""
        distance = _distance(self._width, self.problem.dtype.itemsize)
        return self._positions(bands) * self.problem.columns * self.lane.copies * distance

    def _block_of(self, batch: int) -> tuple[int, int, int]:
        """Return how many items, groups and bands make a block that stays in cache."""
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
        self.summands = products * summands(self.outer, self.inner, self._lanes)
        if not alone(self.outer, self.inner):
            self.summands = inf
        copied = blocks * self._unrolled(bands)
        written = problem.groups * prod(counts) * problem.phases * problem.rows
        multiplied = [
            self.parts * product_seconds(slab.height // self.parts, slab.inner, self._width, problem.dtype)
            for slab in self.slabs
        ]
        copies: float = 0 if self.direct and self._width == self._lanes else 2 * len(self.offsets) - 1
        if isinstance(self.lane, Added):
            copies += ADDITION * len(self.lane.taps) / len(problem.readings[-1].taps)
        seconds = (
            products * sum(multiplied)
            + copy_seconds(copied, self._lanes, problem.dtype)
            + copy_seconds(written * copies, self._lanes, problem.dtype)
            + _BLOCK * (-(-blocks // self._fixed_block[1]) - 1)
        )
        flops = 2.0 * products * sum([slab.height * slab.inner for slab in self.slabs]) * self._width
        return Cost(flops, (2.0 * copied + written) * problem.dtype.itemsize, seconds)

    def matrices(self, weight: Array) -> Array:
        """Return ``(offsets of the leading axes, groups, outer, inner)``."""
        *leading, band, _ = self.problem.readings
        tables = [reading.table for reading in leading] + [band.band(self.rows), self.lane.table]
        tiles = spread(weight, tables)
        groups, out, columns = tiles.shape[:3]
        axes = len(leading)
        split = (groups, out, columns, *tiles.shape[3 : 3 + 2 * axes], self.rows, -1, *tiles.shape[-3:])
        tiles = tiles.reshape(split)
        places = [3 + 2 * number for number in range(axes)]
        row, phase, window, lane_phase, offset = range(3 + 2 * axes, 8 + 2 * axes)
        order = (
            [number + 1 for number in places] + [0, row, *places, phase, lane_phase, 1] + [window, 2, offset]
        )
        return np.ascontiguousarray(tiles.transpose(order)).reshape(
            len(self.offsets), groups, self.outer, self.inner
        )

    def run(self, source: Array, out: Array, matrices: Array) -> None:
        """Write the result into `out`; see `Tiling`."""
        steps = remembered(self._steps, self._all_steps, len(source), out.itemsize)
        share(partial(self._work, source, out, matrices), steps, self.cost.seconds * len(source))

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
            (start * self.rows, min(stop * self.rows, counts[-2]))
            for start, stop in ranges(self._bands, bands)
        ]
        lanes = ranges(counts[-1], self._lanes)
        for batch_range, group_range in product(ranges(batch, items), ranges(problem.groups, groups)):
            for places in product(*pieces, bands_in, lanes):
                yield _Steps(self, Block(batch_range, group_range, places), itemsize)

    def _work(self, source: Array, out: Array, matrices: Array, blocks: "list[_Steps]") -> None:
        scratch = Scratch(out.dtype, max([steps.elements for steps in blocks]))
        for steps in blocks:
            self._multiply(steps.lay_out(source, scratch), out, matrices, steps, scratch)

    def _gradient_of(self, source: Array, result: Array, blocks: "list[_Steps]") -> Array:
        total = np.zeros((len(self.offsets), self.problem.groups, self.outer, self.inner), result.dtype)
        scratch = Scratch(result.dtype, max([steps.elements for steps in blocks]))
        for steps in blocks:
            laid = steps.lay_out(source, scratch)
            values = scratch.array("values", steps.values)
            into = values if isinstance(self.lane, LaidOut) else scratch.array("sums", steps.sums)
            fetch(self._as_stored(into), result, self.problem.readings, steps.block)
            if isinstance(self.lane, Added):
                self.lane.spread(self._apart(into), self._apart(values), steps.block.places[-1])
            summed_over = (0, *range(2, values.ndim - 2))
            for number, start in enumerate(steps.starts):
                window = strided(laid, steps.windows, steps.strides, start)
                products = paired(values[..., : steps.columns], window[..., : steps.columns])
                total[number, steps.groups] += products.sum(axis=summed_over)
        return total

    def _multiply(self, laid: Array, out: Array, matrices: Array, steps: "_Steps", scratch: Scratch) -> None:
        target = self._target(out, steps.block) if steps.direct else None
        values = scratch.array("values", steps.values) if target is None else target
        for number, start in enumerate(steps.starts):
            window = strided(laid, steps.windows, steps.strides, start)[..., None, :, :]
            summand = scratch.array("summand", steps.values) if number else values
            for slab, shape in zip(self.slabs, steps.matrices, strict=True):
                matrix = matrices[number, steps.groups, slab.rows, slab.reads].reshape(shape)
                split = (*summand.shape[:-2], *shape[-3:-1], summand.shape[-1])
                products = summand[..., slab.rows, :].reshape(split)
                np.matmul(matrix, window[..., slab.reads, :], out=products)
            if number:
                values += summand
        if isinstance(self.lane, Added):
            sums = scratch.array("sums", steps.sums)
            self.lane.add(self._apart(values), self._apart(sums), steps.block.places[-1])
            values = sums
        if target is None:
            store(self._as_stored(values), out, self.problem.readings, steps.block)

    def _apart(self, values: Array) -> Array:
        """Return a view with an axis of their own for the taps of the last axis, or for its phases."""
        before = self.rows * prod([len(reading.taps) for reading in self.problem.readings[:-1]])
        return values.reshape(*values.shape[:-2], before, -1, self.problem.rows, values.shape[-1])

    def _target(self, out: Array, block: Block) -> Array:
        """Return the block's place in `out`, in the layout of the products."""
        rows = self.rows
        region = out[
            slice(*block.batch), slice(*block.group), :, *[slice(*places) for places in block.places]
        ]
        if self.problem.rows > 1:
            return np.moveaxis(region, 2, -2)
        shape = region.shape
        return region.reshape(*shape[:2], *shape[3:-2], shape[-2] // rows, rows, shape[-1])

    def _as_stored(self, values: Array) -> Array:
        """Return a view of values as `store` takes them."""
        problem = self.problem
        phases = [len(reading.taps) for reading in problem.readings]
        *stacked, bands, _, lanes = values.shape
        values = values.reshape(*stacked, bands * self.rows, *phases, problem.rows, lanes)
        axes = len(phases)
        before = list(range(2, 2 + axes - 1))
        order = [0, 1, values.ndim - 2, *before, values.ndim - 1, *range(1 + axes, 1 + 2 * axes)]
        return values.transpose(order)


def _distance(width: int, itemsize: int) -> int:
    """Return how far apart rows of that many elements lie, so that a column of them fits into the cache.

    Places that are a multiple of some kilobytes apart compete for the same few lines of it.
    """
    return width if width * itemsize % _ALIASED else width + _APART // itemsize


class _Slab(NamedTuple):
    """Rows of the matrix of a band, and the columns of it that they have any tap in."""

    rows: slice
    reads: slice

    @property
    def height(self) -> int:
        """Number of rows."""
        return int(self.rows.stop - self.rows.start)

    @property
    def inner(self) -> int:
        """Number of columns."""
        return int(self.reads.stop - self.reads.start)


def _inner(problem: Problem, rows: int, lane: LaidOut | Added) -> int:
    """Return the columns of the matrix of a band."""
    band = problem.readings[-2]
    return (band.step * (rows - 1) + band.span) * problem.columns * lane.copies


def _slabs(problem: Problem, rows: int, lane: LaidOut | Added) -> list[_Slab]:
    """Return the slabs of the matrix of a band: one, or where they are high enough one per phase."""
    *leading, band, _ = problem.readings
    each, before = len(lane.table) * problem.rows, prod([len(reading.taps) for reading in leading])
    if rows > 1 or len(band.taps) == 1 or each < _HIGH:
        outer = rows * before * len(band.taps) * each
        return [_Slab(slice(0, outer), slice(0, _inner(problem, rows, lane)))]
    by_position = problem.columns * lane.copies
    found: list[_Slab] = []
    for taps in [*band.taps.values()] * before:
        reached = [offset for offset, tap in zip(band.offsets, taps, strict=True) if tap >= 0]
        places = [offset - band.offsets[0] for offset in reached]
        begin = len(found) * each
        reads = slice(places[0] * by_position, (places[-1] + 1) * by_position)
        found.append(_Slab(slice(begin, begin + each), reads))
    return found


def _parts(outer: int, each: int) -> int:
    """Return the least number of equal parts of `outer` rows that make small products, of `each` per row."""
    small = [
        parts for parts in range(1, outer) if not outer % parts and outer // parts * each <= SMALL_PRODUCT
    ]
    return small[0] if small else outer


class _Steps:
    """What one block does, in indices, shapes and strides, worked out once."""

    def __init__(self, tiling: Bands, block: Block, itemsize: int) -> None:
        problem, rows, lane = tiling.problem, tiling.rows, tiling.lane
        *leading, band, _ = problem.readings
        *outer, places, lanes = block.counts
        bands = -(-places // rows)
        first = block.places[-2][0]
        read = lane.places(block.places[-1])
        whole = (*block.places[:-2], (first, first + bands * rows), read)
        self.block = block
        readings = (*problem.readings[:-1], lane.read)
        self._reads = reads(readings, problem.columns, block._replace(places=whole))
        items, groups, columns, *positions, _, _ = self._reads.shape
        self.columns = read[1] - read[0]
        width = tiling.width_of(lanes)
        self._laid = (items, groups, *positions, columns, lane.copies, _distance(width, itemsize))
        strides = contiguous(self._laid, itemsize)
        by_position = strides[2 : 2 + len(leading)]
        steps = [reading.step * stride for reading, stride in zip(leading, by_position, strict=True)]
        self.strides = (*strides[:2], *steps, rows * band.step * strides[-4], *strides[-2:])
        stacked = (items, groups, *outer, bands)
        self.windows = (*stacked, tiling.inner, width)
        self._copies = self._copies_of(contiguous(self._reads.shape, itemsize), lane)
        self.values = (*stacked, tiling.outer, width)
        self.sums = (*stacked, rows * problem.phases * problem.rows, lanes)
        parts = tiling.parts
        self.matrices = [
            (groups, *[1] * (len(outer) + 1), parts, slab.height // parts, slab.inner)
            for slab in tiling.slabs
        ]
        self.groups = slice(*block.group)
        apart = [reading.offsets.step * stride for reading, stride in zip(leading, by_position, strict=True)]
        self.starts = [
            sum([offset * stride for offset, stride in zip(offsets, apart, strict=True)])
            for offsets in tiling.offsets
        ]
        self.direct = tiling.direct and width == lanes and places % rows == 0
        results = min(len(self.starts), 2) * prod(self.values)
        if isinstance(lane, Added):
            results += prod(self.sums)
        # What is laid out once, in order, need not be loaded before.
        self._in_place = lane.copies == lane.read.step == 1
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

    def lay_out(self, source: Array, scratch: Scratch) -> Array:
        """Return ``(batch, groups, *leading positions, positions, columns, offsets, lanes and a gap)``."""
        laid = scratch.array("laid out", self._laid)
        if self._in_place:
            self._reads.load(source, np.moveaxis(laid[..., :1, : self.columns], -3, 2))
            return laid
        loaded = self._reads.load(source, scratch.array("source", self._reads.shape))
        for chosen, shape, strides, start in self._copies:
            np.copyto(laid[chosen], strided(loaded, shape, strides, start))
        return laid
