"""`Conv` and `ConvTranspose` against the loops, over the registry, dtypes and methods."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convops import Conv, ConvTranspose
from oracles import Array, assert_within_rounding
from registry import (
    CASES,
    FLOATS,
    Case,
    cases,
    forward_of,
    inputs_for,
    magnitude_of,
    matrix_of,
    outputs_for,
    transpose_of,
    weights_for,
)

METHODS = ("sparse", "gemm")


def conv_of(case: Case, weight: Array, method: str = "auto") -> Conv:
    return Conv(weight, case.input_shape, **case.kwargs(), method=method)


def transpose_like(case: Case, weight: Array, method: str = "auto") -> ConvTranspose:
    return ConvTranspose(weight, case.output_shape, **case.transposed_kwargs(), method=method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_products_are_those_of_the_loops(case: Case, method: str) -> None:
    for dtype in FLOATS:
        weight, x, y = (make(case, dtype) for make in (weights_for, inputs_for, outputs_for))
        A, W = conv_of(case, weight, method), matrix_of(case, weight)
        magnitude, terms = magnitude_of(case, weight)
        by_row, by_column = magnitude @ abs(x.ravel()), magnitude.T @ abs(y.ravel())
        assert (A.shape, A.dtype) == (case.shape, np.dtype(dtype))
        assert_within_rounding(A @ x.ravel(), W @ x.ravel(), by_row, terms)
        assert_within_rounding(A.rmatvec(y.ravel()), W.conj().T @ y.ravel(), by_column, terms)
        assert_within_rounding(A.H @ y.ravel(), W.conj().T @ y.ravel(), by_column, terms)
        assert_within_rounding(A.T @ y.ravel(), W.T @ y.ravel(), by_column, terms)
        assert_within_rounding(A.T.H @ x.ravel(), W.conj() @ x.ravel(), by_row, terms)
        assert_within_rounding(A(x), forward_of(case, x, weight), by_row.reshape(case.output_shape), terms)
        for product in (A @ x.ravel(), A.rmatvec(y.ravel()), A(x), A.H(y)):
            assert product.dtype == dtype


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_transpose_is_that_of_the_loops(case: Case, method: str) -> None:
    for dtype in FLOATS:
        weight, y, x = (make(case, dtype) for make in (weights_for, outputs_for, inputs_for))
        B = transpose_like(case, weight, method)
        magnitude, terms = magnitude_of(case, weight)
        expected = transpose_of(case, y, weight)
        assert (B.input_shape, B.output_shape) == (case.output_shape, case.input_shape)
        assert_within_rounding(
            B(y), expected, (magnitude.T @ abs(y.ravel())).reshape(case.input_shape), terms
        )
        W = matrix_of(case, weight)
        assert_within_rounding(B.rmatvec(x.ravel()), W.conj() @ x.ravel(), magnitude @ abs(x.ravel()), terms)


@given(cases(), st.sampled_from(METHODS))
@settings(max_examples=60)
def test_integers_are_exact_on_any_geometry(case: Case, method: str) -> None:
    weight, x, y = (make(case, "int64") for make in (weights_for, inputs_for, outputs_for))
    A, W = conv_of(case, weight, method), matrix_of(case, weight)
    np.testing.assert_array_equal(A @ x.ravel(), W @ x.ravel())
    np.testing.assert_array_equal(A.H @ y.ravel(), W.T @ y.ravel())
    np.testing.assert_array_equal(transpose_like(case, weight, method).toarray(), W.T)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_transposing_twice_gives_back_the_operator(case: Case, dtype: str) -> None:
    weight = weights_for(case, dtype)
    for operator in (conv_of(case, weight), transpose_like(case, weight)):
        other = ConvTranspose if isinstance(operator, Conv) else Conv
        assert operator.H.H is operator
        assert operator.T.T is operator
        assert type(operator.H) is type(operator.T) is other
        W = operator.toarray()
        np.testing.assert_array_equal(operator.T.toarray(), W.T)
        np.testing.assert_array_equal(operator.H.toarray(), W.conj().T)
        np.testing.assert_array_equal(operator.T.H.toarray(), W.conj())
        np.testing.assert_array_equal(operator.T.weight, operator.weight)
        np.testing.assert_array_equal(operator.H.weight, operator.weight.conj())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_transpose_of_a_conv_is_a_conv_transpose_of_the_same_arguments(case: Case) -> None:
    weight = weights_for(case, "int64")
    A, B = conv_of(case, weight), transpose_like(case, weight)
    assert A.T.geometry == A.geometry == B.geometry
    assert (A.T.input_shape, A.T.output_shape) == (B.input_shape, B.output_shape)
    np.testing.assert_array_equal(A.T.toarray(), B.toarray())


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("case", CASES[::3], ids=str)
def test_tosparse_is_canonical_and_new_each_time(case: Case, dtype: str) -> None:
    for operator in (conv_of(case, weights_for(case, dtype)), transpose_like(case, weights_for(case, dtype))):
        one, two = operator.tosparse(), operator.tosparse()
        assert (one.format, one.dtype, one.shape) == ("csr", operator.dtype, operator.shape)
        assert type(one)((one.data, one.indices, one.indptr), shape=one.shape).has_canonical_format
        one.data[:] = 0
        np.testing.assert_array_equal(operator.toarray(), two.toarray())


def test_the_basic_transposed_convolutions_written_by_hand() -> None:
    x, weight = [[0, 1], [2, 3]], [[0, 1], [2, 3]]
    np.testing.assert_array_equal(ConvTranspose(weight, (2, 2))(x), [[0, 0, 1], [0, 4, 6], [4, 12, 9]])
    np.testing.assert_array_equal(ConvTranspose(weight, (2, 2), padding=1)(x), [[4]])
    np.testing.assert_array_equal(
        ConvTranspose(weight, (2, 2), stride=2)(x),
        [[0, 0, 0, 1], [0, 0, 2, 3], [0, 2, 0, 3], [4, 6, 6, 9]],
    )
