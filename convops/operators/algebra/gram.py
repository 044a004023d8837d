"""AᴴA, which is its own adjoint."""

from functools import cached_property
from typing import Any

import numpy as np

from convops._arrays import Array
from convops.operators.algebra.autocorrelation import gram_map
from convops.operators.algebra.composite import PRODUCT, Composite, Pass, gain_of, text_of
from convops.operators.algebra.scalars import product_dtype
from convops.operators.base import ConvOperator
from convops.operators.conv import Conv


class Gram(Composite):
    """``A.H @ A``, applied as that, or as the convolution that it is where this is expected to be faster."""

    _tightness = PRODUCT

    def __init__(self, part: Any) -> None:
        shape = part.input_shape
        self._setup((part,), product_dtype(part.dtype), shape, shape)

    def _arguments(self) -> tuple[Any, ...]:
        return self.parts

    def _structure(self) -> str:
        part = self.parts[0]
        return f"{text_of(part.H, PRODUCT)} @ {text_of(part, PRODUCT)}"

    @cached_property
    def convolution(self) -> Conv | None:
        """The convolution that this is, its kernel the autocorrelation of the kernel; None if it is none."""
        part = self.parts[0]
        if not isinstance(part, ConvOperator):
            return None
        found = gram_map(part._map, reversed_order=part._transposed)
        if found is None:
            return None
        # conj(W) Wᵀ is the conjugate of W Wᴴ, and so on: which it is, the two flags of the part tell.
        return Conv._of(found, part.dtype.kind == "c" and part._transposed != part._conjugated)

    @cached_property
    def _by_convolution(self) -> bool:
        """Whether one product with the convolution is expected to cost less than two with the part."""
        if self.convolution is None:
            return False
        two, one = self.parts[0]._map, self.convolution._map
        once, twice = (each.choice.costs.get(each.method) for each in (one, two))
        return once is not None and twice is not None and once.seconds < 2 * twice.seconds

    @property
    def _convops_gain(self) -> float:
        return gain_of(self.parts[0]) ** 2

    def _act(self, x: Array, how: Pass) -> Array:
        # In float32 the kernel of the convolution is rounded, and would cost a wider x its digits.
        if self._by_convolution and np.result_type(x.dtype, self.dtype) == self.dtype:
            return Pass(False, how.columns)(self.convolution, x)
        part = self.parts[0]
        return Pass(True, how.columns)(part, Pass(False, how.columns)(part, x))

    def _matrix(self) -> Any:
        if self.convolution is not None:
            return self.convolution.tosparse()
        matrix = self._matrix_of(self.parts[0])
        return matrix.T.conj() @ matrix

    def _partner(self, conjugated: bool) -> Composite:
        if conjugated or self.dtype.kind != "c":
            return self
        return super()._partner(False)

    def _mirrored(self, conjugated: bool) -> Composite:
        return Gram(self.parts[0].T.H)
