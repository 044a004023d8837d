"""The matrices of many weights on one pattern: `ConvPattern`."""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from convops._arguments import shown
from convops._arrays import Array, operator_dtype, weight_array
from convops._memory import refuse_beyond_memory
from convops._templates import templates
from convops.assembly import (
    Rows,
    all_rows,
    canonical,
    index_arrays,
    oriented,
    refuse_too_large,
    write_values,
)
from convops.geometry import ConvGeometry


@dataclass(frozen=True, init=False, eq=False, repr=False)
class ConvPattern:
    """Where the entries of W stand, found once for the matrices of many weights.

    The pattern of W depends on the geometry alone, so a loop over weights (a kernel that is learned, blind
    deconvolution) need not find it again: `matrix` writes the entries and nothing else. All matrices of a
    pattern share its two index arrays, which are read-only: SciPy refuses with a ValueError to sort one of
    them or to eliminate its zeros in place, and leaves it as it was. What makes new arrays works as always;
    ``W.copy()`` has arrays of its own.

    A pattern is frozen, can be pickled, and used from several threads.

    Parameters
    ----------
    geometry : ConvGeometry
        The sizes.
    index_dtype : dtype, optional
        numpy.int32 or numpy.int64. Default: int32 while every index fits.

    Attributes
    ----------
    geometry : ConvGeometry
        As given.
    indices, indptr : ndarray, read-only
        Those of every W, as `scipy.sparse.csr_array` has them.

    Raises
    ------
    TypeError, ValueError
        Where an argument does not fit, with the numbers and the fix.
    MemoryError
        Before anything is allocated, if W is larger than the memory that is left.

    See Also
    --------
    conv_matrix : One matrix.

    Examples
    --------
    >>> from convops import ConvGeometry, ConvPattern
    >>> pattern = ConvPattern(ConvGeometry((2,), (4,)))
    >>> pattern
    <ConvPattern: W of shape (3, 4) with 6 entries, int32 indices>
    >>> print(pattern.matrix([1, 2]).toarray())
    [[1 2 0 0]
     [0 1 2 0]
     [0 0 1 2]]
    >>> pattern.matrix([5, 7]).indices is pattern.indices
    True
    """

    geometry: ConvGeometry
    indices: Array
    indptr: Array
    _rows: Rows

    def __init__(self, geometry: ConvGeometry, *, index_dtype: Any = None) -> None:
        if not isinstance(geometry, ConvGeometry):
            raise TypeError(
                f"{shown('geometry', geometry)}: it must be a ConvGeometry; got {type(geometry).__name__}. "
                "Make one: ConvGeometry(weight.shape, input_shape, ...)."
            )
        refuse_too_large(geometry, np.dtype(np.float64), index_dtype)
        rows = all_rows(geometry)
        indices, indptr = index_arrays(rows, index_dtype)
        indices.flags.writeable = indptr.flags.writeable = False
        self.__dict__.update(geometry=geometry, indices=indices, indptr=indptr, _rows=rows)

    def __reduce__(self) -> tuple[Any, ...]:
        # Arrays come back from a pickle writeable.
        return partial(ConvPattern, index_dtype=self.indices.dtype), (self.geometry,)

    def __repr__(self) -> str:
        return (
            f"<ConvPattern: W of shape {self.geometry.shape} with {self.indices.size} entries, "
            f"{self.indices.dtype} indices>"
        )

    def matrix(
        self, weight: Any, *, flip: bool = False, dtype: Any = None, out: csr_array | None = None
    ) -> csr_array:
        """Return the W of a weight: what `conv_matrix` returns for it and the geometry.

        Parameters
        ----------
        weight : array_like
            Of the geometry's ``weight_shape``.
        flip : bool, default False
            As for `conv_matrix`.
        dtype : dtype, optional
            Of the entries, as for `conv_matrix`. Default: that of the weight; int64 for integers; that of
            `out` where it is given.
        out : csr_array, optional
            A matrix of this pattern, whose entries are overwritten: this is the fastest, for no memory is
            asked for. Where its index arrays are not those of the pattern they are compared with them.

        Returns
        -------
        scipy.sparse.csr_array
            `out` if it is given; else a new one, which shares the index arrays of the pattern and nothing
            else.

        Raises
        ------
        TypeError, ValueError, OverflowError
            Where an argument does not fit, with the numbers and the fix; `out` is then as it was.
        MemoryError
            Before anything is allocated, if the entries do not fit the memory that is left.

        Examples
        --------
        >>> from convops import ConvGeometry, ConvPattern
        >>> pattern = ConvPattern(ConvGeometry((3,), (4,), padding=1, boundary="symmetric"))
        >>> W = pattern.matrix([1.0, 2.0, 4.0])
        >>> pattern.matrix([1.0, -2.0, 1.0], out=W) is W
        True
        >>> print(W.toarray())
        [[-1.  1.  0.  0.]
         [ 1. -2.  1.  0.]
         [ 0.  1. -2.  1.]
         [ 0.  0.  1. -1.]]
        """
        if out is not None:
            dtype = self._dtype_of(out, dtype)
        taps = weight_array(weight, dtype)
        if taps.shape != self.geometry.weight_shape:
            raise ValueError(
                f"weight has shape {taps.shape}: this pattern is that of weights of shape "
                f"{self.geometry.weight_shape}. Give one of these, or make another pattern from "
                f"ConvGeometry({taps.shape}, ...)."
            )
        taps = oriented(taps, self.geometry, flip)
        if out is None:
            refuse_beyond_memory(
                self.indices.size * taps.itemsize, f"The data of W, {self!r},", "Overwrite a matrix: out=W."
            )
            data = np.empty(self.indices.size, taps.dtype)
            write_values(self._rows, templates(self.geometry, self._rows.patterns, taps), data)
            W = canonical(data, self.indices, self.indptr, self.geometry.shape)
            # The constructor makes views, which `out` could not be told by.
            W.indices, W.indptr = self.indices, self.indptr
            return W
        write_values(self._rows, templates(self.geometry, self._rows.patterns, taps), out.data)
        return out

    def _dtype_of(self, out: Any, dtype: Any) -> np.dtype[Any]:
        """Return the dtype of `out`, once it is known to be a matrix of this pattern that can be written."""
        if not isinstance(out, csr_array):
            raise TypeError(
                f"{shown('out', out)}: it must be a csr_array of this pattern, such as matrix(weight) "
                f"returns; got {type(out).__name__}."
            )
        if out.shape != self.geometry.shape or not (
            _same(out.indptr, self.indptr) and _same(out.indices, self.indices)
        ):
            raise ValueError(
                f"out has shape {out.shape} and {out.nnz} entries, and not the pattern of W, which has shape "
                f"{self.geometry.shape} and {self.indices.size} entries at places of its own. Give a matrix "
                "that matrix(weight) of this pattern, or conv_matrix with the same arguments, returned."
            )
        found: Array = out.data
        if found.shape != self.indices.shape or not (found.flags.c_contiguous and found.flags.writeable):
            state = "writeable" if found.flags.writeable else "read-only"
            raise ValueError(
                f"out.data has shape {found.shape}, strides {found.strides} and is {state}: entries are "
                f"written to a contiguous, writeable array of shape {self.indices.shape}. Give "
                "out.copy(), or leave out away."
            )
        held = operator_dtype(found.dtype, "out.dtype")
        if not found.dtype.isnative or (dtype is not None and operator_dtype(dtype) != held):
            raise ValueError(
                f"{shown('dtype', dtype)}: the entries of out stay in their dtype, {found.dtype.str}. Leave "
                "dtype out, or give a matrix in native byte order and the dtype wanted."
            )
        return held


def _same(found: Array, expected: Array) -> bool:
    return found is expected or np.array_equal(found, expected)
