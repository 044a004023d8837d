"""Products that are cut up equal the plain ones."""

import numpy as np
import pytest

from convops.apply import _pairs
from convops.apply._pairs import alone, multiply, paired, parted, summands

FLOAT = np.dtype(np.float64)


@pytest.mark.parametrize("dtype", ["float64", "complex64", "int64"])
@pytest.mark.parametrize("terms", [1, 2])
def test_a_product_is_written_whether_or_not_there_is_anything_to_add_up(dtype: str, terms: int) -> None:
    rng = np.random.default_rng(0)
    left = rng.integers(-9, 9, (3, 1, 2, terms)).astype(dtype)
    right = rng.integers(-9, 9, (2, terms, 5)).astype(dtype)
    out = np.empty((3, 2, 2, 5), dtype)
    multiply(left, right, out)
    np.testing.assert_array_equal(out, np.einsum("abrt,btc->abrc", left, right))


@pytest.mark.parametrize("dtype", ["float64", "complex64", "int64"])
@pytest.mark.parametrize("terms", [1, 5, 6, 17])
def test_pieces_of_a_sum_add_up_to_the_product(
    dtype: str, terms: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_pairs, "small_product", lambda dtype: 6 * 2 * 3)
    monkeypatch.setattr(_pairs, "_SHORTEST", 1)
    rng = np.random.default_rng(0)
    left, right = (rng.integers(-9, 9, (4, rows, terms)).astype(dtype) for rows in (2, 3))
    assert alone(2, 3, np.dtype(dtype))
    product = paired(left, right)
    assert product.dtype == dtype
    np.testing.assert_array_equal(product, np.einsum("nrt,nct->nrc", left, right))


def test_matrices_of_many_entries_are_left_to_the_threads_of_blas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pairs, "small_product", lambda dtype: 10**6)
    assert alone(100, 100, FLOAT)
    assert not alone(1000, 100, FLOAT)
    left, right = np.ones((1000, 40)), np.ones((100, 40))
    assert (paired(left, right) == 40).all()


def test_the_entries_added_up_are_those_of_each_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pairs, "small_product", lambda dtype: 10**6)
    assert summands(10, 10, 100, FLOAT) == 100
    assert summands(10, 10, 50_000, FLOAT) == 500
    assert summands(1000, 1000, 50_000, FLOAT) == 1e6


@pytest.mark.parametrize("most", [1, 100, 10**6])
def test_parts_of_the_rows_are_those_of_the_product(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pairs, "small_product", lambda dtype: most)
    rng = np.random.default_rng(0)
    left, right = rng.integers(-9, 9, (5, 3, 12, 4)) + 1j, rng.integers(-9, 9, (5, 3, 4, 7)) - 2j
    np.testing.assert_array_equal(parted(left, right), left @ right)
    turned = left.swapaxes(-1, -2)
    again = rng.integers(-9, 9, (5, 3, 12, 2)) + 0j
    np.testing.assert_array_equal(parted(turned, again), turned @ again)
    np.testing.assert_array_equal(parted(left, right[..., :1]), left @ right[..., :1])
