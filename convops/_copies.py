"""One short row written again and again, at the speed at which memory takes it."""

from math import gcd

import numpy as np

from convops._arrays import Array

_AT_ONCE = 2**16
"""Bytes of rows that are written at once: they stay in the second cache, and fewer begin anew."""
_ALIGNMENT = 32
"""Long copies are some 1.5 times as fast from an address that is equal to theirs modulo so many bytes."""
_WORTH_ALIGNING = 2**20
_MOST_VIEWS = 16


def write_copies(rows: Array, target: Array) -> None:
    """Write row i of `rows` into `target[i]`, over and over along its last axis, on every axis between.

    The last axis of `target` is contiguous, and so many times as long as a row.

    Examples
    --------
    >>> import numpy as np
    >>> target = np.zeros((2, 6), int)
    >>> write_copies(np.array([[1, 2, 3], [7, 8, 9]]), target)
    >>> print(target)
    [[1 2 3 1 2 3]
     [7 8 9 7 8 9]]
    """
    count, size = rows.shape
    between = [1] * (target.ndim - 2)
    times = target.shape[-1] // size
    if times == 1:
        target[...] = rows.reshape(count, *between, size)
        return
    at_once = _rows_at_once(size * rows.itemsize, times)
    tile = np.tile(rows, at_once).reshape(count, *between, 1, at_once * size)
    whole = times // at_once * at_once * size
    bulk = target[..., :whole].reshape(*target.shape[:-1], -1, at_once * size)
    if bulk.nbytes < _WORTH_ALIGNING:
        bulk[...] = tile
    else:
        for filters, *others in _by_alignment(bulk):
            view = bulk[(filters, *others)]
            view[...] = _like(tile[filters], view)
    if whole < target.shape[-1]:
        rest = target[..., whole:]
        rest[...] = tile[..., 0, : rest.shape[-1]]


def _rows_at_once(width: int, times: int) -> int:
    """Return how many rows of so many bytes to write at once, such that alignment is kept."""
    step = _ALIGNMENT // gcd(width, _ALIGNMENT)
    return max(min(_AT_ONCE // (width * step) * step, times), 1)


def _by_alignment(target: Array) -> list[tuple[slice, ...]]:
    """Part an array along its axes but the last into views whose rows all begin at one alignment."""
    parts: list[tuple[slice, ...]] = [()]
    for size, step in zip(target.shape[:-1], target.strides[:-1], strict=True):
        period = _ALIGNMENT // gcd(step, _ALIGNMENT)
        if period > min(size, _MOST_VIEWS // len(parts)):
            period = 1
        parts = [(*part, slice(first, None, period)) for part in parts for first in range(period)]
    return parts


def _like(tile: Array, view: Array) -> Array:
    """Return a copy of `tile` in memory that is aligned as that of `view` is."""
    room = np.empty(tile.nbytes + _ALIGNMENT, np.uint8)
    start = (view.ctypes.data - room.ctypes.data) % _ALIGNMENT
    copy = room[start : start + tile.nbytes].view(tile.dtype).reshape(tile.shape)
    copy[...] = tile
    return copy
