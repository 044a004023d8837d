"""One axis of the picture of a geometry: its cells, and which of them each output looks at.

For a convolution the cells are the positions q of the extended input, and output p looks at
``q = stride * p + dilation * k - before``. Its transpose looks at the same pairs from the other side: its
input p is spread to the cells ``u = stride * p``, and position q looks at ``u = q + before - dilation * k``.
What the boundary makes of positions beyond the samples comes back to the samples, which look there too.
"""

from typing import NamedTuple

import numpy as np

from convops._axis import Axis
from convops.boundary import extension_entries

Window = tuple[tuple[int, int], ...]
"""Cells and taps, one pair for each tap."""


class Strip(NamedTuple):
    """One axis of the cells that are read, and of the outputs that read them."""

    first: int
    """Position of the first cell."""
    entries: tuple[int | None, ...]
    """Of each cell, the entry of the input that it holds; None if it holds none."""
    held: tuple[str, ...]
    """Of each cell, what it holds, in words."""
    windows: tuple[tuple[Window, ...], ...]
    """Of each output, what it looks at: one window, or several that the boundary adds up."""
    centres: tuple[float, ...]
    """Of each output, the middle of its first window."""
    note: str
    """What was done to the input."""


def cells_of(axis: Axis, transposed: bool) -> int:
    """Return how many cells a strip has, or for a transpose a bound of that."""
    if not transposed:
        return axis.before + axis.size + axis.after
    return axis.stride * axis.out_size + 2 * axis.effective


def strip_of(axis: Axis, transposed: bool) -> Strip:
    """Return the strip of an axis, for its convolution or for the transpose of it.

    Examples
    --------
    >>> strip_of(Axis(2, 3, 1, 1, 1, 1, "zeros"), False).entries
    (None, 0, 1, None)
    >>> strip_of(Axis(5, 3, 2, 1, 1, 1, "zeros"), True).entries
    (None, 0, None, 1, None, 2, None)
    """
    return _of_transpose(axis) if transposed else _of_convolution(axis)


def _of_convolution(axis: Axis) -> Strip:
    positions = range(-axis.before, axis.size + axis.after)
    windows: list[tuple[Window, ...]] = []
    for p in range(axis.out_size):
        first = axis.first_position(p)
        windows.append((tuple((first + axis.dilation * tap, tap) for tap in range(axis.kernel)),))
    entries = tuple(q if 0 <= q < axis.size else None for q in positions)
    note = _padding_in_words(axis)
    held = tuple(_extension_in_words(q, axis) for q in positions)
    return Strip(-axis.before, entries, held, tuple(windows), _centres(windows), note)


def _of_transpose(axis: Axis) -> Strip:
    extended = np.arange(-axis.before, axis.size + axis.after)
    found = extension_entries(extended, axis.size, axis.boundary)
    come_back: list[list[int]] = [[] for _ in range(axis.size)]
    for row, sample in zip(found.row.tolist(), found.sample.tolist(), strict=True):
        q = int(extended[row])
        if q not in come_back[sample]:
            come_back[sample].append(q)
    windows: list[tuple[Window, ...]] = []
    for sample in range(axis.size):
        # Its own position first, where it has one.
        places = sorted(come_back[sample], key=lambda q: (q != sample, q))
        windows.append(
            tuple(
                tuple((q + axis.before - axis.dilation * tap, tap) for tap in range(axis.kernel))
                for q in places
            )
        )
    looked_at = [cell for of_output in windows for window in of_output for cell, _ in window]
    low, high = min(0, *looked_at), max(axis.stride * (axis.out_size - 1), *looked_at)
    entries = tuple(
        cell // axis.stride if cell % axis.stride == 0 and 0 <= cell // axis.stride < axis.out_size else None
        for cell in range(low, high + 1)
    )
    held = tuple("" if entry is None else str(entry) for entry in entries)
    spread = [f"spread by stride {axis.stride}"] if axis.stride > 1 else []
    # Named only where it brings something back.
    back = [f'"{axis.boundary}" border'] if any(len(places) > 1 for places in come_back) else []
    note = ", ".join(spread + back)
    return Strip(low, entries, held, tuple(windows), _centres(windows), note)


def _centres(windows: list[tuple[Window, ...]]) -> tuple[float, ...]:
    return tuple((window[0][0][0] + window[0][-1][0]) / 2 for window in windows)


def _padding_in_words(axis: Axis) -> str:
    if not (axis.before or axis.after):
        return ""
    width = str(axis.before) if axis.before == axis.after else f"({axis.before}, {axis.after})"
    return f"padding {width}" + ("" if axis.boundary == "zeros" else f', "{axis.boundary}"')


def _extension_in_words(q: int, axis: Axis) -> str:
    """Return the sample at a position, or what the boundary puts there, with samples by their numbers."""
    found = extension_entries(np.array([q]), axis.size, axis.boundary)
    total: dict[int, int] = {}
    for sample, coefficient in zip(found.sample.tolist(), found.coefficient.tolist(), strict=True):
        total[sample] = total.get(sample, 0) + coefficient
    terms = [(sample, coefficient) for sample, coefficient in total.items() if coefficient]
    if not terms:
        return "" if axis.boundary == "zeros" else "0"
    return "±" if len(terms) > 1 or terms[0][1] != 1 else str(terms[0][0])
