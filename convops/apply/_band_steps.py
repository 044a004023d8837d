"""What one block of bands does: what it lays out of the source, and where its products lie."""

from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from convops._arrays import Array
from convops.apply._band import Band
from convops.apply._blocks import (
    Block,
    Range,
    Reads,
    Scratch,
    contiguous,
    fetch,
    offset_reads,
    reads,
    store,
    strided,
)
from convops.apply._lanes import Added

_ALIASED = 2**10
"""Bytes of which the distance of rows should be no multiple, and how many more they are apart then."""
_APART = 64

_FEW_COPIES = 4
"""Copies of a row that are made straight from the source; more are made of a piece that has its margins."""


def distance(width: int, itemsize: int) -> int:
    """Return how far apart rows of that many elements lie, so that a column of them fits into the cache.

    Places that are a multiple of some kilobytes apart compete for the same few lines of it.
    """
    return width if width * itemsize % _ALIASED else width + _APART // itemsize


class BandSteps:
    """Indices, shapes and strides of one block, worked out once for every array that it is applied to.

    Its products are `width` columns long, and each slab of the band is multiplied in so many equal `parts`.
    A source that is `near` may be read several times.
    """

    def __init__(self, band: Band, block: Block, itemsize: int, width: int, parts: int, near: bool) -> None:
        self._band = band
        self.block = block
        self.groups = slice(*block.group)
        problem, lane = band.problem, band.lane
        *leading, across, _ = problem.readings
        *outer, places, lanes = block.counts
        bands = -(-places // band.rows)
        loaded = lane.places(block.places[-1])
        self.columns = loaded[1] - loaded[0]
        self._in_place = lane.read.step == 1 and (near or lane.copies == 1) and lane.copies <= _FEW_COPIES
        self._reads = self._reads_of(bands, loaded)
        items, groups, columns, *positions, _, _ = self._reads.shape
        self._laid = (items, groups, *positions, columns, lane.copies, distance(width, itemsize))
        self._channels_first = (0, 1, 2 + len(positions), *range(2, 2 + len(positions)), -2, -1)
        self._copies = [] if self._in_place else self._copies_of(contiguous(self._reads.shape, itemsize))
        strides = contiguous(self._laid, itemsize)
        by_position = strides[2 : 2 + len(leading)]
        by_place = [reading.step * stride for reading, stride in zip(leading, by_position, strict=True)]
        by_offset = [
            reading.offsets.step * stride for reading, stride in zip(leading, by_position, strict=True)
        ]
        stacked = (items, groups, *outer, bands)
        self.windows = (*stacked, band.inner, width)
        self.strides = (*strides[:2], *by_place, band.rows * across.step * strides[-4], *strides[-2:])
        self.starts = [
            sum([offset * stride for offset, stride in zip(offsets, by_offset, strict=True)])
            for offsets in band.offsets
        ]
        """Where the windows begin in what is laid out, for each offset of the leading axes."""
        before, after = lane.margins(block.places[-1])
        self._products = slice(before, before + width)
        self.values = (*stacked, band.outer, before + max(width, self.columns + after))
        self.sums = (*stacked, band.rows * problem.phases * problem.rows, lanes)
        self.slabs = [
            (
                slab,
                (groups, *[1] * (len(outer) + 1), parts, slab.height // parts, slab.inner),
                (*stacked, parts, slab.height // parts, width),
            )
            for slab in band.slabs
        ]
        """The slabs of the band, each with the shapes of its matrices and of their products."""
        self.direct = band.direct and width == lanes and places % band.rows == 0
        """Whether products are written where they belong in the result."""
        of_axes = [slice(*part) for part in block.places]
        self._place = (slice(*block.batch), self.groups, slice(None), *of_axes)
        self._channels_last = (0, 1, *range(3, 2 + len(of_axes)), 2, 2 + len(of_axes))

    @cached_property
    def elements(self) -> int:
        """Elements of all scratch arrays."""
        results = min(len(self.starts), 2) * prod(self.values)
        if isinstance(self._band.lane, Added):
            results += prod(self.sums)
        loaded = 0 if self._in_place else prod(self._reads.shape)
        return loaded + prod(self._laid) + results

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

    def inside(self, values: Array) -> Array:
        """Return where the products lie among the values."""
        return values[..., self._products]

    def apart(self, values: Array) -> Array:
        """Return a view with an axis of their own for the taps of the last axis, or for its phases."""
        problem = self._band.problem
        before = self._band.rows * prod([len(reading.taps) for reading in problem.readings[:-1]])
        return values.reshape(*values.shape[:-2], before, -1, problem.rows, values.shape[-1])

    def target(self, out: Array) -> Array:
        """Return the block's place in the result, in the layout of the products, if they are `direct`."""
        region = out[self._place]
        if region.shape[2] == 1:
            return region.reshape(self.values)
        return region.transpose(self._channels_last)

    def store(self, values: Array, out: Array) -> None:
        """Write the values where they belong in the result."""
        store(self._as_stored(values), out, self._band.problem.readings, self.block)

    def fetch(self, values: Array, result: Array) -> None:
        """Read what `store` writes."""
        fetch(self._as_stored(values), result, self._band.problem.readings, self.block)

    def _reads_of(self, bands: int, loaded: Range) -> Reads:
        """Return what is loaded: so many whole bands, which may reach beyond the result."""
        problem, lane = self._band.problem, self._band.lane
        *outer, (first, _), _ = self.block.places
        places = (*outer, (first, first + bands * self._band.rows), loaded)
        what = offset_reads if self._in_place else reads
        return what((*problem.readings[:-1], lane.read), problem.columns, self.block._replace(places=places))

    def _copies_of(self, strides: tuple[int, ...]) -> list[tuple[Any, ...]]:
        """Return index, shape, strides and start of each copy from the loaded source."""
        copies = []
        *before, offsets, _ = self._laid
        for chosen, start, by_offset in self._band.lane.views(strides):
            shape = (*before, len(range(offsets)[chosen]), self.columns)
            by_axis = (*strides[:2], *strides[3:-2], strides[2], by_offset, strides[-1])
            copies.append(((..., chosen, slice(self.columns)), shape, by_axis, start))
        return copies

    def _as_stored(self, values: Array) -> Array:
        """Return a view of values as `store` takes them."""
        problem = self._band.problem
        phases = [len(reading.taps) for reading in problem.readings]
        *stacked, bands, _, lanes = values.shape
        values = values.reshape(*stacked, bands * self._band.rows, *phases, problem.rows, lanes)
        axes = len(phases)
        before = list(range(2, 2 + axes - 1))
        order = [0, 1, values.ndim - 2, *before, values.ndim - 1, *range(1 + axes, 1 + 2 * axes)]
        return values.transpose(order)
