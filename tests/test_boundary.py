"""The extension E and its fold against numpy.pad."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import oracles
from convops._axis import BOUNDARIES, Axis
from convops.boundary import extend, extension_gains, extension_matrix, fold

boundaries = st.sampled_from(BOUNDARIES)


def axis_of(size: int, before: int, after: int, boundary: str) -> Axis:
    return Axis(size, 1, 1, 1, before, after, boundary)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("size", [1, 2, 3, 4, 7])
def test_the_extension_is_numpy_pad_however_wide(boundary: str, size: int) -> None:
    for before in range(4 * size + 2):
        for after in (0, 1, size, 3 * size + 1):
            expected = oracles.extension(size, before, after, boundary)
            np.testing.assert_array_equal(extension_matrix(size, before, after, boundary), expected)


@given(st.integers(1, 6), st.integers(0, 20), st.integers(0, 20), boundaries)
def test_the_extension_is_numpy_pad_on_every_size_and_width(
    size: int, before: int, after: int, boundary: str
) -> None:
    expected = oracles.extension(size, before, after, boundary)
    np.testing.assert_array_equal(extension_matrix(size, before, after, boundary), expected)


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 6), st.integers(0, 6), boundaries), max_size=3))
def test_extend_pads_the_last_axes_each_in_its_own_way(arguments: list[tuple[int, int, int, str]]) -> None:
    axes = tuple(axis_of(*item) for item in arguments)
    x = np.random.default_rng(0).integers(-9, 9, (2, *[axis.size for axis in axes]))
    pairs = [(axis.before, axis.after) for axis in axes]
    expected = oracles.extend(x, pairs, [axis.boundary for axis in axes])
    np.testing.assert_array_equal(extend(x, axes), expected)


@given(st.lists(st.tuples(st.integers(1, 4), st.integers(0, 6), st.integers(0, 6), boundaries), max_size=3))
def test_fold_is_the_transpose_of_extend(arguments: list[tuple[int, int, int, str]]) -> None:
    axes = tuple(axis_of(*item) for item in arguments)
    y = np.random.default_rng(1).integers(-9, 9, (2, *[a.before + a.size + a.after for a in axes]))
    expected = y
    for number, a in enumerate(axes, start=1):
        matrix = oracles.extension(a.size, a.before, a.after, a.boundary)
        expected = np.moveaxis(np.tensordot(matrix.T, expected, axes=(1, number)), 0, number)
    np.testing.assert_array_equal(fold(y, axes), expected)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_a_border_too_long_to_be_remembered_is_no_other(
    boundary: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    axes = (axis_of(5, 7, 3, boundary), axis_of(4, 1, 9, boundary))
    x, y = np.arange(20).reshape(1, 5, 4), np.arange(210).reshape(1, 15, 14)
    extended, folded = extend(x, axes), fold(y, axes)
    monkeypatch.setattr("convops.boundary._LONGEST", 0)
    np.testing.assert_array_equal(extend(x, axes), extended)
    np.testing.assert_array_equal(fold(y, axes), folded)


@given(st.integers(1, 5), st.integers(0, 12), st.integers(0, 12), boundaries)
def test_the_gains_bound_the_absolute_sums(size: int, before: int, after: int, boundary: str) -> None:
    magnitude = np.abs(oracles.extension(size, before, after, boundary))
    row, column = magnitude.sum(axis=1).max(), magnitude.sum(axis=0).max()
    by_row, by_column = extension_gains(axis_of(size, before, after, boundary))
    assert row <= by_row <= 8 * row + 8
    assert column <= by_column <= 8 * column + 8


@pytest.mark.parametrize("dtype", ["float32", "complex64", "int64"])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_neither_changes_the_dtype_or_its_operand(dtype: str, boundary: str) -> None:
    axes = (axis_of(4, 2, 1, boundary),)
    x, y = np.ones((3, 4), dtype), np.ones((3, 7), dtype)
    x.flags.writeable = y.flags.writeable = False
    assert extend(x, axes).dtype == dtype
    assert fold(y, axes).dtype == dtype
