"""A name stands for the operator with the boundary of A, along its spatial axes."""

from typing import Any

import numpy as np
import pytest
from scipy.sparse.linalg import aslinearoperator

from convops import Conv, ConvTranspose, gradient, laplacian, selection, vstack
from convops.inverse._regulariser import regulariser

KERNEL = np.ones((3, 3))
SHAPE = (5, 6)
WRAP = Conv(KERNEL, SHAPE, padding="same", boundary="wrap")


@pytest.mark.parametrize(
    ("A", "boundary"),
    [
        (WRAP, "wrap"),
        (Conv(KERNEL, SHAPE, padding="same", boundary=("edge", "reflect")), ("edge", "reflect")),
        (Conv(KERNEL, SHAPE), "symmetric"),
        (3 * WRAP, "wrap"),
        (selection(np.ones(SHAPE, bool)) @ WRAP, "wrap"),
        (vstack([WRAP, WRAP]), "wrap"),
        (ConvTranspose(KERNEL, SHAPE, padding="same", boundary="edge"), "symmetric"),
        (Conv(KERNEL, (7, 8)).T, "symmetric"),
    ],
)
def test_the_boundary_is_that_of_what_reads_x(A: Any, boundary: Any) -> None:
    for name, make in (("gradient", gradient), ("laplacian", laplacian)):
        expected = make(A.input_shape, boundary=boundary)
        assert np.array_equal(regulariser(name, A).toarray(), expected.toarray())


def test_channels_are_left_alone_and_the_precision_is_kept() -> None:
    A = Conv(np.ones((2, 3, 3, 3), np.complex64), (3, 5, 6), padding="same", boundary="wrap")
    L = regulariser("gradient", A)
    assert L.output_shape == (2, 3, 5, 6)
    assert L.dtype == np.float32


def test_an_operator_is_taken_as_it_is() -> None:
    own = aslinearoperator(np.eye(30))
    assert regulariser(None, WRAP) is None
    assert regulariser(own, WRAP).shape == (30, 30)
