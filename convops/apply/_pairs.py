"""Products that sum over long axes into small matrices, what gradients are made of."""

import numpy as np

from convops._arrays import Array
from convops.apply.cost import SMALL_PRODUCT

_SHORTEST = 32
"""Terms of a sum below which adding the parts up takes longer than the products."""


def alone(rows: int, columns: int) -> bool:
    """Return whether `paired` multiplies without the threads of BLAS, so that ours may call it."""
    return rows * columns * _SHORTEST <= SMALL_PRODUCT


def summands(rows: int, columns: int, terms: int) -> float:
    """Return how many entries `paired` writes and adds up, for one pair of matrices."""
    pieces = rows * columns * terms / SMALL_PRODUCT if alone(rows, columns) else 1.0
    return rows * columns * max(pieces, 1.0)


def paired(left: Array, right: Array) -> Array:
    """Return ``left @ right.T`` of the last two axes.

    BLAS shares long sums among threads that wait for each other longer than they work; it gets them in
    pieces for which it wakes none.
    """
    rows, columns, terms = left.shape[-2], right.shape[-2], left.shape[-1]
    most = SMALL_PRODUCT // (rows * columns)
    right = right.swapaxes(-1, -2)
    if terms <= most or not alone(rows, columns):
        products: Array = np.matmul(left, right)
        return products
    total: Array = np.matmul(left[..., :most], right[..., :most, :])
    for start in range(most, terms, most):
        total += np.matmul(left[..., start : start + most], right[..., start : start + most, :])
    return total
