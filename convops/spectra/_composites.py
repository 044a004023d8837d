"""Bounds of the norms of operators that are made of others, from those of their parts.

For blocks on top of each other ‖[A; B] x‖² = ‖A x‖² + ‖B x‖²; beside each other they are the adjoint of that;
sums and products are bounded by the sums and the products of the norms.
"""

from math import hypot, prod
from typing import Any

from convops.operators.algebra.axes import Transposition
from convops.operators.algebra.gram import Gram
from convops.operators.algebra.identity import Identity
from convops.operators.algebra.products import Power, Product
from convops.operators.algebra.scaled import Scaled
from convops.operators.algebra.selection import Selection
from convops.operators.algebra.stacks import BlockDiag, HStack, VStack
from convops.operators.algebra.sums import Sum

_UNITARY = Identity | Selection | Transposition
"""Of these the norm is 1."""
_KNOWN = _UNITARY | BlockDiag | Gram | HStack | Power | Product | Scaled | Sum | VStack


def parts_of(A: Any) -> tuple[Any, ...] | None:
    """Return the operators whose norms bound that of A, None where A is no composite that is known."""
    return tuple(A.parts) if isinstance(A, _KNOWN) else None


def bound_of(A: Any, norms: list[float]) -> float:
    """Return a bound of the norm of A from bounds of the norms of its parts."""
    if isinstance(A, _UNITARY):
        return 1.0
    if isinstance(A, Scaled):
        return float(abs(A.factor)) * norms[0]
    if isinstance(A, Power):
        return prod([norms[0]] * A.exponent)
    if isinstance(A, Gram):
        return norms[0] * norms[0]
    if isinstance(A, Product):
        return prod(norms)
    if isinstance(A, Sum):
        return sum(norms)
    if isinstance(A, BlockDiag):
        return max(norms)
    return hypot(*norms)
