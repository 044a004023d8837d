"""Errors that sums or constants hide, errors in one entry of many, and numbers that overflow."""

from typing import Any

import numpy as np
from scipy.sparse import csr_array

from benchmarks.faults._base import Edit, edited, of_matrices, small, values, wrapped
from benchmarks.faults._pair import ALL, FLOATS, INTEGER, REAL, Array, Fault, Make, Pair, family

SCALES = ("homogeneity",)


def dense(edit: Edit) -> Make:
    """Return how to make a square convolution, its adjoint edited as a dense matrix."""
    return edited((3, 3), (12, 12), edit, padding="same")


def place(B: Array, rng: np.random.Generator) -> tuple[int, int]:
    return int(rng.integers(B.shape[0] - 1)), int(rng.integers(B.shape[1] - 1))


def neighbours(B: Array, rng: np.random.Generator) -> Array:
    """+δ and −δ side by side: the sum of the row stays."""
    i, j = place(B, rng)
    B[i, j : j + 2] += np.array([1, -1], B.dtype) * B.dtype.type(small(B.dtype))
    return B


def checkerboard(B: Array, rng: np.random.Generator) -> Array:
    """+δ −δ over −δ +δ: the sums of rows and columns stay."""
    i, j = place(B, rng)
    B[i : i + 2, j : j + 2] += np.array([[1, -1], [-1, 1]], B.dtype) * B.dtype.type(small(B.dtype))
    return B


def row_permuted(B: Array, rng: np.random.Generator) -> Array:
    """Two entries of one row swapped."""
    i = int(rng.integers(B.shape[0]))
    j = int(rng.choice(np.flatnonzero(B[i])))
    k = int(rng.choice(np.flatnonzero(B[i] != B[i, j])))
    B[i, [j, k]] = B[i, [k, j]]
    return B


def zero_mean_column(B: Array, rng: np.random.Generator) -> Array:
    """A whole column off by ±δ in turn."""
    signs = np.resize([1, -1], B.shape[0]).astype(B.dtype)
    B[:, place(B, rng)[1]] += signs * B.dtype.type(small(B.dtype))
    return B


def low_rank(B: Array, rng: np.random.Generator) -> Array:
    """An error u vᴴ that constants do not see from either side."""
    u, v = (np.resize([1, -1], size).astype(B.dtype) for size in B.shape)
    return B + np.outer(u, v) * B.dtype.type(small(B.dtype))


def skew(B: Array, rng: np.random.Generator) -> Array:
    """An error S with Sᴴ = −S, which a test with y = x cannot see."""
    i, j = sorted(rng.choice(B.shape[0], 2, replace=False))
    delta = B.dtype.type(small(B.dtype))
    B[i, j] += delta
    B[j, i] -= delta
    return B


def one_of_many(dtype: np.dtype[Any], rng: np.random.Generator) -> Pair:
    """One entry of a million is wrong, where a matrix of 10 a row mostly holds nothing."""
    size, count = 1000, 10_000
    at = rng.integers(size, size=(2, count))
    W = csr_array((values(rng, (count,), dtype), at), shape=(size, size))
    wrong = csr_array(
        ([dtype.type(small(dtype))], rng.integers(size, size=(2, 1))), shape=(size, size), dtype=dtype
    )
    return of_matrices(W, W.conj().T + wrong, (size,), (size,))


def overflowing(limit: float) -> Make:
    """Return how to make a convolution that has no number above a limit, as float16 has none above 65504."""

    def infinite(y: Array) -> Array:
        return np.where(np.abs(y) > limit, y.dtype.type(np.inf), y)

    return wrapped(after=infinite)


def through_int32(y: Array) -> Array:
    return y.astype(np.int32).astype(y.dtype)


def saturated_int32(y: Array) -> Array:
    """Keep what a cast of floats to int32 keeps."""
    return np.clip(y, -(2.0**31), 2.0**31 - 1)


FAULTS = family(
    "cancellation",
    Fault("+δ and −δ side by side", dense(neighbours), ALL),
    Fault("checkerboard of ±δ", dense(checkerboard), ALL),
    Fault("two entries of a row swapped", dense(row_permuted), ALL),
    Fault("column of ±δ, mean 0", dense(zero_mean_column), ALL),
    Fault("low rank, orthogonal to constants", dense(low_rank), ALL),
    Fault("skew error, which y = x hides", dense(skew), ALL),
    Fault("one entry of a million", one_of_many, ALL),
    Fault("overflows at 65504", overflowing(65504), FLOATS, expected=SCALES),
    Fault("saturates at 2**31", wrapped(after=saturated_int32), REAL, expected=SCALES),
    Fault("wraps round at 2**31", wrapped(after=through_int32), INTEGER, expected=SCALES),
)
