"""An operator of another package as a part: SciPy's contract made ours."""

from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse

from convops._arguments import shown
from convops._arrays import INEXACT, INT64, SUPPORTED, Array
from convops.operators.algebra.composite import Composite, Pass
from convops.operators.algebra.dispatch import Algebra
from convops.operators.algebra.scalars import largest
from convops.operators.algebra.shapes import told_shapes


def as_part(op: Any) -> Any:
    """Return an operator of convops as it is, and one of another package made fit to be a part."""
    return op if isinstance(op, Algebra) else Foreign(op)


class Foreign(Composite):
    """An operator from elsewhere, its transpose, its adjoint or its conjugate."""

    def __init__(self, op: Any, transposed: bool = False, conjugated: bool = False) -> None:
        self.op = op
        self.transposed, self.conjugated = transposed, conjugated
        before, after = told_shapes(op)
        self._setup((), _dtype_of(op), *((after, before) if transposed else (before, after)))

    def _arguments(self) -> tuple[Any, ...]:
        return self.op, self.transposed, self.conjugated

    def _structure(self) -> str:
        rows, columns = self.op.shape
        view = {(True, True): ".H", (True, False): ".T", (False, True): ".conj", (False, False): ""}
        text = f"{type(self.op).__name__}[{rows}x{columns}]"
        return text + view[self.transposed, self.conjugated]

    def _mirrored(self, conjugated: bool) -> Composite:
        return Foreign(self.op, not self.transposed, self.conjugated != conjugated)

    @cached_property
    def _convops_gain(self) -> float:
        matrix = self._held()
        if matrix is None:
            return float(getattr(self.op, "_convops_gain", 0.0))
        sizes = abs(matrix.astype(np.result_type(matrix.dtype, np.float64)))
        return float(max(sizes.sum(axis=0).max(), sizes.sum(axis=1).max()))

    def _matrix(self) -> Any:
        matrix = self._held()
        if matrix is None and callable(getattr(self.op, "tosparse", None)):
            matrix = self.op.tosparse()
        if matrix is None:
            raise TypeError(
                f"{self.op!r} has no matrix: it has neither tosparse() nor a matrix A. Give the matrix as "
                "scipy.sparse.linalg.aslinearoperator(matrix), or apply the operator instead."
            )
        matrix = csr_array(matrix)
        if self.transposed:
            matrix = matrix.T
        return matrix.conj() if self.conjugated else matrix

    def _held(self) -> Any:
        """Return the matrix that the operator was made of, or None."""
        held: Any = getattr(self.op, "A", None)
        known = (isinstance(held, np.ndarray) or issparse(held)) and held.shape == self.op.shape
        return held if known else None

    def _act(self, x: Array, how: Pass) -> Array:
        self._refuse_overflow(x)
        # Wᵀ x is conj(Wᴴ conj(x)), and conj(W) x is conj(W conj(x)).
        around = self.transposed != self.conjugated
        rows = x.swapaxes(-1, -2) if how.columns else x
        y = self._product(np.conj(rows) if around else rows, self.transposed != how.adjoint)
        y = np.conj(y) if around else y
        return y.swapaxes(-1, -2) if how.columns else y

    def _refuse_overflow(self, x: Array) -> None:
        """Refuse integers that could leave int64, where the matrix is at hand to tell."""
        if self.dtype.kind in "iu" and x.dtype.kind in "iu" and largest(x) * self._convops_gain >= 2.0**63:
            raise OverflowError(
                f"x leads to integers up to {largest(x)}, which {self!r} multiplies by up to "
                f"{self._convops_gain:.3g} in sum: the result can leave int64, which ends at 2**63 - 1. Give "
                "x as floats, or smaller integers."
            )

    def _product(self, rows: Array, adjoint: bool) -> Array:
        """Return W x or Wᴴ x for rows of vectors x: by one product with one matrix, or with one vector."""
        dtype = np.result_type(self.dtype, rows.dtype)
        flat = rows.reshape(-1, rows.shape[-1])
        if not flat.size:
            return np.zeros((*rows.shape[:-1], self.op.shape[adjoint]), dtype)
        several = len(flat) > 1
        if several and not hasattr(self.op, "matmat"):
            return np.stack([self._product(row, adjoint) for row in flat]).reshape(*rows.shape[:-1], -1)
        name = ("r" if adjoint else "") + ("matmat" if several else "matvec")
        try:
            found = getattr(self.op, name)(flat.T if several else flat[0])
        except NotImplementedError as error:
            raise NotImplementedError(f"{self.op!r} has no {name}: {error}") from error
        # A copy: it may be x itself, as SciPy's identity returns it, or memory that the operator uses again.
        y = np.array(np.asarray(found).T, order="C").reshape(*rows.shape[:-1], self.op.shape[adjoint])
        if not np.can_cast(y.dtype, dtype, "same_kind"):
            raise TypeError(
                f"{self.op!r} returned {y.dtype} for x of dtype {rows.dtype}, and says that its dtype is "
                f"{self.dtype}. Give it the dtype of what it returns."
            )
        return y.astype(dtype, copy=False)


def _dtype_of(op: Any) -> np.dtype[Any]:
    dtype = np.dtype(getattr(op, "dtype", None) or np.float64).newbyteorder("=")
    if dtype.kind in "iu" and dtype != np.uint64:
        return INT64
    if dtype not in INEXACT:
        raise TypeError(
            f"{shown('op', op)}: it has dtype {dtype}, and operators work in {SUPPORTED}. Convert it first."
        )
    return dtype
