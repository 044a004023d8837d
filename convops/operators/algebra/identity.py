"""The identity, on arrays of any shape."""

from typing import Any

import numpy as np
from scipy.sparse import eye_array

from convops._arguments import shape as as_shape
from convops._arrays import Array, operator_dtype
from convops.geometry import IntPerAxis
from convops.operators._messages import Shape
from convops.operators.algebra.composite import Composite, Pass
from convops.operators.algebra.scalars import product_dtype


class Identity(Composite):
    """The operator that returns a copy; the adjoint of itself."""

    def __init__(self, shape: Shape, dtype: np.dtype[Any]) -> None:
        self._setup((), product_dtype(dtype), shape, shape)

    def _arguments(self) -> tuple[Any, ...]:
        return self.input_shape, self.dtype

    def _structure(self) -> str:
        shape = self.input_shape
        return f"identity({shape[0] if len(shape) == 1 else shape})"

    @property
    def _convops_gain(self) -> float:
        return 1.0

    def _act(self, x: Array, how: Pass) -> Array:
        return x.copy()

    def _matrix(self) -> Any:
        return eye_array(self.shape[0], dtype=self.dtype, format="csr")

    def _partner(self, conjugated: bool) -> Composite:
        return self


def identity(shape: IntPerAxis, dtype: Any = np.float64) -> Identity:
    """Return the identity operator on arrays of a shape.

    As a summand it is Tikhonov's regularisation, ``A.gram() + damp**2 * identity(A.input_shape)``; between
    two operators it reads the arrays of one as the vectors of the other, ``B @ identity(n) @ A``.

    Parameters
    ----------
    shape : int or sequence of int
        Of the arrays that it takes and returns.
    dtype : dtype, default float64
        float32, float64, complex64, complex128 or an integer. A sum has numpy's dtype of its terms, so the
        identity beside a float32 operator should be one of float32 too: ``identity(A.input_shape, A.dtype)``.

    Returns
    -------
    LinearOperator
        Of shape ``(N, N)``; its product is a copy.

    Raises
    ------
    TypeError, ValueError
        If the shape or the dtype is none.

    Examples
    --------
    >>> import numpy as np
    >>> from convops import Conv, identity
    >>> A = Conv([1.0, -1.0], 3)
    >>> print((A.gram() + 0.5 * identity(3)).toarray())
    [[ 1.5 -1.   0. ]
     [-1.   2.5 -1. ]
     [ 0.  -1.   1.5]]
    >>> identity((2, 3), np.float32)
    <6x6 Identity: identity((2, 3)), input_shape (2, 3) -> output_shape (2, 3), float32>
    """
    return Identity(as_shape("shape", shape), operator_dtype(dtype))
