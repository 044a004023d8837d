"""The whole product as one dense matrix: the largest tile, and the one with the least overhead."""

from collections.abc import Iterator
from math import prod
from typing import Self

import numpy as np

from convops._arrays import Array
from convops.apply._problem import Problem
from convops.apply._reading import Reading, Table, spread
from convops.apply.cost import Cost, product_seconds

_MOST = 2**14
"""Entries of a matrix that is worth its memory."""


class Whole:
    """One product, for sources and results of a few dozen places."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self._outer = problem.rows * prod([reading.size for reading in problem.readings])
        self._inner = problem.columns * prod([reading.source for reading in problem.readings])
        flops = 2.0 * problem.groups * self._outer * self._inner
        seconds = problem.groups * product_seconds(self._outer, self._inner, 1, problem.dtype)
        self.summands = float(problem.groups * self._outer * self._inner)
        self.cost = Cost(flops, flops / 2 * problem.dtype.itemsize, seconds)

    @classmethod
    def candidates(cls, problem: Problem) -> Iterator[Self]:
        """Yield the tiling where the matrix is small."""
        whole = cls(problem)
        if problem.groups * whole._outer * whole._inner <= _MOST:
            yield whole

    def matrices(self, weight: Array) -> Array:
        """Return ``(groups, inner, outer)``."""
        tiles = spread(weight, [_table(reading) for reading in self._problem.readings])
        sources, results = range(4, tiles.ndim, 2), range(3, tiles.ndim, 2)
        tiles = tiles.transpose(0, 2, *sources, 1, *results)
        return np.ascontiguousarray(tiles).reshape(len(weight), self._inner, self._outer)

    def run(self, source: Array, out: Array, matrices: Array) -> None:
        """Write the result into `out`; see `Tiling`."""
        batch, groups = source.shape[:2]
        if groups == 1:
            np.matmul(source.reshape(batch, -1), matrices[0], out=out.reshape(batch, -1))
        else:
            rows = source.reshape(batch, groups, 1, -1)
            np.matmul(rows, matrices, out=out.reshape(batch, groups, 1, -1))

    def telling(self, out: Array) -> list[Array]:
        """Return one place of each item and group; see `Tiling`."""
        return [out.reshape(*out.shape[:2], -1)[:, :, :1]]

    def gradient(self, source: Array, result: Array) -> Array:
        """Return what `matrices` is paired with by the inner product of `result`; see `Tiling`."""
        batch, groups = source.shape[:2]
        read = source.reshape(batch, groups, -1).transpose(1, 2, 0)
        gradient: Array = np.matmul(read, result.reshape(batch, groups, -1).swapaxes(0, 1))
        return gradient


def _table(reading: Reading) -> Table:
    """Return the taps of all places of the result, by all positions of the source."""
    table = np.full((reading.size, reading.source), -1, dtype=np.intp)
    for phase, taps in reading.taps.items():
        results = np.arange(phase, reading.size, reading.phases)
        for tap, offset in zip(taps, reading.offsets, strict=True):
            read = reading.step * np.arange(results.size) + offset
            inside = np.flatnonzero((read >= 0) & (read < reading.source))
            if tap >= 0:
                table[results[inside], read[inside]] = tap
    return table
