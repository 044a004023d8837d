"""Patterns that leave something out are noticed and named; rounding is not."""

from typing import Any

import numpy as np
import pytest
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from convops import Conv, ConvGeometry, probe_matrix
from oracles import Array
from registry import CASES, FLOATS, METHODS, Case, matrix_of, weights_for


def geometry_of(case: Case, **more: Any) -> ConvGeometry:
    return ConvGeometry(case.weight_shape, case.input_shape, **case.geometry() | more)


@pytest.mark.parametrize("dtype", [*FLOATS, "int64"])
def test_an_entry_outside_the_pattern_is_named(dtype: str) -> None:
    for case in CASES:
        matrix = matrix_of(case, weights_for(case, dtype)).astype(dtype)
        geometry = geometry_of(case)
        free = np.argwhere(probe_matrix(aslinearoperator(matrix), geometry).toarray() == 0)
        stored = probe_matrix(aslinearoperator(np.zeros_like(matrix)), geometry)
        stored.data[:] = 1
        free = np.argwhere(stored.toarray() == 0)
        if not len(free):
            continue
        row, column = free[len(free) // 2]
        matrix[row, column] = 1
        where = [
            tuple(int(i) for i in np.unravel_index(place, shape))
            for place, shape in ((row, case.output_shape), (column, case.input_shape))
        ]
        named = [str(index[0]) if len(index) == 1 else str(index) for index in where]
        with pytest.raises(ValueError, match="does not cover") as caught:
            probe_matrix(aslinearoperator(matrix), geometry)
        message = str(caught.value)
        assert f"op[{named[0]}, {named[1]}] = " in message, case
        assert f"in 1 of {matrix.shape[0]} rows, most in row {named[0]}" in message


@pytest.mark.parametrize("size", [0.1, 1e3])
def test_one_entry_among_a_million_columns_does_not_drown_in_the_rounding_of_float32(size: float) -> None:
    n = 2**20
    weight = np.random.default_rng(0).standard_normal(9).astype(np.float32)
    A = Conv(weight, n, padding=4, method="fft")

    def wrong(x: Array) -> Array:
        y = A(x)
        y[12345] += np.float32(size) * x[99]
        return y

    with pytest.raises(ValueError, match=r"op\[12345, 99\] = "):
        probe_matrix(wrong, A.geometry, dtype=np.float32)
    assert probe_matrix(A, A.geometry).nnz == A.geometry.nnz


def test_a_wrong_boundary_a_smaller_kernel_and_groups_are_told() -> None:
    rng = np.random.default_rng(0)
    A = Conv(rng.random((3, 3)), (12, 12), padding=1, boundary="wrap")
    with pytest.raises(ValueError, match=r"op\[\(\d+, .*another boundary than \('zeros', 'zeros'\)"):
        probe_matrix(A, ConvGeometry((3, 3), (12, 12), padding=1))
    with pytest.raises(ValueError, match=r"a larger kernel than \(3, 2\), other padding than"):
        probe_matrix(A, ConvGeometry((3, 2), (12, 12), padding=((1, 1), (1, 0)), boundary="wrap"))
    layer = Conv(rng.random((4, 4, 3)), (4, 12))
    with pytest.raises(ValueError, match=r"or fewer groups than 2\."):
        probe_matrix(layer, ConvGeometry((4, 2, 3), (4, 12), groups=2))
    with pytest.raises(ValueError, match=r"Give a pattern with more entries\."):
        probe_matrix(layer, sparse.eye_array(40, 48))


def test_the_row_is_named_as_the_array_is_indexed() -> None:
    matrix = np.eye(12)
    matrix[7, 2] = 5
    op = aslinearoperator(matrix)
    with pytest.raises(ValueError, match=r"most in row 7, .*op\[7, 2\] = 5"):
        probe_matrix(op, sparse.eye_array(12))
    with pytest.raises(ValueError, match=r"most in row \(1, 3\), .*op\[\(1, 3\), \(0, 1, 0\)\] = 5"):
        probe_matrix(op, sparse.eye_array(12), (2, 3, 2), (3, 4))


def test_what_is_not_linear_is_told_from_what_is_not_covered() -> None:
    geometry = ConvGeometry(1, 80)
    with pytest.raises(ValueError, match=r"it is not linear\. op\(0\) is 3 at 0; .*such as a bias"):
        probe_matrix(lambda x: 2 * x + 3, geometry)
    with pytest.raises(ValueError, match="it is not linear to the precision of float64"):
        probe_matrix(np.abs, geometry)
    with pytest.raises(ValueError, match=r"say so: dtype=np\.float32"):
        probe_matrix(lambda x: (x.astype(np.float32) * np.float32(0.3)).astype(float), geometry)
    half = probe_matrix(lambda x: x * np.float32(0.3), geometry, dtype=np.float32)
    assert (half.data == np.float32(0.3)).all()


@pytest.mark.parametrize("dtype", FLOATS)
def test_rounding_is_no_entry_outside_the_pattern(dtype: str) -> None:
    for seed, case in enumerate(CASES):
        for method in METHODS:
            if case.suits(method, dtype):
                weight = weights_for(case, dtype, method=method)
                A = Conv(weight, case.input_shape, method=method, **case.kwargs())
                probe_matrix(A, geometry_of(case), seed=seed)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_rows_of_any_size_are_judged_by_their_own_rounding(dtype: str, size: float) -> None:
    rng = np.random.default_rng(0)
    mask = sparse.csr_array(rng.random((300, 200)) < 0.05)
    rows = np.where(rng.random(300) < 0.01, size, 1.0)
    matrix = (rows[:, None] * mask.toarray()).astype(dtype)
    W = probe_matrix(aslinearoperator(matrix), mask)
    np.testing.assert_array_equal(W.toarray(), matrix)


def test_what_is_not_finite_is_told_where_it_arises() -> None:
    def overflows(x: Array) -> Array:
        y = x * np.float32(3e38)
        return y[1:] + y[:-1]

    with np.errstate(over="ignore"), pytest.raises(ValueError, match=r"returned -?inf at \d+ for a finite x"):
        probe_matrix(overflows, ConvGeometry(2, 80), dtype=np.float32)


class Unfinished(LinearOperator):
    """Says what it cannot do, as SciPy's do."""

    def __init__(self) -> None:
        super().__init__(np.dtype(float), (5, 5))

    def _matvec(self, x: Array) -> Array:
        raise NotImplementedError

    def _matmat(self, X: Array) -> Array:
        raise NotImplementedError


def test_a_product_that_is_not_implemented_is_told() -> None:
    for pattern in (sparse.eye_array(5), sparse.csr_array(np.ones((5, 5)))):
        with pytest.raises(TypeError, match="matvec is not implemented, and its products are needed"):
            probe_matrix(Unfinished(), pattern)
