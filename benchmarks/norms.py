"""How close the two bounds of `operator_norm` are, and what they cost in products with W.

The figures in docs/structure.md come from ``python -m benchmarks norms``.
"""

import numpy as np

from benchmarks._harness import table, take_turns
from convops import Conv, operator_norm

BOUNDARIES = ("zeros", "wrap", "reflect", "symmetric", "edge", "antireflect")
SIZES = (16, 64, 512)
AROUND = np.add.outer(np.arange(-4.0, 5) ** 2, np.arange(-4.0, 5) ** 2) / 4
BELL = np.exp(-(np.arange(-3.0, 4) ** 2) / 4)
KERNELS = {
    "Gaussian, 7×7": np.outer(BELL, BELL) / BELL.sum() ** 2,
    "box, 5×5": np.ones((5, 5)) / 25,
    "motion, 9×9": np.eye(9) / 9,
    "Laplacian, 3×3": np.array([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]]),
    "Laplacian of a Gaussian, 9×9": (AROUND - 1) * np.exp(-AROUND),
    "Sobel, 3×3": np.outer([1.0, 2, 1], [-1.0, 0, 1]),
    "random, 3×3": np.random.default_rng(0).standard_normal((3, 3)),
    "random, 5×5": np.random.default_rng(1).standard_normal((5, 5)),
    "random, 15×15": np.random.default_rng(4).standard_normal((15, 15)),
    "random, 3×3, 3→4 channels": np.random.default_rng(2).standard_normal((4, 3, 3, 3)),
    "random, 3×3, 8→8 channels": np.random.default_rng(3).standard_normal((8, 8, 3, 3)),
}


def main(quick: bool) -> None:
    """Print a table for each size."""
    print("upper / lower, and after the comma the cost in products A @ x; one thread, float64.")
    for size in (16,) if quick else SIZES:
        rows = []
        for name, kernel in KERNELS.items():
            for stride in (1, 2):
                cells = [_measured(kernel, size, stride, boundary, quick) for boundary in BOUNDARIES]
                rows.append([f"{name}, stride {stride}", *cells])
        print(f"\n{size} × {size}, padding same:\n\n{table(['kernel', *BOUNDARIES], rows)}", flush=True)


def _measured(kernel: np.ndarray, size: int, stride: int, boundary: str, quick: bool) -> str:
    shape = (size, size) if kernel.ndim == 2 else (kernel.shape[1], size, size)
    A = Conv(kernel, shape, padding="same", stride=stride, boundary=boundary)
    x = np.ones(A.shape[1])
    times = take_turns({"product": lambda: A @ x, "norm": lambda: operator_norm(A)}, quick, 5, 0.5)
    found = operator_norm(A)
    return f"{found.upper / found.lower:.2f}, {times.ratio('norm', 'product'):.0f}"
