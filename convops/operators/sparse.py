"""A convolution applied through its matrix."""

from functools import cached_property

import numpy as np
from scipy.sparse import csc_array, csr_array

from convops._arrays import Array
from convops.assembly import assemble
from convops.geometry import ConvGeometry


class SparseEngine:
    """W, built once, and its transpose, which shares W's arrays."""

    def __init__(self, geometry: ConvGeometry, weight: Array) -> None:
        self._geometry = geometry
        self.matrix: csr_array = assemble(geometry, weight)

    @cached_property
    def transposed(self) -> csc_array:
        """The transpose of W, with the same arrays."""
        return self.matrix.T

    def forward(self, x: Array) -> Array:
        """Return W x; see `Engine`."""
        geometry = self._geometry
        y = _product(self.matrix, x.reshape(len(x), -1))
        return y.reshape(len(x), geometry.out_channels, *geometry.output_shape[geometry.has_channels :])

    def adjoint(self, y: Array) -> Array:
        """Return Wᴴ y; see `Engine`."""
        geometry, rows = self._geometry, y.reshape(len(y), -1)
        if self.matrix.dtype.kind == "c":
            x = np.conj(_product(self.transposed, np.conj(rows)))
        else:
            x = _product(self.transposed, rows)
        return x.reshape(len(y), geometry.in_channels, *geometry.spatial_shape)


def _product(matrix: csr_array | csc_array, rows: Array) -> Array:
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
    columns: Array = matrix @ rows.T
    return np.ascontiguousarray(columns.T)
