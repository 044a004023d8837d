"""Which damp: by the noise, or by generalised cross-validation."""

import warnings
from typing import Any

import numpy as np
from scipy.optimize import brentq, minimize_scalar

from convops._arguments import choice, shown
from convops._arrays import Array
from convops.inverse._problem import Problem
from convops.inverse.tikhonov import ConvergenceWarning, problem_of, tikhonov

RULES = ("gcv", "discrepancy")
_SPAN, _COARSE, _DIGITS = 1e-6, 13, 1e-2


def choose_damp(A: Any, b: Any, *, rule: str = "gcv", noise: float | None = None, reg: Any = None) -> float:
    """Return a damp for `tikhonov`, from the data.

    "discrepancy" takes the damp at which ‖A x − b‖ is what the noise makes of it, ``noise`` times the root of
    the number of data. "gcv" needs no noise: it minimises ‖A x − b‖² / (M − t)², where t is the trace of the
    matrix that makes A x of b. The trace is estimated from one random vector of signs, always the same.

    Parameters
    ----------
    A, b
        As for `tikhonov`. Batch axes of b share one damp.
    rule : {"gcv", "discrepancy"}, default "gcv"
        How to choose.
    noise : float, optional
        Standard deviation of one datum; "discrepancy" needs it.
    reg
        As for `tikhonov`.

    Returns
    -------
    float
        To about 1 %, between 1e-6 and 10 times the size of A, in the norm that a few products estimate.

    Raises
    ------
    TypeError, ValueError
        As `tikhonov`; or if the noise is missing, or no damp leaves as much.

    References
    ----------
    Golub, Heath and Wahba, "Generalized Cross-Validation as a Method for Choosing a Good Ridge Parameter",
    doi:10.1080/00401706.1979.10489751. Hutchinson, "A Stochastic Estimator of the Trace of the Influence
    Matrix for Laplacian Smoothing Splines", doi:10.1080/03610918908812806.

    Examples
    --------
    >>> import numpy as np
    >>> from convops import Conv, choose_damp
    >>> A = Conv([0.25, 0.5, 0.25], 200, padding="same", boundary="symmetric")
    >>> b = A(np.sin(np.arange(200) / 9)) + np.random.default_rng(0).normal(0, 0.1, 200)
    >>> 0.05 < choose_damp(A, b, rule="discrepancy", noise=0.1) < 5
    True
    """
    name = choice("rule", rule, RULES, {"morozov": "discrepancy"})
    problem, _ = problem_of(A, b, 0.0, reg)
    if not problem.b.any():
        raise ValueError("b is 0 everywhere: every damp gives the same answer. Give data.")
    largest = 10 * _size(problem)
    ends = np.log([_SPAN * largest, largest])
    if name == "discrepancy":
        return _by_noise(problem, noise, ends)
    signs = np.random.default_rng(0).choice([-1.0, 1.0], problem.A.shape[0])

    def score(log: float) -> float:
        rows = np.vstack([problem.b, signs])
        fitted = problem.A.matvec(_answers(problem, rows, float(np.exp(log))))
        misfit = float(np.linalg.norm(rows[:-1] - fitted[:-1]) ** 2)
        return misfit / float(signs.size - np.real(signs @ fitted[-1])) ** 2

    grid = np.linspace(ends[0], ends[1], _COARSE)
    best = int(np.argmin([score(log) for log in grid]))
    near = grid[max(best - 1, 0)], grid[min(best + 1, _COARSE - 1)]
    found = minimize_scalar(score, bounds=near, method="bounded", options={"xatol": _DIGITS})
    return float(np.exp(found.x))


def _by_noise(problem: Problem, noise: Any, ends: Array) -> float:
    if isinstance(noise, bool) or not isinstance(noise, int | float | np.floating | np.integer):
        raise TypeError(
            f"{shown('noise', noise)}: rule='discrepancy' needs the standard deviation of one datum; "
            f"got {type(noise).__name__}. Without it, give rule='gcv'."
        )
    if not 0 < noise < np.inf:
        raise ValueError(f"{shown('noise', noise)}: it must be a finite number above 0; got {noise}.")
    goal = float(noise) * float(np.sqrt(problem.b.size))

    def excess(log: float) -> float:
        fitted: Array = problem.A.matvec(_answers(problem, problem.b, float(np.exp(log))))
        return float(np.linalg.norm(fitted - problem.b)) - goal

    least, most = excess(ends[0]), excess(ends[1])
    if least > 0 or most < 0:
        side = "at least" if least > 0 else "at most"
        raise ValueError(
            f"{shown('noise', noise)}: noise of that size makes a residual of {goal:.3g}, and that of every "
            f"damp is {side} {(least if least > 0 else most) + goal:.3g}. Give another noise, or rule='gcv'."
        )
    root: float = brentq(excess, ends[0], ends[1], xtol=_DIGITS)
    return float(np.exp(root))


def _answers(problem: Problem, rows: Array, damp: float) -> Array:
    """Return the answers to rows of data; one that is not quite there is good enough to choose by."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        x: Array = tikhonov(
            problem.A, rows.reshape(-1, *problem.A.output_shape), damp, reg=problem.L, rtol=1e-4
        )
    answers: Array = x.reshape(len(rows), -1)
    return answers


def _size(problem: Problem) -> float:
    """Return about the norm of A, over that of L, from a few steps of the power method."""
    v = np.random.default_rng(0).standard_normal(problem.A.shape[1])
    sizes = []
    for op in (problem.A, problem.L):
        x, size = v, 1.0
        for _ in range(5 if op is not None else 0):
            x = op.rmatvec(op.matvec(x))
            size = float(np.linalg.norm(x))
            if size == 0:
                raise ValueError(f"{op!r} is 0: there is nothing to choose.")
            x = x / size
        sizes.append(np.sqrt(size))
    return float(sizes[0] / sizes[1])
