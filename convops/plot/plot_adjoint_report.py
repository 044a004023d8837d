"""Where the entries sit that an adjoint check found wrong: `plot_adjoint_report`."""

from math import prod
from typing import Any

import numpy as np

from convops._arguments import shown
from convops.adjoint import AdjointReport
from convops.adjoint.witnesses import Witness
from convops.plot._axes import checked_axes, ink, need_matplotlib
from convops.plot._colours import ramp

_LISTED = 4
_MOST_LINES = 40


def plot_adjoint_report(report: Any, axes: Any = None) -> Any:
    """Draw where the witnesses of a report sit: the entries in which the two maps differ.

    Each witness is a mark on the output array, one on the input array, and a line between them. An array of
    more than two axes is drawn as its last axis against all others, one below the other. A new figure has
    the verdict above, and the first witnesses below.

    Parameters
    ----------
    report : AdjointReport
        Of `check_adjoint`.
    axes : sequence of two matplotlib.axes.Axes, optional
        Where to draw, output first. Default: in a new figure.

    Returns
    -------
    ndarray of matplotlib.axes.Axes, shape ``(2,)``
        The output and the input. They say so if the check passed, or has no witnesses.

    Raises
    ------
    TypeError
        If `report` is something else.
    ValueError
        If `axes` are not two.
    ImportError
        If matplotlib is missing.

    Examples
    --------
    >>> from convops import Conv, check_adjoint
    >>> from convops.plot import plot_adjoint_report
    >>> panels = plot_adjoint_report(check_adjoint(Conv([[1, 2], [3, 4]], (3, 3))))
    >>> [panel.get_title() for panel in panels]
    ['output (2, 2)', 'input (3, 3)']
    """
    if not isinstance(report, AdjointReport):
        raise TypeError(
            f"{shown('report', report)}: it must be an AdjointReport, as check_adjoint returns it; got "
            f"{type(report).__name__}."
        )
    need_matplotlib("plot_adjoint_report")
    indices = [[witness.output_index for witness in report.witnesses]]
    indices += [[witness.input_index for witness in report.witnesses]]
    shapes = [
        shape or _extent(of_side)
        for shape, of_side in zip((report.output_shape, report.input_shape), indices, strict=True)
    ]
    flat = max(map(len, shapes)) == 1
    left, right = _new_panels(flat) if axes is None else checked_axes(axes, 2)
    for ax, name, shape in ((left, "output", shapes[0]), (right, "input", shapes[1])):
        _draw_array(ax, shape, cells=bool(report.witnesses))
        ax.set_title(f"{name} {shape}")
    if not flat:
        # On its left the lines arrive.
        right.yaxis.tick_right()
    if report.witnesses:
        _draw_witnesses(left, right, report.witnesses, shapes, listed=axes is None)
    verdict = _verdict(report)
    if axes is None:
        left.figure.suptitle(verdict, fontsize="medium")
    if not report.witnesses:
        for ax in (left, right):
            style = {"ha": "center", "va": "center", "color": ink(), "transform": ax.transAxes}
            ground = {"facecolor": ax.get_facecolor(), "edgecolor": "none", "pad": 3}
            ax.text(0.5, 0.5, "✓ passed" if report else "no witnesses", bbox=ground, **style)
    return np.array([left, right], dtype=object)


def _new_panels(flat: bool) -> list[Any]:
    """Return the axes of a new figure: one above the other for arrays of one axis."""
    from matplotlib import pyplot

    if flat:
        return list(pyplot.subplots(2, 1, figsize=(6.4, 3.6), layout="constrained")[1])
    return list(pyplot.subplots(1, 2, figsize=(7.2, 4.2), layout="constrained")[1])


def _verdict(report: AdjointReport) -> str:
    if report:
        return f"adjoint check passed: {len(report.checks)} checks, {report.applications} products"
    return f"adjoint check FAILED: {', '.join(report.failed)}"


def _extent(indices: list[tuple[int, ...]]) -> tuple[int, ...]:
    """Return the smallest shape that has all of these."""
    return tuple(int(largest) + 1 for largest in np.max(indices, axis=0)) if indices else (1,)


def _drawn_shape(shape: tuple[int, ...]) -> tuple[int, int]:
    return (prod(shape[:-1]), shape[-1]) if shape else (1, 1)


def _draw_array(ax: Any, shape: tuple[int, ...], cells: bool) -> None:
    """Draw the frame of an array, its cells if they are few, and the parts that its first axes make."""
    from matplotlib.ticker import MaxNLocator

    rows, columns = _drawn_shape(shape)
    ax.set(xlim=(-0.5, columns - 0.5), ylim=(rows - 0.5, -0.5))
    # Cells are squares while the array is no thread.
    ax.set_box_aspect(min(max(rows / columns, 0.12), 4.0))
    if cells and max(rows, columns) <= _MOST_LINES:
        faint = {"color": ink(), "linewidth": 0.5, "alpha": 0.2}
        ax.vlines(np.arange(1, columns) - 0.5, -0.5, rows - 0.5, **faint)
        ax.hlines(np.arange(1, rows) - 0.5, -0.5, columns - 0.5, **faint)
    period = 1
    for size in reversed(shape[1:-1]):
        period *= size
        if period > 1 and rows // period <= _MOST_LINES:
            between = np.arange(period, rows, period) - 0.5
            ax.hlines(between, -0.5, columns - 0.5, color=ink(), linewidth=0.9, alpha=0.7)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    if rows == 1:
        ax.set_yticks([])


def _draw_witnesses(
    left: Any, right: Any, witnesses: tuple[Witness, ...], shapes: list[tuple[int, ...]], listed: bool
) -> None:
    from matplotlib.lines import Line2D
    from matplotlib.patches import ConnectionPatch

    size, alpha = (7, 0.8) if len(witnesses) <= 8 else (5, 0.45)
    mark: dict[str, Any] = {"marker": "o", "linestyle": "none"}
    joined: dict[str, Any] = {"coordsA": left.transData, "coordsB": right.transData}
    handles = []
    for number, (witness, colour) in enumerate(zip(witnesses, ramp(len(witnesses)), strict=True)):
        start, end = _place(witness.output_index, shapes[0]), _place(witness.input_index, shapes[1])
        for ax, (x, y) in ((left, start), (right, end)):
            edge = {"markersize": size, "markeredgecolor": ink(), "markeredgewidth": 0.6}
            ax.plot([x], [y], color=colour, gid="witness", zorder=4, clip_on=False, **mark, **edge)
        line = ConnectionPatch(start, end, color=colour, linewidth=1.2, alpha=alpha, zorder=3, **joined)
        line.set_in_layout(False)
        left.figure.add_artist(line)
        if number < _LISTED:
            handles.append(Line2D([], [], label=str(witness), color=colour, markersize=6, **mark))
    more = len(witnesses) - _LISTED
    if more > 0:
        handles.append(Line2D([], [], linestyle="none", label=f"and {more} more"))
    if listed:
        right.figure.legend(handles=handles, loc="outside lower left", fontsize="x-small", frameon=False)


def _place(index: tuple[int, ...], shape: tuple[int, ...]) -> tuple[float, float]:
    if not shape:
        return 0.0, 0.0
    row = int(np.ravel_multi_index(index[:-1], shape[:-1])) if len(shape) > 1 else 0
    return float(index[-1]), float(row)
