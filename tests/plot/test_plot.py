"""The pictures are these; they come with no global state, and with a word where matplotlib is missing."""

import builtins
import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convops
import convops.plot
from convops import Conv, ConvGeometry, ConvTranspose, KernelOperator, check_adjoint
from pictures import clashes, contrast, visible_texts

A = Conv([[1, 2], [3, 4]], (3, 3))
LAYER = Conv(np.ones((3, 2, 3, 3)), (2, 5, 6), padding=1)


def difference(x: Any) -> Any:
    return x[1:] - x[:-1]


def wrong(y: Any) -> Any:
    return np.append(-y, 0) + np.append(0, -y)


def of_layer(y: Any) -> Any:
    x = LAYER.T(y)
    x[1, 2:4] *= 1.5
    return x


def failed() -> Any:
    return check_adjoint(difference, wrong, input_shape=12, output_shape=11)


def failed_layer() -> Any:
    return check_adjoint(LAYER, of_layer, LAYER.input_shape, LAYER.output_shape)


BLURS = [
    Conv(np.array([1, 4, 6, 4, 1]) / 16, 32, padding="same", boundary=boundary)
    for boundary in ("zeros", "wrap")
]
PICTURES: dict[str, Callable[..., Any]] = {
    "spy": lambda ax=None: convops.plot.spy(A, ax),
    "spy of a layer": lambda ax=None: convops.plot.spy(LAYER, ax),
    "spy of many taps": lambda ax=None: convops.plot.spy(ConvGeometry((5, 5), (64, 64), padding=2), ax),
    "spy of an edge": lambda ax=None: convops.plot.spy(ConvGeometry(3, 6, padding=1, boundary="edge"), ax),
    "spy of a large one": lambda ax=None: convops.plot.spy(ConvGeometry((3, 3), (2**20, 2**20)), ax),
    "spy of a flat one": lambda ax=None: convops.plot.spy(ConvGeometry(3, 400, stride=40), ax),
    "spy of a kernel operator": lambda ax=None: convops.plot.spy(
        KernelOperator(np.ones((2, 6, 6)), (3, 2, 2, 2)), ax
    ),
    "plot_geometry": lambda ax=None: convops.plot.plot_geometry(
        ConvGeometry((3, 3), (5, 5), stride=2, padding=1), ax, outputs=[(0, 0), (1, 2)]
    ),
    "plot_geometry of one axis": lambda ax=None: convops.plot.plot_geometry(
        ConvGeometry(3, 12, padding=1, stride=2, dilation=2, boundary="reflect"), ax
    ),
    "plot_geometry of a border": lambda ax=None: convops.plot.plot_geometry(
        ConvGeometry((3, 3), (7, 9), padding=2, boundary=("symmetric", "antireflect")), ax
    ),
    "plot_geometry of a transpose": lambda ax=None: convops.plot.plot_geometry(
        ConvTranspose(np.ones((3, 3)), (3, 4), stride=2, padding=1), ax
    ),
    "plot_geometry of many cells": lambda ax=None: convops.plot.plot_geometry(
        ConvGeometry((5, 5), (30, 40), padding=2), ax, outputs=(20, 30)
    ),
    "plot_transpose": lambda axes=None: convops.plot.plot_transpose([[0, 1], [2, 3]], [[0, 1], [2, 3]], axes),
    "plot_transpose of one axis": lambda axes=None: convops.plot.plot_transpose(
        [1, 2, 3], [1.5, -2, 1], axes, stride=2
    ),
    "plot_transpose of fractions": lambda axes=None: convops.plot.plot_transpose(
        [[1, 2], [3, 4]], np.arange(9).reshape(3, 3) / 3, axes, stride=2
    ),
    "plot_spectrum": lambda ax=None: convops.plot.plot_spectrum(BLURS, ax, labels=["zeros", "wrap"]),
    "plot_spectrum of nothing": lambda ax=None: convops.plot.plot_spectrum(Conv([0.0], 5), ax),
    "plot_spectrum of one decade": lambda ax=None: convops.plot.plot_spectrum(A, ax, k=2),
    "plot_adjoint_report": lambda axes=None: convops.plot.plot_adjoint_report(check_adjoint(A), axes),
    "plot_adjoint_report of a failure": lambda axes=None: convops.plot.plot_adjoint_report(failed(), axes),
    "plot_adjoint_report of a layer": lambda axes=None: convops.plot.plot_adjoint_report(
        failed_layer(), axes
    ),
}


