"""The cells that outputs look at, on one axis, against the definition and the entries of W."""

from itertools import product

import numpy as np
import pytest

from convops._axis import Axis
from convops.plot._strips import cells_of, strip_of
from oracles import extension

BOUNDARIES = ("zeros", "wrap", "reflect", "symmetric", "edge", "antireflect")
AXES = [
    Axis(*sizes, boundary)
    for boundary in BOUNDARIES
    for sizes in ((5, 3, 1, 1, 1, 1), (7, 2, 3, 2, 0, 2), (4, 3, 2, 1, 3, 2), (1, 2, 1, 1, 1, 1))
]
IDS = [f"{axis.boundary}-{axis.size}-{axis.stride}" for axis in AXES]


@pytest.mark.parametrize("axis", AXES, ids=IDS)
def test_an_output_looks_at_the_positions_of_the_one_relation(axis: Axis) -> None:
    strip = strip_of(axis, transposed=False)
    assert len(strip.windows) == axis.out_size
    for p, (window,) in enumerate(strip.windows):
        assert window == tuple(
            (axis.stride * p + axis.dilation * k - axis.before, k) for k in range(axis.kernel)
        )
    assert [entry for entry in strip.entries if entry is not None] == list(range(axis.size))
    assert strip.first == -axis.before
    assert len(strip.entries) == axis.before + axis.size + axis.after


def reads(axis: Axis) -> set[tuple[int, int, int]]:
    """(output, sample, tap) wherever the extension that an output reads takes something of a sample."""
    E = extension(axis.size, axis.before, axis.after, axis.boundary)
    return {
        (p, sample, k)
        for p, k, sample in product(range(axis.out_size), range(axis.kernel), range(axis.size))
        if E[axis.stride * p + axis.dilation * k, sample]
    }


@pytest.mark.parametrize("axis", AXES, ids=IDS)
def test_a_cell_says_which_sample_it_holds(axis: Axis) -> None:
    strip, E = strip_of(axis, transposed=False), extension(axis.size, axis.before, axis.after, axis.boundary)
    for held, row in zip(strip.held, E, strict=True):
        samples = np.flatnonzero(row)
        if samples.size == 1 and row[samples[0]] == 1:
            assert held == str(samples[0])
        else:
            assert held == ("±" if samples.size else "")


@pytest.mark.parametrize("axis", AXES, ids=IDS)
def test_a_sample_of_the_transpose_looks_at_all_that_read_it(axis: Axis) -> None:
    strip = strip_of(axis, transposed=True)
    assert len(strip.windows) == axis.size
    found = set()
    for sample, windows in enumerate(strip.windows):
        for cell, tap in [pair for window in windows for pair in window]:
            entry = strip.entries[cell - strip.first]
            # Entries stand where the stride puts them, and nowhere else.
            assert entry == (
                cell // axis.stride if cell in range(0, axis.stride * axis.out_size, axis.stride) else None
            )
            if entry is not None:
                found.add((entry, sample, tap))
    assert found == reads(axis)


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("axis", AXES, ids=IDS)
def test_the_number_of_cells_is_known_before(axis: Axis, transposed: bool) -> None:
    strip = strip_of(axis, transposed)
    assert len(strip.entries) == len(strip.held) <= cells_of(axis, transposed)
