"""Operators with a chosen adjoint, right or wrong, for the tests of the adjoint check."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.linalg import LinearOperator

from convops import AdjointReport, Conv
from convops.adjoint.pair import Pair, pair_of
from convops.adjoint.samples import Samples

Array = np.ndarray[Any, Any]

IMAGE = (12, 11)


ROWS, COLUMNS = 72, 66


def matrix_of(dtype: Any, rows: int = ROWS, columns: int = COLUMNS, seed: int = 0) -> Array:
    """Return a dense matrix without structure: normal values, or integers up to 9."""
    rng = np.random.default_rng([seed, rows, columns])
    if np.dtype(dtype).kind in "iu":
        return rng.integers(1, 10, (rows, columns)) * rng.choice([-1, 1], (rows, columns))
    W = rng.standard_normal((rows, columns))
    return (W + 1j * rng.standard_normal(W.shape) if np.dtype(dtype).kind == "c" else W).astype(dtype)


class Planted:
    """A correct operator with all that the checks ask for, but for what is replaced by keyword.

    Its products with several columns, its adjoint and its transpose follow from `matvec` and `rmatvec`, so
    that what is planted there shows there alone.
    """

    def __init__(self, W: Array, **replaced: Any) -> None:
        self.W = W
        self.shape, self.dtype = W.shape, W.dtype
        self.__dict__.update(replaced)

    def matvec(self, x: Array) -> Array:
        return times(self.W, x)

    def rmatvec(self, y: Array) -> Array:
        return times(self.W.conj().T, y)

    def matmat(self, X: Array) -> Array:
        return np.stack([self.matvec(x.copy()).copy() for x in X.T], axis=1)

    def rmatmat(self, Y: Array) -> Array:
        return np.stack([self.rmatvec(y.copy()).copy() for y in Y.T], axis=1)

    def __getattr__(self, name: str) -> Any:
        """Return the adjoint or the transpose."""
        if name == "H":
            return Planted(self.W.conj().T, matvec=self.rmatvec, rmatvec=self.matvec)
        if name == "T":
            return Planted(
                self.W.T,
                matvec=lambda y: np.conj(self.rmatvec(np.conj(y))),
                rmatvec=lambda x: np.conj(self.matvec(np.conj(x))),
            )
        raise AttributeError(name)


def after(change: Callable[[Array], Array]) -> Callable[[Any], Planted]:
    """Return how to make an operator whose forward product is changed by a function."""

    def make(dtype: Any) -> Planted:
        W = matrix_of(dtype)
        return Planted(W, matvec=lambda x: change(times(W, x)))

    return make


def after_adjoint(change: Callable[[Array], Array]) -> Callable[[Any], Planted]:
    """Return the same for the adjoint product."""

    def make(dtype: Any) -> Planted:
        W = matrix_of(dtype)
        return Planted(W, rmatvec=lambda y: change(times(W.conj().T, y)))

    return make


def before(change: Callable[[Array], Array]) -> Callable[[Any], Planted]:
    """Return how to make an operator that changes what its forward product reads."""

    def make(dtype: Any) -> Planted:
        W = matrix_of(dtype)
        return Planted(W, matvec=lambda x: times(W, change(x)))

    return make


def times(W: Array, x: Array) -> Array:
    """Return W x for a vector of the right length; not by BLAS, whose threads are slow to wake."""
    assert x.shape == W.shape[1:]
    return np.einsum("ij,j->i", W, x)


def in_dtype(names: tuple[str, ...], dtype: Any) -> tuple[str, ...]:
    """Return names of checks where inner products of integers are the check "exact"."""
    integers = np.dtype(dtype).kind in "iu"
    return tuple("exact" if integers and name == "adjoint" else name for name in names)


def pair_operator(W: Any, B: Any, dtype: Any = None) -> LinearOperator:
    """Return an operator that says W and answers B where its adjoint is asked for."""
    W, B = csr_array(W), csr_array(B)
    return LinearOperator(
        W.shape, dtype=W.dtype if dtype is None else dtype, matvec=lambda x: W @ x, rmatvec=lambda y: B @ y
    )


def samples_of(op: Any, adjoint: Any = None, level: str = "default", seed: int = 0, **given: Any) -> Samples:
    """Return the samples that `check_adjoint` would take."""
    return Samples(plain_pair(op, adjoint, **given), seed, level)


def plain_pair(
    op: Any, adjoint: Any = None, input_shape: Any = None, output_shape: Any = None, dtype: Any = None
) -> Pair:
    """Return the pair that `check_adjoint` would make of its arguments."""
    return pair_of(op, adjoint, input_shape, output_shape, dtype)


def convolution(dtype: Any = "float64", **arguments: Any) -> Conv:
    """Return a convolution of `IMAGE` without any symmetry that a fault could hide behind."""
    weight = np.random.default_rng(5).standard_normal((4, 3))
    if np.dtype(dtype).kind == "c":
        weight = weight + 1j * np.random.default_rng(6).standard_normal((4, 3))
    return Conv(weight.astype(dtype), IMAGE, **{"padding": "same", **arguments})


def witnesses_are_true(report: AdjointReport, W: Array, B: Array) -> bool:
    """Tell whether every witness quotes the entries of both matrices, and they differ."""
    for witness in report.witnesses:
        row, column = place_of(witness.output_index, IMAGE), place_of(witness.input_index, IMAGE)
        if not np.allclose([witness.forward, witness.adjoint], [W[row, column], B[column, row]], rtol=1e-12):
            return False
        if witness.forward == np.conj(witness.adjoint):
            return False
    return bool(report.witnesses)


def place_of(index: tuple[int, ...], shape: tuple[int, ...]) -> int:
    return int(np.ravel_multi_index(index, shape))
