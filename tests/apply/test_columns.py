"""All that a place reads, in one column, against the loops."""

import numpy as np
import pytest

from convops.apply._columns import Columns
from registry import CASES, Case
from tilings import (
    GEOMETRIES,
    LONGER,
    PRECISIONS,
    assert_every_gradient_is_paired_with_its_matrices,
    assert_every_tiling_is_the_matrix,
    small_blocks,
    tilings_of,
)


@pytest.mark.parametrize("case", GEOMETRIES, ids=str)
def test_columns_are_the_matrix(case: Case) -> None:
    assert_every_tiling_is_the_matrix(Columns, case)


@pytest.mark.parametrize("case", GEOMETRIES, ids=str)
def test_small_blocks_of_columns_are_the_matrix(case: Case) -> None:
    with small_blocks():
        assert_every_tiling_is_the_matrix(Columns, case)


@pytest.mark.parametrize(("dtype", "of_x"), PRECISIONS)
@pytest.mark.parametrize("case", CASES[1::5], ids=str)
def test_columns_are_the_matrix_in_every_precision(case: Case, dtype: str, of_x: str) -> None:
    with small_blocks():
        assert_every_tiling_is_the_matrix(Columns, case, dtype, of_x)


def test_small_blocks_are_several_along_every_axis() -> None:
    case = next(case for case in LONGER if case.name == "2d larger")
    with small_blocks():
        ((tiling),) = tilings_of(Columns, case, "float64", False)
        blocks = list(tiling._blocks(3))
    for axis in range(2):
        assert len({block.places[axis] for block in blocks}) > 1
    assert {block.batch for block in blocks} == {(0, 1), (1, 2), (2, 3)}


def test_columns_tell_of_what_they_spread_where_a_phase_leaves_a_gap_alone() -> None:
    out = np.zeros((2, 1, 3, 20, 30))
    for stride, adjoint, told in [(1, False, 0), (1, True, 0), (2, False, 0), (2, True, 1)]:
        case = Case("few channels", (3, 3, 3, 3), (3, 20, 30), stride, "same", (2, 1))
        (tiling,) = tilings_of(Columns, case, "float64", adjoint)
        assert len(tiling.telling(out)) == told


@pytest.mark.parametrize("case", GEOMETRIES, ids=str)
def test_gradients_of_columns_are_paired_with_their_matrices(case: Case) -> None:
    with small_blocks():
        assert_every_gradient_is_paired_with_its_matrices(Columns, case)
