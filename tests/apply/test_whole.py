"""The product as one dense matrix against the loops."""

import numpy as np
import pytest

from convops.apply import _whole
from convops.apply._whole import Whole
from registry import Case, matrix_of, weights_for
from tilings import (
    GEOMETRIES,
    PRECISIONS,
    assert_every_gradient_is_paired_with_its_matrices,
    assert_every_tiling_is_the_matrix,
    problem_of,
    tilings_of,
)

SMALL = [case for case in GEOMETRIES if tilings_of(Whole, case, "float64", False)]


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_the_whole_is_the_matrix(case: Case) -> None:
    assert_every_tiling_is_the_matrix(Whole, case)


@pytest.mark.parametrize(("dtype", "of_x"), PRECISIONS)
@pytest.mark.parametrize("case", SMALL[::5], ids=str)
def test_the_whole_is_the_matrix_in_every_precision(case: Case, dtype: str, of_x: str) -> None:
    assert_every_tiling_is_the_matrix(Whole, case, dtype, of_x)


def test_the_entries_are_those_of_the_matrix_itself() -> None:
    for case in SMALL:
        if case.groups > 1 or case.flip or case.boundary != "zeros":
            continue
        weight = weights_for(case)
        (tiling,) = tilings_of(Whole, case, "float64", False)
        columns = 1 if not case.has_channels else case.weight_shape[1]
        shape = (1, -1, columns, *[1] * (len(case.kernel) == 1), *case.kernel)
        np.testing.assert_array_equal(tiling.matrices(weight.reshape(shape))[0].T, matrix_of(case, weight))


def test_a_matrix_of_many_entries_is_left_to_tiles() -> None:
    for size, candidates in [(128, 1), (129, 0)]:
        case = Case("one tap each", (1,), (size,))
        assert _whole._MOST == 128**2
        assert len(list(Whole.candidates(problem_of(case, "float64", False)))) == candidates
    groups = Case("groups", (4, 1, 1), (4, 65), groups=4)
    assert not tilings_of(Whole, groups, "float64", False)


def test_a_stride_beyond_all_sizes_takes_no_memory() -> None:
    case = Case("huge stride", (3,), (8,), stride=2**40, padding=1)
    assert_every_tiling_is_the_matrix(Whole, case)


@pytest.mark.parametrize("case", SMALL, ids=str)
def test_gradients_of_the_whole_are_paired_with_their_matrices(case: Case) -> None:
    assert_every_gradient_is_paired_with_its_matrices(Whole, case)
