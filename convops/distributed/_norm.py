"""`operator_norm` of a `DaskConv`: bounds from geometry and weight, without an array of the image's size.

From above: the symbol, seen on a grid, times the norms of the extensions; ``√(‖A‖₁ ‖A‖∞)``; corners, edges
and the inside. They are those of `convops.spectra`, but that no axis is taken frequency by frequency: the
frequencies of one that wraps round, or is mirrored under a symmetric kernel, are among those of the axis
without end, which the grid bounds. From below: a window of the image and the outputs that read it are rows
and columns of W, hence no larger than W.
"""

from dataclasses import replace
from functools import partial
from math import inf, ldexp, nextafter, prod, sqrt
from typing import Any, NamedTuple

import numpy as np

from convops._arrays import Array
from convops._axis import Axis
from convops._layout import Layout
from convops.assembly import oriented
from convops.distributed._dask import dask_array
from convops.geometry import ConvGeometry
from convops.operators import Conv
from convops.operators.closed_forms import scaled, unscaled, with_channels
from convops.operators.map import Map
from convops.spectra import OperatorNorm, operator_norm
from convops.spectra._frequencies import Frequencies, FrequencyAxis, by_group, frequency_axis
from convops.spectra._pieces import norm_of_pieces
from convops.spectra._rounding import UNIT, roundings_of_product
from convops.spectra._sums import norm_of_sums
from convops.spectra._symbol import extension_norm, grid_of, norm_of_sizes, norms_of, roundings_of

_WINDOW = 2**14
"""Samples of a window, all channels together."""
_DENSITY = 16
_CHUNK = 2**27
"""Bytes of a chunk of the vector that attains the lower bound, unless there were very many."""
_MOST_CHUNKS = 2**11


class _Window(NamedTuple):
    """An axis of the window, and where its samples and its outputs begin in the whole."""

    axis: Axis
    sample: int
    output: int


def norm_of(A: Any) -> OperatorNorm:
    """Return two proven bounds of the norm of a `DaskConv`; the vector is a dask array of its input_shape."""
    geometry: ConvGeometry = A.geometry
    small, samples, outputs = _inside(A)
    found = operator_norm(small)
    vector = _placed(found.vector, outputs if A._transposed else samples, A.input_shape)
    if small.geometry == geometry:
        return OperatorNorm(found.lower, found.upper, vector, found.route)
    weight, exponent = scaled(oriented(A._map.weight, geometry, A.flip), inexact=True)
    value, roundings, name = _upper(geometry, weight, ldexp(found.lower, -exponent))
    value += 8 * UNIT * roundings * max(norm_of_sizes(geometry, weight), value)
    upper = nextafter(float(unscaled(np.float64(value), exponent, np.dtype(np.float64))), inf)
    return OperatorNorm(found.lower, upper, vector, f"lower by a window of {small.shape}, upper by {name}")


def norm_in_layout(A: Any, layout: Layout) -> OperatorNorm:
    """Return the bounds of the core of A; where channels share a kernel, the first has the vector."""
    found = norm_of(A._core)
    vector: Any = found.vector[None] if layout.shared else found.vector
    da = dask_array("operator_norm")
    if layout.shared:
        others = A.input_shape[layout.axis] - 1
        rest = da.zeros((others, *vector.shape[1:]), dtype=vector.dtype, chunks=(1, *vector.chunks[1:]))
        vector = da.concatenate([vector, rest])
    return replace(found, vector=da.moveaxis(vector, 0, layout.axis))


def _upper(geometry: ConvGeometry, weight: Array, attained: float) -> tuple[float, int, str]:
    """Return the least bound, how far off it can be in units of 8 u, and where it comes from.

    `attained` is what W makes of some vector of norm 1, at least.
    """
    frequencies, excess, factor = _symbol(geometry, weight)
    largest = float(norms_of(frequencies).max())
    bounds = [(largest * factor, "the symbol on a grid")]
    if (sums := norm_of_sums(geometry, weight)) is not None:
        bounds.append((sums, "sums of rows and of columns"))
    roundings = roundings_of_product(geometry) + roundings_of(frequencies)
    taps = with_channels(geometry, weight)
    structured = any(frequency_axis(axis, taps, at) for at, axis in enumerate(geometry.axes, start=2))
    folds = any(axis.boundary != "zeros" and axis.before + axis.after for axis in geometry.axes)
    if folds and not structured and attained:
        pieces = norm_of_pieces(geometry, weight, attained, largest * excess, min(bounds)[0])
        if pieces is not None:
            bounds.append((pieces, "corners, edges and the inside"))
    value, name = min(bounds)
    return value, roundings, name


