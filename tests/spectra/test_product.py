"""W is the Kronecker product of the factors that are found, and of no others."""

import numpy as np
import pytest

from convops import Conv
from convops.spectra._product import factors_of
from registry import BOUNDARIES


@pytest.mark.parametrize("boundary", [*BOUNDARIES, ("antireflect", "zeros", "symmetric")])
def test_the_kronecker_product_of_the_factors_is_the_matrix(boundary: str | tuple[str, ...]) -> None:
    weight = np.einsum("i,j,k->ijk", [0.1, -0.7, 0.3], [0.2, 0.9], [1.0, 0, -1 / 3])
    for given, shape in ((weight, (5, 4, 6)), (weight[None, None], (1, 5, 4, 6))):
        A = Conv(
            given,
            shape,
            padding=((1, 2), (0, 1), (2, 2)),
            stride=(1, 2, 1),
            dilation=(2, 1, 1),
            boundary=boundary,
        )
        found = factors_of(A.geometry, given)
        assert found is not None
        product = np.ones((1, 1))
        for geometry, factor in found.factors:
            W = Conv(
                factor,
                geometry.input_shape,
                stride=geometry.stride,
                padding=geometry.padding,
                dilation=geometry.dilation,
                boundary=geometry.boundary,
            )
            product = np.kron(product, W.toarray())
        np.testing.assert_allclose(product, A.toarray(), rtol=0, atol=1e-15)
        assert np.linalg.norm(product - A.toarray(), 2) <= found.rest + 1e-15


def test_what_is_no_product_of_axes_has_no_factors() -> None:
    kernel = np.outer([1.0, 2, 1], [1.0, 0, -1])
    changed = kernel + 1e-10 * np.eye(3)
    for weight, shape in (
        (changed, (6, 6)),
        (np.eye(3), (6, 6)),
        (kernel[0], (6,)),
        (np.stack([kernel, kernel])[:, None], (1, 6, 6)),
        (np.stack([kernel, kernel])[None], (2, 6, 6)),
    ):
        assert factors_of(Conv(weight, shape, padding="same").geometry, weight) is None
    assert factors_of(Conv(kernel, (6, 6)).geometry, kernel + 1e-15 * np.eye(3)) is not None
