"""The pattern of W, coloured by tap: `spy`."""

from math import ceil, prod
from typing import Any, NamedTuple

import numpy as np

from convops._arrays import Array
from convops.plot._axes import axes_for, flag, ink
from convops.plot._colours import ramp
from convops.plot._entries import Drawn, drawn

_MOST_ENTRIES = 2**23
_NAMED_TAPS = 12
_MOST_COLOURS = 256
_SEVERAL = (0.55, 0.55, 0.55)
_BESIDE: dict[str, Any] = {
    "loc": "upper left",
    "bbox_to_anchor": (1.01, 1.0),
    "borderaxespad": 0.0,
    "frameon": False,
    "handlelength": 0.9,
}


def spy(A: Any, ax: Any = None, *, legend: bool = True, lines: bool = True) -> Any:
    """Draw where the entries of W stand, each in the colour of the tap that stands there.

    A matrix of more rows or columns than there are pixels is drawn by cells of several rows and columns: a
    cell has the mean colour of the entries in it. W is not built, and nothing of its size is. Of a matrix
    of more than 8 million entries some rows are drawn, spread over all of it.

    Parameters
    ----------
    A : operator of convops, ConvGeometry or sparse matrix
        Of a geometry all entries that W stores are drawn; of a `Conv` or `ConvTranspose` those to which a tap
        that is not zero contributes; of a `KernelOperator` those that read a sample, whatever it is. Other
        operators and matrices show their non-zero entries in one colour.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: in a new figure.
    legend : bool, default True
        Name the taps beside the axes, up to 12 of them one by one, more with a colour bar.
    lines : bool, default True
        Separate the channels, and the rows of the image, where there is room for it.

    Returns
    -------
    matplotlib.axes.Axes
        Rows downwards, columns to the right, both in C order. Its image has one cell per entry of W while
        there are pixels for them.

    Raises
    ------
    TypeError
        If A is something else, or another argument is of the wrong type.
    ValueError
        If A has an axis of more than 2**61 positions.
    MemoryError
        If a composite has no room for its sparse matrix.
    ImportError
        If matplotlib is missing.

    Examples
    --------
    >>> from convops import Conv
    >>> from convops.plot import spy
    >>> ax = spy(Conv([[1, 2], [3, 4]], (3, 3)))
    >>> ax.get_title()
    'Conv, 4 × 9'
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['(0, 0)', '(0, 1)', '(1, 0)', '(1, 1)']
    """
    matrix, legend, lines = drawn(A), flag("legend", legend), flag("lines", lines)
    own = ax is None
    ax = axes_for("spy", ax, (5.6, 4.4))
    rows, columns = matrix.shape
    limits = {"xlim": (-0.5, columns - 0.5), "ylim": (rows - 0.5, -0.5)}
    aspect = "equal" if columns <= 5 * rows and rows <= 5 * columns else "auto"
    ax.set(**limits, aspect=aspect)
    ax.set_title(f"{type(A).__name__}, {_short(rows)} × {_short(columns)}")
    ax.set_ylabel("row" + (f": output {matrix.arrays[0]}" if matrix.arrays[0] else ""))
    ax.set_xlabel("column" + (f": input {matrix.arrays[1]}" if matrix.arrays[1] else ""))
    colours = ramp(min(max(prod(matrix.kernel), 1), _MOST_COLOURS))
    if legend and matrix.kernel:
        _name_taps(ax, matrix.kernel, colours)
    if own:
        # What stands beside the axes leaves them fewer pixels.
        ax.figure.draw_without_rendering()
    grid = _grid(matrix.shape, ax, 0.75 if own else 0.6)
    image, several = _image(matrix, grid, colours)
    # The last cells may reach beyond the matrix, and imshow sets limits of its own.
    extent = (-0.5, grid.columns * grid.wide - 0.5, grid.rows * grid.high - 0.5, -0.5)
    ax.imshow(image, extent=extent, interpolation="nearest", aspect=aspect, origin="upper")
    ax.set(**limits)
    if legend and several:
        _name_several(ax)
    _set_ticks(ax, matrix.shape)
    if lines:
        _draw_lines(ax, matrix)
    return ax


class _Grid(NamedTuple):
    """Cells of the picture, and how many rows and columns of the matrix each spans."""

    rows: int
    columns: int
    high: int
    wide: int


