"""Every composite is the dense algebra of its parts, in every product, dtype and view."""

import copy
import gc
import pickle
import weakref
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from typing import Any

import numpy as np
import pytest

from composites import composites_of, pair_of, views_of
from convops import Conv, check_adjoint, identity, vstack
from oracles import Array
from registry import CASES, FLOATS, METHODS, Case

SOME = [
    case
    for case in CASES
    if case.name in ("2d groups", "1d causal, wrap", "2d boundary per axis", "2d one output", "2d same, wrap")
]
# Every case in one dtype, and with every third kind of composite, another third in the next case.
IN_TURN = [
    pytest.param(number, case, dtype, id=f"{case}-{dtype}")
    for number, (case, dtype) in enumerate(
        zip(CASES, cycle(("float32", "complex128", "int64", "complex64")), strict=False)
    )
]
ONE = next(case for case in CASES if case.name == "2d groups")


def operand(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> Array:
    rng = np.random.default_rng(seed)
    if np.dtype(dtype).kind == "i":
        return rng.integers(-9, 10, shape).astype(dtype)
    x = rng.standard_normal(shape)
    return (x + 1j * rng.standard_normal(shape) if np.dtype(dtype).kind == "c" else x).astype(dtype)


def assert_close(found: Array, expected: Array, scale: Any) -> None:
    """Integers are equal; of the rest no entry is off by more than a rounding of what it adds up."""
    assert found.shape == expected.shape
    if found.dtype.kind == "i":
        np.testing.assert_array_equal(found, expected)
        return
    error = np.abs(found - expected)
    assert (error <= 2000 * np.finfo(found.dtype).eps * np.max(scale)).all()


def assert_is_matrix(op: Any, matrix: Array) -> None:
    """Hold every product against the dense one."""
    assert op.shape == matrix.shape
    rows, columns = matrix.shape
    dtype = op.dtype
    X, Y = operand((columns, 3), dtype), operand((rows, 3), dtype, 1)
    size = np.abs(matrix).sum(axis=1).max() * 30, np.abs(matrix).sum(axis=0).max() * 30
    for found, expected, scale in (
        (op @ X[:, 0], matrix @ X[:, 0], size[0]),
        (op.matvec(X[:, :1]), matrix @ X[:, :1], size[0]),
        (op.rmatvec(Y[:, 0]), matrix.conj().T @ Y[:, 0], size[1]),
        (op.matmat(X), matrix @ X, size[0]),
        (op @ X, matrix @ X, size[0]),
        (op.rmatmat(Y), matrix.conj().T @ Y, size[1]),
        (op.matvec(X.T), (matrix @ X).T, size[0]),
        (op @ np.stack([X, 2 * X]), matrix @ np.stack([X, 2 * X]), 2 * size[0]),
        (Y[:, 0] @ op, Y[:, 0] @ matrix, size[1]),
        (Y.T @ op, Y.T @ matrix, size[1]),
        (op(X.T.reshape(3, *op.input_shape)).reshape(3, rows), (matrix @ X).T, size[0]),
        (op(X[:, 0].reshape(op.input_shape)).ravel(), matrix @ X[:, 0], size[0]),
    ):
        assert found.dtype == dtype
        assert_close(found, expected, scale)


@pytest.mark.parametrize("dtype", [*FLOATS, "int64", "int8"])
@pytest.mark.parametrize("case", SOME, ids=str)
def test_every_product_of_every_composite_is_that_of_the_dense_algebra(case: Case, dtype: str) -> None:
    for name, op, matrix in composites_of(case, dtype):
        assert op.dtype == (np.int64 if dtype == "int8" else dtype), name
        for _, view, expected in views_of(op, matrix):
            assert_is_matrix(view, expected)


@pytest.mark.parametrize(("number", "case", "dtype"), IN_TURN)
def test_the_matrix_of_a_composite_is_that_of_the_dense_algebra(number: int, case: Case, dtype: str) -> None:
    for name, op, matrix in islice(composites_of(case, dtype), number % 3, None, 3):
        for _, view, expected in views_of(op, matrix):
            W = view.tosparse()
            assert (W.format, W.dtype, W.shape) == ("csr", op.dtype, expected.shape), name
            assert W.has_canonical_format
            assert (np.diff(W.indices)[np.setdiff1d(np.arange(W.nnz - 1), W.indptr[1:-1] - 1)] > 0).all()
            assert_close(W.toarray(), expected, np.abs(expected).max() + 1)
            np.testing.assert_array_equal(view.toarray(), W.toarray())


@pytest.mark.parametrize(("number", "case", "dtype"), IN_TURN)
def test_the_adjoint_of_every_composite_passes_the_check(number: int, case: Case, dtype: str) -> None:
    for _, op, _ in islice(composites_of(case, dtype), number % 3, None, 3):
        report = check_adjoint(op)
        assert report, report


@pytest.mark.parametrize("method", METHODS)
def test_composites_go_with_every_method(method: str) -> None:
    case = next(case for case in CASES if case.name == "2d same, wrap")
    if method == "separable":
        A = Conv(np.outer([1.0, 2, 1], [1, 0, 3]), (5, 4), padding=1, method=method)
        V = A.toarray()
        assert_is_matrix(A.gram(), V.T @ V)
        assert_is_matrix(vstack([A, 2 * A]), np.vstack([V, 2 * V]))
        return
    for _, op, matrix in composites_of(case, "float64", method):
        assert_is_matrix(op, matrix)


@pytest.mark.parametrize("operand_dtype", ["int8", "uint64", "float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("own", ["int64", *FLOATS])
def test_a_product_has_the_dtype_that_numpy_gives_it(own: str, operand_dtype: str) -> None:
    integers = own == "int64" and operand_dtype in ("int8", "uint64")
    for name, op, matrix in composites_of(ONE, own):
        x = (np.arange(op.shape[1]) % 7).astype(operand_dtype)
        y = op @ x
        assert y.dtype == (np.int64 if integers else np.result_type(op.dtype, x.dtype)), name
        assert_close(y, matrix @ x.astype(y.dtype), np.abs(matrix).sum(axis=1).max() * 7)


def test_float32_is_multiplied_by_a_wide_scalar_in_its_width() -> None:
    A = np.float64(1 / 3) * Conv(np.float32([0.1, 0.7]), 5)
    x = np.random.default_rng(0).standard_normal(5).astype(np.float32)
    exact = Conv(np.float32([0.1, 0.7]), 5).toarray().astype(float) @ x.astype(float) / 3
    np.testing.assert_allclose(A @ x, exact, rtol=1e-14)


@pytest.mark.parametrize("batch", [(), (1,), (4,), (2, 3), (0,), (2, 0)], ids=str)
def test_arrays_have_any_batch_axes(batch: tuple[int, ...]) -> None:
    for _, op, matrix in composites_of(ONE, "float64"):
        x = operand((*batch, *op.input_shape), "float64")
        y = op(x)
        assert y.shape == (*batch, *op.output_shape)
        for place in np.ndindex(*batch):
            assert_close(y[place].ravel(), matrix @ x[place].ravel(), 1e3 * np.abs(matrix).max())


def test_a_batch_goes_through_the_parts_in_one_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    A, B, *_ = pair_of(ONE, "float64")
    calls = []
    inner = Conv.matvec
    monkeypatch.setattr(Conv, "matvec", lambda self, x: calls.append(np.shape(x)) or inner(self, x))
    (A + 2 * B)(np.ones((7, *A.input_shape)))
    assert calls == [(7, A.shape[1])] * 2


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_the_adjoint_of_the_adjoint_is_the_operator_itself(dtype: str) -> None:
    for name, op, _ in composites_of(ONE, dtype):
        assert op.H.H is op, name
        assert op.T.T is op, name
        H = op.H
        assert op.H is H, name
        assert (op.T is H) == (dtype == "float32" or (H is op and op.T is op)), name


def test_an_operator_and_its_adjoint_are_no_reference_cycle() -> None:
    A, B, *_ = pair_of(ONE, "complex128")
    gc.collect()
    gc.disable()
    try:
        op = A + 2 * B
        H = op.H
        watched = weakref.ref(op)
        del op
        assert watched() is not None  # the adjoint holds what it came from
        del H
        assert watched() is None
    finally:
        gc.enable()


@pytest.mark.parametrize("dtype", ["float32", "complex128", "int64"])
def test_pickles_and_copies_are_the_same_operator(dtype: str) -> None:
    for _, op, _ in composites_of(ONE, dtype):
        op @ np.ones(op.shape[1])
        for view in (op, op.T, op.H):
            for again in (pickle.loads(pickle.dumps(view)), copy.copy(view), copy.deepcopy(view)):
                assert type(again) is type(view)
                assert repr(again) == repr(view)
                assert (again.dtype, again.input_shape, again.output_shape) == (
                    view.dtype,
                    view.input_shape,
                    view.output_shape,
                )
                np.testing.assert_array_equal(again.toarray(), view.toarray())
                assert again.H.H is again
                with pytest.raises(AttributeError, match="frozen"):
                    again.dtype = "float32"


def test_a_composite_cannot_be_changed() -> None:
    for _, op, _ in composites_of(ONE, "float64"):
        for name in ("dtype", "parts", "input_shape", "anything"):
            with pytest.raises(AttributeError, match=rf"{name} of a {type(op).__name__} cannot be set"):
                setattr(op, name, None)
        with pytest.raises(AttributeError, match="cannot be deleted: operators are frozen"):
            del op.shape


@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_nothing_that_is_returned_shares_memory_with_anything(dtype: str) -> None:
    for name, op, _ in composites_of(ONE, dtype):
        x = operand(op.input_shape, dtype)
        x.flags.writeable = False
        before = x.copy()
        first, second = op(x), op(x)
        assert not np.shares_memory(first, x), name
        assert not np.shares_memory(first, second), name
        kept = second.copy()
        first[...] = 0
        np.testing.assert_array_equal(op(x), kept)
        np.testing.assert_array_equal(x, before)
        assert not np.shares_memory(op.matmat(x.reshape(-1, 1)), x)


def test_threads_share_a_composite() -> None:
    for name, op, _ in composites_of(ONE, "float64"):
        xs = [operand((op.shape[1],), "float64", seed) for seed in range(8)]
        alone = [op @ x for x in xs]
        with ThreadPoolExecutor(4) as pool:
            together = list(pool.map(lambda x, op=op: (op @ x, op.H, op @ x)[2], xs * 4))
        for found, expected in zip(together, alone * 4, strict=True):
            np.testing.assert_array_equal(found, expected, err_msg=name)


def test_repr_shows_the_expression_in_one_line() -> None:
    A = Conv([[1.0, 2], [3, 4]], (3, 3))
    for op, text in (
        (
            A - 3 * A,
            "<4x9 Sum: Conv[4x9] - 3.0 * Conv[4x9], input_shape (3, 3) -> output_shape (2, 2), float64>",
        ),
        ((A + A) @ A.H, "<4x4 Product: (Conv[4x9] + Conv[4x9]) @ ConvTranspose[9x4], "),
        ((A.H @ A) ** 2, "<9x9 Power: (ConvTranspose[9x4] @ Conv[4x9]) ** 2, "),
        (-(A + A), "<4x9 Scaled: -(Conv[4x9] + Conv[4x9]), "),
        (A.gram(), "<9x9 Gram: ConvTranspose[9x4] @ Conv[4x9], "),
        (vstack([A, 0.5 * A]), "<8x9 VStack: vstack([Conv[4x9], 0.5 * Conv[4x9]]), "),
        (identity((2, 3)), "<6x6 Identity: identity((2, 3)), "),
        (
            vstack([A] * 30),
            "<120x9 VStack: vstack([Conv[4x9], Conv[4x9], Conv[4x9], …, Conv[4x9], Conv[4x9]]), ",
        ),
    ):
        assert repr(op).startswith(text)
        assert "\n" not in repr(op)
