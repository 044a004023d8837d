"""Banded tiles against the loops."""

import numpy as np
import pytest

from convops.apply import _bands
from convops.apply._band import Band
from convops.apply._bands import Bands
from convops.apply._lanes import Added, LaidOut
from registry import CASES, Case
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


@pytest.mark.parametrize("case", GEOMETRIES, ids=str)
def test_bands_of_any_height_are_the_matrix(case: Case) -> None:
    assert_every_tiling_is_the_matrix(Bands, case)


@pytest.mark.parametrize("case", GEOMETRIES, ids=str)
def test_small_blocks_of_bands_on_several_threads_are_the_matrix(case: Case) -> None:
    with small_blocks():
        assert_every_tiling_is_the_matrix(Bands, case)


@pytest.mark.parametrize(("dtype", "of_x"), PRECISIONS)
@pytest.mark.parametrize("case", CASES[::5], ids=str)
def test_bands_are_the_matrix_in_every_precision(case: Case, dtype: str, of_x: str) -> None:
    with small_blocks():
        assert_every_tiling_is_the_matrix(Bands, case, dtype, of_x)


@pytest.mark.parametrize("case", LONGER, ids=str)
def test_heights_and_lengths_that_leave_a_remainder_are_the_matrix(case: Case) -> None:
    with small_blocks():
        for adjoint in (False, True):
            problem = problem_of(case, "float64", adjoint)
            for rows, lanes in [(3, 7), (5, 4), (7, 1)]:
                band = Band(problem, min(rows, problem.counts[-2]), LaidOut(problem.readings[-1]))
                tiling = Bands(band, min(lanes, problem.counts[-1]))
                assert_tiling_is_the_matrix(tiling, case, adjoint)


def test_small_blocks_are_several_of_several_bands_each() -> None:
    case = next(case for case in LONGER if case.name == "2d larger")
    with small_blocks():
        steps = [list(tiling._all_steps(3, 8)) for tiling in tilings_of(Bands, case, "float64", False)]
    assert min(len(found) for found in steps) > 9
    assert max(step.block.counts[-1] for found in steps for step in found) < 17


def test_candidates_are_of_more_and_more_rows_up_to_all_of_them_and_of_all_lengths() -> None:
    case = Case("wide", (3, 3), (50, 3000), padding="same")
    for adjoint in (False, True):
        tilings = tilings_of(Bands, case, "float64", adjoint)
        rows = [tiling.band.rows for tiling in tilings]
        assert rows == sorted(rows)
        assert (rows[0], rows[-1]) == (1, 50)
        for tiling in tilings:
            assert tiling._lanes >= _bands._SHORTEST


def test_bands_of_one_row_tell_of_what_they_spread_where_dilation_or_a_phase_leaves_a_gap_alone() -> None:
    out = np.zeros((2, 1, 1, 20, 30))
    for stride, dilation, adjoint, told in [
        (1, 1, False, False),
        (1, 1, True, False),
        (1, (1, 2), False, False),
        (1, (2, 1), False, True),
        (2, 1, False, False),
        (2, 1, True, True),
    ]:
        case = Case("2d", (3, 3), (20, 30), stride, "same", dilation)
        for tiling in tilings_of(Bands, case, "float64", adjoint):
            assert bool(tiling.telling(out)) is (told or tiling.band.rows > 1)


def test_taps_are_added_up_only_where_channels_are_many_and_neighbours_read_neighbours() -> None:
    for weight_shape, stride, ways in [
        ((2, 8, 3, 3), 1, {LaidOut, Added}),
        ((2, 7, 3, 3), 1, {LaidOut}),
        ((2, 8, 3, 1), 1, {LaidOut}),
        ((2, 8, 3, 3), 2, {LaidOut}),
    ]:
        case = Case("channels", weight_shape, (weight_shape[1], 60, 70), stride)
        assert {type(tiling.band.lane) for tiling in tilings_of(Bands, case, "float64", False)} == ways


def test_a_batch_of_another_size_or_dtype_has_blocks_of_its_own() -> None:
    case = LONGER[4]  # 2d larger
    (tiling, *_) = tilings_of(Bands, case, "float32", False)
    matrices = tiling.matrices(np.ones((1, 1, 1, 3, 4), np.float32))
    for batch, dtype in [(1, "float32"), (5, "float32"), (5, "complex64"), (1, "float32"), (2, "complex128")]:
        out = np.full((batch, 1, 1, 13, 17), np.nan, dtype)
        tiling.run(np.ones((batch, 1, 1, 13, 17), dtype), out, matrices.astype(dtype))
        assert (out[:, 0, 0, 1:-1, 1:-2] == 12).all()
        assert np.isfinite(out).all()


@pytest.mark.parametrize("case", GEOMETRIES, ids=str)
def test_gradients_of_bands_are_paired_with_their_matrices(case: Case) -> None:
    with small_blocks():
        assert_every_gradient_is_paired_with_its_matrices(Bands, case)
