"""Phases, tiles and chunks of one axis, position by position; circular products in integers."""

from itertools import product
from math import log2, prod
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

import oracles
from convops._axis import Axis
from convops.apply._tiles import (
    Chunk,
    Line,
    Tile,
    chunks_of,
    fast_length,
    line_of,
    load,
    may_be_circular,
    operations,
    positions_of,
    skipped,
    store,
    tile_of_length,
    tiles_of,
    whole_tile,
)
from oracles import Array
from test_axis import axes

directions = pytest.mark.parametrize("adjoint", [False, True], ids=["forward", "adjoint"])
UNREAD = Axis(9, 6, 2, 1, 2, 0, "zeros")
"""Whose last sample no output reads, while the first output reads the padding."""
FACTORS = {True: (2, 3, 5), False: (2, 3, 5, 7, 11)}
"""Of the lengths that are fast, of real data and of complex."""


def is_smooth(length: int, real: bool) -> bool:
    for factor in FACTORS[real]:
        while length % factor == 0:
            length //= factor
    return length == 1


def circles(axis: Axis) -> bool:
    """Whether the axis has a period that the stride divides, fast or not."""
    return axis.boundary == "wrap" and axis.size % axis.stride == 0


@st.composite
def periods(draw: st.DrawFn) -> Axis:
    """Axes that are circles."""
    axis = draw(axes())
    return axis._replace(size=-(-axis.size // axis.stride) * axis.stride, boundary="wrap")


@st.composite
def lines(draw: st.DrawFn) -> tuple[Axis, Line]:
    if draw(st.booleans()):
        return (axis := draw(axes())), line_of(axis, False)
    return (axis := draw(periods())), line_of(axis, True)


@st.composite
def tiled(draw: st.DrawFn) -> tuple[Axis, Line, Tile]:
    """A line with its only tile, or with shorter ones, which give one place at least."""
    axis, line = draw(lines())
    if line.circular or draw(st.booleans()):
        return axis, line, whole_tile(line, draw(st.booleans()))
    return axis, line, tile_of_length(line, line.span + draw(st.integers(0, 6)))


def samples_of(axis: Axis, line: Line, x: Array) -> Array:
    """Return x along the last axis with what stands beyond its ends written out, if the line wants that."""
    if not line.extended:
        return x
    return x @ oracles.extension(axis.size, axis.before, axis.after, axis.boundary).T


def matrix_of(axis: Axis, line: Line, weight: Array) -> Array:
    """Return the matrix from the samples of a line to its outputs, by the one relation."""
    matrix = np.zeros((line.outputs, line.size), np.int64)
    for p, k in product(range(line.outputs), range(axis.kernel)):
        q = axis.stride * p + axis.dilation * k - axis.before
        if line.circular:
            q %= axis.size
        elif line.extended:
            q += axis.before
        if 0 <= q < line.size:
            matrix[p, q] += weight[k]
    return matrix


def starts_of(line: Line, tile: Tile, chunk: Chunk, adjoint: bool) -> list[int]:
    """Return the first place of each tile of a chunk, from where it writes."""
    size = max(where.stop - where.start for where, _ in chunk.writes)
    where = next(where for where, _ in chunk.writes if where.stop - where.start == size)
    first = where.start // (line.stride if adjoint else 1)
    return [first + number * tile.step for number in range(chunk.tiles)]


def circular_product(line: Line, tile: Tile, weight: Array, read: Array, adjoint: bool) -> Array:
    """Return all places of the circular product of tiles ``(batch, stack, groups, channels, length)``."""
    shape = list(read.shape)
    shape[3] = len(line.phases) if adjoint else 1
    places = np.zeros(shape, np.int64)
    at = np.arange(tile.length)
    for k, position in enumerate(positions_of(line, tile)):
        phase = line.phase_of[k]
        if adjoint:
            places[:, :, :, phase] += weight[k] * read[:, :, :, 0, (at - position) % tile.length]
        else:
            places[:, :, :, 0] += weight[k] * read[:, :, :, phase, (at + position) % tile.length]
    return places


def loaded(x: Array, axis: int, chunk: Chunk, tile: Tile) -> Array:
    """Return what the tiles of a chunk read, as the engine does: zeros at the end are left to transforms."""
    x = x[(slice(None),) * axis + (chunk.source,)]
    if not chunk.plain:
        return load(x, axis, chunk, tile)
    missing = [(0, tile.length - x.shape[axis] if number == axis else 0) for number in range(x.ndim)]
    return np.pad(x, missing)


@given(lines())
def test_phase_and_shift_of_each_tap_are_where_the_one_relation_says(drawn: tuple[Axis, Line]) -> None:
    axis, line = drawn
    origin = axis.before if line.extended else 0
    for p, k in product(range(line.outputs), range(axis.kernel)):
        q = axis.stride * p + axis.dilation * k - axis.before + origin
        read = line.stride * (p + line.shift_of[k]) + line.phases[line.phase_of[k]]
        assert (read - q) % axis.size == 0 if line.circular else read == q


@given(lines())
def test_phases_are_those_that_taps_read_and_hold_all_of_their_samples(drawn: tuple[Axis, Line]) -> None:
    axis, line = drawn
    assert list(line.phases) == sorted({line.phases[number] for number in line.phase_of})
    assert line.sizes == [len(range(phase, line.size, line.stride)) for phase in line.phases]
    assert (line.first, line.last) == (min(line.shift_of), max(line.shift_of))
    assert line.span == len(range(line.first, line.last + 1))
    assert (line.stride, line.circular) == (axis.stride, line.circular)


@given(lines())
def test_a_line_is_the_samples_or_those_of_the_extension(drawn: tuple[Axis, Line]) -> None:
    axis, line = drawn
    pads = axis.before + axis.after
    assert line.extended == (axis.boundary != "zeros" and pads > 0 and not line.circular)
    assert line.size == axis.size + (pads if line.extended else 0)
    assert line.outputs == (min(axis.out_size, axis.size // axis.stride) if line.circular else axis.out_size)


@given(axes() | periods(), st.booleans())
def test_only_a_fast_period_that_the_stride_divides_is_a_circle(axis: Axis, real: bool) -> None:
    fast = circles(axis) and is_smooth(axis.size // axis.stride, real)
    assert may_be_circular(axis, real) == fast


@given(lines(), st.booleans())
@example((UNREAD, line_of(UNREAD, False)), True)
def test_on_a_whole_tile_each_tap_meets_its_sample_or_a_zero(drawn: tuple[Axis, Line], real: bool) -> None:
    _, line = drawn
    assume(not line.circular)
    tile = whole_tile(line, real)
    assert tile.whole
    assert is_smooth(tile.length, real)
    for k, position in enumerate(positions_of(line, tile)):
        held = min(line.sizes[line.phase_of[k]], line.read)
        for p in range(line.outputs):
            read, sample = (p + position) % tile.length, p + line.shift_of[k]
            if 0 <= sample < line.sizes[line.phase_of[k]]:
                assert read == sample
            else:
                assert read >= held
        for sample in range(held):
            read, p = (sample - position) % tile.length, sample - line.shift_of[k]
            assert read == p if 0 <= p < line.outputs else read >= line.outputs


@given(periods(), st.booleans())
def test_a_period_is_one_tile_of_as_many_places(axis: Axis, real: bool) -> None:
    line = line_of(axis, True)
    period = axis.size // axis.stride
    assert tiles_of(line, real) == [whole_tile(line, real)] == [Tile(period, period, True)]


@given(lines(), st.integers(0, 9))
def test_the_places_that_a_tile_gives_are_those_whose_taps_stay_on_it(
    drawn: tuple[Axis, Line], more: int
) -> None:
    _, line = drawn
    assume(not line.circular)
    tile = tile_of_length(line, line.span + more)
    assert (tile.whole, tile.length) == (False, line.span + more)
    positions = positions_of(line, tile)
    for adjoint, sign in ((False, 1), (True, -1)):
        kept = [
            place
            for place in range(tile.length)
            if all(0 <= place + sign * position < tile.length for position in positions)
        ]
        skip = skipped(line, tile, adjoint)
        assert kept == list(range(skip, skip + tile.step))


@pytest.mark.parametrize("real", [True, False], ids=["real", "complex"])
@pytest.mark.parametrize(
    "axis",
    [
        Axis(3000, 5, 1, 1, 2, 2, "zeros"),
        Axis(1000, 30, 3, 2, 7, 40, "reflect"),
        Axis(777, 3, 1, 50, 0, 0, "wrap"),
        Axis(40, 40, 1, 1, 39, 39, "zeros"),
        Axis(40, 39, 1, 1, 0, 0, "zeros"),
    ],
    ids=str,
)
def test_tiles_to_choose_from_are_shorter_and_shorter_and_each_is_of_use(axis: Axis, real: bool) -> None:
    line = line_of(axis, False)
    whole, *shorter = tiles_of(line, real)
    assert whole == whole_tile(line, real)
    assert bool(shorter) == (axis.out_size > 2)
    lengths = [whole.length, *[tile.length for tile in shorter]]
    assert lengths == sorted(set(lengths), reverse=True)
    for tile in shorter:
        assert not tile.whole
        assert is_smooth(tile.length, real)
        assert tile.step == tile.length - line.span + 1 > 8
        assert (-(-line.outputs // tile.step) - 1) * tile.step < line.outputs  # none has nothing to do


@given(st.integers(1, 5000), st.booleans())
def test_a_fast_length_is_the_fastest_of_those_hardly_longer(least: int, real: bool) -> None:
    near = [length for length in range(least, int(1.08 * least) + 1) if is_smooth(length, real)]
    if not near:
        near = [next(length for length in range(least, 2 * least + 1) if is_smooth(length, real))]
    found = fast_length(least, real)
    assert found in near
    assert operations(found) == min(operations(length) for length in near)


@pytest.mark.parametrize("real", [True, False], ids=["real", "complex"])
def test_no_length_at_all_is_one_place(real: bool) -> None:
    assert fast_length(0, real) == fast_length(-3, real) == 1


@given(st.integers(1, 300), st.integers(0, 10))
def test_operations_are_those_of_the_fast_transform_and_odd_factors_take_longer(
    length: int, power: int
) -> None:
    assert operations(2**power) == 5 * 2**power * power
    assert operations(2 * length) == pytest.approx(2 * operations(length) + 5 * 2 * length)
    if is_smooth(length, False):
        assert operations(length) >= 5 * length * log2(length) * (1 - 1e-12)
        if length & (length - 1):
            assert operations(length) > 5 * length * log2(length)


@directions
@given(tiled(), st.integers(1, 5))
def test_chunks_write_each_place_of_each_phase_once(
    adjoint: bool, drawn: tuple[Axis, Line, Tile], most: int
) -> None:
    _, line, tile = drawn
    chunks = chunks_of(line, tile, adjoint, most, 0)
    size = line.size if adjoint else line.outputs
    written = np.zeros(size, int)
    for chunk in chunks:
        assert 1 <= chunk.tiles <= most
        assert len(chunk.writes) == (len(line.phases) if adjoint else 1)
        for where, count in chunk.writes:
            places = np.arange(size)[where]
            assert len(places) == chunk.tiles * count
            written[where] += 1
    every = np.ones(size, int)
    if adjoint:
        every = np.isin(np.arange(size) % line.stride, line.phases).astype(int)
        if tile.whole:
            every[line.read * line.stride :] = 0
            read = matrix_of(*drawn[:2], np.ones(drawn[0].kernel, int)).any(axis=0)
            assert not (read & (every == 0)).any()  # what no tile writes is what no output reads
    np.testing.assert_array_equal(written, every)


@given(tiled(), st.integers(1, 5))
def test_chunks_are_of_as_many_full_tiles_as_may_be(drawn: tuple[Axis, Line, Tile], most: int) -> None:
    _, line, tile = drawn
    counts = [chunk.tiles for chunk in chunks_of(line, tile, False, most, 0)]
    if tile.whole:
        assert counts == [1]
        return
    full, rest = divmod(line.outputs, tile.step)
    pieces, left = divmod(full, most)
    assert counts == [most] * pieces + [left] * (left > 0) + [1] * (rest > 0)


@directions
@given(tiled(), st.integers(1, 4))
@example((UNREAD, line_of(UNREAD, False), whole_tile(line_of(UNREAD, False), True)), 1)
def test_tiles_load_the_samples_of_their_positions_and_zeros_beyond_the_ends(
    adjoint: bool, drawn: tuple[Axis, Line, Tile], most: int
) -> None:
    _, line, tile = drawn
    held = line.read if tile.whole else max(line.sizes)  # what no output reads is left out of a whole tile
    sizes = [line.outputs] if adjoint else [min(size, held) for size in line.sizes]
    x = np.arange(1, 1 + 2 * 3 * 2 * (line.outputs if adjoint else line.size))
    x = x.reshape(2, 1, 3, 2, -1)
    first = 0 if tile.whole else -line.last if adjoint else line.first
    for chunk in chunks_of(line, tile, adjoint, most, 0):
        read = loaded(x, 4, chunk, tile)
        assert read.shape == (2, chunk.tiles, 3, 2 * len(sizes), tile.length)
        for stack, start in enumerate(starts_of(line, tile, chunk, adjoint)):
            positions = start + first + np.arange(tile.length)
            for number, size in enumerate(sizes):
                phase = x[:, 0, ..., :] if adjoint else x[:, 0, ..., line.phases[number] :: line.stride]
                inside = (positions >= 0) & (positions < size)
                expected = np.zeros((2, 3, 2, tile.length), int)
                expected[..., inside] = phase[..., positions[inside]]
                np.testing.assert_array_equal(read[:, stack, :, 2 * number : 2 * number + 2], expected)


@directions
@given(tiled(), st.integers(1, 5))
def test_circular_products_of_tiles_are_the_product_in_integers(
    adjoint: bool, drawn: tuple[Axis, Line, Tile], most: int
) -> None:
    axis, line, tile = drawn
    rng = np.random.default_rng([axis.size, axis.kernel, tile.length])
    weight = rng.integers(-9, 10, axis.kernel)
    W = matrix_of(axis, line, weight)
    if adjoint:
        W = W.T
    x = rng.integers(-9, 10, (2, 1, 3, 1, W.shape[1]))
    out = np.zeros((2, 3, 1, W.shape[0]), int)
    for chunk in chunks_of(line, tile, adjoint, most, 0):
        places = circular_product(line, tile, weight, loaded(x, 4, chunk, tile), adjoint)
        store(places[chunk.kept], out, (chunk,), 1)
    np.testing.assert_array_equal(out[:, :, 0], x[:, 0, :, 0] @ W.T)


@given(tiled(), st.integers(1, 5))
def test_the_samples_of_a_line_give_the_convolution_of_the_axis(
    drawn: tuple[Axis, Line, Tile], most: int
) -> None:
    axis, line, tile = drawn
    weight, x = np.arange(1, axis.kernel + 1), np.arange(3, 3 + axis.size)
    expected = oracles.conv_loops(
        x[None],
        weight[None, None],
        stride=(axis.stride,),
        padding=[(axis.before, axis.after)],
        dilation=(axis.dilation,),
        groups=1,
        boundary=(axis.boundary,),
    )
    samples = samples_of(axis, line, x).reshape(1, 1, 1, 1, -1)
    out = np.zeros((1, 1, 1, line.outputs), int)
    for chunk in chunks_of(line, tile, False, most, 0):
        places = circular_product(line, tile, weight, loaded(samples, 4, chunk, tile), False)
        store(places[chunk.kept], out, (chunk,), 1)
    np.testing.assert_array_equal(np.resize(out, axis.out_size), expected.ravel())


@directions
@given(st.tuples(tiled(), tiled()), st.integers(0, 1), st.integers(1, 4))
@settings(max_examples=40)
def test_two_axes_are_stored_at_their_places_whichever_is_stacked(
    adjoint: bool, drawn: Any, lane: int, most: int
) -> None:
    parts, sizes, phases, every = [], [], [], []
    for number, (_, line, tile) in enumerate(drawn):
        parts.append(chunks_of(line, tile, adjoint, most if number == lane else 1, 1 - number))
        sizes.append(line.size if adjoint else line.outputs)
        phases.append(line.phases if adjoint else (0,))
    out = np.zeros((2, 3, 2, *sizes), int)
    names = np.arange(1, 1 + out.size).reshape(out.shape)
    beyond = np.pad(names, [(0, 0)] * 3 + [(0, 4 * size + 40) for size in sizes], constant_values=-1)
    for chunks in product(*parts):
        counts = [max(count for _, count in chunk.writes) for chunk in chunks]
        starts = [starts_of(*part[1:], chunk, adjoint) for part, chunk in zip(drawn, chunks, strict=True)]
        values = np.empty((2, prod(map(len, starts)), 3, 2 * prod(map(len, phases)), *counts), int)
        for stack, firsts in enumerate(product(*starts)):
            for row, remainders in enumerate(product(*phases)):
                at = [
                    remainder + (part[1].stride if adjoint else 1) * (first + np.arange(count))
                    for remainder, first, count, part in zip(remainders, firsts, counts, drawn, strict=True)
                ]
                values[:, stack, :, 2 * row : 2 * row + 2] = beyond[(..., *np.ix_(*at))]
        store(values, out, chunks, 2)
    for (_, line, tile), size in zip(drawn, sizes, strict=True):
        written = np.zeros(size, bool)
        for chunk in chunks_of(line, tile, adjoint, 1, 0):
            for where, _ in chunk.writes:
                written[where] = True
        every.append(written)
    np.testing.assert_array_equal(out, names * (every[0][:, None] & every[1]))
