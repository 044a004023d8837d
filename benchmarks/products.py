"""What the matrix costs and when it pays: building W, products with it, and the ways that need no matrix.

The figures in docs/transposed_convolution.md come from ``python -m benchmarks.products``.
"""

import sys

import numpy as np
from scipy import ndimage, signal

from benchmarks._cases import Case
from benchmarks._harness import Call, Times, machine, one_thread, table, take_turns
from convops import Conv

BUILD, READ, PRODUCT, DENSE = "build W", "read W", "W @ x", "dense W @ x"
COLUMNS = (PRODUCT, BUILD, READ, DENSE, "gemm", "ndimage", "fftconvolve")
LARGEST_DENSE = 4096  # elements of x; the dense W of padding "same" then takes 128 MiB

# All of padding "same", in float64.
CASES = (
    Case("16², 3×3", (3, 3), (16, 16), 1),
    Case("64², 5×5", (5, 5), (64, 64), 2),
    Case("512², 5×5", (5, 5), (512, 512), 2),
    Case("256², 15×15", (15, 15), (256, 256), 7),
    Case("256², 31×31", (31, 31), (256, 256), 15),
    Case("64², 3×3, 16→16 channels", (16, 16, 3, 3), (16, 64, 64), 1),
)
QUICK_CASES = (
    Case("8², 3×3", (3, 3), (8, 8), 1),
    Case("8², 3×3, 2→3 channels", (3, 2, 3, 3), (2, 8, 8), 1),
)


def main(quick: bool) -> None:
    """Print the table."""
    print(f"Times as multiples of one {PRODUCT} in CSR; float64, one thread.")
    rows = []
    for case in QUICK_CASES if quick else CASES:
        calls = _contenders(case)
        _require_same(calls)
        times = take_turns(calls, quick, seconds=4.0)
        rows.append([case.name, *[_cell(times, name) for name in COLUMNS]])
    print(table(["case", *COLUMNS], rows))


def _cell(times: Times, name: str) -> str:
    if name not in times:
        return ""
    ratio = times.ratio(name, PRODUCT)
    return f"{ratio:.0f}" if ratio >= 10 else f"{ratio:.2g}"


def _contenders(case: Case) -> dict[str, Call]:
    """Return the calls to time; all but "build W" and "read W" return W x."""
    weight = case.weight()
    W, x = case.matrix(weight), np.random.default_rng(1).standard_normal(case.input_shape)
    vector = x.ravel()
    matrix_free = Conv(weight, case.input_shape, padding=case.padding, method="gemm")
    calls: dict[str, Call] = {
        PRODUCT: lambda: W @ vector,
        BUILD: lambda: case.matrix(weight),
        READ: lambda: (W.data.max(), W.indices.max()),
        "gemm": lambda: matrix_free(x),
    }
    if x.size <= LARGEST_DENSE:
        dense = W.toarray()
        calls[DENSE] = lambda: dense @ vector
    if weight.ndim == x.ndim:  # what follows knows no channels
        turned = np.ascontiguousarray(np.flip(weight))
        calls["ndimage"] = lambda: ndimage.correlate(x, weight, mode="constant")
        calls["fftconvolve"] = lambda: signal.fftconvolve(x, turned, mode="same")
    return calls


def _require_same(calls: dict[str, Call]) -> None:
    """Refuse to time contenders that do not compute the same."""
    found = {name: np.ravel(call()) for name, call in calls.items() if name not in (BUILD, READ)}
    expected = found[PRODUCT]
    for name, result in found.items():
        if not np.allclose(result, expected, rtol=0, atol=1e-11 * np.abs(expected).max()):
            raise AssertionError(f"{name} does not return W @ x.")


if __name__ == "__main__":
    if set(sys.argv[1:]) - {"--quick"}:
        sys.exit("usage: python -m benchmarks.products [--quick]")
    print(machine())
    with one_thread():
        main("--quick" in sys.argv)
