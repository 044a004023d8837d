"""The bound from corners, edges and the inside holds for all W, and is close where they can be told apart."""

import numpy as np
import pytest
from hypothesis import given, settings

import oracles
from convops import Conv
from convops._axis import Axis
from convops.spectra import _pieces
from convops.spectra._pieces import norm_of_pieces
from registry import CASES, Case, cases, weights_for

FOLDING = ["reflect", "symmetric", "edge", "antireflect"]


def true_and_bound(A: Conv, columns: int) -> tuple[float, float]:
    found = norm_of_pieces(A.geometry, A.weight, columns)
    assert found is not None
    return float(np.linalg.norm(A.toarray(), 2)), found.value


@pytest.mark.parametrize("columns", [4, 100])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_norm_of_the_dense_matrix_is_no_larger(case: Case, columns: int) -> None:
    weight = weights_for(case, "complex128")
    A = Conv(weight, case.input_shape, **case.kwargs())
    found = norm_of_pieces(A.geometry, A._map.correlated, columns)
    assert found is None or np.linalg.norm(A.toarray(), 2) <= found.value * (1 + 1e-12)


@given(cases(max_size=1000))
@settings(max_examples=30)
def test_the_norm_of_any_dense_matrix_is_no_larger(case: Case) -> None:
    weight = weights_for(case, "float64")
    A = Conv(weight, case.input_shape, **case.kwargs())
    true = np.linalg.norm(A.toarray(), 2)
    for columns in (9, 36):
        found = norm_of_pieces(A.geometry, A._map.correlated, columns)
        assert found is None or true <= found.value * (1 + 1e-12) + 1e-12


@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("dilation", [1, 2])
@pytest.mark.parametrize("boundary", FOLDING)
def test_longer_ends_bring_the_bound_closer(boundary: str, dilation: int, stride: int) -> None:
    weight = np.random.default_rng(1).standard_normal((2, 3, 4))
    A = Conv(weight, (3, 203), padding=((7, 4),), boundary=boundary, dilation=dilation, stride=stride)
    loose, close, closest = (true_and_bound(A, 3 * width) for width in (16, 32, 64))
    assert loose[0] <= closest[1] < close[1] < loose[1]
    assert closest[1] <= 1.02 * closest[0]


@pytest.mark.parametrize("boundary", FOLDING)
def test_a_corner_may_be_what_makes_the_norm(boundary: str) -> None:
    A = Conv([[2.0, -1, 0], [1, 3, 1], [0, 1, -2]], (30, 33), padding="same", boundary=(boundary, "edge"))
    true, bound = true_and_bound(A, 200)
    assert true <= bound <= 1.06 * true


@pytest.mark.parametrize(
    "lines", [("reflect", "wrap"), ("edge", "zeros"), ("zeros", "antireflect"), ("edge", "symmetric")]
)
def test_axes_that_fold_stand_beside_axes_that_do_not(lines: tuple[str, str]) -> None:
    A = Conv([[1.0, 2, 1], [3, -5, 3], [-1, 0, -1]], (32, 31), padding="same", boundary=lines)
    true, bound = true_and_bound(A, 300)
    assert true * (1 - 1e-12) <= bound <= 1.03 * true


def test_an_end_that_reads_the_whole_axis_is_not_cut_off() -> None:
    for padding, boundary in (((30, 0), "reflect"), ((1, 1), "wrap")):
        A = Conv([1.0, -2.0, 3.0], 31, padding=(padding,), boundary=boundary, stride=2)
        cut = _pieces._cuts(A.geometry, A.weight[None, None], 12)[0]
        assert not cut.sections
        true, bound = true_and_bound(A, 12)
        assert true <= bound


@pytest.mark.parametrize("boundary", FOLDING)
def test_a_section_has_all_that_its_samples_give(boundary: str) -> None:
    axis = Axis(20, 3, 2, 2, 3, 4, boundary)
    E = oracles.extension(20, 3, 4, boundary)
    whole = np.stack([E[2 * tap : 2 * tap + 2 * axis.out_size : 2][: axis.out_size] for tap in range(3)])
    for start, stop in ((0, 20), (0, 8), (12, 20)):
        section = _pieces._section(axis, start, stop)
        of_samples = whole[:, :, start:stop]
        rows = of_samples.any(axis=(0, 2))
        assert section.shape[1] >= rows.sum()
        gram = np.einsum("kpm,lpn->klmn", section, section)
        np.testing.assert_array_equal(gram, np.einsum("kpm,lpn->klmn", of_samples, of_samples))


def test_large_pieces_are_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    A = Conv(np.ones((3, 3)), (50, 50), padding="same", boundary="edge")
    assert norm_of_pieces(A.geometry, A.weight, 100) is not None
    monkeypatch.setattr(_pieces, "_WORK", 1)
    assert norm_of_pieces(A.geometry, A.weight, 100) is None


@pytest.mark.parametrize("size", [30, 200])
def test_an_end_with_very_many_outputs_stays_where_it_is(size: int) -> None:
    A = Conv([1.0, -2, 3], size, padding=900, boundary="edge")
    assert not _pieces._cuts(A.geometry, A.weight[None, None], 40)[0].sections
    true, bound = true_and_bound(A, 40)
    assert true <= bound
    assert norm_of_pieces(A.geometry, A.weight, 600) is not None


def test_many_outputs_of_a_corner_make_it_large() -> None:
    A = Conv(np.ones((50, 1, 3, 3)), (1, 40, 40), padding=1, boundary="edge")
    assert norm_of_pieces(A.geometry, A.weight, 100) is None
