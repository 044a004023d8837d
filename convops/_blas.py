"""Which kernels the BLAS of numpy multiplies by."""

import ctypes
from functools import cache

import numpy as np

_NAMES = (
    "scipy_openblas_get_corename64_",
    "scipy_openblas_get_corename",
    "openblas_get_corename64_",
    "openblas_get_corename",
)
"""What the builds of OpenBLAS call the function that names the processor."""


@cache
def blas_core() -> str:
    """Return the processor for which OpenBLAS multiplies, "Haswell" or "SkylakeX"; empty for another BLAS.

    OpenBLAS chooses when it is loaded, by the processor or by OPENBLAS_CORETYPE. For a processor that it does
    not know it takes the kernels of an older one, which may be half as fast.
    """
    try:
        # A symbol is looked for in what a library depends on as well.
        library = ctypes.CDLL(np.linalg._umath_linalg.__file__)
    except (AttributeError, OSError):
        return ""
    for name in _NAMES:
        if (function := getattr(library, name, None)) is not None:
            function.restype = ctypes.c_char_p
            return str(function().decode())
    return ""
