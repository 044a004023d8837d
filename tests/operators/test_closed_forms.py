"""What is known of W without building it is what the dense W of the loops holds."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

import oracles
from convops import Conv, ConvTranspose
from convops.operators import closed_forms
from oracles import Array
from registry import CASES, FLOATS, Case, cases, magnitude_of, matrix_of, weights_for

DTYPES = (*FLOATS, "int8", "int64")


def conv_of(case: Case, dtype: str) -> Conv:
    return Conv(weights_for(case, dtype), case.input_shape, **case.kwargs(), dtype=dtype)


def dense_of(case: Case, dtype: str) -> tuple[Array, Array, int]:
    """Return W, the moduli that its entries add up, and the most terms of a row or a column."""
    weight = weights_for(case, dtype)
    return matrix_of(case, weight), *magnitude_of(case, weight)


def all_views(A: Conv, W: Array, magnitude: Array) -> list[tuple[Any, Array, Array]]:
    views = [(A, W, magnitude), (A.T, W.T, magnitude.T)]
    if A.dtype.kind == "c":
        views += [(A.H, W.conj().T, magnitude.T), (A.H.T, W.conj(), magnitude)]
    return views


def real(dtype: Any) -> Any:
    return np.zeros(0, dtype).real.dtype


def check_all(case: Case, dtype: str) -> None:
    """Hold every closed form of a case against its dense matrix."""
    W, magnitude, terms = dense_of(case, dtype)
    within = oracles.assert_within_rounding
    for A, M, size in all_views(conv_of(case, dtype), W, magnitude):
        wide = np.int64 if A.dtype.kind == "i" else A.dtype
        length = np.float64 if A.dtype.kind == "i" else real(A.dtype)
        for axis, sums, norms, shape in (
            (1, A.row_sums(), A.row_norms(), A.output_shape),
            (0, A.column_sums(), A.column_norms(), A.input_shape),
        ):
            assert (sums.dtype, norms.dtype) == (wide, length)
            within(sums, M.sum(axis).reshape(shape), size.sum(axis).reshape(shape), terms)
            by_numpy = np.linalg.norm(M, axis=axis).reshape(shape)
            within(norms, by_numpy, np.linalg.norm(size, axis=axis).reshape(shape), terms)
        assert A.diagonal().dtype == A.dtype
        within(A.diagonal(), M.diagonal(), size.diagonal(), terms)
        if M.shape[0] == M.shape[1]:
            within(A.trace(), M.trace(), size.trace(), terms + len(M))
        for order in ("fro", 1, np.inf):
            within(np.asarray(A.norm(order)), np.linalg.norm(M, order), np.linalg.norm(size, order), terms)


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: str(CASES[number]))
def test_sums_norms_and_diagonal_are_those_of_the_dense_matrix(number: int) -> None:
    for at in (number, number + len(DTYPES) // 2):
        check_all(CASES[number], DTYPES[at % len(DTYPES)])


@given(cases())
@settings(max_examples=50)
def test_sums_norms_and_diagonal_are_those_of_any_dense_matrix(case: Case) -> None:
    check_all(case, "float64")
    check_all(case, "int64")


@given(cases())
@settings(max_examples=25)
def test_what_is_held_at_once_does_not_show(case: Case) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(closed_forms, "_AT_ONCE", 3)
        check_all(case, "int64")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_stored_entries_are_counted_and_unread_inputs_are_empty_columns(case: Case) -> None:
    A = conv_of(case, "int64")
    stored = Conv(np.ones(case.weight_shape, int), case.input_shape, **case.kwargs()).tosparse()
    pattern = np.zeros(stored.shape, bool)
    pattern[np.repeat(np.arange(stored.shape[0]), np.diff(stored.indptr)), stored.indices] = True
    assert A.nnz == A.T.nnz == stored.nnz
    np.testing.assert_array_equal(A.unread(), ~pattern.any(axis=0).reshape(A.input_shape))
    np.testing.assert_array_equal(A.T.unread(), ~pattern.any(axis=1).reshape(A.output_shape))


def test_the_square_of_a_sum_is_not_the_sum_of_squares_where_taps_fall_on_one_sample() -> None:
    A = Conv([3, 4], 2, padding=((1, 0),), boundary="edge")
    np.testing.assert_array_equal(A.toarray(), [[7, 0], [3, 4]])
    np.testing.assert_array_equal(A.row_norms(), [7, 5])
    np.testing.assert_array_equal(A.column_norms(), [np.sqrt(58), 4])


def test_taps_that_cancel_at_the_border_leave_nothing() -> None:
    A = Conv([1, -1], 2, padding=((1, 0),), boundary="symmetric")
    np.testing.assert_array_equal(A.row_norms(), [0, np.sqrt(2)])
    np.testing.assert_array_equal(A.row_sums(), [0, 0])
    assert not A.unread().any()


def test_zeros_of_the_weight_read_too() -> None:
    assert not Conv([0, 0], 4).unread().any()


@pytest.mark.parametrize(("kernel", "kept"), [(3, [1, 2]), (4, [2])])
def test_the_checkerboard_of_stride_two_needs_an_odd_kernel(kernel: int, kept: list[int]) -> None:
    middle = ConvTranspose(np.ones((kernel, kernel), int), (8, 8), stride=2).row_sums()[4:-4, 4:-4]
    assert np.unique(middle).tolist() == sorted({a * b for a in kept for b in kept})


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
@pytest.mark.parametrize("scale", [2.0**-60, 2.0**60])
def test_a_power_of_two_scales_norms_exactly(dtype: str, scale: float) -> None:
    weight = np.array([1.5, -2.25, 3.0], dtype)
    A, B = (Conv(w, 9, padding=2, boundary="symmetric") for w in (weight, (weight * scale).astype(dtype)))
    np.testing.assert_array_equal(B.column_norms(), A.column_norms() * np.float64(scale))
    assert B.norm() == A.norm() * np.float64(scale)


def test_norms_whose_squares_overflow_or_vanish_are_right() -> None:
    for size in (1e300, 1e-300, 5e-324):
        np.testing.assert_allclose(Conv([3 * size, 4 * size], 4).row_norms(), 5 * size)


def test_a_large_image_costs_no_more_than_its_result(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    monkeypatch.setattr(closed_forms, "_squared", lambda entries: seen.append(entries.size) or entries**2)
    for boundary in ("zeros", "symmetric"):
        A = Conv(np.ones((15, 15)), (512, 1024), padding="same", boundary=boundary)
        assert A.column_norms().shape == (512, 1024)
    assert max(seen) < 300**2
