"""A @ B and A ** p."""

import operator
from functools import reduce
from itertools import pairwise
from math import inf, prod
from typing import Any

from convops._arrays import Array
from convops.operators.algebra.composite import (
    POWER,
    PRODUCT,
    Composite,
    Pass,
    gain_of,
    listed,
    mirrored,
    text_of,
)
from convops.operators.algebra.scalars import product_dtype
from convops.operators.algebra.shapes import at_odds, merged


class Product(Composite):
    """The operators one after another, the last first."""

    _tightness = PRODUCT

    def __init__(self, *parts: Any) -> None:
        flat = [factor for part in parts for factor in (part.parts if isinstance(part, Product) else (part,))]
        for left, right in pairwise(flat):
            if merged(left.input_shape, right.output_shape) is None:
                raise at_odds(
                    " @ ".join(text_of(each, PRODUCT) for each in (left, right)),
                    "the left operator must take the arrays that the right one returns",
                    left.input_shape,
                    right.output_shape,
                )
        dtype = product_dtype(*(part.dtype for part in flat))
        self._setup(tuple(flat), dtype, flat[-1].input_shape, flat[0].output_shape)

    def _arguments(self) -> tuple[Any, ...]:
        return self.parts

    def _structure(self) -> str:
        return listed([text_of(part, PRODUCT) for part in self.parts], " @ ")

    @property
    def _convops_gain(self) -> float:
        return prod(map(gain_of, self.parts))

    def _act(self, x: Array, how: Pass) -> Array:
        for part in self.parts if how.adjoint else reversed(self.parts):
            x = how(part, x)
        return x

    def _matrix(self) -> Any:
        return reduce(operator.matmul, map(self._matrix_of, self.parts))

    def _mirrored(self, conjugated: bool) -> Composite:
        return Product(*(mirrored(part, conjugated) for part in reversed(self.parts)))


class Power(Composite):
    """A square operator, at least once after itself."""

    _tightness = POWER

    def __init__(self, part: Any, exponent: int) -> None:
        self.exponent = exponent
        self._setup((part,), product_dtype(part.dtype), part.input_shape, part.output_shape)

    def _arguments(self) -> tuple[Any, ...]:
        return self.parts[0], self.exponent

    def _structure(self) -> str:
        return f"{text_of(self.parts[0], POWER + 1)} ** {self.exponent}"

    @property
    def _convops_gain(self) -> float:
        try:
            return gain_of(self.parts[0]) ** self.exponent
        except OverflowError:
            return inf

    def _act(self, x: Array, how: Pass) -> Array:
        for _ in range(self.exponent):
            x = how(self.parts[0], x)
        return x

    def _matrix(self) -> Any:
        matrix = self._matrix_of(self.parts[0])
        return reduce(operator.matmul, [matrix] * self.exponent)

    def _mirrored(self, conjugated: bool) -> Composite:
        return Power(mirrored(self.parts[0], conjugated), self.exponent)
