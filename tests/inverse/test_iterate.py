"""Iterations end at the residual that was asked for, from any start, in any precision."""

from typing import Any

import numpy as np
import pytest

from convops import Conv, gradient
from convops.inverse._iterate import MOST_ITERATIONS, _squared_columns, by_cg, by_lsmr
from convops.inverse._problem import relative
from convops.inverse._progress import Progress
from convops.inverse.tikhonov import problem_of
from oracles import Array

LINE = np.exp(-0.5 * (np.arange(-3, 4) / 1.2) ** 2)
KERNEL = np.outer(LINE, LINE) / LINE.sum() ** 2
RNG = np.random.default_rng(0)


def problem(dtype: str = "float64", reg: str | None = None, boundary: str = "edge") -> Any:
    A = Conv(KERNEL.astype(dtype), (15, 16), padding="same", boundary=boundary)
    b = RNG.standard_normal((2, *A.output_shape)).astype(dtype)
    return problem_of(A, b, 0.05, reg)[0]


@pytest.mark.parametrize("solve", [by_cg, by_lsmr])
@pytest.mark.parametrize("reg", [None, "gradient"])
@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_the_residual_is_what_was_asked_for(dtype: str, reg: str | None, solve: Any) -> None:
    given = problem(dtype, reg)
    for start in (None, np.ones((2, given.A.shape[1]), given.wide)):
        before = None if start is None else start.copy()
        x: Array = solve(given, start, 1e-6, MOST_ITERATIONS, Progress(False, None))
        assert x.dtype == given.wide
        assert (relative(given.residuals(x)[1], given.right_side) <= 1e-6).all()
        assert start is None or np.array_equal(start, before)


@pytest.mark.parametrize("solve", [by_cg, by_lsmr])
def test_each_right_hand_side_has_so_many_iterations_at_most(solve: Any) -> None:
    progress = Progress(False, None)
    solve(problem(), None, 1e-12, 3, progress)
    assert progress.iterations == 6


def test_columns_are_scaled_where_their_norms_differ() -> None:
    ramp = Conv(np.ones((3, 3)), (15, 16), stride=4)
    L = gradient((15, 16))
    even = problem_of(Conv(KERNEL, (15, 16), padding="same", boundary="wrap"), np.ones((15, 16)), 0.1, None)[
        0
    ]
    uneven = problem_of(ramp, np.ones(ramp.output_shape), 0.1, None)[0]
    found = _squared_columns(uneven)
    assert _squared_columns(even) is None
    assert found == pytest.approx((ramp.toarray() ** 2).sum(axis=0) + 0.01)
    assert _squared_columns(problem_of(L, np.ones(L.output_shape), 0.1, None)[0]) is None
