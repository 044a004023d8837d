"""What is said to be proven of a matrix holds for numpy's eigenvalues; what does not hold is refused."""

import numpy as np
import pytest

from convops.spectra._certificate import proven
from oracles import Array


def banded(size: int, width: int, dtype: type, seed: int) -> tuple[Array, Array]:
    """Return a Gram matrix of a random W with bands, and its lower bands."""
    rng = np.random.default_rng(seed)
    W = rng.standard_normal((size, size)).astype(dtype)
    if dtype is complex:
        W = W + 1j * rng.standard_normal((size, size))
    W = np.tril(np.triu(W, -width))
    gram = W.conj().T @ W
    bands = np.zeros((width + 1, size), gram.dtype)
    for below in range(width + 1):
        bands[below, : size - below] = np.diagonal(gram, -below)
    return gram, bands


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize(("size", "width"), [(1, 0), (7, 0), (9, 8), (40, 3), (150, 70)])
def test_a_number_is_proven_if_and_only_if_no_eigenvalue_is_larger(
    size: int, width: int, dtype: type
) -> None:
    for seed in range(3):
        gram, bands = banded(size, width, dtype, seed)
        largest = np.linalg.eigvalsh(gram)[-1]
        found = proven(bands, largest * (1 + 1e-9))
        assert found is not None
        assert largest < found <= largest * (1 + 1e-8)
        assert proven(bands, largest * (1 - 1e-9)) is None


def test_a_fault_in_one_entry_is_seen() -> None:
    gram, bands = banded(60, 4, float, 0)
    square = 1.001 * np.linalg.eigvalsh(gram)[-1]
    bands[0, 30] += square
    assert proven(bands, square) is None


def test_the_matrix_stays_what_it_is_and_none_is_made_of_nan() -> None:
    _, bands = banded(12, 2, float, 0)
    before = bands.copy()
    proven(bands, 100.0)
    np.testing.assert_array_equal(bands, before)
    bands[0, 5] = np.nan
    assert proven(bands, 100.0) is None
