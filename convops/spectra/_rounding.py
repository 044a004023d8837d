"""How far off a product with W is, and the operator that takes it so.

Added up tap by tap, each result is off by no more than u times the number of products in it, relative to
their moduli. A kernel of many taps is transformed. Each entry of a transform of n points, with n a product of
small primes, adds up all of them in ``O(log n)`` steps, and is off by no more than ``8 u log2(n)`` times the
sum of their moduli; in the 2-norm a transform is off by as much, relative to itself (Higham, "Accuracy and
Stability of Numerical Algorithms", theorem 24.2). A product takes three: that of the kernel h, that of x, and
back again. So it is off by ``24 u log2(n) ‖h‖₁ ‖x‖`` in the 2-norm, and by √k times that where tiles overlap
k-fold. This is less than ``8 u MANY_TAPS ‖h‖₁ ‖x‖`` for ``n <= 2**32`` and ``k <= 28``.
"""

from math import prod

from convops._arrays import Array
from convops.boundary import extension_gains
from convops.geometry import ConvGeometry
from convops.operators import Conv
from convops.operators.map import Map

UNIT = 2.0**-53
"""u, half the distance of 1 to the next float64."""
MANY_TAPS = 2**9
"""With more taps than these, products are transformed where that is faster."""


def has_many_taps(geometry: ConvGeometry) -> bool:
    """Return whether a product may be transformed, so that it is off in the 2-norm and not entry by entry."""
    return prod(geometry.kernel_size) > MANY_TAPS


def operator_of(geometry: ConvGeometry, weight: Array) -> Conv:
    """Return W, whose products are off by no more than ``8 u`` times those that a result adds up."""
    engine = "auto" if has_many_taps(geometry) else "gemm"
    return Conv._of(Map(geometry, weight, False, engine), False)


def roundings_of_product(geometry: ConvGeometry) -> int:
    """Return how many products a result adds up: how far off it is, in units of 8 u and of their moduli."""
    channels = max(geometry.in_channels, geometry.out_channels) // geometry.groups
    folded = sum([max(extension_gains(axis)) for axis in geometry.axes])
    return channels * prod(geometry.kernel_size) + 64 + folded
