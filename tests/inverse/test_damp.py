"""The damp that is chosen does what its rule says."""

import numpy as np
import pytest

from convops import Conv, choose_damp, tikhonov
from oracles import Array

SIGMA = 0.05


def problem(boundary: str) -> tuple[Conv, Array, Array]:
    line = np.exp(-0.5 * (np.arange(-3, 4) / 1.2) ** 2)
    A = Conv(np.outer(line, line) / line.sum() ** 2, (24, 24), padding="same", boundary=boundary)
    row, column = np.mgrid[:24, :24] / 24
    scene = np.sin(7 * row) * np.cos(5 * column)
    return A, scene, A(scene) + np.random.default_rng(0).normal(0, SIGMA, scene.shape)


@pytest.mark.parametrize("reg", [None, "gradient"])
@pytest.mark.parametrize("boundary", ["wrap", "symmetric", "zeros"])
def test_by_discrepancy_the_residual_is_that_of_the_noise(boundary: str, reg: str | None) -> None:
    A, _, b = problem(boundary)
    damp = choose_damp(A, b, rule="discrepancy", noise=SIGMA, reg=reg)
    assert np.linalg.norm(A(tikhonov(A, b, damp, reg=reg)) - b) == pytest.approx(SIGMA * 24, rel=0.02)


def test_cross_validation_comes_near_the_best_damp() -> None:
    A, scene, b = problem("symmetric")
    errors = [
        np.linalg.norm(tikhonov(A, b, damp, reg="gradient") - scene) for damp in np.geomspace(1e-3, 10, 40)
    ]
    found = tikhonov(A, b, choose_damp(A, b, reg="gradient"), reg="gradient")
    assert np.linalg.norm(found - scene) < 1.3 * min(errors)
