"""The matrix-free engine against the loops."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings

from convops import ConvGeometry
from convops.apply import gemm
from convops.apply._whole import Whole
from convops.apply.cost import _APART, BORDER, copy_seconds
from oracles import assert_within_rounding
from registry import CASES, FLOATS, Case, cases, inputs_for, magnitude_of, matrix_of, outputs_for, weights_for
from tilings import block_of, engine_of


@pytest.mark.parametrize("case", CASES, ids=str)
def test_both_directions_are_those_of_the_loops(case: Case) -> None:
    for dtype in FLOATS:
        weight = weights_for(case, dtype)
        engine, W = engine_of(case, weight), matrix_of(case, weight)
        magnitude, terms = magnitude_of(case, weight)
        x, y = ([make(case, dtype, seed) for seed in (0, 1)] for make in (inputs_for, outputs_for))
        there, back = engine.forward(block_of(case, x)), engine.adjoint(block_of(case, y))
        assert there.dtype == back.dtype == dtype
        for item, one in zip(there, x, strict=True):
            assert_within_rounding(item.ravel(), W @ one.ravel(), magnitude @ abs(one.ravel()), terms)
        for item, one in zip(back, y, strict=True):
            assert_within_rounding(
                item.ravel(), W.conj().T @ one.ravel(), magnitude.T @ abs(one.ravel()), terms
            )


@given(cases())
@settings(max_examples=60)
def test_integers_are_exact_on_any_geometry(case: Case) -> None:
    weight, x, y = (make(case, "int64") for make in (weights_for, inputs_for, outputs_for))
    engine, W = engine_of(case, weight), matrix_of(case, weight)
    np.testing.assert_array_equal(engine.forward(block_of(case, [x])).ravel(), W @ x.ravel())
    np.testing.assert_array_equal(engine.adjoint(block_of(case, [y])).ravel(), W.T @ y.ravel())


@pytest.mark.parametrize("dtype", ["int8", "uint8", "float32"])
def test_a_border_that_rises_leaves_the_range_of_a_narrow_operand(dtype: str) -> None:
    case = next(case for case in CASES if case.name == "1d antireflect, three times folded")
    weight, x = weights_for(case), (inputs_for(case, "float64") * 100).astype(dtype)
    magnitude, terms = magnitude_of(case, weight)
    y = engine_of(case, weight).forward(block_of(case, [x])).ravel()
    assert y.dtype == np.float64
    assert_within_rounding(y, matrix_of(case, weight) @ x, magnitude @ abs(x.astype(float)), terms)


@pytest.mark.parametrize("case", CASES[::5], ids=str)
def test_the_result_is_new_memory_and_the_operand_is_only_read(case: Case) -> None:
    weight, x, y = (make(case) for make in (weights_for, inputs_for, outputs_for))
    engine = engine_of(case, weight)
    for apply, operand in ((engine.forward, x), (engine.adjoint, y)):
        block = block_of(case, [operand])
        block.flags.writeable = False
        result = apply(block)
        assert not np.shares_memory(result, block)
        assert not np.shares_memory(result, weight)
        assert not np.shares_memory(result, apply(block))


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64"])
def test_a_small_product_is_made_whole_whatever_tiles_would_multiply(dtype: str) -> None:
    for adjoint in (False, True):
        small = gemm.tiling_of(ConvGeometry((3, 3), (8, 8), padding="same"), np.dtype(dtype), adjoint)
        larger = gemm.tiling_of(ConvGeometry((3, 3), (30, 30), padding="same"), np.dtype(dtype), adjoint)
        assert isinstance(small, Whole)
        assert not isinstance(larger, Whole)


def test_the_estimate_counts_what_a_stride_reads_one_by_one_and_what_a_border_takes() -> None:
    single = np.dtype("float32")

    def beyond_its_tiles(**geometry: Any) -> float:
        g = ConvGeometry((4, 2, 3, 2), (4, 30, 60), groups=2, **geometry)
        return gemm.estimate(g, single).seconds - gemm.tiling_of(g, single, False).cost.seconds - gemm.CALL

    assert beyond_its_tiles() == pytest.approx(0)
    assert beyond_its_tiles(stride=(2, 1), padding=1) == pytest.approx(0)
    # Two of four samples are read, by the two taps.
    steps = copy_seconds(4 * 30 * 30, 15, single) + 4 * 30 * 30 * _APART
    assert beyond_its_tiles(stride=(1, 4)) == pytest.approx(steps)
    written = copy_seconds(4 * 32 * 62, 62, single)
    assert beyond_its_tiles(padding=1, boundary="wrap") == pytest.approx(2 * BORDER + written)