def _grid(shape: tuple[int, int], ax: Any, share: float) -> _Grid:
    """Return cells of a pixel or more: none is lost if axes shrink, or are saved with fewer pixels."""
    ax.apply_aspect()
    box = ax.get_window_extent()
    pixels = [int(min(max(share * length, 32), 2048)) for length in (box.height, box.width)]
    high, wide = (max(ceil(size / most), 1) for size, most in zip(shape, pixels, strict=True))
    return _Grid(-(-shape[0] // high), -(-shape[1] // wide), high, wide)


def _image(matrix: Drawn, grid: _Grid, colours: Array) -> tuple[Array, bool]:
    """Return the picture as ``(rows, columns, 4)``, and whether a cell of one entry holds several taps."""
    cells, taps = grid.rows * grid.columns, max(prod(matrix.kernel), 1)
    single = grid.high == grid.wide == 1
    count, sums = np.zeros(cells), np.zeros((3, cells))
    lowest, highest = np.full(cells if single else 0, taps), np.full(cells if single else 0, -1)
    for row, column, tap in matrix.blocks(_MOST_ENTRIES):
        cell = row // grid.high * grid.columns + column // grid.wide
        count += np.bincount(cell, minlength=cells)
        of_tap = colours[tap * len(colours) // taps if taps > len(colours) else tap]
        for band in range(3):
            sums[band] += np.bincount(cell, of_tap[:, band], minlength=cells)
        if single:
            np.minimum.at(lowest, cell, tap)
            np.maximum.at(highest, cell, tap)
    image = np.zeros((cells, 4))
    image[:, :3] = (sums / np.maximum(count, 1)).T
    shared = np.flatnonzero(lowest < highest)
    image[shared, :3] = _SEVERAL
    image[:, 3] = count > 0
    return np.clip(image, 0, 1).reshape(grid.rows, grid.columns, 4), bool(shared.size)


def _set_ticks(ax: Any, shape: tuple[int, int]) -> None:
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    box = ax.get_window_extent()
    room = box.height / 25, box.width / (8 * len(_short(shape[1])) + 12)
    for axis, ticks in zip((ax.yaxis, ax.xaxis), room, strict=True):
        axis.set_major_locator(MaxNLocator(nbins=int(min(max(ticks, 1), 6)), integer=True))
        axis.set_major_formatter(FuncFormatter(lambda place, _: _short(round(place))))


def _draw_lines(ax: Any, matrix: Drawn) -> None:
    """Draw lines between channels, and thinner ones between rows of the image, while they stay apart."""
    box = ax.get_window_extent()
    (rows, columns), pixels = matrix.shape, (box.height, box.width)
    for side, total in enumerate(matrix.shape):
        shape, period = matrix.arrays[side], 1
        for axis in range(len(shape) - 1, 0, -1):
            period *= shape[axis]
            parts = total // period
            if period == 1 or not 2 <= parts <= pixels[side] / 10:
                continue
            between = np.array([part * period for part in range(1, parts)]) - 0.5
            of_channels = axis <= matrix.channels[side]
            style = {"linewidth": 0.9, "alpha": 0.75} if of_channels else {"linewidth": 0.5, "alpha": 0.35}
            if side == 0:
                ax.hlines(between, -0.5, columns - 0.5, color=ink(), **style)
            else:
                ax.vlines(between, -0.5, rows - 0.5, color=ink(), **style)


def _name_taps(ax: Any, kernel: tuple[int, ...], colours: Array) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import ListedColormap, Normalize
    from matplotlib.patches import Patch

    taps = prod(kernel)
    if taps <= _NAMED_TAPS:
        handles = [
            Patch(color=colour, label=_name(tap, kernel)) for tap, colour in enumerate(colours.tolist())
        ]
        ax.legend(handles=handles, title="tap", **_BESIDE)
        return
    colour_map = ScalarMappable(Normalize(-0.5, taps - 0.5), ListedColormap(colours.tolist()))
    ticks = [place * (taps - 1) // 4 for place in range(5)]
    bar = ax.figure.colorbar(colour_map, ax=ax, ticks=ticks, label="tap")
    bar.ax.set_yticklabels([_name(tap, kernel) for tap in ticks])
    bar.ax.minorticks_off()
    bar.ax.invert_yaxis()


def _name_several(ax: Any) -> None:
    """Say what grey means, below the taps where these are named one by one."""
    from matplotlib.patches import Patch

    several = Patch(color=_SEVERAL, label="several")
    named = ax.get_legend()
    if named is None:
        ax.legend(handles=[several], loc="upper right", handlelength=0.9)
    else:
        ax.legend(handles=[*named.get_patches(), several], title="tap", **_BESIDE)


def _short(number: int) -> str:
    """Return a number in full while it is short."""
    return str(number).replace("-", "−") if abs(number) < 10**7 else f"{number:.3g}".replace("e+", "e")


def _name(tap: int, kernel: tuple[int, ...]) -> str:
    index = []
    for size in reversed(kernel):
        tap, place = divmod(tap, size)
        index.append(place)
    return str(index[0]) if len(index) == 1 else str(tuple(reversed(index)))
