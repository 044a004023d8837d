"""Operators of every form, and forward functions, as maps of vectors."""

from typing import Any

import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from convops import Conv
from convops.testing._maps import NoAdjoint, is_operator, maps_of


class Called:
    """An operator that is called with arrays."""

    input_shape, output_shape, dtype = (2, 3), (6,), np.dtype("complex64")

    def __call__(self, x: np.ndarray) -> np.ndarray:
        return x.ravel()

    @property
    def H(self) -> Any:
        return lambda y: y.reshape(2, 3)


class Bare:
    """An operator without an adjoint, not even one that is not implemented."""

    shape, dtype = (4, 6), np.dtype("float32")

    def __repr__(self) -> str:
        return "<bare>"

    def matvec(self, x: np.ndarray) -> np.ndarray:
        return x[:4]


FORWARD_ALONE = LinearOperator((4, 6), matvec=lambda x: x[:4], dtype="float32")


def test_an_operator_is_told_from_functions_and_classes() -> None:
    for op in (Conv([1.0], 5), aslinearoperator(np.eye(3)), FORWARD_ALONE, Called(), Bare()):
        assert is_operator(op)
    for other in (np.cumsum, np.eye(3), LinearOperator, Called, Conv, 3, "A"):
        assert not is_operator(other)


@pytest.mark.parametrize(
    ("op", "name", "shapes", "dtype"),
    [
        (
            Conv(np.ones((2, 2), "f4"), (3, 4)),
            "<6x12 Conv: input_shape (3, 4) -> ",
            ((3, 4), (2, 3)),
            "float32",
        ),
        (Called(), "Called and ", ((2, 3), (6,)), "complex64"),
        (Bare(), "<bare>", ((6,), (4,)), "float32"),
        (FORWARD_ALONE, "<4x6 _CustomLinearOperator with dtype=float32>", ((6,), (4,)), "float32"),
    ],
    ids=["Conv", "called", "bare", "forward alone"],
)
def test_an_operator_tells_its_name_its_shapes_and_its_dtype(
    op: Any, name: str, shapes: tuple[Any, Any], dtype: str
) -> None:
    pair = maps_of(op, None, None, None, None)
    assert pair.name.startswith(name)
    assert (pair.input_shape, pair.output_shape) == shapes
    assert pair.input_dtype == pair.output_dtype == dtype
    assert pair.forward(np.ones(pair.columns, dtype)).shape == (pair.rows,)


@pytest.mark.parametrize("op", [Bare(), FORWARD_ALONE], ids=["bare", "forward alone"])
def test_an_adjoint_that_is_not_there_is_told_when_it_is_applied(op: Any) -> None:
    pair = maps_of(op, None, None, None, None)
    with pytest.raises(NoAdjoint):
        pair.adjoint(np.ones(4, "float32"))


def test_a_function_has_the_output_shape_that_it_returns() -> None:
    for function, shape in ((np.transpose, (3, 2)), (np.sum, (1,)), (np.ravel, (6,))):
        pair = maps_of(function, None, (2, 3), None, None)
        assert (pair.name, pair.output_shape) == (function.__name__, shape)
        with pytest.raises(NoAdjoint):
            pair.adjoint(np.ones(pair.rows))
