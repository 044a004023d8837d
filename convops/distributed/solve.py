"""`tikhonov` on dask arrays: regularised least squares for images beyond the memory of one machine."""

from collections.abc import Callable
from typing import Any, Literal, overload

import numpy as np

from convops._arguments import boolean, integer, shown
from convops.distributed._cgls import (
    LeastSquares,
    State,
    advanced,
    begun,
    norm,
    relative,
    residuals,
    taken_up,
)
from convops.distributed._checkpoint import Checkpoint
from convops.distributed._dask import dask_array, lazy
from convops.distributed._penalty import penalty_of
from convops.distributed.operator import DaskConv
from convops.inverse._iterate import MOST_ITERATIONS
from convops.inverse._progress import Progress
from convops.inverse.tikhonov import (
    ConvergenceWarning,
    TikhonovResult,
    at_least_zero,
    batch_of,
    positive,
    refuse_no_callback,
    refuse_other_start,
    warn_of_residual,
)
from convops.operators.base import ConvOperator

_GOAL = 0.9
"""The share of rtol that the recursion aims at, for the residual of x itself differs a little."""
_WHY = "dask arrays: conjugate gradients that never form AᴴA, one graph for each iteration"


@overload
def tikhonov(
    A: Any,
    b: Any,
    damp: float,
    *,
    reg: Any = None,
    x0: Any = None,
    rtol: float = 1e-6,
    maxiter: int = MOST_ITERATIONS,
    callback: Callable[[int, float], Any] | None = None,
    progress: bool = False,
    checkpoint: Any = None,
    checkpoint_every: int = 10,
    full_output: Literal[False] = False,
) -> Any: ...
@overload
def tikhonov(
    A: Any,
    b: Any,
    damp: float,
    *,
    reg: Any = None,
    x0: Any = None,
    rtol: float = 1e-6,
    maxiter: int = MOST_ITERATIONS,
    callback: Callable[[int, float], Any] | None = None,
    progress: bool = False,
    checkpoint: Any = None,
    checkpoint_every: int = 10,
    full_output: Literal[True],
) -> tuple[Any, TikhonovResult]: ...
def tikhonov(
    A: Any,
    b: Any,
    damp: float,
    *,
    reg: Any = None,
    x0: Any = None,
    rtol: float = 1e-6,
    maxiter: int = MOST_ITERATIONS,
    callback: Callable[[int, float], Any] | None = None,
    progress: bool = False,
    checkpoint: Any = None,
    checkpoint_every: int = 10,
    full_output: bool = False,
) -> Any:
    """Return the x that minimises ‖A x − b‖² + damp² ‖L x‖², all of it on dask arrays.

    Conjugate gradients for least squares (CGLS). One graph computes one iteration and persists its three
    vectors, x, b − A x and the direction, so a cluster needs room for some five images, in memory or on the
    disks that Dask spills to. Norms are summed in double precision, chunk by chunk in one order: whichever
    workers compute it, and however often one of them is lost, the answer is the same.

    Parameters
    ----------
    A : DaskConv, Conv or ConvTranspose
        Or what has `input_shape`, `output_shape`, `dtype`, ``A(x)`` and ``A.H(y)`` on dask arrays.
    b : dask array or array_like, shape ``(*batch, *output_shape)``
        The data. With batch axes, every item is a problem of its own. It is read at the start and at the end:
        persist it, or keep it in a file, where it is costly to compute.
    damp : float
        At least 0; it is squared, as for `convops.tikhonov`.
    reg : {"gradient", "laplacian"} or operator on dask arrays, optional
        L. Default: the identity. A name stands for `gradient` or `laplacian` as for `convops.tikhonov`.
    x0 : dask array or array_like, shape ``(*batch, *input_shape)``, optional
        Where the iteration starts; passed over where a checkpoint is there.
    rtol : float, default 1e-6
        The iteration stops when ‖Aᴴ(b − A x) − damp² LᴴL x‖ is at most rtol ‖Aᴴ b‖, for every item.
    maxiter : int, default 2000
        The most iterations, those before the checkpoint included.
    callback : callable, optional
        Called as ``callback(iteration, residual)``, with the largest relative residual
        of the normal equations.
    progress : bool, default False
        Whether to show a bar, if tqdm is installed, or else lines on stderr.
    checkpoint : str or path, optional
        A folder that all workers see; it is made. Where it holds a state of this problem, the iteration goes
        on from there, and the answer is the same to the last bit, unless chunks differ. A run that is killed
        at any time, also while it writes, leaves the last state whole. The answer may read from the folder:
        write it, or compute it, before the folder is removed.
    checkpoint_every : int, default 10
        After how many iterations a state is written. What a lost worker held is computed again from the last
        state, and without a checkpoint from the first iteration on.
    full_output : bool, default False
        Whether to return a `TikhonovResult`, too.

    Returns
    -------
    dask.array.Array, shape ``(*batch, *input_shape)``
        Persisted, in numpy's dtype of A, b and L, at least float32; integers give float64. Vectors have this
        dtype, too: float32 halves memory and traffic, and gets no further than some 1e-6 of ‖Aᴴ b‖.
    TikhonovResult
        Only with `full_output`.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, b is not finite, or the checkpoint is that of another problem.
    ImportError
        If Dask, or for checkpoints zarr, is missing; the extra ``dask`` installs both.

    Warns
    -----
    ConvergenceWarning
        If the residual of the normal equations, computed from x itself, is larger than asked for.

    See Also
    --------
    convops.tikhonov : In memory, with direct routes; given dask arrays it calls this.

    References
    ----------
    Hestenes and Stiefel, "Methods of Conjugate Gradients for Solving Linear Systems", 1952,
    doi:10.6028/jres.049.044.
    Björck, "Numerical Methods for Least Squares Problems", 1996, section 7.4, doi:10.1137/1.9781611971484.

    Examples
    --------
    >>> import dask.array as da
    >>> from convops.distributed import DaskConv, tikhonov
    >>> A = DaskConv([0.25, 0.5, 0.25], 8, padding="same", boundary="symmetric")
    >>> x = da.from_array([0.0, 0, 1, 1, 1, 0, 0, 0], chunks=4)
    >>> tikhonov(A, A(x), 0.01).compute().round(2)
    array([-0.  ,  0.01,  0.99,  1.01,  0.99,  0.01, -0.01,  0.  ])
    """
    dask_array("tikhonov")
    most, every = integer("maxiter", maxiter, 1), integer("checkpoint_every", checkpoint_every, 1)
    tolerance = positive("rtol", rtol)
    boolean("progress", progress)
    boolean("full_output", full_output)
    refuse_no_callback(callback)
    problem = problem_of(A, b, damp, reg)
    start = None if x0 is None else _start(x0, problem)
    store = None if checkpoint is None else Checkpoint(checkpoint, _facts(problem))
    state = (store and store.load(problem)) or begun(problem, start)
    _refuse_not_finite(state, problem)
    with Progress(progress, callback) as watch:
        watch.iterations = state.iteration
        while True:
            while state.left > _GOAL * tolerance and state.iteration < most and not state.stuck:
                state = advanced(problem, state)
                _refuse_not_finite(state, problem)
                if store is not None and state.iteration % every == 0:
                    state = _written(store, problem, state)
                watch.step(state.left)
            found = residuals(problem, state.x)
            left = relative(found.normal, state.reference)
            worst = float(left.max(initial=0.0))
            if worst <= tolerance or state.iteration >= most or not worst < 0.5 * state.verified:
                break
            state = taken_up(state, found, worst)
    if worst > tolerance:
        warn_of_residual("cgls", state.iteration, worst, tolerance)
    if not full_output:
        return state.x
    return state.x, TikhonovResult(state.iteration, _shaped(found.misfit), _shaped(left), "cgls", _WHY)


