"""Products of matrices: as numpy multiplies them fastest, and so that BLAS wakes no threads beside ours."""

from typing import Any

import numpy as np

from convops._arrays import Array
from convops.apply._problem import equal_parts
from convops.apply.cost import small_product

_SHORTEST = 32
"""Terms of a sum below which adding the parts up takes longer than the products."""


def multiply(left: Array, right: Array, out: Array) -> None:
    """Write ``left @ right`` of the last two axes.

    Where there is one term to a sum numpy calls no BLAS, and takes ten times as long as element by element.
    """
    if left.shape[-1] == 1:
        np.multiply(left, right, out=out)
    else:
        np.matmul(left, right, out=out)


def alone(rows: int, columns: int, dtype: np.dtype[Any]) -> bool:
    """Return whether `paired` multiplies without the threads of BLAS, so that ours may call it."""
    return rows * columns * _SHORTEST <= small_product(dtype)


def summands(rows: int, columns: int, terms: int, dtype: np.dtype[Any]) -> float:
    """Return how many entries `paired` writes and adds up, for one pair of matrices."""
    pieces = rows * columns * terms / small_product(dtype) if alone(rows, columns, dtype) else 1.0
    return rows * columns * max(pieces, 1.0)


def paired(left: Array, right: Array) -> Array:
    """Return ``left @ right.T`` of the last two axes.

    BLAS shares long sums among threads that wait for each other longer than they work; it gets them in
    pieces for which it wakes none.
    """
    rows, columns, terms = left.shape[-2], right.shape[-2], left.shape[-1]
    most = small_product(left.dtype) // (rows * columns)
    right = right.swapaxes(-1, -2)
    if terms <= most or not alone(rows, columns, left.dtype):
        products: Array = np.matmul(left, right)
        return products
    total: Array = np.matmul(left[..., :most], right[..., :most, :])
    for start in range(most, terms, most):
        total += np.matmul(left[..., start : start + most], right[..., start : start + most, :])
    return total


def parted(left: Array, right: Array) -> Array:
    """Return ``left @ right`` of the last two axes, by equal parts of the rows of `left`.

    BLAS wakes threads for a vector sooner, and it is cut no sooner: they gain time where so much is read.
    """
    *stacked, rows, inner = left.shape
    columns = right.shape[-1]
    parts = equal_parts(rows, inner * columns, small_product(left.dtype))
    products: Array = np.matmul(left.reshape(*stacked, parts, -1, inner), right[..., None, :, :])
    return products.reshape(*products.shape[:-3], rows, columns)
