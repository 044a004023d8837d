"""A convolution as matrix products of overlapping tiles: block-Toeplitz matrices times BLAS."""

from collections.abc import Iterator
from functools import cached_property, lru_cache
from math import prod
from typing import Any

import numpy as np

from convops._arrays import Array
from convops._axis import Axis
from convops._memory import refuse_beyond_memory
from convops.apply._bands import Bands
from convops.apply._blocks import keep_freed_memory
from convops.apply._columns import Columns
from convops.apply._problem import Problem, Tiling, cheapest
from convops.apply._reading import Reading, adjoint_reading, forward_reading
from convops.apply._sums import Sums
from convops.apply._whole import Whole
from convops.apply._windows import Windows
from convops.apply.cost import Cost
from convops.boundary import extend, fold
from convops.geometry import ConvGeometry

CALL = 25e-6
"""Seconds that one application takes whatever its size."""

_TRIVIAL = Reading(1, 1, 1, 1, range(1), {0: (0,)})


class GemmEngine:
    """W and Wᴴ by tiles: both read the one relation, each from the side of its result.

    Neighbouring places of the result read overlapping pieces of the source through a small banded matrix
    that is the same everywhere. The cost model picks the tiles, once for W and once for Wᴴ. With `exact`
    it multiplies no zeros that W does not hold: slower, but NaN, inf and integers stay where W puts them.
    """

    def __init__(self, geometry: ConvGeometry, weight: Array, exact: bool = False) -> None:
        keep_freed_memory()
        self._geometry = geometry
        self._exact = exact
        groups = geometry.groups
        out, columns = geometry.out_channels // groups, geometry.in_channels // groups
        self._weight = weight.reshape(groups, out, columns, *geometry.kernel_size)
        self._padded = _padded(geometry)
        sizes = [axis.before + axis.size + axis.after for axis in self._padded] or geometry.spatial_shape
        self._elements = geometry.in_channels * prod(sizes) + prod(geometry.output_shape)

    def forward(self, x: Array) -> Array:
        """Return W x; see `Engine`."""
        # Before the border is extended: "antireflect" leaves the range and the precision of a narrow dtype.
        x = x.astype(np.result_type(self._weight, x), copy=False)
        self._refuse_too_large(x)
        with np.errstate(invalid="ignore", over="ignore"):  # as quiet about inf as the sparse product
            return self._forward(extend(x, self._padded) if self._padded else x)

    def adjoint(self, y: Array) -> Array:
        """Return Wᴴ y; see `Engine`."""
        y = y.astype(np.result_type(self._weight, y), copy=False)
        self._refuse_too_large(y)
        with np.errstate(invalid="ignore", over="ignore"):
            x = self._adjoint(y)
            return fold(x, self._padded) if self._padded else x

    @cached_property
    def _forward(self) -> "_Product":
        return self._product(self._weight, False)

    @cached_property
    def _adjoint(self) -> "_Product":
        return self._product(self._weight.conj().swapaxes(1, 2), True)

    def _product(self, weight: Array, adjoint: bool) -> "_Product":
        geometry, dtype = self._geometry, weight.dtype
        exact = self._exact
        tiling = Sums(_problem(geometry, dtype, adjoint)) if exact else _tiling_of(geometry, dtype, adjoint)
        return _Product(weight, _readings(geometry, adjoint), tiling)

    def _refuse_too_large(self, block: Array) -> None:
        """Raise MemoryError if the extended input and the result do not fit the memory that is left."""
        geometry = self._geometry
        refuse_beyond_memory(
            len(block) * self._elements * block.itemsize,
            f"the input of shape {geometry.input_shape}, padded by {geometry.padding}, and the result",
            "Pad less, or apply the operator to smaller batches.",
        )


def estimate(geometry: ConvGeometry, dtype: np.dtype[Any]) -> Cost:
    """Return the cost of one forward application."""
    cost = _tiling_of(geometry, dtype, False).cost
    cost = cost._replace(seconds=cost.seconds + CALL)
    if not _padded(geometry):
        return cost
    sizes = [reading.source for reading in _readings(geometry, False)]
    return cost.plus_extension(geometry.in_channels, sizes, dtype)


class _Product:
    """One direction: a weight of shape ``(groups, rows, columns, *taps)``, what it reads, and its tiles."""

    def __init__(self, weight: Array, readings: list[Reading], tiling: Tiling) -> None:
        self._groups, self._rows, self._columns = weight.shape[:3]
        self._sizes = tuple([reading.size for reading in readings])
        self._sparse = any(len(reading.taps) < reading.phases for reading in readings)
        self._plane = (1,) if len(readings) == 1 else ()
        self._tiling = tiling
        weight = weight.reshape(*weight.shape[:3], *self._plane, *weight.shape[3:])
        self._matrices = self._tiling.matrices(weight)

    def __call__(self, block: Array) -> Array:
        """Return the product with a block of shape ``(batch, channels, *source)``."""
        if block.dtype.kind == "c" and self._matrices.dtype.kind != "c":
            parts = self(np.concatenate([block.real, block.imag]))
            out = np.empty((len(block), *parts.shape[1:]), block.dtype)
            out.real, out.imag = parts[: len(block)], parts[len(block) :]
            return out
        shape = (len(block), self._groups, self._rows, *self._plane, *self._sizes)
        out = (np.zeros if self._sparse else np.empty)(shape, block.dtype)
        source = block.reshape(len(block), self._groups, self._columns, *self._plane, *block.shape[2:])
        self._tiling.run(source, out, self._matrices.astype(block.dtype, copy=False))
        return out.reshape(len(block), -1, *self._sizes)


def _padded(geometry: ConvGeometry) -> tuple[Axis, ...]:
    """Return the axes to extend, none if it is by zeros alone: the tiles find those themselves."""
    axes = [axis._replace(before=0, after=0) if axis.boundary == "zeros" else axis for axis in geometry.axes]
    return tuple(axes) if any(axis.before or axis.after for axis in axes) else ()


def _readings(geometry: ConvGeometry, adjoint: bool) -> list[Reading]:
    return [(adjoint_reading if adjoint else forward_reading)(axis) for axis in geometry.axes]


def _problem(geometry: ConvGeometry, dtype: np.dtype[Any], adjoint: bool) -> Problem:
    """Return the problem of one direction; a single axis gets a trivial one before it."""
    readings, groups = _readings(geometry, adjoint), geometry.groups
    whole = (_TRIVIAL, *readings) if len(readings) == 1 else tuple(readings)
    out, into = geometry.out_channels // groups, geometry.in_channels // groups
    return Problem(whole, groups, *((into, out) if adjoint else (out, into)), dtype)


@lru_cache(32)
def _tiling_of(geometry: ConvGeometry, dtype: np.dtype[Any], adjoint: bool) -> Tiling:
    """Return the tiling of the least cost; it knows no weight, so operators of one geometry share it."""
    return cheapest(_tilings(_problem(geometry, dtype, adjoint)))


def _tilings(problem: Problem) -> Iterator[Tiling]:
    yield from Whole.candidates(problem)
    yield Columns(problem)
    yield Sums(problem)
    yield from Bands.candidates(problem)
    yield from Windows.candidates(problem)
