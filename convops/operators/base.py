"""SciPy's contract for a convolution and its transpose: one frozen operator, two public names."""

from collections.abc import Iterator
from typing import Any, NoReturn, Self

import numpy as np
from scipy.sparse import csr_array
from scipy.sparse.linalg import LinearOperator

from convops._arrays import INT64, Array, dense
from convops._memory import refuse_beyond_memory
from convops.assembly import assemble, refuse_too_large
from convops.geometry import ConvGeometry
from convops.operators._messages import wrong_length, wrong_shape
from convops.operators.algebra.dispatch import Algebra
from convops.operators.algebra.scalars import is_operator, is_scalar
from convops.operators.known import KnownMatrix
from convops.operators.map import Map
from convops.operators.smaller import smaller_maps


class ConvOperator(Algebra, KnownMatrix, LinearOperator):
    """W of a `Map`, or its transpose, conjugated or not; what `Conv` and `ConvTranspose` have in common.

    Arrays are checked where they come in, in the public methods; the methods that start with an
    underscore serve SciPy's composite operators.
    """

    def __setattr__(self, name: str, value: object) -> None:
        if "_frozen" in self.__dict__:
            raise AttributeError(
                f"{name} of a {type(self).__name__} cannot be set: operators are frozen. Build a new one."
            )
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{name} of a {type(self).__name__} cannot be deleted: operators are frozen.")

    def _setup(self, map_: Map, conjugated: bool) -> None:
        rows, columns = map_.geometry.shape
        super().__init__(map_.dtype, (columns, rows) if self._transposed else (rows, columns))
        self._map = map_
        self._conjugated = conjugated
        self._partners: dict[bool, ConvOperator] = {}
        self._frozen = True
        map_.views.setdefault((self._transposed, conjugated), self)

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self)._of, (self._map, self._conjugated)

    def __copy__(self) -> Self:
        return self

    def __repr__(self) -> str:
        rows, columns = self.shape
        return (
            f"<{rows}x{columns} {type(self).__name__}: input_shape {self.input_shape} -> output_shape "
            f"{self.output_shape}, {self.dtype}>"
        )

    @property
    def geometry(self) -> ConvGeometry:
        """Sizes of the convolution; a `ConvTranspose` has those of the `Conv` it transposes."""
        return self._map.geometry

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of x: ``(C_in, *spatial)``, or ``spatial`` alone."""
        return self.geometry.output_shape if self._transposed else self.geometry.input_shape

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of ``A(x)``: ``(C_out, *out)``, or ``out`` alone."""
        return self.geometry.input_shape if self._transposed else self.geometry.output_shape

    @property
    def weight(self) -> Array:
        """The weight, in the shape and dtype it was given the operator; a read-only copy at each access."""
        weight = self._map.weight.conj() if self._conjugated else self._map.weight.copy()
        weight.flags.writeable = False
        return weight

    @property
    def flip(self) -> bool:
        """Whether the kernel is turned round, as in `scipy.signal`."""
        return self._map.flip

    @property
    def method(self) -> str:
        """How the operator is applied: "sparse", "gemm", "fft" or "separable"."""
        return self._map.method

    def explain(self) -> str:
        """Return which method applies the operator, why, and what each is expected to cost.

        The costs are those of one product W x with one core of a recent server; only their ratios matter.
        A `ConvTranspose` shows the same: its own costs differ little, as a rule.

        Examples
        --------
        >>> from convops import Conv
        >>> print(Conv([[1.0, 2.0], [3.0, 5.0]], (3, 3)).explain().splitlines()[0])
        method "sparse": cheapest by the cost model
        """
        text = self._map.explain()
        if self._transposed:
            text += (
                "\nthe costs are those of W x, the product of the Conv; those of its transpose differ little "
                "as a rule"
            )
        return text

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
            raise ValueError(wrong_shape(x.shape, wanted, self.output_shape, self.geometry.has_channels))
        batch = x.shape[:split]
        y = self._applied(x.reshape(*batch, self.shape[1]))
        return y.reshape(batch + self.output_shape)

    def matvec(self, x: Any) -> Array:
        """Return W x for each vector on the last axis of x.

        Parameters
        ----------
        x : array_like, shape ``(..., N)`` or ``(N, 1)``
            Vectors are `ravel()`s in C order.

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
            Vectors are `ravel()`s in C order.

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
            Vectors are `ravel()`s in C order.

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
            Vectors are `ravel()`s in C order.

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
        """Return the matrix of this operator, rows and columns in C order.

        Returns
        -------
        scipy.sparse.csr_array
            Canonical, in the dtype of the operator, and new each time.

        Raises
        ------
        MemoryError
            Before anything is allocated, if it is larger than the memory that is left.
        """
        if self._transposed:
            # W and its transpose stand side by side for a moment.
            refuse_too_large(self.geometry, self.dtype, copies=2)
            refuse_beyond_memory(
                8 * (self.shape[0] + 1),
                f"The row starts of the matrix of {self!r} with nnz = {self.geometry.nnz} entries",
                "Apply the operator instead.",
            )
        matrix = assemble(self.geometry, self._map.correlated)
        if self._conjugated:
            np.conj(matrix.data, out=matrix.data)
        if not self._transposed:
            return matrix
        matrix = matrix.T.tocsr()
        matrix.has_sorted_indices = matrix.has_canonical_format = True
        return matrix

    def toarray(self) -> Array:
        """Return the matrix of this operator as a dense array, rows and columns in C order.

        Returns
        -------
        ndarray, shape ``(M, N)``
            In the dtype of the operator.

        Raises
        ------
        MemoryError
            Before anything is allocated, if it is larger than the memory that is left.
        """
        needed = self.shape[0] * self.shape[1] * self.dtype.itemsize
        refuse_beyond_memory(needed, f"The dense matrix of {self!r}", "Take the sparse one: tosparse().")
        dense_matrix: Array = self.tosparse().toarray()
        return dense_matrix

    def _by(self, method: str) -> Self:
        """Return this operator applied by another method."""
        return self._of(Map(self.geometry, self._map.weight, self.flip, method), self._conjugated)

    def _convops_integer_twin(self, seed: int) -> Self | None:
        """Return this operator with a random integer weight: what `check_adjoint` can check exactly.

        None where the method rounds, or depends on the weight.
        """
        if self.method in ("fft", "separable"):
            return None
        weight = np.random.default_rng(seed).integers(1, 10, self._map.weight.shape)
        weight.flags.writeable = False
        return self._of(Map(self.geometry, weight, self.flip, self.method), False)

    def _convops_smaller(self) -> Iterator[Self]:
        """Yield smaller operators of the same kind, for a report of one that fails."""
        for map_ in smaller_maps(self._map):
            yield self._of(map_, self._conjugated)

    @property
    def _convops_gain(self) -> float:
        """A bound of what the products sum up for operands of size 1, before it cancels."""
        return max(self._map.gains)

    def _on_vectors(self, x: Any, adjoint: bool = False) -> Array:
        x = dense("x", x)
        length = self.shape[not adjoint]
        if x.ndim == 1 and x.size == length:
            return self._applied(x, adjoint)
        if x.shape == (length, 1):
            return self._applied(x[:, 0], adjoint)[:, None]
        if x.ndim > 1 and x.shape[-1] == length:
            return self._applied(x, adjoint)
        raise ValueError(
            wrong_length("x", x.shape, self.input_shape, self.output_shape, adjoint, columns=False)
        )

    def _on_columns(self, X: Any, adjoint: bool = False, name: str = "X") -> Array:
        X = dense(name, X)
        if X.ndim < 2 or X.shape[-2] != self.shape[not adjoint]:
            raise ValueError(
                wrong_length(name, X.shape, self.input_shape, self.output_shape, adjoint, columns=True)
            )
        if X.ndim == 2 and X.dtype == self.dtype and (matrix := self._matrix(adjoint)) is not None:
            product: Array = matrix @ X
            return product
        return self._applied(X.swapaxes(-1, -2), adjoint).swapaxes(-1, -2)

    def _applied(self, x: Array, adjoint: bool = False) -> Array:
        """Return W x for each of the vectors on the last axis of x, or Wᴴ x."""
        if x.ndim == 1 and x.dtype == self.dtype and (matrix := self._matrix(adjoint)) is not None:
            product: Array = matrix @ x
            return product
        transposed = self._transposed != adjoint
        geometry = self._map.geometry
        if transposed:
            channels, shape = geometry.out_channels, geometry.output_shape
        else:
            channels, shape = geometry.in_channels, geometry.input_shape
        vectors = x.size // x.shape[-1]
        block = x.reshape(vectors, channels, *shape[geometry.has_channels :])
        if not vectors:
            dtype = np.result_type(self.dtype, x.dtype)
            dtype = INT64 if dtype.kind in "iu" else dtype
            return np.zeros((*x.shape[:-1], self.shape[adjoint]), dtype)
        y = self._map.apply(block, transposed, self._conjugated != adjoint)
        return y.reshape(*x.shape[:-1], self.shape[adjoint])

    def _matrix(self, adjoint: bool) -> Any:
        """Return the matrix, or its adjoint, if a product with it is all that the method does."""
        return self._map.matrix(self._transposed != adjoint)

    def _matvec(self, x: Array) -> Array:
        return self.matvec(x)

    def _rmatvec(self, x: Array) -> Array:
        return self.rmatvec(x)

    def _matmat(self, X: Array) -> Array:
        return self.matmat(X)

    def _rmatmat(self, X: Array) -> Array:
        return self.rmatmat(X)

    def _transpose(self) -> "ConvOperator":
        return self._partner(conjugated=self._conjugated)

    def _adjoint(self) -> "ConvOperator":
        return self._partner(conjugated=not self._conjugated)

    def _partner(self, conjugated: bool) -> "ConvOperator":
        """Return the operator on the other side: the one that is in use already, if there is one.

        An operator keeps those that it made, and they find it by the map alone: no reference cycle.
        """
        conjugated = conjugated and self.dtype.kind == "c"
        found = self._map.views.get((not self._transposed, conjugated))
        if found is None:
            found = self._partners[conjugated] = self._other_side()._of(self._map, conjugated)
        return found

    @classmethod
    def _other_side(cls) -> "type[ConvOperator]":
        raise NotImplementedError

    @classmethod
    def _of(cls, map_: Map, conjugated: bool) -> Self:
        operator = cls.__new__(cls)
        operator._setup(map_, conjugated)
        return operator
