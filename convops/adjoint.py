"""The adjoint check: does the adjoint of a linear operator, from any package, fit its forward map."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import hypot, inf, isfinite, log2, prod, sqrt
from typing import Any

import numpy as np

from convops._adjoint_report import AdjointCheck, AdjointReport
from convops._arguments import integer, shape, shown
from convops._arrays import Array, dense, operator_dtype

Apply = Callable[[Array], Array]

PROBES = 2
LARGEST_INTEGER = 256


def check_adjoint(
    op: Any,
    adjoint: Callable[[Any], Any] | None = None,
    input_shape: Any = None,
    output_shape: Any = None,
    dtype: Any = None,
    *,
    seed: int = 0,
) -> AdjointReport:
    """Check ⟨Ax, y⟩ = ⟨x, Aᴴy⟩ for a linear operator from any package, or for a pair of functions.

    Each of two random x (up to 16 where they are short) makes a pair of inner products with each of as
    many random y. A pair may differ by what rounding explains: the noise of the operator itself, measured
    as ½‖A(x₁ + x₂) − Ax₁ − Ax₂‖, and the unit roundoff of its dtype. No tolerance is to be chosen, and
    none is relative to an inner product that may be near zero. Operators of an integer dtype are checked
    in integers, where both sides must be equal exactly; so are those of convops, with a random integer
    weight in place of theirs: that leaves no rounding to hide a wrong index.

    Parameters
    ----------
    op : LinearOperator or callable
        An operator with ``shape``, ``dtype``, ``matvec`` and ``rmatvec``; or the forward function.
    adjoint : callable, optional
        The adjoint function, where `op` is a function.
    input_shape, output_shape : int or sequence of int, optional
        Shapes of what the two functions take and return.
    dtype : dtype, optional
        In which the functions work; default float64. For operators: their own.
    seed : int, default 0
        Of the random probes.

    Returns
    -------
    AdjointReport
        True where every check passed.

    Raises
    ------
    TypeError, ValueError
        If the operator lacks a method, or if what it returns has the wrong shape.

    Notes
    -----
    Passing shows that the two maps fit each other, not that the forward map is the one you meant.

    References
    ----------
    Claerbout, "Earth Soundings Analysis: Processing versus Inversion", 1992, for the dot-product test.
    Higham and Mary, "A new approach to probabilistic rounding error analysis",
    doi:10.1137/18M1226312, for rounding errors that grow like the square root of their number.

    Examples
    --------
    >>> from convops import Conv, check_adjoint
    >>> print(check_adjoint(Conv([[1, 2], [3, 4]], (3, 3))))
    adjoint check of <4x9 Conv: input_shape (3, 3) -> output_shape (2, 2), int64>: passed (seed 0)
      exact     ok     ⟨Ax, y⟩ = ..., ⟨x, Aᴴy⟩ = ..., difference 0, bound 0
    >>> def difference(x):
    ...     return x[1:] - x[:-1]
    >>> def wrong(y):
    ...     return np.append(-y, 0) + np.append(0, -y)
    >>> bool(check_adjoint(difference, wrong, input_shape=5, output_shape=4))
    False
    """
    seed = integer("seed", seed, 0)
    pair = _pair(op, adjoint, input_shape, output_shape, dtype)
    checks = []
    if pair.dtype.kind in "iu":
        exact = _exact(pair, seed)
        if not exact.passed and pair.dtype == np.int8:  # SciPy's guess where no dtype is given
            exact = replace(exact, note="its dtype is int8: if it works on floats, give it a float dtype")
        checks.append(exact)
    else:
        checks += _floating(pair, seed)
        twin = getattr(op, "_convops_integer_twin", None)
        counterpart = twin(seed) if twin is not None and adjoint is None else None
        if counterpart is not None:
            exact = _exact(_pair(counterpart, None, None, None, None), seed)
            checks.append(replace(exact, note="A with a random integer weight"))
    return AdjointReport(pair.name, seed, tuple(checks))


@dataclass(frozen=True)
class _Pair:
    """Two maps on vectors, whatever they were given as."""

    name: str
    forward: Apply
    adjoint: Apply
    columns: int
    rows: int
    dtype: np.dtype[Any]
    gain: float = 0.0
    """A bound of what the sums inside the maps reach for entries of size 1, where the operator tells."""


def _pair(op: Any, adjoint: Any, input_shape: Any, output_shape: Any, dtype: Any) -> _Pair:
    if adjoint is not None:
        return _pair_of_functions(op, adjoint, input_shape, output_shape, dtype)
    given = {"input_shape": input_shape, "output_shape": output_shape, "dtype": dtype}
    for name, value in given.items():
        if value is not None:
            raise TypeError(
                f"{shown(name, value)}: it describes a pair of functions, and there is no adjoint function. "
                "An operator has its own shapes and dtype."
            )
    missing = [name for name in ("shape", "matvec", "rmatvec") if not hasattr(op, name)]
    if missing:
        fix = (
            "Give both functions and their shapes: check_adjoint(forward, adjoint, input_shape=..., "
            "output_shape=...)."
            if callable(op)
            else "Wrap it with scipy.sparse.linalg.aslinearoperator."
        )
        raise TypeError(f"{shown('op', op)}: an operator has {', '.join(missing)}, this has not. {fix}")
    sizes = shape("op.shape", op.shape)
    if len(sizes) != 2:
        raise ValueError(
            f"{shown('op.shape', op.shape)}: an operator has two sizes, (M, N); got {len(sizes)}."
        )
    rows, columns = sizes
    declared = operator_dtype(np.float64 if getattr(op, "dtype", None) is None else op.dtype, "op.dtype")
    gain = getattr(op, "_convops_gain", 0.0)
    return _Pair(
        " ".join(repr(op).split()),
        _vectors("matvec", op.matvec, (columns,), (rows,)),
        _vectors("rmatvec", op.rmatvec, (rows,), (columns,)),
        columns,
        rows,
        declared,
        gain if isfinite(gain) else 0.0,
    )


def _pair_of_functions(op: Any, adjoint: Any, input_shape: Any, output_shape: Any, dtype: Any) -> _Pair:
    for name, function in (("op", op), ("adjoint", adjoint)):
        if not callable(function):
            raise TypeError(
                f"{shown(name, function)}: forward and adjoint must both be functions of one array; got "
                f"{type(function).__name__}."
            )
    for name, value in (("input_shape", input_shape), ("output_shape", output_shape)):
        if value is None:
            raise TypeError(f"{name} is missing: a pair of functions does not tell its shapes. Give both.")
    before, after = shape("input_shape", input_shape), shape("output_shape", output_shape)
    return _Pair(
        f"{_name(op)} and {_name(adjoint)}",
        _vectors("forward", op, before, after),
        _vectors("adjoint", adjoint, after, before),
        prod(before),
        prod(after),
        operator_dtype(np.float64 if dtype is None else dtype),
    )


def _name(function: Any) -> str:
    return str(getattr(function, "__qualname__", type(function).__name__))


def _vectors(name: str, function: Apply, before: tuple[int, ...], after: tuple[int, ...]) -> Apply:
    """Return `function` as a map of vectors that keeps a copy of what it returned."""

    def apply(x: Array) -> Array:
        try:
            returned = function(x.reshape(before).copy())
        except NotImplementedError as error:
            raise TypeError(f"{name} is not implemented: an adjoint check needs both products.") from error
        y = np.array(dense(f"what {name} returned", returned))
        if y.size != prod(after) or (y.shape != after and len(after) > 1):
            raise ValueError(f"{name} returned shape {y.shape} for x of shape {before}: it must be {after}.")
        return y.reshape(-1)

    return apply


def _floating(pair: _Pair, seed: int) -> list[AdjointCheck]:
    rng = np.random.default_rng(seed)
    count = _probes(pair)
    x = [_probe(rng, pair.columns, pair.dtype) for _ in range(count)]
    y = [_probe(rng, pair.rows, pair.dtype) for _ in range(count)]
    forward, linear, noise = _images(pair.forward, x, pair)
    backward, linear_adjoint, noise_adjoint = _images(pair.adjoint, y, pair)
    rms = sqrt(7 / 12)  # of a value uniform in [1/2, 1]
    size = hypot(max(map(_norm, forward)) * rms, max(map(_norm, backward)) * rms)
    bound = 8 * max(hypot(noise * rms, noise_adjoint * rms), _unit_roundoff(pair.dtype) / 2 * size)
    bound += _underflow(pair)
    sides = [(_inner(ax, v), _inner(u, bv)) for u, ax in zip(x, forward, strict=True)
             for v, bv in zip(y, backward, strict=True)]  # fmt: skip
    left, right = max(sides, key=lambda both: _distance(*both))
    adjoint = AdjointCheck("adjoint", _plain(left), _plain(right), _distance(left, right), bound)
    return [_zero(pair), max(linear, linear_adjoint, key=_severity), adjoint]


def _zero(pair: _Pair) -> AdjointCheck:
    forward = _norm(pair.forward(np.zeros(pair.columns, pair.dtype)))
    backward = _norm(pair.adjoint(np.zeros(pair.rows, pair.dtype)))
    largest = max(forward, backward)
    return AdjointCheck("zero", forward, backward, largest if largest == largest else inf, 0.0)


def _probes(pair: _Pair) -> int:
    """Return how many probes it takes to see the noise of the maps: more where they have few entries."""
    return min(max(PROBES, 64 // min(pair.rows, pair.columns)), 16)


def _images(apply: Apply, probes: list[Array], pair: _Pair) -> tuple[list[Array], AdjointCheck, float]:
    """Return what the map makes of the probes, whether it is additive, and how noisy it is."""
    images = [apply(probe) for probe in probes]
    linear = [
        _linearity(apply(one + two), image_of_one, image_of_two, pair)
        for one, two, image_of_one, image_of_two in zip(probes, probes[1:], images, images[1:], strict=False)
    ]
    worst = max(linear, key=_severity)
    # What is not linear has no noise to allow for.
    return images, worst, worst.difference / 2 if worst.passed else 0.0


def _linearity(of_sum: Array, of_one: Array, of_two: Array, pair: _Pair) -> AdjointCheck:
    # A noisy map would hide a wrong adjoint, so noise far above that of its dtype is a fault of its own.
    growth = 2**7 * sqrt(log2(pair.rows + pair.columns)) * _unit_roundoff(pair.dtype)
    summed = of_one + of_two
    difference = _norm(of_sum - summed)
    size = _norm(of_one) + _norm(of_two) + pair.gain * sqrt(max(pair.rows, pair.columns))
    return AdjointCheck(
        "linearity",
        _norm(of_sum),
        _norm(summed),
        difference if difference == difference else inf,
        growth * size + _underflow(pair),
    )


def _severity(check: AdjointCheck) -> float:
    """Return the difference in units of the bound."""
    return check.difference / check.bound if check.bound > 0 else inf


def _underflow(pair: _Pair) -> float:
    """Return what products that leave the range of the dtype downwards can add up to."""
    return 8 * (pair.rows + pair.columns) * float(np.finfo(pair.dtype).smallest_subnormal)


def _unit_roundoff(dtype: np.dtype[Any]) -> float:
    return float(np.finfo(dtype).eps) / 2


def _exact(pair: _Pair, seed: int) -> AdjointCheck:
    rng = np.random.default_rng(seed)
    # As large as the products of the operator can take, where it tells.
    largest = max(min(LARGEST_INTEGER, int((2**63 - 1) // max(pair.gain, 1))), 1)
    x = [_integers(rng, pair.columns, largest) for _ in range(PROBES)]
    y = [_integers(rng, pair.rows, largest) for _ in range(PROBES)]
    forward, backward = list(map(pair.forward, x)), list(map(pair.adjoint, y))
    sides = [(_exact_inner(ax, v), _exact_inner(u, by)) for u, ax in zip(x, forward, strict=True)
             for v, by in zip(y, backward, strict=True)]  # fmt: skip
    left, right = max(sides, key=lambda both: abs(both[0] - both[1]))
    return AdjointCheck("exact", left, right, abs(left - right), 0)


def _probe(rng: np.random.Generator, size: int, dtype: np.dtype[Any]) -> Array:
    """Return values of random sign or phase; each part has a size uniform in [1/2, 1].

    Of eleven bits, so that the sum of two probes is exact: what A(x₁ + x₂) differs by is A's own noise.
    """
    probe = np.empty(size, dtype)
    for part in (probe.real, probe.imag) if dtype.kind == "c" else (probe,):
        np.multiply(rng.integers(1024, 2049, size) / 2048, rng.choice([-1.0, 1.0], size), out=part)
    return probe


def _integers(rng: np.random.Generator, size: int, largest: int) -> Array:
    values = rng.integers(1, largest + 1, size)
    values *= rng.choice([-1, 1], size)
    return values


def _norm(x: Array) -> float:
    """Return ‖x‖₂; the squares neither overflow nor vanish, whatever the unit of x."""
    wide = x.astype(np.result_type(x.dtype, np.float64))
    largest = float(np.abs(wide).max())
    return largest * float(np.linalg.norm(wide / largest)) if 0 < largest < inf else largest


def _distance(left: Any, right: Any) -> float:
    """Return |left - right|; NaN counts as infinite."""
    distance = float(abs(left - right))
    return distance if distance == distance else inf


def _inner(a: Array, b: Array) -> Any:
    """Return aᴴb, accumulated in a wider type than the operands where the machine has one."""
    wide = np.clongdouble if a.dtype.kind == "c" or b.dtype.kind == "c" else np.longdouble
    return (np.conj(a.astype(wide)) * b).sum()


def _plain(value: Any) -> complex:
    return complex(value) if np.iscomplexobj(value) else float(value)


def _exact_inner(a: Array, b: Array) -> int:
    if not (a.dtype.kind in "iu" and b.dtype.kind in "iu"):
        raise ValueError(
            f"an operator of integer dtype returned {a.dtype if a.dtype.kind not in 'iu' else b.dtype} for "
            "integers: it must return integers."
        )
    if _largest(a) * _largest(b) * a.size < 2**63:
        return int(np.dot(a.astype(np.int64), b.astype(np.int64)))
    return sum(u * v for u, v in zip(a.tolist(), b.tolist(), strict=True))


def _largest(a: Array) -> int:
    return max(-int(a.min()), int(a.max()))


__all__ = ["AdjointCheck", "AdjointReport", "check_adjoint"]
