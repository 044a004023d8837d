"""Cells in a plane: unit squares at (row, column), and the texts in them."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from convops._arrays import Array


def squares(places: Iterable[Sequence[float]], gap: float = 0.0) -> Array:
    """Return the corners ``(cells, 4, 2)``, as (x, y), of unit squares whose upper left is (row, column)."""
    upper_left = np.array([*places], float).reshape(-1, 2)[:, None, ::-1]
    corners = np.array([[gap, gap], [1 - gap, gap], [1 - gap, 1 - gap], [gap, 1 - gap]])
    found: Array = upper_left + corners
    return found


def draw_squares(ax: Any, places: Iterable[Sequence[float]], gid: str, gap: float = 0.0, **style: Any) -> Any:
    """Draw unit squares as one collection, found again by its gid."""
    from matplotlib.collections import PolyCollection

    corners: Any = squares(places, gap)
    collection = PolyCollection(corners, gid=gid, **style)
    # Limits are set by who knows the whole picture.
    return ax.add_collection(collection, autolim=False)


def write_in_cells(ax: Any, texts: Mapping[Any, str], size: float, color: Any, **style: Any) -> list[Any]:
    """Write each text into the middle of the cell at (row, column)."""
    return [
        ax.text(
            column + 0.5,
            row + 0.5,
            text,
            ha="center",
            va="center_baseline",
            fontsize=size,
            color=color,
            **style,
        )
        for (row, column), text in texts.items()
        if text
    ]
