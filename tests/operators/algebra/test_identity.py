"""The identity returns a copy, whatever the shape and the dtype."""

import numpy as np
import pytest

from convops import check_adjoint, identity


@pytest.mark.parametrize("dtype", ["int64", "float32", "complex128"])
@pytest.mark.parametrize("shape", [(5,), (2, 3)])
def test_what_goes_in_comes_out_as_a_copy(shape: tuple[int, ...], dtype: str) -> None:
    op = identity(shape, dtype)
    x = np.arange(2 * np.prod(shape)).reshape(2, *shape).astype(dtype)
    found = op(x)
    assert np.array_equal(found, x)
    assert found.dtype == dtype
    assert not np.shares_memory(found, x)
    assert np.array_equal(op.toarray(), np.eye(op.shape[0]))
    assert op.T is op
    assert op.H is op
    assert check_adjoint(op)


def test_an_int_is_a_shape_of_one_axis() -> None:
    assert identity(4).input_shape == identity(4).output_shape == (4,)
