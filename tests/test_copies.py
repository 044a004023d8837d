"""Copies of a short row, against numpy.tile, wherever the rows lie in memory."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convops import _copies
from convops._copies import write_copies


@given(
    dtype=st.sampled_from(["int8", "uint16", "float32", "float64", "complex128"]),
    counts=st.tuples(*[st.integers(1, 3)] * 3),
    size=st.integers(1, 9),
    times=st.integers(1, 40),
    gap=st.integers(0, 5),
    offset=st.integers(0, 3),
    at_once=st.sampled_from([1, 64, 2**13]),
    worth=st.sampled_from([0, 2**20]),
)
def test_every_row_is_repeated_and_nothing_else_is_written(
    dtype: str, counts: Any, size: int, times: int, gap: int, offset: int, at_once: int, worth: int
) -> None:
    filters, *between = counts
    rows = np.arange(1, filters * size + 1).reshape(filters, size).astype(dtype)
    whole = np.zeros((filters, *between, offset + size * times + gap), dtype)
    target = whole[..., offset : offset + size * times]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_copies, "_AT_ONCE", at_once)
        patch.setattr(_copies, "_WORTH_ALIGNING", worth)
        write_copies(rows, target)
    expected = np.zeros_like(whole)
    expected[..., offset : offset + size * times] = np.tile(rows, times)[:, None, None, :]
    np.testing.assert_array_equal(whole, expected)


def test_the_rows_between_may_be_read_only_and_the_last_axis_may_be_the_only_one() -> None:
    rows = np.arange(3.0)[None]
    rows.flags.writeable = False
    target = np.empty((1, 300))
    write_copies(rows, target)
    np.testing.assert_array_equal(target[0], np.tile(np.arange(3.0), 100))


@pytest.mark.parametrize("step", [8, 16, 24, 40, 96])
def test_the_views_of_an_array_cover_it_once_and_begin_at_one_alignment(step: int) -> None:
    whole = np.zeros((6, 7, step), np.uint8)
    target = whole[..., :4]
    for index in _copies._by_alignment(target):
        view = target[index]
        view += 1
        starts = view.ctypes.data + np.add.outer(
            np.arange(view.shape[0]) * view.strides[0], np.arange(view.shape[1]) * view.strides[1]
        )
        assert np.unique(starts % _copies._ALIGNMENT).size == 1
        tile = _copies._like(np.arange(4, dtype=np.uint8), view)
        assert tile.ctypes.data % _copies._ALIGNMENT == view.ctypes.data % _copies._ALIGNMENT
    assert (target == 1).all()
    assert (whole[..., 4:] == 0).all()


def test_rows_written_at_once_keep_the_alignment_and_stay_in_the_cache() -> None:
    for width in (8, 40, 200, 1152, 4000):
        at_once = _copies._rows_at_once(width, 10**6)
        assert at_once * width % _copies._ALIGNMENT == 0
        assert at_once * width <= 2**16
    assert _copies._rows_at_once(10**6, 5) == 1
    assert _copies._rows_at_once(8, 5) == 5
