"""The convolution as a map of the weight: K w and Kᴴ y beside W x, W's entries written out, and torch."""

from typing import Any

import numpy as np

from benchmarks._cases import Case
from benchmarks._harness import Call, table, take_turns
from convops import Conv, KernelOperator

try:
    import torch
except ImportError:
    torch = None  # type: ignore[assignment]

THREADS = 2
FORWARD, ADJOINT, PRODUCT, MATRIX, TORCH = "K w", "Kᴴ y", "A x", "K.tosparse() @ w", "torch, gradient of w"
COLUMNS = (FORWARD, ADJOINT, MATRIX, TORCH)

CASES = (
    Case("256², 3×3", (3, 3), (256, 256), 1),
    Case("512², 5×5", (5, 5), (512, 512), 2),
    Case("512², 15×15", (15, 15), (512, 512), 7),
    Case("512², 31×31", (31, 31), (512, 512), 15),
    Case("128², 3×3, 16→16", (16, 16, 3, 3), (16, 128, 128), 1),
    Case("56², 3×3, 64→64", (64, 64, 3, 3), (64, 56, 56), 1),
    Case("64³, 5×5×5", (5, 5, 5), (64, 64, 64), 2),
    Case("10⁶, 101", (101,), (1_000_000,), 50),
)
QUICK_CASES = (CASES[0],)
LARGEST_MATRIX = 5e7


def main(quick: bool) -> None:
    """Print the tables."""
    for dtype in ("float64", "float32"):
        print(f"{dtype}; times as multiples of one {PRODUCT}.\n")
        rows = []
        for case in QUICK_CASES if quick else CASES:
            calls = _contenders(case, dtype)
            times = take_turns(calls, quick, seconds=4.0)
            cells = [f"{times.ratio(name, PRODUCT):.2g}" if name in times else "" for name in COLUMNS]
            rows.append([case.name, *cells])
        print(table(["case", *COLUMNS], rows), "\n", flush=True)


def _contenders(case: Case, dtype: str) -> dict[str, Call]:
    rng = np.random.default_rng(0)
    weight, x = (rng.standard_normal(shape).astype(dtype) for shape in (case.weight_shape, case.input_shape))
    A = Conv(weight, case.input_shape, padding=case.padding)
    K = KernelOperator(x, case.weight_shape, padding=case.padding)
    y = A(x)
    calls: dict[str, Call] = {
        PRODUCT: lambda: A(x),
        FORWARD: lambda: K(weight),
        ADJOINT: lambda: K.H(y),
    }
    if K.shape[0] * K.shape[1] < LARGEST_MATRIX:
        matrix, vector = K.tosparse(), weight.ravel()
        calls[MATRIX] = lambda: matrix @ vector
    if torch is not None:
        calls[TORCH] = _of_torch(case, x, y)
    _require_same(calls, K, y)
    return calls


def _of_torch(case: Case, x: Any, y: Any) -> Call:
    axes = len(case.input_shape) - (len(case.weight_shape) > len(case.input_shape))
    gradient = getattr(torch.nn.grad, f"conv{axes}d_weight")
    sizes = (1, 1)[: 2 - (len(case.weight_shape) - axes)] + case.weight_shape
    source, result = (torch.from_numpy(a.reshape(1, -1, *a.shape[a.ndim - axes :])) for a in (x, y))
    return lambda: gradient(source, sizes, result, padding=case.padding).numpy()


def _require_same(calls: dict[str, Call], K: KernelOperator, y: Any) -> None:
    """Raise AssertionError unless all give the same."""
    tolerance = 1e-3 if K.dtype == np.float32 else 1e-9
    found, expected = calls[FORWARD](), calls[PRODUCT]()
    np.testing.assert_allclose(found, expected, atol=tolerance * abs(expected).max())
    if TORCH in calls:
        gradient = calls[ADJOINT]()
        np.testing.assert_allclose(
            calls[TORCH]().reshape(gradient.shape), gradient, atol=tolerance * abs(gradient).max()
        )
