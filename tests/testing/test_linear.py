"""`assert_linear` passes linear maps, with or without an adjoint, and no others."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from convops import Conv, ConvTranspose
from convops.testing import assert_linear
from convops.testing.strategies import geometries, operators

Map = Callable[[np.ndarray], Any]


@given(operators(geometry=geometries(max_entries=2000)))
@settings(max_examples=60)
def test_every_convolution_is_linear(A: Conv | ConvTranspose) -> None:
    assert_linear(A)
    assert_linear(A.H)


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128", "int64"])
@pytest.mark.parametrize(
    "function", [np.cumsum, np.diff, np.zeros_like, lambda x: np.outer(x, np.arange(3).astype(x.dtype))]
)
def test_a_function_needs_no_adjoint(function: Map, dtype: str) -> None:
    assert_linear(function, 60, dtype=dtype)


@pytest.mark.parametrize("size", [(4, 5), [4, 5]])
def test_a_function_of_arrays(size: Any) -> None:
    assert_linear(lambda x: x.T, size)
    assert_linear(lambda x: x.T, size, (5, 4))
    assert_linear(np.sum, size)


def test_a_function_from_real_to_complex_vectors_or_back() -> None:
    assert_linear(np.fft.rfft, 60, dtype=(float, complex))
    assert_linear(np.fft.irfft, 31, dtype=(complex, float))
    with pytest.raises(AssertionError, match=r"homogeneity FAILED"):
        assert_linear(lambda x: np.abs(np.fft.rfft(x)) + 0j, 60, dtype=(float, complex))


def test_an_operator_that_is_called_with_arrays() -> None:
    class Called:
        input_shape, output_shape, dtype = (4, 5), (5, 4), np.dtype("float64")

        def __call__(self, x: np.ndarray) -> np.ndarray:
            return x.T

        @property
        def H(self) -> Map:
            return np.transpose

    assert_linear(Called())


def test_an_operator_needs_no_adjoint() -> None:
    class Bare:
        shape = (4, 5)
        dtype = np.dtype("float64")

        def matvec(self, x: np.ndarray) -> np.ndarray:
            return np.diff(x)

    assert_linear(LinearOperator((4, 5), matvec=np.diff, dtype=float))
    assert_linear(Bare())


@pytest.mark.parametrize(
    ("function", "dtype", "check"),
    [
        (lambda x: x + 1, "float64", "homogeneity"),
        (lambda x: x + 1e-30, "float64", "homogeneity"),
        (np.abs, "float64", "homogeneity"),
        (lambda x: x * abs(x).max(), "float64", "homogeneity"),
        (lambda x: np.clip(x, -10, 10), "float64", "homogeneity"),
        (np.sort, "float64", "homogeneity"),
        (lambda x: x if x[0] > 0 else 2 * x, "int64", "homogeneity"),
        (lambda x: np.where(abs(x) > abs(x).mean(), x, 0), "float64", "additivity"),
        (np.conj, "complex128", "additivity"),
        (lambda x: x.real + 0j, "complex128", "additivity"),
        (lambda x: x.astype(np.float32).astype(float), "float64", "precision"),
        (lambda x: x * np.nan, "float64", "homogeneity"),
    ],
)
def test_what_is_not_linear_fails(function: Map, dtype: str, check: str) -> None:
    for seed in range(5):
        with pytest.raises(
            AssertionError, match=rf"is not linear \(seed {seed}\)\n(.*\n)*  {check} +FAILED "
        ):
            assert_linear(function, 100, dtype=dtype, seed=seed)


def test_the_message_names_what_was_checked_and_how() -> None:
    with pytest.raises(AssertionError, match=r"^sort is not linear \(seed 3\)\n  homogeneity FAILED "):
        assert_linear(np.sort, 100, seed=3)


def test_a_result_of_another_shape_is_told() -> None:
    with pytest.raises(
        AssertionError, match=r"^diff is not linear: forward returned shape \(4,\).* \(5,\)\.$"
    ):
        assert_linear(np.diff, 5, 5)


def test_an_error_inside_the_map_comes_through_as_it_is() -> None:
    def broken(x: np.ndarray) -> np.ndarray:
        raise RuntimeError("of my own")

    with pytest.raises(RuntimeError, match=r"^of my own$"):
        assert_linear(broken, 5, 5)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            (np.eye(3),),
            TypeError,
            r"^op=array.*: it must be an operator, with shape and matvec, or a function",
        ),
        (
            (np.cumsum,),
            TypeError,
            r"^input_shape is missing: a function does not tell its shapes\. Give it\.$",
        ),
        ((np.cumsum, 0), ValueError, r"^input_shape=0: it must be at least 1; got 0\.$"),
        ((np.cumsum, 5, 5, "float16"), TypeError, r"^dtype='float16': operators work in float32"),
        ((aslinearoperator(np.eye(3)), 4), ValueError, r"^input_shape=4: it has 4 entries, and the operator"),
    ],
)
def test_a_wrong_argument_is_told(arguments: tuple[Any, ...], error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        assert_linear(*arguments)
