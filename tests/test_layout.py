"""Arrays with their channels anywhere are, moved, the arrays of the geometry; and the axis is checked."""

import re
from typing import Any

import numpy as np
import pytest

from convops import ConvGeometry
from convops._layout import Layout, arranged, position

SIZES = (3, 4, 5, 2)
"""Channels first."""


@pytest.mark.parametrize("axis", range(4))
def test_blocks_are_arrays_with_the_channels_moved(axis: int) -> None:
    first = np.random.default_rng(0).standard_normal((6, *SIZES))
    arrays = np.moveaxis(first, 1, axis + 1)
    mixed, shared = Layout(axis, False), Layout(axis, True)
    assert mixed.outside(SIZES) == arrays.shape[1:]
    assert np.array_equal(mixed.blocks(arrays), first)
    assert np.array_equal(mixed.arrays(first, 6), arrays)
    each = first.reshape(18, 1, *SIZES[1:])
    assert np.array_equal(shared.blocks(arrays), each)
    assert np.array_equal(shared.arrays(each, 6), arrays)
    assert shared.outside(arrays.shape[1:]) == arrays.shape[1:]
    for made in (mixed.blocks(arrays), mixed.arrays(first, 6)):
        assert made.flags.c_contiguous


@pytest.mark.parametrize("axis", range(4))
def test_numbers_are_those_of_the_moved_array(axis: int) -> None:
    numbers = np.arange(np.prod(SIZES)).reshape(SIZES)
    places = np.empty(numbers.size, int)
    places[np.moveaxis(numbers, 0, axis).ravel()] = np.arange(numbers.size)
    layout = Layout(axis, False)
    assert np.array_equal(layout.renumbered(np.arange(numbers.size), SIZES), places)
    assert [layout.renumbered(number, SIZES) for number in range(9)] == places[:9].tolist()
    assert Layout(axis, True).renumbered(7, SIZES) == 7


def test_one_kernel_for_all_channels_is_an_axis_of_one_tap() -> None:
    layout, geometry = arranged(
        (3, 2), (9, 4, 8), 1, False, stride=(2, 1), padding="same", dilation=2, boundary=("wrap", "edge")
    )
    assert layout == Layout(1, True)
    assert geometry == ConvGeometry(
        (3, 1, 2),
        (9, 4, 8),
        stride=(2, 1, 1),
        padding=((2, 2), (0, 0), (1, 1)),
        dilation=(2, 1, 2),
        boundary=("wrap", "zeros", "edge"),
    )
    assert layout.core(geometry) == ConvGeometry(
        (3, 2), (9, 8), stride=(2, 1), padding="same", dilation=2, boundary=("wrap", "edge")
    )
    assert layout.bare(geometry.weight_shape) == (3, 2)


def test_channels_that_mix_come_first_in_the_geometry() -> None:
    layout, geometry = arranged((6, 2, 3, 3), (9, 8, 4), -1, False, groups=2, stride=2)
    assert layout == Layout(2, False)
    assert geometry == ConvGeometry((6, 2, 3, 3), (4, 9, 8), groups=2, stride=2)
    assert layout.core(geometry) is geometry
    assert layout.bare(geometry.weight_shape) == (6, 2, 3, 3)
    assert arranged((6, 4, 3, 3), (4, 9, 8), 0, False)[0] is None
    assert arranged((3, 3), (9, 8), None, False) == (None, ConvGeometry((3, 3), (9, 8)))


@pytest.mark.parametrize(("channel_axis", "axis"), [(0, 0), (2, 2), (-1, 2), (-3, 0), (np.int64(1), 1)])
def test_an_axis_is_counted_from_either_end(channel_axis: Any, axis: int) -> None:
    assert position(channel_axis, (9, 8, 7)) == axis


