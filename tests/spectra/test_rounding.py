"""A product is off by no more than is reckoned with, however it is taken."""

import numpy as np
import pytest

from convops import Conv
from convops.spectra._rounding import MANY_TAPS, UNIT, has_many_taps, operator_of
from convops.spectra._symbol import norm_of_sizes
from registry import BOUNDARIES


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize(("kernel", "shape"), [((33, 32), (40, 37)), ((1100,), (1500,))])
def test_a_product_that_is_transformed_is_off_by_less_than_many_taps_would_be(
    kernel: tuple[int, ...], shape: tuple[int, ...], boundary: str
) -> None:
    rng = np.random.default_rng(0)
    weight, x = rng.standard_normal(kernel), rng.standard_normal(shape)
    A = Conv(weight, shape, padding="same", boundary=boundary, method="fft")
    assert has_many_taps(A.geometry)
    true = A.tosparse().astype(np.longdouble) @ x.ravel().astype(np.longdouble)
    off = float(np.linalg.norm((A(x).ravel() - true).astype(float)))
    reckoned = 8 * UNIT * MANY_TAPS * norm_of_sizes(A.geometry, weight) * np.linalg.norm(x)
    assert 1e-8 * reckoned < off <= reckoned


@pytest.mark.parametrize(
    ("kernel", "many"), [((15, 15), False), ((MANY_TAPS,), False), ((MANY_TAPS + 1,), True)]
)
def test_few_taps_are_added_up_as_they_stand(kernel: tuple[int, ...], many: bool) -> None:
    A = Conv(np.ones(kernel), (400, 400)[: len(kernel)], padding="same")
    assert has_many_taps(A.geometry) == many
    assert operator_of(A.geometry, A.weight)._map.method == (A._map.method if many else "gemm")