def problem_of(A: Any, b: Any, damp: Any, reg: Any) -> LeastSquares:
    """Return what is to be solved; refuse what does not fit, before any task runs."""
    if isinstance(A, ConvOperator):
        A = DaskConv.from_operator(A)
    _refuse_no_operator("A", A)
    value = at_least_zero("damp", damp)
    data = lazy("tikhonov", b, "b")
    batch = batch_of("b", data, A.output_shape, "output_shape", A.input_shape)
    penalty, of_penalty = penalty_of(reg, A)
    dtype = np.result_type(A.dtype, data.dtype, *of_penalty)
    if dtype.kind in "iu":
        dtype = np.dtype(np.float64)
    data = data.astype(dtype)
    back = A.H(data)
    _refuse_not_lazy(A, back)
    chunks = back.chunks
    da = dask_array("tikhonov")
    x = da.zeros(batch + A.input_shape, chunks=chunks, dtype=dtype)
    return LeastSquares(A, penalty, value, data.rechunk(A(x).chunks), chunks, dtype)


def _refuse_no_operator(name: str, A: Any) -> None:
    lacking = [one for one in ("input_shape", "output_shape", "dtype", "H") if not hasattr(A, one)]
    if lacking or not callable(A):
        raise TypeError(
            f"{shown(name, A)}: a linear operator on dask arrays is needed, as DaskConv is one; a "
            f"{type(A).__name__} has no {', '.join(lacking) or 'call'}."
        )


