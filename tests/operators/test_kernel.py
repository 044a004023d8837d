"""K w is the convolution with w, for every geometry, dtype and method; Kᴴ is its adjoint."""

import copy
import pickle
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convops import Conv, ConvTranspose, KernelOperator, check_adjoint, conv, vstack
from oracles import Array, assert_within_rounding
from registry import CASES, FLOATS, Case, cases, forward_of, inputs_for, outputs_for, reach_of, weights_for

METHODS = ("gemm", "fft")
CASE = Case("kernel", (4, 3, 3, 2), (6, 7, 6), (2, 1), 1, 1, 2, "reflect", True)


def kernel_of(case: Case, x: Array, **options: Any) -> KernelOperator:
    return KernelOperator(x, case.weight_shape, **case.kwargs(), **options)


@cache
def loops(case: Case, dtype: str) -> tuple[Array, Array, Array, Array]:
    """x, K from the loops, and the sums of |x| that bound the rounding of rows and columns of K."""
    x = inputs_for(case, dtype)
    units = np.eye(int(np.prod(case.weight_shape)), dtype=np.int64).reshape(-1, *case.weight_shape)
    K = np.stack([forward_of(case, x, unit).ravel() for unit in units], axis=1)
    size = abs(K)
    if "antireflect" in case.loops()["boundary"]:  # where 2 * end - mirrored cancels
        size = size + abs(x).max() * 16
    return x, K, size.sum(axis=1), size.sum(axis=0)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_matrix_equals_the_loops_entry_by_entry(case: Case) -> None:
    for dtype in ("int64", "complex64"):
        x, matrix, *_ = loops(case, dtype)
        K = kernel_of(case, x)
        sparse = K.tosparse()
        assert sparse.dtype == dtype
        assert sparse.has_canonical_format
        np.testing.assert_allclose(sparse.toarray(), matrix, rtol=0, atol=0 if dtype == "int64" else 1e-4)
        assert not (abs(K.T.tosparse() - sparse.T)).nnz
        assert not (abs(K.H.tosparse() - sparse.conj().T)).nnz


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_products_equal_the_loops(case: Case, method: str) -> None:
    for number, dtype in enumerate(FLOATS):
        x, matrix, by_row, by_column = loops(case, dtype)
        K = kernel_of(case, x, method=method)
        w, y = weights_for(case, dtype, number), outputs_for(case, dtype, number)
        terms = sum(matrix.shape)
        forward, gradient = K(w), K.H(y)
        assert forward.dtype == gradient.dtype == dtype
        row, column = reach_of(method, by_row) * abs(w).max(), reach_of(method, by_column) * abs(y).max()
        assert_within_rounding(forward.ravel(), matrix @ w.ravel(), row, terms)
        assert_within_rounding(gradient.ravel(), matrix.conj().T @ y.ravel(), column, terms)


@given(cases(max_size=4000), st.sampled_from(METHODS), st.integers(1, 3))
def test_any_geometry_and_batch_gives_the_convolution_and_its_adjoint(
    case: Case, method: str, batch: int
) -> None:
    x = np.stack([inputs_for(case, "float64", seed) for seed in range(batch)])
    y = np.stack([outputs_for(case, "float64", seed) for seed in range(batch)])
    w = weights_for(case)
    K = kernel_of(case, x, method=method, batch_dims=1)
    np.testing.assert_allclose(K(w), conv(x, w, batch_dims=1, **case.kwargs()), atol=1e-11)
    matrix = K.toarray()
    np.testing.assert_allclose(K @ w.ravel(), matrix @ w.ravel(), atol=1e-11)
    np.testing.assert_allclose(K.H @ y.ravel(), matrix.T @ y.ravel(), atol=1e-11)


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


def test_an_extension_that_leaves_the_dtype_of_the_matrix_is_refused() -> None:
    x = np.array([100, -100, 3], dtype=np.int8)
    K = KernelOperator(x, 3, padding=1, boundary="antireflect", dtype=np.int8)
    assert K([1, 0, 0]).tolist() == [300, 100, -100]
    with pytest.raises(OverflowError, match="dtype=int8: the matrix holds 300"):
        K.tosparse()


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


def test_columns_and_stacks_of_vectors_are_multiplied_one_by_one() -> None:
    K = kernel_of(CASE, inputs_for(CASE, "complex128"))
    matrix = K.toarray()
    rng = np.random.default_rng(0)
    W, Y = rng.standard_normal((K.shape[1], 3)), rng.standard_normal((K.shape[0], 2))
    np.testing.assert_allclose(K @ W, matrix @ W, atol=1e-12)
    np.testing.assert_allclose(K.rmatmat(Y), matrix.conj().T @ Y, atol=1e-12)
    np.testing.assert_allclose(K.T.matvec(Y.T), (matrix.T @ Y).T, atol=1e-12)
    assert (K @ W[:, :0]).shape == (K.shape[0], 0)
    assert K(W.T.reshape(3, *K.input_shape)).shape == (3, *K.output_shape)


def test_the_adjoint_check_passes_by_every_method() -> None:
    for dtype in FLOATS:
        for method in METHODS:
            report = check_adjoint(kernel_of(CASE, inputs_for(CASE, dtype), method=method))
            assert report, report
    assert check_adjoint(kernel_of(CASE, inputs_for(CASE)).T, level="complete")
    assert check_adjoint(kernel_of(CASE, inputs_for(CASE, "int64")))


