"""Axes are taken or made, and texts are as large as their cells allow."""

import numpy as np
import pytest

from convops.plot._axes import axes_for, checked_axes, font_that_fits, points_per_unit

pytest.importorskip("matplotlib")


def test_axes_in_any_arrangement_are_taken_in_order() -> None:
    from matplotlib.figure import Figure

    given = Figure().subplots(2, 2)
    assert checked_axes(given, 4) == given.ravel().tolist()
    assert checked_axes(given.tolist(), 4) == given.ravel().tolist()
    assert checked_axes(given[0, 0], 1) == [given[0, 0]]
    with pytest.raises(ValueError, match=r"^axes=.* 3 panels.* got 4\. .*pyplot\.subplots\(1, 3\)"):
        checked_axes(given, 3)
    with pytest.raises(TypeError, match=r"^axes=.* got NoneType"):
        checked_axes([given[0, 0], None], 2)


def test_new_axes_have_the_size_and_belong_to_pyplot() -> None:
    from matplotlib import pyplot

    ax = axes_for("spy", None, (3.0, 2.0))
    assert ax.figure.get_size_inches().tolist() == [3, 2]
    assert pyplot.gcf() is ax.figure


def test_a_unit_takes_as_many_points_as_it_is_drawn_with() -> None:
    from matplotlib.figure import Figure

    ax = Figure((5, 4), dpi=50).add_axes((0, 0, 1, 1))
    ax.set(xlim=(0, 10), ylim=(8, 0))
    assert points_per_unit(ax) == pytest.approx((36, 36))
    ax.set(xlim=(0, 20), aspect="equal")
    assert points_per_unit(ax) == pytest.approx((18, 18))


@pytest.mark.parametrize("text", ["0", "−2", "0.333", "1234567"])
@pytest.mark.parametrize("cell", [8.0, 15.0, 40.0])
def test_a_text_of_that_size_fits_its_cell(text: str, cell: float) -> None:
    from matplotlib.figure import Figure

    size = font_that_fits(text, cell, cell)
    assert size == 0 or 4 <= size <= 11
    figure = Figure(dpi=72)
    box = figure.text(0.5, 0.5, text, fontsize=size or 1).get_window_extent()
    assert max(box.width, box.height) <= cell
    assert np.isfinite(size)
