"""With `channel_axis` an operator is the one with the channels first, or one for each, its arrays moved."""

import pickle
from math import prod
from typing import Any

import numpy as np
import pytest

import convops
from convops import Conv, ConvTranspose, KernelOperator, check_adjoint, conv, conv_matrix, conv_transpose
from oracles import Array
from registry import CASES, METHODS, Case, matrix_of, weights_for

CHANNELS = 2
"""How many share the kernel of a case without channels."""
Shape = tuple[int, ...]


def first(case: Case, sizes: Shape) -> Shape:
    """Shape of an array with its channels first."""
    return sizes if case.has_channels else (CHANNELS, *sizes)


def moved(shape: Shape, axis: int) -> Shape:
    return tuple(np.moveaxis(np.empty(shape, np.int8), 0, axis).shape)


def order(shape: Shape, axis: int) -> Array:
    """Which element, channels first, each element of the moved array is."""
    return np.moveaxis(np.arange(prod(shape)).reshape(shape), 0, axis).ravel()


def expected(case: Case, weight: Array, axis: int) -> Array:
    """Dense W, by the definition."""
    W = matrix_of(case, weight)
    if not case.has_channels:
        W = np.kron(np.eye(CHANNELS, dtype=W.dtype), W)
    rows, columns = (order(first(case, sizes), axis) for sizes in (case.output_shape, case.input_shape))
    return W[np.ix_(rows, columns)]


def shapes(case: Case, axis: int) -> tuple[Shape, Shape]:
    """Shapes of what W reads and returns."""
    x, y = (moved(first(case, sizes), axis) for sizes in (case.input_shape, case.output_shape))
    return x, y


def placed() -> list[Any]:
    """Each case with its channels last, and with a kernel for all of them also first and between."""
    chosen = []
    for number, case in enumerate(CASES):
        axes = len(case.kernel)
        middle = number % (axes + 1)
        places = {axes, middle} if case.has_channels is False or middle else {axes}
        chosen += [pytest.param(case, axis, id=f"{case}-{axis}") for axis in sorted(places)]
    return chosen


def random(shape: Shape, dtype: Any, seed: int = 3) -> Array:
    values = np.random.default_rng(seed).integers(-9, 10, (2, *shape))
    return values[0] + 1j * values[1] if np.dtype(dtype).kind == "c" else values[0].astype(dtype)


