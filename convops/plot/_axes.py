"""Where a picture is drawn: in the axes of the caller, or in a new figure of pyplot's."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from convops._arguments import is_sequence, shown


def axes_for(function: str, ax: Any, size: tuple[float, float]) -> Any:
    """Return `ax`, checked, or the axes of a new figure of that size in inches.

    Raises
    ------
    ImportError
        If matplotlib is missing.
    TypeError
        If `ax` is no Axes.
    """
    need_matplotlib(function)
    if ax is None:
        from matplotlib import pyplot

        return pyplot.subplots(figsize=size, layout="constrained")[1]
    return _checked("ax", ax)


def checked_axes(axes: Any, count: int) -> list[Any]:
    """Return `axes` in a list, refused if they are not `count` of matplotlib's Axes."""
    given: Sequence[Any] = list(np.ravel(axes)) if is_sequence(axes) else [axes]
    if len(given) != count:
        raise ValueError(
            f"{shown('axes', axes)}: the picture has {count} panels, each in Axes of its own; got "
            f"{len(given)}. matplotlib makes them: pyplot.subplots(1, {count})."
        )
    return [_checked("axes", ax) for ax in given]


def _checked(name: str, ax: Any) -> Any:
    from matplotlib.axes import Axes

    if not isinstance(ax, Axes):
        raise TypeError(
            f"{shown(name, ax)}: it must be Axes of matplotlib, as pyplot.subplots() makes them; got "
            f"{type(ax).__name__}. Leave {name} out for a new figure."
        )
    return ax


def flag(name: str, value: Any) -> bool:
    """Return `value` if it is True or False."""
    if not isinstance(value, bool | np.bool_):
        raise TypeError(f"{shown(name, value)}: it must be True or False; got {type(value).__name__}.")
    return bool(value)


def need_matplotlib(function: str) -> None:
    """Raise ImportError, with the extra to install, if matplotlib is missing."""
    try:
        import matplotlib.figure  # noqa: F401
    except ImportError as error:
        raise ImportError(
            f"{function} needs matplotlib, which is not here ({error}): pip install 'convops[plot]'"
        ) from error


def ink() -> str:
    """Return the colour of text in the style that is in force."""
    import matplotlib

    colour: str = matplotlib.rcParams["text.color"]
    return colour


def points_per_unit(ax: Any) -> tuple[float, float]:
    """Return how many points, 1/72 inch, a unit of each axis of `ax` takes, as it is laid out now."""
    ax.apply_aspect()
    box = ax.get_window_extent()
    (left, right), (low, high) = ax.get_xlim(), ax.get_ylim()
    points = 72 / ax.figure.dpi
    return float(abs(box.width / (right - left)) * points), float(abs(box.height / (high - low)) * points)


def font_that_fits(longest: str, width: float, height: float, largest: float = 11.0) -> float:
    """Return the size, in points, of a text in a cell of so many points; 0 if it could not be read."""
    widest = 0.9 * width / (0.68 * max(len(longest), 1))
    size = min(largest, widest, 0.62 * height)
    return size if size >= 4 else 0.0