@pytest.mark.parametrize(
    ("weight_shape", "input_shape", "channel_axis", "more", "error", "says"),
    [
        ((3, 3), (9, 8, 3), 3, {}, ValueError, "channel_axis=3: .* of shape (9, 8, 3): -3 to 2; got 3."),
        ((3, 3), (9, 8, 3), -4, {}, ValueError, "channel_axis=-4: it must be at least -3; got -4."),
        ((3, 3), (9, 8, 3), 1.0, {}, TypeError, "channel_axis=1.0: it must be an int"),
        ((3, 3), (9, 8, 3), True, {}, TypeError, "channel_axis=True: it must be an int"),
        ((3,), (9,), 0, {}, ValueError, "channel_axis=0: .* (9,) has no axis beside that of its channels"),
        ((3, 3, 3), (9, 8, 3), -1, {}, ValueError, "has 3 axes.* must have 2 (kernel alone.* or 4 (C_out"),
        ((2, 4, 3, 3), (9, 8, 3), -1, {}, ValueError, "input_shape=(9, 8, 3): axis 2 .* reads 4 .*; got 3."),
        ((3, 3), (9, 8, 4), -1, {"groups": 2}, ValueError, "groups=2: one kernel of shape (3, 3)"),
        (
            (3, 3),
            (2, 8, 3),
            -1,
            {},
            ValueError,
            "a weight of shape (3, 3): axis 0 of the kernel does not fit",
        ),
        ((3, 3), (9, 8, 3), -1, {"stride": (1, 1, 1)}, ValueError, "per spatial axis is needed, 2 of them"),
    ],
)
def test_what_does_not_fit_is_refused_as_it_was_typed(
    weight_shape: Any, input_shape: Any, channel_axis: Any, more: Any, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=re.escape(says).replace(r"\.\*", ".*")):
        arranged(weight_shape, input_shape, channel_axis, False, **more)


@pytest.mark.parametrize(
    ("weight_shape", "wanted", "says"),
    [
        (
            (3, 3),
            (19, 17, 4),
            "output_shape=(19, 17, 4): axis 2 is that of the channels.* 3 channels; got 4.",
        ),
        ((3, 3), (30, 17, 3), "axis 0 cannot be 30"),
        ((3, 5, 3, 3), (19, 17, 3), "the transpose returns 5 channels; got 3"),
        ((3, 5, 3, 3), (8, 17, 5), "output_shape=(8, 17): axis 0 cannot be 8"),
    ],
)
def test_a_size_that_no_transpose_has_is_refused(weight_shape: Any, wanted: Any, says: str) -> None:
    with pytest.raises(ValueError, match=re.escape(says).replace(r"\.\*", ".*")):
        arranged(weight_shape, (9, 8, 3), -1, True, stride=2, output_shape=wanted)


@pytest.mark.parametrize("transposed", [False, True])
def test_a_geometry_is_derived_once_from_plain_arguments(transposed: bool) -> None:
    def of(**arguments: Any) -> tuple[Layout | None, ConvGeometry]:
        return arranged((2, 2, 3, 3), (7, 6, 2), -1, transposed, **arguments)

    plain = {"stride": (1, 2), "padding": ((1, 0), (0, 1)), "boundary": ("zeros", "wrap")}
    layout, geometry = of(**plain)
    assert of(**plain)[1] is geometry
    for others in ({"stride": 2}, {"groups": 1}, {"boundary": "wrap"}, {"padding": ((1, 0), (0, 2))}):
        assert of(**(plain | others))[1] is not geometry
    # Lists may change, and other numbers than int must be checked each time: equal, and no more.
    for same in ({"stride": [1, 2]}, {"stride": (np.int64(1), 2)}, {"padding": ([1, 0], (0, 1))}):
        found = of(**(plain | same))
        assert found == (layout, geometry)
        assert found[1] is not geometry


@pytest.mark.parametrize("wrong", [True, 1.0, np.float64(1), (1, True), ("1", 1)])
def test_what_equals_an_argument_that_is_remembered_is_checked_all_the_same(wrong: Any) -> None:
    for name, good in (("stride", 1), ("dilation", 1), ("padding", 1)):
        for argument in (good, (good, good)):
            arranged((3, 3), (5, 6), None, False, **{name: argument})
        for _ in range(2):
            with pytest.raises(TypeError, match=name):
                arranged((3, 3), (5, 6), None, False, **{name: wrong})
