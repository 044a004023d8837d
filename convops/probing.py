"""The matrix of an operator that can only be applied, read off few products: `probe_matrix`."""

import sys
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse

from convops._arguments import integer, shown
from convops._arrays import INT64, Array, check_range, dense
from convops._coloring import geometry_colors, matrix_colors
from convops._uncovered import refuse_uncovered
from convops.adjoint.pair import BrokenContract, Pair, Shape, forward_pair
from convops.adjoint.words import named_entry
from convops.assembly import all_rows, canonical, index_arrays, refuse_too_large
from convops.boundary import Ints
from convops.geometry import ConvGeometry

_BYTES_AT_ONCE = 2**25
"""Of the vectors that a block of products takes and returns."""


@dataclass(frozen=True)
class _Columns:
    """Where entries may stand, in CSR, and the colors of the columns."""

    indices: Array
    indptr: Array
    shape: tuple[int, int]
    colors: Ints
    count: int
    arrays: tuple[Shape, Shape]
    """What the rows and columns are likely to be the entries of: shapes of what is taken and returned."""


def probe_matrix(
    op: Any,
    pattern: Any,
    input_shape: Any = None,
    output_shape: Any = None,
    dtype: Any = None,
    *,
    seed: int = 0,
    progress: bool = False,
) -> csr_array:
    """Return the matrix of a linear operator, from any package, that has entries within a pattern only.

    Columns that share no row of the pattern have one color, and the sum of them in one product: each row of
    it holds the entry of one column. So there are as many products as colors, `probe_colors`, however large
    the operator; a convolution has as many as its kernel has taps, times the channels of a group. Three more
    products, of random vectors, are held against those of the matrix; they may differ by what rounding
    explains, and a pattern that leaves an entry out is an error that names one.

    Parameters
    ----------
    op : LinearOperator or callable
        An operator with ``shape``, ``dtype`` and ``matvec`` (and ``matmat``, which then makes many products
        at once); or a function of one array.
    pattern : ConvGeometry or sparse matrix
        Where the entries may stand: where the W of a geometry has its own, or where a SciPy sparse matrix of
        shape (M, N) has stored entries, whatever their values.
    input_shape, output_shape : int or sequence of int, optional
        Shapes of what a function takes and returns, or of the arrays whose ``ravel()`` the vectors of an
        operator are. Default: those of the geometry; else what the operator tells of itself; else (N,), (M,).
    dtype : dtype or (dtype, dtype), optional
        In which the operator works. Default: its own; float64 for functions. Two for a map from real to
        complex vectors: of what it takes and what it returns.
    seed : int, default 0
        Of the random vectors.
    progress : bool, default False
        Write to stderr how many products are made.

    Returns
    -------
    scipy.sparse.csr_array
        Shape ``(M, N)``, rows and columns in C order, canonical, in the dtype that the operator returns. Its
        stored entries are those of the pattern, zeros included; ``.eliminate_zeros()`` drops those. Values
        are exact where the products of zeros and ones are: where a transform is behind them, they have its
        rounding, also in place of zeros.

    Raises
    ------
    TypeError
        If `op` is no operator, or an argument is of the wrong type.
    ValueError
        If the operator has an entry outside the pattern, is not linear to the precision of its dtype, or
        returns what no product can be (another shape, NaN); and if an argument does not fit.
    MemoryError
        Before anything is allocated, if the matrix is larger than the memory that is left.

    See Also
    --------
    probe_colors : How many products it will take.

    References
    ----------
    Curtis, Powell and Reid, "On the estimation of sparse Jacobian matrices", doi:10.1093/imamat/13.1.117.
    Coleman and Moré, "Estimation of sparse Jacobian matrices and graph coloring problems",
    doi:10.1137/0720013.

    Examples
    --------
    >>> from convops import ConvGeometry, probe_matrix
    >>> def second_difference(x):
    ...     return x[:-2] - 2 * x[1:-1] + x[2:]
    >>> W = probe_matrix(second_difference, ConvGeometry(3, 5))
    >>> print(W.toarray())
    [[ 1. -2.  1.  0.  0.]
     [ 0.  1. -2.  1.  0.]
     [ 0.  0.  1. -2.  1.]]
    """
    seed = integer("seed", seed, 0)
    columns = _columns_of(pattern)
    pair = forward_pair(op, input_shape, output_shape, dtype, columns.arrays)
    if (pair.rows, pair.columns) != columns.shape:
        raise ValueError(
            f"{shown('pattern', pattern)}: it is that of a matrix of shape {columns.shape}, and op takes "
            f"{pair.columns} entries and returns {pair.rows}. Give the pattern of a matrix of shape "
            f"({pair.rows}, {pair.columns})."
        )
    if (pair.input_dtype.kind, pair.output_dtype.kind) == ("c", "f"):
        raise ValueError(
            f"{shown('dtype', dtype)}: a map from complex to real vectors has no matrix. Probe the complex "
            "map behind it."
        )
    try:
        W = _read_off(pair, columns, progress)
        refuse_uncovered(pair, W, pattern, seed)
    except BrokenContract as broken:
        raise ValueError(f"{shown('op', op)}: {broken}.") from broken
    return W


