"""K w is the convolution with w, for every geometry, dtype and method; Kᴴ is its adjoint."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convops import Conv, ConvTranspose, KernelOperator, check_adjoint, conv, vstack
from kernels import kernel_of, loops
from oracles import assert_within_rounding
from registry import CASES, FLOATS, Case, cases, inputs_for, outputs_for, reach_of, weights_for

METHODS = ("gemm", "fft")
CASE = Case("kernel", (4, 3, 3, 2), (6, 7, 6), (2, 1), 1, 1, 2, "reflect", True)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_products_equal_the_loops(case: Case, method: str) -> None:
    for number, dtype in enumerate(("float32", "complex128")):
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


def test_shapes_and_repr_tell_what_goes_in_and_out() -> None:
    K = KernelOperator(np.zeros((2, 3, 8, 8)), (4, 3, 3, 3), batch_dims=1)
    assert (K.input_shape, K.output_shape, K.shape) == ((4, 3, 3, 3), (2, 4, 6, 6), (288, 108))
    assert repr(K) == (
        "<288x108 KernelOperator: input_shape (4, 3, 3, 3) -> output_shape (2, 4, 6, 6), float64>"
    )
    assert repr(K.H).startswith("<108x288 KernelTranspose: input_shape (2, 4, 6, 6)")
