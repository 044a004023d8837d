"""W by its diagonals, where it has as many as the kernel has taps: no indices need be read."""

from itertools import product
from math import prod
from typing import Any

import numpy as np
from scipy.sparse import dia_array

from convops._arrays import Array
from convops.geometry import ConvGeometry


def diagonals(geometry: ConvGeometry, weight: Array, transposed: bool) -> dia_array:
    """Return W, or its transpose; the adjoint's entries are not conjugated.

    Parameters
    ----------
    geometry : ConvGeometry
        One of which `has_diagonals` holds.
    weight : ndarray
        That of the cross-correlation.
    transposed : bool
        Whether the transpose is asked for.
    """
    channels, sizes = geometry.in_channels, geometry.spatial_shape
    sign = -1 if transposed else 1
    shifts = [
        [sign * (axis.dilation * tap - axis.before) for tap in range(axis.kernel)] for axis in geometry.axes
    ]
    steps = [prod(sizes[number + 1 :]) for number in range(len(sizes))]
    offsets = [sum(map(int.__mul__, shift, steps)) for shift in product(*shifts)]
    kept = sorted(set(offsets))
    number_of = {offset: number for number, offset in enumerate(kept)}
    columns = [[_columns(by, size) for by in of_axis] for of_axis, size in zip(shifts, sizes, strict=True)]
    data = np.zeros((len(kept), channels, *sizes), weight.dtype)
    values = weight.reshape(channels, -1, *[1] * len(sizes)).swapaxes(0, 1)
    # Taps that are a line apart may share a diagonal, each with places of its own.
    for offset, places, value in zip(offsets, product(*columns), values, strict=True):
        entries: Any = (number_of[offset], slice(None), *places)
        data[entries] = value
    size = geometry.shape[0]
    return dia_array((data.reshape(len(kept), size), kept), shape=(size, size))


def _columns(by: int, size: int) -> slice:
    """Return which columns have an entry this far from the diagonal, on one axis."""
    return slice(min(max(by, 0), size), max(min(size + by, size), 0))
