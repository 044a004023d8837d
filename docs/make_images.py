"""Draw the pictures of the pages: ``python docs/make_images.py`` writes them to docs/images/.

What they show is computed with convops; nothing in them is typed in by hand but names. A page that draws its
pictures itself, in the code that it shows, is run for them.
"""

import contextlib
import io
import os
import re
import runpy
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch
from matplotlib.path import Path as Outline

import convops

IMAGES = Path(__file__).with_name("images")
EXAMPLES = Path(__file__).parents[1] / "examples"
PICTURES = (
    "blind_deconvolution",
    "deblur_a_photograph",
    "missing_pixels",
    "sharpen_a_volume",
    "super_resolution",
    "total_variation",
)
INK, FAINT = "#22303c", "#c3ccd4"
FOUR = ("#f6b26b", "#93c47d", "#6fa8dc", "#c27ba0")  # one colour per entry of a 2 × 2 input


def new_figure(width: float, height: float) -> Figure:
    return Figure((width, height), facecolor="white")


def save(figure: Figure, name: str) -> None:
    IMAGES.mkdir(exist_ok=True)
    figure.savefig(IMAGES / f"{name}.svg", metadata={"Date": None, "Creator": None})


def outline(cells: np.ndarray, gap: float = 0.0) -> Outline:
    """Return one path around the (row, column) cells, each a unit square."""
    corners = np.array([[gap, gap], [1 - gap, gap], [1 - gap, 1 - gap], [gap, 1 - gap], [gap, gap]])
    vertices = (cells[:, None, ::-1] + corners).reshape(-1, 2)
    codes = [Outline.MOVETO, *[Outline.LINETO] * 3, Outline.CLOSEPOLY] * len(cells)
    return Outline(vertices, codes)


