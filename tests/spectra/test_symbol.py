"""What the symbol promises: no norm of a section, and no value between the points of a grid, is larger."""

import numpy as np
import pytest

import oracles
from convops import Conv
from convops._axis import Axis
from convops.spectra import _symbol
from convops.spectra._frequencies import Frequencies
from convops.spectra._symbol import extension_norm, norm_of_sizes, peak, sampled
from registry import BOUNDARIES, CASES, Case, magnitude_of, weights_for


@pytest.mark.parametrize("density", [2, 3, 4, 32])
@pytest.mark.parametrize("kernel", range(2, 9))
def test_a_grid_bounds_the_symbol_between_its_points(
    kernel: int, density: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_symbol, "_POINTS_PER_DEGREE", (density,))
    for seed in range(20):
        rng = np.random.default_rng(seed)
        wave = np.exp(2j * np.pi * rng.random() * np.arange(kernel))
        weight = rng.standard_normal((kernel, kernel)) * wave
        fine = np.abs(np.fft.fft2(weight, (256, 256))).max()
        grid = sampled(Conv(weight, (300, 300)).geometry, weight)
        assert [line.points for line in grid.frequencies.axes] == [density * (kernel - 1)] * 2
        assert peak(grid.frequencies).value * grid.factor >= fine
        assert peak(grid.frequencies).value <= fine * (1 + 1e-3)


def test_a_peak_half_way_between_two_points_attains_the_bound() -> None:
    # |1 + exp(iω)|² falls from its peak exactly as the lemma allows.
    grid, excess = _symbol.grid_of(Axis(9, 2, 1, 1, 0, 0, "zeros"), 4)
    assert grid.points == 4
    weight = np.array([1.0, np.exp(1j * np.pi / 4)])
    seen = np.abs(grid.matrix(np.arange(4))[0] @ weight).max()
    assert seen * excess == pytest.approx(2)


@pytest.mark.parametrize(("stride", "dilation"), [(1, 3), (2, 1), (3, 2), (2, 4), (4, 6), (5, 1)])
def test_the_symbol_of_strides_and_dilations_is_the_norm_of_a_long_section(
    stride: int, dilation: int
) -> None:
    weight = np.random.default_rng(3).standard_normal((3, 2, 4))
    A = Conv(weight, (2, 150), stride=stride, dilation=dilation)
    grid = sampled(A.geometry, weight)
    true = np.linalg.norm(A.toarray(), 2)
    assert true * (1 - 1e-12) <= peak(grid.frequencies).value * grid.factor <= 1.03 * true


@pytest.mark.parametrize("dilation", [1, 2, 3, 4])
@pytest.mark.parametrize("stride", [1, 2, 3, 6])
@pytest.mark.parametrize("kernel", [1, 2, 4, 5])
def test_a_short_axis_is_bounded_by_a_circle(kernel: int, stride: int, dilation: int) -> None:
    for size, seed in ((7, 0), (19, 1), (20, 2)):
        weight = np.random.default_rng(seed).standard_normal((3, 2, kernel))
        A = Conv(weight, (2, size), stride=stride, dilation=dilation, padding=((4, 8),))
        (axis,) = A.geometry.axes
        circle, excess = _symbol.line_of(axis, 1000)
        assert circle.points < 40
        assert excess == 1
        bound = peak(Frequencies((circle,), weight[None])).value
        extended = Conv(weight, (2, 4 + size + 8), stride=stride, dilation=dilation)
        assert np.linalg.norm(extended.toarray(), 2) <= bound * (1 + 1e-12)


@pytest.mark.parametrize("size", [1, 2, 5])
@pytest.mark.parametrize("pads", [(0, 0), (1, 0), (2, 3), (11, 7)])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_the_norm_of_an_extension_is_that_of_numpy_pad(
    boundary: str, pads: tuple[int, int], size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    axis, E = Axis(size, 1, 1, 1, *pads, boundary), oracles.extension(size, *pads, boundary)
    assert extension_norm(axis) == pytest.approx(np.linalg.norm(E, 2))
    assert extension_norm(axis, of_moduli=True) >= np.linalg.norm(np.abs(E), 2) * (1 - 1e-12)
    monkeypatch.setattr(_symbol, "_EXACT_BORDER", 0)
    assert extension_norm(axis) >= np.linalg.norm(E, 2) * (1 - 1e-12)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_scale_of_rounding_bounds_all_that_is_added_up(case: Case) -> None:
    weight = weights_for(case, "complex128")
    geometry = Conv(weight, case.input_shape, **case.kwargs()).geometry
    magnitude, _ = magnitude_of(case, weight)
    assert norm_of_sizes(geometry, weight) >= np.linalg.norm(magnitude, 2) * (1 - 1e-12)


def test_grids_become_coarser_where_blocks_are_large() -> None:
    weight = np.random.default_rng(0).standard_normal((96, 96, 3, 3))
    grid = sampled(Conv(weight, (96, 50, 50)).geometry, weight)
    assert [line.points for line in grid.frequencies.axes] == [16, 16]
    assert grid.factor < 1.05
