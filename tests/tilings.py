"""Every way to tile a product, not the cheapest alone, against the loops; also where blocks are small."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from math import prod
from typing import Any

import numpy as np
import pytest

from convops import ConvGeometry
from convops.apply import (
    GemmEngine,
    _band,
    _band_steps,
    _bands,
    _blocks,
    _columns,
    _sums,
    _threads,
    _tiled,
    _windows,
    gemm,
)
from convops.apply._bands import Bands
from convops.apply._blocks import Scratch
from convops.apply._columns import Columns
from convops.apply._pointwise import Pointwise
from convops.apply._problem import Problem, Tiling
from convops.apply._sums import Sums
from convops.apply._whole import Whole
from convops.apply._windows import Windows
from oracles import Array, assert_within_rounding
from registry import CASES, Case, inputs_for, magnitude_of, matrix_of, outputs_for, weights_for

KINDS: tuple[Any, ...] = (Bands, Columns, Pointwise, Sums, Whole, Windows)
# Enough places for several tiles and blocks on each axis, and for what is left over.
LONGER = (
    Case("1d long", (5,), (203,), padding="same"),
    Case("1d long, stride 3, dilated", (7,), (201,), 3, "same", 2, boundary="reflect"),
    Case("1d long, stride beyond the kernel", (2,), (153,), stride=5, padding=1),
    Case("1d long, channels", (4, 3, 3), (6, 67), 2, "same", groups=2),
    Case("2d larger", (3, 4), (13, 17), padding="same"),
    Case("2d larger, strides and dilations", (3, 3), (17, 23), (2, 3), (2, 4), (3, 2)),
    Case("2d larger, row kernel", (1, 5), (21, 11), padding="same"),
    Case("2d larger, groups", (4, 1, 3, 2), (2, 9, 14), (1, 2), "full", groups=2, boundary=("wrap", "zeros")),
    Case("1d far beyond both ends", (3,), (7,), padding=((40, 60),)),
    Case("1d phases without a place", (4, 2, 3), (2, 1), 4, ((2, 3),)),
    Case("2d phases without a place", (2, 3), (1, 5), (3, 2), ((2, 1), (1, 1))),
    Case("2d far beyond the ends", (2, 3), (6, 7), padding=((1, 30), (25, 2))),
    Case("2d far beyond the ends, stride 2", (3, 2), (6, 7), 2, ((30, 1), (2, 25))),
    Case("2d larger, every other row without a tap", (1, 3), (11, 8), (2, 1), 1),
    Case("2d larger, phases that the last place lacks", (2, 9, 3, 2), (9, 13, 3), (3, 1), ((2, 3), (0, 2))),
    Case("3d larger", (3, 2, 3), (6, 4, 7), (2, 1, 1), "same"),
)
GEOMETRIES = (*CASES, *LONGER)
# Of the weight and of the input.
PRECISIONS = [("float32", "float32"), ("float32", "complex64"), ("complex64", "float64")]


def geometry_of(case: Case) -> ConvGeometry:
    return ConvGeometry(case.weight_shape, case.input_shape, **case.geometry())


def engine_of(case: Case, weight: Array, exact: bool = False) -> GemmEngine:
    axes = tuple(range(-len(case.kernel), 0))
    return GemmEngine(geometry_of(case), np.flip(weight, axes) if case.flip else weight, exact)


def block_of(case: Case, items: list[Array]) -> Array:
    """Stack items of a batch, with their channel axis."""
    return np.stack(items) if case.has_channels else np.stack(items)[:, None]


def problem_of(case: Case, dtype: Any, adjoint: bool) -> Problem:
    """Return the product with W, or with Wᴴ, as the tilings see it."""
    return _tiled.problem_of(geometry_of(case), np.dtype(dtype), adjoint)


def tilings_of(kind: Any, case: Case, dtype: Any, adjoint: bool) -> list[Tiling]:
    """Return all tilings of one kind that the engine would choose from."""
    problem = problem_of(case, dtype, adjoint)
    return list(kind.candidates(problem)) if hasattr(kind, "candidates") else [kind(problem)]


class OnePiece(Scratch):
    """Scratch arrays that are all cut from the first piece, whatever the blocks before have needed."""

    def array(self, name: str, shape: Sequence[int]) -> Array:
        found = super().array(name, shape)
        assert not found.size or np.may_share_memory(found, self._room)
        return found


@contextmanager
def small_blocks(threads: int = 3) -> Iterator[None]:
    """Let blocks be of a few places, shared among threads however little they have to do.

    Bands also add the taps of the last axis up, and multiply phases apart, wherever that is possible. All
    blocks of a thread must find room in one piece of memory.
    """
    with pytest.MonkeyPatch.context() as patch:
        for module in (_bands, _columns, _sums, _windows):
            patch.setattr(module, "Scratch", OnePiece)
        for module in (_bands, _windows):
            patch.setattr(module, "CACHE", 300)
        for module in (_bands, _sums, _windows):
            patch.setattr(module, "small_product", lambda dtype: 20)
        patch.setattr(_bands, "small_vector_product", lambda dtype: 20)
        patch.setattr(_bands, "_SHORTEST", 3)
        patch.setattr(_bands, "_MANY", 0)
        patch.setattr(_band, "_HIGH", 2)
        patch.setattr(_band, "_AT_A_TIME", 2)
        patch.setattr(_band_steps, "_ALIASED", 24)
        patch.setattr(_bands, "unpacked_run", lambda rows, dtype: max(24 // dtype.itemsize, 1))
        patch.setattr(_columns, "_MOST", 500)
        patch.setattr(_sums, "_MOST", 500)
        patch.setattr(_blocks, "_FEW", 0)
        patch.setattr(_threads, "_WORTH_A_THREAD", 1e-12)
        patch.setattr(_threads, "_WORTH_SHARING", 0.0)
        patch.setenv("OMP_NUM_THREADS", str(threads))
        gemm.tiling_of.cache_clear()
        yield
        gemm.tiling_of.cache_clear()


def assert_every_tiling_is_the_matrix(
    kind: Any, case: Case, dtype: Any = "float64", of_x: Any = None
) -> None:
    """Apply W and Wᴴ by each tiling of one kind to a batch, and compare with the loops."""
    for adjoint in (False, True):
        for tiling in tilings_of(kind, case, dtype, adjoint):
            assert_tiling_is_the_matrix(tiling, case, adjoint, dtype, of_x)


def assert_tiling_is_the_matrix(
    tiling: Tiling, case: Case, adjoint: bool, dtype: Any = "float64", of_x: Any = None
) -> None:
    """Apply W or Wᴴ by one tiling."""
    weight, W, magnitude, terms = _known(case, dtype)
    if adjoint:
        W, magnitude = W.conj().T, magnitude.T
    x = [(outputs_for if adjoint else inputs_for)(case, of_x or dtype, seed) for seed in range(3)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(gemm, "tiling_of", lambda *_: tiling)
        engine = engine_of(case, weight)
        y = (engine.adjoint if adjoint else engine.forward)(block_of(case, x))
    assert y.dtype == np.result_type(dtype, of_x or dtype)
    for item, one in zip(y, x, strict=True):
        assert_within_rounding(item.ravel(), W @ one.ravel(), magnitude @ abs(one.ravel()), terms)


def assert_every_tiling_tells_what_it_spreads(kind: Any, case: Case, most: int = 200) -> None:
    """Put NaN or inf at places in turn, and hold the result against that of sums, which spread nothing."""
    rng = np.random.default_rng(0)
    for adjoint in (False, True):
        problem = problem_of(case, "float64", adjoint)
        readings = _tiled.readings_of(geometry_of(case), adjoint)
        weight = rng.standard_normal((problem.groups, problem.rows, problem.columns, *case.kernel))
        exact = _tiled.TiledProduct(weight, readings, Sums(problem))
        shape = problem.groups * problem.columns, *[reading.source for reading in readings]
        places = np.arange(0, prod(shape), -(-prod(shape) // most))
        x = rng.standard_normal((places.size + 1, prod(shape)))
        x[np.arange(places.size), places] = np.where(places % 2, np.nan, np.inf)
        x = x.reshape(-1, *shape)
        with np.errstate(invalid="ignore", over="ignore"):
            expected = np.isfinite(exact(x))
            for tiling in tilings_of(kind, case, "float64", adjoint):
                tiled = _tiled.TiledProduct(weight, readings, tiling)
                y = tiled(x)
                sound = [tiled.sound(item[None]) for item in y]
                spread = (np.isfinite(y) != expected).reshape(len(y), -1).any(axis=1)
                assert not np.any(sound & spread)
                assert sound[-1]


@cache
def _known(case: Case, dtype: Any) -> tuple[Array, Array, Array, int]:
    weight = weights_for(case, dtype)
    return weight, matrix_of(case, weight), *magnitude_of(case, weight)


def assert_every_gradient_is_paired_with_its_matrices(kind: Any, case: Case, dtype: Any = "float64") -> None:
    """Take the gradient of each tiling of one kind, forward and adjoint, in the arrays of a batch of two."""
    rng = np.random.default_rng(0)
    for adjoint in (False, True):
        problem = problem_of(case, dtype, adjoint)
        taps = (1, *case.kernel) if len(case.kernel) == 1 else case.kernel
        weight, source, result = (
            rng.standard_normal((*before, *sizes)).astype(dtype)
            for before, sizes in (
                ((problem.groups, problem.rows, problem.columns), taps),
                ((2, problem.groups, problem.columns), [r.source for r in problem.readings]),
                ((2, problem.groups, problem.rows), [r.size for r in problem.readings]),
            )
        )
        for tiling in tilings_of(kind, case, dtype, adjoint):
            matrices, out = tiling.matrices(weight), np.zeros_like(result)
            tiling.run(source, out, matrices)
            gradient = tiling.gradient(source, result)
            assert gradient.shape == matrices.shape
            assert gradient.dtype == dtype
            np.testing.assert_allclose(
                np.vdot(matrices, gradient), np.vdot(out, result), rtol=1e-9, atol=1e-10 * result.size
            )
