"""Axes of an array in another order, as an operator on what it is in C order."""

from math import prod
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from convops._arrays import Array
from convops.operators._messages import Shape
from convops.operators.algebra.composite import Composite, Pass
from convops.operators.algebra.scalars import product_dtype


class Transposition(Composite):
    """``numpy.transpose(x, order)``: a permutation, whose adjoint is its inverse."""

    def __init__(self, shape: Shape, order: tuple[int, ...], dtype: np.dtype[Any]) -> None:
        self.order = order
        self._setup((), product_dtype(dtype), shape, tuple([shape[axis] for axis in order]))

    def _arguments(self) -> tuple[Any, ...]:
        return self.input_shape, self.order, self.dtype

    def _structure(self) -> str:
        return f"transpose({self.input_shape}, {self.order})"

    @property
    def _convops_gain(self) -> float:
        return 1.0

    def _act(self, x: Array, how: Pass) -> Array:
        shape = self.output_shape if how.adjoint else self.input_shape
        order = np.argsort(self.order) if how.adjoint else np.asarray(self.order)
        axis = x.ndim + how.axis
        before, after = x.shape[:axis], x.shape[axis + 1 :]
        axes = [*range(axis), *(axis + order).tolist(), *range(axis + order.size, x.ndim - 1 + order.size)]
        arrays = x.reshape(*before, *shape, *after).transpose(axes)
        return np.array(arrays, order="C").reshape(x.shape)

    def _matrix(self) -> Any:
        size = prod(self.input_shape)
        read = np.arange(size).reshape(self.input_shape).transpose(self.order).ravel()
        return csr_array((np.ones(size, self.dtype), read, np.arange(size + 1)), shape=(size, size))

    def _mirrored(self, conjugated: bool) -> Composite:
        return Transposition(self.output_shape, tuple(np.argsort(self.order).tolist()), self.dtype)
