"""A sparse matrix with its rows and columns in another order."""

import numpy as np

from convops._arrays import Array


def reordered(
    data: Array, indices: Array, indptr: Array, rows: Array, columns: Array
) -> tuple[Array, Array, Array]:
    """Return the arrays of a CSR matrix that has the rows `rows` of another, and its columns renumbered.

    Parameters
    ----------
    data, indices, indptr : ndarray
        Of the other matrix.
    rows : ndarray of int
        Which of its rows each row is.
    columns : ndarray of int
        Which number each of its columns gets.

    Returns
    -------
    data, indices, indptr : ndarray
        In the same dtypes; the indices of a row in no order.
    """
    starts, lengths = indptr[:-1][rows], np.diff(indptr)[rows]
    pointers = np.empty_like(indptr)
    pointers[0] = 0
    np.cumsum(lengths, out=pointers[1:])
    places = np.arange(indices.size, dtype=indptr.dtype)
    places += np.repeat(starts - pointers[:-1], lengths)
    return data[places], columns.astype(indices.dtype)[indices[places]], pointers
