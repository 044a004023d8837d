"""How numbers and places are written in a report."""

from typing import Any

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


def call_of(op: Any, adjoint: Any, input_shape: Any, output_shape: Any, dtype: Any) -> str:
    """Return the arguments of a call as a user would type them; functions go by their names."""
    typed = [_callable_name(op, "op")]
    if adjoint is not None:
        typed.append(_callable_name(adjoint, "adjoint"))
    typed += [
        f"{name}={value!r}"
        for name, value in (("input_shape", input_shape), ("output_shape", output_shape))
        if value is not None
    ]
    if isinstance(dtype, tuple):
        typed.append(f"dtype={tuple(str(np.dtype(item)) for item in dtype)}")
    elif dtype is not None:
        typed.append(f"dtype={str(np.dtype(dtype))!r}")
    return ", ".join(typed)


def _callable_name(value: Any, otherwise: str) -> str:
    """Return the name of a function; an operator, and a function without a name, has that of the argument."""
    name = getattr(value, "__name__", "")
    return name if isinstance(name, str) and name.isidentifier() else otherwise
