"""The iterative routes: SciPy's solvers on the fast operator, held to the residual of the normal equations.

Conjugate gradients on the normal equations have that residual as their own. LSMR (Fong and Saunders,
"LSMR: An Iterative Algorithm for Sparse Least-Squares Problems", doi:10.1137/10079687X) never squares the
condition of A, and finds the solution of least norm where damp is 0; it is told to stop by norms that it
estimates, so it is taken up again until the residual that counts is small enough.
"""

from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator, cg, lsmr

from convops._arrays import Array
from convops.inverse._problem import Problem, norms
from convops.inverse._progress import Progress
from convops.inverse._surrogate import Preconditioner, preconditioner
from convops.operators.base import ConvOperator

MOST_ITERATIONS = 2000
_ROUNDS = 8
_FIRST, _GROWTH = 32, 4
_LEAST = 1e-16
"""The smallest tolerance that LSMR can tell from 0."""
_UNEVEN = 1.5
"""Ratio of column norms from which scaling the columns is worth its while."""


def by_cg(problem: Problem, x0: Array | None, rtol: float, most: int, progress: Progress) -> Array:
    """Return the answers by conjugate gradients on the normal equations."""
    A, L, damp = problem.A, problem.L, problem.damp
    inner = problem.dtype
    size = A.shape[1]
    gram = A.gram()
    gram_of_L = None if L is None else L.gram()

    def normal(v: Array) -> Array:
        y: Array = gram.matvec(v)
        y += damp**2 * (v if gram_of_L is None else gram_of_L.matvec(v))
        return y

    approximate = preconditioner(A, L, damp, inner.kind != "c") or _jacobi(problem)
    equations = LinearOperator((size, size), matvec=normal, dtype=inner)
    out = np.zeros((len(problem.b), size), problem.wide) if x0 is None else x0.astype(problem.wide)
    right_sides = norms(problem.right_side)
    for x, b, reference in zip(out, problem.b, right_sides, strict=True):
        one = Problem(A, L, damp, b, problem.dtype)
        begun = progress.iterations
        for _ in range(_ROUNDS):
            residual = one.residuals(x)[1]
            size_left, left = float(np.linalg.norm(residual)), most - (progress.iterations - begun)
            if size_left <= rtol * reference or left <= 0:
                break
            # Products in single precision go so far; then the residual is taken anew, in double.
            goal = max(
                0.9 * rtol * reference / size_left, 1e-4 if inner.itemsize < problem.wide.itemsize else 0
            )
            before = progress.iterations
            x += _cg(equations, residual.astype(inner), goal, left, approximate, progress, reference)
            if progress.iterations == before:
                break
    return out


def _cg(
    equations: Any,
    residual: Array,
    goal: float,
    most: int,
    approximate: Preconditioner | None,
    progress: Progress,
    reference: float,
) -> Array:
    first = True

    def watched(r: Array) -> Array:
        nonlocal first
        if not first:  # the residual before the first iteration
            progress.step(float(np.linalg.norm(r)) / reference if progress.watched else 0.0)
        first = False
        return r if approximate is None else approximate(r)

    M = LinearOperator(equations.shape, matvec=watched, dtype=residual.dtype)
    done = 0

    def counted(_: Array) -> None:
        nonlocal done
        done += 1

    before = progress.iterations
    x, _info = cg(equations, residual, rtol=goal, atol=0.0, maxiter=most, M=M, callback=counted)
    last = done - (progress.iterations - before)
    if last > 0:  # the residual that ends the iteration is seen by nobody
        progress.step(goal * float(np.linalg.norm(residual)) / reference, last)
    found: Array = x
    return found


def _jacobi(problem: Problem) -> Preconditioner | None:
    """Return the inverse diagonal of the normal equations, where it is known and not nearly constant."""
    diagonal = _squared_columns(problem)
    if diagonal is None:
        return None
    inverse = (1 / diagonal).astype(np.finfo(problem.dtype).dtype)
    return lambda v: np.asarray(inverse * v)


def _squared_columns(problem: Problem) -> Array | None:
    """Return the squared norms of the columns of [A; damp L], None where unknown, nearly equal or 0."""
    A, L = problem.A, problem.L
    if not isinstance(A, ConvOperator):
        return None
    squares = A.column_norms().astype(np.float64).ravel() ** 2
    if L is None:
        squares += problem.damp**2
    elif isinstance(L, ConvOperator):
        squares += problem.damp**2 * L.column_norms().astype(np.float64).ravel() ** 2
    smallest, largest = float(squares.min()), float(squares.max())
    return squares if smallest > 0 and largest > _UNEVEN**2 * smallest else None


def by_lsmr(problem: Problem, x0: Array | None, rtol: float, most: int, progress: Progress) -> Array:
    """Return the answers by LSMR on [A; damp L]."""
    A, L, damp = problem.A, problem.L, problem.damp
    rows, size = A.shape
    below = 0 if not damp else (size if L is None else L.shape[0])
    squares = _squared_columns(problem) if damp else None
    scale: Any = 1.0 if squares is None else 1 / np.sqrt(squares)
    smallest = float(np.min(scale))

    def forward(v: Array) -> Array:
        v = scale * v
        if not damp:
            product: Array = A.matvec(v)
            return product
        return np.concatenate([A.matvec(v), damp * (v if L is None else L.matvec(v))])

    def backward(u: Array) -> Array:
        v = A.rmatvec(u[:rows])
        if damp:
            v = v + damp * (u[rows:] if L is None else L.rmatvec(u[rows:]))
        return np.asarray(scale * v)

    stacked = LinearOperator((rows + below, size), matvec=forward, rmatvec=backward, dtype=problem.wide)
    out = np.zeros((len(problem.b), size), problem.wide) if x0 is None else x0.astype(problem.wide)
    right_sides = norms(problem.right_side)
    for x, b, reference in zip(out, problem.b, right_sides, strict=True):
        one = Problem(A, L, damp, b, problem.dtype)
        begun, length, tolerance = progress.iterations, _FIRST, _LEAST
        while True:
            misfit, residual = one.residuals(x)
            found, left = float(np.linalg.norm(residual)), most - (progress.iterations - begun)
            if found <= rtol * reference or left <= 0:
                break
            part = np.zeros(below) if not damp else -damp * (x if L is None else L.matvec(x))
            rhs = np.concatenate([misfit, part])
            step, _why, count, normr, _normar, norma, *_rest = lsmr(
                stacked, rhs, atol=tolerance, btol=0.0, conlim=0.0, maxiter=min(length, left)
            )
            x += scale * step
            after = float(np.linalg.norm(one.residuals(x)[1]))
            progress.step(after / reference, max(int(count), 1))
            if count == 0 or (not after < found and tolerance <= _LEAST):
                break
            length *= _GROWTH
            goal = 0.3 * rtol * reference * smallest / (normr * norma) if normr * norma > 0 else 0.0
            tolerance = max(goal if after < found else min(goal, 0.1 * tolerance), _LEAST)
    return out
