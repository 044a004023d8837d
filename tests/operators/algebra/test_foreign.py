"""Operators of other packages as parts of a composite."""

from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from convops import Conv, block_diag, check_adjoint, hstack, identity, vstack
from oracles import Array

A = Conv([[1.0, 2], [3, 4]], (3, 3), padding="same")
RNG = np.random.default_rng(0)
M = RNG.standard_normal((9, 9)) + 1j * RNG.standard_normal((9, 9))


class Counting(LinearOperator):
    """Counts its calls, hands out a buffer of its own, and knows matvec, rmatvec, matmat and rmatmat."""

    def __init__(self, matrix: Array) -> None:
        super().__init__(matrix.dtype, matrix.shape)
        self.matrix = matrix
        self.calls: list[str] = []
        self.buffer = np.zeros(matrix.shape[0], matrix.dtype)

    def _matvec(self, x: Array) -> Array:
        self.calls.append("matvec")
        self.buffer[:] = self.matrix @ x.ravel()
        return self.buffer

    def _rmatvec(self, x: Array) -> Array:
        self.calls.append("rmatvec")
        return self.matrix.conj().T @ x

    def _matmat(self, X: Array) -> Array:
        self.calls.append("matmat")
        return self.matrix @ X

    def _rmatmat(self, X: Array) -> Array:
        self.calls.append("rmatmat")
        return self.matrix.conj().T @ X


class Duck:
    """No LinearOperator, but with what one has, as PyLops' operators are; no matmat."""

    shape, dtype, dims, dimsd = (9, 9), np.dtype(complex), (3, 3), (3, 3)

    def matvec(self, x: Array) -> Array:
        return M @ x

    def rmatvec(self, x: Array) -> Array:
        return M.conj().T @ x


def test_a_batch_is_one_product_of_a_foreign_operator() -> None:
    op = Counting(M)
    S = A + op
    S(np.ones((4, 3, 3))), S.H(np.ones((4, 3, 3))), S.matmat(np.ones((9, 5))), S @ np.ones(9)
    assert op.calls == ["matmat", "rmatmat", "matmat", "matvec"]


@pytest.mark.parametrize(
    "op",
    [Counting(M), Duck(), aslinearoperator(M), aslinearoperator(csr_array(M))],
    ids=lambda o: type(o).__name__,
)
def test_a_foreign_operator_has_all_its_views_and_products(op: Any) -> None:
    W, X = A.toarray(), RNG.standard_normal((9, 4))
    for composite, matrix in ((A @ op, W @ M), (A + op, W + M), (vstack([op]), M), (hstack([op]).T, M.T)):
        for view, expected in (
            (composite, matrix),
            (composite.T, matrix.T),
            (composite.H, matrix.conj().T),
            (composite.T.H, matrix.conj()),
        ):
            np.testing.assert_allclose(view @ X, expected @ X, atol=1e-12)
            np.testing.assert_allclose(view.rmatmat(X), expected.conj().T @ X, atol=1e-12)
            np.testing.assert_allclose(view.matvec(X.T), (expected @ X).T, atol=1e-12)
            np.testing.assert_allclose(view @ X[:, 0], expected @ X[:, 0], atol=1e-12)
            assert (view.matvec(np.ones((0, 9)))).shape == (0, 9)
        assert check_adjoint(composite)
    assert (A @ op).input_shape == ((3, 3) if isinstance(op, Duck) else (9,))


def test_a_buffer_and_the_input_itself_are_never_handed_on() -> None:
    buffered, passing = (
        Counting(M),
        LinearOperator((9, 9), matvec=lambda x: x, rmatvec=lambda x: x, dtype=float),
    )
    for op in (buffered, passing):
        for composite in (hstack([op]), 2 * hstack([op]), block_diag([op]), hstack([op]) + identity(9)):
            x = RNG.standard_normal(9)
            before = x.copy()
            first = composite @ x
            kept = first.copy()
            assert not np.shares_memory(first, x)
            composite @ np.zeros(9)
            np.testing.assert_array_equal(first, kept)
            np.testing.assert_array_equal(x, before)


def test_a_foreign_operator_on_the_left_makes_a_composite_of_its_own_package() -> None:
    S = aslinearoperator(M)
    for composite, matrix in ((S @ A, M @ A.toarray()), (S + A, M + A.toarray()), (S - A, M - A.toarray())):
        assert not hasattr(composite, "input_shape")
        np.testing.assert_allclose(composite @ np.eye(9), matrix)
        np.testing.assert_allclose(composite.H @ np.eye(9), matrix.conj().T)
    ours = identity(9) @ S @ A
    assert ours.input_shape == (3, 3)
    np.testing.assert_allclose(ours.toarray(), M @ A.toarray())


def test_integers_of_a_foreign_matrix_are_exact_in_int64_or_refused() -> None:
    B = aslinearoperator(np.array([[100, 100], [1, -1]], np.int8))
    op = identity(2, np.int8) @ B
    assert op.dtype == np.int64
    np.testing.assert_array_equal(op @ np.array([100, 100], np.int8), [20000, 0])
    np.testing.assert_array_equal((op @ B).toarray(), [[10100, 9900], [99, 101]])
    with pytest.raises(OverflowError, match=r"Foreign.*multiplies them by up to 200|multiplies by up to 200"):
        op @ np.array([2**60, 1])


def test_an_operator_that_says_real_and_returns_complex_is_named() -> None:
    liar = LinearOperator((2, 2), matvec=lambda x: 1j * x, rmatvec=lambda x: x, dtype=float)
    with pytest.raises(TypeError, match=r"_CustomLinearOperator.*returned complex128 .*its dtype is float64"):
        vstack([liar]) @ np.ones(2)


@pytest.mark.parametrize("side", ["left", "right"])
def test_operators_of_pylops_know_their_shapes(side: str) -> None:
    pylops = pytest.importorskip("pylops")
    P = pylops.FirstDerivative((3, 3), axis=0)
    W, D = A.toarray(), np.array([P.matvec(row) for row in np.eye(9)]).T
    composites = [(A @ P, W @ D), (A + P, W + D), (vstack([A, P]), np.vstack([W, D]))]
    if side == "left":
        for composite, matrix in ((P @ A, D @ W), (P + A, D + W)):
            np.testing.assert_allclose(composite.matvec(np.arange(9.0)), matrix @ np.arange(9))
        composites = [(identity((3, 3)) @ P @ A, D @ W)]
    for composite, matrix in composites:
        assert composite.input_shape == (3, 3)
        np.testing.assert_allclose(composite.toarray(), matrix, atol=1e-15)
        np.testing.assert_allclose(composite.H @ np.eye(len(matrix)), matrix.T, atol=1e-15)
        assert check_adjoint(composite)
