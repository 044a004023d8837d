"""Correct pairs of matrices: dense and sparse, well and badly scaled, tall, wide, and of rank 1."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.linalg import block_diag, hilbert, solve_triangular, toeplitz
from scipy.sparse import csr_array, diags_array
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from benchmarks.faults._base import of_matrices, values
from benchmarks.faults._pair import ALL, COMPLEX, FLOATS, Array, Make, Operator, Pair

DType = np.dtype[Any]
Rng = np.random.Generator


def matrix(build: Callable[[DType, Rng], Any]) -> Make:
    """Return how to make the pair of a matrix, stored as CSR, and its conjugate transpose."""

    def make(dtype: DType, rng: Rng) -> Pair:
        W = csr_array(build(dtype, rng)).astype(dtype)
        return of_matrices(W, W.conj().T.tocsr(), W.shape[1:], W.shape[:1])

    return make


def dense(build: Callable[[DType, Rng], Array]) -> Make:
    """Return how to make the pair of a dense matrix, multiplied by BLAS where its dtype has one."""

    def make(dtype: DType, rng: Rng) -> Pair:
        W = build(dtype, rng).astype(dtype)
        return Pair(lambda x: W @ x, lambda y: W.conj().T @ y, W.shape[1:], W.shape[:1], dtype)

    return make


def operator(build: Callable[..., LinearOperator], *shapes: tuple[int, int]) -> Make:
    """Return how to make the pair of what SciPy combines of random operators; 2 A has a dtype of its own."""

    def make(dtype: DType, rng: Rng) -> Pair:
        A = build(*(aslinearoperator(values(rng, shape, dtype)) for shape in shapes))
        return Pair(A.matvec, A.rmatvec, A.shape[1:], A.shape[:1], A.dtype)

    return make


def random(rows: int, columns: int) -> Callable[[DType, Rng], Array]:
    return lambda dtype, rng: values(rng, (rows, columns), dtype)


def sparse(rows: int, columns: int, density: float) -> Callable[[DType, Rng], Array]:
    def build(dtype: DType, rng: Rng) -> Array:
        W = np.zeros((rows, columns), dtype)
        filled = rng.random(W.shape) < density
        W[filled] = values(rng, (int(filled.sum()),), dtype)
        return W

    return build


def scale(dtype: DType, rng: Rng, size: int) -> Array:
    """Return powers of ten from 1e-12 to 1e12, in single precision from 1e-4 to 1e4, in random order."""
    reach = 12 if np.finfo(dtype).eps < 1e-10 else 4
    return rng.permutation(10 ** np.linspace(-reach, reach, size))


def graded_rows(dtype: DType, rng: Rng) -> Array:
    return scale(dtype, rng, 60)[:, None] * values(rng, (60, 45), dtype)


def graded_both(dtype: DType, rng: Rng) -> Array:
    return graded_rows(dtype, rng) * np.sqrt(scale(dtype, rng, 45))


def orthogonal(dtype: DType, rng: Rng) -> Array:
    return np.linalg.qr(values(rng, (60, 60), dtype))[0]


def nearly_real(dtype: DType, rng: Rng) -> Array:
    return values(rng, (60, 45), np.empty(0, dtype).real.dtype) + 1e-14j * rng.standard_normal((60, 45))


def rotations(dtype: DType, rng: Rng) -> Array:
    """A with Re⟨Ax, x⟩ = 0 for every x."""
    upper = np.triu(values(rng, (60, 60), dtype), 1)
    return upper - upper.conj().T


def opposed(dtype: DType, rng: Rng) -> Array:
    """A whose large parts cancel in every row, but for one part in a thousand (floats), or one."""
    W = values(rng, (60, 90), dtype)
    W[:, ::2] = -W[:, 1::2] + (1 if dtype.kind == "i" else dtype.type(1e-3))
    return W


def triangular_solve(dtype: DType, rng: Rng) -> Pair:
    """A⁻¹ by substitution: its rounding is that of a solve."""
    L = np.tril(values(rng, (60, 60), dtype)) / 8 + np.eye(60, dtype=dtype)
    L = L.astype(dtype)
    return Pair(
        lambda x: solve_triangular(L, x, lower=True),
        lambda y: solve_triangular(L, y, lower=True, trans="C"),
        (60,),
        (60,),
        dtype,
    )


def kronecker(dtype: DType, rng: Rng) -> Pair:
    """A X Bᵀ, never as one matrix."""
    A, B = values(rng, (9, 12), dtype), values(rng, (7, 10), dtype)
    return Pair(lambda x: A @ x @ B.T, lambda y: A.conj().T @ y @ B.conj(), (12, 10), (9, 7), dtype)


def batch_of_products(dtype: DType, rng: Rng) -> Pair:
    A = values(rng, (5, 8, 11), dtype)
    return Pair(
        lambda x: np.einsum("bij,bj->bi", A, x),
        lambda y: np.einsum("bij,bi->bj", A.conj(), y),
        (5, 11),
        (5, 8),
        dtype,
    )


def rank_one(dtype: DType, rng: Rng) -> Pair:
    u, v = values(rng, (150,), dtype), values(rng, (100,), dtype)
    return Pair(lambda x: u * np.vdot(v, x), lambda y: v * np.vdot(u, y), (100,), (150,), dtype)


def diagonal(dtype: DType, rng: Rng) -> Pair:
    d = values(rng, (20, 15), dtype)
    return Pair(lambda x: d * x, lambda y: d.conj() * y, d.shape, d.shape, dtype)


MATRICES = (
    Operator("dense, 60×45", dense(random(60, 45)), ALL),
    Operator("dense, 300×20", dense(random(300, 20)), ALL),
    Operator("dense, 20×300", dense(random(20, 300)), ALL),
    Operator("dense, 250×200", dense(random(250, 200))),
    Operator("1×1", dense(random(1, 1)), ALL),
    Operator("1×n", dense(random(1, 200)), ALL),
    Operator("n×1", dense(random(200, 1)), ALL),
    Operator("2×3", dense(random(2, 3)), ALL),
    Operator("CSR", matrix(sparse(200, 150, 0.05)), ALL),
    Operator("CSR with empty rows and columns", matrix(sparse(200, 150, 0.003)), ALL),
    Operator("CSR, 500×400", matrix(sparse(500, 400, 0.02)), ALL),
    Operator("zero", matrix(lambda dtype, rng: csr_array((40, 30))), ALL),
    Operator("permutation", matrix(lambda dtype, rng: np.eye(200)[rng.permutation(200)]), ALL),
    Operator("diagonal", diagonal, ALL),
    Operator(
        "diagonal with zeros", matrix(lambda d, rng: diags_array(rng.integers(-1, 2, 200), dtype=d)), ALL
    ),
    Operator("diagonal from tiny to huge", matrix(lambda d, rng: diags_array(scale(d, rng, 100))), FLOATS),
    Operator("dense, times 1e12", dense(lambda d, rng: values(rng, (60, 45), d) * d.type(1e12))),
    Operator("dense, times 1e-12", dense(lambda d, rng: values(rng, (60, 45), d) * d.type(1e-12))),
    Operator("rows from tiny to huge", dense(graded_rows)),
    Operator("rows and columns from tiny to huge", dense(graded_both)),
    Operator("Hilbert", dense(lambda dtype, rng: hilbert(50))),
    Operator("Toeplitz", dense(lambda d, rng: toeplitz(values(rng, (60,), d), values(rng, (45,), d))), ALL),
    Operator("orthogonal or unitary", dense(orthogonal)),
    Operator("skew", dense(rotations), ALL),
    Operator("rows that nearly cancel", dense(opposed), ALL),
    Operator("nearly real", dense(nearly_real), COMPLEX),
    Operator("real in a complex dtype", dense(lambda d, rng: values(rng, (60, 45), d).real), COMPLEX),
    Operator("rank 1", rank_one, ALL),
    Operator("constant", dense(lambda dtype, rng: np.full((60, 45), 3)), ALL),
    Operator(
        "blocks", dense(lambda d, rng: block_diag(values(rng, (20, 9), d), values(rng, (5, 30), d))), ALL
    ),
    Operator("Kronecker product", kronecker, ALL),
    Operator("batch of products", batch_of_products, ALL),
    Operator("triangular solve", triangular_solve),
    Operator("SciPy: A @ B", operator(lambda A, B: A @ B, (40, 30), (30, 50)), ALL),
    Operator("SciPy: A + B", operator(lambda A, B: A + B, (40, 30), (40, 30)), ALL),
    Operator("SciPy: 2 A", operator(lambda A: 2 * A, (40, 30)), ALL),
    Operator("SciPy: (1 + 2j) A", operator(lambda A: (1 + 2j) * A, (40, 30)), COMPLEX),
    Operator("SciPy: A.H", operator(lambda A: A.H, (40, 30)), ALL),
    Operator("SciPy: A.H @ A", operator(lambda A: A.H @ A, (40, 30)), ALL),
    Operator("SciPy: A − B @ C", operator(lambda A, B, C: A - B @ C, (40, 30), (40, 20), (20, 30)), ALL),
)
