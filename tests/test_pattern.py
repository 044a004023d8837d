"""The pattern of one axis against numpy.pad."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

import oracles
from convops._axis import Axis
from convops._pattern import Pattern, axis_pattern
from test_axis import axes


def rows_of(pattern: Pattern) -> np.ndarray:
    """Return, for each output, the weight (tap by sample) that its run says it has."""
    axis = pattern.axis
    values = np.eye(axis.kernel, dtype=int)
    if pattern.folding is not None:
        values = np.concatenate([values, pattern.folding.toarray()])
    rows = np.zeros((pattern.outputs, axis.kernel, axis.size), dtype=int)
    for run in pattern.runs:
        for number in range(run.outputs):
            for column, value in zip(run.columns, values[run.template], strict=True):
                rows[run.start + number, :, column + number * axis.stride] += value
    return rows


@given(axes())
def test_the_runs_make_up_the_convolution_of_one_axis(axis: Axis) -> None:
    extension = oracles.extension(axis.size, axis.before, axis.after, axis.boundary)
    taps = axis.stride * np.arange(axis.out_size)[:, None] + axis.dilation * np.arange(axis.kernel)
    np.testing.assert_array_equal(rows_of(axis_pattern(axis)), extension[taps])


@given(axes())
def test_the_runs_follow_one_another_and_count_their_entries(axis: Axis) -> None:
    pattern = axis_pattern(axis)
    p = entries = 0
    for run in pattern.runs:
        assert (run.start, run.entries_before) == (p, entries)
        assert (np.diff(run.columns) > 0).all()
        p += run.outputs
        entries += run.outputs * run.columns.size
    assert (p, entries) == (axis.out_size, pattern.entries)
    assert pattern.entries == axis.reads


@given(axes(), st.data())
def test_outputs_between_two_have_the_rows_that_they_have_among_all(axis: Axis, data: st.DataObject) -> None:
    pattern = axis_pattern(axis)
    start = data.draw(st.integers(0, axis.out_size - 1))
    stop = data.draw(st.integers(start + 1, axis.out_size))
    part = pattern.between(start, stop)
    np.testing.assert_array_equal(rows_of(part), rows_of(pattern)[start:stop])
    assert part.outputs == stop - start
    assert part.entries == sum(run.outputs * run.columns.size for run in part.runs)
    assert [run.entries_before for run in part.runs] == [
        sum(run.outputs * run.columns.size for run in part.runs[:number]) for number in range(len(part.runs))
    ]


def test_the_interior_is_one_run_however_long() -> None:
    assert len(axis_pattern(Axis(10**9, 3, 1, 1, 1, 1, "reflect")).runs) == 3
