"""`assert_matches_matrix`: that an operator does what a matrix does."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.sparse import csr_array, issparse

from convops._arguments import integer
from convops._arrays import INT64, Array, dense, operator_dtype
from convops.adjoint.numbers import unit_roundoff
from convops.adjoint.pair import BrokenContract, Pair
from convops.adjoint.samples import SAFETY, Half, Samples, difference
from convops.adjoint.words import named_entry, number
from convops.testing._maps import NoAdjoint, is_operator, maps_of

_FEW_ROUNDINGS = 2
"""Of an entry of a product besides those of its sum: of W's entry, and of what it multiplies."""


def assert_matches_matrix(
    op: Any,
    W: Any,
    adjoint: Any = None,
    input_shape: Any = None,
    output_shape: Any = None,
    dtype: Any = None,
    *,
    seed: int = 0,
) -> None:
    """Assert that an operator multiplies by the matrix W, and its adjoint by Wᴴ.

    Random vectors go through both. Each entry of the products may differ by what rounding explains: as
    many roundings of the dtype as the entry has terms, relative to their sizes; and 8 of them relative to
    the largest entry, or what A(x₁ + x₂) − Ax₁ − Ax₂ shows where the operator rounds more. Integers must
    agree exactly.

    Parameters
    ----------
    op : LinearOperator or callable
        An operator with ``shape``, ``dtype`` and ``matvec``; or the forward function.
    W : array_like or sparse array, shape ``(M, N)``
        The matrix, for vectors in C order.
    adjoint : callable, optional
        The adjoint function, where `op` is a function. An operator has its own; where it has none, the
        forward map alone is compared.
    input_shape, output_shape : int or sequence of int, optional
        Shapes of what functions take and return; default: vectors, of length N and M. For operators:
        shapes of the arrays that the vectors are, for the message.
    dtype : dtype or (dtype, dtype), optional
        In which the maps work, as for `check_adjoint`. Default: that of the operator; for functions that of
        W, at least float64. Of a map to real vectors, the real part is compared.
    seed : int, default 0
        Of the random vectors.

    Raises
    ------
    AssertionError
        If a product differs, with the entry that differs most and both its values.
    TypeError, ValueError
        If an argument does not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from convops.testing import assert_matches_matrix
    >>> assert_matches_matrix(np.cumsum, np.tri(4))
    >>> assert_matches_matrix(np.cumsum, np.tri(4).T)
    Traceback (most recent call last):
        ...
    AssertionError: cumsum is not this matrix: 4 of 4 entries of A(x) differ from those of W x, most entry
    ..., by row ... of W: ... instead of ...; rounding explains ... (seed 0).
    """
    __tracebackhide__ = True
    seed = integer("seed", seed, 0)
    matrix = _matrix(W)
    if not is_operator(op):
        rows, columns = matrix.shape
        input_shape = columns if input_shape is None else input_shape
        output_shape = rows if output_shape is None else output_shape
        dtype = np.result_type(matrix.dtype, np.float64) if dtype is None else dtype
    pair = maps_of(op, adjoint, input_shape, output_shape, dtype)
    if matrix.shape != (pair.rows, pair.columns):
        raise ValueError(
            f"W has shape {matrix.shape}: it must have that of the operator, which returns {pair.rows} "
            f"entries and takes {pair.columns}. Compare the matrix of an adjoint with the adjoint, op.H."
        )
    samples = Samples(pair, seed, "default")
    rows = _Rows.of(matrix, pair)
    try:
        fault = _difference(samples.forward, rows, "A(x)", "W x", "row") or _difference(
            samples.adjoint, rows.adjoint(), "Aᴴ(y)", "Wᴴ y", "column"
        )
    except NoAdjoint:
        return
    except BrokenContract as broken:
        fault = str(broken)
    if fault:
        raise AssertionError(f"{pair.name} is not this matrix: {fault} (seed {seed}).")


