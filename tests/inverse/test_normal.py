"""The band is where AᴴA has entries, the factorised answer that of numpy."""

from typing import Any

import numpy as np
import pytest
from scipy.sparse.linalg import aslinearoperator

from convops import Conv, gradient, identity, vstack
from convops.inverse import _normal
from convops.inverse.tikhonov import problem_of
from oracles import Array

RNG = np.random.default_rng(0)


def band_of(matrix: Array) -> int:
    rows, columns = np.nonzero(matrix)
    return int(np.abs(rows - columns).max())


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("boundary", ["zeros", "wrap", "symmetric"])
@pytest.mark.parametrize("channels", [False, True])
def test_the_band_holds_the_normal_equations(
    channels: bool, boundary: str, stride: int, transposed: bool
) -> None:
    weight, shape = ((2, 3, 3, 2), (3, 6, 8)) if channels else ((3, 2), (6, 8))
    A: Any = Conv(RNG.random(weight) + 1, shape, padding="same", stride=stride, boundary=boundary)
    A = A.T if transposed else A
    W = A.toarray()
    found = _normal._band(A)
    assert found is not None
    assert band_of(W.T @ W) <= found <= 2 * band_of(W.T @ W) + 2


def test_the_band_of_a_composite_is_that_of_its_parts_where_they_share_an_input() -> None:
    A = Conv(np.ones(3), 9)
    assert _normal._band(vstack([A, gradient(9)])) == 2
    assert _normal._band(2 * A) == 2
    assert _normal._band(A @ identity(9)) is None
    assert _normal.work(A, gradient(9)) == 9 * 3**2
    assert _normal.work(aslinearoperator(np.eye(2000)), None) == np.inf


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_the_answer_is_that_of_the_dense_problem(dtype: str) -> None:
    A = Conv(RNG.standard_normal((3, 3)).astype(dtype), (5, 6), padding="same")
    b = RNG.standard_normal((3, 30)).astype(dtype)
    problem, _ = problem_of(A, b.reshape(3, 5, 6), 0.3, "laplacian")
    L = problem.L.toarray()
    stacked = np.vstack([A.toarray(), 0.3 * L])
    expected = np.linalg.lstsq(stacked, np.vstack([b.T, np.zeros((30, 3))]))[0].T
    assert _normal.solve(problem, *_normal.matrices(problem)) == pytest.approx(expected, rel=1e-10, abs=1e-12)


def test_singular_equations_are_told() -> None:
    problem, _ = problem_of(Conv([1.0, 1.0], 9, padding="same", boundary="symmetric"), np.ones(9), 0.0, None)
    singular, _ = problem_of(Conv([1.0, 1.0], 9), np.ones(8), 0.0, None)
    assert _normal.solve(problem, *_normal.matrices(problem)).shape == (1, 9)
    with pytest.raises(RuntimeError, match="singular"):
        _normal.solve(singular, *_normal.matrices(singular))
