"""What is drawn are the singular values of the dense matrix, and the rank numpy finds in it."""

from typing import Any

import numpy as np
import pytest

from convops import Conv, ConvTranspose
from convops.plot import plot_spectrum

pytest.importorskip("matplotlib")

BLUR = np.array([1.0, 2, 1]) / 4


def legend_of(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_legend().get_texts()]


@pytest.mark.parametrize("boundary", ["zeros", "wrap", "reflect"])
def test_the_values_are_those_of_the_dense_matrix(boundary: str) -> None:
    A = Conv(BLUR, 16, padding="same", boundary=boundary)
    ax = plot_spectrum(A, labels="blur")
    expected = np.linalg.svd(A.toarray(), compute_uv=False)
    rank = int(np.linalg.matrix_rank(A.toarray()))
    line = ax.lines[0]
    assert np.array_equal(line.get_xdata(), np.arange(1, rank + 1))
    assert np.allclose(line.get_ydata(), expected[:rank], rtol=1e-9)
    assert legend_of(ax) == [f"blur: rank {rank} of 16"]
    assert ax.get_yscale() == "log"


def test_the_rank_is_marked_where_it_is_not_full() -> None:
    A = Conv(BLUR, 8, padding="same", boundary="wrap")  # the fastest oscillation is mapped to 0
    _, below, upright, level = plot_spectrum(A).lines
    bound = 1.0 * 8 * np.finfo(float).eps
    assert below.get_xdata().tolist() == [8]
    assert np.allclose(below.get_ydata(), bound, rtol=1e-6, atol=0)
    assert below.get_markerfacecolor() == "none"
    assert upright.get_xdata()[0] == 7.5
    assert np.allclose(level.get_ydata(), bound, rtol=1e-6, atol=0)


def test_several_operators_have_their_names() -> None:
    A, B = Conv(BLUR, 8), ConvTranspose(BLUR, 8)
    ax = plot_spectrum([A, B, A])
    assert legend_of(ax) == [
        "Conv 6 × 8 (1): rank 6 of 6",
        "ConvTranspose 10 × 8: rank 8 of 8",
        "Conv 6 × 8 (3): rank 6 of 6",
    ]
    assert len({line.get_color().tobytes() for line in ax.lines}) == 3
    assert legend_of(plot_spectrum((A, B), labels=["a", "b"])) == ["a: rank 6 of 6", "b: rank 8 of 8"]


def test_of_some_values_the_rank_is_not_claimed() -> None:
    A = Conv(BLUR, 16)
    ax = plot_spectrum(A, k=3)
    assert legend_of(ax) == ["Conv 14 × 16: the largest 3 of 14"]
    assert len(ax.lines) == 1


def test_a_rank_that_some_values_show_is_claimed() -> None:
    A = Conv(BLUR, 8, padding="same", boundary="wrap")
    assert legend_of(plot_spectrum(A, k=8, labels="A")) == ["A: rank 7 of 8"]


def test_the_operator_that_is_zero_has_rank_0() -> None:
    ax = plot_spectrum(Conv([0.0], 5), labels="zero")
    assert legend_of(ax) == ["zero: rank 0 of 5"]
    ax.figure.canvas.draw()
