"""Blocks of a result, position by position."""

import platform
import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from convops._axis import Axis
from convops.apply import _blocks
from convops.apply._blocks import (
    Block,
    Scratch,
    contiguous,
    offset_reads,
    offset_views,
    ranges,
    reads,
    remembered,
    store,
    strided,
)
from convops.apply._reading import Reading, adjoint_reading, forward_reading
from oracles import Array
from test_axis import axes

FLOAT64 = np.dtype(np.float64)


@st.composite
def blocks(draw: st.DrawFn, axes_of_all: st.SearchStrategy[int]) -> tuple[list[Reading], Block]:
    """Readings of one axis or more, and a block somewhere in the result."""
    readings, places = [], []
    for _ in range(draw(axes_of_all)):
        reading = draw(st.sampled_from((forward_reading, adjoint_reading)))(draw(axes()))
        start = draw(st.integers(0, reading.places - 1))
        readings.append(reading)
        places.append((start, start + draw(st.integers(1, min(reading.places - start, 5)))))
    return readings, Block((1, 3), (0, 2), tuple(places))


def source_of(readings: list[Reading]) -> Array:
    """Return ``(batch, groups, channels, *source)``: values that are all different, and not zero."""
    shape = (4, 3, 2, *[reading.source for reading in readings])
    return np.arange(1.0, 1 + np.prod(shape)).reshape(shape)


def positions_of(source: Array, readings: list[Reading], block: Block) -> Array:
    """Return what lies at all positions from the first to the last that any place reads, zeros included."""
    for axis, (reading, (start, stop)) in enumerate(zip(readings, block.places, strict=True), start=3):
        read = [reading.step * m + offset for m in range(start, stop) for offset in reading.offsets]
        positions = np.arange(min(read), max(read) + 1)
        inside = (positions >= 0) & (positions < reading.source)
        taken = np.take(source, np.where(inside, positions, 0), axis=axis)
        source = np.where(np.expand_dims(inside, tuple(range(1, source.ndim - axis))), taken, 0)
    return source[slice(*block.batch), slice(*block.group)]


class Used(Scratch):
    """Scratch arrays that hold what an earlier block has left."""

    def array(self, name: str, shape: Any) -> Array:
        found = super().array(name, shape)
        found[...] = np.nan
        return found


@given(st.integers(0, 60), st.integers(0, 70))
def test_ranges_cover_all_in_order_in_as_few_pieces_of_about_one_length(count: int, most: int) -> None:
    pieces = ranges(count, most)
    assert [n for start, stop in pieces for n in range(start, stop)] == list(range(count))
    lengths = [stop - start for start, stop in pieces]
    assert max(lengths, default=0) - min(lengths, default=0) <= 1
    assert max(lengths, default=0) <= max(most, 1)
    assert len(pieces) == -(-count // max(most, 1))


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128", "int64"])
def test_scratch_arrays_begin_at_cache_lines_and_do_not_overlap(dtype: str) -> None:
    scratch = Scratch(np.dtype(dtype), 200)
    kept = [scratch.array(name, shape) for name, shape in [("a", (3, 5)), ("b", (7,)), ("c", (2, 2, 3))]]
    for number, array in enumerate(kept):
        assert array.__array_interface__["data"][0] % 64 == 0
        assert array.flags.c_contiguous
        assert array.dtype == dtype
        array[...] = number
    for number, array in enumerate(kept):
        assert (array == number).all()


def test_a_scratch_array_of_one_name_is_the_same_memory() -> None:
    scratch = Scratch(FLOAT64, 100)
    first = scratch.array("a", (4, 5))
    assert np.shares_memory(first, scratch.array("a", (3, 2)))
    assert scratch.array("a", (5, 4)).shape == (5, 4)
    assert not np.shares_memory(first, scratch.array("b", (4, 5)))


def test_scratch_beyond_what_was_asked_for_is_found_elsewhere() -> None:
    scratch = Scratch(FLOAT64, 10)
    small, large = scratch.array("a", (8,)), scratch.array("b", (1000,))
    grown = scratch.array("a", (2000,))
    assert (small.size, large.size, grown.size) == (8, 1000, 2000)
    for one, two in ((small, large), (large, grown)):
        assert not np.shares_memory(one, two)


def test_a_block_after_a_smaller_one_finds_room_in_the_same_piece() -> None:
    scratch = Scratch(FLOAT64, 100)
    for a, b in [(40, 50), (50, 50), (90, 10), (10, 90)]:
        scratch.clear()
        arrays = [scratch.array("a", (a,)), scratch.array("b", (b,))]
        assert not np.shares_memory(*arrays)
        assert all(np.shares_memory(array, scratch._room) for array in arrays)


@given(blocks(st.integers(1, 3)), st.sampled_from((0, 10**9)))
def test_a_block_loads_what_its_places_read_and_zeros_beyond_the_ends_and_between(
    drawn: tuple[list[Reading], Block], few: int
) -> None:
    readings, block = drawn
    source = source_of(readings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_blocks, "_FEW", few)
        read = reads(readings, 2, block)
        loaded = read.load(source, Used(FLOAT64, 10).array("source", read.shape))
    expected = positions_of(source, readings, block)
    # The last axis is split by the step, the remainder first.
    together = np.moveaxis(loaded, -2, -1).reshape(*loaded.shape[:-2], -1)
    assert loaded.shape[-2] == readings[-1].step
    size, step = expected.shape[-1], readings[-1].step
    # What all places step over is left out.
    read_by_some = {(offset - readings[-1].offsets[0]) % step for offset in readings[-1].offsets}
    expected = np.where(np.isin(np.arange(size) % step, list(read_by_some)), expected, 0)
    np.testing.assert_array_equal(together[..., :size], expected)
    assert not together[..., size:].any()


@given(blocks(st.integers(1, 3)), st.sampled_from((0, 10**9)))
def test_a_row_of_places_is_read_per_offset_of_the_last_axis(
    drawn: tuple[list[Reading], Block], few: int
) -> None:
    readings, block = drawn
    lane = readings[-1]
    assume(lane.step == 1)
    source = source_of(readings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_blocks, "_FEW", few)
        read = offset_reads(readings, 2, block)
    loaded = read.load(source, np.full(read.shape, np.nan))
    expected = positions_of(source, readings, block)
    places = block.counts[-1]
    assert loaded.shape[-2:] == (len(lane.offsets), places)
    for number, offset in enumerate(lane.offsets):
        begin = offset - lane.offsets[0]
        np.testing.assert_array_equal(loaded[..., number, :], expected[..., begin : begin + places])


@given(blocks(st.just(1)))
def test_the_views_of_the_offsets_hold_what_each_place_reads(drawn: tuple[list[Reading], Block]) -> None:
    (reading,), block = drawn
    source = source_of([reading])
    read = reads([reading], 2, block)
    loaded = read.load(source, np.empty(read.shape))
    start, stop = block.places[0]
    seen: list[int] = []
    for chosen, first, by_offset in offset_views(loaded.strides, reading):
        numbers = range(len(reading.offsets))[chosen]
        shape = (*loaded.shape[:3], len(numbers), stop - start)
        view = strided(loaded, shape, (*loaded.strides[:3], by_offset, loaded.strides[-1]), first)
        for row, number in enumerate(numbers):
            read = np.array([reading.step * m + reading.offsets[number] for m in range(start, stop)])
            inside = (read >= 0) & (read < reading.source)
            expected = source[1:3, 0:2][..., np.where(inside, read, 0)] * inside
            np.testing.assert_array_equal(view[:, :, :, row], expected)
        seen += numbers
    assert sorted(seen) == list(range(len(reading.offsets)))


@given(blocks(st.integers(1, 3)))
def test_a_block_is_written_at_its_places_and_nowhere_else(drawn: tuple[list[Reading], Block]) -> None:
    readings, block = drawn
    phases = [len(reading.taps) for reading in readings]
    values = np.arange(1.0, 1 + 2 * 2 * 3 * np.prod(block.counts) * np.prod(phases)).reshape(
        2, 2, 3, *block.counts, *phases
    )
    out = np.zeros((4, 3, 3, *[reading.size for reading in readings]))
    expected = out.copy()
    for place in np.ndindex(*block.counts):
        for phase in np.ndindex(*phases):
            at = [
                reading.phases * (start + m) + list(reading.taps)[number]
                for reading, (start, _), m, number in zip(readings, block.places, place, phase, strict=True)
            ]
            if all(result < reading.size for result, reading in zip(at, readings, strict=True)):
                expected[(slice(1, 3), slice(0, 2), slice(None), *at)] = values[(..., *place, *phase)]
    store(values, out, readings, block)
    np.testing.assert_array_equal(out, expected)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (4, 1, 5), (2, 2, 2, 2)], ids=str)
