"""What one application costs, so that methods can be compared before one is built.

Only ratios between methods matter, so the rates are those of one core of a recent server (2.6 GHz, AVX-512):
on another machine the methods change places later or earlier by little.
"""

from collections.abc import Sequence
from math import prod
from typing import Any, NamedTuple, Self

import numpy as np

CACHE = 3 * 2**19
"""Bytes of scratch that stay in the second-level cache beside what they are made from."""
SMALL_PRODUCT = 10**6
"""Multiply-adds up to which OpenBLAS multiplies two matrices without packing them first."""

_MULTIPLY_ADDS = 38e9
"""Multiply-adds a second of a float64 matrix product; few rows or columns take longer."""
_BYTES = 40e9
"""Bytes a second that numpy copies within the cache, in long runs."""
_RUN = 8e-9
"""Seconds that each run of a strided copy adds."""
_UNPACKED = 1.33
"""How much longer a multiply-add takes in a small product."""
_PACKED = 18e9
"""Bytes a second at which BLAS packs a matrix."""


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


def product_seconds(rows: int, inner: int, columns: int, dtype: np.dtype[Any]) -> float:
    """Return the seconds of one ``(rows, inner) @ (inner, columns)``."""
    multiply_adds = rows * inner * columns
    seconds = multiply_adds * multiply_add_seconds(dtype)
    if multiply_adds > SMALL_PRODUCT:
        return seconds * (1 + 1.6 / min(rows, columns)) + inner * (rows + columns) * dtype.itemsize / _PACKED
    return seconds * _UNPACKED * (1 + 0.9 / rows + 4 / columns) + 0.1e-6


def multiply_add_seconds(dtype: np.dtype[Any]) -> float:
    """Return the seconds of one multiply-add in a matrix product."""
    seconds = dtype.itemsize / 8 / _MULTIPLY_ADDS
    if dtype.kind == "c":
        return 2 * seconds
    return seconds if dtype.kind == "f" else 40 * seconds


def copy_seconds(elements: float, run: int, dtype: np.dtype[Any]) -> float:
    """Return the seconds that copying takes in runs of `run` elements."""
    return elements * dtype.itemsize / _BYTES + elements / run * _RUN
