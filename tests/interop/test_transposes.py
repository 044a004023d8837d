"""What is kept of the longest output of a transposed convolution, against the dense matrix."""

import numpy as np
import pytest

from convops import ConvTranspose
from convops.interop._transposes import kept_of_full

WEIGHT = np.arange(1.0, 13.0).reshape(2, 2, 3)


@pytest.mark.parametrize(
    ("start", "size"), [(0, 9), (2, 5), (1, 8), (0, 12), (-2, 9), (-1, 14), (8, 3), (9, 2), (-4, 4), (20, 1)]
)
def test_places_within_are_cropped_and_places_beyond_are_zeros(start: int, size: int) -> None:
    full = ConvTranspose(WEIGHT, (2, 4), stride=2).toarray().reshape(2, 9, -1)
    expected = np.zeros((2, size, full.shape[-1]))
    for place in range(size):
        if 0 <= start + place < 9:
            expected[:, place] = full[:, start + place]
    B = kept_of_full(WEIGHT, (2, 4), (start,), (size,), (2,), (1,), 1, "auto")
    assert B.output_shape == (2, size)
    np.testing.assert_array_equal(B.toarray(), expected.reshape(2 * size, -1))


def test_a_part_of_the_longest_output_is_a_transposed_convolution() -> None:
    assert isinstance(kept_of_full(WEIGHT, (2, 4), (1,), (7,), (2,), (1,), 1, "gemm"), ConvTranspose)
