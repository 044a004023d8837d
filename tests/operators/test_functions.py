"""One-shot `conv` and `conv_transpose` against the loops."""

import numpy as np
import pytest
from hypothesis import given, settings

from convops import conv, conv_transpose
from oracles import assert_within_rounding
from registry import (
    CASES,
    Case,
    cases,
    forward_of,
    inputs_for,
    magnitude_of,
    outputs_for,
    transpose_of,
    weights_for,
)


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_both_are_those_of_the_loops(case: Case, dtype: str) -> None:
    weight, x, y = (make(case, dtype) for make in (weights_for, inputs_for, outputs_for))
    magnitude, terms = magnitude_of(case, weight)
    by_row, by_column = magnitude @ abs(x.ravel()), magnitude.T @ abs(y.ravel())
    there = conv(x, weight, **case.kwargs())
    assert_within_rounding(there, forward_of(case, x, weight), by_row.reshape(there.shape), terms)
    back = conv_transpose(y, weight, **case.transposed_kwargs())
    assert_within_rounding(back, transpose_of(case, y, weight), by_column.reshape(back.shape), terms)


@given(cases())
@settings(max_examples=40)
def test_integers_are_exact_on_any_geometry(case: Case) -> None:
    weight, x, y = (make(case, "int64") for make in (weights_for, inputs_for, outputs_for))
    np.testing.assert_array_equal(conv(x, weight, **case.kwargs()), forward_of(case, x, weight))
    np.testing.assert_array_equal(
        conv_transpose(y, weight, **case.transposed_kwargs()), transpose_of(case, y, weight)
    )


@pytest.mark.parametrize("batch", [(1,), (3,), (2, 3), (0,)], ids=str)
@pytest.mark.parametrize("case", CASES[::6], ids=str)
def test_batch_dims_are_carried_along(case: Case, batch: tuple[int, ...]) -> None:
    weight = weights_for(case)
    for function, shape, arguments in (
        (conv, case.input_shape, case.kwargs()),
        (conv_transpose, case.output_shape, case.transposed_kwargs()),
    ):
        x = np.random.default_rng(0).standard_normal((*batch, *shape))
        y = function(x, weight, batch_dims=len(batch), **arguments)
        assert y.shape[: len(batch)] == batch
        for place in np.ndindex(*batch):
            np.testing.assert_allclose(y[place], function(x[place], weight, **arguments), atol=1e-12)


def test_output_padding_is_the_smaller_part_of_the_choice() -> None:
    y = np.arange(4.0)
    assert conv_transpose(y, [1.0, 2.0, 3.0], stride=3).shape == (12,)
    longer = conv_transpose(y, [1.0, 2.0, 3.0], stride=3, output_padding=2)
    np.testing.assert_array_equal(longer, [0, 0, 0, 1, 2, 3, 2, 4, 6, 3, 6, 9, 0, 0])


def test_a_dtype_is_that_of_the_operator() -> None:
    assert conv([1, 2, 3], [1, 2], dtype="float32").dtype == np.float64
    assert conv(np.float32([1, 2, 3]), [1, 2], dtype="float32").dtype == np.float32