def test_the_strides_of_a_contiguous_array_are_those_of_numpy(shape: tuple[int, ...]) -> None:
    for dtype in ("float32", "complex128"):
        array = np.empty(shape, dtype)
        assert contiguous(shape, array.itemsize) == array.strides


def test_a_view_never_leaves_the_array_it_is_of() -> None:
    base = np.arange(6.0)
    np.testing.assert_array_equal(strided(base, (2, 3), (8, 16)), [[0, 2, 4], [1, 3, 5]])
    np.testing.assert_array_equal(strided(base, (2, 2), (8, 16), 16), [[2, 4], [3, 5]])
    with pytest.raises((TypeError, ValueError), match=r"buffer|strides"):
        strided(base, (2, 4), (8, 16))


def test_the_counts_of_a_block_are_those_of_its_places() -> None:
    assert Block((0, 1), (0, 1), ((2, 5), (0, 4))).counts == (3, 4)


def test_all_of_a_long_source_is_read_where_nothing_is_padded() -> None:
    reading = forward_reading(Axis(5000, 3, 1, 1, 0, 0, "zeros"))
    block = Block((0, 1), (0, 1), ((0, reading.places),))
    assert reads([reading], 1, block).margins == []


FAULTS = """
import resource, sys
import numpy as np
from convops import Conv
line = np.exp(-np.arange(-7, 8) ** 2 / 18.0)
A = Conv(np.outer(line, line), (512, 512), padding="same", boundary="symmetric", method=sys.argv[1])
x = np.ones(A.input_shape)
A(x), A.H(x)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(10):
    A(x), A.H(x)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def test_steps_are_made_once_for_a_size_and_never_kept_for_more_than_a_few() -> None:
    known: dict[tuple[int, ...], list[int]] = {}
    made = []

    def make(batch: int, itemsize: int) -> list[int]:
        made.append((batch, itemsize))
        return [batch, itemsize]

    for _ in range(3):
        assert remembered(known, make, 2, 8) == [2, 8]
        assert remembered(known, make, 2, 4) == [2, 4]
    assert made == [(2, 8), (2, 4)]
    for batch in range(50):
        assert remembered(known, make, batch, 8) == [batch, 8]
        assert len(known) <= _blocks._SIZES


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="another C library keeps memory in another way")
@pytest.mark.parametrize("method", ["gemm", "fft", "separable"])
def test_a_fresh_process_takes_no_memory_from_the_system_at_each_call(method: str) -> None:
    """Each page that is taken costs a fault: some 2000 a call, more time than the products."""
    run = subprocess.run([sys.executable, "-c", FAULTS, method], check=True, capture_output=True, text=True)
    assert int(run.stdout) < 20 * 200
