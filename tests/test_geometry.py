"""`ConvGeometry` against the loops, over the registry."""

import pickle
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given, settings

from convops import ConvGeometry
from registry import CASES, Case, cases, magnitude_of
from tilings import geometry_of


@pytest.mark.parametrize("case", CASES, ids=str)
def test_sizes_are_those_of_the_loops(case: Case) -> None:
    geometry, loops = geometry_of(case), case.loops()
    assert geometry.output_shape == case.output_shape
    assert geometry.shape == case.shape
    assert geometry.spatial_shape == case.spatial
    assert geometry.kernel_size == case.kernel
    assert geometry.has_channels == case.has_channels
    assert geometry.in_channels == (case.input_shape[0] if case.has_channels else 1)
    assert geometry.out_channels == (case.weight_shape[0] if case.has_channels else 1)
    assert geometry.padding == tuple(loops["padding"])
    assert (geometry.stride, geometry.dilation) == (loops["stride"], loops["dilation"])
    assert (geometry.groups, geometry.boundary) == (case.groups, loops["boundary"])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_nnz_is_the_number_of_pairs_that_any_tap_joins(case: Case) -> None:
    joined, _ = magnitude_of(case, np.ones(case.weight_shape, int))
    assert geometry_of(case).nnz == np.count_nonzero(joined)


@given(cases())
@settings(max_examples=40)
def test_nnz_is_known_for_any_geometry(case: Case) -> None:
    joined, _ = magnitude_of(case, np.ones(case.weight_shape, int))
    assert geometry_of(case).nnz == np.count_nonzero(joined)


def test_nbytes_adds_up_the_three_arrays() -> None:
    geometry = ConvGeometry((2, 2), (3, 3))
    assert geometry.nbytes() == 16 * 8 + 16 * 4 + 5 * 4
    assert geometry.nbytes("complex128") == 16 * 16 + 16 * 4 + 5 * 4
    assert geometry.nbytes(np.int8) == 16 * 1 + 16 * 4 + 5 * 4


def test_indices_take_eight_bytes_once_four_do_not_suffice() -> None:
    # 46341 ** 2 is the first square beyond int32.
    assert ConvGeometry((1, 1), (46340, 46340)).index_itemsize == 4
    wide = ConvGeometry((1, 1), (46341, 46341))
    assert wide.index_itemsize == 8
    assert wide.nbytes() == 46341**2 * (8 + 8) + (46341**2 + 1) * 8


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_geometry_equals_and_hashes_as_its_canonical_self(case: Case) -> None:
    geometry = geometry_of(case)
    again = ConvGeometry(
        list(case.weight_shape),
        np.array(case.input_shape),
        stride=geometry.stride,
        padding=geometry.padding,
        dilation=list(geometry.dilation),
        groups=np.int32(case.groups),
        boundary=list(geometry.boundary),
    )
    assert geometry == again
    assert hash(geometry) == hash(again)
    assert eval(repr(geometry), {"ConvGeometry": ConvGeometry}) == geometry
    copy = pickle.loads(pickle.dumps(geometry))
    assert copy == geometry
    assert copy.nnz == geometry.nnz


def test_geometries_that_differ_are_not_equal() -> None:
    assert ConvGeometry(3, 8) != ConvGeometry(3, 8, stride=2)
    assert ConvGeometry(3, 8, padding=1) == ConvGeometry(3, 8, padding="same")


def test_a_geometry_cannot_be_changed() -> None:
    geometry = ConvGeometry(3, 8)
    with pytest.raises(FrozenInstanceError):
        geometry.stride = (2,)  # type: ignore[misc]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_transpose_of_what_a_geometry_returns_is_that_geometry(case: Case) -> None:
    geometry = geometry_of(case)
    for wanted in (case.input_shape, case.spatial):
        back = ConvGeometry.transposed(
            case.weight_shape, geometry.output_shape, **case.geometry(), output_shape=wanted
        )
        assert back == geometry


def test_the_shape_round_trip_with_channels() -> None:
    same = {"stride": 3, "padding": 2}
    forth = ConvGeometry((20, 10, 5, 5), (10, 16, 16), **same)
    assert forth.output_shape == (20, 6, 6)
    assert ConvGeometry.transposed((20, 10, 5, 5), (20, 6, 6), **same).input_shape == (10, 16, 16)


def test_explain_writes_out_the_arithmetic() -> None:
    text = ConvGeometry((3, 1, 4), (3, 10), stride=3, padding=((2, 0),), groups=3, boundary="wrap").explain()
    assert text.splitlines() == [
        "convolution: input_shape (3, 10) -> output_shape (3, 3)",
        'axis 0: size 10, kernel 4, stride 3, padding (2, 0), dilation 1, boundary "wrap"',
        "  effective = dilation * (kernel - 1) + 1 = 1 * (4 - 1) + 1 = 4",
        "  out_size = (size + before + after - effective) // stride + 1 = (10 + 2 + 0 - 4) // 3 + 1 = 3",
        "  q = stride * p + dilation * k - before = 3 * p + 1 * k - 2",
        "  a transpose with these pads that reads 3 returns 8 (output_padding=0) or 9 (output_padding=1) or "
        "10 (output_padding=2)",
        "channels: 3 in, 3 out, 3 groups",
        "W: shape (9, 30), nnz = 36, 472 bytes in float64 with int32 indices",
    ]


def test_arithmetic_on_sizes_that_no_machine_holds() -> None:
    geometry = ConvGeometry((5, 5), (2**30, 2**31), stride=(1, 2**20), padding="same", boundary="reflect")
    assert geometry.output_shape == (2**30, 2**11)
    assert geometry.nnz == (5 * 2**30 - 2 * (2 + 1)) * (5 * 2**11)
    assert "nnz" in geometry.explain()
