"""Which tiles are taken, and what the cost model says of them."""

from dataclasses import replace
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convops import ConvGeometry
from convops.apply import _fft_plan, fft
from convops.apply._fft_plan import Plan, plan_of
from convops.apply._tiles import chunks_of, line_of, tile_of_length, tiles_of, whole_tile
from convops.apply.cost import _APART, Cost, copy_seconds
from registry import FLOATS, Case, cases
from tilings import GEOMETRIES, LONGER, geometry_of

FLOAT64 = np.dtype(np.float64)
# Sizes at which tiles are chosen, one way or the other.
LARGE = (
    Case("1d short kernel", (9,), (300_000,), padding="same"),
    Case("1d long kernel", (3000,), (9000,), padding="full"),
    Case("1d strides", (50,), (40_000,), 4, "same", 3),
    Case("2d", (7, 5), (1100, 900), padding="same"),
    Case("2d wrap", (7, 7), (512, 512), padding="same", boundary="wrap"),
    Case("2d channels", (8, 8, 5, 5), (8, 260, 250), padding="same"),
    Case("2d groups", (6, 1, 9, 9), (6, 300, 200), padding="same", groups=6, boundary="reflect"),
    Case("3d", (5, 3, 3), (60, 70, 50), 1, "same"),
)


def tried(case: Case, dtype: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Plan, list[Plan]]:
    """Return the plan of a case, and all plans that were compared."""
    plans: list[Plan] = []
    planned = _fft_plan._planned

    def noted(*given: Any) -> Plan:
        plans.append(planned(*given))
        return plans[-1]

    monkeypatch.setattr(_fft_plan, "_planned", noted)
    plan_of.cache_clear()
    return plan_of(geometry_of(case), np.dtype(dtype)), plans


