"""The extension of one axis by its boundary condition, as a linear map E, and its adjoint fold.

``E`` has one row per extended position q, from ``-before`` to ``size + after - 1``. Its rows are rows
of zeros ("zeros"), unit rows ("wrap", "reflect", "symmetric", "edge"), or rows of up to three entries
("antireflect": ``2 * end - mirrored``). On every size and width E equals `numpy.pad`, whose mode names
these are; padding wider than the axis repeats or mirrors again.
"""

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convops._arrays import Array
from convops._axis import Axis, end_coefficients, folded, period

Ints = NDArray[np.int64]

_LONGEST = 2**12
"""Rows of E beyond the samples up to which they are remembered."""


class Entries(NamedTuple):
    """Entries of a sparse integer matrix; where a pair (row, sample) comes twice, the two add up."""

    row: Ints
    sample: Ints
    coefficient: Ints


def extension_entries(positions: Ints, size: int, boundary: str) -> Entries:
    """Return the rows of E at `positions`.

    Parameters
    ----------
    positions : ndarray of int64, shape (rows,)
        Positions q on the extended axis; those in ``range(size)`` are samples.
    size : int
        Number of samples.
    boundary : str
        Name of the boundary condition.

    Returns
    -------
    Entries
        ``row`` counts into `positions`.

    Examples
    --------
    >>> import numpy as np
    >>> extension_entries(np.array([-1, 0, 1]), 4, "antireflect")
    Entries(row=array([0, 1, 2, 0]), sample=array([1, 0, 1, 0]), coefficient=array([-1,  1,  1,  2]))
    """
    if boundary == "zeros":
        row = np.flatnonzero((positions >= 0) & (positions < size))
        return Entries(row, positions[row], np.ones_like(row))
    row = np.arange(positions.size)
    sample = folded(positions, size, boundary)
    if boundary != "antireflect":
        return Entries(row, sample, np.ones_like(row))
    mirrored, first, last = end_coefficients(positions, size)
    at_first, at_last = np.flatnonzero(first), np.flatnonzero(last)
    return Entries(
        np.concatenate([row, at_first, at_last]),
        np.concatenate([sample, np.zeros_like(at_first), np.full_like(at_last, size - 1)]),
        np.concatenate([mirrored, first[at_first], last[at_last]]),
    )


def extension_matrix(size: int, before: int, after: int, boundary: str) -> Ints:
    """Return E as a dense integer matrix of shape ``(before + size + after, size)``.

    Examples
    --------
    >>> extension_matrix(3, 1, 2, "reflect")
    array([[0, 1, 0],
           [1, 0, 0],
           [0, 1, 0],
           [0, 0, 1],
           [0, 1, 0],
           [1, 0, 0]])
    >>> extension_matrix(3, 1, 0, "antireflect")
    array([[ 2, -1,  0],
           [ 1,  0,  0],
           [ 0,  1,  0],
           [ 0,  0,  1]])
    """
    entries = extension_entries(np.arange(-before, size + after), size, boundary)
    matrix = np.zeros((before + size + after, size), dtype=np.int64)
    np.add.at(matrix, (entries.row, entries.sample), entries.coefficient)
    return matrix


def extend(x: Array, axes: tuple[Axis, ...]) -> Array:
    """Return E₁ ⊗ … ⊗ E_d applied to the last ``len(axes)`` axes of `x`.

    Examples
    --------
    >>> import numpy as np
    >>> extend(np.array([[1, 2, 3]]), (Axis(3, 1, 1, 1, 2, 1, "wrap"),))
    array([[2, 3, 1, 2, 3, 1]])
    """
    sizes = [axis.before + axis.size + axis.after for axis in axes]
    inside: list[Any] = [slice(axis.before, axis.before + axis.size) for axis in axes]
    first = x.ndim - len(axes)
    out = np.empty((*x.shape[:first], *sizes), dtype=x.dtype)
    out[(..., *inside)] = x
    for number, axis in enumerate(axes):
        if axis.before or axis.after:
            # The axes before this one are extended by now, those after it are not.
            begun: Any = (..., *[slice(None)] * (number + 1), *inside[number + 1 :])
            _write_border(out[begun], (slice(None),) * (first + number), axis)
    return out


