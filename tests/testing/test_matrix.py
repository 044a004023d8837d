"""`assert_matches_matrix` passes the operators of a matrix, and fails those that differ in one entry."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from convops import Conv, ConvTranspose
from convops.testing import assert_matches_matrix
from convops.testing.strategies import geometries, operators
from registry import CASES, FLOATS, METHODS, matrix_of, weights_for


def operator_of(W: np.ndarray, B: np.ndarray | None = None) -> LinearOperator:
    """Return an operator that multiplies by W, and by B where its adjoint is asked for."""
    B = W.conj().T if B is None else B
    return LinearOperator(W.shape, matvec=lambda x: W @ x, rmatvec=lambda y: B @ y, dtype=W.dtype)


@pytest.mark.parametrize("number", range(len(CASES)), ids=lambda number: str(CASES[number]))
def test_every_operator_of_the_registry_is_the_matrix_of_the_loops(number: int) -> None:
    case, dtypes = CASES[number], (*FLOATS, "int64")
    for turn, method in enumerate(METHODS, start=number):
        suited = [dtype for dtype in dtypes if case.suits(method, dtype)]
        if not suited:
            continue
        dtype = suited[turn % len(suited)]
        weight = weights_for(case, dtype, method=method)
        W = matrix_of(case, weight)
        A = Conv(weight, case.input_shape, **case.kwargs(), method=method)
        assert_matches_matrix(A, W)
        assert_matches_matrix(A.T, W.T)


@given(operators(geometry=geometries(max_entries=5000)))
@settings(max_examples=60)
def test_every_operator_is_its_own_matrix(A: Conv | ConvTranspose) -> None:
    assert_matches_matrix(A, A.tosparse())
    assert_matches_matrix(A.H, A.toarray().conj().T)


@pytest.mark.parametrize("dtype", [*FLOATS, "int64"])
def test_one_wrong_entry_fails(dtype: str) -> None:
    rng = np.random.default_rng(2)
    W = rng.integers(1, 9, (60, 45)).astype(dtype)
    for seed in range(50):
        i, j = int(rng.integers(60)), int(rng.integers(45))
        wrong = W.copy()
        wrong[i, j] += 1 if dtype == "int64" else 3000 * np.finfo(dtype).eps * 9
        with pytest.raises(
            AssertionError, match=rf"1 of 60 entries of A\(x\) .*, most entry {i}, by row {i} "
        ):
            assert_matches_matrix(operator_of(wrong), W, seed=seed)
        with pytest.raises(AssertionError, match=rf"1 of 45 entries of Aᴴ\(y\) .* entry {j}, by column {j} "):
            assert_matches_matrix(operator_of(W, wrong.conj().T), W, seed=seed)


def test_the_message_gives_the_entry_as_an_index_of_the_array_and_both_values() -> None:
    A = Conv([[1, 2], [3, 4]], (3, 3))
    W = A.toarray()
    W[2, 7] += 10
    with pytest.raises(AssertionError) as failure:
        assert_matches_matrix(A, W, seed=3)
    found = str(failure.value)
    assert found.startswith(
        "<4x9 Conv: input_shape (3, 3) -> output_shape (2, 2), int64> is not this matrix: "
    )
    assert "1 of 4 entries of A(x) differ from those of W x, most entry (1, 0), by row 2 of W: " in found
    assert found.endswith("; rounding explains 0 (seed 3).")


def test_a_missing_conjugate_fails() -> None:
    W = np.array([[1, 2j], [3, 4]])
    with pytest.raises(AssertionError, match=r"entries of Aᴴ\(y\) differ from those of Wᴴ y"):
        assert_matches_matrix(operator_of(W, W.T), W)


@pytest.mark.parametrize(
    "form", [np.asarray, np.ndarray.tolist, sparse.csr_array, sparse.coo_matrix, sparse.dia_array]
)
@pytest.mark.parametrize("dtype", ["int64", "int8", "bool", "float32", "complex128"])
def test_a_matrix_may_be_dense_or_sparse_of_any_form(form: Any, dtype: str) -> None:
    W = np.tri(5, 7).astype(dtype)
    assert_matches_matrix(operator_of(W.astype(np.result_type(dtype, np.int64))), form(W))
    with pytest.raises(AssertionError, match=r"is not this matrix"):
        assert_matches_matrix(operator_of(2 * W.astype(np.result_type(dtype, np.int64))), form(W))


def test_a_forward_function_is_compared_alone() -> None:
    assert_matches_matrix(np.cumsum, np.tri(6))
    assert_matches_matrix(
        lambda x: x.T, np.eye(6).reshape(2, 3, 6).swapaxes(0, 1).reshape(6, 6), None, (2, 3), (3, 2)
    )
    with pytest.raises(AssertionError, match=r"^cumsum is not this matrix: .* entries of A\(x\)"):
        assert_matches_matrix(np.cumsum, np.tri(6).T)


def test_an_adjoint_function_is_compared_too() -> None:
    def adjoint(y: np.ndarray) -> np.ndarray:
        return np.cumsum(y[::-1])[::-1]

    assert_matches_matrix(np.cumsum, np.tri(6), adjoint)
    with pytest.raises(AssertionError, match=r"entries of Aᴴ\(y\) differ"):
        assert_matches_matrix(np.cumsum, np.tri(6), np.cumsum)


def test_an_operator_that_is_called_with_arrays_is_compared_in_both_directions() -> None:
    class Called:
        input_shape, output_shape, dtype = (2, 3), (6,), np.dtype("float64")

        def __init__(self, H: Any) -> None:
            self.H = H

        def __call__(self, x: np.ndarray) -> np.ndarray:
            return x.ravel()

    assert_matches_matrix(Called(lambda y: y.reshape(2, 3)), np.eye(6))
    with pytest.raises(AssertionError, match=r"6 of 6 entries of Aᴴ\(y\) .* entry \(\d, \d\), by column "):
        assert_matches_matrix(Called(lambda y: 2 * y.reshape(2, 3)), np.eye(6))


def test_an_operator_without_an_adjoint_is_compared_alone() -> None:
    assert_matches_matrix(LinearOperator((6, 6), matvec=np.cumsum, dtype=float), np.tri(6))


def test_a_function_works_in_the_dtype_of_the_matrix_or_in_double_precision() -> None:
    seen = []

    def seeing(x: np.ndarray) -> np.ndarray:
        seen.append(x.dtype)
        return x

    for dtype in ("int64", "float32", "complex64"):
        assert_matches_matrix(seeing, np.eye(4, dtype=dtype))
    assert_matches_matrix(seeing, np.eye(4, dtype=int), dtype="int64")
    assert set(seen) == {np.dtype(name) for name in ("float64", "complex128", "int64")}


def test_a_map_from_real_to_complex_vectors_or_back() -> None:
    F = np.fft.rfft(np.eye(8), axis=0)

    def adjoint(y: np.ndarray) -> np.ndarray:
        return (F.conj().T @ y).real

    assert_matches_matrix(np.fft.rfft, F, adjoint, 8, 5, (float, complex))
    assert_matches_matrix(adjoint, F.conj().T, np.fft.rfft, 5, 8, (complex, float))
    with pytest.raises(AssertionError, match=r"entries of Aᴴ\(y\) differ"):
        assert_matches_matrix(np.fft.rfft, F, np.fft.irfft, 8, 5, (float, complex))
    with pytest.raises(AssertionError, match=r"entries of A\(x\) differ"):
        assert_matches_matrix(lambda x: (F @ x).real, F, input_shape=8)


@pytest.mark.parametrize("scale", [1e-200, 1.0, 1e200])
def test_the_unit_of_the_matrix_does_not_matter(scale: float) -> None:
    W = scale * np.random.default_rng(0).standard_normal((30, 20))
    wrong = W.copy()
    wrong[3, 4] += 1e-10 * scale
    assert_matches_matrix(operator_of(W), W)
    with pytest.raises(AssertionError, match=r"most entry 3, by row 3 "):
        assert_matches_matrix(operator_of(wrong), W)


def test_hidden_single_precision_fails() -> None:
    W = np.random.default_rng(0).standard_normal((30, 20))
    A = LinearOperator(W.shape, matvec=lambda x: (W.astype("f4") @ x.astype("f4")).astype(float), dtype=float)
    with pytest.raises(AssertionError, match=r"is not this matrix"):
        assert_matches_matrix(A, W)
    assert_matches_matrix(A, W, dtype="float32")


def test_what_is_not_linear_fails_however_noisy_it_is() -> None:
    with pytest.raises(AssertionError, match=r"is not this matrix"):
        assert_matches_matrix(lambda x: x + 1e-9 * np.sin(1e9 * x), np.eye(50))


def test_nan_fails() -> None:
    with pytest.raises(AssertionError, match=r"4 of 4 entries of A\(x\) differ .*: nan instead of "):
        assert_matches_matrix(lambda x: x * np.nan, np.eye(4))


def test_a_result_of_another_shape_fails() -> None:
    with pytest.raises(
        AssertionError, match=r"is not this matrix: forward returned shape \(5,\) for x of shape \(4,\)"
    ):
        assert_matches_matrix(lambda x: np.append(x, 0), np.eye(4))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            (aslinearoperator(np.ones((2, 3))), np.ones((3, 2))),
            ValueError,
            r"^W has shape \(3, 2\): it must have that",
        ),
        (
            (np.cumsum, np.ones(3)),
            ValueError,
            r"^W has shape \(3,\): a matrix has two axes, \(M, N\); got 1\.$",
        ),
        ((np.cumsum, "matrix"), ValueError, r"^W='matrix': it must be an array of numbers"),
        ((np.eye(3), np.eye(3)), TypeError, r"^op=array.*aslinearoperator\.$"),
        (
            (np.cumsum, sparse.csr_array(np.ones((2, 2), "longdouble"))),
            TypeError,
            r"^W\.dtype=.*: operators work in",
        ),
    ],
)
def test_a_wrong_argument_is_told(arguments: tuple[Any, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        assert_matches_matrix(*arguments)
