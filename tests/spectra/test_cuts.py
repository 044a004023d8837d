"""A cut costs no more than its factor: the vectors of the proof, and what numpy finds of the pieces."""

from math import cos, inf, pi

import numpy as np
import pytest

from convops import Conv
from convops._axis import Axis
from convops.spectra._cuts import Line, _apart, _unfolded, cut, joined, uncut
from convops.spectra._sections import Section
from convops.spectra._symbol import extension_norm, line_of
from oracles import Array

FOLDING = ["reflect", "symmetric", "edge", "antireflect"]


def without_ends(axis: Axis) -> Line:
    return Line(*line_of(axis, 16), extension_norm(axis), False)


def turning(axis: Axis, steps: int) -> Array:
    """Return the angle by which φ has turned at each sample, from the left end to the right."""
    left, right = _unfolded(axis)
    samples, apart = np.arange(axis.size), _apart(axis)
    turned = [left + apart * step for step in range(steps)] + [right - apart * step for step in range(steps)]
    return pi / 2 / steps * np.sum([samples >= place for place in turned], axis=0)


def inner_of(A: Conv) -> Array:
    """Return what W would be with zeros around the image."""
    axis = A.geometry.axes[0]
    pads = ((axis.before, axis.after),)
    inner = Conv(A.weight, axis.size, padding=pads, stride=axis.stride, dilation=axis.dilation)
    return inner.toarray()


@pytest.mark.parametrize("steps", [1, 2, 3])
@pytest.mark.parametrize("stride", [1, 2, 3, 5])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("boundary", FOLDING)
@pytest.mark.parametrize("pads", [(4, 3), (1, 1), (0, 5)])
def test_no_output_reads_across_two_steps_and_the_pieces_bound_the_norm(
    boundary: str, dilation: int, stride: int, pads: tuple[int, int], steps: int
) -> None:
    weight = np.array([3.0, -1, 2, -2, 1])
    A = Conv(weight, 80, padding=(pads,), stride=stride, dilation=dilation, boundary=boundary)
    W, (axis,) = A.toarray(), A.geometry.axes
    found = cut(axis, without_ends(axis), steps)
    if _apart(axis):
        assert found.factor == pytest.approx(1 / cos(pi / 4 / steps), rel=1e-15)
    else:
        steps = 1
        assert found.factor == 1
    theta = turning(axis, steps)
    for row in W:
        read = theta[row != 0]
        assert np.ptp(read) <= (pi / 2 / steps + 1e-12 if _apart(axis) else 0)
        r = (read.max() + read.min()) / 2
        np.testing.assert_allclose(np.cos(r - read), cos(np.ptp(read) / 2))
    phi = np.stack([np.maximum(np.cos(theta), 0), np.sin(theta), np.maximum(-np.cos(theta), 0)])
    np.testing.assert_allclose((phi**2).sum(axis=0), 1)
    inside, *ends = found.pieces
    assert inside == without_ends(axis).line
    left, within, right = (W[:, part > 1e-12] for part in phi)
    np.testing.assert_array_equal(within, inner_of(A)[:, phi[1] > 1e-12])
    assert [end.shape[2] for end in ends if isinstance(end, Section)] == [
        part.shape[1] for part in (left, right) if part.any()
    ]
    norms = np.array([np.linalg.norm(part, 2) for part in (within, left, right) if part.any()])
    assert np.linalg.norm(W, 2) <= joined(norms, [found.spill]) * (1 + 1e-12)
    assert joined(norms, [found.spill]) <= norms.max() * found.factor * (1 + 1e-12)


def test_the_factor_is_attained() -> None:
    # One step of a kernel [1, 1] at its worst: the output across it reads two samples of two pieces.
    axis = Axis(4, 2, 1, 1, 1, 0, "symmetric")
    found = cut(axis, without_ends(axis), 1)
    for across in (np.array([[1.0, 1.0]]), np.array([[3.0, 4.0]]), np.array([[5.0, 2.0]])):
        halves = np.array([np.linalg.norm(across[:, :1], 2), np.linalg.norm(across[:, 1:], 2)])
        assert np.linalg.norm(across, 2) == pytest.approx(joined(halves, [found.spill]), rel=1e-15)
    assert found.factor == pytest.approx(np.sqrt(2), rel=1e-15)


