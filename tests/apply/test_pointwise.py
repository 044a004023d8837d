"""Products of the channels of each place against the loops."""

import numpy as np
import pytest

from convops.apply import _pointwise
from convops.apply._pointwise import Pointwise
from registry import Case
from tilings import (
    GEOMETRIES,
    PRECISIONS,
    assert_every_gradient_is_paired_with_its_matrices,
    assert_every_tiling_is_the_matrix,
    small_blocks,
    tilings_of,
)

POINTWISE = [
    Case("1d", (3, 2, 1), (2, 7)),
    Case("2d", (5, 3, 1, 1), (3, 4, 6)),
    Case("2d, one channel out", (1, 4, 1, 1), (4, 5, 3)),
    Case("2d, one channel in", (4, 1, 1, 1), (1, 5, 3)),
    Case("2d, one channel", (1, 1), (4, 5)),
    Case("2d, depthwise", (3, 1, 1, 1), (3, 4, 5), groups=3),
    Case("2d, groups", (6, 2, 1, 1), (4, 5, 3), groups=2),
    Case("2d, of another boundary", (2, 2, 1, 1), (2, 5, 3), boundary="reflect"),
    Case("3d, dilated", (2, 3, 1, 1, 1), (3, 2, 3, 4), dilation=3),
]


@pytest.mark.parametrize("case", POINTWISE, ids=str)
def test_pointwise_products_are_the_matrix(case: Case) -> None:
    assert len(tilings_of(Pointwise, case, "float64", False)) == 1
    assert_every_tiling_is_the_matrix(Pointwise, case)
    with small_blocks():
        assert_every_tiling_is_the_matrix(Pointwise, case)


@pytest.mark.parametrize(("dtype", "of_x"), PRECISIONS)
@pytest.mark.parametrize("case", POINTWISE, ids=str)
def test_pointwise_products_are_the_matrix_in_every_precision(case: Case, dtype: str, of_x: str) -> None:
    assert_every_tiling_is_the_matrix(Pointwise, case, dtype, of_x)


def test_they_are_for_places_that_read_themselves_alone() -> None:
    for case in GEOMETRIES:
        if tilings_of(Pointwise, case, "float64", False):
            assert set(case.kernel) == {1}
            assert case.output_shape[-len(case.kernel) :] == case.input_shape[-len(case.kernel) :]
    for case in (
        Case("stride", (3, 2, 1, 1), (2, 4, 5), stride=2),
        Case("padding", (3, 2, 1, 1), (2, 4, 5), padding=((1, 0), (0, 0))),
    ):
        assert not tilings_of(Pointwise, case, "float64", False)


def test_items_are_shared_where_blas_shares_none(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case("2d", (5, 3, 1, 1), (3, 4, 6))
    seconds: list[float] = []
    monkeypatch.setattr(_pointwise, "share", lambda work, items, cost: seconds.append(cost) or work(items))
    x, y = np.ones((4, 1, 3, 4, 6)), np.empty((4, 1, 5, 4, 6))
    for most in (0, 10**6):
        monkeypatch.setattr(_pointwise, "small_product", lambda dtype, most=most: most)
        (tiling,) = tilings_of(Pointwise, case, "float64", False)
        tiling.run(x, y, tiling.matrices(np.ones((1, 5, 3, 1, 1))))
        assert (y == 3).all()
    assert seconds[0] == 0 < seconds[1]


def test_one_channel_is_multiplied_without_blas_and_always_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds: list[float] = []
    monkeypatch.setattr(_pointwise, "share", lambda work, items, cost: seconds.append(cost) or work(items))
    monkeypatch.setattr(_pointwise, "small_product", lambda dtype: 0)
    monkeypatch.setattr(np, "matmul", None)
    case = Case("2d", (2, 1, 1, 1), (2, 4, 6), groups=2)
    (tiling,) = tilings_of(Pointwise, case, "float64", False)
    y = np.empty((3, 2, 1, 4, 6))
    tiling.run(np.ones((3, 2, 1, 4, 6)), y, tiling.matrices(np.full((2, 1, 1, 1, 1), 7.0)))
    assert (y == 7).all()
    assert seconds[0] > 0


@pytest.mark.parametrize("case", POINTWISE, ids=str)
def test_gradients_of_pointwise_products_are_paired_with_their_matrices(case: Case) -> None:
    assert_every_gradient_is_paired_with_its_matrices(Pointwise, case)
