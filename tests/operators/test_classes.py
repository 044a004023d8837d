"""Rows of one class hold the same values, and so do columns; counts are those of the matrix."""

from typing import Any

import numpy as np
import pytest

from convops import Conv, ConvGeometry
from convops._pattern import axis_pattern
from convops.operators._classes import column_classes, row_classes
from registry import BOUNDARIES


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_sums_by_class_are_those_of_the_dense_matrix(boundary: str, dilation: int, stride: int) -> None:
    # Powers of 7 tell taps apart in a sum.
    taps = 7 ** np.arange(3)
    options: dict[str, Any] = {
        "stride": stride,
        "dilation": dilation,
        "padding": [(3, 2)],
        "boundary": boundary,
    }
    W = Conv(taps, 13, **options).toarray()
    (axis,) = ConvGeometry((3,), (13,), **options).axes
    pattern = axis_pattern(axis)
    for line, sums in ((row_classes(pattern), W.sum(axis=1)), (column_classes(pattern), W.sum(axis=0))):
        by_class = line.counts @ (line.values @ taps)
        assert np.array_equal(by_class[line.class_of], sums)
