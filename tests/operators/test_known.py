"""What an operator tells of its matrix: dtypes, and what is refused."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from convops import Conv, ConvTranspose

LARGE = 2**62


@pytest.mark.parametrize(
    "ask",
    [
        lambda A: A.row_sums(),
        lambda A: A.column_sums(),
        lambda A: A.norm(1),
        lambda A: A.norm(np.inf),
        lambda A: A.trace(),
    ],
)
def test_integers_that_may_leave_int64_are_refused(ask: Callable[[Any], Any]) -> None:
    for A in (Conv([LARGE, LARGE], 3, padding="same"), Conv([LARGE, -LARGE], 3, padding="same").T):
        with pytest.raises(OverflowError, match=r"come to .*int64.*Give the weight as floats"):
            ask(A)


def test_integers_are_exact_up_to_the_end_of_int64() -> None:
    A = Conv([LARGE, LARGE - 2**40 - 1], 3, padding="same")
    assert A.row_sums().tolist() == [2 * LARGE - 2**40 - 1] * 2 + [LARGE]
    assert A.norm(1) == A.norm(np.inf) == 2 * LARGE - 2**40 - 1
    assert A.diagonal().tolist() == [LARGE] * 3


def test_sums_of_narrow_integers_are_int64_and_entries_must_fit() -> None:
    A = Conv([100, 100], 2, padding=((1, 0),), boundary="edge", dtype="int8")
    assert A.row_sums().tolist() == [200, 200]
    with pytest.raises(OverflowError, match=r"dtype=int8: the diagonal.* holds 200"):
        A.diagonal()


@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_floats_that_leave_their_dtype_are_refused(dtype: str) -> None:
    A = Conv(np.array([3e38, 3e38], dtype), 3)
    for ask in (A.row_sums, A.row_norms, A.norm, lambda: A.norm(np.inf)):
        with pytest.raises(OverflowError, match=r"leaves the range of \w+32|leaves the range of complex64"):
            ask()
    assert np.isfinite(Conv(np.array([2e38, 1e38], dtype), 3).row_sums()).all()


def test_only_a_square_matrix_has_a_trace() -> None:
    with pytest.raises(ValueError, match=r"trace of <2x3 Conv.* 2 rows and 3 columns.*padding=\"same\""):
        Conv([1, 2], 3).trace()


@pytest.mark.parametrize("ord", [2, "nuc", None, -1, True, [1], np.nan], ids=repr)
def test_other_norms_are_refused(ord: Any) -> None:
    with pytest.raises(ValueError, match=r"^ord=.*it must be 'fro', 1 or numpy.inf\."):
        Conv([1, 2], 3).norm(ord)
    with pytest.raises(ValueError, match=r"operator_norm"):
        Conv([1, 2], 3).norm(2)


def test_a_transposed_geometry_swaps_rows_and_columns() -> None:
    A = Conv(np.arange(1, 7).reshape(2, 1, 3), (1, 9), stride=2)
    B = ConvTranspose(A.weight, A.output_shape, stride=2, output_shape=A.input_shape)
    np.testing.assert_array_equal(B.row_sums(), A.column_sums())
    np.testing.assert_array_equal(B.column_norms(), A.row_norms())
    assert B.norm(1) == A.norm(np.inf)


def test_results_belong_to_the_caller() -> None:
    A = Conv([1.0, 2.0], 5)
    for ask in (A.row_sums, A.column_norms, A.diagonal, A.unread):
        ask()[:] = 0
    assert A.row_sums().tolist() == [3] * 4
    assert A.column_norms().any()


def test_what_no_machine_holds_is_refused_in_words() -> None:
    A = Conv(np.ones((3, 3)), (2**30, 2**31))
    for ask in (A.column_norms, A.row_sums, A.unread, A.diagonal):
        with pytest.raises(MemoryError, match=r"values that are known of W.* bytes"):
            ask()
