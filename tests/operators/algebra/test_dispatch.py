"""What each operator of Python's means between operators, numbers and arrays."""

import numpy as np
import pytest
from scipy.sparse.linalg import aslinearoperator

from convops import Conv

RNG = np.random.default_rng(0)
A, B = (Conv(RNG.standard_normal((3, 3)), (4, 5), padding="same") for _ in range(2))
V, W = A.toarray(), B.toarray()
X = RNG.standard_normal((20, 3))


def test_between_operators_it_makes_operators() -> None:
    for found, expected in (
        (A + B, V + W),
        (A - B, V - W),
        (A @ B, V @ W),
        (A * B, V @ W),
        (-A, -V),
        (A / 2, V / 2),
        (A**2, V @ V),
        (A @ aslinearoperator(W), V @ W),
        (A + aslinearoperator(W), V + W),
    ):
        assert found.toarray() == pytest.approx(expected)
    assert +A is A


def test_between_operators_and_arrays_it_makes_arrays() -> None:
    assert pytest.approx(V @ X) == A @ X
    assert pytest.approx(X.T @ V) == X.T @ A
    assert A * X[:, 0] == pytest.approx(V @ X[:, 0])


def test_what_means_nothing_is_refused() -> None:
    for wrong in (lambda: A @ 2, lambda: 2 @ A):
        with pytest.raises(ValueError, match=r"scalar|\*"):
            wrong()
    with pytest.raises(TypeError, match="not linear"):
        A + 1
