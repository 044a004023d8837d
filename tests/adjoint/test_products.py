"""Each check of the products passes the right adjoint, and fails another, by its own oracle alone."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.sparse.linalg import aslinearoperator

from adjoint.pairs import COLUMNS, ROWS, Planted, in_dtype, matrix_of, pair_operator, samples_of, times
from convops import Conv, ConvTranspose, check_adjoint
from convops.adjoint.products import (
    adjoint,
    all_sides,
    entries,
    exact,
    exact_samples,
    has_known_matrix,
    known_matrix,
    matrix,
    telling_sides,
    worst_sides,
)
from convops.operators.map import Map
from registry import FLOATS

ALL = (*FLOATS, "int64")
COMPLEX = ("complex64", "complex128")

Array = np.ndarray


def with_adjoint(change: Callable[[Array], Any]) -> Callable[[str], Planted]:
    """Return how to make an operator from an edit of its adjoint matrix."""

    def make(dtype: str) -> Planted:
        W = matrix_of(dtype)
        B = W.conj().T.copy()
        edited = change(B)
        B = B if edited is None else edited
        return Planted(W, rmatvec=lambda y: times(B, y))

    return make


def one_entry(B: Array) -> None:
    B[5, 7] += 1


def swapped(B: Array) -> None:
    B[[3, 4]] = B[[4, 3]]


def checkerboard(B: Array) -> None:
    """Change entries whose rows and columns add up to nothing."""
    B[8:10, 3:5] += np.array([[1, -1], [-1, 1]], B.dtype)


def another_matrix(dtype: str) -> Planted:
    """Return an operator whose matrix at hand is not what it applies."""
    W = matrix_of(dtype)
    A = W.copy()
    A[11, 12] += 1
    return Planted(W, A=A)


def matrix_of_the_conjugate(dtype: str) -> Planted:
    W = matrix_of(dtype)
    return Planted(W, A=W.conj())


FAULTS = {
    "one entry": (with_adjoint(one_entry), ALL, ("adjoint",)),
    "rows swapped": (with_adjoint(swapped), ALL, ("adjoint",)),
    "checkerboard": (with_adjoint(checkerboard), ALL, ("adjoint",)),
    "no conjugate": (with_adjoint(np.conj), COMPLEX, ("adjoint",)),
    "sign": (with_adjoint(np.negative), ALL, ("adjoint",)),
    "twice": (with_adjoint(lambda B: B + B), ALL, ("adjoint",)),
    "nothing": (with_adjoint(np.zeros_like), ALL, ("adjoint",)),
    "another matrix": (another_matrix, ALL, ("matrix",)),
    "matrix of the conjugate": (matrix_of_the_conjugate, COMPLEX, ("matrix",)),
}


@pytest.mark.parametrize(
    ("name", "dtype"), [(name, dtype) for name, (_, dtypes, _) in FAULTS.items() for dtype in dtypes]
)
def test_a_fault_fails_its_check_alone(name: str, dtype: str) -> None:
    make, _, expected = FAULTS[name]
    for seed in range(3):
        for level in ("default", "quick"):
            names = expected if level == "default" or expected == ("adjoint",) else ()
            report = check_adjoint(make(dtype), seed=seed, level=level, witnesses=0)
            assert report.failed == in_dtype(names, dtype), report


@pytest.mark.parametrize("dtype", ALL)
def test_the_right_adjoint_passes(dtype: str) -> None:
    for rows, columns in ((ROWS, COLUMNS), (1, 1), (2, 3), (150, 2), (1, 90)):
        for seed in range(10):
            W = matrix_of(dtype, rows, columns)
            samples = samples_of(Planted(W, A=W), seed=seed)
            checks = [exact(samples) if dtype == "int64" else adjoint(samples), matrix(samples)]
            assert [check.name for check in checks if not check.passed] == []


@pytest.mark.parametrize("dtype", FLOATS)
def test_both_sides_are_the_inner_products_of_all_probes(dtype: str) -> None:
    W, B = matrix_of(dtype), matrix_of(dtype, COLUMNS, ROWS, seed=1)
    samples = samples_of(Planted(W, rmatvec=lambda y: times(B, y)))
    found = list(all_sides(samples))
    assert len(found) == 3 * 3 + len(samples.forward.strata)
    W, B = W.astype(complex), B.astype(complex)
    for sides in found:
        x, y = sides.x, sides.y
        u = np.finfo(dtype).eps * np.linalg.norm(x) * np.linalg.norm(y)
        assert abs(sides.left - np.vdot(W @ x, y)) < u * np.linalg.norm(W, 2)
        assert abs(sides.right - np.vdot(x, B @ y)) < u * np.linalg.norm(B, 2)
        assert sides.difference == pytest.approx(abs(sides.left - sides.right), rel=1e-12)
    worst = worst_sides(samples)
    assert worst.severity == max(sides.severity for sides in found)
    assert worst.severity == worst.difference / worst.bound > 1


def test_sides_of_integers_are_exact() -> None:
    W = matrix_of("int64") * 10**9
    for sides in all_sides(samples_of(Planted(W))):
        x, y = ([int(v) for v in vector] for vector in (sides.x, sides.y))
        exact_value = sum(int(W[i, j]) * x[j] * y[i] for i in range(ROWS) for j in range(COLUMNS))
        assert sides.left == sides.right == exact_value
        assert (sides.difference, sides.bound, sides.severity) == (0, 0, 0)


@pytest.mark.parametrize("shape", [(80, 70), (40, 30)])
def test_a_corner_that_is_off_is_told_from_the_rounding_of_the_whole(shape: tuple[int, int]) -> None:
    scale = np.ones(shape[0] * shape[1])
    scale[0] += 2e-12

    def noisy(x: Array) -> Array:
        # Rounding of the inside: as much as it takes to hide the corner.
        y = x.copy()
        y[2:-2, 2:-2] += 2e-14 * np.cos(1e6 * x[2:-2, 2:-2])
        return y

    def adjoint_of(y: Array) -> Array:
        return (y.reshape(-1) * scale).reshape(shape)

    samples = samples_of(noisy, adjoint_of, input_shape=shape, output_shape=shape)
    probes = [(sides.x.all(), sides.severity) for sides in all_sides(samples)]
    assert max(severity for dense, severity in probes if dense) < 1
    assert max(severity for dense, severity in probes if not dense) > 1
    assert not telling_sides(samples).x.all()


def test_entries_are_looked_for_with_probes_without_zeros_where_those_differ() -> None:
    W = matrix_of("float32")
    masked = 0
    for seed in range(10):
        B = W.T.copy()
        B[0, 0] += 1
        B[40, 41] += 1
        samples = samples_of(pair_operator(W, B), seed=seed)
        worst, sides = worst_sides(samples), telling_sides(samples)
        masked += not worst.x.all()
        assert sides.x.all()
        assert sides.y.all()
        assert 1 < sides.severity <= worst.severity
    assert masked > 0


def test_the_detail_tells_both_sides() -> None:
    check = adjoint(samples_of(Planted(matrix_of("float64"))))
    figures = check.figures
    assert check.detail == (
        f"⟨Ax, y⟩ = {figures['left']:.10g}, ⟨x, Aᴴy⟩ = {figures['right']:.10g}, "
        f"difference {figures['difference']:.3g}, allowed {figures['bound']:.3g}"
    )


@pytest.mark.parametrize("method", ["sparse", "gemm"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_a_fault_of_integers_alone_fails_the_exact_check_of_a_float_operator(
    dtype: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    right = Map._apply_integers

    def wrong(self: Map, y: Array, transposed: bool) -> Array:
        x = right(self, y, transposed)
        if transposed:
            x[..., 0] += 1
        return x

    monkeypatch.setattr(Map, "_apply_integers", wrong)
    A = Conv(np.ones((3, 3), dtype), (9, 8), padding=1, method=method)
    report = check_adjoint(A)
    assert report.failed == ("exact",), report
    assert "of A with a random integer weight" in str(report)
    assert report.witnesses


def test_the_integer_map_that_stands_for_a_float_one_counts_its_products() -> None:
    samples = samples_of(Conv(np.ones((3, 3)), (9, 8), method="gemm"))
    twin = exact_samples(samples)
    assert twin.pair.exact
    assert twin.forward.zeros().dtype == np.int64
    assert exact(samples).passed
    assert samples.pair.applications == twin.pair.applications == 4
    integer = samples_of(Conv([1, 2], 5))
    assert exact_samples(integer) is integer


@pytest.mark.parametrize("method", ["fft", "separable"])
def test_methods_that_round_have_no_integer_map(method: str) -> None:
    A = Conv(np.outer([1.0, 2], [1, 3]), (9, 8), method=method)
    assert check_adjoint(A).not_made["exact"] == "it rounds, and cannot be rebuilt with integers"


@pytest.mark.parametrize("dtype", ALL)
def test_the_matrix_is_compared_with_both_products(dtype: str) -> None:
    W = matrix_of(dtype)
    for label, wrong in (
        ("matvec", Planted(W, A=W, matvec=lambda x: times(2 * W, x))),
        ("rmatvec", Planted(W, A=W, rmatvec=lambda y: times(2 * W.conj().T, y))),
    ):
        check = matrix(samples_of(wrong))
        assert not check.passed
        assert check.detail.startswith(f"{label}(x) is not the matrix's product: entry ")


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_infinite_images_do_not_hide_that_the_matrix_differs(value: float) -> None:
    W = matrix_of("float64")
    A = Planted(W, A=W, matvec=lambda x: np.append(times(W, x)[1:], value))
    assert check_adjoint(A, only="matrix").failed == ("matrix",)


def test_the_place_where_the_matrix_differs_is_named() -> None:
    check = matrix(samples_of(another_matrix("float64")))
    assert "entry 11 is " in check.detail
    assert check.figures["difference"] > check.figures["bound"]


def test_the_matrix_of_a_convolution_is_the_one_it_builds(monkeypatch: pytest.MonkeyPatch) -> None:
    for A in (Conv(np.ones((2, 2)), (5, 6)), ConvTranspose(np.ones((2, 2)), (5, 6)), Conv([1j, 2], 6).H):
        assert has_known_matrix(samples_of(A).pair)
        np.testing.assert_array_equal(known_matrix(samples_of(A).pair).toarray(), A.toarray())
    A = Conv(np.ones((2, 2)), (5, 6), method="gemm")
    wrong = A.tosparse() * 2
    monkeypatch.setattr(type(A), "tosparse", lambda self: wrong)
    assert check_adjoint(A).failed == ("matrix",)


def test_only_what_has_the_shape_of_a_matrix_is_taken_for_it() -> None:
    W = matrix_of("float64")
    assert known_matrix(samples_of(aslinearoperator(W)).pair) is W
    for A in (W.T, "text", None, W.tolist()):
        pair = samples_of(Planted(W, A=A)).pair
        assert known_matrix(pair) is None
        assert not has_known_matrix(pair)


def test_a_matrix_of_too_many_entries_is_not_built(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("convops.adjoint.products.MOST_ENTRIES_OF_A_MATRIX", 14)
    assert check_adjoint(Conv([1.0, 2], 8)).failed == ()
    for size, made in ((8, True), (9, False)):
        A = Conv([1.0, 2], size)
        assert has_known_matrix(samples_of(A).pair) is made
        assert (known_matrix(samples_of(A).pair) is not None) is made
        assert ("matrix" in check_adjoint(A).not_made) is not made


@pytest.mark.parametrize("dtype", ALL)
def test_entries_counts_and_names_what_differs(dtype: str) -> None:
    W = matrix_of(dtype, 9, 7)
    B = W.conj().T.copy()
    B[2, 5] += 3
    B[6, 0] += 1
    check = entries(samples_of(pair_operator(W, B), output_shape=(3, 3)))
    assert not check.passed
    assert check.detail.startswith("2 of 63 entries differ, most A[(1, 2), 2] = ")
    assert check.figures["entries that differ"] == 2
    assert check.figures["largest difference"] == pytest.approx(3, rel=1e-5)
    right = entries(samples_of(pair_operator(W, W.conj().T)))
    assert (right.passed, right.detail) == (True, "all 63 entries agree")


@pytest.mark.parametrize("dtype", ALL)
def test_entries_finds_a_conjugate_that_is_missing_in_one_place(dtype: str) -> None:
    W = matrix_of(dtype, 9, 7)
    B = W.conj().T.copy()
    B[1, 2] = W[2, 1]
    passed = np.dtype(dtype).kind != "c"
    assert entries(samples_of(pair_operator(W, B))).passed is passed


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_entries_that_are_not_finite_differ(value: float) -> None:
    W = matrix_of("float64", 6, 5)
    B = W.T.copy()
    B[3, 4] = value

    def adjoint_of(y: Array) -> Array:
        return B @ y if y[4] else np.where(np.isfinite(B), B, 0) @ y

    check = entries(samples_of(Planted(W, rmatvec=adjoint_of)))
    assert not check.passed
    assert "A[4, 3]" in check.detail


def test_level_complete_finds_what_rounding_hides() -> None:
    W = np.diag(np.r_[np.full(40, 1e12), np.ones(40)])
    B = W.T.copy()
    B[70, 71] = 1e-6
    A = pair_operator(W, B)
    assert check_adjoint(A)
    assert check_adjoint(A, level="complete").failed == ("entries",)
