"""An operator in PyLops is the same operator: its dot test passes, and its solvers take it."""

from types import ModuleType

import numpy as np
import pytest

from convops import Conv, vstack
from convops.interop import to_pylops


@pytest.fixture(scope="module")
def pylops() -> ModuleType:
    return pytest.importorskip("pylops")


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex128"])
def test_the_dot_test_of_pylops_passes(pylops: ModuleType, dtype: str) -> None:
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((3, 4)) + (1j * rng.standard_normal((3, 4)) if dtype[0] == "c" else 0)
    A = Conv(weight.astype(dtype), (8, 9), padding="same", boundary="reflect")
    for op in (A, A.H, vstack([A, A])):
        P = to_pylops(op)
        assert (P.shape, P.dtype, P.dims, P.dimsd) == (op.shape, op.dtype, op.input_shape, op.output_shape)
        rtol = 1e-4 if dtype == "float32" else 1e-9
        np.random.seed(0)  # noqa: NPY002 -- the dot test draws from it
        assert pylops.utils.dottest(P, *P.shape, rtol=rtol, complexflag=3 if dtype[0] == "c" else 0)


def test_products_take_and_give_images(pylops: ModuleType) -> None:
    A = Conv([[1.0, -1.0]], (4, 5))
    P, x = to_pylops(A), np.arange(20.0).reshape(4, 5)
    np.testing.assert_array_equal(P @ x, A(x))
    np.testing.assert_array_equal(P.H @ A(x), A.H(A(x)))
    np.testing.assert_array_equal(P @ x.ravel(), A @ x.ravel())


def test_what_knows_no_arrays_is_refused_in_words() -> None:
    with pytest.raises(TypeError, match=r"op=3: .*input_shape and output_shape; got int"):
        to_pylops(3)
