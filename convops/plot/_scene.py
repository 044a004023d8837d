"""The picture of a geometry: the cells that are read, the outputs, and what joins them."""

from itertools import product
from math import prod
from typing import Any

from convops._arguments import integer, is_sequence, shown
from convops._arrays import Array
from convops.geometry import ConvGeometry
from convops.operators import Conv, ConvTranspose
from convops.plot._axes import flag, font_that_fits, ink, points_per_unit
from convops.plot._cells import draw_squares, write_in_cells
from convops.plot._strips import Strip, Window, cells_of, strip_of

MOST_CELLS = 2500
_BETWEEN = 2.2
"""Cells' widths between the two rows of one axis."""
_SMALL = 7
"""Points below which a cell is not drawn by itself."""

Place = tuple[int, ...]


def direction_of(geometry: Any, transposed: Any) -> tuple[ConvGeometry, bool]:
    """Return the geometry of `geometry`, a geometry or an operator, and whether it goes backwards."""
    if isinstance(geometry, Conv | ConvTranspose):
        backwards = isinstance(geometry, ConvTranspose)
        geometry = geometry.geometry
    elif isinstance(geometry, ConvGeometry):
        backwards = False
    else:
        raise TypeError(
            f"{shown('geometry', geometry)}: it must be a ConvGeometry, a Conv or a ConvTranspose; got "
            f"{type(geometry).__name__}. An operator of convops has one: A.geometry."
        )
    if transposed is not None:
        backwards = flag("transposed", transposed)
    if len(geometry.axes) > 2:
        raise ValueError(
            f"{shown('geometry', geometry)}: pictures show 1 or 2 spatial axes; it has {len(geometry.axes)}. "
            "Draw two of them: ConvGeometry(kernel[:2], spatial_shape[:2], ...)."
        )
    cells = prod(cells_of(axis, backwards) for axis in geometry.axes)
    outputs = prod(axis.size if backwards else axis.out_size for axis in geometry.axes)
    if max(cells, outputs) > MOST_CELLS:
        raise ValueError(
            f"{shown('geometry', geometry)}: its picture would have {cells} cells and {outputs} outputs, and "
            f"at most {MOST_CELLS} of each can be told apart. Draw a smaller input: the rule is the same."
        )
    return geometry, backwards


def places_of(outputs: Any, shape: Place, default: list[Place]) -> list[Place]:
    """Return `outputs` as a list of indices into an array of that shape; None stands for the default."""
    if outputs is None:
        return default
    items = outputs if is_sequence(outputs) else (outputs,)
    if len(shape) > 1 and len(items) == len(shape) and not any(map(is_sequence, items)):
        items = (items,)
    found = []
    for item in items:
        index = tuple(item) if is_sequence(item) else (item,)
        if len(index) != len(shape):
            raise ValueError(
                f"{shown('outputs', outputs)}: an output is an index of {len(shape)} number(s), without the "
                f"channel, into the shape {shape}; got {len(index)}: {index}."
            )
        place = tuple(
            integer("outputs", number, 0, typed=outputs, where=f"axis {axis}")
            for axis, number in enumerate(index)
        )
        for axis, (number, size) in enumerate(zip(place, shape, strict=True)):
            if number >= size:
                raise ValueError(
                    f"{shown('outputs', outputs)}: axis {axis} has {size} outputs, numbered from 0 to "
                    f"{size - 1}; got {number}."
                )
        found.append(place)
    return found


