"""The bound from corners, edges and the inside holds for all W, and is close where they can be told apart."""

from math import inf

import numpy as np
import pytest
from hypothesis import given, settings

from convops import Conv
from convops.spectra import _pieces
from convops.spectra._cuts import uncut
from convops.spectra._pieces import norm_of_pieces
from convops.spectra._symbol import peak, sampled
from registry import CASES, Case, cases, weights_for

FOLDING = ["reflect", "symmetric", "edge", "antireflect"]


@pytest.fixture
def cutting(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave no image whole that can be cut."""
    monkeypatch.setattr(_pieces, "uncut", lambda axis, line: uncut(axis, line)._replace(spill=inf))
    monkeypatch.setattr(_pieces, "_CUTS", (2,))


def true_and_bound(A: Conv, part: float = 1.0, useful: float = inf) -> tuple[float, float | None]:
    """Return numpy's norm of W and the bound that starts from some part of it."""
    true = float(np.linalg.norm(A.toarray(), 2))
    weight = A._map.correlated
    grid = sampled(A.geometry, weight)
    inside = peak(grid.frequencies).value * grid.excess
    return true, norm_of_pieces(A.geometry, weight, part * true, inside, useful * true)


@pytest.mark.parametrize("part", [0.6, 1.0])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_norm_of_the_dense_matrix_is_no_larger(case: Case, part: float) -> None:
    A = Conv(weights_for(case, "complex128"), case.input_shape, **case.kwargs())
    if not np.abs(A.toarray()).any():
        return
    true, bound = true_and_bound(A, part)
    assert bound is None or true <= bound


@pytest.mark.usefixtures("cutting")
@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("boundary", FOLDING)
def test_nor_is_it_where_all_axes_are_cut(boundary: str, stride: int) -> None:
    for seed in range(4):
        rng = np.random.default_rng(seed)
        kernel = rng.standard_normal((3, 2)) + 1j * rng.standard_normal((3, 2)) * (seed % 2)
        plane = Conv(kernel, (23, 19), padding=1, boundary=boundary, stride=stride)
        line = Conv(rng.standard_normal((2, 3, 3)), (3, 60), padding=3, boundary=boundary, dilation=2)
        for A in (plane, line):
            true, bound = true_and_bound(A)
            assert bound is not None
            assert true <= bound <= 1.2 * true


@given(cases(max_size=1000))
@settings(max_examples=30)
def test_the_norm_of_any_dense_matrix_is_no_larger(case: Case) -> None:
    A = Conv(weights_for(case, "float64"), case.input_shape, **case.kwargs())
    if np.abs(A.toarray()).any():
        true, bound = true_and_bound(A, 0.9)
        assert bound is None or true <= bound


@pytest.mark.parametrize("boundary", ["zeros", *FOLDING])
def test_of_a_small_image_it_is_hardly_larger(boundary: str) -> None:
    weight = np.random.default_rng(0).standard_normal((2, 3, 4, 5))
    A = Conv(weight, (3, 9, 11), padding="same", boundary=boundary, stride=(1, 2))
    true, bound = true_and_bound(A)
    assert bound is not None
    assert true < bound <= 1.001 * true


def test_a_vector_that_attains_less_than_it_could_leads_to_more_steps() -> None:
    A = Conv(np.random.default_rng(0).standard_normal((3, 3)), (12, 13), padding="same", boundary="edge")
    for part in (0.99, 0.9, 0.6):
        true, bound = true_and_bound(A, part)
        assert bound is not None
        assert true <= bound <= 1.34 * true
    assert true_and_bound(A, 0.4)[1] is None


@pytest.mark.usefixtures("cutting")
@pytest.mark.parametrize("boundary", FOLDING)
def test_a_corner_may_be_what_makes_the_norm(boundary: str) -> None:
    A = Conv([[2.0, -1, 0], [1, 3, 1], [0, 1, -2]], (27, 30), padding="same", boundary=(boundary, "edge"))
    true, bound = true_and_bound(A)
    assert bound is not None
    assert true <= bound <= 1.2 * true


@pytest.mark.usefixtures("cutting")
def test_a_grid_keeps_its_excess_beside_a_circle_of_as_many_points(monkeypatch: pytest.MonkeyPatch) -> None:
    weight = np.random.default_rng(0).standard_normal((5, 5))
    A = Conv(weight, (63, 63), padding=((2, 1), (0, 1)), boundary="symmetric")
    grid, circle = _pieces._lines(A.geometry, weight[None, None])
    assert grid.line == circle.line
    assert grid.excess > circle.excess == 1
    monkeypatch.setattr(_pieces, "_norm_of", lambda piece, attained, useful: attained)
    bound = norm_of_pieces(A.geometry, weight, 10.0, 0.0, inf)
    # The inside is nothing here. Beside the edge along the grid is that along the circle, with the corner.
    spill = np.tan(np.pi / 8) ** 2
    assert bound == pytest.approx(10 * np.sqrt(1 + spill + spill * grid.excess**2), rel=1e-9)


@pytest.mark.usefixtures("cutting")
def test_all_pieces_may_be_smaller_than_what_they_are_cut_from(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_pieces, "_CUTS", (1,))
    A = Conv([3, -4, -2, -2, -2], 40, padding="same", boundary="edge")
    W = A.toarray()
    pieces = [np.linalg.norm(piece, 2) for piece in (W[:, :1], W[:, 1:39], W[:, 39:])]
    true, bound = true_and_bound(A, 0.8)
    assert max(pieces) < 0.85 * true
    assert bound is not None
    assert true <= bound <= 1.42 * 0.85 * true


@pytest.mark.usefixtures("cutting")
@pytest.mark.parametrize(
    "lines", [("reflect", "wrap"), ("edge", "zeros"), ("zeros", "antireflect"), ("edge", "symmetric")]
)
def test_axes_that_fold_stand_beside_axes_that_do_not(lines: tuple[str, str]) -> None:
    A = Conv([[1.0, 2, 1], [3, -5, 3], [-1, 0, -1]], (26, 27), padding="same", boundary=lines)
    true, bound = true_and_bound(A)
    assert bound is not None
    assert true * (1 - 1e-12) <= bound <= 1.1 * true


@pytest.mark.usefixtures("cutting")
@pytest.mark.parametrize(("steps", "closeness"), [(1, 1.42), (2, 1.09), (6, 1.01)])
def test_more_steps_bring_the_bound_closer(
    steps: int, closeness: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_pieces, "_CUTS", (steps,))
    weight = np.random.default_rng(1).standard_normal((2, 3, 4))
    A = Conv(weight, (3, 250), padding=((7, 4),), boundary="reflect", stride=2)
    true, bound = true_and_bound(A)
    assert bound is not None
    assert true <= bound <= closeness * true


def test_what_takes_long_or_is_of_no_use_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    A = Conv([[1.0, 2, 1], [3, -5, 3], [-1, 0, -1]], (20, 20), padding="same", boundary="edge")
    assert true_and_bound(A)[1] is not None
    assert true_and_bound(A, useful=1.0)[1] is None
    monkeypatch.setattr(_pieces, "_WORK", 1)
    assert true_and_bound(A)[1] is None


@pytest.mark.parametrize("size", [30, 200])
def test_an_end_with_very_many_outputs_is_taken_by_its_samples(size: int) -> None:
    A = Conv([1.0, -2, 3], size, padding=900, boundary="edge")
    true, bound = true_and_bound(A)
    assert bound is not None
    assert true <= bound <= 1.01 * true


@pytest.mark.usefixtures("cutting")
def test_without_an_end_there_is_nothing_that_the_symbol_does_not_tell() -> None:
    assert true_and_bound(Conv(np.ones((3, 3)), (9, 9), padding="same"))[1] is None


def test_a_bound_that_is_close_is_not_worth_a_long_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    A = Conv([[1.0, 2, 1], [3, -5, 3], [-1, 0, -1]], (20, 20), padding="same", boundary="edge")
    monkeypatch.setattr(_pieces, "_WORK", 2**24)
    assert true_and_bound(A, useful=1.5)[1] is not None
    assert true_and_bound(A, useful=1.002)[1] is None
