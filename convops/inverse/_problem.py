"""The least-squares problem that all routes solve, and how far from its solution an answer is."""

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from convops._arrays import Array
from convops.operators.algebra.scaled import Scaled


@dataclass(frozen=True)
class Problem:
    """min ‖A x − b‖² + damp² ‖L x‖² for every row of b; without L it is the identity."""

    A: Any
    L: Any
    damp: float
    b: Array
    """Vectors of data, ``(right-hand sides, M)``, in double precision."""
    dtype: np.dtype[Any]
    """That of the answer."""

    @property
    def wide(self) -> np.dtype[Any]:
        """The dtype of the answer in double precision."""
        return np.dtype(np.complex128 if self.dtype.kind == "c" else np.float64)

    def penalised(self, x: Array) -> Array:
        """Return damp² LᴴL x."""
        y = x if self.L is None else adjoint_of_rows(self.L, of_rows(self.L, x))
        return self.damp**2 * y

    @cached_property
    def right_side(self) -> Array:
        """Aᴴ b, row by row."""
        return adjoint_of_rows(self.A, self.b)

    def residuals(self, x: Array) -> tuple[Array, Array]:
        """Return b − A x, and Aᴴ(b − A x) − damp² LᴴL x, of rows of x, in double precision."""
        x = x.astype(self.wide)
        misfit = self.b - of_rows(self.A, x)
        return misfit, adjoint_of_rows(self.A, misfit) - self.penalised(x)


def arrays_of(problem: Problem) -> Array:
    """Return b as arrays with an axis of channels, ``(batch, channels, *spatial)``."""
    A = problem.A
    while isinstance(A, Scaled):
        A = A.parts[0]
    spatial = A.output_shape[A.geometry.has_channels :]
    return problem.b.reshape(len(problem.b), -1, *spatial)


def of_rows(op: Any, x: Array) -> Array:
    """Return the products of rows; one row of one entry is no column, for which an operator may take it."""
    found: Array = op.matvec(x).reshape(*x.shape[:-1], op.shape[0])
    return found


def adjoint_of_rows(op: Any, y: Array) -> Array:
    """Return the products of rows with the adjoint."""
    found: Array = op.rmatvec(y).reshape(*y.shape[:-1], op.shape[1])
    return found


def norms(rows: Array) -> Array:
    """Return the 2-norm of each row."""
    found: Array = np.linalg.norm(rows, axis=-1)
    return found


def relative(residual: Array, right_side: Array) -> Array:
    """Return the norms of the rows over those of the right-hand sides; 0 where both are 0."""
    size, reference = norms(residual), norms(right_side)
    return np.divide(size, reference, out=np.where(size > 0, np.inf, 0.0), where=reference > 0)
