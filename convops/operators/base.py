"""A convolution and its transpose as operators: one class, two public names."""

from collections.abc import Iterator
from importlib import import_module
from typing import Any, Self

import numpy as np
from scipy.sparse import csr_array

from convops._arrays import INT64, Array
from convops._memory import refuse_beyond_memory
from convops.assembly import assemble, refuse_too_large
from convops.geometry import ConvGeometry
from convops.operators._html import html_of_convolution
from convops.operators.arranged import map_of
from convops.operators.known import KnownMatrix
from convops.operators.map import Map
from convops.operators.smaller import smaller_maps
from convops.operators.view import MapView


class ConvOperator(KnownMatrix, MapView):
    """W of a `Map`, or its transpose, conjugated or not; what `Conv` and `ConvTranspose` have in common."""

    _map: Map

    def _repr_html_(self) -> str:
        return html_of_convolution(self, self._transposed)

    @property
    def geometry(self) -> ConvGeometry:
        """Sizes of the convolution; a `ConvTranspose` has those of the `Conv` it transposes.

        Channels that the weight mixes come first in it, whatever the `channel_axis`; where all share one
        kernel, their axis is a spatial one with a single tap.
        """
        return self._map.geometry

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of x: ``(C_in, *spatial)``, ``spatial`` alone, or with the channels at `channel_axis`."""
        return self._map.output_shape if self._transposed else self._map.input_shape

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of ``A(x)``: ``(C_out, *out)``, ``out`` alone, or with the channels at `channel_axis`."""
        return self._map.input_shape if self._transposed else self._map.output_shape

    @property
    def weight(self) -> Array:
        """The weight, in the shape and dtype it was given the operator; a read-only copy at each access."""
        return self._map.given_weight(self._conjugated)

    @property
    def method(self) -> str:
        """How the operator is applied: "sparse", "gemm", "fft" or "separable"."""
        return self._map.method

    def __call__(self, x: Any) -> Any:
        """Apply the operator to arrays of its own shape: a dask array is taken chunk by chunk, and lazily.

        Parameters
        ----------
        x : array_like or dask array, shape ``(*batch, *input_shape)``
            Any number of batch axes, also none.

        Returns
        -------
        ndarray or dask array, shape ``(*batch, *output_shape)``
            In the dtype that numpy gives the product of operator and x; integers in int64.

        Raises
        ------
        TypeError, ValueError, OverflowError
            If x is of another shape or dtype, or if integers could leave int64.
        """
        if hasattr(x, "__dask_graph__"):
            return import_module("convops.distributed").DaskConv.from_operator(self)(x)
        return super().__call__(x)

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
        matrix = assemble(self.geometry, self._map.correlated, layout=self._map.layout)
        if self._conjugated:
            np.conj(matrix.data, out=matrix.data)
        if not self._transposed:
            return matrix
        matrix = matrix.T.tocsr()
        matrix.has_sorted_indices = matrix.has_canonical_format = True
        return matrix

    def _by(self, method: str) -> Self:
        """Return this operator applied by another method."""
        map_ = map_of(self.geometry, self._map.weight, self.flip, method, self._map.layout)
        return self._of(map_, self._conjugated)

    @property
    def _core(self) -> Self:
        """What applies this operator to arrays with the channels first, or to one of several like channels.

        The operator itself where that is the layout of its own arrays.
        """
        core = self._map.core
        return self if core is self._map else self._of(core, self._conjugated)

    def _convops_integer_twin(self, seed: int) -> Self | None:
        """Return this operator with a random integer weight: what `check_adjoint` can check exactly.

        None where the method rounds, or depends on the weight.
        """
        if self.method in ("fft", "separable"):
            return None
        weight = np.random.default_rng(seed).integers(1, 10, self._map.weight.shape)
        weight.flags.writeable = False
        return self._of(map_of(self.geometry, weight, self.flip, self.method, self._map.layout), False)

    def _convops_smaller(self) -> Iterator[Self]:
        """Yield smaller operators of the same kind, for a report of one that fails."""
        for map_ in smaller_maps(self._map):
            yield self._of(map_, self._conjugated)

    def _of_columns(self, X: Array, adjoint: bool) -> Array:
        if X.ndim == 2 and X.dtype == self.dtype:
            product = self._map.product_at_hand(X, self._transposed != adjoint)
            if product is not None:
                return product
        return self._on_rows(X.swapaxes(-1, -2), adjoint).swapaxes(-1, -2)

    def _on_rows(self, x: Array, adjoint: bool) -> Array:
        if x.ndim == 1 and x.dtype == self.dtype:
            product = self._map.product_at_hand(x, self._transposed != adjoint)
            if product is not None:
                return product
        vectors = x.size // x.shape[-1]
        if not vectors:
            dtype = np.result_type(self.dtype, x.dtype)
            dtype = INT64 if dtype.kind in "iu" else dtype
            return np.zeros((*x.shape[:-1], self.shape[adjoint]), dtype)
        transposed, conjugated = self._transposed != adjoint, self._conjugated != adjoint
        y = self._map.products(x.reshape(vectors, -1), transposed, conjugated)
        return y.reshape(*x.shape[:-1], self.shape[adjoint])
