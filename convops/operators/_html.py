"""What a notebook shows of an operator."""

from math import prod
from typing import Any

from convops._html import facts_of, pattern, reads_of, report
from convops.geometry import ConvGeometry


def html_of_convolution(A: Any, transposed: bool) -> str:
    """Return a `Conv` or a `ConvTranspose` as HTML."""
    geometry: ConvGeometry = A.geometry
    found = reads_of(geometry)
    taps = prod(geometry.kernel_size)
    last = taps - 1
    cells = [(row, column, last - tap if A.flip else tap) for row, column, tap, _ in found or ()]
    if (layout := A._map.layout) is not None:
        shapes = geometry.output_shape, geometry.input_shape
        cells = [
            (layout.renumbered(row, shapes[0]), layout.renumbered(column, shapes[1]), tap)
            for row, column, tap in cells
        ]
    if transposed:
        cells = [(column, row, tap) for row, column, tap in cells]
    picture = pattern(A.shape, cells, taps, "the matrix, coloured by tap")
    facts = [*_of_any(A), *facts_of(geometry)]
    if transposed:
        facts.append(("below", "the sizes of the convolution that it transposes"))
    return report(repr(A), facts, geometry.axes, picture)


def html_of_kernel_operator(K: Any, transposed: bool) -> str:
    """Return a `KernelOperator` or its transpose as HTML."""
    geometry: ConvGeometry = K.geometry
    items = K.shape[transposed] // geometry.shape[0]
    layout = K._map.layout
    found = reads_of(geometry, items)
    taps = prod(geometry.kernel_size)
    cells = []
    for row, _, tap, weight in found or ():
        tap_of_weight, column = (taps - 1 - tap, weight - 2 * tap + taps - 1) if K.flip else (tap, weight)
        if layout is not None:
            item, place = divmod(row, geometry.shape[0])
            row = item * geometry.shape[0] + layout.renumbered(place, geometry.output_shape)
        cells.append((column, row, tap_of_weight) if transposed else (row, column, tap_of_weight))
    picture = pattern(K.shape, cells, taps, "the matrix, coloured by tap")
    return report(repr(K), [*_of_any(K), *facts_of(geometry)], geometry.axes, picture)


def _of_any(A: Any) -> list[tuple[str, str]]:
    facts = [("dtype", f"{A.dtype}{', flipped' if A.flip else ''}")]
    if (layout := A._map.layout) is not None:
        whose = "one kernel for all of them" if layout.shared else "first in the sizes below"
        facts.append(("channels", f"on axis {layout.axis}; {whose}"))
    return facts
