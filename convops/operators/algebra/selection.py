"""The operator that keeps some samples and drops the others."""

from math import prod
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from convops._arguments import shown
from convops._arrays import Array, operator_dtype
from convops.operators._messages import Shape
from convops.operators.algebra.composite import Composite, Pass
from convops.operators.algebra.scalars import product_dtype


class Selection(Composite):
    """Some samples of an array, in C order; or, `back`, the adjoint of that: these samples among zeros."""

    def __init__(self, kept: Array, shape: Shape, dtype: np.dtype[Any], back: bool = False) -> None:
        self.kept, self.whole, self.back = kept, shape, back
        shapes = (shape, (kept.size,))
        self._setup((), product_dtype(dtype), *(reversed(shapes) if back else shapes))

    def _arguments(self) -> tuple[Any, ...]:
        return self.kept, self.whole, self.dtype, self.back

    def _structure(self) -> str:
        text = f"selection of {self.kept.size} from {self.whole}"
        return f"({text}).T" if self.back else text

    @property
    def _convops_gain(self) -> float:
        return 1.0

    def _act(self, x: Array, how: Pass) -> Array:
        axis = x.ndim + how.axis
        if how.adjoint == self.back:
            return np.take(x, self.kept, axis=axis)
        put = np.zeros((*x.shape[:axis], prod(self.whole), *x.shape[axis + 1 :]), x.dtype)
        places: Any = (..., self.kept, *(slice(None),) * (x.ndim - 1 - axis))
        put[places] = x
        return put

    def _matrix(self) -> Any:
        entries = np.ones(self.kept.size, self.dtype), self.kept, np.arange(self.kept.size + 1)
        matrix = csr_array(entries, shape=(self.kept.size, prod(self.whole)))
        return matrix.T if self.back else matrix

    def _mirrored(self, conjugated: bool) -> Composite:
        return Selection(self.kept, self.whole, self.dtype, not self.back)


def selection(mask: Any, dtype: Any = np.float64) -> Selection:
    """Return the operator that keeps the samples where a mask is True.

    In front of a convolution, ``selection(seen) @ A``, it tells of data that are missing: dead pixels, a
    scratch, what lies outside a region.

    Parameters
    ----------
    mask : array_like of bool
        Of the shape of the arrays that it takes.
    dtype : dtype, default float64
        As for `identity`.

    Returns
    -------
    LinearOperator
        From ``mask.shape`` to ``(count,)``, the samples in C order. Its adjoint puts them back, among zeros.

    Raises
    ------
    TypeError, ValueError
        If the mask is no array of bool, or True nowhere; or the dtype is none.

    Examples
    --------
    >>> import numpy as np
    >>> from convops import selection
    >>> S = selection([[True, False], [True, True]])
    >>> S([[1, 2], [3, 4]])
    array([1., 3., 4.])
    >>> S.H(S([[1, 2], [3, 4]]))
    array([[1., 0.],
           [3., 4.]])
    >>> print(S.toarray())
    [[1. 0. 0. 0.]
     [0. 0. 1. 0.]
     [0. 0. 0. 1.]]
    """
    try:
        kept = np.asarray(mask)
    except ValueError as error:
        raise ValueError(f"{shown('mask', mask)}: an array of bool is needed; {error}.") from None
    if kept.dtype != np.bool:
        raise TypeError(
            f"{shown('mask', mask)}: an array of bool is needed, True where a sample is kept; got "
            f"{kept.dtype}. Give mask != 0, say."
        )
    if kept.ndim == 0 or not kept.any():
        raise ValueError(
            f"{shown('mask', mask)}: an array that is True somewhere is needed; got shape {kept.shape}, of "
            f"which {int(kept.sum())} are True."
        )
    places = np.flatnonzero(kept)
    places.flags.writeable = False
    return Selection(places, kept.shape, operator_dtype(dtype))
