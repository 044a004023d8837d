"""Sums: the source times every tap at once, then each tap's product added where it belongs (overlap-add).

Nothing is laid out and no zeros are multiplied, so a NaN, an infinity or an integer goes exactly where W
takes it. The additions cost little beside the products where the source has many more
channels than the result. The phases of a place are summed apart: they share nothing but what they read.
"""

from collections.abc import Iterator
from functools import partial
from itertools import product
from math import inf, prod
from typing import Any, NamedTuple

import numpy as np

from convops._arrays import Array
from convops.apply._blocks import Range, Scratch, ranges
from convops.apply._problem import Problem, fitting
from convops.apply._reading import Reading
from convops.apply._threads import share
from convops.apply.cost import CACHE, SMALL_PRODUCT, Cost, addition_seconds, product_seconds

Tap = tuple[int, ...]
"""The number of an offset on each axis."""
Places = tuple[slice, ...]

_BLOCK = 2e-6
"""Seconds that Python takes for one tap of one block."""
_MOST = 2 * CACHE
"""Bytes of products in one block."""
_READ = 20e9
"""Bytes a second that products read of a source that no copy has brought near."""
_THIN = 32
"""Positions of a row below which a product by rows is too thin."""


class _Phase(NamedTuple):
    """The taps of one phase on each axis: rows `begin` to `end` of the matrices."""

    phases: tuple[int, ...]
    offsets: list[Tap]
    begin: int
    end: int


