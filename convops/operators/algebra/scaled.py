"""A multiple of an operator."""

from typing import Any

import numpy as np

from convops._arrays import Array
from convops.operators.algebra.composite import PRODUCT, Composite, Pass, gain_of, mirrored, text_of
from convops.operators.algebra.scalars import multiply


class Scaled(Composite):
    """A scalar times an operator; the scalar has the precision of `dtype`, and is conjugated by ``.H``."""

    _tightness = PRODUCT

    def __init__(self, part: Any, factor: Any, dtype: np.dtype[Any]) -> None:
        self.factor = factor
        self._setup((part,), dtype, part.input_shape, part.output_shape)

    def _arguments(self) -> tuple[Any, ...]:
        return self.parts[0], self.factor, self.dtype

    def _structure(self) -> str:
        text = text_of(self.parts[0], PRODUCT)
        return f"-{text}" if self.factor == -1 else f"{self.factor} * {text}"

    @property
    def _convops_gain(self) -> float:
        return float(abs(self.factor)) * gain_of(self.parts[0])

    def _act(self, x: Array, how: Pass) -> Array:
        factor = np.conj(self.factor) if how.adjoint else self.factor
        return multiply(how(self.parts[0], x), factor)

    def _matrix(self) -> Any:
        return self._matrix_of(self.parts[0]) * self.factor

    def _mirrored(self, conjugated: bool) -> Composite:
        factor = np.conj(self.factor) if conjugated else self.factor
        return Scaled(mirrored(self.parts[0], conjugated), factor, self.dtype)
