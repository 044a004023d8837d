"""How numbers and places are written in a report."""

import numpy as np


def number(value: complex) -> str:
    """Return a number with the digits that a reader wants: all of an integer, a few of a float."""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, complex):
        return f"{value:.6g}"
    return f"{value:.6g}" if 1e-2 <= abs(value) < 1e6 else f"{value:.3g}"


def index_of(place: int, shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the index, one number per axis, of an entry of a vector in C order."""
    return tuple(int(i) for i in np.unravel_index(place, shape))


def named_entry(place: int, shape: tuple[int, ...]) -> str:
    """Return an entry as a user would index it: 3, or (1, 2)."""
    index = index_of(place, shape)
    return str(index[0]) if len(index) == 1 else str(index)
