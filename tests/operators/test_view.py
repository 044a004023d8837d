"""A view of a map finds its partner on the other side, the one that is in use before it makes another."""

import gc
import pickle
from typing import Any

import numpy as np
import pytest

from convops import Conv, KernelOperator
from convops.operators.view import MapView

MADE = {
    "Conv": lambda values: Conv(values, (5, 6)),
    "KernelOperator": lambda values: KernelOperator(values, (2, 2)),
}
VALUES = np.arange(12.0).reshape(3, 4)


@pytest.fixture(params=MADE)
def make(request: pytest.FixtureRequest) -> Any:
    return MADE[request.param]


def test_there_are_four_views_of_a_complex_map_and_two_of_a_real_one(make: Any) -> None:
    A = make(VALUES + 1j)
    assert isinstance(A, MapView)
    assert len({id(view) for view in (A, A.T, A.H, A.T.H)}) == 4
    assert (A.T.T, A.H.H, A.T.H.H) == (A, A, A.T)
    real = make(VALUES)
    assert real.T is real.H


def test_a_partner_that_is_in_use_is_found_from_either_side(make: Any) -> None:
    A = make(VALUES)
    B = A.T
    assert B.T is A
    del A
    gc.collect()
    again = B.T
    assert again.T is B


def test_views_share_their_map(make: Any) -> None:
    A = make(VALUES)
    assert A.T._map is A._map
    assert pickle.loads(pickle.dumps(A.T)).shape == A.T.shape == A.shape[::-1]