def grid(axes: Axes, rows: int, columns: int, **frame: Any) -> None:
    """Prepare axes for a matrix: row 0 on top, square cells, no ticks."""
    axes.set(xlim=(-0.05, columns + 0.05), ylim=(rows + 0.05, -0.05), aspect="equal", xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    everything = np.argwhere(np.ones((rows, columns)))
    axes.add_patch(PathPatch(outline(everything), facecolor="none", edgecolor=FAINT, **frame))


def numbers(axes: Axes, values: np.ndarray, where: np.ndarray, **text: Any) -> None:
    for row, column in np.argwhere(where):
        axes.text(
            column + 0.5, row + 0.54, str(values[row, column]), ha="center", va="center", color=INK, **text
        )


def draw_sum() -> None:
    """Each entry of a 2 × 2 input times the kernel, placed on the output, and the sum."""
    x = kernel = np.array([[0, 1], [2, 3]])
    result = convops.conv_transpose(x, kernel)
    figure = new_figure(10.2, 1.75)
    sizes = [2, 2, *[3] * 5]
    panels = figure.subplots(1, 7, width_ratios=sizes, gridspec_kw={"wspace": 0.32})
    figure.subplots_adjust(left=0.01, right=0.99, bottom=0.02, top=0.82)

    cells = [tuple(cell) for cell in np.argwhere(np.ones_like(x))]
    for number, (title, values) in enumerate((("input x", x), ("kernel K", kernel))):
        grid(panels[number], 2, 2, linewidth=0.8)
        for cell, colour in zip(cells, FOUR, strict=True):
            fill = colour if number == 0 else "none"
            square = outline(np.array([cell]))
            panels[number].add_patch(PathPatch(square, facecolor=fill, edgecolor=INK, lw=0.8))
        numbers(panels[number], values, np.ones_like(values), fontsize=13)
        panels[number].set_title(title, fontsize=11, color=INK, pad=6)

    for panel, cell, colour in zip(panels[2:6], cells, FOUR, strict=True):
        unit = np.zeros_like(x)
        unit[cell] = 1
        placed = convops.conv_transpose(x * unit, kernel)
        here = convops.conv_transpose(unit, np.ones_like(kernel))
        grid(panel, 3, 3, linewidth=0.8)
        panel.add_patch(PathPatch(outline(np.argwhere(here)), facecolor=colour, edgecolor=INK, lw=0.8))
        numbers(panel, placed, here, fontsize=13)
        panel.set_title(f"x[{cell[0]}, {cell[1]}] · K = {x[cell]} · K", fontsize=11, color=INK, pad=6)
    grid(panels[6], 3, 3, linewidth=0.8)
    everywhere = outline(np.argwhere(np.ones((3, 3))))
    panels[6].add_patch(PathPatch(everywhere, facecolor="#eef1f4", edgecolor=INK, lw=0.8))
    numbers(panels[6], result, np.ones_like(result), fontsize=13)
    panels[6].set_title("output: the sum", fontsize=11, color=INK, pad=6)
    for left, right, sign in [*[(n, n + 1, "+") for n in range(2, 5)], (5, 6, "=")]:
        middle = (panels[left].get_position().x1 + panels[right].get_position().x0) / 2
        figure.text(middle, 0.43, sign, ha="center", va="center", fontsize=15, color=INK)
    save(figure, "sum_of_placed_kernels")


def draw_matrices() -> None:
    """W and its transpose for stride 1 and 2, coloured by tap."""
    colours = matplotlib.colormaps["turbo"](np.linspace(0.06, 0.94, 9))
    taps = np.arange(1, 10).reshape(3, 3)
    width, height, cell = 9.2, 5.5, 0.083  # inches
    figure = new_figure(width, height)

    def panel(matrix: np.ndarray, left: float, top: float, title: str, size: float = cell) -> None:
        rows, columns = matrix.shape
        wide, high = columns * size, rows * size
        axes = figure.add_axes((left / width, 1 - (top + high) / height, wide / width, high / height))
        axes.set(xlim=(0, columns), ylim=(rows, 0), xticks=[], yticks=[])
        axes.spines[:].set(color=INK, linewidth=0.8)
        for tap, colour in zip(taps.flat, colours, strict=True):
            axes.add_patch(PathPatch(outline(np.argwhere(matrix == tap), 0.06), facecolor=colour, lw=0))
        axes.set_title(title, fontsize=11, color=INK, loc="left", pad=5)

    top = 0.45
    for stride, left in ((1, 4.65), (2, 7.4)):
        W = convops.conv_matrix(taps, (7, 7), stride=stride).toarray()
        panel(W, 0.25, top, f"W, stride {stride}: {W.shape[0]} × {W.shape[1]}")
        panel(W.T, left, 0.45, f"Wᵀ, stride {stride}: {W.shape[1]} × {W.shape[0]}")
        top += W.shape[0] * cell + 0.5
    panel(taps, 0.25, top + 0.15, "the nine taps of the kernel", size=0.3)
    save(figure, "matrix_patterns")


def run_page(page: Path) -> None:
    """Run the python blocks of a page, in order, in one namespace; they write to images/ beside it."""
    namespace: dict[str, Any] = {"__name__": "__page__"}
    with contextlib.chdir(page.parent), contextlib.redirect_stdout(io.StringIO()):
        for code in re.findall(r"^```python\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL):
            exec(code, namespace)


def run_example(name: str) -> None:
    """Run a script of examples/; it writes its picture to images/."""
    with contextlib.chdir(IMAGES), contextlib.redirect_stdout(io.StringIO()):
        runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")


if __name__ == "__main__":
    os.environ["SOURCE_DATE_EPOCH"] = "0"  # the date that matplotlib writes into a picture
    matplotlib.rcParams.update({"svg.hashsalt": "convops", "font.family": "DejaVu Sans"})
    draw_sum()
    draw_matrices()
    for page in sorted(IMAGES.parent.glob("*.md")):
        if 'savefig("images/' in page.read_text("utf-8"):
            run_page(page)
    for name in PICTURES:
        run_example(name)
