"""A + B."""

import operator
from functools import reduce
from typing import Any

from convops._arrays import Array
from convops.operators.algebra.composite import (
    SUM,
    Composite,
    Pass,
    gain_of,
    listed,
    mirrored,
    text_of,
)
from convops.operators.algebra.scalars import add_to, product_dtype
from convops.operators.algebra.shapes import common


class Sum(Composite):
    """The sum of operators between the same arrays."""

    _tightness = SUM

    def __init__(self, *parts: Any) -> None:
        flat = [term for part in parts for term in (part.parts if isinstance(part, Sum) else (part,))]
        text = " + ".join(text_of(part, SUM) for part in parts)
        shapes = [
            common(text, f"the operators of a sum must have one {name}", parts, name)
            for name in ("input_shape", "output_shape")
        ]
        self._setup(tuple(flat), product_dtype(*(part.dtype for part in flat)), *shapes)

    def _arguments(self) -> tuple[Any, ...]:
        return self.parts

    def _structure(self) -> str:
        return listed([text_of(part, SUM) for part in self.parts], " + ").replace(" + -", " - ")

    @property
    def _convops_gain(self) -> float:
        return sum(map(gain_of, self.parts))

    def _act(self, x: Array, how: Pass) -> Array:
        return reduce(add_to, (how(part, x) for part in self.parts))

    def _matrix(self) -> Any:
        return reduce(operator.add, map(self._matrix_of, self.parts))

    def _mirrored(self, conjugated: bool) -> Composite:
        return Sum(*(mirrored(part, conjugated) for part in self.parts))
