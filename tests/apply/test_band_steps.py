"""What one block of bands lays out and writes, place by place."""

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest

from convops.apply._band_steps import BandSteps, distance
from convops.apply._bands import Bands
from convops.apply._blocks import Scratch, strided
from convops.apply._lanes import LaidOut
from convops.apply._problem import Problem
from oracles import Array
from registry import Case
from tilings import LONGER, small_blocks, tilings_of

CASES = [case for case in LONGER if case.name.startswith(("2d larger", "3d"))]
BATCH = 2
FAR = 100


def laid_out(case: Case, most: int) -> Iterator[tuple[Bands, BandSteps]]:
    """Yield some blocks of every tiling that lays out all offsets of the last axis, forward and adjoint."""
    with small_blocks():
        for adjoint in (False, True):
            for tiling in tilings_of(Bands, case, "float64", adjoint):
                if isinstance(tiling.band.lane, LaidOut):
                    steps = list(tiling._all_steps(BATCH, 8))
                    yield from [(tiling, one) for one in steps[:: -(-len(steps) // most)]]


def result_of(problem: Problem) -> Array:
    return np.zeros((BATCH, problem.groups, problem.rows, *[reading.size for reading in problem.readings]))


def windows_of(
    padded: Array, problem: Problem, rows: int, steps: BandSteps, offsets: tuple[int, ...]
) -> Array:
    """Return what all bands of a block read by one offset of each leading axis; the source stands at FAR."""
    *leading, across, last = problem.readings
    block = steps.block
    taken = padded[slice(*block.batch), slice(*block.group)]
    for axis, (reading, offset) in enumerate(zip(leading, offsets, strict=True), start=3):
        start, stop = block.places[axis - 3]
        read = FAR + reading.step * np.arange(start, stop) + reading.offsets[offset]
        taken = np.moveaxis(taken.take(read, axis), axis, axis - 1)
    start, stop = block.places[-2]
    bands = np.arange(start, stop, rows)[:, None]
    positions = np.arange(across.step * (rows - 1) + across.span)
    columns = np.add.outer(last.offsets, last.step * np.arange(*block.places[-1]))
    read = taken.take(FAR + across.step * bands + across.offsets[0] + positions, -2)
    read = read.take(FAR + columns, -1)
    # channels, bands, positions, offsets, places: bands first, then the columns of the matrix
    read = np.moveaxis(read, -5, -3)
    return read.reshape(*read.shape[:-4], -1, read.shape[-1])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_window_is_what_its_places_read_and_zeros_beyond_the_source(case: Case) -> None:
    for tiling, steps in laid_out(case, most=3):
        problem = tiling.problem
        shape = BATCH, problem.groups, problem.columns, *[reading.source for reading in problem.readings]
        source = np.random.default_rng(0).standard_normal(shape)
        padded = np.pad(source, [(0, 0)] * 3 + [(FAR, FAR)] * len(problem.readings))
        laid = steps.lay_out(source, Scratch(source.dtype, steps.elements))
        for offsets, start in zip(tiling.band.offsets, steps.starts, strict=True):
            windows = strided(laid, steps.windows, steps.strides, start)[..., : steps.columns]
            np.testing.assert_array_equal(
                windows, windows_of(padded, problem, tiling.band.rows, steps, offsets)
            )


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_stored_lies_in_the_block_alone_and_is_fetched_again(case: Case) -> None:
    stored = 0.0
    for tiling, steps in laid_out(case, most=40):
        out = result_of(tiling.problem)
        values = np.ones((*steps.values[:-1], steps.block.counts[-1]))
        steps.store(values, out)
        fetched = np.full_like(values, np.nan)
        steps.fetch(fetched, out)
        assert out.sum() == fetched.sum()
        stored += out.sum()
        inside = [
            slice(reading.phases * start, reading.phases * stop)
            for reading, (start, stop) in zip(tiling.problem.readings, steps.block.places, strict=True)
        ]
        out[(slice(*steps.block.batch), steps.groups, slice(None), *inside)] = 0
        assert not out.any()
    assert stored


@pytest.mark.parametrize("case", CASES, ids=str)
def test_products_written_where_they_belong_lie_as_those_that_are_stored(case: Case) -> None:
    for tiling, steps in laid_out(case, most=40):
        if steps.direct:
            values = np.random.default_rng(0).standard_normal(steps.values)
            stored, written = result_of(tiling.problem), result_of(tiling.problem)
            steps.store(values, stored)
            steps.target(written)[...] = values
            np.testing.assert_array_equal(written, stored)


def test_products_are_written_where_they_belong_only_by_whole_bands_of_whole_rows() -> None:
    case = Case("2d", (3, 3), (20, 30), padding="same")
    with small_blocks():
        found = {
            (tiling.band.rows, steps.direct)
            for tiling in tilings_of(Bands, case, "float64", False)
            for steps in tiling._all_steps(1, 8)
            if isinstance(tiling.band.lane, LaidOut) and steps.windows[-1] == steps.block.counts[-1]
        }
    assert {(1, True), (2, True), (4, True), (8, True), (8, False)} <= found
    assert not found & {(1, False), (2, False), (4, False)}
    strided_tilings = tilings_of(Bands, Case("2d", (3, 3), (20, 30), 2, "same"), "float64", True)
    assert not any(tiling.band.direct for tiling in strided_tilings)


def test_rows_are_no_multiple_of_a_kibibyte_apart_and_a_line_further_where_they_would_be() -> None:
    for itemsize, width in product((4, 8, 16), range(1, 1100)):
        apart = distance(width, itemsize)
        assert apart * itemsize % 1024
        assert (apart - width) * itemsize == (0 if width * itemsize % 1024 else 64)
