"""What every operator of convops keeps to: SciPy's contract, operands checked at the door, frozenness."""

from typing import Any, NoReturn, Self

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.linalg import LinearOperator

from convops._arrays import Array, dense
from convops._memory import refuse_beyond_memory
from convops.operators._messages import wrong_length, wrong_shape
from convops.operators.algebra.dispatch import Algebra
from convops.operators.algebra.scalars import is_operator, is_scalar


class ArrayOperator(Algebra, LinearOperator):
    """A frozen operator on arrays and on the vectors that they are in C order; subclasses say which.

    They have `input_shape` and `output_shape`, as attributes or as properties. Arrays are checked where they
    come in, in the public methods; `_on_rows` and `_of_columns` rely on their shape. The methods that start
    with an underscore and a name of SciPy's serve its composites.
    """

    dtype: np.dtype[Any]
    shape: tuple[int, int]

    def __setattr__(self, name: str, value: object) -> None:
        if "_frozen" in self.__dict__:
            raise AttributeError(
                f"{name} of a {type(self).__name__} cannot be set: operators are frozen. Build a new one."
            )
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{name} of a {type(self).__name__} cannot be deleted: operators are frozen.")

    def __copy__(self) -> Self:
        return self

    def __call__(self, x: Any) -> Array:
        """Apply the operator to arrays of its own shape.

        Parameters
        ----------
        x : array_like, shape ``(*batch, *input_shape)``
            Any number of batch axes, also none.

        Returns
        -------
        ndarray, shape ``(*batch, *output_shape)``
            In the dtype that numpy gives the product of operator and x; integers in int64.

        Raises
        ------
        TypeError, ValueError, OverflowError
            If x is of another shape or dtype, or if integers could leave int64.
        """
        x = dense("x", x)
        wanted = self.input_shape
        split = x.ndim - len(wanted)
        if split < 0 or x.shape[split:] != wanted:
            raise ValueError(wrong_shape(x.shape, wanted, self.output_shape, self._channels_on))
        batch = x.shape[:split]
        y = self._on_rows(x.reshape(*batch, self.shape[1]), False)
        return y.reshape(batch + self.output_shape)

    def matvec(self, x: Any) -> Array:
        """Return W x for each vector on the last axis of x.

        Parameters
        ----------
        x : array_like, shape ``(..., N)`` or ``(N, 1)``
            Each vector is the ``ravel()`` of an array, in C order.

        Returns
        -------
        ndarray, shape ``(..., M)`` or ``(M, 1)``
            In the dtype that numpy gives the product of operator and x; integers in int64.

        Raises
        ------
        TypeError, ValueError, OverflowError
            If x is of another shape or dtype, or if integers could leave int64.
        """
        return self._on_vectors(x)

    def rmatvec(self, x: Any) -> Array:
        """Return Wᴴ x for each vector on the last axis of x.

        Parameters
        ----------
        x : array_like, shape ``(..., M)`` or ``(M, 1)``
            Each vector is the ``ravel()`` of an array, in C order.

        Returns
        -------
        ndarray, shape ``(..., N)`` or ``(N, 1)``
            In the dtype that numpy gives the product of operator and x; integers in int64.

        Raises
        ------
        TypeError, ValueError, OverflowError
            If x is of another shape or dtype, or if integers could leave int64.
        """
        return self._on_vectors(x, adjoint=True)

    def matmat(self, X: Any) -> Array:
        """Return W X, one vector a column.

        Parameters
        ----------
        X : array_like, shape ``(..., N, K)``
            Each vector is the ``ravel()`` of an array, in C order.

        Returns
        -------
        ndarray, shape ``(..., M, K)``
            In the dtype that numpy gives the product of operator and X; integers in int64.

        Raises
        ------
        TypeError, ValueError, OverflowError
            If X is of another shape or dtype, or if integers could leave int64.
        """
        return self._on_columns(X)

    def rmatmat(self, X: Any) -> Array:
        """Return Wᴴ X, one vector a column.

        Parameters
        ----------
        X : array_like, shape ``(..., M, K)``
            Each vector is the ``ravel()`` of an array, in C order.

        Returns
        -------
        ndarray, shape ``(..., N, K)``
            In the dtype that numpy gives the product of operator and X; integers in int64.

        Raises
        ------
        TypeError, ValueError, OverflowError
            If X is of another shape or dtype, or if integers could leave int64.
        """
        return self._on_columns(X, adjoint=True)

    def dot(self, x: Any) -> Any:
        """Return the product ``A @ x``.

        Parameters
        ----------
        x : array_like, scalar or LinearOperator
            A vector of shape ``(N,)``, columns of shape ``(..., N, K)``, a factor, or an operator.

        Returns
        -------
        ndarray or LinearOperator
            ``(M,)`` or ``(..., M, K)``; an operator for a scalar or an operator.
        """
        if is_scalar(x) or is_operator(x):
            return self._times(x)
        x = dense("x", x)
        return self._on_vectors(x) if x.ndim == 1 else self._on_columns(x, name="x")

    def tosparse(self) -> csr_array:
        """Return the matrix of this operator, rows and columns in C order."""
        raise NotImplementedError

    def toarray(self) -> Array:
        """Return the matrix of this operator as a dense array, rows and columns in C order.

        Returns
        -------
        ndarray, shape ``(M, N)``
            In the dtype of the operator.

        Raises
        ------
        TypeError, OverflowError
            As `tosparse`.
        MemoryError
            Before anything is allocated, if it is larger than the memory that is left.
        """
        needed = self.shape[0] * self.shape[1] * self.dtype.itemsize
        refuse_beyond_memory(needed, f"The dense matrix of {self!r}", "Take the sparse one: tosparse().")
        dense_matrix: Array = self.tosparse().toarray()
        return dense_matrix

    def _on_vectors(self, x: Any, adjoint: bool = False) -> Array:
        x = dense("x", x)
        length = self.shape[not adjoint]
        if x.ndim == 1 and x.size == length:
            return self._on_rows(x, adjoint)
        if x.shape == (length, 1):
            return self._on_rows(x[:, 0], adjoint)[:, None]
        if x.ndim > 1 and x.shape[-1] == length:
            return self._on_rows(x, adjoint)
        raise ValueError(
            wrong_length("x", x.shape, self.input_shape, self.output_shape, adjoint, columns=False)
        )

    def _on_columns(self, X: Any, adjoint: bool = False, name: str = "X") -> Array:
        X = dense(name, X)
        if X.ndim < 2 or X.shape[-2] != self.shape[not adjoint]:
            raise ValueError(
                wrong_length(name, X.shape, self.input_shape, self.output_shape, adjoint, columns=True)
            )
        return self._of_columns(X, adjoint)

    @property
    def _channels_on(self) -> int | None:
        """The axis of an array that holds channels, as far as the operator can tell."""
        return None

    def _on_rows(self, x: Array, adjoint: bool) -> Array:
        """Return W x, or Wᴴ x, for each of the vectors on the last axis of x."""
        raise NotImplementedError

    def _of_columns(self, X: Array, adjoint: bool) -> Array:
        """Return W X, or Wᴴ X, for vectors on the axis before the last."""
        raise NotImplementedError

    def _matvec(self, x: Array) -> Array:
        return self.matvec(x)

    def _rmatvec(self, x: Array) -> Array:
        return self.rmatvec(x)

    def _matmat(self, X: Array) -> Array:
        return self.matmat(X)

    def _rmatmat(self, X: Array) -> Array:
        return self.rmatmat(X)
