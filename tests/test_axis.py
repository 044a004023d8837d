"""One axis in integers against numpy.pad and counting."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import oracles
from convops._axis import BOUNDARIES, Axis, floor_sum, folded, period, sizes_by_output_padding
from registry import CASES, Case

sizes = st.integers(1, 7)


@st.composite
def axes(draw: st.DrawFn) -> Axis:
    """Axes on which the kernel fits; they shrink to one tap on one sample."""
    kernel, stride, dilation = draw(st.integers(1, 5)), draw(st.integers(1, 4)), draw(st.integers(1, 3))
    before, after = draw(st.integers(0, 17)), draw(st.integers(0, 17))
    least = max(1, dilation * (kernel - 1) + 1 - before - after)
    size = least + draw(st.integers(0, 6))
    return Axis(size, kernel, stride, dilation, before, after, draw(st.sampled_from(BOUNDARIES)))


def rows_that_read(axis: Axis) -> np.ndarray:
    """Count how often each output reads each sample, from numpy.pad."""
    read = oracles.extension(axis.size, axis.before, axis.after, axis.boundary) != 0
    taps = [[axis.stride * p + axis.dilation * k for k in range(axis.kernel)] for p in range(axis.out_size)]
    return read[np.array(taps)].sum(axis=1)


@given(sizes, st.integers(-40, 40), st.sampled_from([b for b in BOUNDARIES if b != "zeros"]))
def test_a_folded_position_is_the_sample_that_numpy_pad_puts_there(size: int, q: int, boundary: str) -> None:
    mode = "reflect" if boundary == "antireflect" else boundary
    padded = np.pad(np.arange(size), (40, 40), mode=mode)
    assert folded(q, size, boundary) == padded[q + 40]
    assert folded(np.array([q]), size, boundary) == padded[q + 40]


@given(sizes, st.integers(-20, 20), st.sampled_from(["wrap", "reflect", "symmetric"]))
def test_a_boundary_repeats_after_its_period(size: int, q: int, boundary: str) -> None:
    assert folded(q + period(size, boundary), size, boundary) == folded(q, size, boundary)


@given(axes())
def test_reads_counts_the_samples_of_every_output_once(axis: Axis) -> None:
    assert axis.reads == np.count_nonzero(rows_that_read(axis))


@given(axes())
def test_the_interior_is_where_all_taps_lie_on_samples(axis: Axis) -> None:
    start, stop = axis.interior
    for p in range(axis.out_size):
        first = axis.first_position(p)
        inside = first >= 0 and first + axis.effective <= axis.size
        assert inside == (start <= p < stop)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_out_size_counts_the_places_where_the_kernel_fits(case: Case) -> None:
    loops = case.loops()
    for number, n in enumerate(case.spatial):
        before, after = loops["padding"][number]
        axis = Axis(
            n, case.kernel[number], loops["stride"][number], loops["dilation"][number], before, after, "zeros"
        )
        assert axis.out_size == case.output_shape[number + case.has_channels]


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_counting_takes_no_time_on_long_axes_with_long_kernels(boundary: str) -> None:
    taps, size = 2001, 10**12
    axis = Axis(size, taps, 1, 1, 1000, 1000, boundary)
    at_border = {
        # Row p of the first thousand reads p + 1001 samples, or all taps where they come round again.
        "zeros": sum(range(1001, 2001)),
        "edge": sum(range(1001, 2001)),
        "wrap": 1000 * taps,
        "reflect": sum(range(1001, 2001)),
        "symmetric": sum(range(1001, 2001)),
        "antireflect": sum(range(1001, 2001)),
    }[boundary]
    assert axis.reads == 2 * at_border + (size - 2000) * taps


def test_the_list_of_sizes_leaves_out_those_below_one_and_stays_short() -> None:
    assert sizes_by_output_padding(range(-1, 3)) == "1 (output_padding=2) or 2 (output_padding=3)"
    assert sizes_by_output_padding(range(-1, 1)) == "never positive"
    assert sizes_by_output_padding(range(5, 5 + 2**62), limit=1) == (
        f"5 (output_padding=0) or so on to {4 + 2**62} (output_padding={2**62 - 1})"
    )


@given(st.integers(0, 30), st.integers(1, 20), st.integers(0, 40), st.integers(0, 40))
def test_floor_sum_is_the_sum_of_floors(count: int, modulus: int, step: int, offset: int) -> None:
    expected = sum((step * i + offset) // modulus for i in range(count))
    assert floor_sum(count, modulus, step, offset) == expected
