"""A blurred image restored: `tikhonov` against LSMR on the bare matrix and on PyLops' operator.

512², a Gaussian of 15×15, damp 0.03. SciPy's LSMR stops by norms that it estimates; its tolerance here is one
with which the relative residual of the normal equations just reaches 1e-6, found beforehand.
"""

import numpy as np
from scipy.sparse.linalg import lsmr

from benchmarks._harness import Call, against_target, table, take_turns
from convops import Conv, tikhonov

THREADS = 2
DAMP, RTOL = 0.03, 1e-6
SIZE, QUICK_SIZE = 512, 24
TARGETS = {"wrap": ("CSR + LSMR", 15.0), "symmetric": ("CSR + LSMR", 15.0), "zeros": ("PyLops + LSMR", 4.0)}


def main(quick: bool) -> None:
    """Print the table."""
    size = QUICK_SIZE if quick else SIZE
    rows, lines = [], []
    for boundary, (peer, least) in TARGETS.items():
        A, b = _problem(size, boundary)
        tolerance = _tolerance(A, b)
        calls: dict[str, Call] = {"convops": lambda A=A, b=b: tikhonov(A, b, DAMP)}
        W = A.tosparse()
        other = _pylops(A) if boundary == "zeros" else None
        ops = {"CSR + LSMR": W, **({} if other is None else {"PyLops + LSMR": other})}
        for name, op in ops.items():
            calls[name] = lambda op=op, b=b, tolerance=tolerance: lsmr(
                op, b.ravel(), damp=DAMP, atol=tolerance, btol=0, conlim=0, maxiter=2000
            )[0]
        for name, call in calls.items():
            if (left := _residual(A, b, np.reshape(call(), A.input_shape))) > 1.01 * RTOL:
                raise AssertionError(f"{boundary}: {name} leaves {left:.2g}.")
        times = take_turns(calls, quick, rounds=5, seconds=8.0)
        result = tikhonov(A, b, DAMP, full_output=True)[1]
        cells = [f"{times.median(name):.3g}" if name in times else "" for name in ("convops", *PEERS)]
        rows.append([boundary, result.route, str(result.iterations), *cells])
        if peer in times:
            lines.append(
                against_target(f"{boundary}: {peer} / convops", times.ratio(peer, "convops"), least, True)
            )
    print("Seconds; the residual of the normal equations is at most 1e-6 of that of 0.\n")
    print(table(["boundary", "route", "iterations", "convops", *PEERS], rows))
    print("\n" + "\n".join(lines))


PEERS = ("CSR + LSMR", "PyLops + LSMR")


def _problem(size: int, boundary: str) -> tuple[Conv, np.ndarray]:
    line = np.exp(-0.5 * (np.arange(-7, 8) / 2.5) ** 2)
    kernel = np.outer(line, line) / line.sum() ** 2
    A = Conv(kernel, (size, size), padding="same", boundary=boundary)
    rng = np.random.default_rng(0)
    row, column = np.mgrid[:size, :size] / size
    scene = 0.5 + 0.3 * np.sin(30 * row**2) * np.cos(25 * column) + 0.2 * (column > row)
    return A, A(scene) + rng.normal(0, 0.01, A.output_shape)


def _residual(A: Conv, b: np.ndarray, x: np.ndarray) -> float:
    return float(np.linalg.norm(A.H(b - A(x)) - DAMP**2 * x) / np.linalg.norm(A.H(b)))


def _tolerance(A: Conv, b: np.ndarray) -> float:
    """Return the largest of some tolerances with which LSMR reaches the residual."""
    for tolerance in (1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7, 1e-7):
        found = lsmr(A, b.ravel(), damp=DAMP, atol=tolerance, btol=0, conlim=0, maxiter=2000)[0]
        if _residual(A, b, found.reshape(A.input_shape)) <= RTOL:
            return tolerance
    raise AssertionError("LSMR does not get there.")


def _pylops(A: Conv) -> object:
    try:
        from pylops.signalprocessing import Convolve2D
    except ImportError:
        return None
    return Convolve2D(A.input_shape, h=np.flip(A.weight), offset=(7, 7))
