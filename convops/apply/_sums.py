"""Sums: the source times every tap at once, then each tap's product added where it belongs (overlap-add).

Nothing is laid out and no zeros are multiplied, so a NaN, an infinity or an integer goes exactly where W
takes it. The additions cost little beside the products where the source has many more
channels than the result. The phases of a place are summed apart: they share nothing but what they read.
"""

from collections.abc import Iterator
from functools import cached_property, partial
from itertools import product
from math import inf, prod
from typing import Any, NamedTuple, Self

import numpy as np

from convops._arrays import Array
from convops.apply._blocks import Range, Scratch, ranges
from convops.apply._overlap import Overlap, rows_match
from convops.apply._pairs import multiply
from convops.apply._problem import Problem, equal_parts, fitting
from convops.apply._reading import Reading
from convops.apply._threads import share, workers
from convops.apply.cost import CACHE, Cost, addition_seconds, product_seconds, small_product

Tap = tuple[int, ...]
"""The number of an offset on each axis."""
Places = tuple[slice, ...]

_BLOCK = 15e-6
"""Seconds that Python takes for one block whose products are added at once."""
_TAP = 2e-6
"""Seconds that it takes for one tap of one block else."""
_MOST = 2 * CACHE
"""Bytes of products in one block."""
_READ = 20e9
"""Bytes a second that products read of a source that no copy has brought near."""
_PART = 16
"""Channels of the result that are multiplied together, at most, where there are many."""


class _Phase(NamedTuple):
    """The taps of one phase on each axis: rows `begin` to `end` of the matrices."""

    phases: tuple[int, ...]
    reached: list[list[int]]
    """The numbers of the offsets that have a tap, on each axis."""
    begin: int
    end: int

    @property
    def taps(self) -> list[Tap]:
        """All taps, in the order of the matrices' rows."""
        return list(product(*self.reached))


_Place = tuple[int, int]
"""The first row of a phase's matrices, and the first of the source."""