def _matrix(W: Any) -> Any:
    """Return W as a two-dimensional array, or as a sparse one in CSR form."""
    if issparse(W):
        matrix: Any = csr_array(W)
        operator_dtype(np.int8 if matrix.dtype == bool else matrix.dtype, "W.dtype")
        matrix = matrix.astype(np.int8) if matrix.dtype == bool else matrix
    else:
        matrix = dense("W", W)
    if matrix.ndim != 2:
        raise ValueError(f"W has shape {matrix.shape}: a matrix has two axes, (M, N); got {matrix.ndim}.")
    return matrix


@dataclass(frozen=True)
class _Rows:
    """A matrix, and what is known of the rounding of a product with it."""

    matrix: Any
    sizes: Any
    """Of its entries."""
    terms: Array
    """How many entries of each row are not zero."""
    roundoff: float

    @classmethod
    def of(cls, matrix: Any, pair: Pair) -> "_Rows":
        """Return a matrix for products with vectors of a pair, in no less than double precision."""
        exact = matrix.dtype.kind in "iu" and pair.exact
        dtypes = (matrix.dtype, pair.input_dtype, pair.output_dtype, np.float64)
        wide = matrix.astype(INT64 if exact else np.result_type(*dtypes))
        roundoff = max(unit_roundoff(matrix.dtype), pair.roundoff)
        return cls(wide, abs(wide), np.asarray((wide != 0).sum(axis=1)), roundoff)

    def adjoint(self) -> "_Rows":
        """Return the same of the adjoint matrix."""
        terms = np.asarray((self.matrix != 0).sum(axis=0))
        return _Rows(self.matrix.conj().T, self.sizes.T, terms, self.roundoff)

    def roundings(self, sizes: Array) -> Array:
        """Return what rounding makes of each entry of a product that is summed term by term, at most.

        Errors of k roundings add up to at most k of them, and, where there are many, like √k (Higham and
        Mary, doi:10.1137/18M1226312); of half a unit at most, they seldom reach 4 √k units.
        """
        each = _FEW_ROUNDINGS + np.minimum(self.terms, 4 * np.sqrt(self.terms))
        parts = 2 if self.matrix.dtype.kind == "c" else 1
        # The operator and its matrix round both.
        found: Array = 2 * parts * each * self.roundoff * (self.sizes @ sizes)
        return found


def _difference(half: Half, rows: _Rows, image: str, product: str, line: str) -> str | None:
    """Say in how many entries the images differ from products with a matrix, and in which most."""
    noise = 0.0 if half.pair.exact else _noise(half, rows.roundoff)
    wrong = np.zeros(half.side.rows, bool)
    worst, text = 0.0, ""
    for x, found in zip(half.probes, half.images, strict=True):
        with np.errstate(invalid="ignore", over="ignore"):
            expected = rows.matrix @ x
            if half.pair.mixed and half.image_dtype.kind == "f":
                expected = expected.real
            error = np.abs(difference(found, expected))
        bound = rows.roundings(np.abs(x)) + noise
        faulty = ~(error <= bound)
        wrong |= faulty
        # NaN differs most.
        error = np.where(faulty, np.nan_to_num(error, nan=np.inf), 0)
        place = int(np.argmax(error))
        if error[place] > worst:
            worst = float(error[place])
            text = (
                f"entry {named_entry(place, half.image_shape)}, by {line} {place} of W: "
                f"{number(found[place].item())} instead of {number(expected[place].item())}; rounding "
                f"explains {number(float(bound[place]))}"
            )
    if not text:
        return None
    differ = f"{int(wrong.sum())} of {wrong.size} entries of {image}"
    return f"{differ} differ from those of {product}, most {text}"


def _noise(half: Half, roundoff: float) -> float:
    """Return what an entry may be off that is rounded with all others, as by a transform.

    What rounds before it cancels shows in A(x₁ + x₂) − Ax₁ − Ax₂. A map that is not linear gets no allowance.
    """
    if not half.largest_sum_error <= half.largest_noise:
        return half.underflow
    largest_entry = max(float(np.abs(of_x).max()) for of_x in half.images)
    measured = max(float(np.abs(error).max()) for error in half.sum_errors)
    return SAFETY * max(measured, roundoff * largest_entry) + half.underflow
