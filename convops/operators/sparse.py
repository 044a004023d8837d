"""A convolution applied through its matrix."""

from functools import cached_property
from typing import Any

import numpy as np
from scipy.sparse import dia_array

from convops._arrays import Array
from convops.apply import finite, has_diagonals
from convops.assembly import assemble, refuse_too_large
from convops.geometry import ConvGeometry
from convops.operators.diagonals import diagonals

Matrix = Any
"""csr_array, csc_array or dia_array."""


class SparseEngine:
    """W and its transpose, built once: each by its diagonals where it has few, else both by CSR's arrays.

    Places of a diagonal that are no entries of W hold zeros, which spread NaN and inf: `exact` is then False.
    """

    def __init__(self, geometry: ConvGeometry, weight: Array) -> None:
        self._geometry = geometry
        self._weight = weight
        self.exact = weight.dtype.kind in "iu" or not has_diagonals(geometry)

    @cached_property
    def matrix(self) -> Matrix:
        """W."""
        return assemble(self._geometry, self._weight) if self.exact else self._diagonals(False)

    @cached_property
    def transposed(self) -> Matrix:
        """The transpose of W."""
        return self.matrix.T if self.exact else self._diagonals(True)

    def _diagonals(self, transposed: bool) -> Matrix:
        refuse_too_large(self._geometry, self._weight.dtype)
        return diagonals(self._geometry, self._weight, transposed)

    def forward(self, x: Array) -> Array:
        """Return W x; see `Engine`."""
        geometry = self._geometry
        y = _product(self.matrix, x.reshape(len(x), -1))
        return y.reshape(len(x), geometry.out_channels, *geometry.output_shape[geometry.has_channels :])

    def sound(self, result: Array, transposed: bool) -> bool:
        """Return whether NaN and inf are where W puts them; see `Engine`."""
        return self.exact or finite(result)

    def adjoint(self, y: Array) -> Array:
        """Return Wᴴ y; see `Engine`."""
        geometry, rows = self._geometry, y.reshape(len(y), -1)
        if self.matrix.dtype.kind == "c":
            x = np.conj(_product(self.transposed, np.conj(rows)))
        else:
            x = _product(self.transposed, rows)
        return x.reshape(len(y), geometry.in_channels, *geometry.spatial_shape)


def _product(matrix: Matrix, rows: Array) -> Array:
    """Return ``rows @ matrix.T``; the real and imaginary parts of rows apart where the matrix is real."""
    if rows.dtype.kind == "c" and matrix.dtype.kind != "c":
        parts = _product(matrix, np.concatenate([rows.real, rows.imag]))
        real, imaginary = parts[: len(rows)], parts[len(rows) :]
        out = np.empty(real.shape, np.result_type(matrix.dtype, rows.dtype))
        out.real, out.imag = real, imaginary
        return out
    if len(rows) == 1:
        column: Array = matrix @ rows[0]
        return column[None]
    if isinstance(matrix, dia_array):
        return np.stack([matrix @ row for row in rows])
    columns: Array = matrix @ rows.T
    return np.ascontiguousarray(columns.T)
