"""The matrix of a band against the one relation."""

from itertools import product

import numpy as np
import pytest

from convops.apply._band import Band
from convops.apply._lanes import Added, LaidOut
from registry import Case
from tilings import GEOMETRIES, problem_of, small_blocks


def bands_of(case: Case, rows: int) -> list[Band]:
    problems = [problem_of(case, "float64", adjoint) for adjoint in (False, True)]
    return [
        Band(problem, rows, way(problem.readings[-1])) for problem in problems for way in (LaidOut, Added)
    ]


def ones_for(case: Case, band: Band) -> np.ndarray:
    problem = band.problem
    taps = (1, *case.kernel) if len(case.kernel) == 1 else case.kernel
    return np.ones((problem.groups, problem.rows, problem.columns, *taps))


@pytest.mark.parametrize("case", GEOMETRIES, ids=str)
def test_the_matrix_holds_nothing_outside_of_its_slabs(case: Case) -> None:
    with small_blocks():
        for band in [*bands_of(case, 1), *bands_of(case, 2)]:
            matrices = band.matrices(ones_for(case, band))
            assert matrices.shape[-2:] == (band.outer, band.inner)
            assert matrices.any()
            for slab in band.slabs:
                matrices[:, :, slab.rows, slab.reads] = 0
            assert not matrices.any()


@pytest.mark.parametrize("case", GEOMETRIES, ids=str)
def test_each_tap_stands_once_for_each_place_and_pair_of_channels(case: Case) -> None:
    for rows, number in product((1, 3), range(4)):
        band = bands_of(case, rows)[number]
        weight = ones_for(case, band)
        assert band.matrices(weight).sum() == rows * weight.sum()


def test_a_band_by_hand() -> None:
    """Two places of two rows of taps: laid out for two columns of taps, or to be added."""
    case = Case("2d", (2, 2), (4, 5))
    laid, added, *_ = bands_of(case, 2)
    weight = np.array([[1, 2], [3, 4]]).reshape(1, 1, 1, 2, 2)
    np.testing.assert_array_equal(laid.matrices(weight)[0, 0], [[1, 2, 3, 4, 0, 0], [0, 0, 1, 2, 3, 4]])
    np.testing.assert_array_equal(added.matrices(weight)[0, 0], [[1, 3, 0], [2, 4, 0], [0, 1, 3], [0, 2, 4]])


def test_phases_are_multiplied_apart_where_they_fill_the_registers() -> None:
    case = Case("stride 2", (16, 4, 3, 3), (4, 40, 50), stride=2, padding=1)
    *_, laid, added = bands_of(case, 1)
    # One tap and two of sixteen channels each, laid out for two offsets, or once.
    assert [slab.inner for slab in laid.slabs] == [32, 64]
    assert [slab.inner for slab in added.slabs] == [16, 32]
    assert laid.entries == 8 * (32 + 64)
    few = Case("stride 2", (1, 1, 3, 3), (1, 40, 50), stride=2, padding=1)
    assert all(len(band.slabs) == 1 for band in bands_of(few, 1))
    assert all(len(band.slabs) == 1 for band in bands_of(case, 2))


@pytest.mark.parametrize(("before", "heights"), [(1, [18, 24]), (2, [24, 18])])
def test_no_phase_but_the_last_ends_at_an_odd_row(before: int, heights: list[int]) -> None:
    """Seven taps of three channels, at two phases of three and four taps: the border tells which is first."""
    case = Case("stride 2", (64, 3, 7, 7), (3, 40, 50), stride=2, padding=before)
    band = bands_of(case, 1)[-1]
    assert [slab.height for slab in band.slabs] == heights
    assert [slab.inner for slab in band.slabs] == [64 * (height // 6) for height in heights]
