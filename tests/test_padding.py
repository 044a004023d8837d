"""The forms of padding, and the sizes that a transpose can choose, against a search through all sizes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import oracles
from convops._axis import Axis
from convops._padding import PADDINGS, padding_pairs, transposed_sizes
from registry import CASES, Case

lines = st.tuples(st.integers(1, 12), st.integers(1, 5), st.integers(1, 4), st.integers(1, 3))


def bare(size: int, kernel: int, stride: int, dilation: int) -> Axis:
    return Axis(size, kernel, stride, dilation, 0, 0, "zeros")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_form_becomes_one_pair_per_axis(case: Case) -> None:
    loops = case.loops()
    axes = list(map(bare, case.spatial, case.kernel, loops["stride"], loops["dilation"]))
    assert padding_pairs(case.padding, axes) == tuple(loops["padding"])


@given(lines, st.sampled_from(PADDINGS))
def test_a_name_means_what_it_says(line: tuple[int, int, int, int], name: str) -> None:
    size, kernel, stride, dilation = line
    expected = oracles.resolve_padding(name, [size], [kernel], [stride], [dilation])
    assert padding_pairs(name, [bare(*line)]) == tuple(expected)


def test_an_array_is_as_good_as_a_tuple() -> None:
    axes = [bare(8, 3, 1, 1)] * 2
    assert padding_pairs(np.array([1, 2]), axes) == ((1, 1), (2, 2))
    assert padding_pairs(np.array([[1, 2], [3, 4]]), axes) == ((1, 2), (3, 4))
    assert padding_pairs([[1, 2], (3, 4)], axes) == ((1, 2), (3, 4))


def sizes_that_give(outputs: int, kernel: int, stride: int, dilation: int, padding: object) -> list[int]:
    """Search for all input sizes that the convolution maps to `outputs`."""
    found = []
    for n in range(1, outputs * stride + dilation * kernel + 1):
        pairs = oracles.resolve_padding(padding, [n], [kernel], [stride], [dilation])
        sizes = oracles.output_sizes([n], [kernel], stride=[stride], padding=pairs, dilation=[dilation])
        if sizes == (outputs,):
            found.append(n)
    return found


@given(lines, st.sampled_from(["valid", "same", "same_lower", "full", "causal", 0, 1, ((2, 0),)]))
def test_a_transpose_can_have_exactly_the_sizes_that_the_convolution_maps_to_its_input(
    line: tuple[int, int, int, int], padding: object
) -> None:
    outputs, kernel, stride, dilation = line
    reachable = sizes_that_give(outputs, kernel, stride, dilation, padding)
    for size in range(1, outputs * stride + dilation * kernel + 2):
        if size in reachable:
            assert transposed_sizes([bare(*line)], padding, 0, size, 0) == (size,)
        else:
            with pytest.raises(ValueError, match=rf"axis 0 cannot be {size}\."):
                transposed_sizes([bare(*line)], padding, 0, size, 0)


@given(lines, st.sampled_from(["valid", 0, 1, ((2, 0),)]))
def test_output_padding_counts_from_the_smallest_size(
    line: tuple[int, int, int, int], padding: object
) -> None:
    outputs, kernel, stride, dilation = line
    pads = sum(padding_pairs(padding, [bare(*line)])[0])
    smallest = (outputs - 1) * stride + dilation * (kernel - 1) + 1 - pads
    for extra in range(stride):
        if smallest + extra >= 1:
            assert transposed_sizes([bare(*line)], padding, extra, None, 0) == (smallest + extra,)
        else:
            with pytest.raises(ValueError, match=r"would have size -?\d+\..*Remove less"):
                transposed_sizes([bare(*line)], padding, extra, None, 0)


@given(lines, st.sampled_from(["same", "same_lower"]))
def test_same_gives_a_transpose_the_stride_times_the_size(
    line: tuple[int, int, int, int], padding: str
) -> None:
    assert transposed_sizes([bare(*line)], padding, 0, None, 0) == (line[0] * line[2],)
