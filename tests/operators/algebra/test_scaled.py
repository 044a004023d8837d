"""A multiple conjugates its scalar under the adjoint, and keeps the precision of what it multiplies."""

import numpy as np
import pytest

from convops import Conv, check_adjoint

WEIGHT = np.array([[1.0, -2.0], [3.0, 0.5]])


@pytest.mark.parametrize("scalar", [3, -0.5, 2 - 1j])
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_a_multiple_is_that_of_the_matrix(dtype: str, scalar: complex) -> None:
    A = Conv(WEIGHT.astype(dtype), (3, 4))
    W = A.toarray()
    for op in (scalar * A, A * scalar):
        assert op.toarray() == pytest.approx(scalar * W)
        assert op.H.toarray() == pytest.approx(np.conj(scalar) * W.conj().T)
        assert op.T.toarray() == pytest.approx(scalar * W.T)
        assert check_adjoint(op)


def test_a_number_of_python_widens_no_precision() -> None:
    A = Conv(WEIGHT.astype(np.float32), (3, 4))
    assert (0.1 * A).dtype == np.float32
    assert (1j * A).dtype == np.complex64
    assert (np.float64(0.1) * A).dtype == np.float64
    assert repr(-A).startswith("<6x12 Scaled: -Conv[6x12]")
