"""Random vectors that faults cannot hide from, and whose sums and products round as little as possible."""

from math import prod
from typing import Any

import numpy as np

from convops._arrays import Array

LARGEST_INTEGER = 256
"""Of the entries of integer probes."""
FEW = 64
"""With fewer entries than this, what a vector shows of a map can vanish by chance."""
_BITS = 11
_DIGITS_OF_HALF = {np.dtype(np.float32): 11, np.dtype(np.float64): 24}
"""What float16 and float32 keep."""
_AT_THE_BORDER = 2
SHORT = 8
"""An axis of fewer entries is taken for channels: it has no inside."""


def dense_probes(rng: np.random.Generator, count: int, size: int, dtype: np.dtype[Any]) -> list[Array]:
    """Return vectors of random sign; the size of each part is uniform in [1/2, 1], a multiple of 2⁻¹¹.

    No entry is small, so no entry of a map is muted; with so few bits, sums of two probes are exact. In
    short vectors the signs of two probes agree in half of the places, so that what cancels for one does
    not for the other.
    """
    if dtype.kind in "iu":
        raise TypeError("integers have probes of their own: integer_probes")
    signs = _signs(rng, count, size)
    probes = []
    for sign in signs:
        probe = np.empty(size, dtype)
        probe.real = sign * _sizes(rng, size)
        if dtype.kind == "c":
            probe.imag = rng.choice([-1.0, 1.0], size) * _sizes(rng, size)
        probes.append(probe)
    return probes


def integer_probes(rng: np.random.Generator, count: int, size: int, largest: int) -> list[Array]:
    """Return int64 vectors with entries ±1 … ±`largest`."""
    return [rng.integers(1, largest + 1, size) * rng.choice(np.array([-1, 1]), size) for _ in range(count)]


def faint(rng: np.random.Generator, size: int, dtype: np.dtype[Any]) -> Array:
    """Return a dense probe so small that it is lost when added to another in half as many digits.

    The sum is exact in `dtype` itself.
    """
    (probe,) = dense_probes(rng, 1, size, dtype)
    digits = _DIGITS_OF_HALF[np.finfo(dtype).dtype]
    scaled: Array = probe * probe.dtype.type(2.0 ** -(digits + 1))
    return scaled


def strata(shape: tuple[int, ...], rng: np.random.Generator) -> list[Array]:
    """Return masks of vectors of this shape: the border, the corners, and one phase of one channel.

    Empty where no axis is long enough to have an inside. A fault there stands out against the rounding
    of these few entries, where it could drown in that of all.
    """
    inside_axes = [axis for axis, size in enumerate(shape) if size >= SHORT]
    if not inside_axes or prod(shape) < FEW:
        return []
    ends, phases = [], []
    for axis, size in enumerate(shape):
        place = np.arange(size).reshape([-1 if other == axis else 1 for other in range(len(shape))])
        if axis in inside_axes:
            ends.append(np.minimum(place, size - 1 - place) < _AT_THE_BORDER)
            phases.append(place % 2 == rng.integers(2))
        else:
            phases.append(place == rng.integers(size))
    border, corner, phase = (np.zeros(shape, bool), np.ones(shape, bool), np.ones(shape, bool))
    for end in ends:
        border |= end
        corner &= end
    for one in phases:
        phase &= one
    masks = [border, phase] if len(ends) == 1 else [border, corner, phase]
    return [mask.reshape(-1) for mask in masks]


def _sizes(rng: np.random.Generator, size: int) -> Array:
    sizes: Array = rng.integers(2 ** (_BITS - 1), 2**_BITS + 1, size) / 2**_BITS
    return sizes


def _signs(rng: np.random.Generator, count: int, size: int) -> list[Array]:
    if size >= FEW:
        return [rng.choice([-1.0, 1.0], size) for _ in range(count)]
    common = rng.choice([-1.0, 1.0], size)
    column = rng.permutation(size)
    rows = rng.permutation(max(count, 1 << max(size - 1, 0).bit_length()))[:count]
    # Rows of a Hadamard matrix: entry (r, c) is -1 to the number of bits that r and c share.
    return [common * np.where(np.bitwise_count(np.bitwise_and(row, column)) % 2, -1.0, 1.0) for row in rows]
