"""The cells and lines of a picture are those of loops over outputs and taps."""

from itertools import product
from typing import Any

import numpy as np
import pytest

from convops import Conv, ConvGeometry, ConvTranspose
from convops.plot import plot_geometry
from convops.plot._colours import ramp
from pictures import squares_of

pytest.importorskip("matplotlib")


def collection(ax: Any, gid: str) -> list[Any]:
    return [found for found in ax.collections if found.get_gid() == gid]


def lines_of(ax: Any) -> list[tuple[float, float]]:
    """Where each line between the two rows of one axis starts and ends, in cells of the input."""
    return [
        (float(start[0]) - 0.5, float(end[0]) - 0.5)
        for lines in collection(ax, "links")
        for start, end in lines.get_segments()
    ]


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("padding", [(0, 0), (1, 2)])
def test_on_one_axis_a_line_joins_each_tap_to_its_output(
    stride: int, dilation: int, padding: tuple[int, int]
) -> None:
    geometry = ConvGeometry(3, 8, stride=stride, padding=[padding], dilation=dilation)
    ax = plot_geometry(geometry)
    expected = []
    for p in range(geometry.output_shape[0]):
        middle = stride * p + dilation  # of the window, counted from the first cell of the padding
        expected += [(stride * p + dilation * k, middle) for k in range(3)]
    assert sorted(lines_of(ax)) == sorted(expected)
    before, after = padding
    everything = {(0.0, float(cell)) for cell in range(before + 8 + after)}
    entries = {(0.0, float(before + q)) for q in range(8)}
    assert squares_of(ax, "entries") == entries
    assert squares_of(ax, "padding") == everything - entries


def test_the_lines_and_the_output_have_one_colour() -> None:
    ax = plot_geometry(ConvGeometry(2, 5), outputs=[3, 0])
    for number, lines in enumerate(collection(ax, "links")):
        assert np.allclose(lines.get_colors()[:, :3], ramp(2)[number])
        assert np.allclose(collection(ax, "output")[number].get_facecolor()[:, :3], ramp(2)[number])
    assert sorted(lines_of(ax)) == [(0, 0.5), (1, 0.5), (3, 3.5), (4, 3.5)]


@pytest.mark.parametrize("output", [(0, 0), (1, 2), (2, 1)])
def test_on_two_axes_the_filled_cells_are_those_that_are_read(output: tuple[int, int]) -> None:
    geometry = ConvGeometry((3, 2), (5, 7), stride=(1, 2), padding=((1, 0), (0, 2)), dilation=(1, 3))
    assert geometry.output_shape == (4, 3)
    ax = plot_geometry(geometry, outputs=output)
    expected = {
        (output[0] + k, 2 * output[1] + 3 * j) for k, j in product(range(3), range(2))
    }  # counted from the corner of the padding
    assert squares_of(ax, "read") == expected
    (frame,) = [patch for patch in ax.patches if patch.get_gid() == "window"]
    assert frame.get_xy() == (2 * output[1], output[0])
    assert (frame.get_width(), frame.get_height()) == (4, 3)
    entries = {(float(1 + row), float(column)) for row, column in np.ndindex(5, 7)}
    assert squares_of(ax, "entries") == entries
    assert (
        squares_of(ax, "padding")
        == {(float(row), float(column)) for row, column in np.ndindex(6, 9)} - entries
    )
    outputs = squares_of(ax, "outputs")
    top, left = min(outputs)
    assert outputs == {(top + row, left + column) for row, column in np.ndindex(4, 3)}
    assert squares_of(ax, "output") == {(top + output[0], left + output[1])}


def test_the_transpose_spreads_its_input_and_slides_by_one() -> None:
    B = ConvTranspose(np.ones((3, 3)), (3, 4), stride=2, padding=1)
    for output in ((0, 0), (1, 2), (4, 6)):
        ax = plot_geometry(B, outputs=[output])
        # One cell of border, entries at every second cell, a border again.
        assert squares_of(ax, "entries") == {
            (1.0 + 2 * row, 1.0 + 2 * column) for row, column in np.ndindex(3, 4)
        }
        assert squares_of(ax, "read") == {
            (float(output[0] + k), float(output[1] + j)) for k, j in np.ndindex(3, 3)
        }
        # The entries among them are the row of the matrix.
        rows, columns = B.tosparse()[[int(np.ravel_multi_index(output, B.output_shape))], :].nonzero()
        feeding = {(1.0 + 2 * (column // 4), 1.0 + 2 * (column % 4)) for column in columns}
        assert squares_of(ax, "read") & squares_of(ax, "entries") == feeding
        assert rows.size == len(feeding)


def test_the_direction_is_that_of_the_operator_or_as_asked() -> None:
    A = Conv(np.ones(2), 6, stride=2)
    texts = {
        name: [text.get_text() for text in ax.texts if text.get_text()[0] in "io"]
        for name, ax in {
            "A": plot_geometry(A),
            "A.geometry": plot_geometry(A.geometry),
            "A.T": plot_geometry(A.T),
            "A.geometry, transposed": plot_geometry(A.geometry, transposed=True),
            "A.T, not transposed": plot_geometry(A.T, transposed=False),
        }.items()
    }
    forwards, backwards = ["input 6", "output 3"], ["input 3, spread by stride 2", "output 6"]
    assert texts == {
        "A": forwards,
        "A.geometry": forwards,
        "A.T": backwards,
        "A.geometry, transposed": backwards,
        "A.T, not transposed": forwards,
    }


def test_the_padding_says_what_it_holds() -> None:
    ax = plot_geometry(ConvGeometry(3, 4, padding=2, boundary="reflect"))
    texts = sorted(ax.texts[2:], key=lambda text: text.get_position()[0])
    assert [text.get_text() for text in texts] == ["2", "1", "0", "1", "2", "3", "2", "1"]
    assert ax.texts[0].get_text() == 'input 4, padding 2, "reflect"'
    flat = plot_geometry(ConvGeometry((3, 1), (2, 2), padding=((1, 1), (0, 0)), boundary="wrap"))
    assert [text.get_text() for text in flat.texts[2:]] == ["1,0", "1,1", "0,0", "0,1"]


def test_channels_are_not_drawn() -> None:
    layer = plot_geometry(ConvGeometry((4, 2, 3), (2, 8)))
    assert lines_of(layer) == lines_of(plot_geometry(ConvGeometry(3, 8)))


def test_outputs_are_indices_in_every_form() -> None:
    geometry = ConvGeometry((2, 2), (4, 4))
    for outputs in ((1, 2), [1, 2], [(1, 2)], ((1, 2),), np.array([[1, 2]])):
        assert squares_of(plot_geometry(geometry, outputs=outputs), "read") == {
            (1.0, 2.0), (1.0, 3.0), (2.0, 2.0), (2.0, 3.0),
        }  # fmt: skip
    line = ConvGeometry(2, 4)
    assert lines_of(plot_geometry(line, outputs=1)) == lines_of(plot_geometry(line, outputs=[(1,)]))
    assert lines_of(plot_geometry(line, outputs=[])) == []
    assert len(lines_of(plot_geometry(ConvGeometry(1, 30)))) == 12
