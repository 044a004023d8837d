"""The contract that `Conv` and `ConvTranspose` have with SciPy, and with their users."""

import copy
import pickle

import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator, aslinearoperator, lsmr

from convops import Conv, ConvTranspose
from registry import CASES, FLOATS, Case, weights_for

METHODS = ("sparse", "gemm")
SOME = [case for case in CASES if case.name in ("2d groups", "1d causal, wrap", "3d boundary per axis")]


def operators_of(case: Case, dtype: str = "float64", method: str = "auto") -> tuple[Conv, ConvTranspose]:
    weight = weights_for(case, dtype)
    return (
        Conv(weight, case.input_shape, **case.kwargs(), method=method),
        ConvTranspose(weight, case.output_shape, **case.transposed_kwargs(), method=method),
    )


def rounding(dtype: str) -> dict[str, float]:
    return {"rtol": 100 * np.finfo(dtype).eps, "atol": 100 * np.finfo(dtype).eps}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("case", SOME, ids=str)
def test_every_product_of_the_contract_is_the_product_with_the_matrix(
    case: Case, dtype: str, method: str
) -> None:
    rng = np.random.default_rng(0)
    for A in operators_of(case, dtype, method):
        W = A.toarray()
        X, Y = (rng.standard_normal((size, 3)).astype(dtype) for size in A.shape[::-1])
        close = rounding(dtype)
        np.testing.assert_allclose(A.matmat(X), W @ X, **close)
        np.testing.assert_allclose(A.rmatmat(Y), W.conj().T @ Y, **close)
        np.testing.assert_allclose(A @ X, W @ X, **close)
        np.testing.assert_allclose(A.dot(X[:, 0]), W @ X[:, 0], **close)
        np.testing.assert_allclose(A.matvec(X[:, 0]), W @ X[:, 0], **close)
        np.testing.assert_allclose(A.matvec(X[:, :1]), W @ X[:, :1], **close)
        np.testing.assert_allclose(A.rmatvec(Y[:, :1]), W.conj().T @ Y[:, :1], **close)
        np.testing.assert_allclose(A.matvec(X.T), (W @ X).T, **close)
        np.testing.assert_allclose(Y[:, 0] @ A, Y[:, 0] @ W, **close)
        np.testing.assert_allclose(Y.T @ A, Y.T @ W, **close)
        np.testing.assert_allclose(A @ np.stack([X, 2 * X]), W @ np.stack([X, 2 * X]), **close)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("case", SOME, ids=str)
def test_composites_know_products_and_adjoints(case: Case, dtype: str) -> None:
    A, B = operators_of(case, dtype)
    W, scale = A.toarray(), 2.5 if dtype == "float64" else 2 - 1j
    identity = aslinearoperator(np.eye(A.shape[1], dtype=dtype))
    for composite, expected in [
        (scale * A, scale * W),
        (A + A, 2 * W),
        (A - 2 * A, -W),
        (B @ A, W.T @ W),
        (A.H @ A, W.conj().T @ W),
        (A * identity, W),
        ((A.H @ A) ** 2, (W.conj().T @ W) @ (W.conj().T @ W)),
        (-A, -W),
    ]:
        rows, columns = expected.shape
        np.testing.assert_allclose(composite @ np.eye(columns, dtype=dtype), expected, atol=1e-9)
        np.testing.assert_allclose(composite.H @ np.eye(rows, dtype=dtype), expected.conj().T, atol=1e-9)


