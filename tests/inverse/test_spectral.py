"""Blocks of every shape have the answer of numpy's least squares, and singular ones are told."""

from math import sqrt

import numpy as np
import pytest

from convops.inverse._spectral import Singular, solve_blocks

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("penalised", ["no", "all", "some"])
@pytest.mark.parametrize(("m", "k"), [(1, 1), (3, 1), (1, 4), (3, 2), (2, 3)])
@pytest.mark.parametrize("damp", [0.0, 1e-15, 0.3])
def test_a_block_has_the_answer_of_least_squares(damp: float, m: int, k: int, penalised: str) -> None:
    shape = 2, 5, m, k
    B = RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)
    rhs = RNG.standard_normal((2, 5, m, 3)) + 0j
    p = None if penalised == "no" else RNG.random((2, 5, k)) + 0.1
    if p is not None and penalised == "some":
        p[1, 2, 0] = 0
    if damp < 1e-3 and m < k:
        with pytest.raises(Singular):
            solve_blocks(B, rhs, damp, p, 10.0)
        return
    found = solve_blocks(B, rhs, damp, p, 10.0)
    for place in np.ndindex(2, 5):
        root = np.ones(k) if p is None else np.sqrt(p[place])
        stacked = np.vstack([B[place], damp * np.diag(root)])
        expected = np.linalg.lstsq(stacked, np.vstack([rhs[place], np.zeros((k, 3))]))[0]
        assert found[place] == pytest.approx(expected, rel=1e-9, abs=1e-9)


def test_a_singular_block_tells_how_small() -> None:
    B = np.array([[[[1.0]], [[1e-18]]]])
    with pytest.raises(Singular) as caught:
        solve_blocks(B, np.ones((1, 2, 1, 1)), 0.0, None, sqrt(2))
    assert (caught.value.smallest, caught.value.largest) == (1e-18, sqrt(2))
