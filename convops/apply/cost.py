"""What one application costs, so that methods can be compared before one is built.

Only ratios between methods matter, so the rates are those of one core of a recent server (2.6 GHz, AVX-512):
on another machine the methods change places later or earlier by little.
"""

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple, Self

import numpy as np

from convops._blas import blas_core, one_thread

CACHE = 2**21
"""Bytes of scratch that a block takes: of smaller ones, Python's share costs more than the cache saves."""
_SMALL_VECTOR_PRODUCT = 2**18
_SMALL_COMPLEX_PRODUCT = 2**16
_SMALL_COMPLEX_VECTOR_PRODUCT = 2**12
_VECTOR_BYTES = 80e9
"""Bytes of a matrix a second that a product with a vector reads."""
_BYTES = 40e9
"""Bytes a second that numpy copies within the cache, in long runs."""
_RUN = 8e-9
"""Seconds that each run of a strided copy adds."""
_APART = 0.45e-9
"""Seconds that each element of a copy adds whose neighbours are not copied with it."""
BORDER = 5e-6
"""Seconds that it takes to extend one axis whatever its size."""
_UNPACKED = 1.25
"""How much longer a multiply-add takes in a small product that is not packed."""
_IN_THE_WAY = 8.0
"""And in one with a vector for which BLAS wakes threads: they begin later than it could have ended."""
_FEW = 8
"""Rows of the left matrix from which a run of the right one is shorter."""
_LEFT_OVER = 0.5
"""How much of itself what is left over of a run adds for few rows; for more it takes as long as a run, and
rows that begin within a line of the cache `_ACROSS` times as long."""
_ONE_RUN = 0.35
"""How much longer a product of one run alone takes, which waits for each addition."""
_ACROSS = 1.04
_ADDITION = 5.0
"""How much longer it takes to add products than to copy them: they come from beyond the nearest cache."""
_VECTOR_CALL = 0.03e-6
"""Seconds that each of many products of a matrix and a vector in one call takes besides."""
_PACKED = 18e9
"""Bytes a second at which BLAS packs a matrix."""


class _Kernels(NamedTuple):
    """What the kernels take by which BLAS multiplies matrices."""

    packs: bool
    """Whether they pack small matrices as well before they multiply them."""
    small: int
    """Multiply-adds of real numbers for which BLAS wakes no threads, and packs nothing if it need not."""
    held: bool
    """Whether it wakes none because it is held to one thread: large products gain most where it packs."""
    multiply_adds: float
    """Those a second of a float64 product; few rows or columns take longer."""
    threaded: float
    """How much longer one takes in a large product, for which threads wake that stay in the way of ours."""
    call: float
    """Seconds that each of many products in one call takes besides."""
    runs: tuple[int, int]
    """Bytes of a row of the right matrix taken at a time where nothing is packed: a register for less than
    `_FEW` rows on the left, as much as a line of the cache for more."""


_PACKING = _Kernels(True, 2**18, False, 22e9, 1.0, 0.1e-6, (0, 0))
_HELD = _PACKING._replace(small=2**21, held=True)
_NOT_PACKING = _Kernels(False, 10**6, False, 38e9, 1.35, 0.03e-6, (2**8, 2**6))


def _kernels() -> _Kernels:
    if blas_core() in ("", "SkylakeX", "Cooperlake", "SapphireRapids"):
        return _NOT_PACKING  # as another BLAS than OpenBLAS may not pack either
    return _HELD if one_thread.works else _PACKING


_BLAS = _kernels()


