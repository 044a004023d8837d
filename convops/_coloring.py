"""Colors of the columns of W such that no row reads one color twice.

The columns of one color can be told apart in one product with their sum. Columns that no row reads have
none, written -1.
"""

from collections.abc import Iterable
from math import gcd
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from convops._axis import Axis
from convops._pattern import Pattern, axis_pattern
from convops.assembly import Rows, index_arrays
from convops.boundary import Ints
from convops.geometry import ConvGeometry

_WORTH_A_LOOP = 2**14
"""Columns of an axis up to which the greedy passes are tried where a closed form is not known to be best."""


def geometry_colors(geometry: ConvGeometry) -> tuple[Ints, int]:
    """Return a color for each column of the W of a geometry, and how many there are.

    Columns that differ in the color of one axis, or in their channel within a group, may share a row; all
    others do not, as a row of W is a product of rows of its axes.

    Examples
    --------
    >>> colors, count = geometry_colors(ConvGeometry((2, 2), (3, 3)))
    >>> print(colors.reshape(3, 3), count)
    [[0 1 0]
     [2 3 2]
     [0 1 0]] 4
    """
    count = geometry.in_channels // geometry.groups
    colors: Ints = np.arange(geometry.in_channels) % count
    for axis in geometry.axes:
        along, of_axis = _axis_colors(axis)
        colors = np.where(
            (colors[:, None] < 0) | (along < 0), -1, np.add.outer(colors * of_axis, along)
        ).ravel()
        count *= of_axis
    return colors, count


def matrix_colors(pattern: csr_array) -> tuple[Ints, int]:
    """Return a color for each column of a sparse matrix, and how many there are.

    Column after column takes the first color that none of its rows has seen (Curtis, Powell and Reid,
    doi:10.1093/imamat/13.1.117); in their own order and, where that takes more colors than the longest row
    has entries, those with the most neighbors first as well (Coleman and Moré, doi:10.1137/0720013).

    Examples
    --------
    >>> matrix_colors(csr_array([[1, 1, 0, 0], [0, 1, 1, 0]]))
    (array([ 0,  1,  0, -1]), 2)
    """
    of_rows = np.diff(pattern.indptr)
    columns = pattern.tocsc()
    found = _first_fit(range(pattern.shape[1]), columns, pattern.shape[0])
    if found[1] > of_rows.max(initial=0):
        neighbors = csr_array(
            (np.ones(pattern.nnz), pattern.indices, pattern.indptr), shape=pattern.shape
        ).T @ (of_rows - 1.0)
        order = np.argsort(-neighbors, kind="stable").tolist()
        found = min(found, _first_fit(order, columns, pattern.shape[0]), key=lambda colored: colored[1])
    return found


def _axis_colors(axis: Axis) -> tuple[Ints, int]:
    """Return the fewest colors that are found: in closed form, else by the greedy passes."""
    pattern = axis_pattern(axis)
    longest = max(run.columns.size for run in pattern.runs)
    found: list[tuple[Ints, int]] = []
    for colors in (_of_intervals(axis), _of_cycles(axis)):
        if _tells_apart(colors, pattern):
            colors[~_read(pattern)] = -1
            used = np.unique(colors[colors >= 0])
            found.append((np.where(colors < 0, -1, np.searchsorted(used, colors)), used.size))
            if used.size == longest:
                break
    else:
        if not found or axis.size <= _WORTH_A_LOOP:
            found.append(_by_passes(axis, pattern))
    return min(found, key=lambda colored: colored[1])


def _by_passes(axis: Axis, pattern: Pattern) -> tuple[Ints, int]:
    line = ConvGeometry(
        axis.kernel,
        axis.size,
        stride=axis.stride,
        padding=[(axis.before, axis.after)],
        dilation=axis.dilation,
        boundary=axis.boundary,
    )
    indices, indptr = index_arrays(Rows(line, range(1), [pattern]))
    return matrix_colors(csr_array((np.ones(indices.size, bool), indices, indptr), shape=line.shape))


def _of_intervals(axis: Axis) -> Ints:
    """Return colors for rows that read every dilation-th sample, a kernel's length of them."""
    # Tap k of output p lies at stride * p + dilation * k from the first position of the padding.
    from_start = np.arange(axis.size) + axis.before
    return from_start // axis.dilation % axis.kernel


def _of_cycles(axis: Axis) -> Ints:
    """Return colors for the same rows on an axis that closes to a ring.

    Steps of the dilation part the ring in cycles, and each cycle is cut into arcs that are as long as the
    kernel or a little longer: a sample's color is its place in its arc.
    """
    cycles = gcd(axis.dilation, axis.size)
    length = axis.size // cycles
    arcs = max(length // axis.kernel, 1)
    step = np.arange(length)
    starts = -(-(step * arcs // length * length) // arcs)
    colors = np.empty(axis.size, np.int64)
    colors[(np.arange(cycles)[:, None] + axis.dilation % axis.size * step) % axis.size] = step - starts
    return colors


def _tells_apart(colors: Ints, pattern: Pattern) -> bool:
    """Tell whether each output at the border, and the first of the interior, reads no color twice."""
    return all(np.unique(colors[run.columns]).size == run.columns.size for run in pattern.runs)


def _read(pattern: Pattern) -> NDArray[np.bool_]:
    """Return which samples of an axis some output reads."""
    read = np.zeros(pattern.axis.size, bool)
    for run in pattern.runs:
        read[run.columns] = True
        for column in run.columns.tolist() if run.outputs > 1 else ():
            read[column : column + pattern.axis.stride * (run.outputs - 1) + 1 : pattern.axis.stride] = True
    return read


def _first_fit(order: Iterable[int], columns: Any, rows: int) -> tuple[Ints, int]:
    """Return colors, the first that fits each column in this order, and how many there are."""
    seen = [0] * rows
    colors = np.full(columns.shape[1], -1)
    starts = columns.indptr.tolist()
    most = 0
    for column in order:
        own = columns.indices[starts[column] : starts[column + 1]].tolist()
        if not own:
            continue
        taken = 0
        for row in own:
            taken |= seen[row]
        free = ~taken & (taken + 1)
        for row in own:
            seen[row] |= free
        colors[column] = free.bit_length() - 1
        most = max(most, free.bit_length())
    return colors, most


__all__ = ["geometry_colors", "matrix_colors"]
