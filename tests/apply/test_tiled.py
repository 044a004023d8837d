"""A product by tiles has the channels, phases and precision of what it is made of."""

import numpy as np
import pytest

from convops import ConvGeometry
from convops.apply._bands import Bands
from convops.apply._columns import Columns
from convops.apply._sums import Sums
from convops.apply._tiled import TiledProduct, padded_axes, problem_of, readings_of, tilings_of
from convops.apply._whole import Whole
from convops.apply._windows import Windows
from registry import Case
from tilings import GEOMETRIES, KINDS, assert_every_tiling_tells_what_it_spreads, small_blocks

GEOMETRY = ConvGeometry((4, 2, 3, 2), (4, 6, 7), stride=(2, 1), padding=1, groups=2)


def test_zeros_are_found_by_the_tiles_and_other_borders_written_out() -> None:
    assert padded_axes(GEOMETRY) == ()
    mixed = ConvGeometry((3, 3), (6, 7), padding=1, boundary=("zeros", "wrap"))
    assert [(axis.before, axis.after) for axis in padded_axes(mixed)] == [(0, 0), (1, 1)]
    assert padded_axes(ConvGeometry((3, 3), (6, 7), boundary="wrap")) == ()


def test_every_kind_of_tiling_is_to_choose_from() -> None:
    small = {type(tiling) for tiling in tilings_of(problem_of(GEOMETRY, np.dtype("f4"), False))}
    assert small == {Bands, Columns, Sums, Whole}
    line = problem_of(ConvGeometry(5, 9), np.dtype("f4"), False)
    assert Windows in {type(tiling) for tiling in tilings_of(line)}


@pytest.mark.parametrize("adjoint", [False, True])
def test_a_complex_block_is_two_real_ones(adjoint: bool) -> None:
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((2, 2, 2, 3, 2)).astype("f4")
    readings = readings_of(GEOMETRY, adjoint)
    tiling = next(tilings_of(problem_of(GEOMETRY, weight.dtype, adjoint)))
    product = TiledProduct(weight, readings, tiling)
    block = rng.standard_normal((2, 3, 4, *[reading.source for reading in readings])).astype("f4")
    y = product(block[0] + 1j * block[1])
    assert y.dtype == np.complex64
    np.testing.assert_array_equal(y.real, product(block[0]))
    np.testing.assert_array_equal(y.imag, product(block[1]))


@pytest.mark.parametrize("case", GEOMETRIES, ids=str)
def test_a_tiling_that_spreads_what_is_not_finite_tells_so(case: Case) -> None:
    for kind in KINDS:
        assert_every_tiling_tells_what_it_spreads(kind, case)


@pytest.mark.parametrize("case", GEOMETRIES[::3], ids=str)
def test_small_blocks_that_spread_what_is_not_finite_tell_so(case: Case) -> None:
    with small_blocks():
        for kind in KINDS:
            assert_every_tiling_tells_what_it_spreads(kind, case, most=8)


def test_a_weight_that_is_not_finite_makes_every_place_tell() -> None:
    weight = np.zeros((1, 3, 1, 2, 2))
    weight[0, 2, 0, 1, 1] = np.nan
    geometry = ConvGeometry((3, 1, 2, 2), (1, 9, 9), padding=1)
    for tiling in tilings_of(problem_of(geometry, weight.dtype, False)):
        product = TiledProduct(weight, readings_of(geometry, False), tiling)
        with np.errstate(invalid="ignore"):
            assert not product.sound(product(np.ones((1, 1, 9, 9))))
