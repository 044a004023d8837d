"""The norm of what is made of operators lies between the bounds, and near them where the parts say so."""

from typing import Any

import numpy as np
import pytest
from scipy.sparse.linalg import aslinearoperator

from composites import composites_of
from convops import Conv, KernelOperator, block_diag, gradient, hstack, operator_norm, selection, vstack
from registry import CASES

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize("case", CASES[::9], ids=str)
def test_the_norm_of_every_composite_lies_between(case: Any, dtype: str) -> None:
    for name, A, matrix in composites_of(case, dtype):
        if "SciPy" in name:
            continue
        norm = np.linalg.norm(matrix, 2)
        found = operator_norm(A)
        assert found.lower <= norm * (1 + 1e-12) <= found.upper * (1 + 2e-12), name
        assert found.lower >= 0.98 * norm - 1e-6, name
        assert np.linalg.norm(A(found.vector)) == pytest.approx(found.lower, rel=1e-5, abs=1e-6), name


def test_what_the_parts_say_is_close_for_gradient_blocks_multiples_and_selections() -> None:
    A, B = (Conv(RNG.standard_normal((3, 3)), (9, 8), padding="same", boundary="wrap") for _ in range(2))
    seen = RNG.random((9, 8)) > 0.1
    for op, near in (
        (gradient((40, 41)), 1.001),
        (block_diag([A, B]), 1.000001),
        (-2.5 * A, 1.000001),
        (A.gram(), 1.000001),
        (vstack([A, A]), 1.000001),
        (hstack([A, A]), 1.000001),
        (selection(seen) @ A, 1.1),
    ):
        found = operator_norm(op)
        assert found.lower <= found.upper <= near * found.lower, op


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e155, 1e200, 1e300])
def test_the_ends_of_the_range_are_no_different(scale: float) -> None:
    kernel = RNG.standard_normal(5)
    one, two = (Conv(kernel * factor, 40, padding="same", boundary="edge") for factor in (1, scale))
    true = np.linalg.norm(one.toarray(), 2)
    for op, times in (
        (scale * one, 1),
        (block_diag([two, one * scale]), 1),
        (vstack([two, two]), np.sqrt(2)),
    ):
        found = operator_norm(op)
        assert found.lower / scale == pytest.approx(times * true, rel=1e-6)
        assert found.lower <= found.upper <= 1.001 * found.lower


def test_a_part_of_which_nothing_is_known_is_refused() -> None:
    A = Conv(np.ones(3), 9, padding="same")
    for part in (aslinearoperator(np.eye(9)), KernelOperator(np.ones(11), 3)):
        with pytest.raises(TypeError, match="operator_norm takes a Conv"):
            operator_norm(A @ part)


def test_a_norm_beyond_float64_is_refused() -> None:
    A = Conv([1e300], 3)
    with pytest.raises(OverflowError, match="larger than float64"):
        operator_norm(A.gram())