def _symbol(geometry: ConvGeometry, weight: Array) -> tuple[Frequencies, float, float]:
    """Return frequencies, and by how much the symbol, and W, can exceed the largest value at them."""
    lines: list[FrequencyAxis] = []
    between = factor = 1.0
    taps = with_channels(geometry, weight)
    for number, axis in enumerate(geometry.axes, start=2):
        exact = frequency_axis(axis, taps, number)
        line, excess = grid_of(axis, _DENSITY)
        if exact is not None and exact.points <= line.points:
            lines.append(exact)
            continue
        lines.append(line)
        between *= excess
        if exact is not None and (exact.cosine or axis.size % axis.stride == 0):
            factor *= excess * sqrt(exact.copies)
        else:
            factor *= excess * extension_norm(axis)
    return Frequencies(tuple(lines), by_group(geometry, weight)), between, factor


def _inside(A: Any) -> tuple[Any, tuple[int, ...], tuple[int, ...]]:
    """Return a window of A as an operator in memory, and where its samples and its outputs begin."""
    geometry: ConvGeometry = A.geometry
    room = int((_WINDOW / geometry.in_channels) ** (1 / len(geometry.axes)))
    windows = [_window(axis, max(room, 2 * axis.effective)) for axis in geometry.axes]
    axes = [window.axis for window in windows]
    spatial = tuple(axis.size for axis in axes)
    small = ConvGeometry(
        geometry.weight_shape,
        (geometry.in_channels, *spatial) if geometry.has_channels else spatial,
        stride=geometry.stride,
        padding=tuple((axis.before, axis.after) for axis in axes),
        dilation=geometry.dilation,
        groups=geometry.groups,
        boundary=tuple(axis.boundary for axis in axes),
    )
    operator: Any = Conv._of(Map(small, A._map.weight, A.flip, "auto"), False)
    if A._transposed:
        operator = operator.H if A._conjugated else operator.T
    first = (0,) * geometry.has_channels
    samples, outputs = [window.sample for window in windows], [window.output for window in windows]
    return operator, (*first, *samples), (*first, *outputs)


def _window(axis: Axis, size: int) -> _Window:
    """Return so many samples of the inside of an axis with all outputs that read them, or the whole axis."""
    start, stop = axis.interior
    earlier = (axis.effective - 1) // axis.stride
    sample = axis.first_position(start + earlier)
    if start + earlier + (size - 1) // axis.stride >= stop or sample + size > axis.size:
        return _Window(axis, 0, 0)
    before, after = earlier * axis.stride, axis.effective - 1
    return _Window(axis._replace(size=size, before=before, after=after, boundary="zeros"), sample, start)


def _placed(vector: Array, first: tuple[int, ...], shape: tuple[int, ...]) -> Any:
    """Return a dask array that is zero but for the vector, which begins at `first`."""
    da = dask_array("operator_norm")
    # In so few chunks that planning them takes no time.
    limit = max(_CHUNK, prod(shape) * vector.itemsize // _MOST_CHUNKS)
    return da.map_blocks(
        partial(_part, vector=vector, first=first),
        chunks=da.core.normalize_chunks("auto", shape=shape, dtype=vector.dtype, limit=limit),
        dtype=vector.dtype,
        meta=np.empty((0,) * len(shape), vector.dtype),
    )


def _part(block_info: Any = None, *, vector: Array, first: tuple[int, ...]) -> Array:
    """Return a chunk of what `_placed` makes."""
    shape = block_info[None]["chunk-shape"]
    here, there = [], []
    for (low, high), start, size in zip(block_info[None]["array-location"], first, vector.shape, strict=True):
        begin, end = max(low, start), max(min(high, start + size), max(low, start))
        here.append(slice(begin - low, end - low))
        there.append(slice(begin - start, end - start))
    if not all(part.stop > part.start for part in here):
        return np.broadcast_to(np.zeros((), vector.dtype), shape)
    found = np.zeros(shape, vector.dtype)
    found[tuple(here)] = vector[tuple(there)]
    return found
