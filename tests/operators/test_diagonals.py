"""The diagonals of W are those of the dense matrix, and a product with them is one with W."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convops import Conv
from convops.apply import has_diagonals
from convops.operators.diagonals import diagonals
from convops.operators.sparse import SparseEngine
from registry import CASES, Case, matrix_of, weights_for


def correlated(case: Case) -> Conv:
    return Conv(weights_for(case), case.input_shape, **case.kwargs())


KEPT = [case for case in CASES if has_diagonals(correlated(case).geometry)]


def test_they_are_had_where_sizes_and_channels_are_kept_in_zeros() -> None:
    names = {case.name for case in KEPT}
    assert {"1d kernel 1", "2d same, zeros"} <= names
    for case in KEPT:
        geometry = correlated(case).geometry
        assert geometry.output_shape == geometry.input_shape
        assert geometry.groups == geometry.in_channels
    for weight_shape, input_shape, more in [
        ((3,), 8, {}),
        ((3,), 8, {"padding": "same", "boundary": "wrap"}),
        ((3,), 8, {"padding": "same", "stride": 2}),
        ((2, 2, 3), (2, 8), {"padding": "same"}),
        ((9, 9), (5, 5), {"padding": "same"}),
    ]:
        assert not has_diagonals(Conv(np.ones(weight_shape), input_shape, **more).geometry)


@pytest.mark.parametrize("case", KEPT, ids=str)
def test_they_are_those_of_the_matrix(case: Case) -> None:
    A, weight = correlated(case), weights_for(case)
    W = matrix_of(case, weight)
    taps = A._map.correlated
    np.testing.assert_allclose(diagonals(A.geometry, taps, False).toarray(), W, atol=1e-14)
    np.testing.assert_allclose(diagonals(A.geometry, taps, True).toarray(), W.T, atol=1e-14)


@pytest.mark.parametrize("case", KEPT, ids=str)
def test_they_stand_in_the_order_of_columns(case: Case) -> None:
    A = correlated(case)
    for transposed in (False, True):
        assert (np.diff(diagonals(A.geometry, A._map.correlated, transposed).offsets) > 0).all()


def test_taps_a_line_apart_would_share_a_diagonal() -> None:
    for kernel, sizes in (((3, 4), (6, 4)), ((5, 3), (4, 6))):
        assert has_diagonals(Conv(np.ones(kernel), sizes, padding="same").geometry)
    assert not has_diagonals(Conv(np.ones((3, 5)), (6, 4), padding="same").geometry)


@given(st.lists(st.tuples(st.integers(1, 6), st.integers(1, 4), st.integers(1, 3)), min_size=1, max_size=3))
def test_they_are_those_of_any_matrix_that_keeps_its_size(axes: list[tuple[int, int, int]]) -> None:
    sizes, kernel, dilation = zip(*axes, strict=True)
    weight = np.random.default_rng(0).standard_normal(kernel)
    for padding in ("same", "same_lower", "causal"):
        A = Conv(weight, sizes, dilation=dilation, padding=padding)
        if any(axis.effective > axis.size for axis in A.geometry.axes[1:]):
            continue
        for transposed, op in ((False, A), (True, A.T)):
            np.testing.assert_allclose(diagonals(A.geometry, weight, transposed).toarray(), op.toarray())


def test_there_may_be_axes_of_which_two_each_are_more_than_numpy_has() -> None:
    A = Conv(np.ones((*[1] * 40, 3)), (*[1] * 40, 5), padding="same")
    np.testing.assert_array_equal(diagonals(A.geometry, A.weight, False).toarray(), A.toarray())


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("operand", ["float32", "complex128"])
def test_products_are_those_of_the_matrix(dtype: str, operand: str) -> None:
    rng = np.random.default_rng(0)
    weight = (rng.standard_normal((2, 1, 3, 3)) + (1j if dtype[0] == "c" else 0)).astype(dtype)
    A = Conv(weight, (2, 7, 8), padding=1, groups=2, method="sparse")
    assert isinstance(A._map.engine, SparseEngine)
    assert not A._map.engine.exact
    W = A.toarray()
    x = (rng.standard_normal((5, 2, 7, 8)) + (1j if operand[0] == "c" else 0)).astype(operand)
    for op, matrix in ((A, W), (A.H, W.conj().T)):
        expected = x.reshape(5, -1) @ matrix.T
        assert op(x).dtype == np.result_type(dtype, operand)
        np.testing.assert_allclose(op(x).reshape(5, -1), expected, atol=1e-5)
        np.testing.assert_allclose(op @ x.reshape(5, -1).T, expected.T, atol=1e-5)
        np.testing.assert_allclose(op @ x[0].ravel(), expected[0], atol=1e-5)


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_stays_where_the_matrix_puts_it(bad: float) -> None:
    weight = np.array([[1.0, 0, 2], [3, 4, 5], [6, 7, 8]])
    A = Conv(weight, (6, 5), padding=1, method="sparse")
    x = np.ones((6, 5))
    x[2, 0] = x[3, 4] = bad
    W = A.tosparse()
    with np.errstate(invalid="ignore"):
        for op, matrix in ((A, W), (A.T, W.T)):
            expected = matrix @ x.ravel()
            assert not np.isfinite(expected).all()
            np.testing.assert_allclose(op @ x.ravel(), expected)
            np.testing.assert_allclose(op(x).ravel(), expected)
            np.testing.assert_allclose((op @ np.stack([x.ravel()] * 2, axis=1))[:, 1], expected)
