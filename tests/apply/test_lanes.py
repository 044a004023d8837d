"""The last axis of bands: what is read of it, and what is added up."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convops.apply._lanes import Added, LaidOut
from convops.apply._reading import Reading, adjoint_reading, forward_reading
from convops.testing.strategies import geometries


@st.composite
def lanes(draw: st.DrawFn) -> tuple[Reading, tuple[int, int]]:
    """A reading whose neighbours read neighbouring positions, and a range of its places."""
    axis = draw(geometries(max_axes=1)).axes[0]
    readings = [reading for reading in (forward_reading(axis), adjoint_reading(axis)) if reading.step == 1]
    reading = draw(st.sampled_from(readings))
    start = draw(st.integers(0, reading.places - 1))
    return reading, (start, draw(st.integers(start + 1, reading.places)))


def value_at(source: np.ndarray, position: int) -> float:
    return float(source[position]) if 0 <= position < len(source) else 0.0


def lines_of(lane: Added, block: tuple[int, int], products: np.ndarray) -> np.ndarray:
    """Return lines with the products between margins that hold what was there before."""
    before, after = lane.margins(block)
    lines = np.full((*products.shape[:-1], before + products.shape[-1] + after), 99, products.dtype)
    lines[..., before : before + products.shape[-1]] = products
    return lines


@given(lanes())
def test_products_of_all_taps_add_up_to_what_each_place_reads(drawn: tuple[Reading, tuple[int, int]]) -> None:
    reading, (start, stop) = drawn
    lane = Added(reading)
    source = np.arange(1.0, reading.source + 1)
    weight = np.arange(1.0, 2 + max(tap for taps in reading.taps.values() for tap in taps))
    first, last = lane.places((start, stop))
    assert 0 <= first <= last <= reading.source
    assert last - first <= lane.columns(stop - start)
    products = weight[lane.table] * source[first:last]
    sums = np.full((len(reading.taps), 1, stop - start), np.nan)
    lane.add(lines_of(lane, (start, stop), products[:, None]), sums, (start, stop))
    for row, taps in zip(sums[:, 0], reading.taps.values(), strict=True):
        for place, found in enumerate(row, start):
            read = [
                weight[tap] * value_at(source, place + offset)
                for tap, offset in zip(taps, reading.offsets, strict=True)
                if tap >= 0
            ]
            assert found == sum(read)


@given(lanes(), st.integers(0, 2**32 - 1))
def test_spreading_is_adding_transposed(drawn: tuple[Reading, tuple[int, int]], seed: int) -> None:
    reading, block = drawn
    lane, rng = Added(reading), np.random.default_rng(seed)
    first, last = lane.places(block)
    products = rng.integers(-9, 9, (2, lane.rows, 3, last - first))
    sums = rng.integers(-9, 9, (2, len(reading.taps), 3, block[1] - block[0]))
    added, spread = np.empty_like(sums), np.empty_like(products)
    lane.add(lines_of(lane, block, products), added, block)
    lane.spread(sums, spread, block)
    assert (added * sums).sum() == (spread * products).sum()


def test_one_copy_is_loaded_as_it_is_and_several_with_what_lies_beyond_the_ends() -> None:
    reading = Reading(7, 7, 1, 1, range(-1, 2), {0: (0, 1, 2)})
    added, laid = Added(reading), LaidOut(reading)
    assert (added.copies, laid.copies) == (1, 3)
    assert (added.places((0, 7)), laid.places((0, 7))) == ((0, 7), (0, 7))
    assert (added.places((2, 4)), laid.places((2, 4))) == ((1, 5), (2, 4))
    assert (added.columns(4), added.columns(7), laid.columns(4)) == (6, 7, 4)
    np.testing.assert_array_equal(added.table, [[0], [1], [2]])
    np.testing.assert_array_equal(laid.table, [[0, 1, 2]])


@pytest.mark.parametrize("places", [(0, 3), (20, 25)])
def test_places_that_read_nothing_of_the_source_are_zero(places: tuple[int, int]) -> None:
    lane = Added(Reading(4, 30, 1, 1, range(-9, -6), {0: (0, 1, 2)}))
    first, last = lane.places(places)
    assert first == last
    sums = np.full((1, 1, places[1] - places[0]), np.nan)
    lane.add(lines_of(lane, places, np.empty((3, 1, 0))), sums, places)
    assert not sums.any()