@pytest.mark.parametrize("shape", [(), (1,), (4,), (2, 3), (0,), (2, 0)], ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_an_operator_applies_to_arrays_with_any_batch_axes(method: str, shape: tuple[int, ...]) -> None:
    for case in SOME:
        for A in operators_of(case, method=method):
            x = np.random.default_rng(1).standard_normal((*shape, *A.input_shape))
            y = A(x)
            assert y.shape == (*shape, *A.output_shape)
            for place in np.ndindex(*shape):
                expected = (A.toarray() @ x[place].ravel()).reshape(A.output_shape)
                np.testing.assert_allclose(y[place], expected, **rounding("float64"))


@pytest.mark.parametrize("operand", ["int8", "uint64", "float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("own", ["int64", *FLOATS])
@pytest.mark.parametrize("method", METHODS)
def test_a_product_has_the_dtype_and_the_value_of_numpy(own: str, operand: str, method: str) -> None:
    case = SOME[0]
    integers = np.dtype(own).kind == np.dtype(operand).kind == "i" or (own, operand) == ("int64", "uint64")
    for A in operators_of(case, own, method):
        x = np.arange(A.shape[1], dtype=operand)
        y = A @ x
        assert y.dtype == (np.int64 if integers else np.result_type(A.dtype, x.dtype))
        scale = np.abs(A.toarray()) @ np.abs(x)
        assert (np.abs(y - A.toarray() @ x.astype(y.dtype)) <= 64 * np.finfo("float32").eps * scale).all()


def test_a_complex_operand_stays_complex_through_a_real_operator() -> None:
    A = Conv([1.0, 2.0, 3.0], 8, padding=1)
    x = np.arange(8) + 1j * np.arange(8)[::-1]
    np.testing.assert_allclose(A @ x, A @ x.real + 1j * (A @ x.imag))
    assert (A @ x.astype(np.complex64)).dtype == np.complex128
    assert (Conv(np.float32([1, 2]), 8) @ x.astype(np.complex64)).dtype == np.complex64


def test_a_solver_that_knows_products_alone_inverts_it() -> None:
    A = Conv(
        np.array([[0, 1, 0], [1, 8, 1], [0, 1, 0]], float), (12, 9), padding="same", boundary="symmetric"
    )
    x = np.random.default_rng(2).standard_normal(A.input_shape)
    solution = lsmr(A, A(x).ravel(), atol=1e-14, btol=1e-14)[0]
    np.testing.assert_allclose(solution, x.ravel(), atol=1e-10)


def test_an_operator_cannot_be_changed() -> None:
    A = Conv([1.0, 2.0], 5)
    for name in ("dtype", "shape", "anything"):
        with pytest.raises(AttributeError, match=rf"{name} of a Conv cannot be set: operators are frozen"):
            setattr(A, name, None)
    with pytest.raises(AttributeError, match="shape of a Conv cannot be deleted"):
        del A.shape
    with pytest.raises(ValueError, match="read-only"):
        A.weight[0] = 3
    assert not np.shares_memory(A.weight, A.weight)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["float32", "complex128", "int64"])
def test_an_operator_survives_pickle_and_copy(dtype: str, method: str) -> None:
    for A in operators_of(SOME[0], dtype, method):
        for operator in (A, A.H, A.T):
            for again in (pickle.loads(pickle.dumps(operator)), copy.copy(operator), copy.deepcopy(operator)):
                assert type(again) is type(operator)
                assert (again.geometry, again.dtype, again.method) == (A.geometry, A.dtype, method)
                np.testing.assert_array_equal(again.toarray(), operator.toarray())
                assert again.H.H is again


def test_repr_names_shapes_and_dtype() -> None:
    A = Conv(np.ones((4, 3, 2), np.float32), (3, 8), stride=2)
    assert repr(A) == "<16x24 Conv: input_shape (3, 8) -> output_shape (4, 4), float32>"
    assert repr(A.T) == "<24x16 ConvTranspose: input_shape (4, 4) -> output_shape (3, 8), float32>"
    assert isinstance(A, LinearOperator)


@pytest.mark.parametrize("batch", [(), (5,)], ids=str)
def test_an_image_with_its_channels_last_is_told_how_to_move_them(batch: tuple[int, ...]) -> None:
    A = Conv(np.ones((8, 3, 3, 3)), (3, 20, 30))
    x = np.ones((*batch, 20, 30, 3))
    with pytest.raises(ValueError, match=rf"channels come first: give np\.moveaxis\(x, -1, {len(batch)}\)\."):
        A(x)
    assert A(np.moveaxis(x, -1, len(batch))).shape == (*batch, 8, 18, 28)
