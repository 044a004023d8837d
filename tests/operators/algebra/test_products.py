"""Products go through their factors from the right, powers through one again and again."""

import numpy as np
import pytest

from convops import Conv, check_adjoint, identity

RNG = np.random.default_rng(0)
A, B = Conv(RNG.standard_normal((2, 3)), (5, 6)), Conv(RNG.standard_normal((2, 2)), (4, 4))
S = Conv(RNG.standard_normal((3, 3)), (4, 5), padding="same")


def test_products_are_flat_and_those_of_the_matrices() -> None:
    op = B @ A
    assert op.parts == (B, A)
    assert (op @ A.H).parts == (B, A, A.H)
    assert op.toarray() == pytest.approx(B.toarray() @ A.toarray())
    assert op.H.parts == (A.H, B.H)
    assert check_adjoint(op)


@pytest.mark.parametrize("exponent", [1, 2, 3])
def test_powers_are_those_of_the_matrix(exponent: int) -> None:
    op = S**exponent
    expected = np.linalg.matrix_power(S.toarray(), exponent)
    assert op.toarray() == pytest.approx(expected)
    assert op(np.ones((4, 5))).ravel() == pytest.approx(expected.sum(axis=1))
    assert op.T.toarray() == pytest.approx(expected.T)


def test_factors_that_do_not_fit_are_refused_with_the_fix() -> None:
    with pytest.raises(ValueError, match=r"must take the arrays that the right one returns.*identity\(20\)"):
        identity((5, 4)) @ S
    with pytest.raises(ValueError, match="elements"):
        A @ B