class Sums:
    """One product per block of the source and phase of the result, and an addition per tap."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._phases = _phases_of(problem)
        self._outer = self._phases[-1].end
        first, *rest = [reading.source for reading in problem.readings]
        self._across = prod(rest)
        most = max(phase.end - phase.begin for phase in self._phases)
        # Products by rows of the source need no threads of BLAS, so that phases can be shared among ours.
        self._by_rows = self._across >= _THIN and most * problem.columns * self._across <= SMALL_PRODUCT
        (self._height,) = fitting((first,), most * self._across * problem.dtype.itemsize, _MOST)
        self.cost = self._cost()
        self.summands = inf

    def _cost(self) -> Cost:
        problem, height = self._problem, self._height
        blocks = problem.groups * -(-problem.readings[0].source // height)
        times, positions = (height, self._across) if self._by_rows else (1, height * self._across)
        added = blocks * self._outer * height * self._across
        products = [
            times * product_seconds(phase.end - phase.begin, problem.columns, positions, problem.dtype)
            for phase in self._phases
        ]
        read = problem.groups * problem.columns * problem.readings[0].source * self._across
        seconds = (
            blocks * sum(products)
            + read * problem.dtype.itemsize / _READ
            + addition_seconds(added, problem.readings[-1].source, problem.dtype)
            + blocks * (self._outer // problem.rows) * _BLOCK
        )
        return Cost(2.0 * added * problem.columns, 4.0 * added * problem.dtype.itemsize, seconds)

    def matrices(self, weight: Array) -> Array:
        """Return ``(groups, taps and rows, columns)``, the taps of each phase together."""
        readings = self._problem.readings
        tiles = np.empty((len(weight), self._outer, weight.shape[2]), weight.dtype)
        for phases, offsets, begin, _ in self._phases:
            for start, tap in enumerate(offsets):
                of_axis = [r.taps[phase][o] for r, phase, o in zip(readings, phases, tap, strict=True)]
                chosen: Any = (..., *of_axis)
                rows = slice(begin + start * weight.shape[1], begin + (start + 1) * weight.shape[1])
                tiles[:, rows] = weight[chosen]
        return tiles

    def run(self, source: Array, out: Array, matrices: Array) -> None:
        """Write the result into `out`; see `Tiling`."""
        problem = self._problem
        each = self._outer * self._height * self._across * out.itemsize
        items, groups = fitting((len(source), problem.groups), each, _MOST)
        parts = [*product(ranges(len(source), items), ranges(problem.groups, groups), _evenly(self._phases))]
        seconds = self.cost.seconds * len(source) if self._by_rows else 0.0
        share(partial(self._work, source, out, matrices), parts, seconds)

    def gradient(self, source: Array, result: Array) -> Array:
        """Return what `matrices` is paired with by the inner product of `result`; see `Tiling`."""
        total = np.zeros((self._problem.groups, self._outer, self._problem.columns), result.dtype)
        for phase in self._phases:
            part = self._target(result, phase)
            for number, results, reads in self._places_of(phase, 0, self._problem.readings[0].source):
                places: Any = (..., *results)
                positions: Any = (..., *reads)
                values, read = part[places], source[positions]
                begin = phase.begin + number * self._problem.rows
                for item, of_item in zip(values, read, strict=True):
                    rows = item.reshape(*item.shape[:2], -1)
                    columns = of_item.reshape(*of_item.shape[:2], -1).swapaxes(-1, -2)
                    total[:, begin : begin + self._problem.rows] += np.matmul(rows, columns)
        return total

    def _work(
        self, source: Array, out: Array, matrices: Array, parts: list[tuple[Range, Range, _Phase]]
    ) -> None:
        rows = ranges(self._problem.readings[0].source, self._height)
        products = [
            (item_stop - item) * (group_stop - group) * (phase.end - phase.begin)
            for (item, item_stop), (group, group_stop), phase in parts
        ]
        scratch = Scratch(out.dtype, max(products) * self._height * self._across)
        for batch, group, phase in parts:
            target = self._target(out[slice(*batch), slice(*group)], phase)
            # Additions to every other place take three times as long as additions to neighbouring ones.
            sums = target if len(self._phases) == 1 else np.empty(self._sums_shape(target), out.dtype)
            sums[...] = 0
            operand, matrix = (
                source[slice(*batch), slice(*group)],
                matrices[slice(*group), phase.begin : phase.end],
            )
            for start, stop in rows:
                values = self._multiply(matrix, operand[:, :, :, start:stop], scratch)
                self._add(values, sums, phase, start, stop)
            if sums is not target:
                inside: Any = (..., *map(slice, target.shape[3:]))
                target[...] = sums[inside]

    def _target(self, out: Array, phase: _Phase) -> Array:
        """Return the part of `out` that a phase writes."""
        steps = [reading.phases for reading in self._problem.readings]
        part: Any = (..., *[slice(p, None, step) for p, step in zip(phase.phases, steps, strict=True)])
        target: Array = out[part]
        return target

    def _sums_shape(self, target: Array) -> tuple[int, ...]:
        return (*target.shape[:3], *self._problem.counts)

    def _multiply(self, matrix: Array, operand: Array, scratch: Scratch) -> Array:
        """Return the products with rows of the source: ``(batch, groups, taps, rows, *source)``."""
        items, groups, columns, height, *rest = operand.shape
        outer = matrix.shape[1]
        if self._by_rows:
            stacked = operand.reshape(items, groups, columns, height, -1).swapaxes(2, 3)
            values = scratch.array("values", (items, groups, height, outer, self._across))
            np.matmul(matrix[:, None], stacked, out=values)
            values = np.moveaxis(values, 2, 3)
        else:
            values = scratch.array("values", (items, groups, outer, height * self._across))
            np.matmul(matrix, operand.reshape(items, groups, columns, -1), out=values)
            values = values.reshape(items, groups, outer, height, self._across)
        return values.reshape(items, groups, -1, self._problem.rows, height, *rest)

    def _add(self, values: Array, sums: Array, phase: _Phase, start: int, stop: int) -> None:
        """Add the products of the source's rows ``start <= row < stop``."""
        for number, results, reads in self._places_of(phase, start, stop):
            result: Any = (..., *results)
            read: Any = (slice(None), slice(None), number, slice(None), *reads)
            sums[result] += values[read]

    def _places_of(self, phase: _Phase, start: int, stop: int) -> Iterator[tuple[int, Places, Places]]:
        """Yield each tap's number, the places that read ``start <= row < stop`` by it, and what they read."""
        readings = self._problem.readings
        bounds = [(start, stop), *[(0, reading.source) for reading in readings[1:]]]
        places = [
            [_places(reading, number, offset, *bound) for offset in reading.offsets]
            for reading, number, bound in zip(readings, phase.phases, bounds, strict=True)
        ]
        for number, tap in enumerate(phase.offsets):
            results, reads = zip(*[on_axis[o] for on_axis, o in zip(places, tap, strict=True)], strict=True)
            yield number, results, reads


def _phases_of(problem: Problem) -> list[_Phase]:
    """Return the phases that have any tap on each axis."""
    found, begin = [], 0
    for phases in product(*[reading.taps for reading in problem.readings]):
        reached = [
            [number for number, tap in enumerate(reading.taps[phase]) if tap >= 0]
            for reading, phase in zip(problem.readings, phases, strict=True)
        ]
        offsets = list(product(*reached))
        found.append(_Phase(phases, offsets, begin, begin + len(offsets) * problem.rows))
        begin = found[-1].end
    return found


def _evenly(phases: list[_Phase]) -> list[_Phase]:
    """Return phases of few taps, then those of many in falling order: two threads in turn get as much."""
    by_size = sorted(phases, key=lambda phase: phase.end - phase.begin)
    half = len(phases) // 2
    return by_size[:half] + by_size[half:][::-1]


def _places(reading: Reading, phase: int, offset: int, start: int, stop: int) -> tuple[slice, slice]:
    """Return the places m of a phase whose tap reads ``start <= position < stop``, and what they read."""
    places = -(-(reading.size - phase) // reading.phases)
    low = max(-(-(start - offset) // reading.step), 0)
    high = max(min((stop - 1 - offset) // reading.step + 1, places), low)
    read = offset - start + reading.step * low
    return slice(low, high), slice(read, read + reading.step * (high - low), reading.step)
