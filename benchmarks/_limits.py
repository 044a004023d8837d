"""What the machine can do at most: how fast it copies, and how fast it multiplies matrices."""

from dataclasses import dataclass

import numpy as np

from benchmarks._harness import take_turns


@dataclass(frozen=True)
class Limits:
    """Bytes a second, read and written, and floating-point operations a second by the name of the dtype."""

    copying: float
    multiplying: dict[str, float]

    def __str__(self) -> str:
        rates = ", ".join(f"{rate / 1e9:.3g} GFlop/s in {name}" for name, rate in self.multiplying.items())
        return (
            f"np.copyto of 64 MiB: {self.copying / 1e9:.3g} GB/s, read and written. GEMM of 1000³: {rates}."
        )


def limits(quick: bool) -> Limits:
    """Measure, on as many threads as BLAS may use; copying takes one."""
    length, size = (2**10, 10) if quick else (2**23, 1000)
    source, target = np.ones(length), np.empty(length)
    calls = {"copy": lambda: np.copyto(target, source)}
    for name in ("float64", "float32"):
        left, right, out = [np.ones((size, size), name) for _ in range(3)]
        calls[name] = lambda left=left, right=right, out=out: np.matmul(left, right, out=out)
    times = take_turns(calls, quick, rounds=9, shortest=10e-3, settle=5e-3)
    rates = {name: 2 * size**3 / times.median(name) for name in ("float64", "float32")}
    return Limits(2 * source.nbytes / times.median("copy"), rates)
