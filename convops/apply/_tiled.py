"""One direction of a convolution as tiles see it: what it reads, and the tilings to choose from."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from convops._arrays import Array
from convops._axis import Axis
from convops.apply._bands import Bands
from convops.apply._columns import Columns
from convops.apply._finite import finite
from convops.apply._pointwise import Pointwise
from convops.apply._problem import Problem, Tiling
from convops.apply._reading import Reading, adjoint_reading, forward_reading
from convops.apply._sums import Sums
from convops.apply._whole import Whole
from convops.apply._windows import Windows
from convops.geometry import ConvGeometry

_TRIVIAL = Reading(1, 1, 1, 1, range(1), {0: (0,)})


class TiledProduct:
    """One direction: a weight of shape ``(groups, rows, columns, *taps)``, what it reads, and its tiles."""

    def __init__(self, weight: Array, readings: list[Reading], tiling: Tiling) -> None:
        self._groups, self._rows, self._columns = weight.shape[:3]
        self._sizes = tuple([reading.size for reading in readings])
        self._sparse = any(len(reading.taps) < reading.phases for reading in readings)
        self._plane = (1,) if len(readings) == 1 else ()
        self._tiling = tiling
        weight = weight.reshape(*weight.shape[:3], *self._plane, *weight.shape[3:])
        self._matrices = self._tiling.matrices(weight)
        self._regular = bool(np.isfinite(weight).all())

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

    def sound(self, result: Array) -> bool:
        """Return whether NaN and inf are sure to be only where taps put them in such a product."""
        out = result.reshape(len(result), self._groups, self._rows, *self._plane, *self._sizes)
        return all(map(finite, self._tiling.telling(out) if self._regular else [out]))


def padded_axes(geometry: ConvGeometry) -> tuple[Axis, ...]:
    """Return the axes to extend, none if it is by zeros alone: the tiles find those themselves."""
    axes = [axis._replace(before=0, after=0) if axis.boundary == "zeros" else axis for axis in geometry.axes]
    return tuple(axes) if any(axis.before or axis.after for axis in axes) else ()


def readings_of(geometry: ConvGeometry, adjoint: bool) -> list[Reading]:
    """Return how the result reads the source, axis by axis."""
    return [(adjoint_reading if adjoint else forward_reading)(axis) for axis in geometry.axes]


def problem_of(geometry: ConvGeometry, dtype: np.dtype[Any], adjoint: bool) -> Problem:
    """Return the problem of one direction; a single axis gets a trivial one before it."""
    readings, groups = readings_of(geometry, adjoint), geometry.groups
    whole = (_TRIVIAL, *readings) if len(readings) == 1 else tuple(readings)
    out, into = geometry.out_channels // groups, geometry.in_channels // groups
    return Problem(whole, groups, *((into, out) if adjoint else (out, into)), dtype)


def tilings_of(problem: Problem) -> Iterator[Tiling]:
    """Yield the tilings to choose from."""
    yield from Whole.candidates(problem)
    yield from Pointwise.candidates(problem)
    yield Columns(problem)
    yield from Sums.candidates(problem)
    yield from Bands.candidates(problem)
    yield from Windows.candidates(problem)