def test_the_transpose_of_the_transpose_is_the_operator_itself() -> None:
    K = kernel_of(CASE, inputs_for(CASE, "complex64"))
    assert K.H.H is K
    assert K.T.T is K
    assert K.H is K.H
    assert K.T.H.dtype == K.dtype
    np.testing.assert_array_equal(K.T.H.x, K.x.conj())
    real = kernel_of(CASE, inputs_for(CASE))
    assert real.T is real.H


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_pickle_and_a_copy_give_the_same_products(dtype: str) -> None:
    K = kernel_of(CASE, inputs_for(CASE, dtype))
    y = outputs_for(CASE, dtype)
    for op in (K, K.H, K.T):
        again = pickle.loads(pickle.dumps(op))
        assert (again.shape, again.dtype, again.method, again.flip) == (
            op.shape,
            op.dtype,
            op.method,
            op.flip,
        )
        v = y if op is not K else weights_for(CASE, dtype)
        np.testing.assert_array_equal(again(v), op(v))
        assert copy.copy(op) is op


def test_the_operator_keeps_a_copy_and_hands_none_of_its_memory_out() -> None:
    x = inputs_for(CASE)
    K = kernel_of(CASE, x)
    w = weights_for(CASE)
    expected = K(w)
    x[...] = 0
    K(w)[...] = 0
    assert not K.x.flags.writeable
    assert not np.may_share_memory(K.x, K.x)
    np.testing.assert_array_equal(K(w), expected)
    with pytest.raises(AttributeError, match="frozen"):
        K.x = x  # type: ignore[misc]


@pytest.mark.parametrize("method", METHODS)
def test_several_threads_get_each_their_own_product(method: str) -> None:
    K = kernel_of(CASE, inputs_for(CASE), method=method)
    outputs = [outputs_for(CASE, seed=seed) for seed in range(16)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(K.T, outputs))
    for gradient, y in zip(found, outputs, strict=True):
        np.testing.assert_allclose(gradient, K.T(y), atol=1e-12)


def test_operands_may_be_read_only_strided_or_in_the_other_byte_order() -> None:
    K = kernel_of(CASE, inputs_for(CASE))
    w = weights_for(CASE)
    wide = np.repeat(w, 2, axis=-1)[..., ::2]
    swapped = w.astype(w.dtype.newbyteorder())
    frozen = w.copy()
    frozen.flags.writeable = False
    for same in (wide, swapped, frozen, np.asfortranarray(w)):
        np.testing.assert_array_equal(K(same), K(w))


def test_both_gradients_of_the_transposed_convolution_are_kernel_operators() -> None:
    rng = np.random.default_rng(1)
    w, y, g = rng.standard_normal((4, 3, 3)), rng.standard_normal((4, 4)), rng.standard_normal((3, 9))
    B = ConvTranspose(w, y.shape, stride=2, output_shape=g.shape)
    gradient = KernelOperator(g, w.shape, stride=2).T(y)
    step = 1e-6 * rng.standard_normal(w.shape)
    moved = ConvTranspose(w + step, y.shape, stride=2, output_shape=g.shape)
    np.testing.assert_allclose(np.vdot(g, moved(y) - B(y)), np.vdot(gradient, step), rtol=1e-8)


def test_a_kernel_is_found_again_by_least_squares() -> None:
    rng = np.random.default_rng(2)
    x, w = rng.standard_normal((2, 30, 31)), rng.standard_normal((5, 4))
    y = conv(x, w, batch_dims=1, padding="same", boundary="wrap")
    K = KernelOperator(x, w.shape, batch_dims=1, padding="same", boundary="wrap")
    normal = K.gram().toarray()
    np.testing.assert_allclose(np.linalg.solve(normal, K.H @ y.ravel()), w.ravel(), rtol=1e-10)


def test_kernel_operators_combine_with_others() -> None:
    rng = np.random.default_rng(3)
    x, v = rng.standard_normal((2, 9))
    K, L = (KernelOperator(each, 3) for each in (x, v))
    np.testing.assert_allclose((K + 2 * L).toarray(), K.toarray() + 2 * L.toarray())
    np.testing.assert_allclose(vstack([K, L]).toarray(), np.vstack([K.toarray(), L.toarray()]))
    A = Conv([1.0, 2.0], K.output_shape)
    np.testing.assert_allclose((A @ K).toarray(), A.toarray() @ K.toarray(), atol=1e-14)


def test_the_method_is_that_of_the_least_cost() -> None:
    x = np.ones((256, 256))
    assert KernelOperator(x, (3, 3)).method == "gemm"
    assert KernelOperator(x, (63, 63), padding="same").method == "fft"
    assert KernelOperator(x.astype(int), (63, 63), padding="same").method == "gemm"


def test_shapes_and_repr_tell_what_goes_in_and_out() -> None:
    K = KernelOperator(np.zeros((2, 3, 8, 8)), (4, 3, 3, 3), batch_dims=1)
    assert (K.input_shape, K.output_shape, K.shape) == ((4, 3, 3, 3), (2, 4, 6, 6), (288, 108))
    assert repr(K) == (
        "<288x108 KernelOperator: input_shape (4, 3, 3, 3) -> output_shape (2, 4, 6, 6), float64>"
    )
    assert repr(K.H).startswith("<108x288 KernelTranspose: input_shape (2, 4, 6, 6)")
