"""The convolutions that one can be shrunk to are smaller, valid, and cut from it."""

from math import prod

import numpy as np
import pytest

from convops import Conv
from convops.operators.smaller import smaller_maps
from registry import CASES, METHODS, Case, matrix_of, weights_for

PARTS = ("stride", "dilation", "padding", "boundary")


def simplicity(geometry: object) -> tuple[int, ...]:
    """Return numbers of which a simpler convolution has no larger one, and some smaller one."""
    return (
        geometry.groups,
        prod(geometry.input_shape),
        prod(geometry.weight_shape),
        *(sum(value not in (1, (0, 0), "zeros") for value in getattr(geometry, name)) for name in PARTS),
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_is_simpler_and_of_the_same_method(case: Case, method: str) -> None:
    if not case.suits(method):
        return
    A = Conv(weights_for(case, method=method), case.input_shape, **case.kwargs(), method=method)
    for smaller in smaller_maps(A._map):
        before, after = simplicity(A.geometry), simplicity(smaller.geometry)
        assert all(new <= old for new, old in zip(after, before, strict=True))
        assert after != before
        assert (smaller.method, smaller.flip, smaller.dtype) == (A.method, A.flip, A.dtype)
        assert smaller.weight.shape == smaller.geometry.weight_shape


@pytest.mark.parametrize("case", CASES, ids=str)
def test_each_is_the_convolution_that_its_geometry_and_weight_say(case: Case) -> None:
    A = Conv(weights_for(case, "int64"), case.input_shape, **case.kwargs())
    for operator in A._convops_smaller():
        geometry = operator.geometry
        names = ("weight_shape", "input_shape", "stride", "padding", "dilation", "groups", "boundary")
        cut = Case("cut", *(getattr(geometry, name) for name in names), flip=A.flip)
        np.testing.assert_array_equal(operator.toarray(), matrix_of(cut, operator.weight))
        inside = tuple(slice(size) for size in operator.weight.shape)
        np.testing.assert_array_equal(operator.weight, A.weight[inside])


def test_the_trivial_convolution_has_none() -> None:
    assert not list(smaller_maps(Conv([2.0], 1)._map))
    assert not list(smaller_maps(Conv([[[2.0]]], (1, 1))._map))
