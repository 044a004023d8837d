"""Differences are numpy's, the divergence is minus the adjoint of the gradient, to the last bit."""

import numpy as np
import pytest

from convops import check_adjoint, difference, divergence, gradient, laplacian
from registry import BOUNDARIES


@pytest.mark.parametrize("order", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("axis", [0, 1, -1])
def test_a_difference_is_numpys_inside(order: int, axis: int) -> None:
    x = np.random.default_rng(0).integers(-9, 9, (9, 8)).astype(float)
    D = difference(x.shape, axis, order=order)
    inside = [slice(None)] * 2
    inside[axis] = slice(order // 2, x.shape[axis] - (order - order // 2))
    assert D.output_shape == x.shape
    assert np.array_equal(D(x)[tuple(inside)], np.diff(x, order, axis))


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_the_divergence_is_minus_the_adjoint_of_the_gradient(boundary: str) -> None:
    G, div = (make((4, 5), boundary=boundary) for make in (gradient, divergence))
    assert np.array_equal(div.toarray(), -G.toarray().T)
    assert check_adjoint(G)
    assert check_adjoint(div)


@pytest.mark.parametrize("boundary", ["wrap", "symmetric"])
def test_the_laplacian_is_the_divergence_of_the_gradient(boundary: str) -> None:
    L = divergence((4, 5), boundary=boundary) @ gradient((4, 5), boundary=boundary)
    assert np.array_equal(laplacian((4, 5), boundary=boundary).toarray(), L.toarray())


def test_axes_that_are_left_out_are_left_alone() -> None:
    G = gradient((3, 4, 5), axes=(1, 2), dtype=np.float32)
    assert G.output_shape == (2, 3, 4, 5)
    assert G.dtype == np.float32
    assert laplacian((3, 4, 5), axes=(-1,)).weight.shape == (1, 1, 3)
