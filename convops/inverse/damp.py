"""Which damp: by the noise, by generalised cross-validation, or at the corner of the L-curve."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Literal, overload

import numpy as np

from convops._arguments import boolean, choice, shown
from convops._arrays import Array
from convops.inverse._core import core_of
from convops.inverse._filters import filters_of
from convops.inverse._measures import Measures, Measuring
from convops.inverse._problem import Problem, arrays_of
from convops.inverse._progress import Progress
from convops.inverse._routes import spectrum_of_problem
from convops.inverse._sweep import Sweep
from convops.inverse.tikhonov import ConvergenceWarning, problem_of

RULES = ("gcv", "discrepancy", "lcurve")
OTHER_RULES = {"morozov": "discrepancy", "l-curve": "lcurve", "l_curve": "lcurve", "cross-validation": "gcv"}

_DIGITS = 2e-2
_BEYOND = 10.0
"""How far beyond the ends a damp may be."""
_FINE, _FEWEST = 2000, 4
_STILL = 1e-2
"""Of the speed of the fastest point of the curve: where it stands, a bend means nothing."""


@dataclass(frozen=True)
class DampResult:
    """What `choose_damp` has seen, at every damp that it has tried, in ascending order.

    ``seminorms`` against ``residuals``, both on logarithmic axes, is the L-curve.

    Attributes
    ----------
    damps : ndarray
        Those that were tried.
    residuals : ndarray
        ‖A x − b‖ at each; with batch axes, of all items together.
    seminorms : ndarray
        ‖L x‖.
    freedom : ndarray
        The trace of the matrix that makes A x of b, which counts how many data x follows; NaN where the rule
        did not ask for it.
    gcv : ndarray
        ‖A x − b‖² / (M − freedom)².
    route : str
        "fft" or "dct" where all are known in closed form; else the route of `tikhonov`.

    Examples
    --------
    >>> import numpy as np
    >>> from convops import Conv, choose_damp
    >>> A = Conv([0.25, 0.5, 0.25], 50, padding="same", boundary="symmetric")
    >>> b = A(np.arange(50) // 10) + np.random.default_rng(0).normal(0, 0.1, 50)
    >>> damp, result = choose_damp(A, b, full_output=True)
    >>> bool(abs(result.damps[result.gcv.argmin()] - damp) < 1e-2 * damp), result.route
    (True, 'dct')
    """

    damps: Array
    residuals: Array
    seminorms: Array
    freedom: Array
    gcv: Array
    route: str


@overload
def choose_damp(
    A: Any,
    b: Any,
    *,
    rule: str = "gcv",
    noise: float | None = None,
    reg: Any = None,
    progress: bool = False,
    full_output: Literal[False] = False,
) -> float: ...
@overload
def choose_damp(
    A: Any,
    b: Any,
    *,
    rule: str = "gcv",
    noise: float | None = None,
    reg: Any = None,
    progress: bool = False,
    full_output: Literal[True],
) -> tuple[float, DampResult]: ...
def choose_damp(
    A: Any,
    b: Any,
    *,
    rule: str = "gcv",
    noise: float | None = None,
    reg: Any = None,
    progress: bool = False,
    full_output: bool = False,
) -> float | tuple[float, DampResult]:
    """Return a damp for `tikhonov`, from the data.

    "discrepancy" takes the damp at which ‖A x − b‖ is what the noise makes of it, ``noise`` times the root of
    the number of data. "gcv" needs no noise: it minimises ‖A x − b‖² / (M − t)², where t is the trace of the
    matrix that makes A x of b. "lcurve" takes the corner of log ‖L x‖ against log ‖A x − b‖: the damp at
    which that curve bends most.

    Where a transform takes A apart, as for the direct routes of `tikhonov`, all three are exact, and known
    for all damps at once. Elsewhere the problem is solved for a sequence of damps, each from the answer to
    the one before. The trace is then that of the convolution that preconditions A, which differs near the
    border alone, or is estimated from random signs, always the same.

    Parameters
    ----------
    A, b
        As for `tikhonov`. Batch axes of b share one damp.
    rule : {"gcv", "discrepancy", "lcurve"}, default "gcv"
        How to choose.
    noise : float, optional
        Standard deviation of one datum; "discrepancy" needs it, the others pass it over.
    reg
        As for `tikhonov`.
    progress : bool, default False
        As for `tikhonov`, over the iterations of all damps.
    full_output : bool, default False
        Whether to return a `DampResult`, too.

    Returns
    -------
    float
        To about 2 %.
    DampResult
        Only with `full_output`.

    Raises
    ------
    TypeError, ValueError
        As `tikhonov`; or if the noise is missing, no damp leaves as much, or the L-curve has no corner.

    References
    ----------
    Golub, Heath and Wahba, "Generalized Cross-Validation as a Method for Choosing a Good Ridge Parameter",
    doi:10.1080/00401706.1979.10489751. Hansen and O'Leary, "The Use of the L-Curve in the Regularization of
    Discrete Ill-Posed Problems", doi:10.1137/0914086. Morozov, "On the Solution of Functional Equations by
    the Method of Regularization", Soviet Mathematics Doklady 7, 1966, for the discrepancy principle.
    Hutchinson, "A Stochastic Estimator of the Trace of the Influence Matrix for Laplacian Smoothing Splines",
    doi:10.1080/03610918908812806.

    Examples
    --------
    >>> import numpy as np
    >>> from convops import Conv, choose_damp
    >>> A = Conv([0.25, 0.5, 0.25], 200, padding="same", boundary="symmetric")
    >>> b = A(np.sin(np.arange(200) / 9)) + np.random.default_rng(0).normal(0, 0.1, 200)
    >>> 0.05 < choose_damp(A, b, rule="discrepancy", noise=0.1) < 5
    True
    """
    name = choice("rule", rule, RULES, OTHER_RULES)
    boolean("progress", progress)
    boolean("full_output", full_output)
    problem, _ = problem_of(A, b, 0.0, reg)
    if not problem.b.any():
        raise ValueError("b is 0 everywhere: every damp gives the same answer. Give data.")
    goal = _goal(noise, problem) if name == "discrepancy" else 0.0
    problem, copies = core_of(problem, reg)[:2]
    spectrum = spectrum_of_problem(problem)
    with Progress(progress, None) as watch, warnings.catch_warnings(), _in_range():
        # An answer that is not quite there is good enough to choose by.
        warnings.simplefilter("ignore", ConvergenceWarning)
        known: Measuring
        if spectrum is not None:
            known, per_decade = filters_of(spectrum, arrays_of(problem)), 8
        else:
            known, per_decade = Sweep(problem, name == "gcv", watch), 2
        seen = _Seen(known)
        ends = np.log(known.ends()) + np.log([1 / _BEYOND, _BEYOND])
        # From the largest on: its answer is the smoothest, and the nearest to 0.
        grid = np.linspace(ends[1], ends[0], max(int(np.ptp(ends) / np.log(10) * per_decade), 8))
        if name == "discrepancy":
            found = _at(seen, grid, goal, noise)
        elif name == "gcv":
            found = _least(seen, grid, problem.A.shape[0])
        else:
            found = _corner(seen, grid)
        seen.at(found)
    damp = float(np.exp(found))
    return (damp, seen.result(problem.A.shape[0], copies)) if full_output else damp


@contextmanager
def _in_range() -> Iterator[None]:
    """Refuse numbers whose squares leave the range of float64."""
    try:
        with np.errstate(over="raise"):
            yield
    except FloatingPointError:
        raise ValueError(
            "A or b is too large or too small: squares overflow. Scale both to values near 1."
        ) from None


class _Seen:
    """Measures by the logarithm of their damp, each asked for once."""

    def __init__(self, known: Measuring) -> None:
        self._known = known
        self._measures: dict[float, Measures] = {}

    def at(self, log: float) -> Measures:
        log = float(log)
        if log not in self._measures:
            self._measures[log] = self._known.measures(float(np.exp(log)))
        return self._measures[log]

    def along(self, grid: Array) -> list[tuple[float, Measures]]:
        """Return damps and their measures, from the first on until they cost too much."""
        found = []
        for log in grid:
            found.append((float(log), self.at(log)))
            if self._known.spent:
                break
        return found

    def result(self, rows: int, copies: int) -> DampResult:
        """Return all, for an operator that is `copies` times the one that was measured."""
        logs = sorted(self._measures)
        measures = [self._measures[log] for log in logs]
        residuals, seminorms, freedom = (np.array(column) for column in zip(*measures, strict=True))
        scores = np.array([_gcv(one, rows) for one in measures])
        route = self._known.route
        return DampResult(np.exp(logs), residuals, seminorms, copies * freedom, scores / copies**2, route)


def _gcv(measures: Measures, rows: int) -> float:
    return measures.residual**2 / max(rows - measures.freedom, np.finfo(np.float64).tiny ** 0.5) ** 2


def _goal(noise: Any, problem: Problem) -> float:
    """Return the residual that the noise makes."""
    if isinstance(noise, bool) or not isinstance(noise, int | float | np.floating | np.integer):
        raise TypeError(
            f"{shown('noise', noise)}: rule='discrepancy' needs the standard deviation of one datum; "
            f"got {type(noise).__name__}. Without it, give rule='gcv'."
        )
    if not 0 < noise < np.inf:
        raise ValueError(f"{shown('noise', noise)}: it must be a finite number above 0; got {noise}.")
    return float(noise) * float(np.sqrt(problem.b.size))


def _at(seen: _Seen, grid: Array, goal: float, noise: Any) -> float:
    """Return where the residual, which grows with the damp, is what the noise makes."""
    from scipy.optimize import brentq  # slow to import

    above = below = float(grid[0])
    for below in grid:
        if seen.at(below).residual <= goal:
            break
        above = float(below)
    last = seen.at(below).residual
    if last > goal or below == grid[0]:
        side = f"at least {last:.3g}" if last > goal else f"at most {last:.3g}"
        raise ValueError(
            f"{shown('noise', noise)}: noise of that size makes a residual of {goal:.3g}, and that of every "
            f"damp is {side}. Give another noise, or rule='gcv'."
        )
    root: float = brentq(lambda log: seen.at(log).residual - goal, below, above, xtol=_DIGITS)
    return root


def _least(seen: _Seen, grid: Array, rows: int) -> float:
    """Return where the score of cross-validation is least, from a grid on."""

    def score(log: float) -> float:
        return _gcv(seen.at(log), rows)

    from scipy.optimize import minimize_scalar

    logs = [log for log, _ in seen.along(grid)]
    best = int(np.argmin([score(log) for log in logs]))
    near = logs[min(best + 1, len(logs) - 1)], logs[max(best - 1, 0)]
    found: float = minimize_scalar(score, bounds=near, method="bounded", options={"xatol": _DIGITS}).x
    return found if score(found) <= score(logs[best]) else logs[best]


def _corner(seen: _Seen, grid: Array) -> float:
    """Return where the L-curve bends most, towards the origin."""
    from scipy.interpolate import CubicSpline

    points = np.array([(log, one.residual, one.seminorm) for log, one in seen.along(grid)])[::-1]
    points = points[(points[:, 1:] > 0).all(axis=1)]
    points[:, 1:] = np.log(points[:, 1:])
    fine, bend = points[:1, 0], np.zeros(1)
    if len(points) > _FEWEST:
        curve = CubicSpline(points[:, 0], points[:, 1:])
        fine = np.linspace(points[1, 0], points[-2, 0], _FINE)
        (right, up), (more_right, more_up) = curve(fine, 1).T, curve(fine, 2).T
        speed = np.hypot(right, up)
        turn = np.where(speed > _STILL * speed.max(), right * more_up - more_right * up, 0.0)
        bend = turn / np.maximum(speed, _STILL * speed.max()) ** 3
    if not bend.max() > 0:
        raise ValueError(
            "rule='lcurve': the curve of log ‖L x‖ against log ‖A x − b‖ has no corner: no damp divides the "
            "data into what A explains and noise. Give rule='gcv', or 'discrepancy' with the noise."
        )
    return float(fine[bend.argmax()])
