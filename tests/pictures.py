"""What tests of pictures ask of a figure."""

import re
from itertools import combinations
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]


def visible_texts(figure: Any) -> list[Any]:
    """Every text that is drawn: of the figure, its axes, their ticks and their legends."""
    from matplotlib.text import Text

    figure.canvas.draw()
    hidden = _hidden_texts(figure)
    texts = [text for text in figure.findobj(Text) if text.get_visible() and text.get_text().strip()]
    return [text for text in texts if id(text) not in hidden]


def clashes(figure: Any, texts: list[Any]) -> list[tuple[str, ...]]:
    """Pairs of texts whose boxes share more than their edges, and texts that reach beyond the figure."""
    boxes = [(text.get_text(), text.get_window_extent().padded(-1)) for text in texts]
    whole = figure.bbox
    found: list[tuple[str, ...]] = [
        (one, other)
        for (one, a), (other, b) in combinations(boxes, 2)
        if min(a.x1, b.x1) > max(a.x0, b.x0) and min(a.y1, b.y1) > max(a.y0, b.y0)
    ]
    return found + [
        (text,)
        for text, box in boxes
        if box.x0 < whole.x0 or box.x1 > whole.x1 or box.y0 < whole.y0 or box.y1 > whole.y1
    ]


def contrast(one: Any, other: Any) -> float:
    """The contrast ratio of two colours, from 1 to 21 (WCAG 2.1, 1.4.3)."""
    from matplotlib.colors import to_rgb

    luminances = []
    for colour in (one, other):
        rgb = np.array(to_rgb(colour))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        luminances.append(float(linear @ [0.2126, 0.7152, 0.0722]))
    low, high = sorted(luminances)
    return (high + 0.05) / (low + 0.05)


def squares_of(ax: Any, gid: str) -> set[tuple[float, float]]:
    """The upper left corners (row, column) of the cells that are drawn under a gid, to a quarter."""
    corners = set()
    for collection in ax.collections:
        if collection.get_gid() == gid:
            for path in collection.get_paths():
                column, row = np.round(path.vertices.min(axis=0) * 4) / 4
                corners.add((float(row), float(column)))
    return corners


def _hidden_texts(figure: Any) -> set[int]:
    """Texts of ticks beyond the limits of their axis, or of axes that are switched off."""
    hidden = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            for tick in [*axis.majorTicks, *axis.minorTicks]:
                if not (axes.axison and low <= tick.get_loc() <= high):
                    hidden |= {id(tick.label1), id(tick.label2)}
    return hidden


def cells_of(html: str) -> dict[tuple[int, int], str]:
    """The colour of each cell (row, column) of the picture."""
    cells = {}
    for fill, path in re.findall(r'<path fill="([^"]+)" d="([^"]+)"', html):
        for column, row in re.findall(r"M(\d+) (\d+)h1v1h-1z", path):
            assert (int(row), int(column)) not in cells
            cells[int(row), int(column)] = fill
    return cells