def _refuse_not_lazy(A: Any, y: Any) -> None:
    if not hasattr(y, "__dask_graph__"):
        raise TypeError(
            f"{shown('A', A)}: it must return dask arrays for dask arrays; A.H(b) is a {type(y).__name__}. "
            "Solve in memory, with b.compute(), or take a DaskConv."
        )


def _start(x0: Any, problem: LeastSquares) -> Any:
    A = problem.A
    start = lazy("tikhonov", x0, "x0")
    found = batch_of("x0", start, A.input_shape, "input_shape", A.output_shape)
    refuse_other_start(found, problem.batch, start.dtype, problem.dtype)
    da = dask_array("tikhonov")
    return da.broadcast_to(start, problem.batch + A.input_shape).rechunk(problem.chunks).astype(problem.dtype)


def _facts(problem: LeastSquares) -> dict[str, Any]:
    """Return what tells this problem from others, as a checkpoint keeps it."""
    A = problem.A
    return {
        "input_shape": list(A.input_shape),
        "output_shape": list(A.output_shape),
        "the batch of b": list(problem.batch),
        "dtype": str(problem.dtype),
        "damp": problem.damp,
        "A (its weight, geometry and chunks)": _token("A", A),
        "reg": _token("reg", problem.penalty),
        "the norm of b": norm(problem.b),
    }


def _token(name: str, op: Any) -> str:
    """Return what is equal for equal operators, in whatever process."""
    from dask.tokenize import TokenizationError, tokenize

    try:
        return tokenize(op, ensure_deterministic=True)[:16]
    except TokenizationError as error:
        raise TypeError(
            f"checkpoint: whether it is that of this problem cannot be told, because {shown(name, op)} has "
            "no __dask_tokenize__. Give it one that tells it from others, or leave checkpoint out."
        ) from error


def _written(store: Checkpoint, problem: LeastSquares, state: State) -> State:
    """Return the state as it is in the file, on which all that follows then depends."""
    store.save(state)
    found = store.load(problem)
    assert found is not None
    return found


def _refuse_not_finite(state: State, problem: LeastSquares) -> None:
    if np.isfinite(state.gamma).all() and np.isfinite(state.reference).all():
        return
    if state.iteration:
        raise ValueError(
            f"damp={problem.damp}: the iteration left the range of {problem.dtype}. Scale A and b to values "
            "near 1."
        )
    raise ValueError(
        f"b, or x0, is not finite, or leaves the range of {problem.dtype} in A.H(b): one such place would "
        "spoil the whole image. da.isfinite(b).all() tells; replace them, as in da.nan_to_num(b)."
    )


def _shaped(values: Any) -> Any:
    return values if values.ndim else float(values)


__all__ = ["ConvergenceWarning", "TikhonovResult", "tikhonov"]
