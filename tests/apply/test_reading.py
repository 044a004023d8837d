"""What the places of an axis read, from either side, against the positions counted one by one."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from convops._axis import Axis
from convops.apply._reading import Reading, adjoint_reading, forward_reading, has_gaps, spread
from oracles import Array
from test_axis import axes


def relation_of(axis: Axis) -> Array:
    """Return ``(outputs, taps, samples)``, 1 where an output reads: of the extended axis, or zeros."""
    extended = axis.before + axis.size + axis.after
    relation = np.zeros((axis.out_size, axis.kernel, extended), dtype=int)
    for p in range(axis.out_size):
        for k in range(axis.kernel):
            relation[p, k, axis.stride * p + axis.dilation * k] = 1
    return relation[..., axis.before : axis.before + axis.size] if axis.boundary == "zeros" else relation


def relation_read(reading: Reading, taps: int) -> Array:
    """Return ``(results, taps, sources)``, place by place from the fields of a reading."""
    relation = np.zeros((reading.size, taps, reading.source), dtype=int)
    for m in range(reading.places):
        for phase, row in reading.taps.items():
            for offset, tap in zip(reading.offsets, row, strict=True):
                result, read = reading.phases * m + phase, reading.step * m + offset
                if tap >= 0 and result < reading.size and 0 <= read < reading.source:
                    relation[result, tap, read] += 1
    return relation


@given(axes())
def test_outputs_read_the_positions_of_their_taps(axis: Axis) -> None:
    np.testing.assert_array_equal(relation_read(forward_reading(axis), axis.kernel), relation_of(axis))


@given(axes())
def test_positions_read_the_outputs_that_read_them(axis: Axis) -> None:
    np.testing.assert_array_equal(
        relation_read(adjoint_reading(axis), axis.kernel), relation_of(axis).transpose(2, 1, 0)
    )


@given(axes())
def test_every_tap_is_read_once_and_one_of_step_and_phases_is_the_stride(axis: Axis) -> None:
    for reading in (forward_reading(axis), adjoint_reading(axis)):
        taps = [tap for row in reading.taps.values() for tap in row if tap >= 0]
        assert sorted(taps) == list(range(axis.kernel))
        assert sorted((reading.step, reading.phases)) == [1, axis.stride]
        assert reading.table.shape == (len(reading.taps), len(reading.offsets))
        assert reading.table.tolist() == [list(row) for row in reading.taps.values()]


@given(axes(), st.integers(1, 5))
def test_a_band_is_the_relation_of_neighbouring_places_and_of_all_they_read(axis: Axis, rows: int) -> None:
    for reading in (forward_reading(axis), adjoint_reading(axis)):
        window = reading.step * (rows - 1) + reading.span
        first = reading.offsets[0]
        # The same places far from the ends, so that all that they read is there.
        moved = range(0, reading.offsets.stop - first, reading.offsets.step)
        inner = reading._replace(source=window, size=rows * reading.phases, offsets=moved)
        by_place = relation_read(inner, axis.kernel).reshape(rows, reading.phases, axis.kernel, window)
        expected = by_place[:, list(reading.taps)].reshape(-1, axis.kernel, window)
        band = reading.band(rows)
        assert band.shape == (rows * len(reading.taps), window)
        np.testing.assert_array_equal(band[:, None] == np.arange(axis.kernel)[:, None], expected)


def test_places_that_each_read_themselves_are_trivial() -> None:
    for axis, trivial in [
        (Axis(5, 1, 1, 1, 0, 0, "zeros"), True),
        (Axis(5, 2, 1, 1, 0, 0, "zeros"), False),
        (Axis(5, 1, 2, 1, 0, 0, "zeros"), False),
    ]:
        assert forward_reading(axis).trivial is adjoint_reading(axis).trivial is trivial


@pytest.mark.parametrize("stride", [2**31, 2**62])
def test_a_stride_beyond_all_sizes_takes_no_memory(stride: int) -> None:
    axis = Axis(5, 2, stride, 1, 0, 0, "zeros")
    np.testing.assert_array_equal(relation_read(forward_reading(axis), 2), relation_of(axis))
    np.testing.assert_array_equal(
        relation_read(adjoint_reading(axis), 2), relation_of(axis).transpose(2, 1, 0)
    )


@given(axes(), axes())
def test_spreading_puts_each_tap_where_its_tables_say(one: Axis, two: Axis) -> None:
    tables = [forward_reading(one).table, adjoint_reading(two).table]
    weight = np.random.default_rng(0).integers(1, 9, (2, 3, 2, one.kernel, two.kernel))
    first, second = [
        table[..., None] == np.arange(k) for table, k in zip(tables, weight.shape[3:], strict=True)
    ]
    expected = np.einsum("grckl,abk,xyl->grcabxy", weight, first, second)
    found = spread(weight, tables)
    np.testing.assert_array_equal(found, expected)
    assert has_gaps(tables) == bool((found == 0).any())


@given(
    st.integers(1, 30),
    st.integers(1, 30),
    st.integers(-3, 1),
    st.integers(1, 7),
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 2),
)
@example(8, 6, 0, 5, 2, 1, 1)
def test_what_no_covering_band_reads_is_read_for_every_place_of_the_bands_that_read_it(
    source: int, size: int, before: int, kernel: int, rows: int, step: int, dilation: int
) -> None:
    offsets = range(before, before + dilation * (kernel - 1) + 1, dilation)
    reading = Reading(source, size, step, 1, offsets, {0: tuple(range(kernel))})
    places = range(size)
    taps = [{reading.step * place + offset for offset in reading.offsets} for place in places]
    bands = [places[start : start + rows] for start in places[::rows]]
    reads = []
    for band in bands:
        first = reading.step * band[0] + reading.offsets[0]
        reads.append(set(range(first, first + reading.step * (rows - 1) + reading.span)))
    for others in (False, True):
        covering = {place // rows for chosen in reading.covering(rows, others) for place in places[chosen]}
        covered = set.union(*[reads[number] for number in covering])
        for band, read in zip(bands, reads, strict=True):
            left = read.intersection(range(reading.source)) - covered
            assert not left if others else all(left <= taps[place] for place in band)


def test_positions_between_those_that_are_read_leave_other_remainders() -> None:
    for size, kernel, stride, dilation, remainders in [
        (40, 1, 3, 1, [0]),
        (40, 2, 3, 1, [0, 1]),
        (40, 5, 4, 2, [0, 2]),
        (40, 5, 3, 2, [0, 1, 2]),
        (40, 3, 1, 2, [0]),
    ]:
        reading = forward_reading(Axis(size, kernel, stride, dilation, 1, 0, "zeros"))
        assert reading.remainders == remainders
        read = {reading.step * m + offset for m in range(reading.places) for offset in reading.offsets}
        left = {(position - reading.offsets[0]) % stride for position in read}
        assert sorted(left) == remainders


def test_offsets_are_reached_where_a_phase_has_a_tap() -> None:
    phases = Reading(4, 8, 1, 3, range(-2, 3, 2), {0: (0, -1, 3), 2: (-1, 1, -1)})
    assert phases.reached == [[-2, 2], [0]]


def test_as_few_bands_cover_as_overlap() -> None:
    same = Reading(64, 64, 1, 1, range(-1, 2), {0: (0, 1, 2)})
    # Of two places each, every other; the last position is left, which both places of the last band read.
    assert same.covering(2, others=False) == [slice(None, None, 4)]
    assert same.covering(2, others=True) == [slice(None, None, 4), slice(-1, None)]
    dilated = same._replace(offsets=range(-4, 5, 4))
    assert dilated.covering(2, others=False) == [slice(None, None, 10), slice(-1, None)]
    phases = Reading(4, 8, 1, 2, range(2), {0: (0, 1), 1: (-1, 1)})
    assert phases.covering(2, others=False) == [slice(None)]
