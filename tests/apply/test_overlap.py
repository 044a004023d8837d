"""Overlap-add of all taps at once, against a loop over places and taps."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convops.apply._overlap import Overlap, moved, rows_match, spacing
from convops.apply._reading import Reading


@st.composite
def offsets(draw: st.DrawFn) -> range:
    """Evenly spaced offsets, also such as read nothing of a source."""
    first, step, count = draw(st.integers(-5, 4)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    return range(first, first + step * (count - 1) + 1, step)


@st.composite
def blocks(draw: st.DrawFn) -> tuple[list[Reading], tuple[int, int]]:
    """Readings whose rows match, and some rows of the source."""
    sizes = [(draw(st.integers(1, 6)), draw(st.integers(1, 6)))]
    sizes += [(size, size) for size in draw(st.lists(st.integers(1, 4), max_size=2))]
    readings = [Reading(*size, 1, 1, draw(offsets()), {0: ()}) for size in sizes]
    start = draw(st.integers(0, sizes[0][0] - 1))
    return readings, (start, draw(st.integers(start + 1, sizes[0][0])))


def added_up(readings: list[Reading], start: int, products: np.ndarray, sums: np.ndarray) -> None:
    """Add products ``(..., *taps, channels, *positions)`` one by one, `start` rows from the top."""
    axes = len(readings)
    sources = products.shape[-axes:]
    for place in np.ndindex(*[reading.places for reading in readings]):
        for tap in np.ndindex(*[len(reading.offsets) for reading in readings]):
            read = [m + reading.offsets[n] for reading, m, n in zip(readings, place, tap, strict=True)]
            read[0] -= start
            if all(0 <= position < size for position, size in zip(read, sources, strict=True)):
                sums[(..., *place)] += products[(slice(None),) * 3 + (*tap, slice(None), *read)]


@given(blocks(), st.booleans())
def test_all_taps_are_added_where_they_belong_and_nothing_else_is(
    drawn: tuple[list[Reading], tuple[int, int]], fresh: bool
) -> None:
    readings, (start, stop) = drawn
    assert rows_match(readings)
    overlap = Overlap(readings, [reading.offsets for reading in readings], start, stop)
    taps = [len(reading.offsets) for reading in readings]
    # Lines hold what was there before, which is not to be read.
    lines = np.full((2, 1, 2, *taps, 3, overlap.pitch), np.nan)
    inner = [reading.source for reading in readings[1:]]
    products = (
        np.random.default_rng(0).integers(1, 99, (2, 1, 2, *taps, 3, stop - start, *inner)).astype(float)
    )
    overlap.inside(lines)[...] = products.reshape(*products.shape[: 4 + len(taps)], -1)
    places = [reading.places for reading in readings]
    fresh = fresh and overlap.whole
    sums = np.full((2, 1, 2, 3, *places), np.nan if fresh else 7.0)
    expected = np.full_like(sums, 0.0 if fresh else 7.0)
    added_up(readings, start, products, expected)
    overlap.add(lines, sums, fresh)
    np.testing.assert_array_equal(sums, expected)


def test_a_nan_at_the_end_of_a_row_does_not_come_round_to_the_next() -> None:
    reading = Reading(3, 3, 1, 1, range(-1, 2), {0: (0, 1, 2)})
    overlap = Overlap([reading, reading], [reading.offsets] * 2, 0, 3)
    lines = np.zeros((1, 1, 1, 3, 3, 1, overlap.pitch))
    products = overlap.inside(lines).reshape(3, 3, 3, 3)
    products[:, :, 1, 2] = np.nan  # the last of the middle row: read by the two last columns
    sums = np.empty((1, 1, 1, 1, 3, 3))
    overlap.add(lines, sums, fresh=True)
    np.testing.assert_array_equal(np.isnan(sums[0, 0, 0, 0]), [[False, True, True]] * 3)


@pytest.mark.parametrize(
    ("first", "last", "match"),
    [
        (Reading(5, 9, 1, 1, range(3), {0: (0, 1, 2)}), Reading(4, 4, 1, 1, range(3), {0: (0, 1, 2)}), True),
        (Reading(5, 5, 1, 1, range(3), {0: (0, 1, 2)}), Reading(4, 2, 1, 1, range(3), {0: (0, 1, 2)}), False),
        (Reading(5, 3, 2, 1, range(3), {0: (0, 1, 2)}), Reading(4, 4, 1, 1, range(3), {0: (0, 1, 2)}), False),
        (Reading(5, 5, 1, 1, range(3), {0: (0, 1, 2)}), Reading(4, 4, 2, 2, range(3), {0: (0, 1, 2)}), False),
        (Reading(5, 5, 1, 1, range(3), {0: (0, 1, 2)}), Reading(4, 8, 1, 2, range(2), {0: (0, 1)}), True),
    ],
)
def test_rows_match_where_neighbours_read_neighbours_on_rows_of_one_length(
    first: Reading, last: Reading, match: bool
) -> None:
    assert rows_match([first, last]) is match


def test_a_moved_line_is_seen_from_elsewhere() -> None:
    lines = np.arange(2 * 3 * 2 * 7).reshape(2, 3, 2, 7)
    seen = moved(lines, [3], [1], 2, 3)
    for item, tap, row in product(range(2), range(3), range(2)):
        start = 2 + tap
        np.testing.assert_array_equal(seen[item, tap, row], lines[item, tap, row, start : start + 3])
    second = moved(lines, [2], [-1], 14 + 2, 3)
    np.testing.assert_array_equal(second[1, 1, 0], lines[1, 2, 0, 1:4])


def test_the_spacing_of_a_single_offset_is_none() -> None:
    assert (spacing([4]), spacing([4, 1, -2]), spacing(range(0, 9, 2))) == (0, -3, 2)
