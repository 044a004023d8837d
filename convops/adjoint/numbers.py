"""Norms and inner products that neither overflow nor round where the maps under test do."""

from math import fsum, hypot, inf, sqrt
from typing import Any

import numpy as np

from convops._arrays import Array

_WIDER = bool(np.finfo(np.longdouble).nmant > np.finfo(np.float64).nmant)
_AT_ONCE = 2**13
"""Entries that are copied to wider numbers at a time, and stay in cache."""


def norm(x: Array) -> float:
    """Return ‖x‖₂; its squares neither overflow nor vanish. NaN counts as infinite."""
    if x.size == 0:
        return 0.0
    sizes = np.abs(x.astype(np.result_type(x.dtype, np.float64), copy=False))
    largest = float(sizes.max())
    if not 0 < largest < inf:
        return 0.0 if largest == 0 else inf
    sizes /= largest
    # Not by BLAS, whose threads would keep the cores busy after a vector of this length.
    return largest * sqrt(float(np.square(sizes, out=sizes).sum()))


def rms(x: Array) -> float:
    """Return the root of the mean of |x|²."""
    return norm(x) / sqrt(x.size) if x.size else 0.0


def inner(a: Array, b: Array) -> complex:
    """Return aᴴb, exact for integers, else accumulated in more digits than the operands have."""
    if a.dtype.kind in "iu" and b.dtype.kind in "iu":
        return _inner_of_integers(a, b)
    return _wide_inner(a, b) if _WIDER else _exact_inner(a, b)


def product(a: Array, b: Array) -> complex:
    """Return aᵀb, as `inner` does."""
    return inner(np.conj(a), b)


def distance(left: complex, right: complex) -> float:
    """Return |left - right|, an int for integers; NaN counts as infinite."""
    apart = left - right
    found = abs(apart) if isinstance(apart, int | float) else hypot(apart.real, apart.imag)
    return found if found == found else inf


def severity(difference: float, bound: float) -> float:
    """Return the difference in units of what is allowed; infinite where it is not finite."""
    if not difference < inf:
        return inf
    if bound > 0:
        return difference / bound
    return inf if difference > 0 else 0.0


def largest(x: Array) -> int:
    """Return the largest |value| of integers."""
    return max(-int(x.min()), int(x.max())) if x.size else 0


def same_bits(a: Array, b: Array) -> bool:
    """Tell whether two arrays hold the same, NaN included, by their bytes."""
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    a, b = np.ascontiguousarray(a).reshape(-1), np.ascontiguousarray(b).reshape(-1)
    word = np.uint64 if a.itemsize % 8 == 0 else np.uint8
    return bool((a.view(word) == b.view(word)).all())


def unit_roundoff(dtype: np.dtype[Any]) -> float:
    """Return u: the largest relative error of one rounding. 0 for integers."""
    return 0.0 if dtype.kind in "iu" else float(np.finfo(dtype).eps) / 2


def _inner_of_integers(a: Array, b: Array) -> int:
    if largest(a) * largest(b) * a.size < 2**63:
        return int(np.dot(a.astype(np.int64), b.astype(np.int64)))
    return sum(u * v for u, v in zip(a.tolist(), b.tolist(), strict=True))


def _wide_inner(a: Array, b: Array) -> complex:
    is_complex = a.dtype.kind == "c" or b.dtype.kind == "c"
    wide = np.clongdouble if is_complex else np.longdouble
    total = wide(0)
    with np.errstate(invalid="ignore", over="ignore"):
        for start in range(0, a.size, _AT_ONCE):
            part = slice(start, start + _AT_ONCE)
            total += np.vdot(a[part].astype(wide), b[part].astype(wide))
        return complex(total) if is_complex else float(total)


def _exact_inner(a: Array, b: Array) -> complex:
    """Return aᴴb where long double is no wider than double: products of halves are exact, and so is fsum."""
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        return inf
    total: complex = 0.0
    for unit, part in _parts(np.conj(a)).items():
        for other_unit, other in _parts(b).items():
            (one, power), (two, other_power) = _scaled(part), _scaled(other)
            terms = [(u * v).tolist() for u in _halves(one) for v in _halves(two)]
            value = fsum(value for column in terms for value in column)
            with np.errstate(over="ignore"):
                total += unit * other_unit * float(np.ldexp(value, power + other_power))
    return total


def _parts(x: Array) -> dict[complex, Array]:
    if x.dtype.kind != "c":
        return {1.0: x.astype(np.float64)}
    return {1.0: x.real.astype(np.float64), 1j: x.imag.astype(np.float64)}


def _scaled(x: Array) -> tuple[Array, int]:
    """Return x over a power of two, so that its products neither overflow nor vanish, and the exponent."""
    power = int(np.frexp(np.abs(x).max(initial=0.0))[1])
    return np.ldexp(x, -power), power


def _halves(x: Array) -> tuple[Array, Array]:
    """Split doubles into a part of 26 bits and the rest (Dekker, doi:10.1007/BF01397083)."""
    spread = x * (2.0**27 + 1)
    high = spread - (spread - x)
    return high, x - high
