"""The transposed convolution as a sum of placed kernels: `plot_transpose`."""

from math import ceil, prod
from typing import Any, NamedTuple

import numpy as np

from convops._arrays import Array, dense
from convops.geometry import Boundary, IntPerAxis, Padding
from convops.operators import ConvTranspose
from convops.plot._axes import checked_axes, font_that_fits, ink, need_matplotlib, points_per_unit
from convops.plot._cells import draw_squares, write_in_cells
from convops.plot._colours import INK, pastel

_MOST_ENTRIES = 16
_MOST_CELLS = 400
_WIDEST = 13.0
_SUM = "#dfe5ea"


def plot_transpose(
    x: Any,
    weight: Any,
    axes: Any = None,
    *,
    stride: IntPerAxis = 1,
    padding: Padding = 0,
    output_padding: IntPerAxis = 0,
    output_shape: IntPerAxis | None = None,
    dilation: IntPerAxis = 1,
    boundary: Boundary = "zeros",
    flip: bool = False,
) -> Any:
    """Draw a transposed convolution as what it is: each input entry times the kernel, placed, and their sum.

    Parameters
    ----------
    x : array_like, shape ``spatial``
        The input, of one or two axes, with at most 16 entries.
    weight : array_like, shape ``kernel``
        The kernel, with as many axes: one channel in, one out.
    axes : sequence of matplotlib.axes.Axes, optional
        Where to draw: as many as x has entries, and three. Default: in a new figure.
    stride, padding, output_padding, output_shape, dilation, boundary, flip
        As for `ConvTranspose`.

    Returns
    -------
    ndarray of matplotlib.axes.Axes
        The input, the kernel, one for each entry of the input in C order, and the sum, which is
        ``conv_transpose(x, weight, ...)``.

    Raises
    ------
    TypeError, ValueError
        As `ConvTranspose` does; if x or the output is too large to be read, or has channels or three axes;
        if `axes` are not as many as are needed.
    ImportError
        If matplotlib is missing.

    Examples
    --------
    >>> from convops.plot import plot_transpose
    >>> panels = plot_transpose([[0, 1], [2, 3]], [[0, 1], [2, 3]])
    >>> [panel.get_title() for panel in panels[1:4]]
    ['kernel', 'x[0, 0] · kernel', 'x[0, 1] · kernel']
    >>> [text.get_text() for text in panels[-1].texts]
    ['=', '0', '0', '1', '0', '4', '6', '4', '12', '9']
    """
    x, weight = dense("x", x), dense("weight", weight)
    if x.ndim not in (1, 2) or weight.ndim != x.ndim:
        raise ValueError(
            f"x of shape {x.shape} with a weight of shape {weight.shape}: the picture has 1 or 2 axes and no "
            f"channels, the same in both; got {x.ndim} and {weight.ndim}. Draw one channel: x[i] with "
            "weight[i, o]."
        )
    if not 1 <= x.size <= _MOST_ENTRIES:
        raise ValueError(
            f"x of shape {x.shape}: each of its {x.size} entries is a panel of the picture, from 1 to "
            f"{_MOST_ENTRIES} of them. Take a part of x."
        )
    B = ConvTranspose(
        weight,
        x.shape,
        stride=stride,
        padding=padding,
        output_padding=output_padding,
        output_shape=output_shape,
        dilation=dilation,
        boundary=boundary,
        flip=flip,
    )
    if max(prod(B.output_shape), weight.size) > _MOST_CELLS:
        raise ValueError(
            f"x of shape {x.shape} with a weight of shape {weight.shape}: the output of shape "
            f"{B.output_shape} has {prod(B.output_shape)} cells, and at most {_MOST_CELLS} can be read. Use "
            "a smaller kernel, or a smaller stride."
        )
    need_matplotlib("plot_transpose")
    pictures = _pictures(x, weight, B)
    if axes is None:
        panels = _new_panels(pictures)
    else:
        panels = checked_axes(axes, len(pictures))
    for panel, picture in zip(panels, pictures, strict=True):
        _draw_cells(panel, picture)
    if axes is None:
        # Numbers are as large as the cells that the layout leaves.
        panels[0].figure.draw_without_rendering()
    for panel, picture in zip(panels, pictures, strict=True):
        _write_numbers(panel, picture)
    return np.array(panels, dtype=object)


class _Picture(NamedTuple):
    """One panel: an array as cells, some of them filled."""

    title: str
    values: Array
    fills: dict[tuple[int, ...], Any]
    written: list[tuple[int, ...]]
    """The cells whose number is written."""
    sign: str = ""


