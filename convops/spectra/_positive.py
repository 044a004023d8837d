"""A bound of the norm of W by the norm of its moduli.

Where M has no negative entries and none of W is larger in modulus, ``‖W‖² <= ‖M‖² = ρ(MᵀM)``. For each
positive x, ``ρ(MᵀM) <= max (MᵀMx)ᵢ / xᵢ``, which is the largest row of MᵀM once its columns are scaled by x
and its rows by 1 / x; that leaves the eigenvalues. Collatz and Wielandt took it so. Each step of a power
iteration brings x closer to the one for which it is an equation.

The products of a large kernel are transformed, and what rounding does to such a one is known in the 2-norm
alone: ``O(u log2(n)) ‖M‖ ‖x‖`` (Higham, "Accuracy and Stability of Numerical Algorithms", theorem 24.2). No
entry is off by more. There x stays well away from 0, so that this is little.
"""

from math import inf, prod, sqrt

import numpy as np

from convops._arrays import Array
from convops.geometry import ConvGeometry
from convops.operators import Conv
from convops.operators.map import Map
from convops.spectra._symbol import norm_of_sizes

_STEPS = 40
_TAPS = 2**10
"""With more taps than these, products are transformed where that is faster."""
_LEAST = 1e-9
"""The smallest entry of x, beside the largest."""
_LEAST_TRANSFORMED = 1e-3
_UNIT = 2.0**-53


def has_moduli(geometry: ConvGeometry) -> bool:
    """Return whether W with the moduli of the weight bounds W: no boundary takes anything negative."""
    return all(
        axis.boundary != "antireflect" or axis.size == 1 or not (axis.before or axis.after)
        for axis in geometry.axes
    )


def norm_of_moduli(geometry: ConvGeometry, weight: Array, useful: float, enough: float) -> float:
    """Return a bound of ``‖W‖``; stop where it can no longer get below `useful`, or is below `enough`."""
    M, least, rounding = _product(geometry, np.abs(weight))
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


def _product(geometry: ConvGeometry, moduli: Array) -> tuple[Conv, float, float]:
    """Return M, the least entry of a vector for it, and how far off MᵀM x is, relative to x in the 2-norm."""
    if prod(geometry.kernel_size) <= _TAPS:
        return Conv._of(Map(geometry, moduli, False, "gemm"), False), _LEAST, 0.0
    positions = prod([axis.before + axis.size + axis.after for axis in geometry.axes])
    # Three transforms, and those of Mᵀ, each off by some 7 u log2(n).
    rounding = 2 * 32 * _UNIT * (positions.bit_length() + 1) * norm_of_sizes(geometry, moduli) ** 2
    return Conv._of(Map(geometry, moduli, False, "auto"), False), _LEAST_TRANSFORMED, rounding
