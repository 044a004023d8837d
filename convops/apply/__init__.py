"""Engines: arrays in, arrays out, forward and adjoint, without the matrix."""

from convops.apply.engine import METHODS, Engine, choose_method
from convops.apply.gemm import GemmEngine

__all__ = ["METHODS", "Engine", "GemmEngine", "choose_method"]
