"""The norm of the moduli is bounded from above, closer with each step."""

from math import inf

import numpy as np
import pytest

from convops import Conv
from convops.spectra import _positive
from convops.spectra._positive import has_moduli, norm_of_moduli
from registry import CASES, Case, weights_for


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_norm_of_the_moduli_is_bounded_from_above(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    weight = weights_for(case, "complex128")
    A = Conv(weight, case.input_shape, **case.kwargs())
    if not has_moduli(A.geometry):
        return
    true = np.linalg.norm(Conv(np.abs(weight), case.input_shape, **case.kwargs()).toarray(), 2)
    bounds = []
    for steps in (1, 3, 40):
        monkeypatch.setattr(_positive, "_STEPS", steps)
        bounds.append(norm_of_moduli(A.geometry, A._map.correlated, inf, 0))
    assert bounds[0] >= bounds[1] >= bounds[2] >= true * (1 - 1e-12)
    assert bounds[2] <= 1.5 * true or true == 0
    assert np.linalg.norm(A.toarray(), 2) <= bounds[2] * (1 + 1e-12)


def test_it_stops_where_it_cannot_help_or_has_helped(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    monkeypatch.setattr(_positive.np, "maximum", lambda *values: made.append(1) or np.fmax(*values))
    A = Conv(np.arange(1.0, 6), 50, padding="same", boundary="edge")
    norm_of_moduli(A.geometry, A.weight, useful=1.0, enough=0)
    norm_of_moduli(A.geometry, A.weight, useful=inf, enough=100.0)
    assert not made
    norm_of_moduli(A.geometry, A.weight, useful=inf, enough=0)
    assert len(made) >= _positive._STEPS


def test_extrapolation_has_no_moduli() -> None:
    for boundary, padding, known in (("antireflect", 1, False), ("antireflect", 0, True), ("edge", 1, True)):
        assert has_moduli(Conv([1, 1, 1], 5, padding=padding, boundary=boundary).geometry) == known


@pytest.mark.parametrize("boundary", ["zeros", "edge", "reflect"])
def test_the_products_of_a_large_kernel_may_be_transformed(boundary: str) -> None:
    kernel = np.random.default_rng(0).random((24, 23))
    A = Conv(kernel, (27, 28), padding="same", boundary=boundary)
    M = Conv(kernel, (27, 28), padding="same", boundary=boundary, method="fft")
    W, x = A.toarray(), np.random.default_rng(1).random(A.shape[1])
    off = np.abs(M.T @ (M @ x) - W.T @ (W @ x)).max()
    assert off < _positive._rounding_of(A.geometry, kernel) * np.linalg.norm(x) < 1e8 * off
    true = np.linalg.norm(W, 2)
    assert true <= norm_of_moduli(A.geometry, kernel, inf, 0) <= 1.001 * true


def test_what_a_product_is_off_by_is_added_to_each_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    A = Conv(np.ones(3), 30, padding="same")
    exact = norm_of_moduli(A.geometry, A.weight, inf, 0)
    assert _positive._rounding_of(A.geometry, A.weight) == 0
    monkeypatch.setattr(_positive, "_rounding_of", lambda geometry, moduli: 0.01)
    off = 0.01 * np.sqrt(30)
    assert norm_of_moduli(A.geometry, A.weight, inf, 100.0) == pytest.approx(np.sqrt(9 + off))
    assert norm_of_moduli(A.geometry, A.weight, inf, 0) > exact
