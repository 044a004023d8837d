"""Conjugate gradients for least squares, CGLS, on dask arrays: the problem, a state, and the next state.

AᴴA is never formed: r = b − A x is carried along, and its image under Aᴴ is the residual of the normal
equations. Hestenes and Stiefel, "Methods of Conjugate Gradients for Solving Linear Systems", 1952,
section 10; with a penalty, Björck, "Numerical Methods for Least Squares Problems", 1996, section 7.4.

One graph computes one iteration. Inner products are sums of one term per chunk, in double precision and in an
order that the chunks alone decide, so that an iteration makes the same of the same state whoever computes it.
"""

from dataclasses import dataclass
from math import prod
from typing import Any, NamedTuple

import numpy as np

from convops._arrays import Array
from convops.distributed._dask import dask_array, persisted

_AT_ONCE = 2**16
"""Entries whose products are taken at once, in double precision."""
_PROGRESS = 0.9
_ROUNDINGS, _PATIENCE = 1e3, 30
"""From how many roundings on, and after how many iterations without progress, there will be none."""


@dataclass(frozen=True)
class LeastSquares:
    """min ‖A x − b‖² + damp² ‖L x‖², for every item of the batch axes of b."""

    A: Any
    penalty: tuple[Any, ...] | None
    """The parts of L, on top of each other; None for the identity."""
    damp: float
    b: Any
    """In the chunks of A x."""
    chunks: tuple[tuple[int, ...], ...]
    """Those of x."""
    dtype: np.dtype[Any]

    @property
    def batch(self) -> tuple[int, ...]:
        """The batch axes of b."""
        sizes: tuple[int, ...] = self.b.shape
        return sizes[: len(sizes) - len(self.A.output_shape)]

    def forward(self, x: Any) -> Any:
        """Return A x in the chunks of b."""
        return self.A(x).rechunk(self.b.chunks).astype(self.dtype)

    def adjoint(self, y: Any) -> Any:
        """Return Aᴴ y in the chunks of x."""
        return self.A.H(y).rechunk(self.chunks).astype(self.dtype)

    def normal_residual(self, r: Any, x: Any) -> Any:
        """Return Aᴴ r − damp² LᴴL x, for r = b − A x."""
        s = self.adjoint(r)
        if not self.damp:
            return s
        weight = np.float64(-(self.damp**2))
        if self.penalty is None:
            return _added(s, weight, x)
        for L in self.penalty:
            s = _added(s, weight, L.H(L(x)).rechunk(self.chunks))
        return s

    def energy(self, p: Any, q: Any) -> Any:
        """Return ‖q‖² + damp² ‖L p‖², for q = A p."""
        found = squares(q, len(self.A.output_shape))
        if self.damp:
            penalised = [p] if self.penalty is None else [L(p) for L in self.penalty]
            for value in penalised:
                found = found + self.damp**2 * squares(value, value.ndim - len(self.batch))
        return found


class State(NamedTuple):
    """Where the iteration is; what it needs to go on as if it had never stopped."""

    iteration: int
    x: Any
    r: Any
    """b − A x, as the recursion has it."""
    p: Any
    """The direction of the next step."""
    gamma: Array
    """The squared norm of s, the residual of the normal equations, for each item of the batch axes."""
    slope: Array
    """⟨s, p⟩, which is gamma but for rounding."""
    reference: Array
    """‖Aᴴ b‖."""
    verified: float = np.inf
    """The relative residual that x itself had when the recursion was last taken up from it."""
    best: float = np.inf
    """The smallest relative residual since then, counted in steps of some 10 %."""
    best_at: int = 0

    @property
    def left(self) -> float:
        """The largest relative residual of the normal equations, as the recursion has it."""
        return float(relative(np.sqrt(self.gamma), self.reference).max(initial=0.0))

    @property
    def stuck(self) -> bool:
        """Whether rounding alone is left, as far as can be told."""
        rounding = float(np.finfo(self.x.dtype).eps)
        return self.best < _ROUNDINGS * rounding and self.iteration - self.best_at >= _PATIENCE


class Residuals(NamedTuple):
    """Those of an x, computed from itself."""

    misfit: Array
    """‖b − A x‖."""
    normal: Array
    """The norm of the residual of the normal equations."""
    r: Any
    s: Any


def begun(problem: LeastSquares, x0: Any) -> State:
    """Return the state before the first iteration."""
    da = dask_array("tikhonov")
    right = problem.adjoint(problem.b)
    axes = len(problem.A.input_shape)
    if x0 is None:
        x = da.zeros(problem.batch + problem.A.input_shape, chunks=problem.chunks, dtype=problem.dtype)
        r, p = problem.b, right
    else:
        x = x0
        r = problem.b - problem.forward(x)
        p = problem.normal_residual(r, x)
    x, r, p, gamma, reference = persisted(x, r, p, squares(p, axes), squares(right, axes))
    size = _value(gamma)
    return State(0, x, r, p, size, size, _value(da.sqrt(reference)))


