"""Arrays that lie one after another in a longer vector."""

from itertools import accumulate, pairwise
from math import prod
from typing import Any

import numpy as np

from convops._arguments import is_sequence, shown
from convops._arrays import Array, dense
from convops.operators._messages import Shape


def whole_shape(shapes: tuple[Shape, ...]) -> Shape:
    """Return the shape of arrays side by side: a new first axis where all are alike, else a vector."""
    if len(set(shapes)) == 1:
        return (len(shapes), *shapes[0])
    return (sum(map(prod, shapes)),)


def split_array(name: str, x: Any, whole: Shape, shapes: tuple[Shape, ...]) -> list[Array]:
    """Return copies of the arrays one after another in x, of shape (*batch, *whole) or (..., size)."""
    x = dense(name, x)
    size, axes = prod(whole), len(whole)
    if x.ndim >= axes and x.shape[x.ndim - axes :] == whole:
        batch = x.shape[: x.ndim - axes]
    elif x.ndim and x.shape[-1] == size:
        batch = x.shape[:-1]
    else:
        raise ValueError(
            f"{name} has shape {x.shape}: its last axes must be {whole}, or one axis of {size}, after any "
            "batch axes."
        )
    vectors = x.reshape(*batch, size)
    ends = [0, *accumulate(map(prod, shapes))]
    return [
        vectors[..., start:stop].reshape(batch + shape).copy()
        for (start, stop), shape in zip(pairwise(ends), shapes, strict=True)
    ]


def join_arrays(arrays: Any, whole: Shape, shapes: tuple[Shape, ...]) -> Array:
    """Return the array of shape (*batch, *whole) that `split_array` parts into these; a number fills one."""
    if not is_sequence(arrays) or len(arrays) != len(shapes):
        raise ValueError(
            f"{shown('arrays', arrays)}: one array for each of the {len(shapes)} operators is needed, in a "
            f"list; got {len(arrays) if is_sequence(arrays) else type(arrays).__name__}."
        )
    given = [dense(f"arrays[{number}]", array) for number, array in enumerate(arrays)]
    # A number says nothing of the batch, nor, if it is Python's, of the precision.
    batches = {
        _batch_of(array.shape, shape) for array, shape in zip(given, shapes, strict=True) if array.ndim
    }
    if None in batches or len(batches) > 1:
        raise ValueError(
            f"arrays of shapes {[array.shape for array in given]}: after the same batch axes they must have "
            f"the shapes {list(shapes)}; a number stands for an array full of it."
        )
    batch = next(iter(batches), None) or ()
    dtype = np.result_type(
        *(array if array.ndim else number for array, number in zip(given, arrays, strict=True))
    )
    rows = [
        np.broadcast_to(array, batch + shape).reshape(*batch, prod(shape))
        for array, shape in zip(given, shapes, strict=True)
    ]
    return np.concatenate(rows, axis=-1, dtype=dtype, casting="unsafe").reshape(batch + whole)


def _batch_of(found: Shape, wanted: Shape) -> Shape | None:
    """Return the batch axes of an array, or None if its last axes are not those wanted."""
    split = len(found) - len(wanted)
    return found[:split] if split >= 0 and found[split:] == wanted else None