def lengths_of(plan: Plan) -> tuple[int, ...]:
    return tuple(tile.length for tile in plan.tiles)


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize("case", LARGE, ids=str)
def test_the_plan_chosen_costs_least_of_those_tried(
    case: Case, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan, plans = tried(case, dtype, monkeypatch)
    assert plan.price == min(other.price for other in plans)
    assert len({lengths_of(other) for other in plans}) > 2 * len(case.kernel)
    assert plans[0].tiles == tuple(
        whole_tile(line, plan.real and number == len(plan.tiles) - 1)
        for number, line in enumerate(plans[0].lines)
    )


@pytest.mark.parametrize("dtype", ["float64", "complex64"])
@pytest.mark.parametrize("case", LARGE[:3], ids=str)
def test_no_tile_of_one_axis_to_choose_from_is_cheaper_than_the_one_chosen(case: Case, dtype: str) -> None:
    geometry, dtype = geometry_of(case), np.dtype(dtype)
    plan = plan_of(geometry, dtype)
    tiles = tiles_of(line_of(geometry.axes[0], False), plan.real)
    assert plan.tiles[0] in tiles
    for tile in tiles:
        other = plan_of(geometry, dtype, (0 if tile.whole else tile.length,))
        assert other.tiles == (tile,)
        assert plan.price <= other.price


def test_a_short_kernel_has_short_tiles_and_a_small_input_a_single_one() -> None:
    plan = plan_of(geometry_of(LARGE[0]), FLOAT64)
    assert not plan.tiles[0].whole
    assert plan.tiles[0].length < 10_000
    for case in GEOMETRIES:
        assert all(tile.whole for tile in plan_of(geometry_of(case), FLOAT64).tiles)


def test_short_tiles_on_all_axes_are_found_where_one_axis_alone_is_better_off_whole() -> None:
    geometry = ConvGeometry((16, 16, 3, 3), (16, 128, 128), padding=1)
    dtype = np.dtype(np.float32)
    plan = plan_of(geometry, dtype)
    assert not any(tile.whole for tile in plan.tiles)
    whole, one = [plan_of(geometry, dtype, lengths) for lengths in [(0, 0), (lengths_of(plan)[0], 0)]]
    assert plan.price < whole.price < one.price


def test_what_is_small_is_not_thought_about(monkeypatch: pytest.MonkeyPatch) -> None:
    for case in GEOMETRIES:
        plan, plans = tried(case, "float64", monkeypatch)
        assert plans == [plan]


@pytest.mark.parametrize("case", GEOMETRIES, ids=str)
def test_forced_lengths_are_used_and_zero_is_one_tile(case: Case) -> None:
    geometry = geometry_of(case)
    spans = [line_of(axis, False).span for axis in geometry.axes]
    for lengths in (tuple(spans), tuple(span + 3 for span in spans), (0, *[span + 1 for span in spans[1:]])):
        plan = plan_of(geometry, FLOAT64, lengths)
        for axis, line, tile, length in zip(geometry.axes, plan.lines, plan.tiles, lengths, strict=True):
            if length:
                assert tile == tile_of_length(line_of(axis, False), length)
                assert not line.circular
            else:
                assert tile == whole_tile(line, True)


@pytest.mark.parametrize("dtype", FLOATS)
def test_frequencies_are_those_of_the_transform_of_a_tile(dtype: str) -> None:
    for case in GEOMETRIES[::4]:
        plan = plan_of(geometry_of(case), np.dtype(dtype))
        tile = np.zeros(lengths_of(plan))
        spectrum = np.fft.fftn(tile) if plan.dtype.kind == "c" else np.fft.rfftn(tile)
        assert plan.frequencies == spectrum.shape
        assert plan.real == (np.dtype(dtype).kind == "f")


@given(cases(), st.sampled_from(FLOATS))
@settings(max_examples=60)
def test_only_a_wrapped_axis_that_the_stride_divides_is_a_circle(case: Case, dtype: str) -> None:
    plan = plan_of(geometry_of(case), np.dtype(dtype))
    loops = case.loops()
    fast = {
        True: (1, 2, 3, 4, 5, 6, 8, 9, 10, 12, 15, 16, 18, 20),
        False: (*range(1, 13), 14, 15, 16, 18, 20),
    }
    for number, (line, tile) in enumerate(zip(plan.lines, plan.tiles, strict=True)):
        size, step = case.spatial[number], loops["stride"][number]
        wraps = loops["boundary"][number] == "wrap" and size % step == 0
        halved = plan.real and number == len(plan.lines) - 1
        assert line.circular == (wraps and size // step in fast[halved])
        if line.circular:
            assert (tile.length, line.size) == (size // step, size)


@pytest.mark.parametrize("piece", [2**9, 2**14, 2**20])
@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_pieces_hold_as_many_tiles_as_fit_and_are_counted(
    dtype: str, piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_fft_plan, "PIECE", piece)
    itemsize = np.empty(0, dtype).real.itemsize
    for case in (*LONGER, *LARGE[5:7]):
        geometry = geometry_of(case)
        for lengths in ((), tuple(line_of(axis, False).span + 5 for axis in geometry.axes)):
            plan = plan_of.__wrapped__(geometry, np.dtype(dtype), lengths)
            channels = geometry.in_channels // geometry.groups
            channels *= prod(len(line.phases) for line in plan.lines)
            assert (plan.rows, plan.columns) == (geometry.out_channels // geometry.groups, channels)
            one = prod(plan.frequencies) * 2 * itemsize * (plan.rows + channels)
            assert plan.piece == one * plan.stack
            assert plan.stack == 1 or plan.piece <= piece
            counts = [
                len(chunks_of(line, tile, False, plan.stack if number == plan.lane else 1, 0))
                for number, (line, tile) in enumerate(zip(plan.lines, plan.tiles, strict=True))
            ]
            groups = min(max(piece // plan.piece, 1), plan.groups)
            assert plan.pieces == prod(counts) * -(-plan.groups // groups)


def test_the_axis_with_most_tiles_has_several_in_a_piece() -> None:
    case = Case("2d", (3, 3), (40, 90), padding="same")
    for lengths, lane, stack in [((8, 8), 1, 15), ((5, 50), 0, 14), ((0, 9), 1, 13), ((0, 0), 0, 1)]:
        plan = plan_of(geometry_of(case), FLOAT64, lengths)
        assert (plan.lane, plan.stack) == (lane, stack)


def test_matrices_mix_many_channels_and_take_many_tiles_or_one() -> None:
    for rows, columns, stride, mixed in [
        (8, 8, 1, True),
        (16, 4, 1, True),
        (7, 9, 1, False),
        (3, 40, 1, False),
        (4, 8, 2, True),
        (4, 8, 1, False),
    ]:
        case = Case("channels", (2 * rows, columns, 3), (2 * columns, 50), stride, "same", groups=2)
        assert plan_of(geometry_of(case), FLOAT64).matrices == mixed
    case = Case("channels", (8, 8, 3), (8, 50), padding="same")
    assert plan_of(geometry_of(case), FLOAT64, (27,)).stack == 1
    assert plan_of(geometry_of(case), FLOAT64, (7,)).stack == 10


def test_of_two_plans_that_take_as_long_the_one_of_more_pieces_is_preferred() -> None:
    plan = plan_of(geometry_of(LARGE[0]), FLOAT64)
    few, many = plan._replace(pieces=1), plan._replace(pieces=100)
    assert plan.cost.seconds < many.price < few.price


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_estimate_grows_with_every_size_and_with_the_batch(dtype: str) -> None:
    small = Case("small", (2, 2, 3, 3), (2, 100, 90), padding="same")
    larger = [
        replace(small, name="wider", input_shape=(2, 100, 200)),
        replace(small, name="higher", input_shape=(2, 220, 90)),
        replace(small, name="channels out", weight_shape=(4, 2, 3, 3)),
        replace(small, name="channels in", weight_shape=(2, 4, 3, 3), input_shape=(4, 100, 90)),
        replace(small, name="groups", weight_shape=(4, 2, 3, 3), input_shape=(4, 100, 90), groups=2),
    ]
    least = fft.estimate(geometry_of(small), np.dtype(dtype))
    assert min(least) > 0
    for case in larger:
        assert all(np.greater(fft.estimate(geometry_of(case), np.dtype(dtype)), least)), case.name
    assert fft.estimate(geometry_of(small), np.dtype(dtype), 7) == pytest.approx([7 * part for part in least])


def test_a_wider_type_and_complex_data_take_longer() -> None:
    for case in LARGE:
        single, double, complex_single, complex_double = (
            fft.estimate(geometry_of(case), np.dtype(dtype)).seconds for dtype in FLOATS
        )
        assert single < double < complex_double
        assert single < complex_single < complex_double


def test_an_extension_that_is_written_out_is_paid_for_and_a_period_is_not() -> None:
    zeros = Case("zeros", (5, 5), (400, 400), padding=8)
    wrapped = replace(zeros, boundary="wrap", padding="same")
    reflected = replace(zeros, boundary="reflect")
    seconds = [fft.estimate(geometry_of(case), FLOAT64).seconds for case in (wrapped, zeros, reflected)]
    assert seconds[1] < seconds[2]
    plan = plan_of(geometry_of(wrapped), FLOAT64)
    assert not any(line.extended for line in plan.lines)
    assert all(line.extended for line in plan_of(geometry_of(reflected), FLOAT64).lines)


@pytest.mark.parametrize(("kernel", "remainders"), [(5, 3), (2, 2), (1, 1)])
def test_samples_that_are_taken_in_steps_are_paid_for_one_by_one(
    kernel: int, remainders: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    geometry = geometry_of(Case("stride 3", (2, 3, 5, kernel), (3, 400, 300), 3))
    plan_of.cache_clear()
    paid = plan_of(geometry, FLOAT64).cost
    monkeypatch.setattr(Cost, "plus_steps", lambda cost, *_: cost)
    plan_of.cache_clear()
    found = plan_of(geometry, FLOAT64).cost
    plan_of.cache_clear()
    assert paid[:2] == found[:2]
    read = 3 * 400 * 100 * remainders
    steps = copy_seconds(read, 100, FLOAT64) + read * _APART
    assert paid.seconds - found.seconds == pytest.approx(steps)


def test_the_plan_of_equal_geometries_is_made_once() -> None:
    assert plan_of(geometry_of(LARGE[3]), FLOAT64) is plan_of(geometry_of(LARGE[3]), FLOAT64)
