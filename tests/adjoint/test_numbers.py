"""Norms and inner products against exact arithmetic, at the ends of the range too."""

from fractions import Fraction
from math import inf, isqrt, nan

import numpy as np
import pytest

from convops.adjoint import numbers
from convops.adjoint.numbers import distance, inner, largest, norm, product, rms, severity, unit_roundoff
from registry import FLOATS, INTEGERS

Array = np.ndarray


def fractions(x: Array) -> list[tuple[Fraction, Fraction]]:
    """Real and imaginary parts, exactly."""
    return [(Fraction(v.real), Fraction(v.imag)) for v in x.astype(np.clongdouble).astype(complex).tolist()]


def exact_inner(a: Array, b: Array) -> tuple[Fraction, Fraction]:
    pairs = list(zip(fractions(a), fractions(b), strict=True))
    real = sum((ar * br + ai * bi for (ar, ai), (br, bi) in pairs), Fraction(0))
    return real, sum((ar * bi - ai * br for (ar, ai), (br, bi) in pairs), Fraction(0))


def off(found: complex, exact: tuple[Fraction, Fraction]) -> Fraction:
    """How far a number is from an exact one, in the larger of its parts."""
    parts = Fraction(complex(found).real), Fraction(complex(found).imag)
    return max(abs(part - want) for part, want in zip(parts, exact, strict=True))


def terms(a: Array, b: Array) -> Fraction:
    """The sum of all |products| of parts: what the rounding of a sum is relative to."""
    pairs = zip(fractions(a), fractions(b), strict=True)
    return sum(((abs(ar) + abs(ai)) * (abs(br) + abs(bi)) for (ar, ai), (br, bi) in pairs), Fraction(0))


def cancelling(dtype: str, seed: int, size: int = 40) -> tuple[Array, Array]:
    """Vectors whose inner product is far smaller than its terms."""
    rng = np.random.default_rng(seed)
    a = rng.standard_normal(size) * 10.0 ** rng.integers(-6, 7, size)
    b = rng.standard_normal(size)
    if np.dtype(dtype).kind == "c":
        a, b = a + 1j * rng.standard_normal(size), b + 1j * rng.standard_normal(size)
    a, b = a.astype(dtype), b.astype(dtype)
    return np.concatenate([a, -a]), np.concatenate([b, (b * b.dtype.type(1 + 1e-6)).astype(dtype)])


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS])
def test_the_norm_is_the_root_of_the_exact_sum_of_squares(dtype: str) -> None:
    x = np.array([3, 4, 0, 12, 84]).astype(dtype)
    assert norm(x) == 85
    assert rms(x) == pytest.approx(85 / np.sqrt(5), rel=1e-15)


@pytest.mark.parametrize("unit", [1e300, 1e-300, 5e-324, 2.0**-1040, 1.0, 1e150, 1e-170])
def test_a_norm_neither_overflows_nor_vanishes(unit: float) -> None:
    x = np.array([3 * unit, 0, 4 * unit])
    assert norm(x) == pytest.approx(5 * unit, rel=1e-15)
    assert norm(1j * x) == pytest.approx(5 * unit, rel=1e-15)
    assert rms(np.full(9, unit)) == pytest.approx(unit, rel=1e-15)


def test_a_norm_beyond_the_range_is_infinite() -> None:
    assert norm(np.full(4, 1.5e308)) == inf
    assert norm(np.array([1.7e308 + 1.7e308j])) == inf


@pytest.mark.parametrize("value", [nan, inf, -inf, complex(nan, 1), complex(1, inf), complex(inf, nan)])
def test_the_norm_of_what_is_not_finite_is_infinite(value: complex) -> None:
    assert norm(np.array([1, value])) == inf
    assert norm(np.array([0, value]).astype(np.complex64)) == inf


def test_a_norm_of_nothing_is_nothing() -> None:
    assert norm(np.zeros(0)) == rms(np.zeros(0)) == largest(np.zeros(0, int)) == 0
    assert norm(np.zeros(3, np.complex64)) == norm(np.zeros(3, int)) == 0


def test_a_norm_of_float32_is_taken_in_more_digits_and_range() -> None:
    x = np.full(3, 3e38, np.float32)
    assert norm(x) == pytest.approx(float(x[0]) * 3**0.5, rel=1e-15)
    assert norm(np.array([-(2**63), 0])) == 2.0**63


def test_a_norm_leaves_its_argument_alone() -> None:
    for x in (np.array([3.0, -4.0]), np.array([3, -4]), np.array([3j, -4])):
        kept = x.copy()
        assert norm(x) == 5
        np.testing.assert_array_equal(x, kept)


@pytest.mark.parametrize("size", [1, 7, 300])
def test_inner_products_of_integers_are_exact_beyond_int64(size: int) -> None:
    rng = np.random.default_rng(size)
    for top in (10, 2**31, 2**62):
        a, b = rng.integers(-top, top, size), rng.integers(-top, top, size)
        found = inner(a, b)
        assert type(found) is int
        assert found == sum(int(u) * int(v) for u, v in zip(a, b, strict=True))


def test_inner_products_at_the_ends_of_int64_are_exact() -> None:
    ends = np.array([-(2**63), 2**63 - 1])
    assert inner(ends, ends) == 2**126 + (2**63 - 1) ** 2
    # 2**63 exactly: the first sum that a product in int64 cannot hold
    assert inner(np.full(2, 2**31), np.full(2, 2**31)) == 2**63
    assert inner(np.full(2, 2**31), np.full(2, 2**31 - 1)) == 2**63 - 2**32


