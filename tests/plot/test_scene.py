"""What a scene shows of an output is what W says that it reads."""

import numpy as np
import pytest

pytest.importorskip("matplotlib")

from matplotlib.figure import Figure

from convops import Conv, ConvGeometry, ConvTranspose
from convops.plot._scene import MOST_CELLS, Scene, direction_of, places_of
from oracles import Array


def cells_in(artists: list[object], gid: str) -> list[tuple[int, int]]:
    """Return the (row, column) of all squares of a collection."""
    (found,) = [artist for artist in artists if artist.get_gid() == gid]  # type: ignore[attr-defined]
    corners: list[Array] = [path.vertices.min(axis=0) for path in found.get_paths()]  # type: ignore[attr-defined]
    return sorted({(round(y - 0.05), round(x - 0.05)) for x, y in corners})


@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (1, 2), (2, 3)])
def test_the_cells_of_an_output_are_those_that_its_row_of_w_reads(stride: int, dilation: int) -> None:
    A = Conv(np.ones((2, 3)), (9, 8), stride=stride, dilation=dilation)
    rows = A.toarray().reshape(*A.output_shape, *A.input_shape)
    scene = Scene(Figure().add_subplot(), A.geometry, False)
    assert scene.outputs == A.output_shape
    assert scene.all_outputs() == list(np.ndindex(A.output_shape))
    for output in scene.all_outputs():
        read = cells_in(scene.highlight(output, np.array([1.0, 0, 0])), "read")
        assert read == [tuple(place) for place in np.argwhere(rows[output]).tolist()]


def test_padding_is_drawn_around_the_input_and_read_as_well() -> None:
    A = Conv(np.ones((3, 3)), (4, 5), padding=1)
    scene = Scene(Figure().add_subplot(), A.geometry, False)
    assert scene.cells == (6, 7)
    assert len(cells_in(list(scene.ax.collections), "entries")) == 20
    assert len(cells_in(list(scene.ax.collections), "padding")) == 22
    assert len(cells_in(scene.highlight((0, 0), np.array([1.0, 0, 0])), "read")) == 9


def test_on_one_axis_each_cell_that_is_read_is_joined_to_the_output() -> None:
    scene = Scene(Figure().add_subplot(), ConvGeometry((3,), (7,), stride=2), False)
    artists = scene.highlight((1,), np.array([0.0, 0, 1]))
    (links,) = [artist for artist in artists if artist.get_gid() == "links"]
    starts, ends = np.moveaxis(np.array(links.get_segments()), 1, 0)
    np.testing.assert_allclose(starts[:, 0], [2.5, 3.5, 4.5])
    np.testing.assert_allclose(ends, [ends[0]] * 3)
    assert ends[0, 0] == pytest.approx(3.5)


def test_what_is_not_filled_shows_its_lines_alone() -> None:
    scene = Scene(Figure().add_subplot(), ConvGeometry((3,), (7,)), False)
    shown = [artist.get_gid() for artist in scene.highlight((0,), np.array([0.0, 0, 1]), fill=False)]
    assert shown == ["output", "links"]


def test_a_transpose_has_the_inputs_of_w_for_outputs() -> None:
    A = ConvTranspose([1.0, 2, 1], 4, stride=2)
    geometry, backwards = direction_of(A, None)
    assert geometry is A.geometry
    assert backwards
    assert Scene(Figure().add_subplot(), geometry, backwards).outputs == A.output_shape
    assert direction_of(A, False) == (A.geometry, False)
    assert direction_of(A.geometry, None) == (A.geometry, False)


def test_what_is_no_geometry_or_cannot_be_seen_is_refused() -> None:
    with pytest.raises(TypeError, match="geometry=3: it must be a ConvGeometry, a Conv or a ConvTranspose"):
        direction_of(3, None)
    with pytest.raises(ValueError, match="pictures show 1 or 2 spatial axes; it has 3"):
        direction_of(ConvGeometry((1, 1, 1), (2, 2, 2)), None)
    with pytest.raises(ValueError, match=f"at most {MOST_CELLS} of each"):
        direction_of(ConvGeometry((1,), (MOST_CELLS + 1,)), None)


@pytest.mark.parametrize(
    ("outputs", "shape", "places"),
    [
        (None, (4,), [(9,)]),
        (2, (4,), [(2,)]),
        ([2, 0], (4,), [(2,), (0,)]),
        ((1, 2), (4, 5), [(1, 2)]),
        ([(1, 2), (3, 4)], (4, 5), [(1, 2), (3, 4)]),
    ],
)
def test_outputs_are_one_index_or_several(
    outputs: object, shape: tuple[int, ...], places: list[tuple[int, ...]]
) -> None:
    assert places_of(outputs, shape, [(9,)]) == places


def test_an_output_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match=r"axis 0 has 4 outputs, numbered from 0 to 3; got 4"):
        places_of(4, (4,), [])
    with pytest.raises(ValueError, match=r"an index of 2 number\(s\), without the channel"):
        places_of([(1,)], (4, 5), [])