@pytest.mark.parametrize(("case", "axis"), placed())
def test_the_matrix_is_that_of_the_definition_with_rows_and_columns_moved(case: Case, axis: int) -> None:
    dtype = ("int64", "float64", "complex128")[axis % 3]
    weight = weights_for(case, dtype)
    inside, outside = shapes(case, axis)
    wanted = expected(case, weight, axis)
    W = conv_matrix(weight, inside, channel_axis=axis, **case.kwargs())
    assert W.has_canonical_format
    np.testing.assert_allclose(W.toarray(), wanted, rtol=1e-13, atol=1e-13)
    A = Conv(weight, inside, channel_axis=axis - len(inside), **case.kwargs())
    assert (A.input_shape, A.output_shape, A.channel_axis) == (inside, outside, axis)
    assert np.array_equal(A.weight, weight)
    assert (A.tosparse() != W).nnz == 0
    assert abs(A.H.tosparse() - W.T.conj()).sum() == 0
    x, y = random(inside, dtype), random(outside, dtype, 4)
    np.testing.assert_allclose(A(x).ravel(), wanted @ x.ravel(), rtol=1e-12, atol=1e-11)
    np.testing.assert_allclose(A.H(y).ravel(), wanted.conj().T @ y.ravel(), rtol=1e-12, atol=1e-11)
    B = ConvTranspose(weight, outside, channel_axis=axis, output_shape=inside, **case.kwargs())
    assert (B.input_shape, B.output_shape, B.channel_axis) == (outside, inside, axis)
    np.testing.assert_allclose(B.toarray(), wanted.T, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(("case", "axis"), placed()[::3])
def test_what_is_known_of_the_matrix_is_true_of_it(case: Case, axis: int) -> None:
    A = Conv(weights_for(case), shapes(case, axis)[0], channel_axis=axis, **case.kwargs())
    W = A.toarray()
    for op, matrix in ((A, W), (A.T, W.T)):
        wanted = {
            "row_sums": matrix.sum(axis=1),
            "column_sums": matrix.sum(axis=0),
            "row_norms": np.linalg.norm(matrix, axis=1),
            "column_norms": np.linalg.norm(matrix, axis=0),
            "unread": (op.tosparse().astype(bool).sum(axis=0) == 0),
            "diagonal": matrix.diagonal(),
        }
        for name, values in wanted.items():
            np.testing.assert_allclose(getattr(op, name)().ravel(), values, atol=1e-12, err_msg=name)
        assert op.column_norms().shape == op.input_shape
        assert op.nnz == op.tosparse().nnz
    if W.shape[0] == W.shape[1]:
        np.testing.assert_allclose(A.trace(), np.trace(W), atol=1e-12)
    np.testing.assert_allclose(A.gram().toarray(), W.T @ W, atol=1e-11)
    y = random(A.input_shape, "float64")
    np.testing.assert_allclose(A.gram()(y).ravel(), W.T @ (W @ y.ravel()), atol=1e-9)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("dtype", ["float32", "complex64", "float64"])
def test_every_method_applies_it_to_batches_in_its_precision(method: str, axis: int, dtype: str) -> None:
    kernel = np.outer([1, 2, 1], [1, 0, -1]).astype(dtype)
    shape = moved((3, 6, 7), axis)
    A = Conv(kernel, shape, padding=1, boundary="reflect", channel_axis=axis, method=method)
    assert A.method == method
    x = random((2, 5, *shape), dtype).astype(dtype)
    y = A(x)
    assert y.dtype == A.H(y).dtype == dtype
    assert y.flags.c_contiguous
    np.testing.assert_allclose(y.reshape(10, -1), x.reshape(10, -1) @ A.toarray().T, atol=1e-4)
    columns = x.reshape(10, -1).T
    np.testing.assert_allclose(A @ columns, y.reshape(10, -1).T, atol=1e-4)
    np.testing.assert_allclose(A.rmatmat(A @ columns), A.toarray().conj().T @ (A @ columns), atol=1e-2)
    assert A(x[:, :0]).shape == (2, 0, *shape)


def test_one_shot_functions_take_the_axis_within_an_item() -> None:
    x, kernel = random((4, 6, 7, 3), "int64"), random((2, 3), "int64")
    each = np.stack([[conv(item[..., c], kernel) for c in range(3)] for item in x])
    wanted = np.moveaxis(each, 1, -1)
    assert np.array_equal(conv(x, kernel, batch_dims=1, channel_axis=-1), wanted)
    assert np.array_equal(conv(x, kernel, batch_dims=1, channel_axis=2), wanted)
    weight = random((5, 3, 2, 3), "int64")
    y = conv(x, weight, batch_dims=1, channel_axis=-1)
    assert np.array_equal(np.moveaxis(y, -1, 1), conv(np.moveaxis(x, -1, 1), weight, batch_dims=1))
    back = conv_transpose(y, weight, batch_dims=1, channel_axis=-1, stride=2)
    first_ = conv_transpose(np.moveaxis(y, -1, 1), weight, batch_dims=1, stride=2)
    assert np.array_equal(np.moveaxis(back, -1, 1), first_)


@pytest.mark.parametrize("shape", [(3, 9, 8), (9, 3, 8), (9, 8, 3)])
def test_a_transpose_chooses_its_size_with_and_without_the_channels(shape: Shape) -> None:
    axis = shape.index(3)
    for weight, channels in ((np.ones((3, 3)), 3), (np.ones((3, 5, 3, 3)), 5)):
        B = ConvTranspose(weight, shape, stride=2, output_padding=1, channel_axis=axis)
        wanted = [20, 18]
        wanted.insert(axis, channels)
        assert B.output_shape == tuple(wanted)
        for size in ((20, 18), B.output_shape):
            C = ConvTranspose(weight, shape, stride=2, output_shape=size, channel_axis=axis)
            assert C.output_shape == B.output_shape


@pytest.mark.parametrize(("case", "axis"), placed()[::4])
def test_the_kernel_operator_is_the_same_convolution_of_the_weight(case: Case, axis: int) -> None:
    inside, outside = shapes(case, axis)
    weight = weights_for(case, "int64")
    for batch in ((), (2,)):
        x = random((*batch, *inside), "int64")
        K = KernelOperator(x, weight.shape, batch_dims=len(batch), channel_axis=axis, **case.kwargs())
        A = Conv(weight, inside, channel_axis=axis, **case.kwargs())
        assert (K.input_shape, K.output_shape, K.channel_axis) == (weight.shape, (*batch, *outside), axis)
        assert np.array_equal(K(weight), A(x))
        assert np.array_equal(K.tosparse() @ weight.ravel(), A(x).ravel())
        assert K.tosparse().has_canonical_format
        y = random((*batch, *outside), "int64", 5)
        assert np.array_equal(K.H(y).ravel(), K.toarray().T @ y.ravel())
        assert np.array_equal(K.x, x)


@pytest.mark.parametrize("weight", [np.arange(1.0, 10).reshape(3, 3), np.arange(54.0).reshape(2, 3, 3, 3)])
def test_it_survives_a_pickle_and_passes_its_own_check(weight: Array) -> None:
    A = Conv(weight, (6, 5, 3), padding="same", boundary="wrap", channel_axis=-1, method="gemm")
    K = KernelOperator(np.ones((6, 5, 3)), weight.shape, channel_axis=-1)
    for op in (A, A.T, A.H, K, K.H):
        again = pickle.loads(pickle.dumps(op))
        assert repr(again) == repr(op)
        assert again.channel_axis == 2
        assert np.array_equal(again.toarray(), op.toarray())
        assert check_adjoint(op).passed
    assert A.H.H is A
    assert pickle.loads(pickle.dumps(A)).method == "gemm"


def test_channels_first_by_name_are_channels_first_by_default() -> None:
    weight = np.ones((2, 3, 3, 3))
    by_name, by_default = Conv(weight, (3, 8, 9), channel_axis=0), Conv(weight, (3, 8, 9))
    assert by_name.channel_axis == by_default.channel_axis == 0
    assert (by_name.tosparse() != by_default.tosparse()).nnz == 0
    assert Conv(np.ones((3, 3)), (8, 9)).channel_axis is None


def test_what_explains_the_method_says_that_channels_share_it() -> None:
    A = Conv(np.ones((5, 5)), (512, 512, 3), channel_axis=-1)
    assert A.explain().endswith("the costs are those of one channel, of 3 that share the kernel")
    assert A.method == Conv(np.ones((5, 5)), (512, 512)).method
    assert A.method in A.explain().splitlines()[0]


def test_a_smaller_operator_of_a_report_keeps_the_layout() -> None:
    A = Conv(np.arange(1.0, 55).reshape(2, 3, 3, 3), (6, 7, 3), padding=1, stride=2, channel_axis=-1)
    smaller = list(A._convops_smaller())
    assert len(smaller) > 5
    for op in smaller:
        assert op.channel_axis == 2
        x = random(op.input_shape, "float64")
        np.testing.assert_allclose(op(x).ravel(), op.toarray() @ x.ravel(), atol=1e-9)


def test_integers_beyond_float64_stay_exact() -> None:
    A = Conv([2**40 + 1, 1], (4, 2), channel_axis=1, method="gemm")
    x = np.array([[2**20 + 1, 3], [5, 7], [11, 13], [17, 19]])
    wanted = (2**40 + 1) * x[:-1].astype(object) + x[1:]
    assert A(x).tolist() == wanted.tolist()
    with pytest.raises(OverflowError, match="int64"):
        A(np.full((4, 2), 2**30))


def test_the_shapes_of_an_image_need_no_transposing() -> None:
    image = random((12, 10, 3), "float64")
    A = Conv(np.full((3, 3), 1 / 9), image.shape, channel_axis=-1, padding="same", boundary="symmetric")
    for colour in range(3):
        one = Conv(np.full((3, 3), 1 / 9), (12, 10), padding="same", boundary="symmetric")
        np.testing.assert_allclose(A(image)[..., colour], one(image[..., colour]), rtol=1e-14, atol=1e-14)
    assert convops.tikhonov(A, A(image), 1e-3).shape == image.shape