FUNCTIONS = [name for name in PICTURES if " " not in name]


def figure_of(picture: Any) -> Any:
    return np.ravel(picture)[0].figure


def test_the_pictures_are_these() -> None:
    names = [
        "animate_geometry",
        "plot_adjoint_report",
        "plot_geometry",
        "plot_spectrum",
        "plot_transpose",
        "spy",
    ]
    assert convops.plot.__all__ == names


def test_importing_the_pictures_imports_no_matplotlib(tmp_path: Path) -> None:
    code = "import sys, convops.plot; print('matplotlib' in sys.modules)"
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert printed == "False\n"


@pytest.fixture
def _few_entries(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the large picture be drawn of few rows: what is tested here does not depend on them."""
    monkeypatch.setattr(importlib.import_module("convops.plot.spy"), "_MOST_ENTRIES", 2**14)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_without_matplotlib_the_extra_is_named(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    importing = builtins.__import__

    def refuse(name: str, *more: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError("No module named 'matplotlib'")
        return importing(name, *more)

    monkeypatch.setattr(builtins, "__import__", refuse)
    with pytest.raises(ImportError, match=rf"^{name} needs .*pip install 'convops\[plot\]'"):
        PICTURES[name]()


@pytest.mark.usefixtures("_few_entries")
@pytest.mark.parametrize("name", PICTURES)
def test_texts_lie_apart_and_inside_and_can_be_read_on_black(name: str) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib import pyplot

    with pyplot.style.context("dark_background"):
        figure = figure_of(PICTURES[name]())
        texts = visible_texts(figure)
    assert clashes(figure, texts) == []
    if name.startswith("plot_transpose"):  # whose numbers stand on colours of their own
        texts = [text for text in texts if text.get_gid() is not None or text not in text.axes.texts]
    assert [text.get_text() for text in texts if contrast(text.get_color(), "black") < 7] == []


def test_texts_that_clash_are_found() -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    ax.set_axis_off()
    ax.text(0.5, 0.5, "one")
    assert clashes(ax.figure, visible_texts(ax.figure)) == []
    ax.text(0.52, 0.5, "other")
    ax.text(1.2, 0.5, "beyond the figure")
    assert clashes(ax.figure, visible_texts(ax.figure)) == [("one", "other"), ("beyond the figure",)]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_picture_touches_no_global_state(name: str) -> None:
    pytest.importorskip("matplotlib")
    import matplotlib
    from matplotlib import pyplot
    from matplotlib.figure import Figure

    before = dict(matplotlib.rcParams)
    count = {"plot_transpose": 7, "plot_adjoint_report": 2}.get(name, 1)
    own = Figure().subplots(1, count)
    drawn = PICTURES[name](own)
    assert all(one is other for one, other in zip(np.ravel(drawn), np.ravel(own), strict=True))
    assert dict(matplotlib.rcParams) == before
    assert pyplot.get_fignums() == []


@pytest.mark.parametrize("name", FUNCTIONS)
def test_what_is_not_axes_is_refused(name: str) -> None:
    pytest.importorskip("matplotlib")
    from matplotlib.figure import Figure

    with pytest.raises((TypeError, ValueError), match=r"^(ax|axes)=<Figure.*pyplot\.subplots"):
        PICTURES[name](Figure())
