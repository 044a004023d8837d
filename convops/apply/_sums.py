"""Sums: the source times every tap at once, then each tap's product added where it belongs (overlap-add).

Nothing is laid out and no zeros are multiplied, so a NaN, an infinity or an integer goes exactly where W
takes it. The additions cost little beside the products where the source has many more
channels than the result.
"""

from collections.abc import Iterator
from itertools import product
from math import prod
from typing import Any

import numpy as np

from convops._arrays import Array
from convops.apply._blocks import Scratch, ranges
from convops.apply._problem import Problem, fitting
from convops.apply._reading import Reading
from convops.apply.cost import CACHE, Cost, copy_seconds, product_seconds

Phases = tuple[int, ...]

_BLOCK = 2e-6
"""Seconds that Python takes for one tap of one block."""
_MOST = 4 * CACHE
"""Bytes of products in one block."""
_ADDITION = 4
"""How much longer a strided addition takes than a copy."""


class Sums:
    """One product per block of the source; the blocks are taken in turn, because their results overlap."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._taps = prod(
            [sum(tap >= 0 for taps in r.taps.values() for tap in taps) for r in problem.readings]
        )
        self._outer = self._taps * problem.rows
        first, *rest = [reading.source for reading in problem.readings]
        self._across = prod(rest)
        each = self._outer * self._across * problem.dtype.itemsize
        (self._height,) = fitting((first,), each, _MOST)
        self.cost = self._cost()

    def _cost(self) -> Cost:
        problem = self._problem
        blocks = problem.groups * -(-problem.readings[0].source // self._height)
        positions = self._height * self._across
        added = blocks * self._outer * positions
        seconds = (
            blocks * product_seconds(self._outer, problem.columns, positions, problem.dtype)
            + _ADDITION * copy_seconds(added, problem.readings[-1].source, problem.dtype)
            + blocks * self._taps * _BLOCK
        )
        return Cost(2.0 * added * problem.columns, 4.0 * added * problem.dtype.itemsize, seconds)

    def matrices(self, weight: Array) -> Array:
        """Return ``(groups, taps and rows, columns)``."""
        axes = range(3, weight.ndim)
        tiles = np.ascontiguousarray(weight.transpose(0, *axes, 1, 2))
        return tiles.reshape(len(weight), -1, self._problem.columns)

    def run(self, source: Array, out: Array, matrices: Array) -> None:
        """Write the result into `out`; see `Tiling`."""
        problem, size = self._problem, self._height * self._across
        flat = source.reshape(*source.shape[:3], -1)
        sums = self._sums(out)
        for target in sums.values():
            target[...] = 0
        items, groups = fitting((len(source), problem.groups), self._outer * size * out.itemsize, _MOST)
        scratch = Scratch(out.dtype, items * groups * self._outer * size)
        rows = ranges(problem.readings[0].source, self._height)
        for batch, group in product(ranges(len(source), items), ranges(problem.groups, groups)):
            for start, stop in rows:
                operand = flat[slice(*batch), slice(*group), :, start * self._across : stop * self._across]
                shape = (*operand.shape[:2], self._outer, operand.shape[-1])
                values = np.matmul(matrices[slice(*group)], operand, out=scratch.array("values", shape))
                chosen = {phases: target[slice(*batch), slice(*group)] for phases, target in sums.items()}
                self._add(values, chosen, start, stop)
        if len(sums) > 1:
            for phases, target in self._interleaved(out).items():
                inside: Any = (..., *map(slice, target.shape[3:]))
                target[...] = sums[phases][inside]

    def _interleaved(self, out: Array) -> dict[Phases, Array]:
        """Return the part of `out` that each phase with any tap writes."""
        readings = self._problem.readings
        steps = [reading.phases for reading in readings]
        parts: dict[Phases, Array] = {}
        for phases in product(*[reading.taps for reading in readings]):
            part: Any = (..., *[slice(phase, None, step) for phase, step in zip(phases, steps, strict=True)])
            parts[phases] = out[part]
        return parts

    def _sums(self, out: Array) -> dict[Phases, Array]:
        """Return where each phase is summed: in `out` if there is one phase, else apart.

        Additions to every other place take three times as long as additions to neighbouring ones.
        """
        parts = self._interleaved(out)
        if len(parts) == 1:
            return parts
        apart = np.empty((len(parts), *out.shape[:3], *self._problem.counts), out.dtype)
        return dict(zip(parts, apart, strict=True))

    def _add(self, values: Array, sums: dict[Phases, Array], start: int, stop: int) -> None:
        """Add the products of the source's rows ``start <= row < stop``."""
        problem = self._problem
        sizes = [reading.source for reading in problem.readings[1:]]
        values = values.reshape(*values.shape[:2], self._taps, problem.rows, stop - start, *sizes)
        first, *rest = problem.readings
        places = [_places(first, start, stop), *[_places(reading, 0, reading.source) for reading in rest]]
        for number, tap in enumerate(product(*places)):
            phases, results, reads = zip(*tap, strict=True)
            result: Any = (..., *results)
            read: Any = (slice(None), slice(None), number, slice(None), *reads)
            sums[phases][result] += values[read]


def _places(reading: Reading, start: int, stop: int) -> Iterator[tuple[int, slice, slice]]:
    """Yield, tap by tap, phase, the places m that read ``start <= position < stop``, what they read."""
    found = {tap: (phase, number) for phase, taps in reading.taps.items() for number, tap in enumerate(taps)}
    for tap in sorted(tap for tap in found if tap >= 0):
        phase, number = found[tap]
        offset = reading.offsets[number]
        low = max(-(-(start - offset) // reading.step), 0)
        high = min((stop - 1 - offset) // reading.step + 1, -(-(reading.size - phase) // reading.phases))
        high = max(high, low)
        read = offset - start + reading.step * low
        yield (
            phase,
            slice(low, high),
            slice(read, read + reading.step * (high - low), reading.step),
        )
