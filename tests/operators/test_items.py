"""The shape of an item is what the batch axes leave; what cannot be one says how to give it."""

import re

import pytest

from convops.operators._items import item_shape


def test_an_item_is_what_the_batch_axes_leave() -> None:
    assert item_shape((5, 2, 3, 9), (4, 3, 3), 2) == (3, 9)
    assert item_shape((9,), (3,), 0) == (9,)
    assert item_shape((0, 9), (3,), 1) == (9,)


@pytest.mark.parametrize(
    ("shape", "weight_shape", "batch_dims", "says"),
    [
        ((9,), (3,), 1, "x of shape (9,) has 1 axes"),
        ((5, 0), (3, 3), 0, "axis 1 must be at least 1"),
        ((3, 9, 9), (3, 3), 0, "batch_dims=1"),
        ((9, 9, 3), (3, 3), 0, "channel_axis=-1"),
    ],
)
def test_what_is_no_item_is_refused_with_the_fix(
    shape: tuple[int, ...], weight_shape: tuple[int, ...], batch_dims: int, says: str
) -> None:
    with pytest.raises(ValueError, match=re.escape(says)):
        item_shape(shape, weight_shape, batch_dims)