class Sums:
    """Products of blocks of the source, per phase and some channels of the result, and their sums.

    They are `small` ones, for which BLAS wakes no threads, so that ours can share the channels of the result;
    or as large as blocks allow, for its threads.
    """

    def __init__(self, problem: Problem, small: bool = True) -> None:
        self._problem = problem
        self._phases = _phases_of(problem)
        self._outer = self._phases[-1].end
        first, *rest = [reading.source for reading in problem.readings]
        self._across = prod(rest)
        part = _largest_divisor(problem.rows, _PART)
        positions = small_product(problem.dtype) // (part * problem.columns)
        self._small = small and self._across <= positions
        self._at_once = rows_match(problem.readings)
        self._part = part if self._small else problem.rows
        most = max(phase.end - phase.begin for phase in self._phases)
        (self._height,) = fitting((first,), most * self._across * problem.dtype.itemsize, _MOST)
        if self._small:
            self._height = min(self._height, positions // self._across)
        self.cost = self._cost()
        self.summands = inf

    @classmethod
    def candidates(cls, problem: Problem) -> Iterator[Self]:
        """Yield the tiling by small products, and by large ones where it cuts those up."""
        yield (first := cls(problem))
        if first._small and any(products > 1 for products, _ in first._products()):
            yield cls(problem, small=False)

    def _cost(self) -> Cost:
        problem, height = self._problem, self._height
        blocks = problem.groups * -(-problem.readings[0].source // height)
        rows, multiplied = height, blocks * self._outer * height * self._across
        products = [
            count * product_seconds(outer, problem.columns, height * self._across, problem.dtype)
            for count, outer in self._products()
        ]
        read = problem.groups * problem.columns * problem.readings[0].source * self._across
        if self._at_once:
            first = problem.readings[0]
            # Seen from where they are added, all taps reach all rows that any of them is added to.
            rows = min(height + first.span - 1, first.places)
            run, python = rows * self._across, len(self._phases) * _BLOCK
        else:
            run, python = problem.readings[-1].source, (self._outer // problem.rows) * _TAP
        added = blocks * self._outer * rows * self._across
        seconds = (
            blocks * (sum(products) + python)
            + read * problem.dtype.itemsize / _READ
            + addition_seconds(added, run, problem.dtype)
        )
        nbytes = 2.0 * (multiplied + added) * problem.dtype.itemsize
        return Cost(2.0 * multiplied * problem.columns, nbytes, seconds)

    def _products(self) -> Iterator[tuple[int, int]]:
        """Yield, per phase, how many products a block of the source takes, and how many rows each has."""
        for phase in self._phases:
            rows = len(phase.taps) * self._part
            cut = self._cut(rows, self._height * self._across)
            yield self._problem.rows // self._part * cut, rows // cut

    def _cut(self, rows: int, positions: int) -> int:
        """Return into how many products that many rows of a block are cut."""
        if not self._small:
            return 1
        return equal_parts(rows, self._problem.columns * positions, small_product(self._problem.dtype))

    def matrices(self, weight: Array) -> Array:
        """Return ``(groups, rows, columns)``: of each phase and part of the channels, all taps together."""
        readings = self._problem.readings
        tiles = np.empty((len(weight), self._outer, weight.shape[2]), weight.dtype)
        for phase in self._phases:
            by_tap = self._by_tap(tiles, phase)
            for number, tap in enumerate(phase.taps):
                of_axis = [r.taps[p][o] for r, p, o in zip(readings, phase.phases, tap, strict=True)]
                chosen: Any = (..., *of_axis)
                by_tap[:, :, number] = weight[chosen].reshape(len(weight), -1, *by_tap.shape[3:])
        return tiles

    def _by_tap(self, matrices: Array, phase: _Phase) -> Array:
        """Return a view ``(groups, parts, taps, channels of a part, columns)`` of a phase."""
        groups, _, columns = matrices.shape
        rows = matrices[:, phase.begin : phase.end]
        return rows.reshape(groups, -1, len(phase.taps), self._part, columns)

    def run(self, source: Array, out: Array, matrices: Array) -> None:
        """Write the result into `out`; see `Tiling`."""
        problem = self._problem
        each = self._outer * self._height * self._across * out.itemsize
        items, groups = fitting((len(source), problem.groups), each, _MOST)
        blocks = problem.rows // self._part
        parts = [
            *product(
                ranges(len(source), items),
                ranges(problem.groups, groups),
                ranges(blocks, -(-blocks // workers()) if self._small else blocks),
                _evenly(self._phases),
            )
        ]
        seconds = self.cost.seconds * len(source) if self._small else 0.0
        share(partial(self._work, source, out, matrices), parts, seconds)

    def telling(self, out: Array) -> list[Array]:
        """Return nothing: there are no zeros beside the taps; see `Tiling`."""
        return []

    def gradient(self, source: Array, result: Array) -> Array:
        """Return what `matrices` is paired with by the inner product of `result`; see `Tiling`."""
        total = np.zeros((self._problem.groups, self._outer, self._problem.columns), result.dtype)
        for phase in self._phases:
            part, sums = self._target(result, phase), self._by_tap(total, phase)
            for number, results, reads in self._places_of(phase, 0, self._problem.readings[0].source):
                places: Any = (..., *results)
                positions: Any = (..., *reads)
                values, read = part[places], source[positions]
                for item, of_item in zip(values, read, strict=True):
                    rows = item.reshape(*item.shape[:2], -1)
                    columns = of_item.reshape(*of_item.shape[:2], -1).swapaxes(-1, -2)
                    products = np.matmul(rows, columns)
                    sums[:, :, number] += products.reshape(len(sums), -1, *sums.shape[3:])
        return total

    @cached_property
    def _blocks(self) -> list[Range]:
        """Rows of the source that are multiplied at once."""
        return ranges(self._problem.readings[0].source, self._height)

    @cached_property
    def _overlaps(self) -> dict[_Place, Overlap]:
        """How the products of each phase and block are added at once; only asked for where they can be."""
        readings = self._problem.readings
        found = {}
        for phase in self._phases:
            offsets = [
                [reading.offsets[number] for number in numbers]
                for reading, numbers in zip(readings, phase.reached, strict=True)
            ]
            for block in self._blocks:
                found[phase.begin, block[0]] = Overlap(readings, offsets, *block)
        return found

    def _work(
        self, source: Array, out: Array, matrices: Array, parts: list[tuple[Range, Range, Range, _Phase]]
    ) -> None:
        problem = self._problem
        products = [
            prod([stop - start for start, stop in of_axes]) * len(phase.taps) * self._part
            for *of_axes, phase in parts
        ]
        length = self._height * self._across
        if self._at_once:
            length = max([overlap.pitch for overlap in self._overlaps.values()])
        scratch = Scratch(out.dtype, max(products) * length)
        for batch, group, blocks, phase in parts:
            target = self._target(out[slice(*batch), slice(*group)], phase)
            # Some channels of the result, on two axes: blocks, and those of a block.
            split = (*target.shape[:2], problem.rows // self._part, self._part, *target.shape[3:])
            target = target.reshape(split)[:, :, slice(*blocks)]
            # Additions to every other place take three times as long as additions to neighbouring ones.
            sums = target
            if any(reading.phases > 1 for reading in problem.readings):
                sums = np.empty((*target.shape[:4], *problem.counts), out.dtype)
            operand = source[slice(*batch), slice(*group)]
            matrix = self._by_tap(matrices, phase)[slice(*group), slice(*blocks)]
            add = self._add_at_once if self._at_once else self._add
            add(matrix, operand, sums, phase, scratch)
            if sums is not target:
                inside: Any = (..., *map(slice, target.shape[4:]))
                target[...] = sums[inside]

    def _add(self, matrix: Array, operand: Array, sums: Array, phase: _Phase, scratch: Scratch) -> None:
        """Write the sums, adding up tap by tap."""
        sums[...] = 0
        for start, stop in self._blocks:
            rows = operand[:, :, :, start:stop]
            shape = (len(rows), *matrix.shape[:-1], *rows.shape[3:])
            scratch.clear()
            values = scratch.array("values", shape)
            self._multiply(matrix, rows, values.reshape(*shape[:5], -1))
            for number, results, reads in self._places_of(phase, start, stop):
                result: Any = (..., *results)
                read: Any = (slice(None), slice(None), slice(None), number, slice(None), *reads)
                sums[result] += values[read]

    def _add_at_once(
        self, matrix: Array, operand: Array, sums: Array, phase: _Phase, scratch: Scratch
    ) -> None:
        """Write the sums, adding up all taps of a block at once."""
        whole = len(self._blocks) == 1 and self._overlaps[phase.begin, 0].whole
        if not whole:
            sums[...] = 0
        for start, stop in self._blocks:
            overlap = self._overlaps[phase.begin, start]
            rows = operand[:, :, :, start:stop]
            shape = (len(rows), *matrix.shape[:-1], overlap.pitch)
            scratch.clear()
            lines = scratch.array("values", shape)
            self._multiply(matrix, rows, overlap.inside(lines))
            overlap.add(lines.reshape(*shape[:3], *map(len, phase.reached), *shape[4:]), sums, fresh=whole)

    def _multiply(self, matrix: Array, rows: Array, products: Array) -> None:
        """Write the products with rows of the source.

        From ``(groups, blocks, taps, channels, columns)`` and ``(items, groups, columns, *rows)`` to
        ``(items, groups, blocks, taps, channels, positions)``.
        """
        items, groups, blocks, taps, part, positions = products.shape
        columns = matrix.shape[-1]
        cut = self._cut(taps * part, positions)
        multiply(
            matrix.reshape(groups, blocks, cut, -1, columns),
            rows.reshape(items, groups, 1, 1, columns, -1),
            out=products.reshape(items, groups, blocks, cut, -1, positions),
        )

    def _target(self, out: Array, phase: _Phase) -> Array:
        """Return the part of `out` that a phase writes."""
        steps = [reading.phases for reading in self._problem.readings]
        part: Any = (..., *[slice(p, None, step) for p, step in zip(phase.phases, steps, strict=True)])
        target: Array = out[part]
        return target

    def _places_of(self, phase: _Phase, start: int, stop: int) -> Iterator[tuple[int, Places, Places]]:
        """Yield each tap's number, the places that read ``start <= row < stop`` by it, and what they read."""
        readings = self._problem.readings
        bounds = [(start, stop), *[(0, reading.source) for reading in readings[1:]]]
        places = [
            [_places(reading, number, offset, *bound) for offset in reading.offsets]
            for reading, number, bound in zip(readings, phase.phases, bounds, strict=True)
        ]
        for number, tap in enumerate(phase.taps):
            results, reads = zip(*[on_axis[o] for on_axis, o in zip(places, tap, strict=True)], strict=True)
            yield number, results, reads


def _largest_divisor(number: int, most: int) -> int:
    """Return the largest divisor of at most `most`; the number itself where none leaves parts worth it."""
    for divisor in range(min(number, most), most // 2, -1):
        if number % divisor == 0:
            return divisor
    return number


def _phases_of(problem: Problem) -> list[_Phase]:
    """Return the phases that have any tap on each axis."""
    found, begin = [], 0
    for phases in product(*[reading.taps for reading in problem.readings]):
        reached = [
            [number for number, tap in enumerate(reading.taps[phase]) if tap >= 0]
            for reading, phase in zip(problem.readings, phases, strict=True)
        ]
        found.append(_Phase(phases, reached, begin, begin + prod(map(len, reached)) * problem.rows))
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
