"""A vector that an operator amplifies as much as it can: Golub–Kahan bidiagonalisation, restarted.

Golub and Kahan, "Calculating the Singular Values and Pseudo-Inverse of a Matrix", doi:10.1137/0702016.
"""

from collections.abc import Callable
from math import inf

import numpy as np

from convops._arrays import Array

Product = Callable[[Array], Array]
_STEPS = 16
_CYCLES = 8
_BASIS_BYTES = 2**28
_GAIN = 1e-4
"""The gain of one cycle, relative, that is not worth another."""
_REST = 1e-8
"""A rest, relative, that ends a cycle: the space is invariant but for noise, and has nothing new to come."""
_ORTHOGONAL = 1e-3
"""How far from 1 the norm of a unit vector may be in a basis that counts as orthogonal."""


def amplified(forward: Product, adjoint: Product, start: Array, enough: float = inf) -> tuple[Array, int]:
    """Return a unit vector v with large ``‖W v‖``, and the number of products with W or Wᴴ that it took.

    Each cycle takes the best vector of a Krylov space, and starts the next from it. The basis is orthogonal
    by its recurrence alone, which over so few steps holds until the best vector has been found.

    Parameters
    ----------
    forward, adjoint : callable
        The products with W and with Wᴴ, of vectors ``(N,)`` and ``(M,)``.
    start : ndarray, shape (N,), float64 or complex128
        Not zero.
    enough : float
        A value of ``‖W v‖`` that is not worth another cycle.
    """
    steps = min(_STEPS, max(_BASIS_BYTES // start.nbytes, 3))
    vector, reached, products = start / np.linalg.norm(start), 0.0, 0
    for _ in range(_CYCLES):
        vector, value, spent = _cycle(forward, adjoint, vector, steps)
        products += spent
        if value <= reached * (1 + _GAIN) or value >= enough:
            break
        reached = value
    return vector, products


def _cycle(forward: Product, adjoint: Product, vector: Array, steps: int) -> tuple[Array, float, int]:
    """Return what W amplifies most in the Krylov space of a unit vector, by how much, and the products."""
    basis = np.empty((steps, vector.size), vector.dtype)
    diagonal: list[float] = []
    above: list[float] = []
    left = np.zeros(0)
    for step in range(steps):
        basis[step] = vector
        image = forward(vector)
        if step:
            image = image - above[-1] * left
        diagonal.append(float(np.linalg.norm(image)))
        if diagonal[-1] <= _REST * max(diagonal):
            break
        left = image / diagonal[-1]
        rest = adjoint(left) - diagonal[-1] * vector
        above.append(float(np.linalg.norm(rest)))
        if above[-1] <= _REST * max(diagonal):
            break
        vector = rest / above[-1]
    vector, value = _most_amplified(basis, np.diag(diagonal) + np.diag(above[: len(diagonal) - 1], 1))
    return vector, value, 2 * len(diagonal)


def _most_amplified(basis: Array, bidiagonal: Array) -> tuple[Array, float]:
    """Return the unit vector of a basis that a matrix amplifies most, and by how much.

    A vector of as much of the basis as is one: where a value converges early, its vector comes back into the
    basis, and what should have norm 1 does not.
    """
    size = len(bidiagonal)
    while True:
        _, values, right = np.linalg.svd(bidiagonal[:size, :size])
        vector = right[0] @ basis[:size]
        length = float(np.linalg.norm(vector))
        if abs(length - 1) < _ORTHOGONAL or size == 1:
            return vector / length, float(values[0])
        size -= 1
