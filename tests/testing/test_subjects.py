"""What is checked, given as one value."""

from typing import Any

import numpy as np
import pytest
from scipy.sparse.linalg import aslinearoperator

from convops import Conv
from convops.testing._subjects import arguments_of, name_of


def double(x: np.ndarray) -> np.ndarray:
    return 2 * x


@pytest.mark.parametrize(
    ("subject", "name"),
    [
        (Conv(np.ones((4, 2, 3, 3)), (2, 8, 9)), "Conv-2x8x9-to-4x6x7"),
        (Conv([1.0, 2.0], 5).H, "ConvTranspose-4-to-5"),
        (aslinearoperator(np.ones((3, 4))), "MatrixLinearOperator-4-to-3"),
        ((double, double, (2, 3), (2, 3)), "double-2x3-to-2x3"),
        ((lambda x: x, double, 5, 5, "float32"), "lambda-5-to-5"),
        (
            (aslinearoperator(np.ones((3, 4))), aslinearoperator(np.ones((4, 3)))),
            "MatrixLinearOperator-4-to-3",
        ),
    ],
)
def test_a_name_tells_kind_and_shapes(subject: Any, name: str) -> None:
    assert name_of(subject) == name


def test_a_tuple_is_what_check_adjoint_takes() -> None:
    A = Conv([1.0, 2.0], 5)
    assert arguments_of(A) == (A,)
    assert arguments_of((double, double, 5, 5)) == (double, double, 5, 5)


@pytest.mark.parametrize("count", [0, 1, 6])
def test_a_tuple_of_another_length_is_refused(count: int) -> None:
    with pytest.raises(
        ValueError, match=rf"must be an operator, or a tuple \(.*; got a tuple of {count} item"
    ):
        arguments_of((double,) * count)
