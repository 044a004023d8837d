"""What `Conv` and `ConvTranspose` have in common beside the contract."""

import numpy as np

from convops import Conv, ConvTranspose
from registry import CASES, weights_for


def test_an_operator_keeps_no_hold_on_the_weight_it_was_given() -> None:
    weight = np.array([1.0, 2.0])
    A = Conv(weight, 3)
    weight[:] = 0
    np.testing.assert_array_equal(A.weight, [1, 2])
    np.testing.assert_array_equal(A @ np.ones(3), [3, 3])


def test_a_transpose_says_that_the_costs_are_those_of_the_convolution() -> None:
    case = next(case for case in CASES if case.name == "2d groups")
    A = Conv(weights_for(case), case.input_shape, **case.kwargs())
    B = ConvTranspose(weights_for(case), case.output_shape, **case.transposed_kwargs())
    for operator in (A.T, A.H, B):
        *same, last = operator.explain().splitlines()
        assert same == A.explain().splitlines()
        assert last.startswith("the costs are those of W x, the product of the Conv")
    assert B.T.explain() == A.explain()
