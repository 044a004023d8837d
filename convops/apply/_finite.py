"""Whether a result holds NaN or inf, at the cost of reading it once."""

from cmath import isfinite
from string import ascii_letters

import numpy as np

from convops._arrays import Array

_SHORT = 2**13
"""Length up to which a dot product has the least overhead, and OpenBLAS wakes no threads for it."""


def finite(y: Array) -> bool:
    """Return whether y is finite and adds up; False costs time, not the result."""
    if y.flags.c_contiguous:
        y = y.reshape(-1)
        if y.size <= _SHORT and isfinite(np.vdot(y, y)):
            return True
    else:
        y = y.squeeze()
    if y.dtype.kind == "c" and y.strides[-1] == y.itemsize:
        y = y.view(y.real.dtype)
    # As a sum of products: those of real numbers are added at the speed of memory, on one thread.
    return isfinite(np.einsum(f"{ascii_letters[: y.ndim]}->", y))
