"""Transforms to spectra and back: SciPy's, or for a few short lines the product with their matrix.

A call of SciPy takes some 5 µs however short the lines are, a product of small matrices one.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, NamedTuple

import numpy as np
from scipy.fft import fft, hfft, ifft, ihfft, irfft, rfft

from convops._arrays import Array

Transform = Callable[..., Array]

SHORT = 2**13
"""Multiply-adds, of all lines together, that a product takes less time for than a call of SciPy."""


class Transforms(NamedTuple):
    """Transforms to spectra and back, none of which divides by the length."""

    line_in: Transform
    """Along the last axis; `others_in` along all others."""
    others_in: Transform
    others_out: Transform
    line_out: Transform


def transformed(
    transform: Transform, x: Array, length: int | None, axis: int, overwrite_x: bool = False, workers: int = 1
) -> Array:
    """Return what a transform of complex numbers, or of real ones to complex, makes of an axis."""
    length = x.shape[axis] if length is None else length
    after = x.ndim - 1 - axis
    if x.size * length > SHORT or after > 1 or x.shape[axis] > length:
        return transform(x, length, axis, overwrite_x=overwrite_x, workers=workers)
    matrix, transposed = _matrix(transform, x.shape[axis], length, x.dtype)
    product: Array
    if after:
        product = np.matmul(matrix, x)
    elif x.dtype.kind == "f":
        product = np.matmul(x, transposed.view(x.dtype)).view(transposed.dtype)
    else:
        product = np.matmul(x, transposed)
    return product


def real_again(
    transform: Transform, x: Array, length: int, axis: int, overwrite_x: bool = False, workers: int = 1
) -> Array:
    """Return what a transform to real numbers makes of the last axis."""
    if x.size * length > SHORT or x.shape[axis] != length // 2 + 1:
        return transform(x, length, axis, overwrite_x=overwrite_x, workers=workers)
    matrix = _real_matrix(transform, length, x.dtype)
    product: Array = np.matmul(np.ascontiguousarray(x).view(matrix.dtype), matrix)
    return product


@lru_cache(64)
def _matrix(transform: Transform, size: int, length: int, dtype: np.dtype[Any]) -> tuple[Array, Array]:
    """Return the matrix of a transform of lines of that size, with zeros beyond, and its transpose."""
    rows = transform(np.eye(size), length, 0).astype(np.result_type(dtype, np.complex64))
    return np.ascontiguousarray(rows), np.ascontiguousarray(rows.T)


@lru_cache(64)
def _real_matrix(transform: Transform, length: int, dtype: np.dtype[Any]) -> Array:
    """Return that of a transform to real numbers, a row for each real and imaginary part."""
    unit = np.eye(length // 2 + 1)
    rows = np.stack([transform(unit, length, 1), transform(1j * unit, length, 1)], axis=1)
    return np.ascontiguousarray(rows.reshape(-1, length).astype(np.empty(0, dtype).real.dtype))


_INTO, _OUT_OF = partial(transformed, fft), partial(transformed, partial(ifft, norm="forward"))
REAL = Transforms(
    partial(transformed, rfft), _INTO, _OUT_OF, partial(real_again, partial(irfft, norm="forward"))
)
REAL_CONJUGATE = Transforms(
    partial(transformed, partial(ihfft, norm="forward")), _OUT_OF, _INTO, partial(real_again, hfft)
)
COMPLEX = Transforms(_INTO, _INTO, _OUT_OF, _OUT_OF)
COMPLEX_CONJUGATE = Transforms(_OUT_OF, _OUT_OF, _INTO, _INTO)
