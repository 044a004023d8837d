"""The cells that `spy` colours are the entries of W, each in the colour of its tap."""

import time
from typing import Any

import numpy as np
import pytest

from convops import Conv, ConvGeometry, ConvTranspose
from convops.plot import spy
from convops.plot._colours import ramp
from plot.test_entries import GEOMETRIES, taps_by_loops

pytest.importorskip("matplotlib")

Array = np.ndarray[Any, np.dtype[Any]]


def picture(A: Any, **more: Any) -> Any:
    """The picture in axes that no layout moves."""
    from matplotlib.figure import Figure

    return spy(A, Figure().subplots(), **more)


def image_of(ax: Any) -> Array:
    (image,) = ax.images
    return np.asarray(image.get_array())


def covers(ax: Any, shape: tuple[int, int]) -> bool:
    return ax.get_xlim() == (-0.5, shape[1] - 0.5) and ax.get_ylim() == (shape[0] - 0.5, -0.5)


@pytest.mark.parametrize("name", GEOMETRIES)
def test_each_entry_has_the_colour_of_its_tap(name: str) -> None:
    weight_shape, input_shape, more = GEOMETRIES[name]
    geometry = ConvGeometry(weight_shape, input_shape, **more)
    ax = picture(geometry)
    image, taps = image_of(ax), taps_by_loops(geometry)
    assert image.shape == (*geometry.shape, 4)
    assert covers(ax, geometry.shape)
    assert set(zip(*image[:, :, 3].nonzero(), strict=True)) == set(taps)
    colours = ramp(int(np.prod(geometry.kernel_size)))
    for place, meeting in taps.items():
        one = colours[np.ravel_multi_index(min(meeting), geometry.kernel_size)]
        assert np.allclose(image[place][:3], one if len(meeting) == 1 else 0.55)


def test_the_legend_names_the_taps_in_their_colours() -> None:
    legend = picture(ConvGeometry((2, 3), (4, 4))).get_legend()
    names = [text.get_text() for text in legend.get_texts()]
    assert names == ["(0, 0)", "(0, 1)", "(0, 2)", "(1, 0)", "(1, 1)", "(1, 2)"]
    assert np.allclose([patch.get_facecolor()[:3] for patch in legend.get_patches()], ramp(6))
    meeting = picture(ConvGeometry(3, 6, padding=1, boundary="edge")).get_legend()
    assert [text.get_text() for text in meeting.get_texts()] == ["0", "1", "2", "several"]


def test_many_taps_have_a_colour_bar() -> None:
    ax = picture(ConvGeometry((5, 5), (9, 9)))
    assert ax.get_legend() is None
    (bar,) = [other for other in ax.figure.axes if other is not ax]
    assert [text.get_text() for text in bar.get_yticklabels()] == [
        "(0, 0)", "(1, 1)", "(2, 2)", "(3, 3)", "(4, 4)",
    ]  # fmt: skip
    assert len(picture(ConvGeometry((5, 5), (9, 9)), legend=False).figure.axes) == 1


def test_lines_lie_between_channels_and_rows_of_the_image() -> None:
    geometry = ConvGeometry((3, 2, 2, 2), (2, 4, 5))  # 3 * 3 * 4 rows, 2 * 4 * 5 columns
    ax = picture(geometry)
    upright = {
        segment[0][0]
        for lines in ax.collections
        for segment in lines.get_segments()
        if segment[0][0] == segment[1][0]
    }
    level = {
        segment[0][1]
        for lines in ax.collections
        for segment in lines.get_segments()
        if segment[0][1] == segment[1][1]
    }
    assert upright == {5 * k - 0.5 for k in range(1, 8)}
    assert level == {4 * k - 0.5 for k in range(1, 9)}
    assert not picture(geometry, lines=False).collections
    strong = [lines for lines in ax.collections if lines.get_linewidth()[0] > 0.8]
    assert {tuple(s[0]) for lines in strong for s in lines.get_segments()} == {
        (19.5, -0.5),
        (-0.5, 11.5),
        (-0.5, 23.5),
    }


def test_large_matrices_are_drawn_by_cells_that_hold_an_entry() -> None:
    A = Conv(np.ones((3, 3)), (40, 40), padding=1)
    ax = picture(A)
    image = image_of(ax)
    rows, columns = A.toarray().nonzero()
    high = wide = -(-1600 // image.shape[0])
    assert high > 1
    assert image.shape[0] == image.shape[1] == -(-1600 // high)
    expected = np.zeros(image.shape[:2], bool)
    expected[rows // high, columns // wide] = True
    assert np.array_equal(image[:, :, 3] > 0, expected)
    assert covers(ax, A.shape)
    assert ax.images[0].get_extent() == [-0.5, image.shape[1] * wide - 0.5, image.shape[0] * high - 0.5, -0.5]


def test_a_cell_of_several_entries_has_their_mean_colour() -> None:
    geometry = ConvGeometry(2, 4001)
    image = image_of(picture(geometry))
    high = -(-4000 // image.shape[0])
    assert high > 1
    # The first cell holds rows 0 to high - 1: tap 0 once in each, tap 1 in all but the last.
    colours = ramp(2)
    mean = (high * colours[0] + (high - 1) * colours[1]) / (2 * high - 1)
    assert np.allclose(image[0, 0, :3], mean)


def test_a_million_rows_are_drawn_in_seconds_and_by_no_more_cells_than_pixels() -> None:
    start = time.perf_counter()
    ax = spy(ConvTranspose(np.ones((3, 3), np.float32), (1000, 1000), padding=1))
    assert time.perf_counter() - start < 5
    image = image_of(ax)
    box = ax.get_window_extent()
    assert image.shape[0] <= box.height
    assert image.shape[1] <= box.width
    # The bands about the diagonal fill its cells, and reach no further than one beside it.
    row, column = image[:, :, 3].nonzero()
    assert np.diag(image[:, :, 3]).all()
    assert np.abs(row - column).max() <= 1


def test_an_image_that_no_machine_holds_is_drawn() -> None:
    ax = picture(ConvGeometry((2, 2, 3, 3), (2, 2**20, 2**20), padding=1))
    image = image_of(ax)
    assert covers(ax, (2**41, 2**41))
    half = image.shape[0] // 2
    for rows in (image[: half - 1], image[half + 1 :]):
        assert all(
            part[:, :, 3].any(axis=1).mean() > 0.98 for part in (rows[:, : half - 1], rows[:, half + 1 :])
        )


def test_a_fault_in_the_colours_is_seen() -> None:
    # What the first test would miss, if it compared nothing.
    geometry = ConvGeometry(2, 4)
    image = image_of(picture(geometry)).copy()
    image[0, [0, 1]] = image[0, [1, 0]]
    assert not np.allclose(image[0, 0, :3], ramp(2)[0])
