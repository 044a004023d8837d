"""Each check of linearity passes what is linear, and fails what is planted against it, and nothing else."""

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np
import pytest

from adjoint.pairs import (
    COLUMNS,
    ROWS,
    Planted,
    after,
    after_adjoint,
    before,
    in_dtype,
    matrix_of,
    samples_of,
    times,
)
from convops import check_adjoint
from convops.adjoint.linearity import additivity, coarse_noise, homogeneity, precision
from registry import FLOATS

ALL = (*FLOATS, "int64")
REAL = ("float32", "float64")
COMPLEX = ("complex64", "complex128")
DOUBLE = ("float64", "complex128")
SINGLE = ("float32", "complex64")
NOT_LINEAR = ("homogeneity", "additivity", "adjoint")

Array = np.ndarray


def on_parts(function: Callable[[Array], Array]) -> Callable[[Array], Array]:
    """Return a function of real arrays as one of real and imaginary parts."""

    def apply(x: Array) -> Array:
        if x.dtype.kind != "c":
            return function(x).astype(x.dtype)
        return (function(x.real) + 1j * function(x.imag)).astype(x.dtype)

    return apply


def clip(limit: float) -> Callable[[Array], Array]:
    return on_parts(lambda y: np.clip(y, -limit, limit))


def threshold(size: float) -> Callable[[Array], Array]:
    return lambda y: np.where(np.abs(y) < size, y.dtype.type(0), y)


def narrowed(x: Array) -> Array:
    """Return x in single precision, in the dtype of x."""
    return x.astype(np.complex64 if x.dtype.kind == "c" else np.float32).astype(x.dtype)


@on_parts
def half(x: Array) -> Array:
    """Return x with the 11 bits of float16, and the range of x."""
    digits, exponent = np.frexp(x)
    return np.ldexp(np.round(digits * 2**11), exponent - 11)


