"""The vector that is found is amplified as numpy's first right singular vector is."""

import numpy as np
import pytest

from convops.spectra import _golub_kahan
from convops.spectra._golub_kahan import amplified


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("shape", [(1, 1), (5, 9), (30, 30), (90, 60)])
def test_the_vector_is_amplified_most(
    shape: tuple[int, int], dtype: type, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(0)
    W = rng.standard_normal(shape).astype(dtype)
    if dtype is complex:
        W = W + 1j * rng.standard_normal(shape)
    true = np.linalg.norm(W, 2)
    start = rng.standard_normal(shape[1]).astype(dtype)
    for basis, part in ((_golub_kahan._BASIS_BYTES, 0.999), (1, 0.95)):
        monkeypatch.setattr(_golub_kahan, "_BASIS_BYTES", basis)
        vector, products = amplified(lambda x: W @ x, lambda y: W.conj().T @ y, start)
        assert np.linalg.norm(vector) == pytest.approx(1)
        assert np.linalg.norm(W @ vector) >= part * true
        assert products <= 2 * _golub_kahan._STEPS * _golub_kahan._CYCLES


def test_an_invariant_space_and_a_null_space_end_it() -> None:
    W = np.diag([3.0, 2.0, 0.0])
    for start, value in (([1.0, 0, 0], 3), ([1.0, 1, 0], 3), ([0, 0, 1.0], 0)):
        vector, _ = amplified(lambda x: W @ x, lambda y: W.T @ y, np.array(start))
        assert np.linalg.norm(W @ vector) == pytest.approx(value)


def test_a_value_that_is_enough_ends_it() -> None:
    W = np.random.default_rng(0).standard_normal((200, 200))
    true = np.linalg.norm(W, 2)
    spent = [amplified(lambda x: W @ x, lambda y: W.T @ y, W[0], part * true)[1] for part in (0.9, 1.1)]
    assert spent[0] == 2 * _golub_kahan._STEPS < spent[1]


@pytest.mark.parametrize("row", [[3.0, 4.0], [1.0, 1e-9], [1.0, 1.0, 1.0, 1 + 1e-7]])
def test_one_row_leaves_nothing_after_the_first_steps(row: list[float]) -> None:
    W = np.array([row])
    for start in np.random.default_rng(0).standard_normal((20, W.shape[1])):
        vector, products = amplified(lambda x: W @ x, lambda y: W.T @ y, start)
        assert np.linalg.norm(W @ vector) == pytest.approx(np.linalg.norm(row))
        assert products <= 8


def test_a_basis_that_is_no_longer_one_leaves_the_vector_it_began_with() -> None:
    first = np.array([1.0, 0.0])
    images = iter([first, np.array([0.6, 0.8])])
    # The rest is -0.6 times the first vector, so the second is minus the first, and their sum nothing.
    vector, value, _ = _golub_kahan._cycle(lambda x: next(images), lambda y: 0.4 * first, first, 2)
    np.testing.assert_array_equal(vector, first)
    assert value == 1
