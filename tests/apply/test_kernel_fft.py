"""K and Kᵀ by spectra, against the loops; by one tile an axis and by several."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from convops import ConvGeometry
from convops.apply import _fft_plan, _threads, fft
from convops.apply.kernel_fft import KernelFFT, estimates
from convops.operators.kernel_matrix import kernel_matrix
from kernels import assert_engine_is_the_kernel_operator
from registry import CASES, Case
from tilings import LONGER, geometry_of

GEOMETRIES = [*CASES[::3], *LONGER]


def engine_in_tiles(case: Case, longer: int) -> Callable[..., Any]:
    """Return the engine whose tiles give about that many places more than one."""
    return partial(KernelFFT, lengths=[axis.effective + longer for axis in geometry_of(case).axes])


@pytest.mark.parametrize("dtype", ["float64", "complex64"])
@pytest.mark.parametrize("case", GEOMETRIES, ids=str)
def test_one_tile_is_the_kernel_operator(case: Case, dtype: str) -> None:
    assert_engine_is_the_kernel_operator(KernelFFT, case, dtype)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("case", GEOMETRIES, ids=str)
def test_several_tiles_are_the_kernel_operator(case: Case, dtype: str) -> None:
    assert_engine_is_the_kernel_operator(engine_in_tiles(case, 5), case, dtype)


@pytest.mark.parametrize("case", LONGER, ids=str)
def test_small_pieces_shared_among_threads_are_the_kernel_operator(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (_fft_plan, fft):
        monkeypatch.setattr(module, "PIECE", 2000)
    monkeypatch.setattr(_threads, "_WORTH_A_THREAD", 1e-12)
    monkeypatch.setattr(_threads, "_WORTH_SHARING", 0.0)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    _fft_plan.plan_of.cache_clear()
    assert_engine_is_the_kernel_operator(engine_in_tiles(case, 9), case, "float64")
    _fft_plan.plan_of.cache_clear()


@pytest.mark.parametrize("boundary", ["zeros", "wrap"])
def test_channels_mixed_by_matrices_are_the_matrix(boundary: str) -> None:
    geometry = ConvGeometry((9, 8, 3, 2), (8, 12, 10), padding="same", boundary=boundary)
    assert _fft_plan.plan_of(geometry, np.dtype("f8")).matrices
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((3, 8, 12, 10)), rng.standard_normal((3, 9, 12, 10))
    w = rng.standard_normal((9, 8, 3, 2))
    matrix = kernel_matrix(geometry, x, False)
    for lengths in (None, (7, 6)):
        engine = KernelFFT(geometry, x, lengths=lengths)
        np.testing.assert_allclose(engine.forward(w).ravel(), matrix @ w.ravel(), atol=1e-12)
        np.testing.assert_allclose(engine.transpose(y).ravel(), matrix.T @ y.ravel(), atol=1e-12)


def test_more_filters_take_more_transforms() -> None:
    few, many = (
        estimates(geometry_of(Case("", (rows, 2, 9, 9), (2, 64, 64))), np.dtype("f8"), 1)[1].seconds
        for rows in (2, 8)
    )
    assert many > few
