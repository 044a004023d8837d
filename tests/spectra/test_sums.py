"""The sums bound the norm, and are not taken where they take long."""

import numpy as np
import pytest

from convops import Conv
from convops.spectra._sums import _are_fast, norm_of_sums
from registry import CASES, Case, weights_for


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_norm_is_no_larger_than_the_root_of_numpys_sums(case: Case) -> None:
    A = Conv(weights_for(case, "complex128"), case.input_shape, **case.kwargs())
    W = A.toarray()
    bound = norm_of_sums(A.geometry, A._map.correlated)
    assert bound == pytest.approx(np.sqrt(np.linalg.norm(W, 1) * np.linalg.norm(W, np.inf)))
    assert np.linalg.norm(W, 2) <= bound * (1 + 1e-12)


def test_sums_that_take_longer_than_some_hundred_products_are_not_taken() -> None:
    rng = np.random.default_rng(0)
    for kernel, size, fast in (
        ((3, 3), (64, 64), True),
        ((301,), (2000,), False),
        ((63, 63), (64, 64), False),
    ):
        for boundary in ("reflect", "zeros"):
            A = Conv(rng.standard_normal(kernel), size, padding="same", boundary=boundary)
            assert _are_fast(A.geometry) == fast
            assert (norm_of_sums(A.geometry, A.weight) is not None) == fast
    assert _are_fast(Conv(rng.standard_normal(30_001), 60_000).geometry)
