"""Windows of the last axis against the loops."""

import pytest

from convops.apply._windows import Windows
from registry import Case
from tilings import (
    GEOMETRIES,
    LONGER,
    PRECISIONS,
    assert_every_gradient_is_paired_with_its_matrices,
    assert_every_tiling_is_the_matrix,
    assert_tiling_is_the_matrix,
    problem_of,
    small_blocks,
    tilings_of,
)

SUITED = [case for case in GEOMETRIES if tilings_of(Windows, case, "float64", False)]


@pytest.mark.parametrize("case", SUITED, ids=str)
def test_windows_of_any_number_of_places_are_the_matrix(case: Case) -> None:
    assert_every_tiling_is_the_matrix(Windows, case)


@pytest.mark.parametrize("case", SUITED, ids=str)
def test_small_blocks_of_windows_on_several_threads_are_the_matrix(case: Case) -> None:
    with small_blocks():
        assert_every_tiling_is_the_matrix(Windows, case)


@pytest.mark.parametrize(("dtype", "of_x"), PRECISIONS)
@pytest.mark.parametrize("case", SUITED[::4], ids=str)
def test_windows_are_the_matrix_in_every_precision(case: Case, dtype: str, of_x: str) -> None:
    with small_blocks():
        assert_every_tiling_is_the_matrix(Windows, case, dtype, of_x)


@pytest.mark.parametrize("case", [case for case in LONGER if case in SUITED], ids=str)
def test_products_of_a_few_windows_each_and_what_is_left_over_are_the_matrix(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("convops.apply._windows.small_product", lambda dtype: 0)
    for adjoint in (False, True):
        problem = problem_of(case, "float64", adjoint)
        for rows in (1, 2, 3):
            tiling = Windows(problem, rows)
            assert tiling._stack == 16
            assert_tiling_is_the_matrix(tiling, case, adjoint)


def test_only_the_last_axis_may_read_more_than_itself() -> None:
    for case in GEOMETRIES:
        for adjoint in (False, True):
            readings = problem_of(case, "float64", adjoint).readings
            possible = all(reading.trivial for reading in readings[:-1])
            assert bool(tilings_of(Windows, case, "float64", adjoint)) is possible


@pytest.mark.parametrize("case", SUITED, ids=str)
def test_gradients_of_windows_are_paired_with_their_matrices(case: Case) -> None:
    with small_blocks():
        assert_every_gradient_is_paired_with_its_matrices(Windows, case)