@pytest.mark.parametrize("dtype", INTEGERS)
def test_inner_products_of_narrow_integers_do_not_wrap_round(dtype: str) -> None:
    top = np.full(9, np.iinfo(dtype).max, dtype)
    assert inner(top, top) == 9 * int(np.iinfo(dtype).max) ** 2


@pytest.mark.parametrize("dtype", FLOATS)
def test_inner_products_of_floats_have_more_digits_than_the_operands(
    dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for wider, at_once in {(numbers._WIDER, 2**13), (numbers._WIDER, 7), (False, 7)}:
        monkeypatch.setattr(numbers, "_WIDER", wider)
        monkeypatch.setattr(numbers, "_AT_ONCE", at_once)
        for seed in range(20):
            a, b = cancelling(dtype, seed)
            exact = exact_inner(a, b)
            # Products and sums of 64 bits, or exact but for the last rounding to a double.
            roundings = Fraction(2 * a.size, 2**64) * terms(a, b) if wider else 0
            assert off(inner(a, b), exact) <= roundings + max(map(abs, exact)) / 2**52
            assert inner(a, b) == product(np.conj(a), b)
            assert type(inner(a, b)) is (complex if np.dtype(dtype).kind == "c" else float)


@pytest.mark.parametrize("dtype", FLOATS)
def test_without_a_wider_type_an_inner_product_is_rounded_once(dtype: str) -> None:
    for seed in range(20):
        a, b = cancelling(dtype, seed)
        real, imag = exact_inner(a, b)
        found = complex(numbers._exact_inner(a, b))
        if np.dtype(dtype).kind == "c":
            # Either part is a sum of two that were rounded by themselves.
            assert off(found, (real, imag)) <= terms(a, b) / 2**52
        else:
            assert found == float(real)


@pytest.mark.parametrize("powers", [(1000, -1000), (1000, 0), (-1040, 1000), (-500, -500), (0, 1020)])
def test_without_a_wider_type_the_whole_range_is_exact(powers: tuple[int, int]) -> None:
    a, b = (np.ldexp(v, power) for v, power in zip(cancelling("float64", 1), powers, strict=True))
    real, _ = exact_inner(a, b)
    assert numbers._exact_inner(a, b) == float(real) != 0


def test_a_mixed_inner_product_conjugates_the_first() -> None:
    a, b = np.array([1 + 2j, 3]), np.array([2.0, -1])
    for function in (inner, numbers._exact_inner):
        assert function(a, b) == -1 - 4j
        assert function(b, a) == -1 + 4j
    assert product(a, b) == -1 + 4j
    assert inner(np.array([2, -1]), np.array([0.5, 3])) == -2


@pytest.mark.parametrize("value", [nan, inf, -inf])
@pytest.mark.parametrize("wider", [True, False])
def test_what_is_not_finite_has_no_finite_inner_product(
    value: float, wider: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(numbers, "_WIDER", wider)
    for a in (np.array([value, 1.0]), np.array([value, 1j])):
        assert distance(inner(a, np.array([2.0, 3.0])), 5.0) == inf
        assert distance(inner(np.array([0.0, 3.0]), a), 5.0) == inf


def test_a_sum_beyond_the_range_is_infinite_without_a_warning(monkeypatch: pytest.MonkeyPatch) -> None:
    big = np.full(2, 1.5e308)
    for wider in (True, False):
        monkeypatch.setattr(numbers, "_WIDER", wider)
        assert inner(big, big) == inf


def test_a_distance_is_exact_for_integers_and_infinite_for_nan() -> None:
    assert distance(2**70, 1) == 2**70 - 1
    assert type(distance(-3, 4)) is int
    assert distance(3 + 4j, 0) == distance(-2.0, 3) == 5
    assert distance(nan, 1.0) == distance(complex(0, nan), 1.0) == distance(inf, inf) == inf
    assert distance(complex(inf, nan), 0j) == distance(1.7e308 + 1.7e308j, 0j) == inf


def test_severity_counts_in_units_of_the_bound() -> None:
    assert severity(6.0, 2.0) == 3
    assert severity(0, 0.0) == severity(0.0, 1.0) == 0
    assert severity(1, 0.0) == severity(5e-324, 0.0) == severity(2**70, 0.0) == inf
    assert severity(inf, inf) == severity(nan, inf) == severity(nan, 0.0) == inf
    assert severity(1.0, inf) == 0


@pytest.mark.parametrize(
    ("dtype", "u"),
    [("float32", 2**-24), ("complex64", 2**-24), ("float64", 2**-53), ("complex128", 2**-53), ("int8", 0)],
)
def test_the_unit_roundoff_is_half_a_step_at_one(dtype: str, u: float) -> None:
    assert unit_roundoff(np.dtype(dtype)) == u
    if u:
        one = np.empty(0, dtype).real.dtype.type(1)
        # Half a step is a tie, which rounds to even; any more is not.
        assert one + one.dtype.type(u) == one < one + one.dtype.type(u * 1.01)


def test_the_largest_integer_has_no_sign() -> None:
    assert largest(np.array([3, -7, 5])) == 7
    assert largest(np.array([-(2**63)])) == 2**63
    assert largest(np.array([200], np.uint8)) == 200
    assert isqrt(largest(np.array([-128], np.int8))) == 11
