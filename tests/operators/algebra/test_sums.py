"""A sum adds what its terms return, flat however it was typed."""

import numpy as np
import pytest

from convops import Conv, check_adjoint, identity

RNG = np.random.default_rng(0)
A, B, C = (Conv(RNG.standard_normal((3, 3)), (4, 5), padding="same") for _ in range(3))


def test_sums_are_flat_and_those_of_the_matrices() -> None:
    total = A + (B + C)
    assert total.parts == (A, B, C) == ((A + B) + C).parts
    assert total.toarray() == pytest.approx(A.toarray() + B.toarray() + C.toarray())
    assert (A - B).toarray() == pytest.approx(A.toarray() - B.toarray())
    assert check_adjoint(total)


def test_terms_between_other_arrays_are_refused() -> None:
    with pytest.raises(ValueError, match="must have one input_shape"):
        A + identity((5, 4))


def test_integers_whose_sum_leaves_int64_are_refused() -> None:
    big = Conv([2**40], 2)
    with pytest.raises(OverflowError, match="leave int64"):
        (big + big)(np.array([2**22, 0]))
