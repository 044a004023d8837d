"""K and Kᵀ by tiles, against the loops; also where blocks are small, and exactly."""

import numpy as np
import pytest

from convops.apply import kernel_gemm
from convops.apply.kernel_gemm import KernelGemm, estimates
from kernels import assert_engine_is_the_kernel_operator
from registry import CASES, Case
from tilings import LONGER, geometry_of, small_blocks


@pytest.mark.parametrize("case", [*CASES[::3], *LONGER], ids=str)
def test_small_blocks_are_the_kernel_operator(case: Case) -> None:
    with small_blocks():
        kernel_gemm._gradient_tiling_of.cache_clear()
        assert_engine_is_the_kernel_operator(KernelGemm, case, "float64")
    kernel_gemm._gradient_tiling_of.cache_clear()


@pytest.mark.parametrize("dtype", ["int64", "float32", "complex128"])
@pytest.mark.parametrize("case", CASES[::2], ids=str)
def test_exact_products_are_the_kernel_operator(case: Case, dtype: str) -> None:
    assert_engine_is_the_kernel_operator(lambda *args: KernelGemm(*args, exact=True), case, dtype)


def test_the_transpose_costs_the_additions_on_top_of_the_products() -> None:
    geometry = geometry_of(LONGER[4])
    forward, transpose = estimates(geometry, np.dtype("f8"), 3)
    once, _ = estimates(geometry, np.dtype("f8"), 1)
    assert forward.seconds == pytest.approx(3 * once.seconds)
    assert transpose.seconds > forward.seconds
