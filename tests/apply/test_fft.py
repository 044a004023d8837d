"""The engine of transforms against the loops: whole tiles, many small ones, circles, pieces and threads."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convops import ConvGeometry, _memory
from convops.apply import FFTEngine, _fft_plan, _pairs, _threads, fft
from convops.apply._tiles import line_of
from oracles import Array, assert_within_rounding
from registry import (
    BOUNDARIES,
    CASES,
    FLOATS,
    Case,
    cases,
    inputs_for,
    magnitude_of,
    matrix_of,
    outputs_for,
    reach_of,
    weights_for,
)
from tilings import GEOMETRIES, LONGER, block_of, geometry_of

# Enough pairs of channels that matrices mix them; columns are channels times phases.
MIXED = (
    Case("1d mixed", (8, 8, 3), (8, 41), padding="same"),
    Case("1d mixed, phases", (8, 4, 5), (4, 37), 2, "same", boundary="symmetric"),
    Case("1d mixed, groups", (20, 7, 2), (14, 16), 1, 2, 3, 2),
    Case("2d mixed", (8, 8, 2, 3), (8, 3, 5), padding="full", flip=True),
    Case("2d mixed, phases, groups", (12, 3, 3, 3), (6, 4, 6), 2, 1, 1, 2, ("wrap", "edge")),
)
# Dtypes of the weight and of the operand.
OTHERS = [
    ("float32", "float64"),
    ("float32", "complex64"),
    ("float64", "complex64"),
    ("float64", "complex128"),
    ("complex64", "float32"),
    ("complex64", "float64"),
    ("complex128", "float32"),
]
# Axes that are periods: even and odd, with fewer outputs than that, and with kernels that go round.
CIRCLES = (
    Case("1d circle", (3,), (8,), padding="same", boundary="wrap"),
    Case("1d circle, odd", (4,), (15,), padding="same", boundary="wrap"),
    Case("1d circle of one", (3,), (1,), padding="same", boundary="wrap"),
    Case("1d circle, kernel longer than the period", (7,), (3,), padding="same", boundary="wrap"),
    Case("1d circle, dilated past the period", (3,), (5,), 1, "same", 4, boundary="wrap"),
    Case("1d circle, stride leaves one", (3,), (3,), 3, "same", boundary="wrap"),
    Case("1d circle, odd of the stride", (5,), (27,), 3, "same", 2, boundary="wrap"),
    Case("1d circle, fewer outputs", (4,), (10,), padding=1, boundary="wrap"),
    Case("2d circle", (3, 4), (6, 9), padding="same", boundary="wrap"),
    Case("2d circle, odd, strides", (3, 2), (9, 15), (3, 1), "same", (1, 2), boundary="wrap"),
    Case("2d circle on one axis", (3, 3), (5, 7), padding="same", boundary=("wrap", "zeros")),
    Case("2d circle, channels", (8, 8, 3, 3), (8, 3, 5), padding="same", boundary="wrap"),
    Case("3d circle, groups", (4, 1, 2, 3, 2), (2, 2, 3, 5), padding="same", groups=2, boundary="wrap"),
)
# The last samples of some phases are read by no output, and outputs read the padding before the first.
UNREAD = (
    Case("1d outputs in the padding alone, unread sample", (2,), (1,), 2, ((2, 0),)),
    Case("1d last sample unread", (6,), (9,), 2, ((2, 0),)),
    Case("1d last samples unread, dilated", (3,), (26,), 3, ((2, 0),), 2),
    Case("1d last samples unread, channels", (4, 2, 7), (4, 19), 4, ((3, 0),), 1, 2),
    Case("2d last row unread", (6, 3), (9, 7), (2, 1), ((2, 0), (1, 1))),
)


@cache
def complex_matrix(case: Case, dtype: Any) -> Array:
    """Return W of the complex weight, whose real part is the real weight: so it is with W."""
    return matrix_of(case, weights_for(case, dtype))


@cache
def bound_of(case: Case) -> tuple[Array, int]:
    """Return what bounds the rounding for the complex weight, and hence for its real part."""
    return magnitude_of(case, weights_for(case, "complex128"))


def known(case: Case, dtype: Any) -> tuple[Array, Array]:
    """Return the weight, and W from the loops."""
    W = complex_matrix(case, np.result_type(dtype, np.complex64).name)
    return weights_for(case, dtype), W if np.dtype(dtype).kind == "c" else W.real


def assert_within_rounding_of_transforms(
    actual: Array, case: Case, weight: Array, M: Array, x: Array, adjoint: bool
) -> None:
    """Compare one item with ``M @ x``.

    On a tile samples meet all taps, also those that the padding alone would read: rounding is relative to the
    product of the norms of weight and operand, even where W is zero.
    """
    magnitude, terms = bound_of(case)
    reach = reach_of("fft", (magnitude.T if adjoint else magnitude) @ abs(x.ravel()))
    reach += np.linalg.norm(weight) * np.linalg.norm(x)
    assert_within_rounding(actual.ravel(), M @ x.ravel(), reach, terms)


def engine_of(case: Case, weight: Array, lengths: tuple[int, ...] | None = None) -> FFTEngine:
    axes = tuple(range(-len(case.kernel), 0))
    return FFTEngine(geometry_of(case), np.flip(weight, axes) if case.flip else weight, lengths=lengths)


def lengths_of(case: Case, more: int) -> tuple[int, ...]:
    """Return tiles that give `more` places and one."""
    return tuple(line_of(axis, False).span + more for axis in geometry_of(case).axes)


def assert_engine_is_the_matrix(
    engine: FFTEngine, case: Case, dtype: Any = "float64", of_x: Any = None, batch: int = 3
) -> None:
    """Apply W and Wᴴ to a batch, and compare with the loops."""
    weight, W = known(case, dtype)
    for apply, make, M in ((engine.forward, inputs_for, W), (engine.adjoint, outputs_for, W.conj().T)):
        x = [make(case, of_x or dtype, seed) for seed in range(batch)]
        y = apply(block_of(case, x))
        assert y.dtype == np.result_type(dtype, of_x or dtype)
        assert len(y) == batch
        for item, one in zip(y, x, strict=True):
            assert_within_rounding_of_transforms(item, case, weight, M, one, make is outputs_for)


def assert_tiles_are_the_matrix(
    case: Case, dtype: Any = "float64", of_x: Any = None, lengths: tuple[int, ...] | None = None
) -> FFTEngine:
    engine = engine_of(case, known(case, dtype)[0], lengths)
    assert_engine_is_the_matrix(engine, case, dtype, of_x)
    return engine


@contextmanager
def small_pieces(nbytes: int = 2**9, threads: int = 3) -> Iterator[None]:
    """Let pieces be of a few tiles, shared among threads however little they have to do."""
    with pytest.MonkeyPatch.context() as patch:
        for module in (fft, _fft_plan):
            patch.setattr(module, "PIECE", nbytes)
        patch.setattr(_fft_plan, "_SMALL", 0)
        patch.setattr(fft, "WORTH_THREADS", 0.0)
        patch.setattr(_threads, "_WORTH_A_THREAD", 1e-12)
        patch.setattr(_threads, "_WORTH_SHARING", 0.0)
        patch.setenv("OMP_NUM_THREADS", str(threads))
        _fft_plan.plan_of.cache_clear()
        yield
    _fft_plan.plan_of.cache_clear()


@pytest.mark.parametrize("case", GEOMETRIES, ids=str)
def test_both_directions_are_those_of_the_loops_in_every_dtype(case: Case) -> None:
    for dtype in FLOATS:
        assert_tiles_are_the_matrix(case, dtype)


@pytest.mark.parametrize("case", [*GEOMETRIES, *CIRCLES], ids=str)
def test_small_pieces_on_several_threads_are_the_matrix(case: Case) -> None:
    with small_pieces():
        assert_tiles_are_the_matrix(case, "float64")


@pytest.mark.parametrize("case", GEOMETRIES, ids=str)
def test_tiles_of_any_length_are_the_matrix(case: Case) -> None:
    for more, dtype in [(0, "float64"), (1, "complex64"), (6, "float32")]:
        lengths = lengths_of(case, more)
        engine = assert_tiles_are_the_matrix(case, dtype, lengths=lengths)
        assert tuple(tile.length for tile in engine._plan.tiles) == lengths
    if len(lengths) > 1:
        assert_tiles_are_the_matrix(case, "float64", lengths=(0, *lengths[1:]))
        assert_tiles_are_the_matrix(case, "complex128", lengths=(*lengths[:-1], 0))


@pytest.mark.parametrize("case", LONGER, ids=str)
def test_small_pieces_of_any_tiles_are_the_matrix(case: Case) -> None:
    for nbytes in (1, 3000):  # of one tile or of several, and of fewer items than the batch has
        with small_pieces(nbytes):
            for more, dtype in [(3, "float64"), (10, "complex128")]:
                assert_tiles_are_the_matrix(case, dtype, lengths=lengths_of(case, more))


@pytest.mark.parametrize(("dtype", "of_x"), OTHERS)
def test_operands_of_another_dtype_have_the_result_that_numpy_has(dtype: str, of_x: str) -> None:
    for case in (*CASES[::20], MIXED[1], CIRCLES[9]):
        assert_tiles_are_the_matrix(case, dtype, of_x)
        with small_pieces():
            assert_tiles_are_the_matrix(case, dtype, of_x, lengths_of(case, 2))


@given(cases(max_size=6000), st.sampled_from(FLOATS), st.sampled_from((None, 0, 1, 2, 5)))
@settings(max_examples=50)
def test_random_geometries_are_the_matrix(case: Case, dtype: str, more: int | None) -> None:
    lengths = None if more is None else lengths_of(case, more)
    assert_tiles_are_the_matrix(case, dtype, lengths=lengths)
    with small_pieces():
        assert_tiles_are_the_matrix(case, dtype, lengths=lengths)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_every_boundary_is_that_of_the_loops_on_whole_tiles_and_on_small_ones(boundary: str) -> None:
    for case in (
        Case(f"1d {boundary}", (4,), (23,), 2, ((5, 2),), 3, boundary=boundary),
        Case(f"2d {boundary}", (4, 1, 3, 2), (2, 7, 6), (1, 3), 2, (2, 1), 2, boundary),
    ):
        for dtype in ("float32", "complex128"):
            assert_tiles_are_the_matrix(case, dtype)
            with small_pieces():
                assert_tiles_are_the_matrix(case, dtype, lengths=lengths_of(case, 2))


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_tile_shorter_than_the_kernel_is_the_matrix(dtype: str) -> None:
    case = Case("1d kernel longer than the tile", (9,), (1,), padding=4)
    engine = assert_tiles_are_the_matrix(case, dtype)
    assert engine._plan.tiles[0].length < engine._plan.lines[0].span


@pytest.mark.parametrize("case", UNREAD, ids=str)
def test_samples_that_no_output_reads_do_not_stand_in_for_the_padding(case: Case) -> None:
    for dtype in ("float64", "complex64"):
        assert_tiles_are_the_matrix(case, dtype)


@pytest.mark.parametrize("case", MIXED, ids=str)
def test_channels_mixed_by_matrices_are_those_of_the_loops(case: Case) -> None:
    for dtype in FLOATS:
        for lengths in (None, lengths_of(case, 0), lengths_of(case, 4)):
            engine = assert_tiles_are_the_matrix(case, dtype, lengths=lengths)
            assert engine._plan.matrices
    for dtype in ("float32", "complex128"):
        with small_pieces():
            assert_tiles_are_the_matrix(case, dtype)
        with small_pieces(2**14):
            assert_tiles_are_the_matrix(case, dtype, lengths=lengths_of(case, 1))


def test_matrices_take_many_tiles_together_or_one() -> None:
    stacks = [engine_of(MIXED[0], known(MIXED[0], "float64")[0], (n,))._plan.stack for n in (5, 20)]
    assert stacks == [14, 1]


@pytest.mark.parametrize("case", CIRCLES, ids=str)
def test_circles_are_the_matrix(case: Case) -> None:
    for dtype in FLOATS:
        assert_tiles_are_the_matrix(case, dtype)


@pytest.mark.parametrize("case", CIRCLES, ids=str)
def test_a_circle_is_transformed_as_it_is_with_no_extension(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: Any) -> Array:
        raise AssertionError("a border is written out")

    monkeypatch.setattr(fft, "extend", refused)
    monkeypatch.setattr(fft, "fold", refused)
    # 7 transforms fast as a complex length alone: not the last axis of real data, but of any other
    engine = assert_tiles_are_the_matrix(case, "complex128" if 7 in case.spatial[-1:] else "float64")
    wraps = [name == "wrap" for name in case.loops()["boundary"]]
    assert [line.circular for line in engine._plan.lines] == wraps


@pytest.mark.parametrize("size", range(4, 18))
def test_wrapped_axes_of_every_size_are_the_matrix_whether_circles_or_not(size: int) -> None:
    for stride in (1, 2, 3):
        case = Case("wrapped", (5,), (size,), stride, "same", boundary="wrap")
        for dtype in ("float64", "complex64"):
            engine = assert_tiles_are_the_matrix(case, dtype)
            fast = set(range(1, 18)) - ({7, 11, 13, 14, 17} if dtype == "float64" else {13, 17})
            assert engine._plan.lines[0].circular == (size % stride == 0 and size // stride in fast)


@pytest.mark.parametrize("stride", [1, 2])
@pytest.mark.parametrize("pads", [(9, 9), (0, 20), (17, 3)], ids=str)
def test_more_outputs_than_a_period_has_are_repeated(pads: tuple[int, int], stride: int) -> None:
    for case in (
        Case(f"1d beyond {pads}", (3,), (6,), stride, (pads,), boundary="wrap"),
        Case(f"2d beyond {pads}", (3, 2), (4, 6), stride, (pads, (1, 0)), boundary="wrap"),
    ):
        for dtype in ("float64", "complex64"):
            engine = assert_tiles_are_the_matrix(case, dtype)
            assert engine._plan.lines[0].circular
            assert engine._plan.lines[0].outputs == case.spatial[0] // stride
        with small_pieces(1):
            assert_tiles_are_the_matrix(case)


def test_small_pieces_are_several_and_threads_share_them(monkeypatch: pytest.MonkeyPatch) -> None:
    case, shared = LONGER[7], []  # 2d larger, groups
    share = fft.share

    def noted(work: Any, pieces: Any, seconds: float) -> None:
        def part(some: Any) -> None:
            shared.append((threading.current_thread(), len(some)))
            work(some)

        share(part, pieces, seconds)

    monkeypatch.setattr(fft, "share", noted)
    with small_pieces():
        engine = assert_tiles_are_the_matrix(case, "float64", lengths=lengths_of(case, 3))
        assert (engine._groups, engine._items) == (1, 1)
    assert len(shared) == 3 * 2 * 3  # parts, directions, and items whose border is written one by one
    assert len({thread for thread, _ in shared}) > 1
    assert min(pieces for _, pieces in shared) >= 4


def test_one_tile_of_a_small_batch_is_one_piece_and_a_larger_batch_several() -> None:
    case = LONGER[0]
    engine = engine_of(case, known(case, "float64")[0])
    assert engine._forward.whole is not None
    assert engine._adjoint.whole is not None
    assert engine._items > 3
    with small_pieces(3 * engine._plan.piece):
        engine = engine_of(case, known(case, "float64")[0])
        assert engine._items == 3
        for batch in (1, 2, 3, 4, 7):
            assert_engine_is_the_matrix(engine, case, batch=batch)


def test_many_groups_are_worked_on_in_pieces_of_several() -> None:
    case = Case("groups", (7, 1, 3), (7, 30), padding="same", groups=7)
    whole = engine_of(case, known(case, "float64")[0])
    assert whole._groups == 7
    with small_pieces(2 * whole._plan.piece):
        engine = assert_tiles_are_the_matrix(case)
        assert engine._groups == 2
        assert engine._forward.whole is None


def test_several_callers_at_the_same_time_have_each_their_own_result() -> None:
    case = LONGER[4]  # 2d larger
    weight, W = known(case, "float64")
    x = [inputs_for(case, "float64", seed) for seed in range(6)]
    found: list[Any] = [None] * 6
    with small_pieces():
        engine = engine_of(case, weight, lengths_of(case, 3))

        def call(number: int) -> None:
            found[number] = engine.forward(block_of(case, [x[number]]))

        callers = [threading.Thread(target=call, args=(number,)) for number in range(6)]
        for caller in callers:
            caller.start()
        for caller in callers:
            caller.join(timeout=20)
    for y, one in zip(found, x, strict=True):
        assert_within_rounding_of_transforms(y, case, weight, W, one, False)


@pytest.mark.parametrize("case", [CASES[33], MIXED[1], CIRCLES[1]], ids=str)
def test_both_directions_use_one_spectrum_computed_once(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    made = []
    spectrum_of = fft.spectrum_of

    def noted(weight: Array, plan: Any, precision: Any) -> Array:
        made.append(precision)
        return spectrum_of(weight, plan, precision)

    monkeypatch.setattr(fft, "spectrum_of", noted)
    for dtype, spectrum in zip(FLOATS, ("complex64", "complex128") * 2, strict=True):
        made.clear()
        engine = engine_of(case, known(case, dtype)[0])
        assert_engine_is_the_matrix(engine, case, dtype)
        assert_engine_is_the_matrix(engine, case, dtype)
        assert made == [spectrum]
        assert list(engine._spectra) == [dtype]
    engine = engine_of(case, known(case, "float32")[0])
    for of_x in FLOATS:
        assert_engine_is_the_matrix(engine, case, "float32", of_x)
    assert set(engine._spectra) == {np.dtype("float32"), np.dtype("float64")}  # of real and imaginary parts


def test_the_spectrum_is_that_of_numpy_and_half_of_it_for_real_data() -> None:
    case = Case("2d", (3, 4), (8, 12), padding="valid")
    for dtype in ("float64", "complex128"):
        weight = known(case, dtype)[0]
        engine = engine_of(case, weight)
        (spectrum,) = engine._spectra.values()
        shape = tuple(tile.length for tile in engine._plan.tiles)
        transform = np.fft.ifftn(weight, shape, (0, 1))  # a correlation reads forwards
        transform = transform[:, : shape[-1] // 2 + 1] if dtype == "float64" else transform
        np.testing.assert_allclose(spectrum[0, 0, 0], transform, rtol=0, atol=1e-15)


def test_a_spectrum_beyond_memory_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_memory, "ALWAYS_FITS", 0)
    monkeypatch.setattr(_memory, "available_bytes", lambda: 1000)
    case = Case("1d channels", (6, 5, 3), (5, 100))
    with pytest.raises(MemoryError, match=r'the weight, of 30 filters, would take .* Use method="gemm"'):
        engine_of(case, weights_for(case))


@pytest.mark.parametrize("lengths", [False, True], ids=["whole tiles", "small tiles"])
@pytest.mark.parametrize("case", [*CASES[::5], *MIXED[:2], *CIRCLES[::3]], ids=str)
def test_the_result_is_new_memory_and_the_operand_is_only_read(case: Case, lengths: bool) -> None:
    for dtype in ("float64", "complex128"):
        weight = known(case, dtype)[0].copy()
        engine = engine_of(case, weight, lengths_of(case, 3) if lengths else None)
        for apply, make in ((engine.forward, inputs_for), (engine.adjoint, outputs_for)):
            block = block_of(case, [make(case, dtype, seed) for seed in range(2)])
            before = block.copy()
            first = apply(block)
            np.testing.assert_array_equal(block, before)
            block.flags.writeable = False
            again = apply(block)
            np.testing.assert_array_equal(again, first)
            for other in (block, weight, again, *engine._spectra.values()):
                assert not np.shares_memory(first, other)
            assert first.flags.c_contiguous
            assert first.flags.writeable
        np.testing.assert_array_equal(weight, known(case, dtype)[0])


def test_later_changes_of_an_operand_do_not_reach_an_earlier_result() -> None:
    case = CASES[34]
    engine = engine_of(case, known(case, "float64")[0])
    x = block_of(case, [inputs_for(case)])
    y = engine.forward(x)
    kept = y.copy()
    x[...] = 7
    engine.forward(x)
    engine.adjoint(y)
    np.testing.assert_array_equal(y, kept)


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
def test_operands_of_any_strides_are_as_their_copies(dtype: str) -> None:
    for case in (LONGER[3], LONGER[5], MIXED[3], CIRCLES[9]):
        for lengths in (None, lengths_of(case, 4)):
            engine = engine_of(case, known(case, dtype)[0], lengths)
            x = block_of(case, [inputs_for(case, dtype, seed) for seed in range(3)])
            expected = engine.forward(x)
            apart = np.zeros((2 * len(x), *x.shape[1:-1], 3 * x.shape[-1]), dtype)
            apart[::2, ..., ::3] = x
            backwards = x[..., ::-1].copy()
            for same in (np.asfortranarray(x), apart[::2, ..., ::3], backwards[..., ::-1]):
                np.testing.assert_allclose(
                    engine.forward(same), expected, rtol=0, atol=1e-5 if dtype == "float32" else 1e-13
                )
            one = np.broadcast_to(x[:1], x.shape)
            np.testing.assert_allclose(
                engine.forward(one)[2], expected[0], rtol=0, atol=1e-5 if dtype == "float32" else 1e-13
            )


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_not_finite_stays_with_its_item_and_warns_of_nothing(value: float) -> None:
    case = replace(LONGER[4], name="not finite")
    engine = engine_of(case, known(case, "float64")[0])
    x = block_of(case, [inputs_for(case, "float64", seed) for seed in range(3)])
    expected = engine.forward(x)
    x[1, 0, 5, 5] = value
    y = engine.forward(x)
    assert not np.isfinite(y[1, 0, 5, 5])
    np.testing.assert_array_equal(y[[0, 2]], expected[[0, 2]])


def test_the_lengths_of_tiles_may_be_any_sequence() -> None:
    case = LONGER[4]  # 2d larger
    engine = FFTEngine(geometry_of(case), known(case, "float64")[0], lengths=[8, 9])
    assert [tile.length for tile in engine._plan.tiles] == [8, 9]
    assert_engine_is_the_matrix(engine, case)


@pytest.mark.parametrize("most", [1, 60])
def test_channels_are_mixed_in_small_products_as_in_one(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(0)
    geometry = ConvGeometry((12, 8, 3, 3), (8, 40, 11), padding=1)
    weight = rng.standard_normal(geometry.weight_shape)
    engine = FFTEngine(geometry, weight, lengths=(8, 8))
    assert engine._plan.matrices
    x, y = rng.standard_normal((3, 8, 40, 11)), rng.standard_normal((3, 12, 40, 11))
    expected = engine.forward(x), engine.adjoint(y)
    monkeypatch.setattr(_pairs, "small_product", lambda dtype: most)
    np.testing.assert_allclose(engine.forward(x), expected[0], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(engine.adjoint(y), expected[1], rtol=1e-12, atol=1e-12)
