"""The damp that is chosen does what its rule says."""

import numpy as np
import pytest

from convops import Conv, choose_damp, selection, tikhonov
from convops.inverse._regulariser import regulariser
from inverse.dense import measured
from oracles import Array

SIGMA = 0.05


def problem(boundary: str, size: int = 24) -> tuple[Conv, Array, Array]:
    line = np.exp(-0.5 * (np.arange(-3, 4) / 1.2) ** 2)
    A = Conv(np.outer(line, line) / line.sum() ** 2, (size, size), padding="same", boundary=boundary)
    row, column = np.mgrid[:size, :size] / size
    scene = np.sin(7 * row) * np.cos(5 * column)
    return A, scene, A(scene) + np.random.default_rng(0).normal(0, SIGMA, scene.shape)


@pytest.mark.parametrize("reg", [None, "gradient"])
@pytest.mark.parametrize("boundary", ["wrap", "symmetric", "zeros"])
def test_by_discrepancy_the_residual_is_that_of_the_noise(boundary: str, reg: str | None) -> None:
    A, _, b = problem(boundary)
    damp = choose_damp(A, b, rule="discrepancy", noise=SIGMA, reg=reg)
    assert np.linalg.norm(A(tikhonov(A, b, damp, reg=reg)) - b) == pytest.approx(SIGMA * 24, rel=0.02)


@pytest.mark.parametrize("reg", [None, "gradient"])
@pytest.mark.parametrize("boundary", ["wrap", "symmetric"])
def test_cross_validation_finds_the_least_score_of_the_dense_problem(boundary: str, reg: str | None) -> None:
    A, _, b = problem(boundary, 9)
    L = None if reg is None else regulariser(reg, A).toarray()
    damp, result = choose_damp(A, b, reg=reg, full_output=True)

    def score(damp: float) -> float:
        residual, _, trace = measured(A, L, b.reshape(1, -1), damp)
        return residual**2 / (b.size - trace) ** 2

    assert score(damp) <= min(score(other) for other in np.geomspace(0.01, 100, 20)) * (1 + 1e-6)
    assert result.gcv.min() == pytest.approx(score(damp), rel=1e-6)


def test_cross_validation_comes_near_the_best_damp() -> None:
    A, scene, b = problem("symmetric")
    errors = [
        np.linalg.norm(tikhonov(A, b, damp, reg="gradient") - scene) for damp in np.geomspace(1e-3, 10, 40)
    ]
    found = tikhonov(A, b, choose_damp(A, b, reg="gradient"), reg="gradient")
    assert np.linalg.norm(found - scene) < 1.3 * min(errors)


@pytest.mark.parametrize("rule", ["gcv", "lcurve"])
def test_a_sweep_chooses_what_the_closed_form_does(rule: str) -> None:
    A, _, b = problem("symmetric", 16)
    # The same map, in a form of which no transform is known.
    same = A + 0 * A
    closed, found = choose_damp(A, b, rule=rule), choose_damp(same, b, rule=rule, full_output=True)
    assert found[1].route == "sparse"
    assert found[0] == pytest.approx(closed, rel=0.3)


def test_the_corner_is_where_the_curve_of_the_dense_problem_bends_most() -> None:
    A, _, b = problem("symmetric", 12)
    u, s, _ = np.linalg.svd(A.toarray())
    beta = (u.T @ b.ravel()) ** 2

    def curvature(damp: float) -> float:
        # Hansen and O'Leary, doi:10.1137/0914086, with ρ and η the squares of residual and norm.
        f = s**2 / (s**2 + damp**2)
        rho, eta = ((1 - f) ** 2 * beta).sum(), (f**2 * beta / s**2).sum()
        slope = -4 / damp * ((1 - f) * f**2 * beta / s**2).sum()
        return float(
            -2
            * eta
            * rho
            / slope
            * (damp**2 * slope * rho + 2 * damp * eta * rho + damp**4 * eta * slope)
            / (damp**4 * eta**2 + rho**2) ** 1.5
        )

    damps = np.geomspace(0.01, 3, 2000)
    best = damps[np.argmax([curvature(damp) for damp in damps])]
    assert choose_damp(A, b, rule="lcurve") == pytest.approx(best, rel=0.1)


def test_a_straight_curve_has_no_corner() -> None:
    A = Conv([1.0], 20)
    with pytest.raises(ValueError, match=r"rule='lcurve': .*no corner.*gcv"):
        choose_damp(A, np.ones(20), rule="lcurve")


def test_what_was_tried_is_told_in_order() -> None:
    A, _, b = problem("zeros")
    damp, result = choose_damp(A, b, rule="discrepancy", noise=SIGMA, full_output=True)
    assert damp in result.damps
    assert (np.diff(result.damps) > 0).all()
    assert (np.diff(result.residuals) > 0).all()
    assert (np.diff(result.seminorms) < 0).all()
    assert np.isnan(result.freedom).all()


@pytest.mark.parametrize("size", [1e-160, 1e160])
def test_numbers_whose_squares_overflow_are_refused(size: float) -> None:
    A, _, b = problem("wrap", 12)
    with pytest.raises(ValueError, match="Scale both"):
        choose_damp(Conv(A.weight * size, A.input_shape, padding="same", boundary="wrap"), b * size)


def test_with_a_regulariser_a_masked_blur_is_swept_past_large_damps() -> None:
    A, scene, _ = problem("symmetric")
    seen = selection(np.random.default_rng(0).random(scene.shape) > 0.3) @ A
    b = seen(scene) + np.random.default_rng(1).normal(0, SIGMA, seen.output_shape)
    damp = choose_damp(seen, b, reg="gradient")
    errors = [
        np.linalg.norm(tikhonov(seen, b, other, reg="gradient") - scene)
        for other in np.geomspace(0.03, 3, 12)
    ]
    assert np.linalg.norm(tikhonov(seen, b, damp, reg="gradient") - scene) < 1.5 * min(errors)


@pytest.mark.parametrize("rule", ["gcv", "lcurve", "discrepancy"])
def test_what_neither_the_data_nor_the_penalty_decide_does_not_end_the_sweep(rule: str) -> None:
    # Every second sample is read, and of the others the differences see all but the level.
    A = Conv(np.ones((1, 1)), (8, 9), stride=2)
    b = np.random.default_rng(0).standard_normal(A.output_shape)
    damp = choose_damp(A, b, rule=rule, noise=0.5, reg=Conv([[1.0, 0, -1]], (8, 9)))
    assert np.isfinite(damp)
    assert damp > 0
