"""Which way a problem is solved, and why."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np

from convops._arguments import shown
from convops._arrays import Array
from convops.inverse import _normal
from convops.inverse._iterate import MOST_ITERATIONS, by_cg, by_lsmr
from convops.inverse._problem import Problem, arrays_of
from convops.inverse._progress import Progress
from convops.inverse._spectral import Singular, Spectrum, spectrum_of
from convops.operators.algebra.scaled import Scaled
from convops.operators.base import ConvOperator

METHODS = ("auto", "fft", "dct", "sparse", "cg", "lsmr")
OTHER_METHODS = {
    "lu": "sparse",
    "cholesky": "sparse",
    "direct": "auto",
    "cgls": "cg",
    "cgnr": "cg",
    "lsqr": "lsmr",
    "wiener": "fft",
    "svd": "fft",
}


class NoUniqueSolution(ValueError):
    """The normal equations are singular, or too nearly so for a factorisation."""


Solver = Callable[[Array | None, float, int | None, Progress], Array]


@dataclass(frozen=True)
class Route:
    """A way to the answer."""

    name: str
    why: str
    solve: Solver


def route_of(problem: Problem, method: str) -> Route:
    """Return the route that was asked for, or the best; refuse one that cannot do it."""
    spectrum = None if method in ("sparse", "cg", "lsmr") else spectrum_of_problem(problem)
    if method in ("fft", "dct") and (spectrum is None or method not in spectrum.transforms):
        raise ValueError(f"{shown('method', method)}: {_no_transform(problem, spectrum, method)}")
    if spectrum is not None:
        return _direct(problem, spectrum, method)
    if method == "sparse":
        return _factorised(problem, _normal.matrices(problem), "asked for")
    work = _normal.work(problem.A, problem.L) if method == "auto" and problem.damp else np.inf
    if work <= _normal.MOST_WORK:
        with suppress(TypeError):  # a part that has no matrix
            matrices = _normal.matrices(problem)
            return _factorised(problem, matrices, f"the matrix is small: {work:.2g} multiplications at most")
    if method == "cg" and not problem.damp:
        raise ValueError(
            f"{shown('method', method)}: with damp=0 the normal equations may be singular, and conjugate "
            "gradients do not tell. Give method='lsmr', which finds the solution of least norm, or a damp "
            "above 0."
        )
    if method == "lsmr" or not problem.damp:
        why = "asked for" if method == "lsmr" else "damp is 0: of the solutions, the one of least norm"
        return Route("lsmr", why, _iterated(problem, by_lsmr))
    why = "asked for" if method == "cg" else "no transform makes it diagonal, and it is no small matrix"
    return Route("cg", why, _iterated(problem, by_cg))


def spectrum_of_problem(problem: Problem) -> Spectrum | None:
    """Return the problem in frequencies that take it apart, None where none do."""
    return spectrum_of(problem.A, problem.L, problem.dtype.kind != "c")


def _direct(problem: Problem, spectrum: Spectrum, method: str) -> Route:
    kinds = spectrum.transforms
    name = method if method != "auto" else spectrum.route
    why = "every axis is diagonal: " + " and ".join(sorted(kinds, reverse=True))
    m, k = spectrum.frequencies.block_shape
    if m * k > 1:
        why += f", blocks of {m} × {k}"

    def solve(x0: Array | None, rtol: float, most: int | None, progress: Progress) -> Array:
        try:
            x = spectrum.solve(arrays_of(problem), problem.damp)
        except Singular as error:
            raise ValueError(
                f"{shown('damp', problem.damp)}: the problem has no unique solution: at some frequency the "
                f"singular value is {error.smallest:.3g}, of at most {error.largest:.3g}. Give a damp above "
                "0 that is no rounding error beside that, or method='lsmr' for the solution of least norm."
            ) from None
        return x.reshape(len(problem.b), -1)

    return Route(name, why, solve)


def _factorised(problem: Problem, matrices: tuple[Any, Any], why: str) -> Route:
    def solve(x0: Array | None, rtol: float, most: int | None, progress: Progress) -> Array:
        try:
            return _normal.solve(problem, *matrices)
        except RuntimeError as error:
            more = "a larger damp, or a reg that sees what A does not" if problem.damp else "a damp above 0"
            raise NoUniqueSolution(
                f"{shown('damp', problem.damp)}: the normal equations are singular ({error}): no unique "
                f"solution. Give {more}, or method='lsmr' for the solution of least norm."
            ) from None

    return Route("sparse", why, solve)


def _iterated(problem: Problem, method: Callable[..., Array]) -> Solver:
    def solve(x0: Array | None, rtol: float, most: int | None, progress: Progress) -> Array:
        return method(problem, x0, rtol, most or MOST_ITERATIONS, progress)

    return solve


def _no_transform(problem: Problem, spectrum: Spectrum | None, method: str) -> str:
    """Say why a transform cannot solve it."""
    if spectrum is not None:
        other = next(iter(spectrum.transforms))
        return f"it is {other!r} that takes this operator apart; leave method out."
    if not isinstance(problem.A, ConvOperator | Scaled):
        return f"{problem.A!r} is made of several operators. Leave method out: it is solved by iteration."
    if (
        problem.L is not None
        and spectrum_of(problem.A, None, np.dtype(problem.dtype).kind != "c") is not None
    ):
        return (
            f"it takes A apart, and reg={problem.L!r} not. Build the regulariser with the boundary of A, as "
            "reg='gradient' does, or leave method out."
        )
    return (
        'every axis must wrap round with outputs that complete the round (boundary="wrap", padding="same", a '
        'stride that divides the size), or be mirrored (boundary="symmetric", stride 1, the padding "same") '
        "under a kernel that is symmetric along it; an axis of this operator is neither. Leave method out."
    )