def _pictures(x: Array, weight: Array, B: ConvTranspose) -> list[_Picture]:
    entries, fills = _cells(x.shape), pastel(x.size)
    pictures = [
        _Picture("input x", x, dict(zip(entries, fills, strict=True)), entries),
        _Picture("kernel", weight, {}, _cells(weight.shape)),
    ]
    reached = B.tosparse() if weight.all() else _ones_like(B).tosparse()
    for number, (entry, fill) in enumerate(zip(entries, fills, strict=True)):
        unit = np.zeros_like(x)
        unit[entry] = x[entry]
        rows = sorted(reached[:, [number]].nonzero()[0].tolist())
        here = [tuple(int(place) for place in np.unravel_index(row, B.output_shape)) for row in rows]
        title = f"x[{', '.join(map(str, entry))}] · kernel"
        pictures.append(_Picture(title, B(unit), dict.fromkeys(here, fill), here, "+" if number else ""))
    everywhere = _cells(B.output_shape)
    pictures.append(_Picture("sum: the output", B(x), dict.fromkeys(everywhere, _SUM), everywhere, "="))
    return pictures


def _new_panels(pictures: list[_Picture]) -> list[Any]:
    """Return the axes of a new figure: below each other for one axis, in lines for two."""
    from matplotlib import pyplot

    count = len(pictures)
    longest = max(len(text) for picture in pictures for text in _numbers(picture).values())
    widest = max(picture.values.shape[-1] for picture in pictures)
    width = widest * max(0.075 * longest + 0.1, 0.28)
    if pictures[0].values.ndim == 1:
        size = (min(max(width + 0.8, 3.5), 14.0), 0.72 * count)
        return list(pyplot.subplots(count, 1, figsize=size, layout="constrained")[1])
    width = min(max(width, 1.2), 3.0) + 0.4
    in_a_line = max(int(_WIDEST / width), 3)
    columns = ceil(count / ceil(count / in_a_line))
    lines = ceil(count / columns)
    figure = pyplot.figure(figsize=(width * columns, (width + 0.2) * lines), layout="constrained")
    return [figure.add_subplot(lines, columns, number + 1) for number in range(count)]


def _draw_cells(ax: Any, picture: _Picture) -> None:
    rows, columns = (1, *picture.values.shape)[-2:]
    ax.set(xlim=(-0.05, columns + 0.05), ylim=(rows + 0.05, -0.05), aspect="equal", xticks=[], yticks=[])
    ax.spines[:].set_visible(False)
    ax.patch.set_visible(False)
    ax.set_title(picture.title, fontsize=9.5)
    cells = [_place(index) for index in _cells(picture.values.shape)]
    draw_squares(ax, cells, "cells", facecolor="none", edgecolor=ink(), alpha=0.3, linewidth=0.7)
    if picture.fills:
        style: dict[str, Any] = {
            "facecolor": list(picture.fills.values()),
            "edgecolor": ink(),
            "linewidth": 0.7,
        }
        draw_squares(ax, map(_place, picture.fills), "filled", **style)
    if picture.sign:
        beside = -0.08 if picture.values.ndim == 2 else -0.02
        beside_it = {"ha": "right", "va": "center", "fontsize": 13, "color": ink()}
        ax.text(beside, 0.5, picture.sign, transform=ax.transAxes, gid="sign", **beside_it)


def _write_numbers(ax: Any, picture: _Picture) -> None:
    texts = _numbers(picture)
    width, height = points_per_unit(ax)
    size = font_that_fits(max(texts.values(), key=len, default=""), width, height, 12.0)
    if not size:
        return
    for filled, colour in ((True, INK), (False, ink())):
        some = {_place(index): text for index, text in texts.items() if (index in picture.fills) == filled}
        write_in_cells(ax, some, size, colour)


def _numbers(picture: _Picture) -> dict[tuple[int, ...], str]:
    return {index: _number(picture.values[index]) for index in picture.written}


def _place(index: tuple[int, ...]) -> tuple[int, ...]:
    """Return row and column of an entry: those of one axis are in row 0."""
    return (0, *index)[-2:]


def _cells(shape: tuple[int, ...]) -> list[tuple[int, ...]]:
    return list(np.ndindex(*shape))


def _ones_like(B: ConvTranspose) -> ConvTranspose:
    """Return the same transposed convolution of a kernel of ones: what it reaches, zeros included."""
    geometry = B.geometry
    return ConvTranspose(
        np.ones(geometry.weight_shape),
        B.input_shape,
        stride=geometry.stride,
        padding=geometry.padding,
        output_shape=B.output_shape,
        dilation=geometry.dilation,
        boundary=geometry.boundary,
    )


def _number(value: Any) -> str:
    if isinstance(value, np.integer):
        return str(int(value))
    return f"{value:.3g}".replace("-", "−")
