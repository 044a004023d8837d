"""W by its diagonals, where it has as many as the kernel has taps: no indices need be read."""

from collections.abc import Iterator
from itertools import product
from math import prod

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
    taps = weight.reshape(channels, *geometry.kernel_size)
    steps = [prod(sizes[number + 1 :]) for number in range(len(sizes))]
    sign = -1 if transposed else 1
    shifts = [
        [sign * (axis.dilation * tap - axis.before) for tap in range(axis.kernel)] for axis in geometry.axes
    ]
    offsets = [sum(map(int.__mul__, shift, steps)) for shift in product(*shifts)]
    kept, number_of = np.unique(offsets, return_inverse=True)
    data = np.zeros((kept.size, channels, *sizes), weight.dtype)
    # Taps that are a line apart may share a diagonal, each with places of its own.
    for number, tap, shift in zip(
        number_of, np.ndindex(*geometry.kernel_size), product(*shifts), strict=True
    ):
        places = (slice(None), *_columns(shift, sizes))
        value = taps[(slice(None), *tap)]
        data[number][places] += value.reshape(channels, *[1] * len(sizes))
    size = geometry.shape[0]
    return dia_array((data.reshape(kept.size, size), kept), shape=(size, size))


def _columns(shift: tuple[int, ...], sizes: tuple[int, ...]) -> Iterator[slice]:
    """Yield which columns, on each axis, have an entry this far from the diagonal."""
    for by, size in zip(shift, sizes, strict=True):
        yield slice(min(max(by, 0), size), max(min(size + by, size), 0))
