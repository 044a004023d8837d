"""What a chunk reads along an axis: all that W takes it from, and inside one slice in closed form."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convops._axis import Axis
from convops.distributed._parts import Part, adjoint_part, forward_part
from cuts import sizes
from oracles import NUMPY_PAD
from registry import BOUNDARIES


def matrix_of(axis: Axis) -> Any:
    """W of an axis with taps 1, 2, 4 …, from `numpy.pad` and the relation."""
    extended = np.pad(np.eye(axis.size), ((axis.before, axis.after), (0, 0)), **NUMPY_PAD[axis.boundary])
    taps = 2.0 ** np.arange(axis.kernel)
    rows = [axis.stride * p + axis.dilation * np.arange(axis.kernel) for p in range(axis.out_size)]
    return np.array([taps @ extended[row] for row in rows])


@st.composite
def axes(draw: Any) -> Axis:
    axis = Axis(
        draw(st.integers(1, 9)),
        draw(st.integers(1, 4)),
        draw(st.integers(1, 4)),
        draw(st.integers(1, 3)),
        draw(st.integers(0, 12)),
        draw(st.integers(0, 12)),
        draw(st.sampled_from(BOUNDARIES)),
    )
    lack = max(axis.effective - axis.size - axis.before - axis.after, 0)
    return axis._replace(after=axis.after + lack)


def small_matrix_of(part: Part, samples: int) -> Any:
    """W of the small axis between what is gathered, or results, and its outputs."""
    whole = matrix_of(part.line.axis)
    if (extension := part.line.extension) is None:
        return whole
    positions = np.zeros((part.line.axis.size, samples))
    positions[extension.positions, extension.samples] = np.eye(
        len(range(*extension.samples.indices(samples)))
    )
    np.add.at(positions, (extension.row, extension.sample), extension.coefficient)
    return whole @ positions


@given(axes(), st.data())
def test_a_chunk_of_outputs_is_their_rows(axis: Axis, data: st.DataObject) -> None:
    W, start = matrix_of(axis), 0
    for size in data.draw(sizes(axis.out_size)):
        part = forward_part(axis, start, start + size)
        rows = np.zeros((size, axis.size))
        if part.reads:
            small = small_matrix_of(part, part.line.samples)
            for low, high, place in part.reads:
                rows[:, low:high] = small[:, place : place + high - low]
        np.testing.assert_array_equal(rows, W[start : start + size])
        start += size


@given(axes(), st.data())
def test_a_chunk_of_samples_is_their_columns(axis: Axis, data: st.DataObject) -> None:
    W, start = matrix_of(axis), 0
    for size in data.draw(sizes(axis.size)):
        part = adjoint_part(axis, start, start + size)
        columns = np.zeros((axis.out_size, size))
        if part.reads:
            small = small_matrix_of(part, size)
            for low, high, place in part.reads:
                columns[low:high] = small[place : place + high - low]
        np.testing.assert_array_equal(columns, W[:, start : start + size])
        start += size


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_inside_a_chunk_reads_one_slice_and_extends_nothing(boundary: str) -> None:
    axis = Axis(1000, 5, 3, 2, 7, 6, boundary)
    part = forward_part(axis, 100, 150)
    # From 3 * 100 - 7 to 3 * 149 - 7 + 2 * 4.
    assert part.reads == ((293, 449, 0),)
    assert (part.line.extension, part.line.axis.before, part.line.axis.after) == (None, 0, 0)
    back = adjoint_part(axis, 300, 450)
    # From (300 + 7 - 8) / 3, rounded up, to (449 + 7) // 3.
    assert back.reads == ((100, 153, 0),)
    assert back.line.extension is None


def test_a_wrapped_chunk_reads_from_both_ends() -> None:
    axis = Axis(100, 5, 1, 1, 2, 2, "wrap")
    assert [read[:2] for read in forward_part(axis, 0, 10).reads] == [(0, 12), (98, 100)]
    assert [read[:2] for read in adjoint_part(axis, 0, 10).reads] == [(0, 12), (98, 100)]
    assert [read[:2] for read in adjoint_part(axis, 90, 100).reads] == [(0, 2), (88, 100)]


def test_the_size_of_the_axis_costs_nothing() -> None:
    axis = Axis(10**15, 3, 1, 1, 1, 1, "reflect")
    assert forward_part(axis, 10**14, 10**14 + 10**6).reads == ((10**14 - 1, 10**14 + 10**6 + 1, 0),)
    assert adjoint_part(axis, 0, 100).reads == ((0, 101, 0),)
