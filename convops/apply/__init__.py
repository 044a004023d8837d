"""Engines: arrays in, arrays out, forward and adjoint, without the matrix."""

from convops.apply._finite import finite
from convops.apply._threads import alone, product_alone
from convops.apply.choose import (
    METHODS,
    Choice,
    batches_by_gemm,
    choose,
    has_diagonals,
    refusal,
    with_rank,
    worth_no_thought,
)
from convops.apply.engine import Engine
from convops.apply.fft import FFTEngine
from convops.apply.gemm import GemmEngine
from convops.apply.separable import SeparableEngine

__all__ = [
    "METHODS",
    "Choice",
    "Engine",
    "FFTEngine",
    "GemmEngine",
    "SeparableEngine",
    "alone",
    "batches_by_gemm",
    "choose",
    "finite",
    "has_diagonals",
    "product_alone",
    "refusal",
    "with_rank",
    "worth_no_thought",
]