class Scene:
    """The axes of a picture, with all that stays; `highlight` adds what belongs to one output."""

    def __init__(self, ax: Any, geometry: ConvGeometry, transposed: bool) -> None:
        self.ax = ax
        self.strips: list[Strip] = [strip_of(axis, transposed) for axis in geometry.axes]
        self.flat = len(self.strips) == 1
        self.outputs: Place = tuple(len(strip.windows) for strip in self.strips)
        self.cells: Place = tuple(len(strip.entries) for strip in self.strips)
        self._left, self._gap = 0.0, 0.05
        spatial = geometry.output_shape[geometry.has_channels :], geometry.spatial_shape
        into, out = spatial if transposed else spatial[::-1]
        self._prepare(f"input {_by(into)}{self._notes()}", f"output {_by(out)}")

    def all_outputs(self) -> list[Place]:
        """Return the index of each output, in C order."""
        return list(product(*map(range, self.outputs)))

    def highlight(self, output: Place, colour: Array, fill: bool = True) -> list[Any]:
        """Show what one output reads, its cells filled or not, and return the artists that do."""
        from matplotlib.collections import LineCollection

        target = self._place_of_output(output)
        artists = [draw_squares(self.ax, [target], "output", self._gap, facecolor=colour, edgecolor="none")]
        read, links = [], []
        for windows in product(*[strip.windows[p] for strip, p in zip(self.strips, output, strict=True)]):
            read += [self._place_of_cell(cell) for cell in _cells(windows)]
            links += self._links(windows, target)
            artists += self._outline(windows, colour)
        if fill:
            shade = {"facecolor": (*colour, 0.5), "edgecolor": "none"}
            artists.append(draw_squares(self.ax, sorted({*read}), "read", self._gap, **shade))
        lines = LineCollection(links, colors=[colour], linewidths=1.1, alpha=0.8, gid="links", zorder=1.5)
        artists.append(self.ax.add_collection(lines, autolim=False))
        return artists

    def _prepare(self, into: str, out: str) -> None:
        """Draw what does not depend on an output: cells, texts, captions."""
        ax, color = self.ax, ink()
        height = self._lay_out()
        caption = 0.9 if self.flat else 0.09 * max(height, 8)
        ax.set_xlim(self._left - 0.25, self._width + 0.25)
        ax.set_ylim(height + (caption if self.flat else 0.25), -caption)
        ax.set(aspect="equal", xticks=[], yticks=[])
        ax.spines[:].set_visible(False)
        ax.patch.set_visible(False)
        everywhere = list(product(*[range(count) for count in self.cells]))
        held = [cell for cell in everywhere if self._holds_an_entry(cell)]
        empty = [cell for cell in everywhere if not self._holds_an_entry(cell)]
        width, tall = points_per_unit(ax)
        shade = {"facecolor": color, "edgecolor": "none", "alpha": 0.13}
        padding = {"facecolor": "none", "edgecolor": color, "alpha": 0.3, "linewidth": 0.7}
        padding["linestyle"] = (0, (2, 2))
        if min(width, tall) < _SMALL:
            # Gaps and edges of cells that small make stripes.
            self._gap = 0.0
            shade["antialiased"] = False
            padding = {**shade, "alpha": 0.05}
        draw_squares(ax, map(self._cell_at, empty), "padding", self._gap, **padding)
        draw_squares(ax, map(self._cell_at, held), "entries", self._gap, **shade)
        draw_squares(ax, map(self._place_of_output, self.all_outputs()), "outputs", self._gap, **shade)
        style = {"color": color, "fontsize": 9.5, "ha": "left"}
        if self.flat:
            ax.text(self._left, -0.25, into, va="bottom", **style)
            ax.text(self._left, height + 0.25, out, va="top", **style)
        else:
            ax.text(0, -0.2, into, va="bottom", **style)
            ax.text(self._output_corner[1], self._output_corner[0] - 0.2, out, va="bottom", **style)
        self._write_cells(everywhere, width, tall, color)

    def _lay_out(self) -> float:
        """Decide where the outputs are, and return the height of the picture."""
        if self.flat:
            (strip,), (count,) = self.strips, self.cells
            centres = [centre - strip.first for centre in strip.centres]
            self._left = min(0.0, *centres)
            self._width = max(float(count), *[centre + 1 for centre in centres])
            return 2 + _BETWEEN
        rows, columns = self.cells
        gap = max(2.0, 0.18 * (columns + self.outputs[1]))
        self._output_corner = max(rows - self.outputs[0], 0) / 2, columns + gap
        self._width = columns + gap + self.outputs[1]
        return float(max(rows, self.outputs[0]))

    def _place_of_output(self, output: Place) -> tuple[float, float]:
        if self.flat:
            return 1 + _BETWEEN, self.strips[0].centres[output[0]] - self.strips[0].first
        return output[0] + self._output_corner[0], output[1] + self._output_corner[1]

    def _cell_at(self, number: Place) -> tuple[float, float]:
        """Return where the cell of that number is drawn, counted from the first of each axis."""
        return (0.0, number[0]) if self.flat else (number[0], number[1])

    def _place_of_cell(self, cell: Place) -> tuple[float, float]:
        return self._cell_at(tuple(at - strip.first for at, strip in zip(cell, self.strips, strict=True)))

    def _holds_an_entry(self, number: Place) -> bool:
        return all(strip.entries[at] is not None for strip, at in zip(self.strips, number, strict=True))

    def _links(self, windows: tuple[Window, ...], target: tuple[float, float]) -> list[list[Any]]:
        """Return lines to the output: from each cell on one axis, from the corners of the window on two."""
        row, column = target
        if self.flat:
            cells = [self._place_of_cell(cell)[1] for cell in _cells(windows)]
            return [[(cell + 0.5, 1.0), (column + 0.5, row)] for cell in cells]
        top, _, bottom, right = self._frame(windows)
        return [[(right, top), (column, row)], [(right, bottom), (column, row + 1)]]

    def _outline(self, windows: tuple[Window, ...], colour: Array) -> list[Any]:
        from matplotlib.patches import Rectangle

        if self.flat:
            return []
        top, left, bottom, right = self._frame(windows)
        corner, width, height = (left, top), right - left, bottom - top
        frame = Rectangle(corner, width, height, fill=False, edgecolor=colour, linewidth=1.8, gid="window")
        return [self.ax.add_patch(frame)]

    def _frame(self, windows: tuple[Window, ...]) -> tuple[float, float, float, float]:
        cells = [self._place_of_cell(cell) for cell in _cells(windows)]
        rows, columns = zip(*cells, strict=True)
        return min(rows), min(columns), max(rows) + 1, max(columns) + 1

    def _write_cells(self, everywhere: list[Place], width: float, tall: float, color: str) -> None:
        """Write the number of the entry that a cell holds: on two axes beyond the border only."""
        texts = {}
        for number in everywhere:
            held = [strip.held[at] for strip, at in zip(self.strips, number, strict=True)]
            if (self.flat or not self._holds_an_entry(number)) and all(held):
                texts[self._cell_at(number)] = "±" if "±" in held else ",".join(held)
        longest = max(texts.values(), key=len, default="")
        size = font_that_fits(longest, width, tall, 9.0)
        if size and len(texts) <= 400:
            write_in_cells(self.ax, texts, size, color, alpha=0.8)

    def _notes(self) -> str:
        notes = [strip.note for strip in self.strips]
        if len({*notes}) == 1:
            return f", {notes[0]}" if notes[0] else ""
        return ", " + " and ".join(note or "none" for note in notes)


def _cells(windows: tuple[Window, ...]) -> list[Place]:
    return [tuple(cell for cell, _ in pairs) for pairs in product(*windows)]


def _by(shape: Place) -> str:
    return " × ".join(map(str, shape))
