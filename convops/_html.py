"""What a notebook shows of a geometry and of an operator: HTML and SVG, as plain text."""

from collections.abc import Iterable, Iterator
from html import escape
from itertools import product
from math import prod
from typing import Any

from convops._axis import Axis, end_coefficients, folded

_MOST_ROWS = 96
_MOST_READS = 4096
_MOST_AXES = 8
_QUICK = 2**12
"""Reads at borders that are counted one by one while somebody waits."""
_SIDE = 240
"""Pixels of the longer side of a picture."""

Entry = tuple[int, int, int, int]
"""Output, sample, tap and entry of the weight, each as a number in C order."""


def html_of_geometry(geometry: Any) -> str:
    """Return a `ConvGeometry` as HTML."""
    title = f"ConvGeometry: input_shape {geometry.input_shape} -> output_shape {geometry.output_shape}"
    cells = [(row, column, tap) for row, column, tap, _ in reads_of(geometry) or ()]
    picture = pattern(geometry.shape, cells, prod(geometry.kernel_size), "W, coloured by tap")
    return report(title, facts_of(geometry), geometry.axes, picture)


def facts_of(geometry: Any) -> list[tuple[str, str]]:
    """Return weight_shape, channels and the size of W by their names; nnz is counted if that is quick."""
    counted = sum(axis.outputs_counted * axis.kernel for axis in geometry.axes)
    nnz = f"nnz = {geometry.nnz}" if counted <= _QUICK else f"nnz at most {geometry.most_entries}"
    plural = "" if geometry.groups == 1 else "s"
    channels = f"{geometry.in_channels} in, {geometry.out_channels} out, {geometry.groups} group{plural}"
    return [
        ("weight_shape", str(geometry.weight_shape)),
        ("channels", channels),
        ("W", f"shape {geometry.shape}, {nnz}"),
    ]


def report(title: str, facts: Iterable[tuple[str, str]], axes: tuple[Axis, ...], picture: str) -> str:
    """Return a title, facts by their names, the arithmetic of each axis and a picture as one block of HTML.

    Nothing has a colour of its own but the cells of the picture, so that it suits light pages and dark ones.
    """
    lines = [
        f"<tr><th {_LEFT}>{escape(name)}</th><td {_LEFT}>{escape(text)}</td></tr>" for name, text in facts
    ]
    heads = ("axis", "size", "kernel", "stride", "padding", "dilation", "boundary", "effective", "out_size")
    rows = [_row(heads, "th")]
    rows += [_row(_arithmetic(number, axis), "td") for number, axis in enumerate(axes[:_MOST_AXES])]
    if len(axes) > _MOST_AXES:
        rows.append(_row((f"and {len(axes) - _MOST_AXES} more",), "td"))
    return (
        f'<div style="color: inherit"><p><code>{escape(title)}</code></p>'
        f"<table>{''.join(lines)}</table><table>{''.join(rows)}</table>{picture}</div>"
    )


def reads_of(geometry: Any, items: int = 1) -> list[Entry] | None:
    """Return every read of a sample by an output, or None if they are too many for a small picture."""
    axes, out_channels = geometry.axes, geometry.out_channels
    per_group = geometry.in_channels // geometry.groups
    sizes = [axis.out_size for axis in axes]
    outputs = out_channels * prod(sizes)
    if items * outputs * per_group * prod(axis.kernel for axis in axes) > _MOST_READS:
        return None
    along = [[list(_reads_of_axis(axis, p)) for p in range(axis.out_size)] for axis in axes]
    places = list(product(*map(range, sizes)))
    spatial, taps = prod(axis.size for axis in axes), prod(axis.kernel for axis in axes)
    found = []
    for item, out_channel, (number, place) in product(range(items), range(out_channels), enumerate(places)):
        row = item * outputs + out_channel * len(places) + number
        first = out_channel // (out_channels // geometry.groups) * per_group
        for pairs in product(*[reads[p] for reads, p in zip(along, place, strict=True)]):
            sample = tap = 0
            for axis, (at, with_tap) in zip(axes, pairs, strict=True):
                sample, tap = sample * axis.size + at, tap * axis.kernel + with_tap
            for channel in range(per_group):
                weight = (out_channel * per_group + channel) * taps + tap
                found.append((row, (first + channel) * spatial + sample, tap, weight))
    return found


def pattern(shape: tuple[int, int], cells: list[tuple[int, int, int]], taps: int, title: str) -> str:
    """Return an SVG of the (row, column, tap) of a matrix, grey where taps meet; no text if it is large.

    Examples
    --------
    >>> pattern((1, 2), [(0, 0, 0)], 1, "W").partition("<path")[2]
    ' fill="hsl(260,48%,60%)" d="M0 0h1v1h-1z"/></svg>'
    """
    rows, columns = shape
    if not cells or max(shape) > _MOST_ROWS:
        return ""
    tap_of: dict[tuple[int, int], int] = {}
    for row, column, tap in cells:
        tap_of[row, column] = tap if tap_of.get((row, column), tap) == tap else -1
    by_tap: dict[int, list[str]] = {}
    for (row, column), tap in tap_of.items():
        by_tap.setdefault(tap, []).append(f"M{column} {row}h1v1h-1z")
    paths = [f'<path fill="{_colour(tap, taps)}" d="{"".join(by_tap[tap])}"/>' for tap in sorted(by_tap)]
    scale = min(_SIDE / max(shape), 16)
    return (
        f'<svg role="img" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {columns} {rows}" '
        f'width="{scale * columns:.0f}" height="{scale * rows:.0f}" style="outline: 1px solid; margin: 4px" '
        f'shape-rendering="crispEdges"><title>{escape(title)}</title>{"".join(paths)}</svg>'
    )


def _reads_of_axis(axis: Axis, p: int) -> Iterator[tuple[int, int]]:
    """Yield (sample, tap) for what an output of one axis reads."""
    for tap in range(axis.kernel):
        q = axis.first_position(p) + axis.dilation * tap
        if axis.boundary == "zeros":
            if 0 <= q < axis.size:
                yield q, tap
            continue
        yield folded(q, axis.size, axis.boundary), tap
        if axis.boundary == "antireflect":
            _, first, last = end_coefficients(q, axis.size)
            if first:
                yield 0, tap
            if last:
                yield axis.size - 1, tap


def _arithmetic(number: int, axis: Axis) -> tuple[str, ...]:
    n, k, s, d, before, after, boundary = axis
    effective = str(k) if d == 1 else f"{d} · ({k} − 1) + 1 = {axis.effective}"
    out_size = f"({n} + {before} + {after} − {axis.effective}) // {s} + 1 = {axis.out_size}"
    plain = (number, n, k, s, f"({before}, {after})", d, boundary, effective, out_size)
    return tuple(map(str, plain))


def _row(texts: tuple[str, ...], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag} {_LEFT}>{escape(text)}</{tag}>' for text in texts)}</tr>"


def _colour(tap: int, taps: int) -> str:
    """Return a colour that is seen on white and on black; -1 stands for several taps."""
    if tap < 0:
        return "hsl(0,0%,55%)"
    return f"hsl({260 - 225 * tap // max(taps - 1, 1)},48%,60%)"


_LEFT = 'style="text-align: left"'
