"""The oracles agree with one another and with examples written by hand, and can fail."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given

import oracles
from oracles import Array, assert_within_rounding
from registry import (
    BOUNDARIES,
    CASES,
    PADDINGS,
    Case,
    cases,
    forward_of,
    inputs_for,
    magnitude_of,
    matrix_of,
    outputs_for,
    transpose_of,
    weights_for,
)


def test_the_loops_give_the_matrix_written_by_hand() -> None:
    case = Case("by hand", (2, 2), (3, 3))
    weight = np.array([[1, 2], [3, 4]])
    by_hand = [
        [1, 2, 0, 3, 4, 0, 0, 0, 0],
        [0, 1, 2, 0, 3, 4, 0, 0, 0],
        [0, 0, 0, 1, 2, 0, 3, 4, 0],
        [0, 0, 0, 0, 1, 2, 0, 3, 4],
    ]
    np.testing.assert_array_equal(matrix_of(case, weight), by_hand)
    np.testing.assert_array_equal(forward_of(case, np.arange(9).reshape(3, 3), weight), [[27, 37], [57, 67]])


def test_the_loops_give_the_transpose_written_by_hand() -> None:
    weight = np.array([[0, 1], [2, 3]])
    strided = Case("by hand", (2, 2), (4, 4), stride=2)
    by_hand = [[0, 0, 0, 1], [0, 0, 2, 3], [0, 2, 0, 3], [4, 6, 6, 9]]
    np.testing.assert_array_equal(transpose_of(strided, weight, weight), by_hand)


def test_a_flipped_kernel_is_that_of_numpy_convolve() -> None:
    case = Case("flipped", (3,), (6,), padding="full", flip=True)
    x, weight = inputs_for(case, "int64"), weights_for(case, "int64")
    np.testing.assert_array_equal(forward_of(case, x, weight), np.convolve(x, weight))


@pytest.mark.parametrize(
    ("boundary", "extended"),
    [
        ("zeros", [0, 0, 0, 0, 1, 2, 4, 0, 0, 0, 0]),
        ("wrap", [4, 1, 2, 4, 1, 2, 4, 1, 2, 4, 1]),
        ("reflect", [1, 2, 4, 2, 1, 2, 4, 2, 1, 2, 4]),
        ("symmetric", [4, 4, 2, 1, 1, 2, 4, 4, 2, 1, 1]),
        ("edge", [1, 1, 1, 1, 1, 2, 4, 4, 4, 4, 4]),
        ("antireflect", [-5, -4, -2, 0, 1, 2, 4, 6, 7, 8, 10]),
    ],
)
def test_numpy_pad_extends_as_written_by_hand(boundary: str, extended: list[int]) -> None:
    np.testing.assert_array_equal(oracles.extension(3, 4, 4, boundary) @ [1, 2, 4], extended)


@pytest.mark.parametrize(
    ("padding", "kernel", "stride", "dilation", "pair"),
    [
        ("valid", 4, 1, 1, (0, 0)),
        ("same", 4, 1, 1, (1, 2)),
        ("same_lower", 4, 1, 1, (2, 1)),
        ("same", 3, 3, 1, (0, 0)),
        ("same_lower", 4, 3, 1, (1, 0)),
        ("same", 2, 1, 4, (2, 2)),
        ("full", 3, 2, 2, (4, 4)),
        ("causal", 3, 2, 2, (4, 0)),
        (3, 3, 1, 1, (3, 3)),
        ((3,), 3, 1, 1, (3, 3)),
        (((1, 2),), 3, 1, 1, (1, 2)),
    ],
)
def test_padding_resolves_as_worked_out_by_hand(
    padding: object, kernel: int, stride: int, dilation: int, pair: tuple[int, int]
) -> None:
    assert oracles.resolve_padding(padding, (9,), (kernel,), (stride,), (dilation,)) == [pair]


@pytest.mark.parametrize("dtype", ["int64", "complex128"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_loops_and_matrix_agree(case: Case, dtype: str) -> None:
    check_loops_against_matrix(case, dtype)


@given(case=cases())
def test_loops_and_matrix_agree_at_random(case: Case) -> None:
    check_loops_against_matrix(case, "int64")


def check_loops_against_matrix(case: Case, dtype: str) -> None:
    weight, x, y = (make(case, dtype) for make in (weights_for, inputs_for, outputs_for))
    matrix = matrix_of(case, weight)
    magnitude, terms = magnitude_of(case, weight)
    assert matrix.shape == case.shape
    forward, transpose = forward_of(case, x, weight), transpose_of(case, y, weight)
    assert_within_rounding(forward.ravel(), matrix @ x.ravel(), magnitude @ abs(x.ravel()), terms)
    assert_within_rounding(transpose.ravel(), matrix.T @ y.ravel(), magnitude.T @ abs(y.ravel()), terms)


def test_the_registry_covers_what_it_is_for() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
    axes = {len(case.spatial) for case in CASES}
    strides = {step for case in CASES for step in case.loops()["stride"]}
    boundaries = {name for case in CASES for name in case.loops()["boundary"]}
    paddings = {case.padding if isinstance(case.padding, str) else type(case.padding) for case in CASES}
    assert axes == {1, 2, 3, 4}
    assert strides >= {1, 2, 3, 4}
    assert boundaries == set(BOUNDARIES)
    assert paddings == {*PADDINGS, int, tuple}
    wanted: list[Callable[[Case], bool]] = [
        lambda case: case.flip,
        lambda case: case.groups > 1,
        lambda case: max(case.loops()["dilation"]) > 1,
        lambda case: any(s > k for s, k in zip(case.loops()["stride"], case.kernel, strict=True)),
        lambda case: any(
            max(pair) > 2 * n for pair, n in zip(case.loops()["padding"], case.spatial, strict=True)
        ),
        lambda case: bool((matrix_of(case, np.ones(case.weight_shape)) == 0).all(axis=0).any()),
        lambda case: bool((matrix_of(case, np.ones(case.weight_shape)) == 0).all(axis=1).any()),
    ]
    for number, holds in enumerate(wanted):
        assert sum(map(holds, CASES)) >= 1, number


@pytest.mark.parametrize("factor", [1 + 1e-12, 1 - 1e-12, np.inf, np.nan])
def test_the_rounding_bound_can_fail(factor: float) -> None:
    expected = np.array([1.0, 2.0])
    with pytest.raises(AssertionError):
        assert_within_rounding(expected * [1, factor], expected, expected, terms=9)


@pytest.mark.parametrize("actual", [np.array([1, 3]), np.array([[1, 2]]), np.array([1.0, 2.0 + 1e-14])])
def test_integers_and_shapes_are_compared_exactly(actual: Array) -> None:
    with pytest.raises(AssertionError):
        assert_within_rounding(actual, np.array([1, 2]), np.array([1, 2]), terms=1)
