"""The convolution of one array as a map of the weight, by the tiles that apply it to an array."""

from functools import lru_cache
from math import prod
from typing import Any

import numpy as np

from convops._arrays import Array
from convops.apply import gemm
from convops.apply._blocks import keep_freed_memory
from convops.apply._problem import Tiling
from convops.apply._sums import Sums
from convops.apply._tiled import TiledProduct, padded_axes, problem_of, readings_of, tilings_of
from convops.apply.cost import Cost
from convops.apply.gemm import tiling_of
from convops.boundary import extend
from convops.geometry import ConvGeometry

_SUMMAND = 1.5e-9
"""Seconds that adding up one entry of a small matrix takes."""


class KernelGemm:
    """K and Kᵀ by tiles: what tiles multiply by is linear in the weight.

    Each tiling multiplies pieces of the source by matrices in which the taps of the weight stand again and
    again. Kᵀ y is therefore what the pieces of y and of the source make of these matrices' entries, summed
    over the entries of each tap.

    Parameters
    ----------
    geometry : ConvGeometry
        All sizes.
    x : ndarray, shape ``(batch, C_in, *spatial)``
        What is convolved.
    exact : bool
        Multiply nothing that W does not hold: slower, but NaN, inf and integers stay where K puts them.
    """

    def __init__(self, geometry: ConvGeometry, x: Array, exact: bool = False) -> None:
        keep_freed_memory()
        groups = geometry.groups
        self._geometry = geometry
        self._readings = readings_of(geometry, False)
        self._plane = (1,) if len(self._readings) == 1 else ()
        self._channels = groups, geometry.out_channels // groups, geometry.in_channels // groups
        self._exact = exact
        self._tilings: dict[np.dtype[Any], tuple[Tiling, Array]] = {}
        padded = padded_axes(geometry)
        self._source = extend(x, padded) if padded else x

    def forward(self, weight: Array) -> Array:
        """Return K w for a weight ``(C_out, C_in // groups, *kernel)``: ``(batch, C_out, *out)``."""
        geometry, dtype = self._geometry, np.result_type(weight, self._source)
        tiling = (
            Sums(problem_of(geometry, dtype, False)) if self._exact else tiling_of(geometry, dtype, False)
        )
        weight = weight.reshape(*self._channels, *geometry.kernel_size)
        with np.errstate(invalid="ignore", over="ignore"):
            product = TiledProduct(weight, self._readings, tiling)
            return product(self._source.astype(dtype, copy=False))

    def transpose(self, y: Array) -> Array:
        """Return Kᵀ y for y of shape ``(batch, C_out, *out)``: ``(C_out, C_in // groups, *kernel)``."""
        dtype = np.result_type(y, self._source)
        groups, rows, columns = self._channels
        source = self._source.astype(dtype, copy=False)
        source = source.reshape(len(y), groups, columns, *self._plane, *source.shape[2:])
        result = y.astype(dtype, copy=False).reshape(len(y), groups, rows, *self._plane, *y.shape[2:])
        tiling, taps = self._gradient_tiling(dtype)
        with np.errstate(invalid="ignore", over="ignore"):
            entries = tiling.gradient(source, result)
            gradient = _summed_by(taps, entries, groups * rows * columns * prod(self._geometry.kernel_size))
        return gradient.reshape(groups * rows, columns, *self._geometry.kernel_size)

    def _gradient_tiling(self, dtype: np.dtype[Any]) -> tuple[Tiling, Array]:
        """Return the tiling, and the number of the tap at each entry of its matrices: from 1, 0 for none."""
        found = self._tilings.get(dtype)
        if found is None:
            geometry = self._geometry
            tiling = self._exact_tiling(dtype) if self._exact else _gradient_tiling_of(geometry, dtype)
            sizes = *self._channels, *self._plane, *geometry.kernel_size
            taps = tiling.matrices(np.arange(1, prod(sizes) + 1).reshape(sizes))
            found = self._tilings[dtype] = tiling, taps.ravel()
        return found

    def _exact_tiling(self, dtype: np.dtype[Any]) -> Tiling:
        return Sums(problem_of(self._geometry, dtype, False))


def estimates(geometry: ConvGeometry, dtype: np.dtype[Any], batch: int) -> tuple[Cost, Cost]:
    """Return what K and Kᵀ cost."""
    forward = gemm.estimate(geometry, dtype)
    tiling = _gradient_tiling_of(geometry, dtype)
    seconds = tiling.cost.seconds + tiling.summands * _SUMMAND + gemm.CALL
    transpose = tiling.cost._replace(seconds=seconds)
    return forward.times(batch), transpose.times(batch)


def _summed_by(taps: Array, entries: Array, count: int) -> Array:
    """Return the sum of the entries of each tap, in the dtype of the entries."""
    entries = entries.ravel()
    if entries.dtype.kind in "iu":
        sums = np.zeros(count + 1, entries.dtype)
        np.add.at(sums, taps, entries)
        return sums[1:]
    if entries.dtype.kind == "c":
        sums = np.empty(count + 1, entries.dtype)
        sums.real = np.bincount(taps, entries.real, count + 1)
        sums.imag = np.bincount(taps, entries.imag, count + 1)
        return sums[1:]
    return np.bincount(taps, entries, count + 1)[1:].astype(entries.dtype, copy=False)


@lru_cache(32)
def _gradient_tiling_of(geometry: ConvGeometry, dtype: np.dtype[Any]) -> Tiling:
    """Return the tiling whose matrices' gradient costs least."""
    tilings = tilings_of(problem_of(geometry, dtype, False))
    return min(tilings, key=lambda tiling: tiling.cost.seconds + tiling.summands * _SUMMAND)
