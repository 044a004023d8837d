"""Products of every tap, added up, against the loops."""

import numpy as np
import pytest

from convops.apply import _sums
from convops.apply._sums import Sums
from registry import CASES, Case, magnitude_of
from tilings import (
    GEOMETRIES,
    LONGER,
    PRECISIONS,
    assert_every_gradient_is_paired_with_its_matrices,
    assert_every_tiling_is_the_matrix,
    block_of,
    engine_of,
    small_blocks,
    tilings_of,
)


@pytest.mark.parametrize("case", GEOMETRIES, ids=str)
def test_sums_are_the_matrix(case: Case) -> None:
    assert_every_tiling_is_the_matrix(Sums, case)


@pytest.mark.parametrize("case", GEOMETRIES, ids=str)
def test_small_blocks_of_sums_are_the_matrix(case: Case) -> None:
    with small_blocks():
        assert_every_tiling_is_the_matrix(Sums, case)


@pytest.mark.parametrize(("dtype", "of_x"), PRECISIONS)
@pytest.mark.parametrize("case", CASES[2::5], ids=str)
def test_sums_are_the_matrix_in_every_precision(case: Case, dtype: str, of_x: str) -> None:
    with small_blocks():
        assert_every_tiling_is_the_matrix(Sums, case, dtype, of_x)


def test_small_blocks_are_several() -> None:
    case = next(case for case in LONGER if case.name == "2d larger")
    with small_blocks():
        tilings = tilings_of(Sums, case, "float64", False)
    assert [tiling._small for tiling in tilings] == [True, False]
    assert tilings[0]._height == 1
    assert len(tilings[0]._blocks) == 13


def test_products_that_are_small_as_they_are_come_in_one_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_sums, "small_product", lambda dtype: 10**6)
    case = Case("few channels", (3, 3, 3, 3), (3, 20, 30), padding="same")
    (tiling,) = tilings_of(Sums, case, "float64", False)
    assert tiling._small
    many = Case("many channels", (48, 48, 3, 3), (48, 20, 30), padding="same")
    tilings = tilings_of(Sums, many, "float64", False)
    assert [tiling._small for tiling in tilings] == [True, False]
    assert [list(tiling._products()) for tiling in tilings] == [[(18, 24)], [(1, 18 * 24)]]


def test_taps_are_added_at_once_where_rows_match() -> None:
    for padding, at_once in [("same", True), ("valid", False)]:
        case = Case("channels", (3, 3, 3, 3), (3, 20, 30), padding=padding)
        for adjoint in (False, True):
            (tiling,) = tilings_of(Sums, case, "float64", adjoint)
            assert tiling._at_once is at_once


def test_low_blocks_of_tall_kernels_cost_what_is_added_to_each_row_they_reach() -> None:
    case = Case("tall", (64, 64, 15, 15), (64, 64, 64), padding="same")
    tiling = tilings_of(Sums, case, "float32", False)[0]
    per_row = 64 * 15 * 15 * 64
    multiplied = 64 * per_row
    added = sum(per_row * len(range(64)[overlap.places]) for overlap in tiling._overlaps.values())
    assert added > 13 * multiplied
    assert 2 * 4 * (multiplied + added) <= tiling.cost.nbytes < 1.1 * 2 * 4 * (multiplied + added)


@pytest.mark.parametrize("rows", [1, 7, 8, 16, 17, 20, 48, 256])
def test_parts_of_the_channels_are_equal_and_no_more_than_asked_for_where_that_is_possible(rows: int) -> None:
    part = _sums._largest_divisor(rows, 16)
    assert rows % part == 0
    assert part <= 16 or all(rows % divisor for divisor in range(9, 17))


@pytest.mark.parametrize("case", GEOMETRIES[::3], ids=str)
def test_no_zero_is_multiplied_that_the_matrix_does_not_hold(case: Case) -> None:
    """A NaN goes to the results that read it, and to no other."""
    weight = np.ones(case.weight_shape)
    reads = magnitude_of(case, weight)[0] > 0
    engine = engine_of(case, weight, exact=True)
    rows, columns = case.shape
    x, y = np.ones((columns, columns)), np.ones((rows, rows))
    x[np.diag_indices(columns)] = y[np.diag_indices(rows)] = np.nan
    there = engine.forward(block_of(case, [*x.reshape(-1, *case.input_shape)]))
    back = engine.adjoint(block_of(case, [*y.reshape(-1, *case.output_shape)]))
    np.testing.assert_array_equal(np.isnan(there.reshape(columns, rows)), reads.T)
    np.testing.assert_array_equal(np.isnan(back.reshape(rows, columns)), reads)


@pytest.mark.parametrize("case", GEOMETRIES, ids=str)
def test_gradients_of_sums_are_paired_with_their_matrices(case: Case) -> None:
    with small_blocks():
        assert_every_gradient_is_paired_with_its_matrices(Sums, case)