def test_axes_are_joined_one_after_another() -> None:
    norms = np.array([[3.0, 4.0], [0.0, 12.0], [1.0, 0.0]])
    along = np.sqrt([4**2 + 0.5 * 3**2, 12**2, 1])
    assert joined(norms, [0.25, 0.5]) == pytest.approx(
        np.sqrt(along[1] ** 2 + 0.25 * along[0] ** 2), rel=1e-15
    )
    assert joined(np.array([[5.0]]), [0.0, 0.0]) == 5


def test_more_steps_cost_less_and_take_longer_ends() -> None:
    axis = Axis(400, 3, 1, 1, 1, 1, "reflect")
    cuts = [cut(axis, without_ends(axis), steps) for steps in (1, 2, 4, 16)]
    widths = [found.pieces[1].shape[2] for found in cuts]
    assert widths == [2, 4, 8, 32]
    assert [round(found.factor, 4) for found in cuts] == [1.4142, 1.0824, 1.0196, 1.0012]


def test_an_axis_too_short_for_so_many_steps_is_cut_in_fewer() -> None:
    axis = Axis(14, 3, 1, 1, 1, 1, "reflect")
    found = cut(axis, without_ends(axis), 9)
    assert found.factor == pytest.approx(1 / cos(pi / 12), rel=1e-15)
    assert [part.shape[2] for part in found.pieces if isinstance(part, Section)] == [6, 6]


def test_outputs_that_share_no_sample_are_told_apart_at_no_cost() -> None:
    A = Conv([1.0, -2, 3], 31, padding=((2, 2),), stride=3, boundary="edge")
    (axis,) = A.geometry.axes
    found = cut(axis, without_ends(axis), 3)
    assert found.factor == 1
    assert [part.shape[2] for part in found.pieces if isinstance(part, Section)] == [1, 3]


def test_an_end_that_no_output_reads_is_no_piece() -> None:
    axis = Axis(20, 2, 4, 1, 1, 0, "edge")
    assert axis.out_size == 5
    inside, *ends = cut(axis, without_ends(axis), 1).pieces
    assert inside == without_ends(axis).line
    assert [end.shape[1:] for end in ends if isinstance(end, Section)] == [(1, 3)]


@pytest.mark.parametrize(
    "axis",
    [
        Axis(5, 5, 1, 1, 2, 2, "reflect"),
        Axis(31, 3, 2, 1, 30, 0, "reflect"),
        Axis(31, 3, 2, 1, 1, 1, "wrap"),
    ],
)
def test_an_axis_that_is_short_or_read_from_end_to_end_stays_whole(axis: Axis) -> None:
    found = cut(axis, without_ends(axis), 2)
    (whole,) = found.pieces
    assert isinstance(whole, Section)
    assert whole.shape[1:] == (axis.out_size, axis.size)
    assert found.factor == 1


def test_padding_of_any_width_is_folded_into_one_sample_of_an_edge() -> None:
    axis = Axis(30, 3, 1, 1, 900, 900, "edge")
    ends = cut(axis, without_ends(axis), 2).pieces[1:]
    assert [end.shape[1:] for end in ends if isinstance(end, Section)] == [(903, 3), (903, 3)]


def test_an_axis_without_ends_that_fold_has_none_to_cut() -> None:
    axis = Axis(30, 3, 1, 1, 1, 1, "zeros")
    line = without_ends(axis)
    assert cut(axis, line, 2).pieces == [line.line]
    assert isinstance(uncut(axis, line).pieces[0], Section)
    exact = line._replace(is_exact=True)
    assert uncut(axis, exact).pieces == [line.line]


def test_a_very_long_axis_is_not_taken_as_a_whole() -> None:
    axis = Axis(2**19, 3, 1, 1, 1, 1, "reflect")
    assert uncut(axis, without_ends(axis)).factor == inf
    assert cut(axis, without_ends(axis), 8).factor < 1.005
