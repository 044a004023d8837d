"""Composites of the operators of a case, each beside the dense matrix that it must be."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from scipy.sparse.linalg import aslinearoperator

from convops import Conv, block_diag, hstack, identity, vstack
from oracles import Array
from registry import Case, matrix_of, weights_for

Composite = tuple[str, Any, Array]


@cache
def pair_of(case: Case, dtype: str, method: str = "auto") -> tuple[Conv, Conv, Array, Array]:
    """Two operators between the same arrays, and their matrices from the loops, in double precision."""
    one, two = (weights_for(case, dtype, seed) for seed in (0, 1))
    A, B = (Conv(weight, case.input_shape, **case.kwargs(), method=method) for weight in (one, two))
    V, W = (matrix_of(case, weight) for weight in (one, two))
    return A, B, V, W


def composites_of(case: Case, dtype: str, method: str = "auto") -> Iterator[Composite]:
    """Every kind of composite, with parts of every kind."""
    A, B, V, W = pair_of(case, dtype, method)
    M = np.arange(V.shape[1] * 3).reshape(-1, 3) % 5 - 2
    foreign = aslinearoperator(M.astype(A.dtype))
    scalar = 2 - 3j if A.dtype.kind == "c" else -3
    square = V.conj().T @ W
    yield "sum", A + B, V + W
    yield "difference", A - 2 * B, V - 2 * W
    yield "multiple", scalar * A, scalar * V
    yield "negative", -(A + B), -V - W
    yield "product", B.H @ A, W.conj().T @ V
    yield "product of three", A.T.H @ B.H @ A, V.conj() @ W.conj().T @ V
    yield "product by *", A * B.T, V @ W.T
    yield "product with SciPy's", A @ foreign, V @ M
    yield "sum with SciPy's", A + aslinearoperator(W.astype(A.dtype)), V + W
    yield "power", (A.H @ B) ** 2, square @ square
    yield "gram", A.gram(), V.conj().T @ V
    yield "cogram", A.cogram(), V @ V.conj().T
    yield "gram of the transpose", A.T.gram(), V.conj() @ V.T
    yield "gram of a sum", (A + scalar * B).gram(), (V + scalar * W).conj().T @ (V + scalar * W)
    yield "identity", identity(case.input_shape, A.dtype), np.eye(V.shape[1], dtype=V.dtype)
    yield (
        "shifted",
        A.gram() + scalar * identity(A.input_shape, A.dtype),
        V.conj().T @ V + scalar * np.eye(V.shape[1], dtype=V.dtype),
    )
    yield "vstack", vstack([A, scalar * B]), np.vstack([V, scalar * W])
    yield "vstack of unequal", vstack([A, A.gram()]), np.vstack([V, V.conj().T @ V])
    yield "hstack", hstack([A, B]), np.hstack([V, W])
    yield "hstack of unequal", hstack([A, A.cogram()]), np.hstack([V, V @ V.conj().T])
    zeros = np.zeros_like
    yield "block_diag", block_diag([A, B]), np.block([[V, zeros(W)], [zeros(V), W]])
    yield (
        "block_diag of unequal",
        block_diag([A, B.T]),
        np.block(
            [[V, np.zeros((len(V), len(W)), V.dtype)], [np.zeros(W.T.shape[:1] + V.shape[1:], V.dtype), W.T]]
        ),
    )
    yield (
        "nest",
        vstack([hstack([A, 2 * B]), hstack([B - A, A])]),
        np.block([[V, 2 * W], [W - V, V]]),
    )


def views_of(op: Any, matrix: Array) -> Iterator[tuple[str, Any, Array]]:
    """The operator, its transpose, its adjoint and its conjugate."""
    yield "", op, matrix
    yield ".T", op.T, matrix.T
    yield ".H", op.H, matrix.conj().T
    yield ".T.H", op.T.H, matrix.conj()
