"""The norm of the dense matrix lies between the bounds, by each route; the vector proves the lower one."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from convops import Conv, operator_norm
from convops.spectra import norm
from convops.spectra._frequencies import FrequencyAxis
from oracles import Array
from registry import BOUNDARIES, CASES, Case, cases, magnitude_of, matrix_of, weights_for


@contextmanager
def without_dense() -> Iterator[None]:
    """Take every matrix that is not known by frequency for a large one, and no product."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(norm, "_DENSE_WORK", 0)
        patch.setattr(norm, "factors_of", lambda geometry, weight: None)
        yield


def assert_bounds(A: Any, W: Array, magnitude: Array) -> None:
    """Hold both bounds and the vector against numpy's norm of W; all are off by a multiple of u."""
    W = W.astype(np.result_type(W.dtype, float))
    true = np.linalg.norm(W, 2)
    size = max(np.linalg.norm(magnitude), np.abs(A.weight).sum())
    # "antireflect" on one or two samples adds several times the taps up to an entry that is small again.
    slack = 4000 * max(*W.shape, 16) * np.finfo(float).eps * size
    found = operator_norm(A)
    assert 0 <= found.lower <= true + slack
    assert true - slack <= found.upper
    assert found.lower <= found.upper
    assert found.vector.shape == A.input_shape
    assert found.vector.dtype == (np.complex128 if W.dtype.kind == "c" else np.float64)
    np.testing.assert_allclose(np.linalg.norm(found.vector), 1, rtol=1e-12)
    np.testing.assert_allclose(np.linalg.norm(W @ found.vector.ravel()), found.lower, rtol=0, atol=slack)
    if found.route.startswith("exact"):
        assert found.upper - found.lower <= 2 * slack  # each of the two is moved away from the norm


