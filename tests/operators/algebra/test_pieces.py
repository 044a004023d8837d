"""Arrays side by side are cut out of a vector and put back, batch and all."""

from typing import Any

import numpy as np
import pytest

from convops.operators.algebra.pieces import join_arrays, split_array, whole_shape

UNLIKE = ((2, 3), (4,))


@pytest.mark.parametrize("shapes", [UNLIKE, ((2, 3), (2, 3))])
@pytest.mark.parametrize("batch", [(), (2,), (2, 1)])
def test_what_is_joined_is_split_again(batch: Any, shapes: Any) -> None:
    rng = np.random.default_rng(0)
    arrays = [rng.standard_normal(batch + shape) for shape in shapes]
    whole = whole_shape(shapes)
    joined = join_arrays(arrays, whole, shapes)
    expected = np.concatenate([array.reshape(*batch, -1) for array in arrays], axis=-1)
    assert np.array_equal(joined, expected.reshape(batch + whole))
    for found, array in zip(split_array("x", joined, whole, shapes), arrays, strict=True):
        assert np.array_equal(found, array)
        assert not np.shares_memory(found, joined)


def test_arrays_that_are_alike_have_an_axis_of_their_own() -> None:
    assert whole_shape(((2, 3), (2, 3))) == (2, 2, 3)
    assert whole_shape(UNLIKE) == (10,)


def test_a_number_fills_its_array() -> None:
    joined = join_arrays([0, np.ones(4, np.float32)], (10,), UNLIKE)
    assert joined.tolist() == [0.0] * 6 + [1.0] * 4
    assert joined.dtype == np.float32


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="x has shape"):
        split_array("x", np.ones(9), (10,), UNLIKE)
    with pytest.raises(ValueError, match="one array for each of the 2 operators"):
        join_arrays([np.ones(4)], (10,), UNLIKE)
    with pytest.raises(ValueError, match="after the same batch axes"):
        join_arrays([np.ones((5, 2, 3)), np.ones((6, 4))], (10,), UNLIKE)
