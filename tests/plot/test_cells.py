"""Cells lie where their row and column say, and texts in their middle."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

from convops.plot._cells import draw_squares, squares, write_in_cells


def test_a_square_has_its_upper_left_at_its_row_and_column() -> None:
    found = squares([(0, 0), (2, 5)])
    assert found.tolist() == [[[0, 0], [1, 0], [1, 1], [0, 1]], [[5, 2], [6, 2], [6, 3], [5, 3]]]


def test_a_gap_is_left_at_all_four_sides() -> None:
    (corners,) = squares([(1, 3)], gap=0.25)
    np.testing.assert_allclose(corners.min(axis=0), [3.25, 1.25])
    np.testing.assert_allclose(corners.max(axis=0), [3.75, 1.75])


def test_no_places_make_no_squares() -> None:
    assert squares([]).shape == (0, 4, 2)


def test_squares_are_one_collection_that_leaves_the_limits_alone() -> None:
    ax = Figure().add_subplot()
    before = ax.dataLim.frozen()
    drawn = draw_squares(ax, iter([(7, 8), (9, 10)]), "mine", facecolor="red")
    np.testing.assert_array_equal(ax.dataLim.get_points(), before.get_points())
    assert [one for one in ax.collections if one.get_gid() == "mine"] == [drawn]
    assert len(drawn.get_paths()) == 2


def test_texts_stand_in_the_middle_of_their_cells_and_empty_ones_are_left_out() -> None:
    ax = Figure().add_subplot()
    written = write_in_cells(ax, {(0, 0): "a", (1, 0): "", (2, 3): "±"}, 7.0, "black", alpha=0.5)
    assert [(text.get_text(), text.get_position()) for text in written] == [
        ("a", (0.5, 0.5)),
        ("±", (3.5, 2.5)),
    ]
    assert {text.get_fontsize() for text in written} == {7.0}
    assert {text.get_alpha() for text in written} == {0.5}
