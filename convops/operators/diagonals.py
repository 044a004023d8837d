"""W by its diagonals, where it has as many as the kernel has taps: no indices need be read."""

from functools import lru_cache
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
    offsets, beyond = _plan(geometry, transposed)
    # Written whole, then zeroed where W has no entry: fewer and longer writes than those of its entries.
    size = geometry.shape[0]
    data = np.empty((len(offsets), geometry.in_channels, size // geometry.in_channels), weight.dtype)
    data[...] = weight.reshape(geometry.in_channels, -1).T[:: -1 if transposed else 1, :, None]
    for shape, places in beyond:
        data.reshape(shape)[places] = 0
    return dia_array((data.reshape(-1, size), offsets), shape=(size, size))


@lru_cache(16)
def _plan(geometry: ConvGeometry, transposed: bool) -> tuple[Array, list[tuple[tuple[int, ...], Any]]]:
    """Return the offsets, and what of the diagonals is no entry of W: shapes to see them in, and indices.

    From the lowest diagonal to the highest, as CSR has them: sums have the same order, and the same bits.
    """
    sizes, kernel, sign = geometry.spatial_shape, geometry.kernel_size, -1 if transposed else 1
    shifts = [
        [sign * (axis.dilation * tap - axis.before) for tap in range(axis.kernel)[::sign]]
        for axis in geometry.axes
    ]
    steps = [prod(sizes[number + 1 :]) for number in range(len(sizes))]
    offsets = np.array([sum(map(int.__mul__, shift, steps)) for shift in product(*shifts)])
    beyond: list[tuple[tuple[int, ...], Any]] = []
    for number, (of_axis, step) in enumerate(zip(shifts, steps, strict=True)):
        taps = prod(kernel[:number]), kernel[number], prod(kernel[number + 1 :])
        shape = (*taps, geometry.shape[0] // (sizes[number] * step), sizes[number], step)
        for tap, by in enumerate(of_axis):
            if by:
                beyond.append((shape, (slice(None), tap, ..., _outside(by, sizes[number]), slice(None))))
    return offsets, beyond


def _outside(by: int, size: int) -> slice:
    """Return which columns have no entry this far from the diagonal, on one axis."""
    return slice(0, by) if by > 0 else slice(max(size + by, 0), size)