class Cost(NamedTuple):
    """Floating-point operations, bytes moved, and the seconds that both take on one core."""

    flops: float
    nbytes: float
    seconds: float

    def times(self, count: int) -> Self:
        """Return what as much again costs, `count` times in all."""
        return type(self)(self.flops * count, self.nbytes * count, self.seconds * count)

    def plus_extension(self, channels: int, sizes: Sequence[int], dtype: np.dtype[Any]) -> Self:
        """Return this cost with that of writing the border of an array out, a copy of those sizes."""
        elements = channels * prod(sizes)
        copied = copy_seconds(elements, sizes[-1], dtype)
        return self._replace(
            nbytes=self.nbytes + 2.0 * elements * dtype.itemsize, seconds=self.seconds + copied
        )

    def plus_steps(self, elements: float, run: float, dtype: np.dtype[Any]) -> Self:
        """Return this cost with that of copying so many elements in steps, in runs of `run` elements."""
        copied = copy_seconds(elements, run, dtype)
        return self._replace(seconds=self.seconds + copied + elements * _APART)


def small_product(dtype: np.dtype[Any]) -> int:
    """Return up to how many multiply-adds BLAS multiplies matrices on one thread, and unpacked if it may."""
    return _SMALL_COMPLEX_PRODUCT if dtype.kind == "c" else _BLAS.small


def blas_is_held() -> bool:
    """Return whether small products are only multiplied on one thread while BLAS is held to one."""
    return _BLAS.held


def small_vector_product(dtype: np.dtype[Any]) -> int:
    """Return up to how many multiply-adds BLAS multiplies a matrix and a vector on one thread."""
    return _SMALL_COMPLEX_VECTOR_PRODUCT if dtype.kind == "c" else _SMALL_VECTOR_PRODUCT


def product_seconds(rows: int, inner: int, columns: int, dtype: np.dtype[Any]) -> float:
    """Return the seconds of one ``(rows, inner) @ (inner, columns)``."""
    multiply_adds = rows * inner * columns
    seconds = multiply_adds * multiply_add_seconds(dtype)
    if min(rows, columns) == 1:
        if multiply_adds > small_vector_product(dtype):
            seconds *= _IN_THE_WAY
        return max(seconds, multiply_adds * dtype.itemsize / _VECTOR_BYTES) + _VECTOR_CALL
    if multiply_adds > small_product(dtype):
        packed = inner * (rows + columns) * dtype.itemsize / _PACKED
        return seconds * (_BLAS.threaded + 1.6 / min(rows, columns)) + packed
    if _BLAS.packs or dtype.kind == "c":
        return seconds * (1 + 6 / min(rows, columns)) + _BLAS.call
    return seconds * _UNPACKED * _longer(rows, columns, dtype) + _BLAS.call


def _longer(rows: int, columns: int, dtype: np.dtype[Any]) -> float:
    """Return how much longer a multiply-add takes where few rows or odd columns leave registers empty."""
    run = unpacked_run(rows, dtype)
    left_over = columns % run
    if rows < _FEW:
        return 1 + 1 / rows**2 + _LEFT_OVER * left_over / columns
    whole = _ACROSS * (columns - left_over + run) / columns if left_over else 1.0
    return whole + 1 / rows**2 + _ONE_RUN * (run / columns) ** 2


def unpacked_run(rows: int, dtype: np.dtype[Any]) -> int:
    """Return how many elements of a row a small product takes at a time; 1 if it packs them."""
    return max(_BLAS.runs[rows >= _FEW] // dtype.itemsize, 1)


def multiply_add_seconds(dtype: np.dtype[Any]) -> float:
    """Return the seconds of one multiply-add in a matrix product."""
    seconds = dtype.itemsize / 8 / _BLAS.multiply_adds
    if dtype.kind == "c":
        return 2 * seconds
    return seconds if dtype.kind == "f" else 40 * seconds


def copy_seconds(elements: float, run: float, dtype: np.dtype[Any]) -> float:
    """Return the seconds that copying takes in runs of `run` elements."""
    return elements * dtype.itemsize / _BYTES + elements / run * _RUN


def addition_seconds(elements: float, run: int, dtype: np.dtype[Any]) -> float:
    """Return the seconds that adding takes in runs of `run` elements."""
    return elements * dtype.itemsize / _BYTES * _ADDITION + elements / run * _RUN
