"""What an operator tells of its matrix without building it; the base of `ConvOperator` that says so."""

from typing import Any

import numpy as np

from convops._arguments import shown
from convops._arrays import Array
from convops.operators import closed_forms
from convops.operators.map import Map


class KnownMatrix:
    """Sums, norms and diagonal of the matrix of a `Map`, transposed or not, conjugated or not."""

    dtype: np.dtype[Any]
    shape: tuple[int, int]
    _map: Map
    _transposed: bool
    _conjugated: bool

    @property
    def nnz(self) -> int:
        """Number of stored entries of ``tosparse()``, explicit zeros included."""
        return self._map.geometry.nnz

    def row_sums(self) -> Array:
        """Return the sum of each row of the matrix: what the operator makes of ones.

        For a `ConvTranspose` with a stride this is the checkerboard: outputs that more taps reach get more
        (Odena, Dumoulin and Olah, "Deconvolution and Checkerboard Artifacts", doi:10.23915/distill.00003).

        Returns
        -------
        ndarray, shape ``output_shape``
            In the dtype of the operator; integers in int64.

        Raises
        ------
        OverflowError
            If a sum may leave int64, or leaves the dtype.

        Examples
        --------
        >>> from convops import ConvTranspose
        >>> ConvTranspose([1, 1, 1], 4, stride=2).row_sums()
        array([1, 1, 2, 1, 2, 1, 2, 1, 1])
        """
        return self._sums(self._by_rows)

    def column_sums(self) -> Array:
        """Return the sum of each column of the matrix: what its transpose makes of ones.

        Returns
        -------
        ndarray, shape ``input_shape``
            In the dtype of the operator; integers in int64.

        Raises
        ------
        OverflowError
            If a sum may leave int64, or leaves the dtype.

        Examples
        --------
        >>> from convops import Conv
        >>> Conv([1, 2, 4], 6, padding="same", boundary="reflect").column_sums()
        array([ 3,  8,  7,  7, 11,  6])
        """
        return self._sums(not self._by_rows)

    def row_norms(self) -> Array:
        """Return the 2-norm of each row of the matrix, exact also where a boundary folds taps together.

        Returns
        -------
        ndarray, shape ``output_shape``
            In the real dtype that fits that of the operator; float64 for integers.

        Raises
        ------
        OverflowError
            If a norm leaves the dtype.

        Examples
        --------
        >>> from convops import Conv
        >>> Conv([3, 4], 4, padding=1).row_norms()
        array([4., 5., 5., 5., 3.])
        """
        return self._arranged(closed_forms.norms(self._map.geometry, self._map.correlated, self._by_rows))

    def column_norms(self) -> Array:
        """Return the 2-norm of each column of the matrix, exact also where a boundary folds taps together.

        Their squares are the diagonal of AᴴA: its Jacobi preconditioner. It costs far less than one product
        with the matrix: the columns fall into few classes.

        Returns
        -------
        ndarray, shape ``input_shape``
            In the real dtype that fits that of the operator; float64 for integers.

        Raises
        ------
        OverflowError
            If a norm leaves the dtype.

        Examples
        --------
        >>> from convops import Conv
        >>> Conv([3, 4], 4).column_norms()
        array([3., 5., 5., 4.])
        """
        return self._arranged(closed_forms.norms(self._map.geometry, self._map.correlated, not self._by_rows))

    def diagonal(self) -> Array:
        """Return the main diagonal of the matrix, as `numpy.diagonal` does, rows and columns in C order.

        Returns
        -------
        ndarray, shape ``(min(M, N),)``
            In the dtype of the operator.

        Raises
        ------
        OverflowError
            If an entry leaves the dtype, where a boundary folds taps together.

        Examples
        --------
        >>> from convops import Conv
        >>> Conv([[1, 2], [3, 4]], (2, 3), padding="same", boundary="edge").diagonal()
        array([ 1,  1,  3,  4,  4, 10])
        """
        entries = closed_forms.diagonal(self._map.geometry, self._map.correlated, self._map.layout)
        return np.conj(entries) if self._conjugated else entries

    def trace(self) -> Any:
        """Return the sum of the main diagonal of a square matrix, for integers an int64.

        Raises
        ------
        ValueError
            If the operator is not square.
        OverflowError
            If the sum may leave int64, or leaves the dtype.

        Examples
        --------
        >>> from convops import Conv
        >>> Conv([1, 5, 2], 4, padding="same").trace()
        np.int64(20)
        """
        rows, columns = self.shape
        if rows != columns:
            raise ValueError(
                f"trace of {self!r}: only a square matrix has one; this has {rows} rows and {columns} "
                'columns. padding="same" with stride 1 makes sizes equal.'
            )
        total = closed_forms.trace(self._map.geometry, self._map.correlated, self._map.layout)
        return np.conj(total) if self._conjugated else total

    def norm(self, ord: Any = "fro") -> Any:
        """Return a norm of the matrix, the value of `numpy.linalg.norm`; of integers exact.

        Parameters
        ----------
        ord : {"fro", 1, inf}, default "fro"
            "fro": the root of the sum of all squares. 1: the largest sum of moduli in a column. inf: in a
            row. For 2 see `operator_norm`.

        Returns
        -------
        scalar
            In the real dtype that fits that of the operator; for integers int64, "fro" float64.

        Raises
        ------
        ValueError
            If `ord` is another.
        OverflowError
            If a sum may leave int64, or leaves the dtype.

        Examples
        --------
        >>> import numpy as np
        >>> from convops import Conv
        >>> A = Conv([1, -2], 3)
        >>> A.norm(), A.norm(1), A.norm(np.inf)
        (np.float64(3.1622776601683795), np.int64(3), np.int64(3))
        """
        if isinstance(ord, str) and ord == "fro":
            return closed_forms.frobenius_norm(self._map.geometry, self._map.correlated)
        if isinstance(ord, bool | str) or not np.isscalar(ord) or ord not in (1, np.inf):
            two = " The 2-norm is convops.operator_norm(A)." if np.isscalar(ord) and ord == 2 else ""
            raise ValueError(f"{shown('ord', ord)}: it must be 'fro', 1 or numpy.inf.{two}")
        of_rows = (ord == np.inf) == self._by_rows
        return closed_forms.largest_absolute_sum(self._map.geometry, self._map.correlated, of_rows)

    def unread(self) -> Array:
        """Return which inputs no output reads: the columns of the matrix that are empty.

        A solver can know nothing of them. It depends on the geometry alone: taps of 0 read too.

        Returns
        -------
        ndarray of bool, shape ``input_shape``

        Examples
        --------
        >>> from convops import Conv
        >>> Conv([1, 1], 8, stride=3).unread()
        array([False, False,  True, False, False,  True, False, False])
        """
        return self._arranged(closed_forms.unread(self._map.geometry, not self._by_rows))

    @property
    def _by_rows(self) -> bool:
        """Whether the rows of this matrix are rows of W."""
        return not self._transposed

    def _sums(self, of_rows: bool) -> Array:
        sums = self._arranged(closed_forms.sums(self._map.geometry, self._map.correlated, of_rows))
        return np.conj(sums) if self._conjugated else sums

    def _arranged(self, values: Array) -> Array:
        """Return values that are known of each output, or of each input, in the layout of the arrays."""
        layout = self._map.layout
        if layout is None or layout.shared:
            return values
        return np.ascontiguousarray(np.moveaxis(values, 0, layout.axis))
