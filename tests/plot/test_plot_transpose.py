"""The panels are the placed kernels of the definition, and the last one is their sum."""

from typing import Any

import numpy as np
import pytest
from scipy.signal import convolve

import convops
from convops.plot import plot_transpose
from convops.plot._colours import pastel
from pictures import squares_of

pytest.importorskip("matplotlib")

Array = np.ndarray[Any, np.dtype[Any]]


def picture(x: Any, weight: Any, **more: Any) -> Any:
    """The picture in axes with room for all numbers, which no layout moves."""
    from matplotlib.figure import Figure

    count = np.size(x) + 3
    return plot_transpose(x, weight, Figure((3 * count, 3)).subplots(1, count), **more)


def numbers_of(ax: Any, shape: tuple[int, ...]) -> Array:
    """The numbers that stand in the cells, NaN where none does."""
    found = np.full((1, *shape)[-2:], np.nan)
    for text in ax.texts:
        if text.get_gid() is None:
            column, row = text.get_position()
            found[int(row), int(column)] = float(text.get_text().replace("−", "-"))
    return found.reshape(shape)


def placed(
    x: Array, weight: Array, shape: tuple[int, ...], at: tuple[int, ...], stride: int, before: int
) -> Array:
    """One entry times the kernel, put where stride and padding say; NaN where it does not reach."""
    found = np.full(shape, np.nan)
    for tap in np.ndindex(*weight.shape):
        place = tuple(stride * p + k - before for p, k in zip(at, tap, strict=True))
        if all(0 <= q < size for q, size in zip(place, shape, strict=True)):
            found[place] = x[at] * weight[tap]
    return found


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 0), (2, 1), (3, 0)])
@pytest.mark.parametrize("shapes", [((3,), (4,)), ((2, 2), (3, 2))], ids=["one axis", "two axes"])
def test_the_panels_are_placed_kernels_and_their_sum(shapes: Any, stride: int, padding: int) -> None:
    random = np.random.default_rng(0)
    x, weight = (random.integers(-5, 6, shape) for shape in shapes)
    panels = picture(x, weight, stride=stride, padding=padding)
    result = convops.conv_transpose(x, weight, stride=stride, padding=padding)
    assert len(panels) == x.size + 3
    assert np.array_equal(numbers_of(panels[0], x.shape), x)
    assert np.array_equal(numbers_of(panels[1], weight.shape), weight)
    total = np.zeros(result.shape)
    for panel, at in zip(panels[2:-1], np.ndindex(*x.shape), strict=True):
        expected = placed(x, weight, result.shape, at, stride, padding)
        assert np.array_equal(numbers_of(panel, result.shape), expected, equal_nan=True)
        reached = {tuple(float(i) for i in (0, *index)[-2:]) for index in np.argwhere(~np.isnan(expected))}
        assert squares_of(panel, "filled") == reached
        total += np.nan_to_num(expected)
    assert np.array_equal(numbers_of(panels[-1], result.shape), total)


def test_the_sum_is_the_full_convolution_of_scipy() -> None:
    x, weight = np.array([[1, 2], [3, 4]]), np.array([[1, -1], [0, 2]])
    panels = picture(x, weight)
    assert np.array_equal(numbers_of(panels[-1], (3, 3)), convolve(x, weight))


@pytest.mark.parametrize("boundary", ["wrap", "edge", "antireflect"])
def test_what_folds_back_is_drawn_where_it_lands(boundary: str) -> None:
    x, weight = np.array([1, 2, 3, 4]), np.array([1, 2, 3])
    more = {"padding": "same", "boundary": boundary}
    panels = picture(x, weight, **more)
    B = convops.ConvTranspose(weight, 4, **more)
    for number, panel in enumerate(panels[2:-1]):
        column = x[number] * B.toarray()[:, number]
        assert np.array_equal(np.nan_to_num(numbers_of(panel, (4,))), column)
    assert np.array_equal(numbers_of(panels[-1], (4,)), B(x))


def test_an_entry_and_what_it_makes_have_one_colour() -> None:
    panels = picture([1, 2, 3], [1, 1])
    (entries,) = [found for found in panels[0].collections if found.get_gid() == "filled"]
    for number, panel in enumerate(panels[2:-1]):
        (filled,) = [found for found in panel.collections if found.get_gid() == "filled"]
        assert np.allclose(filled.get_facecolor()[:, :3], pastel(3)[number])
        assert np.allclose(entries.get_facecolor()[number, :3], pastel(3)[number])


def test_zeros_of_the_kernel_are_drawn_too() -> None:
    panels = picture([[1, 2]], [[0, 1], [1, 0]])
    assert [len(squares_of(panel, "filled")) for panel in panels[2:4]] == [4, 4]


def test_fractions_and_complex_numbers_are_written_short() -> None:
    texts = [text.get_text() for text in picture([1 / 3, -2.0], [1.0])[-1].texts if not text.get_gid()]
    assert texts == ["0.333", "−2"]
    texts = [text.get_text() for text in picture([1.0], [1 - 1j])[-1].texts if not text.get_gid()]
    assert texts == ["1−1j"]


def test_signs_stand_before_what_is_added() -> None:
    signs = [
        [text.get_text() for text in panel.texts if text.get_gid() == "sign"]
        for panel in picture([1, 2, 3], [1])
    ]
    assert signs == [[], [], [], ["+"], ["+"], ["="]]


def test_numbers_that_could_not_be_read_are_left_out() -> None:
    from matplotlib.figure import Figure

    panels = plot_transpose(np.ones((3, 3)), np.ones((3, 3)) / 7, Figure((3, 1)).subplots(1, 12))
    assert all(not [text for text in panel.texts if text.get_gid() is None] for panel in panels)
    assert len(squares_of(panels[-1], "filled")) == 25
