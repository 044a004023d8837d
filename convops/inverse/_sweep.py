"""The measures of a damp by solving for it, each time from the answer to the damp next to it.

The trace of a convolution is taken from the neighbour that preconditions it: per datum the two differ by what
happens at the border. Of other operators it is estimated from random signs.

Hutchinson, "A Stochastic Estimator of the Trace of the Influence Matrix for Laplacian Smoothing Splines",
doi:10.1080/03610918908812806.
"""

from dataclasses import replace
from typing import Any

import numpy as np

from convops._arrays import Array
from convops.inverse._filters import Filters, filters_of
from convops.inverse._measures import Measures
from convops.inverse._problem import Problem, of_rows, relative
from convops.inverse._progress import Progress
from convops.inverse._routes import NoUniqueSolution, route_of
from convops.inverse._surrogate import neighbour

_RTOL, _LEAST_RTOL = 1e-4, 1e-8
_SHARE = 0.05
"""Of the penalty's part in the normal equations: what may be missing, for the damp to show in the answer."""
_MOST_ITERATIONS = 100
"""Of one right-hand side: a damp that takes more, and more than the one above it, is the last."""
_MOST_PROBES, _DATA_OF_ALL_PROBES = 16, 4096
_LEAST = 1e-6
_STEPS = 5
_MOST_BYTES = 2**29


class Sweep:
    """Solves for each damp that it is asked about, and starts from the answer at the nearest one."""

    def __init__(self, problem: Problem, traced: bool, progress: Progress) -> None:
        rows, first = problem.A.shape[0], replace(problem, damp=1.0)
        self.route = route_of(first, "auto").name if traced else ""
        self._neighbour = _filters_of_neighbour(problem) if self.route == "cg" else None
        probes = min(max(_DATA_OF_ALL_PROBES // rows, 1), _MOST_PROBES)
        if not traced or self._neighbour is not None:
            probes = 0
        signs = np.random.default_rng(0).choice([-1.0, 1.0], (probes, rows))
        self._data = problem
        self._probes = replace(problem, b=signs.astype(problem.b.dtype))
        self._progress = progress
        self._answers: dict[float, tuple[Array, Array]] = {}
        self.spent = False
        self._taken = np.inf

    def ends(self) -> tuple[float, float]:
        """Return two damps far below and above the norm of A over that of L."""
        A, L = self._data.A, self._data.L
        size = _size(A) / (1.0 if L is None else _size(L))
        return _LEAST * size, size * (1.0 if L is None else max(A.input_shape))

    def measures(self, damp: float) -> Measures:
        """Return the measures at a damp above 0; without a trace, of freedom NaN."""
        before = self._progress.iterations
        near = min(self._answers, key=lambda known: abs(np.log(known / damp)), default=None)
        starts = (None, None) if near is None else self._answers[near]
        x = self._solved(self._data, damp, starts[0])
        signed = self._solved(self._probes, damp, starts[1]) if len(self._probes.b) else x[:0]
        self._keep(damp, (x, signed))
        taken = (self._progress.iterations - before) / (len(x) + len(signed))
        # With a regulariser and no preconditioner, a large damp costs much as well.
        self.spent = taken > max(_MOST_ITERATIONS, self._taken)
        self._taken = taken
        A, L = self._data.A, self._data.L
        return Measures(
            residual=float(np.linalg.norm(self._data.b - of_rows(A, x))),
            seminorm=float(np.linalg.norm(x if L is None else of_rows(L, x))),
            freedom=self._freedom(damp, signed),
        )

    def _freedom(self, damp: float, signed: Array) -> float:
        if self._neighbour is not None:
            filters, factor = self._neighbour
            share = filters.measures(damp / factor).freedom / filters.rows
            return float(share * self._data.A.shape[0])
        if not signed.size:
            return np.nan
        return float(np.real(np.sum(self._probes.b * of_rows(self._data.A, signed))) / len(signed))

    def _solved(self, problem: Problem, damp: float, start: Array | None) -> Array:
        problem = replace(problem, damp=damp)
        route = route_of(problem, "auto")
        self.route = route.name
        rtol = _RTOL
        if start is not None:
            share = relative(problem.penalised(start), problem.right_side)
            rtol = float(np.clip(_SHARE * share.min(), _LEAST_RTOL, _RTOL))
        try:
            return route.solve(start, rtol, None, self._progress)
        except NoUniqueSolution:
            return route_of(problem, "lsmr").solve(start, rtol, None, self._progress)

    def _keep(self, damp: float, answers: tuple[Array, Array]) -> None:
        self._answers[damp] = answers
        size = sum(rows.nbytes for rows in answers)
        while len(self._answers) > 1 and len(self._answers) * size > _MOST_BYTES:
            del self._answers[next(iter(self._answers))]


def _filters_of_neighbour(problem: Problem) -> tuple[Filters, float] | None:
    found = neighbour(problem.A, problem.L, problem.dtype.kind != "c")
    return None if found is None else (filters_of(found.spectrum), found.factor)


def _size(op: Any) -> float:
    """Return about the norm of an operator, from a few steps of the power method."""
    x = np.random.default_rng(0).standard_normal(op.shape[1])
    size = 0.0
    for _ in range(_STEPS):
        x = op.rmatvec(op.matvec(x))
        size = float(np.linalg.norm(x))
        if size == 0:
            raise ValueError(f"{op!r} is 0: there is nothing to choose.")
        x = x / size
    return float(np.sqrt(size))
