"""A bound of the norm of W by the norm of its moduli.

Where M has no negative entries and none of W is larger in modulus, ``‖W‖² <= ‖M‖² = ρ(MᵀM)``. For each
positive x, ``ρ(MᵀM) <= max (MᵀMx)ᵢ / xᵢ``, which is the largest row of MᵀM once its columns are scaled by x
and its rows by 1 / x; that leaves the eigenvalues. Collatz and Wielandt took it so. Each step of a power
iteration brings x closer to the one for which it is an equation.
"""

from math import inf, sqrt

import numpy as np

from convops._arrays import Array
from convops.geometry import ConvGeometry
from convops.operators import Conv
from convops.operators.map import Map

_STEPS = 40
_LEAST = 1e-9
"""The smallest entry of x, beside the largest."""


def has_moduli(geometry: ConvGeometry) -> bool:
    """Return whether W with the moduli of the weight bounds W: no boundary takes anything negative."""
    return all(
        axis.boundary != "antireflect" or axis.size == 1 or not (axis.before or axis.after)
        for axis in geometry.axes
    )


def norm_of_moduli(geometry: ConvGeometry, weight: Array, useful: float, enough: float) -> float:
    """Return a bound of ``‖W‖``; stop where it can no longer get below `useful`, or is below `enough`."""
    M = Conv._of(Map(geometry, np.abs(weight), False, "gemm"), False)
    x, bound = np.ones(M.shape[1]), inf
    for _ in range(_STEPS):
        image = M @ x
        again = M.T @ image
        read = again > 0
        if not read.any():
            return 0.0
        bound = min(bound, sqrt(float((again[read] / x[read]).max())))
        if float(np.linalg.norm(image) / np.linalg.norm(x)) >= useful or bound <= enough:
            break
        x = np.maximum(again / again.max(), _LEAST)
    return bound
