"""A convolution as matrix products of overlapping tiles: block-Toeplitz matrices times BLAS."""

from functools import cached_property, lru_cache
from math import prod
from typing import Any

import numpy as np

from convops._arrays import Array
from convops._memory import ALWAYS_FITS, refuse_beyond_memory
from convops.apply._blocks import keep_freed_memory
from convops.apply._finite import finite
from convops.apply._problem import Tiling, cheapest
from convops.apply._sums import Sums
from convops.apply._tiled import TiledProduct, padded_axes, problem_of, readings_of, tilings_of
from convops.apply._whole import Whole
from convops.apply.cost import BORDER, Cost
from convops.boundary import extend, fold
from convops.geometry import ConvGeometry

CALL = 30e-6
"""Seconds that one application takes whatever its size, its border aside."""


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
        self._padded = padded_axes(geometry)
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

    def sound(self, result: Array, transposed: bool) -> bool:
        """Return whether NaN and inf are where W puts them; see `Engine`."""
        if transposed and self._padded:
            return finite(result)
        return (self._adjoint if transposed else self._forward).sound(result)

    @cached_property
    def _forward(self) -> TiledProduct:
        return self._product(self._weight, False)

    @cached_property
    def _adjoint(self) -> TiledProduct:
        return self._product(self._weight.conj().swapaxes(1, 2), True)

    def _product(self, weight: Array, adjoint: bool) -> TiledProduct:
        geometry, dtype = self._geometry, weight.dtype
        exact = self._exact
        tiling = Sums(problem_of(geometry, dtype, adjoint)) if exact else tiling_of(geometry, dtype, adjoint)
        return TiledProduct(weight, readings_of(geometry, adjoint), tiling)

    def _refuse_too_large(self, block: Array) -> None:
        """Raise MemoryError if the extended input and the result do not fit the memory that is left."""
        needed = len(block) * self._elements * block.itemsize
        if needed < ALWAYS_FITS:
            return
        geometry = self._geometry
        refuse_beyond_memory(
            needed,
            f"the input of shape {geometry.input_shape}, padded by {geometry.padding}, and the result",
            "Pad less, or apply the operator to smaller batches.",
        )


def overhead(geometry: ConvGeometry) -> float:
    """Return the seconds that one application takes whatever the sizes."""
    return CALL + BORDER * len(padded_axes(geometry))


def estimate(geometry: ConvGeometry, dtype: np.dtype[Any]) -> Cost:
    """Return the cost of one forward application."""
    cost = tiling_of(geometry, dtype, False).cost
    cost = cost._replace(seconds=cost.seconds + overhead(geometry))
    readings = readings_of(geometry, False)
    sizes, step = [reading.source for reading in readings], readings[-1].step
    if step > 1:
        read = geometry.in_channels * prod(sizes) * len(readings[-1].remainders) / step
        cost = cost.plus_steps(read, sizes[-1] / step, dtype)
    return cost.plus_extension(geometry.in_channels, sizes, dtype) if padded_axes(geometry) else cost


@lru_cache(32)
def tiling_of(geometry: ConvGeometry, dtype: np.dtype[Any], adjoint: bool) -> Tiling:
    """Return the tiling of the least cost; it knows no weight, so operators of one geometry share it.

    The whole product at once, where it is small, has the least overhead, which no tiling counts.
    """
    problem = problem_of(geometry, dtype, adjoint)
    return next(Whole.candidates(problem), None) or cheapest(tilings_of(problem))
