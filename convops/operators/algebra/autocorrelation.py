"""The convolution that WᴴW, or WWᴴ, is: its kernel is the autocorrelation of the kernel."""

from itertools import product
from math import prod
from typing import Any

import numpy as np

from convops._arrays import Array
from convops._axis import Axis
from convops.geometry import ConvGeometry
from convops.operators.arranged import map_of
from convops.operators.map import Map

MOST_PRODUCTS = 1e9
"""Products of taps that the autocorrelation may take; beyond, two applications are as good."""


def gram_map(map_: Map, reversed_order: bool) -> Map | None:
    """Return WᴴW, or WWᴴ if `reversed_order`, as a convolution, or None where it is none.

    It is one where every output reads all taps of samples that are the same shift apart: on each axis with
    stride 1 and a full turn of a periodic axis; for WᴴW with so much zero padding that no tap is cut off,
    and for WWᴴ with none, so that no tap lies on padding. The kernel at shift m is
    ``sum over k of conj(weight[k]) * weight[k + m]``.

    References
    ----------
    Hansen, Nagy and O'Leary, "Deblurring Images: Matrices, Spectra, and Filtering", 2006, chapter 4, for
    the structure of W under each boundary condition.
    """
    geometry = map_.geometry
    boundaries = [_boundary(axis, reversed_order) for axis in geometry.axes]
    if None in boundaries or _products(geometry) > MOST_PRODUCTS:
        return None
    if map_.dtype.kind in "iu" and map_.gains[0] * map_.gains[1] >= 2.0**63:
        return None
    weight = _autocorrelation(map_, reversed_order)
    if not np.isfinite(weight).all():
        return None
    weight.flags.writeable = False
    shape = geometry.output_shape if reversed_order else geometry.input_shape
    reach = [(axis.effective - 1, axis.effective - 1) for axis in geometry.axes]
    found = ConvGeometry(
        weight.shape,
        shape,
        padding=reach,
        dilation=geometry.dilation,
        groups=geometry.groups,
        boundary=[str(name) for name in boundaries],
    )
    try:
        return map_of(found, weight, False, map_.asked, map_.layout)
    except ValueError:  # the method that was asked for cannot do it
        return map_of(found, weight, False, "auto", map_.layout)


def _boundary(axis: Axis, reversed_order: bool) -> str | None:
    """Return the boundary condition under which an axis of WᴴW is a convolution, or None."""
    if axis.stride != 1:
        return None
    if axis.boundary == "wrap" and axis.out_size == axis.size:
        return "wrap"
    inside = axis.before == axis.after == 0
    reach = axis.effective - 1
    if reversed_order:
        return "zeros" if inside else None
    full = axis.before >= reach and axis.after >= reach
    return "zeros" if full and (axis.boundary == "zeros" or inside) else None


def _products(geometry: ConvGeometry) -> float:
    channels = geometry.in_channels * geometry.out_channels / geometry.groups
    return channels * float(prod(2 * size - 1 for size in geometry.kernel_size)) * prod(geometry.kernel_size)


def _autocorrelation(map_: Map, reversed_order: bool) -> Array:
    """Return the kernel at all shifts, from ``1 - taps`` to ``taps - 1`` on each axis."""
    geometry, kernel = map_.geometry, map_.geometry.kernel_size
    per_group = geometry.out_channels // geometry.groups, geometry.in_channels // geometry.groups
    weight = map_.correlated.reshape(geometry.groups, *per_group, *kernel)
    if map_.dtype.kind in "iu":
        weight = weight.astype(np.int64)
    side = per_group[0] if reversed_order else per_group[1]
    shifts = [2 * size - 1 for size in kernel]
    found = np.empty((geometry.groups, side, side, *shifts), weight.dtype)
    for place in product(*map(range, shifts)):
        here: list[slice] = []
        there: list[slice] = []
        for position, size in zip(place, kernel, strict=True):
            m = position - (size - 1)
            here.append(slice(max(-m, 0), size - max(m, 0)))
            there.append(slice(max(m, 0), size - max(-m, 0)))
        one, other = _cut(weight, here), _cut(weight, there)
        if reversed_order:
            # y at p + d (k - k') comes from tap k' of the other output: the conjugate is on the other side.
            rows = other.reshape(*other.shape[:2], -1)
            columns = one.conj().reshape(*one.shape[:2], -1)
        else:
            rows = one.conj().swapaxes(1, 2).reshape(geometry.groups, side, -1)
            columns = other.swapaxes(1, 2).reshape(geometry.groups, side, -1)
        at: Any = (..., *place)
        found[at] = rows @ columns.swapaxes(-1, -2)
    if not geometry.has_channels:
        return found.reshape(shifts)
    return found.reshape(geometry.groups * side, side, *shifts)


def _cut(weight: Array, slices: list[slice]) -> Array:
    at: Any = (..., *slices)
    cut: Array = weight[at]
    return cut