FAULTS = {
    "constant of 1": (after(lambda y: y + y.dtype.type(1)), ALL, NOT_LINEAR),
    "constant of 1 in the adjoint": (after_adjoint(lambda x: x + x.dtype.type(1)), ALL, NOT_LINEAR),
    "constant far below rounding": (after(lambda y: y + y.dtype.type(1e-16)), FLOATS, ("homogeneity",)),
    "constant in one entry": (
        after_adjoint(lambda x: x + 9 * (np.arange(COLUMNS) == 5).astype(x.dtype)),
        ALL,
        NOT_LINEAR,
    ),
    "clipped at 3": (after(clip(3)), ALL, NOT_LINEAR),
    "clipped at 255": (after(clip(255)), FLOATS, ("homogeneity",)),
    "clipped at 1e6": (after(clip(10**6)), ALL, ("homogeneity",)),
    "clipped at 1e6 in the adjoint": (after_adjoint(clip(10**6)), ALL, ("homogeneity",)),
    "threshold of 1e-9": (after(threshold(1e-9)), FLOATS, ("homogeneity",)),
    "wraps round at 2**31": (
        after(lambda y: y.astype(np.int32).astype(y.dtype)),
        ("int64",),
        ("homogeneity",),
    ),
    "negative values cut": (after(on_parts(lambda y: np.maximum(y, 0))), ALL, NOT_LINEAR),
    "rounded to integers": (after(on_parts(np.round)), FLOATS, NOT_LINEAR),
    "square of the size": (before(lambda x: x * np.abs(x).astype(x.dtype)), ALL, NOT_LINEAR),
    "divided in integers": (after(lambda y: y // 2), ("int64",), NOT_LINEAR),
    # Homogeneous to the last bit: only a sum tells.
    "largest size instead of one entry": (
        after(lambda y: np.where(np.arange(ROWS) == 0, y[np.argmax(np.abs(y))], y)),
        FLOATS,
        ("additivity", "adjoint"),
    ),
    "conjugated x": (before(np.conj), COMPLEX, ("additivity", "adjoint")),
    "conjugated y": (after_adjoint(np.conj), COMPLEX, ("additivity", "adjoint")),
    "real part": (after(lambda y: y.real.astype(y.dtype)), COMPLEX, ("additivity", "adjoint")),
    "float32 before the forward product": (before(narrowed), DOUBLE, ("precision",)),
    "float32 after the forward product": (after(narrowed), DOUBLE, ("precision", "adjoint")),
    "float32 after the adjoint product": (after_adjoint(narrowed), DOUBLE, ("precision", "adjoint")),
    "float16 before the forward product": (before(half), SINGLE, ("precision",)),
    "float16 after the forward product": (after(half), SINGLE, ("precision", "adjoint")),
}


@pytest.mark.parametrize(
    ("name", "dtype"), [(name, dtype) for name, (_, dtypes, _) in FAULTS.items() for dtype in dtypes]
)
def test_a_fault_fails_its_check_and_what_follows_from_it(name: str, dtype: str) -> None:
    make, _, expected = FAULTS[name]
    for seed in range(3):
        report = check_adjoint(make(dtype), seed=seed)
        assert report.failed == in_dtype(expected, dtype), report


@pytest.mark.parametrize("dtype", ALL)
def test_what_is_linear_passes(dtype: str) -> None:
    for rows, columns in ((ROWS, COLUMNS), (5, 3), (1, 1), (200, 2)):
        for seed in range(10):
            samples = samples_of(Planted(matrix_of(dtype, rows, columns)), seed=seed)
            checks = [homogeneity(samples), additivity(samples)]
            if dtype != "int64":
                checks.append(precision(samples))
            assert [check.name for check in checks if not check.passed] == []


def test_homogeneity_says_which_entry_of_which_map_is_off_and_by_what_factor() -> None:
    def clipped(y: Array) -> Array:
        y[7] = min(y[7], 1e5)
        return y

    W = np.abs(matrix_of("float64"))
    check = homogeneity(samples_of(Planted(W, matvec=lambda x: times(W, np.abs(x)))))
    assert check.detail.startswith("matvec(-x) is not -matvec(x): entry 0 is ")
    check = homogeneity(samples_of(Planted(W, rmatvec=lambda y: clipped(times(W.T, y))), seed=1))
    assert check.detail.startswith("rmatvec(2**40 x) is not 2**40 rmatvec(x): entry 7 is 100000, not ")
    assert check.detail.endswith("; 1 of 66 entries differ")
    assert check.figures == {"factor": 2.0**40, "entries that differ": 1}


def test_homogeneity_measures_what_is_added_to_zero() -> None:
    def shifted(x: Array) -> Array:
        y = times(matrix_of("float64"), x)
        y[3:5] += [3, 4]
        return y

    check = homogeneity(samples_of(Planted(matrix_of("float64"), matvec=shifted)))
    assert check.detail == "matvec(0) is not 0: its norm is 5, first at 3; something is added"
    assert check.figures == {"norm of the image of zero": 5.0}


def test_places_are_indices_of_the_arrays() -> None:
    def forward(x: Array) -> Array:
        y = x.copy()
        y[4, 2] += 1
        return y

    check = homogeneity(samples_of(forward, np.copy, input_shape=(9, 8), output_shape=(9, 8)))
    assert "first at (4, 2)" in check.detail


@pytest.mark.parametrize("dtype", FLOATS)
def test_factors_leave_room_for_what_the_map_returns(dtype: str) -> None:
    largest = float(np.finfo(dtype).max)
    for scale in (largest / 256, largest**0.5, 1.0, float(np.finfo(dtype).tiny), 0.0):
        W = np.eye(70, dtype=dtype) * np.dtype(dtype).type(scale)
        assert check_adjoint(Planted(W)), scale


def test_integer_factors_stay_within_int64() -> None:
    seen = []

    def forward(x: Array) -> Array:
        seen.append(max(abs(int(v)) for v in x))
        return x * 2**30

    assert homogeneity(
        samples_of(forward, lambda y: y * 2**30, input_shape=9, output_shape=9, dtype=int)
    ).passed
    assert 2**29 <= max(seen) * 2 < 2**33


@pytest.mark.parametrize("kind", [np.int8, np.int16, np.int32, np.uint8, np.uint32, bool])
def test_narrow_integer_results_fail_or_pass_and_never_raise(kind: Any) -> None:
    def forward(x: Array) -> Array:
        return x.astype(kind)

    assert "homogeneity" in check_adjoint(forward, np.copy, 9, 9, dtype=int).failed


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("level", ["quick", "default"])
def test_whatever_is_added_to_zero_shows(level: str, dtype: str) -> None:
    for make in (after, after_adjoint):
        report = check_adjoint(make(lambda y: y + y.dtype.type(1e-30))(dtype), level=level)
        assert report.failed == ("homogeneity",)
        assert "(0) is not 0" in str(report)


def test_at_level_quick_only_zero_is_scaled() -> None:
    A = after(clip(10**6))("float64")
    assert check_adjoint(A, level="quick")
    assert not check_adjoint(A)
    assert homogeneity(samples_of(A, level="quick")).detail == "A(0) = 0, bit for bit"


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("dtype", ALL)
def test_what_is_not_finite_fails_without_a_warning(dtype: str, value: float) -> None:
    def spoilt(y: Array) -> Array:
        y = y.astype(np.result_type(y, np.float32))
        y[3] = value
        return y

    for make in (after(spoilt), after_adjoint(spoilt)):
        report = check_adjoint(make(dtype))
        assert report.failed == in_dtype(("contract", *NOT_LINEAR), dtype)
        assert [not check_adjoint(make(dtype), only=name) for name in report.failed] == [True] * 4


@pytest.mark.parametrize("dtype", FLOATS)
def test_additivity_measures_the_difference_of_both_sides(dtype: str) -> None:
    """A map that adds a known vector to every image is off by that vector once."""
    W = matrix_of(dtype)
    check = additivity(samples_of(Planted(W, matvec=lambda x: times(W, x) + np.full(ROWS, 3, dtype))))
    # Of complex maps, 3 i − 3 is the larger difference.
    law, size = "matvec(x1 + x2) = matvec(x1) + matvec(x2)", 3 * ROWS**0.5
    if np.dtype(dtype).kind == "c":
        law, size = "matvec(ix) = i matvec(x)", size * 2**0.5
    assert check.figures["difference"] == pytest.approx(size, rel=1e-4)
    assert check.detail.startswith(f"not {law}: the sides differ by {size:.6g}")


@pytest.mark.parametrize(("dtype", "u"), [("float64", 2**-24), ("complex64", 2**-11)])
def test_what_is_additive_to_half_the_digits_is_a_matter_of_precision(dtype: str, u: float) -> None:
    # Whatever rounds to half the digits once passes "additivity"; a hundred times that does not.
    W = matrix_of(dtype)
    half_of = samples_of(Planted(W)).forward
    assert half_of.size * u * 2 < coarse_noise(half_of) < 100 * half_of.size * u
    for units, expected in ((1, ("precision", "adjoint")), (200, ("additivity", "adjoint"))):
        error = units * u * half_of.size / ROWS**0.5

        def off(x: Array, error: float = error) -> Array:
            y = times(W, x)
            return y + np.asarray(error * np.sign(y.real)[::-1], dtype)

        assert (
            tuple(n for n in check_adjoint(Planted(W, matvec=off)).failed if n != "homogeneity") == expected
        )


@pytest.mark.parametrize(("dtype", "kept"), [("float64", "float32"), ("complex64", "float16")])
def test_precision_names_the_dtype_that_was_kept(dtype: str, kept: str) -> None:
    change = narrowed if kept == "float32" else half
    for make, label in ((after(change), "matvec"), (after_adjoint(change), "rmatvec")):
        check = precision(samples_of(make(dtype)))
        assert f"about what {kept} keeps" in check.detail
        assert check.detail.startswith(f"{label} is noisier than {dtype}: ")


def test_precision_tells_rounding_of_x_from_rounding_of_the_result() -> None:
    detail = precision(samples_of(before(narrowed)("float64"))).detail
    assert "faint digits changes the result" in detail
    check = precision(samples_of(after(lambda y: y + 1e-11 * np.cos(1e3 * y))("float64")))
    assert "more than float64 explains" in check.detail


def test_precision_leaves_what_is_not_additive_to_the_check_of_that() -> None:
    check = precision(samples_of(after(np.abs)("float64")))
    assert check.passed
    assert check.figures["difference"] < inf


@pytest.mark.parametrize("dtype", FLOATS)
def test_precision_allows_the_rounding_of_long_sums_and_transforms(dtype: str) -> None:
    n = 20_000

    def forward(x: Array) -> Array:
        return np.cumsum(x, dtype=dtype)

    def adjoint(y: Array) -> Array:
        return np.cumsum(y[::-1], dtype=dtype)[::-1]

    for seed in range(3):
        report = check_adjoint(forward, adjoint, n, n, dtype, seed=seed)
        assert report, report
