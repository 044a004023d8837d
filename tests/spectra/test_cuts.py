"""What a cut is said to lose bounds what numpy finds of the matrix C of the theorem."""

from math import inf

import numpy as np
import pytest

from convops import Conv
from convops._axis import Axis
from convops.spectra._cuts import Line, _near, cut, uncut
from convops.spectra._sections import Section
from convops.spectra._symbol import extension_norm, grid_of
from oracles import Array

FOLDING = ["reflect", "symmetric", "edge", "antireflect"]


def line_of(axis: Axis) -> Line:
    return Line(*grid_of(axis, 16), extension_norm(axis))


def turning(axis: Axis, width: int) -> Array:
    """Return by how much φ has turned at each sample, and half-way between any two."""
    positions = np.arange(2 * axis.size - 1) / 2
    near = _near(axis)
    left = np.interp(positions, [near - 1, width], [0, np.pi / 2])
    right = np.interp(positions, [axis.size - 1 - width, axis.size - near], [0, np.pi / 2])
    return left + right


def inner_of(A: Conv) -> Array:
    """Return what W would be with zeros around the image."""
    axis = A.geometry.axes[0]
    pads = ((axis.before, axis.after),)
    inner = Conv(A.weight, axis.size, padding=pads, stride=axis.stride, dilation=axis.dilation)
    return inner.toarray()


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("boundary", FOLDING)
@pytest.mark.parametrize("pads", [(4, 3), (1, 1)])
@pytest.mark.parametrize("signs", [False, True])
def test_what_is_lost_bounds_the_matrix_of_the_theorem(
    boundary: str, dilation: int, stride: int, pads: tuple[int, int], signs: bool
) -> None:
    weight = np.array([3.0, -1, 2, -2, 1]) if signs else np.array([1.0, 3, 2, 2, 1])
    A = Conv(weight, 80, padding=(pads,), stride=stride, dilation=dilation, boundary=boundary)
    W, (axis,) = A.toarray(), A.geometry.axes
    found = cut(axis, line_of(axis), np.abs(weight)[:, None], 0.3)
    _, left, right = found.pieces
    assert isinstance(left, Section)
    assert isinstance(right, Section)
    assert left.shape[2] == right.shape[2]
    width = left.shape[2]
    assert 0 < found.lost <= 0.3
    theta = turning(axis, width)
    middle = stride * np.arange(axis.out_size) - axis.before + (axis.effective - 1) / 2
    of_output = np.interp(2 * middle, np.arange(theta.size), theta)
    C = W * (1 - np.cos(of_output[:, None] - theta[::2]))
    assert np.linalg.norm(C, 2) <= found.lost * (1 + 1e-12)
    assert np.linalg.norm(C, 2) >= 0.1 * found.lost
    folds = (inner_of(A) != W).any(axis=1)
    assert not C[folds].any()
    cosine, sine = np.cos(theta[::2]), np.sin(theta[::2])
    parts = np.stack([np.maximum(cosine, 0), sine, np.maximum(-cosine, 0)])
    np.testing.assert_allclose((parts**2).sum(axis=0), 1)
    apart = sum((W * part).T @ (W * part) for part in parts) - (W - C).T @ (W - C)
    assert np.linalg.eigvalsh(apart)[0] >= -1e-12
    pieces = [np.linalg.norm(W[:, part > 1e-12], 2) for part in parts]
    assert np.linalg.norm(W, 2) <= max(pieces) + found.lost


def test_less_may_be_lost_over_longer_ends() -> None:
    axis = Axis(400, 3, 1, 1, 1, 1, "reflect")
    widths = [
        cut(axis, line_of(axis), np.ones((3, 1)), most).pieces[1].shape[2] for most in (0.1, 0.01, 0.001)
    ]
    assert widths[0] < widths[1] < widths[2]


@pytest.mark.parametrize(
    "axis",
    [
        Axis(20, 3, 1, 1, 1, 1, "reflect"),
        Axis(31, 3, 2, 1, 30, 0, "reflect"),
        Axis(31, 3, 2, 1, 1, 1, "wrap"),
        Axis(30, 3, 1, 1, 900, 900, "edge"),
    ],
)
def test_an_axis_that_is_short_or_read_from_end_to_end_stays_whole(axis: Axis) -> None:
    (whole,) = cut(axis, line_of(axis), np.ones((3, 1)), 1e-9).pieces
    assert isinstance(whole, Section)
    assert whole.shape[1:] == (axis.out_size, axis.size)


def test_an_axis_without_ends_that_fold_has_none_to_cut() -> None:
    axis = Axis(30, 3, 1, 1, 1, 1, "zeros")
    line = line_of(axis)
    assert cut(axis, line, np.ones((3, 1)), 0.1).pieces == [line.line]
    assert isinstance(uncut(axis, line).pieces[0], Section)
    exact = Line(line.line, 1.0, 1.0)
    assert uncut(axis, exact).pieces == [line.line]


def test_a_very_long_axis_is_not_taken_as_a_whole() -> None:
    axis = Axis(2**19, 3, 1, 1, 1, 1, "reflect")
    assert uncut(axis, line_of(axis)).lost == inf
    assert 0 < cut(axis, line_of(axis), np.ones((3, 1)), 0.01).lost <= 0.01


def test_what_is_lost_is_the_most_at_any_frequency_of_the_other_axes() -> None:
    axis = Axis(60, 3, 1, 1, 1, 1, "reflect")
    taps = np.array([[1.0, 2.0, 0.0], [5.0, 0.0, 1.0], [2.5, 3.0, 0.0]])
    found = cut(axis, line_of(axis), taps, 0.1)
    one = cut(axis, line_of(axis), taps[:, 1:2], 0.1)
    assert 0 < found.lost == one.lost <= 0.1
