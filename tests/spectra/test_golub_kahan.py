"""The vector that is found is amplified as numpy's first right singular vector is."""

import numpy as np
import pytest

from convops import Conv
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


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("padding", [1000, 3000, 10_000, 30_000])
def test_a_value_far_above_all_others_is_found_though_the_basis_is_soon_orthogonal_no_more(
    padding: int, seed: int
) -> None:
    kernel = np.random.default_rng(seed).standard_normal(5)
    W = Conv(kernel, 40, padding=((padding, 0),), boundary="edge").tosparse()
    true = np.sqrt(np.linalg.norm((W.T @ W).toarray(), 2))
    start = np.random.default_rng(0).standard_normal(40)
    for seen in (1.0, 1e-6, 0.0):
        vector, _ = amplified(lambda x: W @ x, lambda y: W.T @ y, start * [seen, *[1.0] * 39])
        assert np.linalg.norm(W @ vector) == pytest.approx(true, rel=1e-9)


def test_only_as_much_of_a_basis_is_used_as_is_orthogonal() -> None:
    basis = np.array([[1.0, 0, 0], [0, 1, 0], [-0.6, -0.8, 0]])
    bidiagonal = np.array([[1.0, 2, 0], [0, 1, 2], [0, 0, 1]])
    vector, value = _golub_kahan._most_amplified(basis, bidiagonal)
    _, values, right = np.linalg.svd(bidiagonal[:2, :2])
    np.testing.assert_allclose(vector, [*right[0], 0])
    assert value == values[0]
