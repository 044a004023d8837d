"""Pointwise: where each place reads itself alone, the channels of all places times one matrix, in place."""

from collections.abc import Iterator
from functools import partial
from math import inf, prod
from typing import Self

import numpy as np

from convops._arrays import Array
from convops.apply._pairs import alone, multiply, paired, summands
from convops.apply._problem import Problem
from convops.apply._threads import share, summed
from convops.apply.cost import Cost, product_seconds, small_product


class Pointwise:
    """One product per batch item and group, of arrays as they are; large ones are shared by BLAS itself."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        rows, columns, places = problem.rows, problem.columns, prod(problem.counts)
        self._small = columns == 1 or rows * columns * places <= small_product(problem.dtype)
        flops = 2.0 * problem.groups * rows * columns * places
        nbytes = float(problem.groups * (rows + columns) * places * problem.dtype.itemsize)
        seconds = problem.groups * product_seconds(rows, columns, places, problem.dtype)
        self.cost = Cost(flops, nbytes, seconds)
        self._apart = alone(rows, columns, problem.dtype)
        each = summands(rows, columns, places, problem.dtype)
        self.summands = problem.groups * each if self._apart else inf

    @classmethod
    def candidates(cls, problem: Problem) -> Iterator[Self]:
        """Yield the tiling where it is one."""
        own = all(
            reading.trivial and reading.offsets[0] == 0 and reading.source == reading.size
            for reading in problem.readings
        )
        if own:
            yield cls(problem)

    def matrices(self, weight: Array) -> Array:
        """Return ``(groups, rows, columns)``."""
        return np.ascontiguousarray(weight.reshape(weight.shape[:3]))

    def run(self, source: Array, out: Array, matrices: Array) -> None:
        """Write the result into `out`; see `Tiling`."""
        seconds = self.cost.seconds * len(source) if self._small else 0.0
        share(partial(self._work, source, out, matrices), range(len(source)), seconds)

    def telling(self, out: Array) -> list[Array]:
        """Return nothing: there are no zeros beside the taps; see `Tiling`."""
        return []

    def gradient(self, source: Array, result: Array) -> Array:
        """Return what `matrices` is paired with by the inner product of `result`; see `Tiling`."""
        seconds = self.cost.seconds * len(source) if self._apart else 0.0
        return summed(partial(self._gradient_of, source, result), list(range(len(source))), seconds)

    def _work(self, source: Array, out: Array, matrices: Array, items: list[int]) -> None:
        for item in items:
            multiply(matrices, _flat(source[item]), out=_flat(out[item]))

    def _gradient_of(self, source: Array, result: Array, items: list[int]) -> Array:
        total = paired(_flat(result[items[0]]), _flat(source[items[0]]))
        for item in items[1:]:
            total += paired(_flat(result[item]), _flat(source[item]))
        return total


def _flat(array: Array) -> Array:
    """Return a view of ``(groups, channels, *places)`` with all places on one axis."""
    return array.reshape(*array.shape[:2], -1)
