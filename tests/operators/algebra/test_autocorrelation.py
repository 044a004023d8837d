"""Where WᴴW, or WWᴴ, is a convolution, its kernel is the autocorrelation that numpy computes."""

from typing import Any

import numpy as np
import pytest

from convops import Conv
from convops.operators.algebra.autocorrelation import gram_map

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_the_kernel_is_numpys_autocorrelation(dtype: str) -> None:
    taps = RNG.standard_normal(4).astype(dtype)
    if dtype == "complex128":
        taps += 1j * RNG.standard_normal(4)
    found = gram_map(Conv(taps, 9, padding="same", boundary="wrap")._map, False)
    assert found is not None
    assert found.weight == pytest.approx(np.correlate(taps, taps, "full"))


@pytest.mark.parametrize(
    ("padding", "boundary", "stride", "of_rows", "is_one"),
    [
        ("same", "wrap", 1, False, True),
        ("same", "wrap", 1, True, True),
        ("full", "zeros", 1, False, True),
        ("full", "zeros", 1, True, False),
        ("valid", "zeros", 1, True, True),
        ("valid", "zeros", 1, False, False),
        ("same", "zeros", 1, False, False),
        ("same", "symmetric", 1, False, False),
        ("same", "wrap", 2, False, False),
    ],
)
def test_it_is_one_where_no_tap_is_cut_off(
    padding: str, boundary: str, stride: int, of_rows: bool, is_one: bool
) -> None:
    A = Conv(RNG.standard_normal((2, 3, 3)), (3, 8), padding=padding, boundary=boundary, stride=stride)
    found: Any = gram_map(A._map, of_rows)
    assert (found is not None) == is_one
    if found is not None:
        W = A.toarray()
        expected = W @ W.T if of_rows else W.T @ W
        assert Conv._of(found, False).toarray() == pytest.approx(expected)