def probe_colors(pattern: Any) -> int:
    """Return how many products `probe_matrix` reads a matrix of this pattern off; three more verify it.

    Parameters
    ----------
    pattern : ConvGeometry or sparse matrix
        As for `probe_matrix`.

    Returns
    -------
    int
        The number of colors: for a geometry in closed form, axis by axis, where the boundary permits; else
        the fewest that two greedy passes find. No pattern has fewer than its longest row has entries.

    Raises
    ------
    TypeError
        If it is no pattern.
    MemoryError
        If the matrix of the pattern is larger than the memory that is left.

    Examples
    --------
    >>> from convops import ConvGeometry, probe_colors
    >>> probe_colors(ConvGeometry((4, 3, 3, 3), (3, 33, 31), stride=2, dilation=2))
    27
    """
    return _columns_of(pattern).count


def _columns_of(pattern: Any) -> _Columns:
    if isinstance(pattern, ConvGeometry):
        refuse_too_large(pattern, np.dtype(np.float64), copies=3)
        colors, count = geometry_colors(pattern)
        indices, indptr = index_arrays(all_rows(pattern))
        arrays = pattern.input_shape, pattern.output_shape
        return _Columns(indices, indptr, pattern.shape, colors, count, arrays)
    if not issparse(pattern) or len(pattern.shape) != 2:
        raise TypeError(
            f"{shown('pattern', pattern)}: it must be a ConvGeometry or a SciPy sparse matrix with entries "
            f"where those of the operator may be; got {type(pattern).__name__}. For a convolution give "
            "ConvGeometry(weight_shape, input_shape, ...); else scipy.sparse.csr_array(mask)."
        )
    stored = pattern.tocoo()
    mask = csr_array((np.ones(stored.nnz, bool), stored.coords), shape=stored.shape)
    colors, count = matrix_colors(mask)
    rows, columns = mask.shape
    return _Columns(mask.indices, mask.indptr, mask.shape, colors, count, ((columns,), (rows,)))


def _read_off(pair: Pair, columns: _Columns, progress: bool) -> csr_array:
    """Return the matrix whose entries are those of products with the sum of the columns of each color."""
    rows, of_entries = pair.rows, columns.colors[columns.indices]
    by_color = np.argsort(of_entries.astype(np.min_scalar_type(columns.count)), kind="stable")
    ends = np.cumsum(np.bincount(of_entries, minlength=columns.count)).tolist()
    row = np.repeat(np.arange(rows, dtype=columns.indices.dtype), np.diff(columns.indptr))
    data = np.empty(columns.indices.size, pair.output_dtype)
    width = max(pair.input_dtype.itemsize, pair.output_dtype.itemsize)
    at_once = max(_BYTES_AT_ONCE // ((pair.rows + pair.columns) * width), 1)
    for first in range(0, columns.count, at_once):
        colors = np.arange(first, min(first + at_once, columns.count))
        if progress:
            sys.stderr.write(f"probe_matrix: {first} of {columns.count} products, and 3 to verify\n")
        products = _products(pair, columns.colors == colors[:, None])
        entries = by_color[ends[first - 1] if first else 0 : ends[colors[-1]]]
        data[entries] = products[of_entries[entries] - first, row[entries]]
    return canonical(data, columns.indices, columns.indptr, columns.shape)


def _products(pair: Pair, columns: Array) -> Array:
    """Return the sum of some columns of the operator for each row of the masks, in its output dtype."""
    X = columns.astype(INT64 if pair.exact else pair.input_dtype)
    found = _many_at_once(pair, X) if len(X) > 1 and hasattr(pair.op, "matmat") else None
    return _in_dtype(np.stack([pair.forward(x) for x in X]) if found is None else found, pair)


def _many_at_once(pair: Pair, X: Array) -> Array | None:
    """Return the products with the rows of X by one call of matmat; None where it is not implemented."""
    try:
        returned = pair.op.matmat(X.T)
    except NotImplementedError:
        return None
    pair.forward.tally.count += len(X)
    found = dense("what matmat returned", returned).T
    if found.shape != (len(X), pair.rows):
        raise BrokenContract(
            f"matmat returned shape {found.shape[::-1]} for X of shape {X.T.shape}: it must be "
            f"{(pair.rows, len(X))}"
        )
    return found


def _in_dtype(found: Array, pair: Pair) -> Array:
    """Return products in the dtype of the matrix, if it holds them."""
    kinds = {"u": 0, "i": 0, "f": 1, "c": 2}
    if kinds[found.dtype.kind] > kinds[pair.output_dtype.kind]:
        fix = "float" if found.dtype.kind == "f" else f"({pair.input_dtype}, {found.dtype})"
        raise BrokenContract(
            f"{pair.name} returned {found.dtype} for x of dtype {pair.input_dtype}, and its matrix was to "
            f"have dtype {pair.output_dtype}: say dtype={fix}"
        )
    if not np.isfinite(found).all():
        number, place = np.argwhere(~np.isfinite(found))[0].tolist()
        raise BrokenContract(
            f"{pair.name} returned {found[number, place]} at {named_entry(place, pair.output_shape)} for a "
            "sum of unit vectors: a matrix has finite entries"
        )
    if pair.exact:
        check_range("the matrix", found, pair.output_dtype)
    return found.astype(pair.output_dtype, copy=False)
