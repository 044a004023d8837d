"""Regularised least squares by the fastest exact route that the structure of the operator gives."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from math import isfinite, prod
from numbers import Real
from typing import Any, Literal, overload

import numpy as np

from convops._arguments import boolean, choice, integer, shown
from convops._arrays import Array, dense, refuse_beyond_int64
from convops.inverse._core import core_of
from convops.inverse._iterate import MOST_ITERATIONS
from convops.inverse._problem import Problem, norms, relative
from convops.inverse._progress import Progress
from convops.inverse._regulariser import regulariser
from convops.inverse._routes import METHODS, OTHER_METHODS, route_of
from convops.operators.algebra.foreign import as_part
from convops.operators.algebra.scalars import is_operator


class ConvergenceWarning(UserWarning):
    """An iteration stopped before the residual was as small as asked for; the message gives both.

    Attributes
    ----------
    args : tuple of str
        The message.

    Examples
    --------
    To make it an error:

    >>> import warnings
    >>> import convops
    >>> warnings.simplefilter("error", convops.ConvergenceWarning)
    """


@dataclass(frozen=True)
class TikhonovResult:
    """How `tikhonov` found its answer, and how good it is.

    Attributes
    ----------
    iterations : int
        Of all right-hand sides together; 0 on a direct route.
    residual : float, or ndarray of shape ``batch``
        ‖A x − b‖.
    normal_residual : float, or ndarray of shape ``batch``
        ‖Aᴴ(b − A x) − damp² LᴴL x‖ / ‖Aᴴ b‖, computed from the answer itself.
    route : str
        "fft", "dct", "sparse", "cg" or "lsmr"; "cgls" on dask arrays.
    why : str
        Why this route.

    Examples
    --------
    >>> import numpy as np
    >>> from convops import Conv, tikhonov
    >>> A = Conv([0.25, 0.5, 0.25], 8, padding="same", boundary="wrap")
    >>> x, result = tikhonov(A, A(np.arange(8.0)), 0.1, full_output=True)
    >>> print(result.route, result.iterations, result.why)
    fft 0 every axis is diagonal: fft
    """

    iterations: int
    residual: Any
    normal_residual: Any
    route: str
    why: str


@overload
def tikhonov(
    A: Any,
    b: Any,
    damp: float,
    *,
    reg: Any = None,
    method: str = "auto",
    x0: Any = None,
    rtol: float = 1e-6,
    maxiter: int | None = None,
    callback: Callable[[int, float], Any] | None = None,
    progress: bool = False,
    full_output: Literal[False] = False,
) -> Array: ...
@overload
def tikhonov(
    A: Any,
    b: Any,
    damp: float,
    *,
    reg: Any = None,
    method: str = "auto",
    x0: Any = None,
    rtol: float = 1e-6,
    maxiter: int | None = None,
    callback: Callable[[int, float], Any] | None = None,
    progress: bool = False,
    full_output: Literal[True],
) -> tuple[Array, TikhonovResult]: ...
def tikhonov(
    A: Any,
    b: Any,
    damp: float,
    *,
    reg: Any = None,
    method: str = "auto",
    x0: Any = None,
    rtol: float = 1e-6,
    maxiter: int | None = None,
    callback: Callable[[int, float], Any] | None = None,
    progress: bool = False,
    full_output: bool = False,
) -> Array | tuple[Array, TikhonovResult]:
    """Return the x that minimises ‖A x − b‖² + damp² ‖L x‖².

    Where the structure tells the answer, no iteration is needed: where every axis wraps round, or is
    mirrored under a kernel that is symmetric along it, a transform makes A a small block for each frequency,
    also with channels and with a stride; where the matrix is small, the normal equations are factorised.
    Elsewhere conjugate gradients run on the normal equations, preconditioned by a convolution that differs
    from A near the border alone, or LSMR where damp is 0.

    Parameters
    ----------
    A : LinearOperator
        Of convops, a composite too, or of another package.
    b : array_like, shape ``(*batch, *output_shape)``
        The data. With batch axes, every item is a problem of its own. With a dask array, or a `DaskConv` for
        A, `convops.distributed.tikhonov` solves it, and what is returned is a dask array; call that for
        checkpoints.
    damp : float
        At least 0, in the convention of `scipy.sparse.linalg.lsmr`: it is squared.
    reg : {"gradient", "laplacian"} or LinearOperator, optional
        L. Default: the identity. A name stands for `gradient` or `laplacian` on the spatial axes, with the
        boundary of A where A pads an axis and "symmetric" where it does not.
    method : {"auto", "fft", "dct", "sparse", "cg", "lsmr"}, default "auto"
        The route. "fft" and "dct" are the transforms, "sparse" is the factorisation.
    x0 : array_like, shape ``(*batch, *input_shape)``, optional
        Where iterations start; direct routes pass it over.
    rtol : float, default 1e-6
        Iterations stop when ‖Aᴴ(b − A x) − damp² LᴴL x‖ is at most rtol ‖Aᴴ b‖.
    maxiter : int, optional
        The most iterations for one right-hand side. Default: 2000.
    callback : callable, optional
        Called as ``callback(iteration, residual)``, with the relative residual of the normal equations.
    progress : bool, default False
        Whether to show a bar, if tqdm is installed, or else lines on stderr.
    full_output : bool, default False
        Whether to return a `TikhonovResult`, too.

    Returns
    -------
    ndarray, shape ``(*batch, *input_shape)``
        In numpy's dtype of A, b and L, at least float32; integers give float64.
    TikhonovResult
        Only with `full_output`.

    Raises
    ------
    TypeError, ValueError
        If an argument does not fit, b is not finite, or the route cannot solve the problem; the message
        says why. A direct route refuses a problem that has no unique solution.

    Warns
    -----
    ConvergenceWarning
        If the residual of the normal equations is larger than asked for.

    See Also
    --------
    choose_damp : Which damp.

    References
    ----------
    Hansen, Nagy and O'Leary, "Deblurring Images: Matrices, Spectra, and Filtering", 2006, chapters 4 and 6.
    Zhao et al., "Fast Single Image Super-Resolution Using a New Analytical Solution for ℓ2-ℓ2 Problems",
    doi:10.1109/TIP.2016.2567075, for the direct route with a stride.

    Examples
    --------
    >>> import numpy as np
    >>> from convops import Conv, tikhonov
    >>> A = Conv([0.25, 0.5, 0.25], 8, padding="same", boundary="symmetric")
    >>> x = np.array([0.0, 0, 1, 1, 1, 0, 0, 0])
    >>> tikhonov(A, A(x), 0.01).round(2)
    array([-0.  ,  0.01,  0.99,  1.01,  0.99,  0.01, -0.01,  0.  ])
    """
    asked = choice("method", method, METHODS, OTHER_METHODS, "auto")
    if hasattr(b, "__dask_graph__") or hasattr(A, "__dask_tokenize__"):
        lazy: Any = _on_dask(
            A,
            b,
            damp,
            asked,
            reg=reg,
            x0=x0,
            rtol=rtol,
            maxiter=MOST_ITERATIONS if maxiter is None else maxiter,
            callback=callback,
            progress=progress,
            full_output=full_output,
        )
        return lazy  # type: ignore[no-any-return]
    problem, batch = problem_of(A, b, damp, reg)
    tolerance = positive("rtol", rtol)
    most = None if maxiter is None else integer("maxiter", maxiter, 1)
    start = None if x0 is None else _start(x0, problem, batch)
    boolean("progress", progress)
    boolean("full_output", full_output)
    refuse_no_callback(callback)
    core = core_of(problem, reg)
    route = route_of(core.problem, asked)
    with Progress(progress, callback) as watch:
        begun = None if start is None else core.apart(start)
        rows = core.together(route.solve(begun, tolerance, most, watch))
    if not np.isfinite(rows).all():
        raise ValueError(
            f"{shown('damp', damp)}: route {route.name!r} left the range of {problem.wide}. Scale A and b to "
            "values near 1."
        )
    x = rows.astype(problem.dtype)
    misfit, residual = problem.residuals(x)
    left = relative(residual, problem.right_side)
    if (left > tolerance).any():
        warn_of_residual(route.name, watch.iterations, float(left.max()), tolerance)
    image = x.reshape(batch + problem.A.input_shape)
    if not full_output:
        return image
    return image, TikhonovResult(
        watch.iterations, _shaped(norms(misfit), batch), _shaped(left, batch), route.name, route.why
    )


def _on_dask(A: Any, b: Any, damp: Any, method: str, **more: Any) -> Any:
    if method not in ("auto", "cg"):
        raise ValueError(
            f"{shown('method', method)}: b or A is one of Dask, where conjugate gradients are the one route. "
            "Leave method out, or solve in memory: tikhonov(A, b.compute(), ...) with a Conv."
        )
    return import_module("convops.distributed").tikhonov(A, b, damp, **more)


def problem_of(A: Any, b: Any, damp: Any, reg: Any) -> tuple[Problem, tuple[int, ...]]:
    """Return what is to be solved, and the batch axes of b; refuse what does not fit."""
    if not is_operator(A):
        raise TypeError(
            f"{shown('A', A)}: a linear operator is needed, as Conv makes one; got {type(A).__name__}. Wrap "
            "a matrix in scipy.sparse.linalg.aslinearoperator."
        )
    part = as_part(A)
    value = at_least_zero("damp", damp)
    data = dense("b", b)
    batch = batch_of("b", data, part.output_shape, "output_shape", part.input_shape)
    refuse_not_finite("b", data)
    refuse_beyond_int64("b", data)
    L = regulariser(reg, part)
    dtype = np.result_type(part.dtype, data.dtype, *([] if L is None else [L.dtype]))
    if dtype.kind in "iu":
        dtype = np.dtype(np.float64)
    wide = np.complex128 if data.dtype.kind == "c" else np.float64
    rows = data.reshape(-1, part.shape[0]).astype(wide)
    return Problem(part, L, value, rows, dtype), batch


def refuse_not_finite(name: str, data: Array) -> None:
    """Refuse NaN and infinity, and say where they are."""
    if data.dtype.kind in "fc" and not np.isfinite(data).all():
        places = np.argwhere(~np.isfinite(data))
        place = tuple(places[0].tolist())
        raise ValueError(
            f"{name} is not finite at {len(places)} place(s), first {name}{list(place)} = {data[place]}: one "
            "of them would spoil the whole image. Replace them, or leave them out by an operator in front of "
            "A that drops these places."
        )


def batch_of(
    name: str, data: Any, shape: tuple[int, ...], of: str, other: tuple[int, ...]
) -> tuple[int, ...]:
    """Return the batch axes of an array whose last axes must be of a shape."""
    split = data.ndim - len(shape)
    if split >= 0 and data.shape[split:] == shape:
        batch: tuple[int, ...] = data.shape[:split]
        return batch
    text = f"{name} has shape {data.shape}: its last axes must be A's {of} {shape}, after any batch axes"
    if data.shape == (prod(shape),):
        raise ValueError(f"{text}; it has the right length, so give {name}.reshape(A.{of}).")
    if data.shape[max(data.ndim - len(other), 0) :] == other:
        raise ValueError(f"{text}; {other} is that of the other side. Did you mean A.H?")
    raise ValueError(f"{text}; got {data.shape[max(split, 0) :]}.")


def _start(x0: Any, problem: Problem, batch: tuple[int, ...]) -> Array:
    start = dense("x0", x0)
    refuse_not_finite("x0", start)
    found = batch_of("x0", start, problem.A.input_shape, "input_shape", problem.A.output_shape)
    refuse_other_start(found, batch, start.dtype, problem.dtype)
    rows = start.reshape(-1, problem.A.shape[1])
    return np.array(np.broadcast_to(rows, (len(problem.b), rows.shape[1])), problem.wide)


def refuse_other_start(
    found: tuple[int, ...], batch: tuple[int, ...], own: np.dtype[Any], answer: np.dtype[Any]
) -> None:
    """Refuse an x0 whose batch axes, or whose dtype, the answer cannot have."""
    if found not in ((), batch):
        raise ValueError(
            f"x0 has batch axes {found}, and b has {batch}: they must be equal, or x0 have none."
        )
    if own.kind == "c" and answer.kind != "c":
        raise TypeError(f"x0 has dtype {own}, and the answer {answer}. Give x0.real.")


def refuse_no_callback(callback: Any) -> None:
    """Refuse what is given for a callback and cannot be called."""
    if callback is not None and not callable(callback):
        raise TypeError(
            f"{shown('callback', callback)}: it is called as callback(iteration, residual); got "
            f"{type(callback).__name__}."
        )


def at_least_zero(name: str, value: Any) -> float:
    """Return a number that is finite and not negative."""
    number = _real(name, value, "a number of at least 0")
    if not number >= 0 or not isfinite(number):
        raise ValueError(f"{shown(name, value)}: it must be a finite number of at least 0; got {value}.")
    return number


def positive(name: str, value: Any) -> float:
    """Return a number between 0 and 1."""
    number = _real(name, value, "a number above 0")
    if not 0 < number < 1:
        raise ValueError(f"{shown(name, value)}: it must be above 0 and below 1; got {value}.")
    return number


def _real(name: str, value: Any, rule: str) -> float:
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if isinstance(value, bool | np.bool) or not isinstance(value, Real):
        raise TypeError(f"{shown(name, value)}: it must be {rule}; got {type(value).__name__}.")
    return float(value)


def _shaped(values: Array, batch: tuple[int, ...]) -> Any:
    return values.reshape(batch) if batch else float(values[0])


def warn_of_residual(route: str, iterations: int, found: float, rtol: float) -> None:
    """Warn of a residual of the normal equations that is larger than asked for."""
    after = f" after {iterations} iterations" if iterations else ""
    fix = (
        "Give more iterations (maxiter), a larger damp, or float64 data."
        if iterations
        else "The problem is nearly singular for its precision: give a larger damp, or float64 data."
    )
    warnings.warn(
        f"tikhonov: route {route!r} ends{after} with a residual of the normal equations of {found:.3g} times "
        f"that of 0, and rtol={rtol:.3g} was asked for. {fix}",
        ConvergenceWarning,
        stacklevel=3,
    )
