"""The kernel operator of a case, its matrix from the loops, and its engines against them."""

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from convops import KernelOperator
from oracles import Array
from registry import Case, forward_of, inputs_for, outputs_for, weights_for
from tilings import geometry_of

BATCH = 2


def assert_engine_is_the_kernel_operator(engine: Callable[..., Any], case: Case, dtype: str) -> None:
    """Compare both products; flips are no business of an engine."""
    x = np.stack([inputs_for(case, dtype, seed) for seed in range(BATCH)])
    y = np.stack([outputs_for(case, dtype, seed) for seed in range(BATCH)])
    w = weights_for(case, dtype)
    if not case.has_channels:
        x, y, w = x[:, None], y[:, None], w[None, None]
    made = engine(geometry_of(case), x)
    forward, gradient = made.forward(w), made.transpose(y)
    assert forward.dtype == gradient.dtype == dtype
    assert gradient.shape == w.shape
    matrix = _matrix(case, dtype)
    tolerance = {"i": 0.0, "f": 1e-12, "c": 1e-12}[np.dtype(dtype).kind]
    if dtype in ("float32", "complex64"):
        tolerance = 1e-4
    scale = max(float(abs(matrix).max()), 1.0) * sum(matrix.shape) ** 0.5
    np.testing.assert_allclose(forward.ravel(), matrix @ w.ravel(), rtol=0, atol=tolerance * scale)
    np.testing.assert_allclose(gradient.ravel(), matrix.T @ y.ravel(), rtol=0, atol=tolerance * scale)


@cache
def _matrix(case: Case, dtype: str) -> Array:
    """K of the batch, column by column."""
    units = np.eye(int(np.prod(case.weight_shape)), dtype=np.int64).reshape(-1, *case.weight_shape)
    turned = Case(**{**case.__dict__, "flip": False})
    return np.stack(
        [
            np.concatenate(
                [forward_of(turned, inputs_for(case, dtype, seed), unit).ravel() for seed in range(BATCH)]
            )
            for unit in units
        ],
        axis=1,
    )


def kernel_of(case: Case, x: Array, **options: Any) -> KernelOperator:
    return KernelOperator(x, case.weight_shape, **case.kwargs(), **options)


@cache
def loops(case: Case, dtype: str) -> tuple[Array, Array, Array, Array]:
    """x, K from the loops, and the sums of |x| that bound the rounding of rows and columns of K."""
    x = inputs_for(case, dtype)
    units = np.eye(int(np.prod(case.weight_shape)), dtype=np.int64).reshape(-1, *case.weight_shape)
    K = np.stack([forward_of(case, x, unit).ravel() for unit in units], axis=1)
    size = abs(K)
    if "antireflect" in case.loops()["boundary"]:  # where 2 * end - mirrored cancels
        size = size + abs(x).max() * 16
    return x, K, size.sum(axis=1), size.sum(axis=0)
