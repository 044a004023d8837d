"""Residuals are those of the dense problem, row by row."""

import numpy as np
import pytest

from convops import Conv, gradient
from convops.inverse._problem import arrays_of, relative
from convops.inverse.tikhonov import problem_of

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_residuals_are_those_of_the_dense_problem(dtype: str) -> None:
    A = Conv(RNG.standard_normal((3, 3)).astype(dtype), (5, 6), padding="same")
    L = gradient(A.input_shape)
    b, x = RNG.standard_normal((2, 30)), RNG.standard_normal((2, 30))
    problem, batch = problem_of(A, b.reshape(2, 5, 6), 0.5, "gradient")
    W, D = A.toarray().astype("complex128"), gradient(A.input_shape, boundary="zeros").toarray()
    misfit, normal = problem.residuals(x)
    assert batch == (2,)
    assert problem.wide == ("complex128" if dtype == "complex64" else "float64")
    assert misfit == pytest.approx(b - x @ W.T, rel=1e-6)
    assert normal == pytest.approx((b - x @ W.T) @ W.conj() - 0.25 * x @ (D.T @ D), rel=1e-5, abs=1e-5)
    assert problem.right_side == pytest.approx(b @ W.conj(), rel=1e-5)
    assert problem.L.shape == L.shape


def test_arrays_have_an_axis_of_channels() -> None:
    b = RNG.standard_normal((2, 3, 5, 6))
    plain, channels = Conv(np.ones((1, 1)), (5, 6)), Conv(np.ones((3, 2, 1, 1)), (2, 5, 6))
    assert arrays_of(problem_of(2 * plain, b, 1, None)[0]).shape == (6, 1, 5, 6)
    assert np.array_equal(arrays_of(problem_of(channels, b, 1, None)[0]), b)


def test_nothing_over_nothing_is_0_and_something_over_nothing_infinite() -> None:
    rows = np.array([[3.0, 4.0], [0.0, 0.0], [1.0, 0.0]])
    reference = np.array([[0.0, 10.0], [0.0, 0.0], [0.0, 0.0]])
    assert relative(rows, reference).tolist() == [0.5, 0.0, np.inf]
