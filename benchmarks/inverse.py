"""A blurred photograph restored: `tikhonov` against the solvers of others, to one residual.

512², a Gaussian of 15×15, noise of 0.01, damp 0.03. SciPy's LSMR runs on the bare matrix and on PyLops'
operator. It stops by norms that it estimates; its tolerance here is one with which the relative residual of
the normal equations just reaches 1e-6, found beforehand. The filters of scikit-image wrap round; ``wiener``
solves the problem with the Laplacian, ``unsupervised_wiener`` also chooses how much of it.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.sparse.linalg import lsmr

from benchmarks._harness import Call, against_target, table, take_turns
from convops import Conv, choose_damp, tikhonov
from convops._arrays import Array
from convops.commands.demo import gaussian, load_photograph, psnr

THREADS = 2
DAMP, RTOL, NOISE, TAPS, SIGMA = 0.03, 1e-6, 0.01, 15, 2.5
SIZE, QUICK_SIZE = 512, 24
TARGETS = {"wrap": ("CSR + LSMR", 15.0), "symmetric": ("CSR + LSMR", 15.0), "zeros": ("PyLops + LSMR", 4.0)}


def main(quick: bool) -> None:
    """Print the tables."""
    scene = load_photograph()[: QUICK_SIZE if quick else SIZE, : QUICK_SIZE if quick else SIZE]
    rows, lines = [], []
    for boundary, (peer, least) in TARGETS.items():
        A, b = _problem(scene, boundary)
        iterated = _iterated(A, b)
        answers = {name: call() for name, call in iterated.items()}
        calls: dict[str, Call] = {"convops": lambda A=A, b=b: tikhonov(A, b, DAMP)}
        x, result = tikhonov(A, b, DAMP, full_output=True)
        calls |= {name: (lambda call=call: call()) for name, call in iterated.items()}
        times = take_turns(calls, quick, rounds=3, seconds=8.0)
        found = {"convops": (x, result.iterations), **answers}
        for name, (image, iterations) in found.items():
            left = _residual(A, b, image)
            if left > 1.01 * RTOL:
                raise AssertionError(f"{boundary}: {name} leaves {left:.2g}.")
            what = f"convops, {result.route}" if name == "convops" else name
            rows.append(
                [
                    f"{boundary}: {what}",
                    f"{times.median(name):.3g}",
                    str(iterations),
                    f"{left:.1e}",
                    f"{psnr(image, scene):.2f}",
                ]
            )
        if peer in times:
            lines.append(
                against_target(f"{boundary}: {peer} / convops", times.ratio(peer, "convops"), least, True)
            )
    print(f"The blurred photograph has {psnr(b, scene):.2f} dB.\n")
    print(table(["identity, damp 0.03", "s", "iterations", "residual", "PSNR"], rows))
    print("\n" + "\n".join(lines))
    _filters(scene, quick)


def _problem(scene: Array, boundary: str) -> tuple[Conv, Array]:
    A = Conv(gaussian(TAPS, SIGMA), scene.shape, padding="same", boundary=boundary)
    return A, A(scene) + np.random.default_rng(0).normal(0, NOISE, A.output_shape)


def _iterated(A: Conv, b: Array) -> dict[str, Callable[[], tuple[Array, int]]]:
    """Return LSMR on the operators of others, with the largest tolerance that reaches the residual."""
    for tolerance in (1e-4, 3e-5, 1e-5, 3e-6, 1e-6, 3e-7, 1e-7):
        if _residual(A, b, _lsmr(A, b, tolerance)[0]) <= RTOL:
            break
    else:
        raise AssertionError("LSMR does not get there.")
    ops: dict[str, Any] = {"CSR + LSMR": A.tosparse()}
    if all(axis.boundary == "zeros" for axis in A.geometry.axes) and (other := _pylops(A)) is not None:
        ops["PyLops + LSMR"] = other
    return {name: (lambda op=op: _lsmr(op, b, tolerance)) for name, op in ops.items()}


def _lsmr(op: Any, b: Array, tolerance: float) -> tuple[Array, int]:
    x, _, iterations, *_ = lsmr(op, b.ravel(), damp=DAMP, atol=tolerance, btol=0, conlim=0, maxiter=2000)
    return x.reshape(b.shape), iterations


def _residual(A: Conv, b: Array, x: Array) -> float:
    return float(np.linalg.norm(A.H(b - A(x)) - DAMP**2 * x) / np.linalg.norm(A.H(b)))


def _pylops(A: Conv) -> Any:
    try:
        from pylops.signalprocessing import Convolve2D
    except ImportError:
        return None
    return Convolve2D(A.input_shape, h=np.flip(A.weight), offset=(TAPS // 2, TAPS // 2))


def _filters(scene: Array, quick: bool) -> None:
    """Print how the filters of scikit-image do on the same photograph."""
    try:
        from skimage.restoration import unsupervised_wiener, wiener
    except ImportError:
        return
    A, b = _problem(scene, "wrap")
    psf = gaussian(TAPS, SIGMA)
    damp = choose_damp(A, b, reg="laplacian")

    def chosen() -> Array:
        return tikhonov(A, b, choose_damp(A, b, reg="laplacian"), reg="laplacian")

    calls: dict[str, Call] = {
        "tikhonov": lambda: tikhonov(A, b, damp, reg="laplacian"),
        "wiener": lambda: wiener(b, psf, damp**2, clip=False),
        "choose_damp and tikhonov": chosen,
        "unsupervised_wiener": lambda: unsupervised_wiener(b, psf, clip=False, rng=0)[0],
    }
    images = {name: call() for name, call in calls.items()}
    apart = np.abs(images["tikhonov"] - images["wiener"]).max()
    times = take_turns(calls, quick, rounds=15)
    rows = [
        [name, f"{1000 * times.median(name):.3g}", f"{psnr(image, scene):.2f}"]
        for name, image in images.items()
    ]
    print("\n" + table(["wrap, Laplacian", "ms", "PSNR"], rows))
    print(f"\ntikhonov and wiener differ by {apart:.1e} at most.")
