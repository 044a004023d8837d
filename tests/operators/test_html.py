"""The picture of an operator is that of its matrix, tap by tap."""

import numpy as np
import pytest

from convops import Conv, ConvTranspose, KernelOperator
from pictures import cells_of


@pytest.mark.parametrize("flip", [False, True])
def test_a_cell_has_the_colour_of_its_tap(flip: bool) -> None:
    A = Conv([5, 6, 7], 9, stride=2, flip=flip)
    K = KernelOperator(np.arange(1, 10), 3, stride=2, flip=flip)
    colours = [f"hsl({hue},48%,60%)" for hue in (260, 148, 35)]
    for thing, values in ((A, A.toarray()), (A.T, A.T.toarray())):
        for place, fill in cells_of(thing._repr_html_()).items():
            assert fill == colours[values[place] - 5]
    for (_, column), fill in cells_of(K._repr_html_()).items():
        assert fill == colours[column]


@pytest.mark.parametrize("weight", [[5, 6, 7], [[[5, 6, 7], [5, 6, 7]]] * 3])
def test_a_cell_stands_where_channels_last_put_it(weight: list[object]) -> None:
    A = Conv(weight, (9, 2), stride=2, channel_axis=-1)
    x = np.arange(1, 37).reshape(2, 9, 2)
    K = KernelOperator(x, A.weight.shape, batch_dims=1, stride=2, channel_axis=-1)
    for thing in (A, A.T, K, K.T):
        places = set(zip(*thing.toarray().nonzero(), strict=True))
        assert set(cells_of(thing._repr_html_())) == places
        assert "on axis 1" in thing._repr_html_()
    colours = [f"hsl({hue},48%,60%)" for hue in (260, 148, 35)]
    values = A.toarray()
    for place, fill in cells_of(A._repr_html_()).items():
        assert fill == colours[values[place] - 5]


def test_the_other_operators_keep_their_text() -> None:
    A = Conv([1.0, 2.0], 4)
    assert not hasattr(A.gram(), "_repr_html_")
    transposed = ConvTranspose([1.0, 2.0], 4)._repr_html_()
    assert "the sizes of the convolution that it transposes" in transposed