@pytest.mark.parametrize("dtype", ["float32", "complex128", "int64"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_norm_of_the_dense_matrix_lies_between_the_bounds(case: Case, dtype: str) -> None:
    weight = weights_for(case, dtype)
    A, W = Conv(weight, case.input_shape, **case.kwargs()), matrix_of(case, weight)
    magnitude, _ = magnitude_of(case, weight)
    assert_bounds(A, W, magnitude)
    with without_dense():
        assert_bounds(A.H, W.conj().T, magnitude.T)
        if dtype == "complex128":
            assert_bounds(A.T, W.T, magnitude.T)
            assert_bounds(A.H.T, W.conj(), magnitude)


@given(cases(max_size=3000))
@settings(max_examples=30)
def test_the_norm_of_any_dense_matrix_lies_between_the_bounds(case: Case) -> None:
    for dtype in ("float64", "complex128"):
        weight = weights_for(case, dtype)
        A, W = Conv(weight, case.input_shape, **case.kwargs()), matrix_of(case, weight)
        magnitude, _ = magnitude_of(case, weight)
        with without_dense():
            assert_bounds(A, W, magnitude)
        assert_bounds(A.T, W.T, magnitude)


def test_an_eigenvalue_that_lapack_loses_is_looked_for_again(monkeypatch: pytest.MonkeyPatch) -> None:
    # With the kernels of some processors this one is lost.
    weight = [[[1.039516763395398, 0.0, 0.0], [-0.08595633594876076, 0.0, 0.0]]]
    A = Conv(weight, (2, 8), stride=4, dilation=3, padding=((15, 13),), boundary="edge")
    true = np.linalg.norm(A.toarray(), 2)
    assert operator_norm(A).upper == pytest.approx(true, rel=1e-12)

    def losing(gram: Array, **options: Any) -> tuple[Array, Array]:
        lost = "subset_by_index" in options
        return (np.empty(0), np.empty((len(gram), 0))) if lost else np.linalg.eigh(gram)

    monkeypatch.setattr(norm, "eigh", losing)
    assert operator_norm(A).upper == pytest.approx(true, rel=1e-12)
    assert operator_norm(A).lower == pytest.approx(true, rel=1e-12)


BELL = np.exp(-(np.arange(-3, 4) ** 2) / 4)
KERNELS: dict[str, Array] = {
    "bell": np.outer(BELL, BELL) / BELL.sum() ** 2,
    "box": np.ones((5, 5)) / 25,
    "motion": np.eye(5) / 5,
    "skew": np.outer([4.0, 2, 1], [1.0, 3, 5]),
    "Laplacian": np.array([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]),
    "Sobel": np.outer([1.0, 2, 1], [-1.0, 0, 1]),
    "random": np.random.default_rng(0).standard_normal((3, 3)),
}


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("kernel", KERNELS)
def test_the_bounds_are_close_for_typical_kernels(kernel: str, boundary: str, stride: int) -> None:
    A = Conv(KERNELS[kernel], (16, 19), padding="same", boundary=boundary, stride=stride)
    true = np.linalg.norm(A.toarray(), 2)
    with without_dense():
        found = operator_norm(A)
    assert 0.99 * true <= found.lower
    assert found.upper <= 1.03 * true


@pytest.mark.parametrize("boundary", ["reflect", "symmetric", "edge", "antireflect"])
@pytest.mark.parametrize("kernel", [*KERNELS, "layer"])
def test_the_bounds_of_large_images_are_close_at_borders_that_fold(kernel: str, boundary: str) -> None:
    weight, shape = KERNELS.get(kernel), (200, 150)
    if weight is None:
        weight, shape = np.random.default_rng(0).standard_normal((4, 3, 3, 3)), (3, 60, 80)
    with without_dense():
        found = operator_norm(Conv(weight, shape, padding="same", boundary=boundary))
    assert found.upper <= 1.06 * found.lower


SQUARES = np.add.outer(np.arange(-4.0, 5) ** 2, np.arange(-4.0, 5) ** 2) / 4
LARGE: dict[str, tuple[Array, tuple[int, ...]]] = {
    "Laplacian of a Gaussian": ((SQUARES - 1) * np.exp(-SQUARES), (64, 64)),
    "random, 15 × 15": (np.random.default_rng(0).standard_normal((15, 15)), (40, 40)),
    "32 channels": (np.random.default_rng(0).standard_normal((32, 32, 3, 3)), (32, 20, 20)),
    "three axes": (np.random.default_rng(0).standard_normal((3, 3, 3)), (12, 12, 12)),
}


@pytest.mark.parametrize("boundary", ["edge", "antireflect"])
@pytest.mark.parametrize("kernel", LARGE)
def test_the_bounds_are_within_a_fifth_where_the_kernel_is_large_against_the_image(
    kernel: str, boundary: str
) -> None:
    weight, shape = LARGE[kernel]
    found = operator_norm(Conv(weight, shape, padding="same", boundary=boundary))
    assert found.upper <= 1.2 * found.lower


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("signs", [False, True])
def test_the_norm_under_a_kernel_of_many_taps_lies_between_the_bounds(boundary: str, signs: bool) -> None:
    rng = np.random.default_rng(0)
    kernel = rng.standard_normal((24, 23)) if signs else rng.random((24, 23))
    A = Conv(kernel, (27, 28), padding="same", boundary=boundary)
    found, true = operator_norm(A), np.linalg.norm(A.toarray(), 2)
    assert 0.999 * true <= found.lower <= true <= found.upper
    if not signs and boundary != "antireflect":
        assert found.upper <= 1.021 * true


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("size", [400, 800])
@pytest.mark.parametrize("kernel", [101, 301])
def test_the_norm_of_a_long_line_lies_between_close_bounds(kernel: int, size: int, boundary: str) -> None:
    A = Conv(np.random.default_rng(0).standard_normal(kernel), size, padding="same", boundary=boundary)
    with without_dense():
        found = operator_norm(A)
    true = np.linalg.norm(A.toarray(), 2)
    assert found.lower <= true * (1 + 1e-12)
    assert true * (1 - 1e-12) <= found.upper <= 1.09 * found.lower


def test_a_kernel_of_thousands_of_taps_needs_no_matrix_of_its_frequencies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(FrequencyAxis, "matrix")
    A = Conv(np.random.default_rng(0).random(20_001), 50_000, padding="same", boundary="reflect")
    found = operator_norm(A)
    assert found.upper >= A.weight.sum()
    assert found.upper <= 1.021 * found.lower


@pytest.mark.parametrize("boundary", ["zeros", "reflect", "symmetric", "edge"])
def test_kernels_without_negative_taps_have_a_tight_bound(boundary: str) -> None:
    for kernel in ("bell", "box", "motion", "skew"):
        A = Conv(KERNELS[kernel], (16, 19), padding="same", boundary=boundary, stride=(1, 2))
        with without_dense():
            found = operator_norm(A)
        assert found.upper <= 1.04 * np.linalg.norm(A.toarray(), 2)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("kernel", KERNELS)
def test_zeros_around_an_image_larger_than_the_kernel_leave_the_bounds_close(
    kernel: str, stride: int
) -> None:
    with without_dense():
        found = operator_norm(Conv(KERNELS[kernel], (96, 96), padding="same", stride=stride))
    assert not found.route.startswith("exact")
    assert found.upper <= 1.02 * found.lower


@pytest.mark.parametrize(
    ("A", "route"),
    [
        (Conv(KERNELS["Sobel"], (9, 8), padding="same", boundary="wrap"), "9 × 8 blocks of 1 × 1"),
        (Conv(KERNELS["bell"], (9, 8), padding="same", boundary="symmetric"), "9 × 8 blocks of 1 × 1"),
        (Conv(np.ones((4, 6, 3)), (6, 8), stride=2, padding=1, boundary="wrap"), "4 blocks of 4 × 12"),
        (Conv(KERNELS["Laplacian"], (9, 8)), "a dense matrix of 42 × 72"),
        (Conv(KERNELS["Sobel"], (9, 8)), "axis by axis, a dense matrix of 7 × 9; a dense matrix of 6 × 8"),
    ],
)
def test_structure_makes_the_bounds_meet(A: Conv, route: str) -> None:
    for operator in (A, A.T):
        found = operator_norm(operator)
        assert found.route.startswith("exact up to rounding: ")
        assert found.route.endswith(route)
        assert found.upper - found.lower <= 1e-12 * found.upper


@pytest.mark.parametrize("stride", [1, (2, 1, 3)])
@pytest.mark.parametrize("boundary", [*BOUNDARIES, ("edge", "wrap", "zeros")])
def test_the_norm_of_a_product_of_axes_is_exact(boundary: Any, stride: Any) -> None:
    for kernel in (np.array([1.0, -2, 4]), np.array([1.0, 2j, -1])):
        weight = np.multiply.outer(np.outer(kernel, [1, 3.0]), kernel[:0:-1] / 7)
        A = Conv(weight, (6, 5, 8), padding=((1, 2), (2, 0), (1, 1)), boundary=boundary, stride=stride)
        found = operator_norm(A)
        assert found.route.startswith("exact up to rounding: ")
        for operator in (A, A.T, A.H):
            assert_bounds(operator, operator.toarray(), np.abs(operator.toarray()))


def test_long_axes_of_a_product_have_two_bounds_each() -> None:
    A = Conv(np.outer([1.0, -2, 3], [1.0, 1, -1]), (900, 700), padding=1, boundary="reflect")
    found = operator_norm(A)
    assert found.route.startswith("axis by axis, lower by ")
    assert found.lower <= found.upper <= 1.05 * found.lower


def test_the_vector_of_many_groups_is_that_of_the_largest() -> None:
    weight = np.array([1.0, 3.0, 2.0])[:, None, None] * [[1.0, 2.0]]
    for boundary in ("zeros", "wrap"):
        A = Conv(weight, (3, 6), padding="same", groups=3, boundary=boundary)
        found = operator_norm(A)
        assert np.linalg.norm(found.vector, axis=1) == pytest.approx([0, 1, 0])
        assert found.upper == pytest.approx(np.linalg.norm(A.toarray(), 2))


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_no_taps_no_norm(boundary: str) -> None:
    found = operator_norm(Conv(np.zeros(3), 9, padding=1, boundary=boundary))
    assert found.lower == 0
    assert found.upper < 1e-300
    assert np.linalg.norm(found.vector) == pytest.approx(1)


@pytest.mark.parametrize("boundary", ["zeros", "wrap", "edge"])
@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_the_ends_of_the_range_are_no_different(boundary: str, scale: float) -> None:
    one, other = (
        operator_norm(Conv(np.array([3.0, 4.0]) * c, 9, padding="same", boundary=boundary))
        for c in (1, scale)
    )
    assert other.upper == pytest.approx(one.upper * scale, rel=1e-12)
    assert other.lower == pytest.approx(one.lower * scale, rel=1e-12)


def test_a_norm_beyond_float64_is_refused() -> None:
    with pytest.raises(OverflowError, match="leaves the range of float64"):
        operator_norm(Conv([1.5e308, 1.5e308], 9))


def test_the_result_is_frozen_and_prints_what_is_proven() -> None:
    exact = operator_norm(Conv([1.0, 1.0], 4, padding="same", boundary="wrap"))
    assert str(exact) == "norm 2 (exact up to rounding: the largest of 4 blocks of 1 × 1)"
    between = operator_norm(Conv([1.0, -2.0, 2.0], 600, padding="same", boundary="edge"))
    said = r"4\.\d+ <= norm <= [45]\.?\d* \(lower by \d+ products, upper by .*\)"
    assert re.fullmatch(said, str(between))
    with pytest.raises(FrozenInstanceError):
        exact.lower = 3.0  # type: ignore[misc]
    with pytest.raises(ValueError, match="read-only"):
        exact.vector[0] = 0


def test_a_step_below_two_over_the_square_makes_gradient_descent_converge() -> None:
    A = Conv(KERNELS["skew"] / 10, (12, 12), padding="same", boundary="reflect")
    step = 1.99 / operator_norm(A).upper ** 2
    turn = np.eye(A.shape[1]) - step * A.toarray().T @ A.toarray()
    assert np.abs(np.linalg.eigvalsh(turn)).max() <= 1 + 1e-12


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("weight", [np.arange(1.0, 10).reshape(3, 3), np.arange(54.0).reshape(2, 3, 3, 3)])
def test_the_vector_is_in_the_layout_of_the_operator(weight: Array, axis: int) -> None:
    shape = ((3, 6, 5), (6, 3, 5), (6, 5, 3))[axis]
    A = Conv(weight, shape, padding=1, channel_axis=axis)
    for op in (A, A.T):
        found = operator_norm(op)
        truth = np.linalg.norm(op.toarray(), 2)
        assert found.lower <= truth <= found.upper
        assert found.vector.shape == op.input_shape
        assert not found.vector.flags.writeable
        assert np.linalg.norm(op(found.vector)) == pytest.approx(truth)
