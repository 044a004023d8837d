"""The values of the rows of W: the taps, then what folding makes of them, within their dtype."""

import numpy as np
import pytest

from convops import ConvGeometry, conv_matrix
from convops._pattern import axis_pattern
from convops._templates import templates


def test_the_taps_come_first_and_then_the_rows_of_the_border() -> None:
    geometry = ConvGeometry(3, 5, padding=1, boundary="antireflect")
    patterns = [axis_pattern(axis) for axis in geometry.axes]
    found = templates(geometry, patterns, np.array([1, 10, 100]))
    # x[-1] = 2 x[0] - x[1], and alike at the other end.
    assert found.tolist() == [[[1, 10, 100, 10 + 2, 100 - 1, 1 - 100, 10 + 200]]]
    assert [found[0, 0, run.template].tolist() for run in patterns[0].runs] == [
        [12, 99],
        [1, 10, 100],
        [-99, 210],
    ]


def test_a_weight_that_nothing_folds_is_taken_as_it_is() -> None:
    geometry = ConvGeometry((2, 1, 3), (1, 5), padding=1)
    weight = np.arange(6.0).reshape(2, 1, 3)
    assert templates(geometry, [axis_pattern(axis) for axis in geometry.axes], weight).base is weight.base


def test_folded_entries_that_leave_their_dtype_are_refused() -> None:
    with pytest.raises(OverflowError, match=r"dtype=int8: W, where the boundary folds .* holds 200"):
        conv_matrix([100, 100], 3, padding=((1, 0),), boundary="edge", dtype="int8")
    with pytest.raises(OverflowError, match=r"could hold .*: integers are computed in int64"):
        conv_matrix([2**62, 2**62], 3, padding=((1, 0),), boundary="edge")
    with pytest.raises(OverflowError, match=r"leaves the range of float32, which ends at 3.4e\+38"):
        conv_matrix(np.array([3e38, 3e38], "float32"), 3, padding=((1, 0),), boundary="edge")