def fold(y: Array, axes: tuple[Axis, ...]) -> Array:
    """Return the adjoint of `extend` applied to `y`: what lies beyond the border is added back to it.

    Examples
    --------
    >>> import numpy as np
    >>> fold(np.array([[10, 20, 1, 2, 3, 100]]), (Axis(3, 1, 1, 1, 2, 1, "wrap"),))
    array([[101,  12,  23]])
    """
    out = y
    for number, axis in enumerate(axes, start=y.ndim - len(axes)):
        if axis.before or axis.after:
            extended, along = out, (slice(None),) * number
            out = extended[(*along, slice(axis.before, axis.before + axis.size))]
            if np.may_share_memory(out, y):
                out = out.copy()
            _add_border(extended, out, along, axis)
    return out


def extension_gains(axis: Axis) -> tuple[int, int]:
    """Return bounds of the absolute sum of any row of E, and of any column.

    Examples
    --------
    >>> extension_gains(Axis(4, 3, 1, 1, 1, 2, "edge"))
    (1, 3)
    """
    if axis.boundary == "zeros" or not (axis.before or axis.after):
        return 1, 1
    padding = axis.before + axis.after
    if axis.boundary == "edge" or axis.size == 1:
        return 1, 1 + (padding if axis.size == 1 else max(axis.before, axis.after))
    cycle = period(axis.size, axis.boundary)
    rounds = (padding + axis.size) // cycle + 2
    if axis.boundary == "wrap":
        return 1, rounds
    if axis.boundary != "antireflect":
        return 1, 2 * rounds
    rise = 2 * (max(axis.before, axis.after) // cycle) + 4
    return 1 + 2 * rise, 2 * rounds + padding * rise


def _border_of(axis: Axis) -> tuple[Entries, bool]:
    """Return the rows of E beyond the samples, and whether no sample comes twice in them.

    ``row`` counts from the first extended position.
    """
    derive = _border if axis.before + axis.after <= _LONGEST else _border.__wrapped__
    return derive(axis.size, axis.before, axis.after, axis.boundary)


@lru_cache(64)
def _border(size: int, before: int, after: int, boundary: str) -> tuple[Entries, bool]:
    positions = np.concatenate([np.arange(-before, 0), np.arange(size, size + after)])
    entries = extension_entries(positions, size, boundary)
    apart = np.unique(entries.sample).size == entries.sample.size
    return entries._replace(row=positions[entries.row] + before), apart


def _write_border(extended: Array, along: tuple[Any, ...], axis: Axis) -> None:
    """Write the rows of E beyond the samples, which lie along the axis after the slices `along`."""
    (row, sample, coefficient), _ = _border_of(axis)
    end = axis.before + axis.size
    samples = extended[(*along, slice(axis.before, end))]
    if axis.boundary in ("zeros", "antireflect"):
        extended[(*along, slice(axis.before))] = extended[(*along, slice(end, None))] = 0
    if axis.boundary == "antireflect":
        np.add.at(extended, (*along, row), scaled(samples[(*along, sample)], coefficient, len(along)))
    elif row.size:
        extended[(*along, row)] = samples[(*along, sample)]


def _add_border(extended: Array, samples: Array, along: tuple[Any, ...], axis: Axis) -> None:
    """Add what lies beyond the samples to those that it comes from; see `_write_border`."""
    (row, sample, coefficient), apart = _border_of(axis)
    if not row.size:
        return
    found = extended[(*along, row)]
    if axis.boundary == "antireflect":
        found = scaled(found, coefficient, len(along))
    if apart:
        samples[(*along, sample)] += found
    else:
        np.add.at(samples, (*along, sample), found)


def scaled(rows: Array, coefficient: Ints, axis: int = 0) -> Array:
    """Return the rows along an axis, each times its coefficient, in their dtype."""
    after = [1] * (rows.ndim - axis - 1)
    scaled: Array = rows * coefficient.astype(rows.dtype).reshape(-1, *after)
    return scaled
