"""W by its diagonals, where it has as many as the kernel has taps: no indices need be read."""

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
    sizes, kernel = geometry.spatial_shape, geometry.kernel_size
    sign = -1 if transposed else 1
    # From the lowest diagonal to the highest, as CSR has them: sums have the same order, and the same bits.
    shifts = [
        [sign * (axis.dilation * tap - axis.before) for tap in range(axis.kernel)[::sign]]
        for axis in geometry.axes
    ]
    steps = [prod(sizes[number + 1 :]) for number in range(len(sizes))]
    offsets = [sum(map(int.__mul__, shift, steps)) for shift in product(*shifts)]
    # Written whole, then zeroed where W has no entry: fewer and longer writes than those of its entries.
    size = geometry.shape[0]
    data = np.empty((len(offsets), geometry.in_channels, prod(sizes)), weight.dtype)
    data[...] = weight.reshape(geometry.in_channels, -1).T[::sign, :, None]
    for number, of_axis in enumerate(shifts):
        taps = (prod(kernel[:number]), kernel[number], -1)
        places = data.reshape(*taps, size // (sizes[number] * steps[number]), sizes[number], steps[number])
        for tap, by in enumerate(of_axis):
            if by:
                places[:, tap, :, :, _outside(by, sizes[number])] = 0
    return dia_array((data.reshape(-1, size), offsets), shape=(size, size))


def _outside(by: int, size: int) -> slice:
    """Return which columns have no entry this far from the diagonal, on one axis."""
    return slice(0, by) if by > 0 else slice(max(size + by, 0), size)
