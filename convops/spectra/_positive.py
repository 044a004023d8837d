"""A bound of the norm of W by the norm of its moduli.

Where M has no negative entries and none of W is larger in modulus, ``‖W‖² <= ‖M‖² = ρ(MᵀM)``. For each
positive x, ``ρ(MᵀM) <= max (MᵀMx)ᵢ / xᵢ``, which is the largest row of MᵀM once its columns are scaled by x
and its rows by 1 / x; that leaves the eigenvalues. Collatz and Wielandt took it so. Each step of a power
iteration brings x closer to the one for which it is an equation.

The products of a kernel of many taps are off by a part of the 2-norm (``._rounding``), which is added to each
entry. There x is kept above a thousandth of its largest entry, so that this is little.
"""

from math import inf, sqrt

import numpy as np

from convops._arrays import Array
from convops.geometry import ConvGeometry
from convops.spectra._rounding import MANY_TAPS, UNIT, has_many_taps, operator_of
from convops.spectra._symbol import norm_of_sizes

_STEPS = 40
_LEAST = 1e-9
"""The smallest entry of x, beside the largest."""
_LEAST_ROUNDED = 1e-3
"""The same, where products are off by a part of the 2-norm."""


def has_moduli(geometry: ConvGeometry) -> bool:
    """Return whether W with the moduli of the weight bounds W: no boundary takes anything negative."""
    return all(
        axis.boundary != "antireflect" or axis.size == 1 or not (axis.before or axis.after)
        for axis in geometry.axes
    )


def norm_of_moduli(geometry: ConvGeometry, weight: Array, useful: float, enough: float) -> float:
    """Return a bound of ``‖W‖``; stop where it can no longer get below `useful`, or is below `enough`."""
    moduli = np.abs(weight)
    M, rounding = operator_of(geometry, moduli), _rounding_of(geometry, moduli)
    least = _LEAST_ROUNDED if rounding else _LEAST
    x, bound = np.ones(M.shape[1]), inf
    for _ in range(_STEPS):
        image = M @ x
        again = M.T @ image
        if not again.any():
            return 0.0
        off = rounding * float(np.linalg.norm(x))
        bound = min(bound, sqrt(float(((again + off) / x).max())))
        if float(np.linalg.norm(image) / np.linalg.norm(x)) >= useful or bound <= enough:
            break
        x = np.maximum(again / again.max(), least)
    return bound


def _rounding_of(geometry: ConvGeometry, moduli: Array) -> float:
    """Return how far off an entry of MᵀM x is, relative to the 2-norm of x, beyond a part of itself."""
    if not has_many_taps(geometry):
        return 0.0
    return 2 * 8 * UNIT * MANY_TAPS * norm_of_sizes(geometry, moduli) ** 2
