"""A transposition of axes is numpy's, its adjoint the inverse."""

from itertools import permutations

import numpy as np
import pytest

from convops import check_adjoint
from convops.operators.algebra.axes import Transposition

SHAPE = (2, 3, 4)


@pytest.mark.parametrize("order", list(permutations(range(3))), ids=str)
def test_products_are_those_of_numpy(order: tuple[int, ...]) -> None:
    P = Transposition(SHAPE, order, np.dtype("c16"))
    x = np.arange(48.0).reshape(2, *SHAPE)
    y = P(x)
    np.testing.assert_array_equal(y, x.transpose(0, *(1 + axis for axis in order)))
    np.testing.assert_array_equal(P.H(y), x)
    columns = x.reshape(2, -1).T
    np.testing.assert_array_equal(P @ columns, y.reshape(2, -1).T)
    np.testing.assert_array_equal(P.toarray() @ columns, P @ columns)
    np.testing.assert_array_equal((P.H @ P).toarray(), np.eye(24))
    assert not np.may_share_memory(y, x)
    assert check_adjoint(P)
