"""Colors of columns, against the one thing they are for: no row reads a color twice."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array

from convops import ConvGeometry
from convops._coloring import geometry_colors, matrix_colors
from oracles import Array
from registry import CASES, Case, cases, magnitude_of


def reads_of(case: Case) -> Array:
    """Which input each output reads, from the loops."""
    return magnitude_of(case, np.ones(case.weight_shape, int))[0] != 0


def assert_colors(reads: Array, colors: Array, count: int) -> None:
    for row in reads:
        assert np.unique(colors[row]).size == row.sum()
    np.testing.assert_array_equal(colors >= 0, reads.any(axis=0))
    assert set(colors[colors >= 0].tolist()) <= set(range(count))
    assert count >= reads.sum(axis=1).max()


@pytest.mark.parametrize("case", CASES, ids=str)
def test_no_row_of_a_geometry_reads_a_color_twice(case: Case) -> None:
    geometry = ConvGeometry(case.weight_shape, case.input_shape, **case.geometry())
    assert_colors(reads_of(case), *geometry_colors(geometry))


@given(cases())
@settings(max_examples=60)
def test_no_row_of_any_geometry_reads_a_color_twice(case: Case) -> None:
    geometry = ConvGeometry(case.weight_shape, case.input_shape, **case.geometry())
    assert_colors(reads_of(case), *geometry_colors(geometry))


@given(st.integers(1, 12), st.integers(1, 12), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_no_row_of_a_sparse_matrix_reads_a_color_twice(
    rows: int, columns: int, density: float, seed: int
) -> None:
    reads = np.random.default_rng(seed).random((rows, columns)) < density
    assert_colors(reads, *matrix_colors(csr_array(reads)))


@pytest.mark.parametrize(
    ("weight_shape", "input_shape", "more", "count"),
    [
        # As many as the kernel has taps, whatever stride and dilation ...
        ((5, 5), (40, 30), {"padding": 2}, 25),
        ((3, 3), (33, 31), {"stride": 2, "dilation": 2}, 9),
        ((3,), (50,), {"stride": 5}, 3),
        ((3,), (50,), {"dilation": 7, "padding": 4}, 3),
        # ... times the channels of a group ...
        ((4, 3, 3, 3), (3, 33, 31), {"stride": 2, "dilation": 2}, 27),
        ((6, 2, 3), (6, 20), {"groups": 3}, 6),
        # ... and with every boundary that folds onto what the kernel reads anyway.
        *[
            ((5, 5), (40, 30), {"padding": 2, "boundary": boundary}, 25)
            for boundary in ("reflect", "symmetric", "edge", "antireflect", "wrap")
        ],
        # A ring has one more where it is no multiple of the kernel.
        ((5,), (41,), {"padding": "same", "boundary": "wrap"}, 6),
        ((3,), (16,), {"padding": "same", "boundary": "wrap", "dilation": 2}, 4),
        ((3,), (18,), {"padding": "same", "boundary": "wrap", "dilation": 2}, 3),
        # Fewer columns than taps, and columns that no output reads.
        ((9,), (4,), {"padding": "full"}, 4),
        ((1,), (10,), {"stride": 3}, 1),
        ((2,), (3,), {"padding": ((0, 9),), "stride": 4}, 2),
    ],
    ids=str,
)
def test_a_geometry_has_as_many_colors_as_its_longest_row(
    weight_shape: tuple[int, ...], input_shape: tuple[int, ...], more: dict[str, object], count: int
) -> None:
    assert geometry_colors(ConvGeometry(weight_shape, input_shape, **more))[1] == count  # type: ignore[arg-type]


def test_a_ring_that_a_strided_kernel_does_not_fill_has_no_more_colors_than_its_rows() -> None:
    geometry = ConvGeometry(2, 3, stride=2, padding=1, boundary="wrap")
    assert geometry_colors(geometry)[1] == 2


def test_the_columns_with_the_most_neighbors_come_first_where_that_is_better() -> None:
    # A path whose natural order starts at both ends: first fit takes three colors, two are enough.
    reads = np.zeros((3, 4), bool)
    for row, pair in enumerate([(0, 2), (2, 3), (3, 1)]):
        reads[row, list(pair)] = True
    colors, count = matrix_colors(csr_array(reads))
    assert_colors(reads, colors, count)
    assert count == 2


def test_a_dense_row_gives_every_column_a_color_of_its_own() -> None:
    reads = csr_array(np.ones((1, 500), bool))
    colors, count = matrix_colors(reads)
    assert count == 500
    assert sorted(colors.tolist()) == list(range(500))


def test_a_matrix_without_entries_has_no_color() -> None:
    colors, count = matrix_colors(csr_array((3, 4), dtype=bool))
    assert (colors.tolist(), count) == ([-1] * 4, 0)
