"""Products of the kernel operator keep integers exact, dtypes those of numpy, and NaN where it belongs."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from convops import KernelOperator
from kernels import kernel_of
from registry import Case, forward_of, inputs_for, outputs_for, weights_for

METHODS = ("gemm", "fft")
CASE = Case("kernel", (4, 3, 3, 2), (6, 7, 6), (2, 1), 1, 1, 2, "reflect", True)


def test_integers_are_exact_up_to_the_end_of_int64() -> None:
    x = np.array([2**31, -(2**31) + 1, 7, 5], dtype=np.int64)
    K = KernelOperator(x, 3, padding=1, boundary="antireflect")
    w, y = np.array([2**28, 3, -(2**27)]), np.array([1, -(2**28), 2**28, 3])
    exact = K.toarray().astype(object)
    assert (K @ w).tolist() == (exact @ w.astype(object)).tolist()
    assert (K.T @ y).tolist() == (exact.T @ y.astype(object)).tolist()
    assert (K @ w).dtype == np.int64


@pytest.mark.parametrize("dtype", ["int8", "uint16", "int64"])
def test_integers_of_any_width_are_computed_in_int64(dtype: str) -> None:
    x = inputs_for(CASE, dtype)
    K = kernel_of(CASE, x, dtype=dtype)
    w = weights_for(CASE, dtype)
    assert (K.dtype, K(w).dtype) == (dtype, np.int64)
    assert K(w).tolist() == forward_of(CASE, x, w).tolist()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("operator", ["float32", "complex64", "float64"])
@pytest.mark.parametrize("operand", ["float32", "complex64", "float64", "int16", "complex128"])
def test_products_have_the_dtype_of_numpy(operator: str, operand: str, method: str) -> None:
    x, w, y = inputs_for(CASE, operator), weights_for(CASE, operand), outputs_for(CASE, operand)
    K = kernel_of(CASE, x, method=method)
    for op, v in ((K, w), (K.T, y), (K.H, y), (K.T.H, w)):
        product = op(v)
        assert product.dtype == np.result_type(operator, operand)
        np.testing.assert_allclose(product.ravel(), op.toarray() @ v.ravel(), atol=2e-4, rtol=1e-4)


@pytest.mark.parametrize("method", METHODS)
def test_nan_and_inf_reach_what_the_matrix_lets_them_reach(method: str) -> None:
    case = Case("nan", (3, 3), (8, 9), stride=2, padding=1)
    K = kernel_of(case, inputs_for(case) + 9, method=method)
    w, y = weights_for(case), outputs_for(case)
    w[0, 0], y[0, 3], y[2, 2] = np.nan, np.inf, np.nan
    with np.errstate(invalid="ignore"):
        for op, v in ((K, w), (K.T, y)):
            np.testing.assert_allclose(op(v).ravel(), op.tosparse() @ v.ravel(), rtol=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("method", METHODS)
def test_nan_and_inf_are_applied_to_without_a_warning(method: str, dtype: str) -> None:
    case = Case("nan", (3, 3), (8, 9), stride=2, padding=1)
    K = kernel_of(case, inputs_for(case, dtype) + 9, method=method)
    w, y = weights_for(case, dtype), outputs_for(case, dtype)
    w[0, 0], w[1, 1], y[0, 3], y[2, 2] = np.nan, np.inf, np.inf, np.nan
    for op, v in ((K, w), (K.T, y)):
        found = op(v).ravel()
        with np.errstate(invalid="ignore"):
            expected = op.tosparse() @ v.ravel()
        finite = np.isfinite(expected)
        np.testing.assert_array_equal(np.isfinite(found), finite)
        np.testing.assert_allclose(found[finite], expected[finite], rtol=1e-12)


@pytest.mark.parametrize("method", METHODS)
def test_several_threads_get_each_their_own_product(method: str) -> None:
    K = kernel_of(CASE, inputs_for(CASE), method=method)
    outputs = [outputs_for(CASE, seed=seed) for seed in range(16)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(K.T, outputs))
    for gradient, y in zip(found, outputs, strict=True):
        np.testing.assert_allclose(gradient, K.T(y), atol=1e-12)


def test_the_method_is_that_of_the_least_cost() -> None:
    x = np.ones((256, 256))
    assert KernelOperator(x, (3, 3)).method == "gemm"
    assert KernelOperator(x, (63, 63), padding="same").method == "fft"
    assert KernelOperator(x.astype(int), (63, 63), padding="same").method == "gemm"