def advanced(problem: LeastSquares, state: State) -> State:
    """Return the state one iteration later, computed.

    The step goes down the slope ⟨s, p⟩, not gamma: they differ by rounding alone, but where rounding is all
    that is left, steps by gamma go uphill, and the iteration would diverge.
    """
    axes = len(problem.A.input_shape)
    da = dask_array("tikhonov")
    q = problem.forward(state.p)
    energy = problem.energy(state.p, q)
    # An item of the batch that is solved has no direction, and stays as it is.
    alpha = state.slope / da.where(energy > 0, energy, np.inf)
    x = _added(state.x, alpha, state.p)
    r = _added(state.r, -alpha, q)
    s = problem.normal_residual(r, x)
    gamma = squares(s, axes)
    p = _added(s, gamma / np.where(state.gamma > 0, state.gamma, np.inf), state.p)
    x, r, p, numbers = persisted(x, r, p, da.stack([gamma, inner(s, p, axes)]))
    gamma, slope = _value(numbers)
    found = state._replace(iteration=state.iteration + 1, x=x, r=r, p=p, gamma=gamma, slope=slope)
    if found.left < _PROGRESS * found.best:
        return found._replace(best=found.left, best_at=found.iteration)
    return found


def taken_up(state: State, found: "Residuals", relative_residual: float) -> State:
    """Return a state in which the recursion begins anew, from the residuals of x itself."""
    gamma = np.square(found.normal)
    return state._replace(
        r=found.r,
        p=found.s,
        gamma=gamma,
        slope=gamma,
        verified=relative_residual,
        best=relative_residual,
        best_at=state.iteration,
    )


def residuals(problem: LeastSquares, x: Any) -> Residuals:
    """Return the residuals of an x, computed anew."""
    da = dask_array("tikhonov")
    r = problem.b - problem.forward(x)
    s = problem.normal_residual(r, x)
    r, s, misfit, normal = persisted(
        r, s, squares(r, len(problem.A.output_shape)), squares(s, len(problem.A.input_shape))
    )
    return Residuals(_value(da.sqrt(misfit)), _value(da.sqrt(normal)), r, s)


def relative(size: Array, reference: Array) -> Array:
    """Return the sizes over those of the right-hand sides; 0 where both are 0."""
    return np.divide(size, reference, out=np.where(size > 0, np.inf, 0.0), where=reference > 0)


def norm(x: Any) -> float:
    """Return the norm over all axes."""
    return float(np.sqrt(_value(squares(x, x.ndim))))


def squares(x: Any, axes: int) -> Any:
    """Return the squared norm over the last axes of x, in double precision."""
    return inner(x, x, axes)


def inner(x: Any, y: Any, axes: int) -> Any:
    """Return the real part of ⟨x, y⟩ over the last axes, in double precision; chunks are alike."""
    da = dask_array("tikhonov")
    ones = tuple((1,) * len(sizes) for sizes in x.chunks[x.ndim - axes :])
    chunks = x.chunks[: x.ndim - axes] + ones
    terms = da.map_blocks(
        inner_of_chunk, x, y, axes=axes, chunks=chunks, dtype=np.float64, meta=np.empty((0,) * x.ndim)
    )
    return terms.sum(axis=tuple(range(x.ndim - axes, x.ndim)))


def inner_of_chunk(x: Array, y: Array, axes: int) -> Array:
    """Return the real part of ⟨x, y⟩ over the last axes of a chunk, which are kept with length 1."""
    batch = x.shape[: x.ndim - axes]
    first, second = (array.reshape(*batch, prod(x.shape[len(batch) :])) for array in (x, y))
    total = np.zeros(batch)
    for start in range(0, first.shape[-1], _AT_ONCE):
        one, other = (rows[..., start : start + _AT_ONCE] for rows in (first, second))
        pairs = [(one.real, other.real), (one.imag, other.imag)] if one.dtype.kind == "c" else [(one, other)]
        for left, right in pairs:
            total += np.multiply(left, right, dtype=np.float64).sum(axis=-1)
    return total.reshape(batch + (1,) * axes)


def _value(lazy: Any) -> Array:
    found: Array = np.asarray(lazy.compute())
    return found


def _added(x: Any, scalar: Any, p: Any) -> Any:
    """Return x + scalar p, in the dtype of x, with one scalar for each item of the batch axes."""
    if hasattr(scalar, "__dask_graph__"):
        scalar = scalar[(..., *[None] * (x.ndim - scalar.ndim))]
    da = dask_array("tikhonov")
    return da.map_blocks(_sum_of_chunks, x, scalar, p, dtype=x.dtype, meta=np.empty((0,) * x.ndim, x.dtype))


def _sum_of_chunks(x: Array, scalar: Any, p: Array) -> Array:
    found: Array = scalar.astype(x.real.dtype) * p
    found = found.astype(x.dtype, copy=False)
    found += x
    return found
