"""An operator that is made of others: what sums, multiples, products and blocks have in common."""

import weakref
from typing import Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array

from convops._arrays import Array, refuse_beyond_int64
from convops.operators._messages import Shape
from convops.operators.algebra.scalars import in_precision, product_dtype
from convops.operators.contract import ArrayOperator

SUM, PRODUCT, POWER, ATOM = range(4)
"""How tightly an expression holds together, from loose to tight."""


class Pass(NamedTuple):
    """Which product is on its way: forward or adjoint, of rows ``(..., N)`` or of columns ``(..., N, K)``."""

    adjoint: bool
    columns: bool

    @property
    def axis(self) -> int:
        """The axis on which the entries of a vector lie."""
        return -2 if self.columns else -1

    def __call__(self, part: Any, x: Array) -> Array:
        """Return the product of a part in memory that nobody else holds."""
        name = ("r" if self.adjoint else "") + ("matmat" if self.columns else "matvec")
        product: Array = getattr(part, name)(x)
        return product

    def piece(self, x: Array, start: int, stop: int) -> Array:
        """Return some entries of every vector."""
        return x[..., start:stop, :] if self.columns else x[..., start:stop]


class Composite(ArrayOperator):
    """An operator made of parts, all of them operators of convops; subclasses say how.

    A product goes through the parts in one piece, whatever the number of vectors. What a part returns
    belongs to the caller, who may overwrite it.
    """

    parts: tuple[Any, ...]
    input_shape: Shape
    output_shape: Shape
    _tightness = ATOM

    def _setup(
        self, parts: tuple[Any, ...], dtype: np.dtype[Any], input_shape: Shape, output_shape: Shape
    ) -> None:
        super().__init__(dtype, (int(np.prod(output_shape)), int(np.prod(input_shape))))
        self.parts = parts
        self.input_shape, self.output_shape = input_shape, output_shape
        self._origin: tuple[bool, Composite] | None = None
        self._views: weakref.WeakValueDictionary[bool, Composite] = weakref.WeakValueDictionary()
        self._frozen = True

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), self._arguments()

    def __repr__(self) -> str:
        rows, columns = self.shape
        return (
            f"<{rows}x{columns} {type(self).__name__}: {self._structure()}, input_shape "
            f"{self.input_shape} -> output_shape {self.output_shape}, {self.dtype}>"
        )

    def tosparse(self) -> csr_array:
        """Return the matrix of this operator, rows and columns in C order.

        Returns
        -------
        scipy.sparse.csr_array
            Canonical, in the dtype of the operator, and new each time.

        Raises
        ------
        TypeError
            If a part has no matrix; the message names it.
        OverflowError
            If integers could leave int64.
        MemoryError
            If a part is larger than the memory that is left.
        """
        if self.dtype.kind in "iu" and self._convops_gain >= 2.0**63:
            raise OverflowError(
                f"The matrix of {self!r} can have integers up to {self._convops_gain:.3g}, and int64 ends at "
                "2**63 - 1. Give the parts a dtype of floats."
            )
        matrix = csr_array(self._matrix()).astype(self.dtype, copy=False)
        matrix.sum_duplicates()
        return matrix

    @property
    def _convops_gain(self) -> float:
        """A bound of what the products sum up for operands of size 1, before it cancels; 0 if unknown."""
        raise NotImplementedError

    def _arguments(self) -> tuple[Any, ...]:
        """Return what the class is called with to make this operator again."""
        raise NotImplementedError

    def _structure(self) -> str:
        """Return the expression that this operator is."""
        raise NotImplementedError

    def _act(self, x: Array, how: Pass) -> Array:
        """Return the product with x, which has the digits of the result, in memory of its own."""
        raise NotImplementedError

    def _matrix(self) -> Any:
        """Return the matrix, sparse, in any dtype that holds it."""
        raise NotImplementedError

    def _mirrored(self, conjugated: bool) -> "Composite":
        """Return the adjoint, or the transpose."""
        raise NotImplementedError

    def _matrix_of(self, part: Any) -> csr_array:
        """Return the matrix of a part in the dtype of this operator, in which arithmetic with it is exact."""
        if not hasattr(part, "tosparse"):
            raise TypeError(f"{part!r}, a part of {self!r}, has no tosparse(). Apply the operator instead.")
        return part.tosparse().astype(self.dtype, copy=False)

    def _on_rows(self, x: Array, adjoint: bool) -> Array:
        return self._passed(x, Pass(adjoint, columns=False))

    def _of_columns(self, X: Array, adjoint: bool) -> Array:
        return self._passed(X, Pass(adjoint, columns=True))

    def _passed(self, x: Array, how: Pass) -> Array:
        refuse_beyond_int64("x", x)
        dtype = product_dtype(self.dtype, x.dtype)
        return self._act(in_precision(x, dtype), how).astype(dtype, copy=False)

    def _transpose(self) -> "Composite":
        return self._partner(False)

    def _adjoint(self) -> "Composite":
        return self._partner(True)

    def _partner(self, conjugated: bool) -> "Composite":
        """Return the operator on the other side: the one that is in use already, if there is one.

        A partner holds the operator that it came from, and is held weakly by it: no reference cycle.
        """
        conjugated = conjugated and self.dtype.kind == "c"
        if self._origin is not None and self._origin[0] == conjugated:
            return self._origin[1]
        found = self._views.get(conjugated)
        if found is None:
            found = self._mirrored(conjugated)
            found.__dict__["_origin"] = conjugated, self
            found = self._views.setdefault(conjugated, found)
        return found


def mirrored(part: Any, conjugated: bool) -> Any:
    """Return the adjoint or the transpose of a part."""
    return part.H if conjugated else part.T


def gain_of(part: Any) -> float:
    """Return the bound of what the products of a part sum up; 0 if it is unknown."""
    return float(getattr(part, "_convops_gain", 0.0))


def text_of(part: Any, tightness: int) -> str:
    """Return the expression that a part is, in parentheses if it would fall apart."""
    if not isinstance(part, Composite):
        rows, columns = part.shape
        return f"{type(part).__name__}[{rows}x{columns}]"
    text = part._structure()
    return text if part._tightness >= tightness else f"({text})"


def listed(texts: list[str], separator: str) -> str:
    """Return texts in one line, the middle left out where they are many."""
    if len(texts) > 6:
        texts = [*texts[:3], "…", *texts[-2:]]
    return separator.join(texts)
