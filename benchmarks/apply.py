"""Applying W and its adjoint: each method of convops, beside scipy, torch and the bare matrix."""

from functools import partial
from importlib.util import find_spec

import numpy as np
from scipy import ndimage, signal

from benchmarks._cases import Case
from benchmarks._harness import Call, table, take_turns
from convops import Conv
from convops.apply import METHODS

PRODUCT = "W @ x"
# Of padding "same" and boundary "zeros", stride apart: what all contenders know.
CASES = (
    Case("64², 3×3", (3, 3), (64, 64), 1),
    Case("512², 5×5", (5, 5), (512, 512), 2),
    Case("512², 15×15", (15, 15), (512, 512), 7),
    Case("16→16 channels, 128², 3×3", (16, 16, 3, 3), (16, 128, 128), 1),
    Case("3→8 channels, 256², 5×5, stride 2", (8, 3, 5, 5), (3, 256, 256), 2, stride=2),
    Case("100 000, 101 taps", (101,), (100_000,), 50),
)
QUICK_CASES = (
    Case("8², 3×3", (3, 3), (8, 8), 1),
    Case("2→3 channels, 8², 3×3, stride 2", (3, 2, 3, 3), (2, 8, 8), 1, stride=2),
    Case("20, 5 taps", (5,), (20,), 2),
)


def main(quick: bool) -> None:
    """Print one table per direction."""
    tables: tuple[list[dict[str, str]], ...] = ([], [])
    for case in QUICK_CASES if quick else CASES:
        for rows, calls in zip(tables, _contenders(case), strict=True):
            _require_same(calls)
            times = take_turns(calls, quick, seconds=2.0)
            reference = next(iter(calls))
            cells = {
                name: f"{times.median(name) * 1e3:.3g} ({times.ratio(name, reference):.2g})" for name in calls
            }
            rows.append({"case": case.name} | cells)
    if not find_spec("torch"):
        print("torch is not installed: its columns are left out.")
    print("ms, and in brackets the ratio to the first column; float64, one thread. W is built beforehand.\n")
    for rows in tables:
        header = list(dict.fromkeys(name for row in rows for name in row))
        print(table(header, [[row.get(name, "") for name in header] for row in rows]), end="\n\n")


def _contenders(case: Case) -> tuple[dict[str, Call], dict[str, Call]]:
    """Return the calls that compute W x, and those that compute Wᴴ y."""
    rng = np.random.default_rng(1)
    weight, W = case.weight(), case.matrix(case.weight())
    x, y = rng.standard_normal(W.shape[1]), rng.standard_normal(W.shape[0])
    W_H = W.T
    forward: dict[str, Call] = {PRODUCT: lambda: W @ x}
    adjoint: dict[str, Call] = {"W.T @ y": lambda: W_H @ y}
    for method in METHODS[1:]:
        try:
            A = Conv(weight, case.input_shape, stride=case.stride, padding=case.padding, method=method)
        except ValueError:  # what this method cannot do
            continue
        forward[f"A @ x, {method}"] = partial(_product, A, x)
        adjoint[f"A.H @ y, {method}"] = partial(_adjoint_product, A, y)
    image = x.reshape(case.input_shape)
    if weight.ndim == image.ndim:  # what follows knows neither channels nor strides
        turned = np.ascontiguousarray(np.flip(weight))
        out = y.reshape(case.input_shape)
        forward |= _by_scipy(image, weight, turned)
        adjoint |= _by_scipy(out, turned, weight)
    if find_spec("torch"):
        forward["torch conv"], adjoint["torch conv_transpose"] = _by_torch(case, image, weight, y)
    return forward, adjoint


def _product(A: Conv, x: np.ndarray) -> np.ndarray:
    return A @ x


def _adjoint_product(A: Conv, y: np.ndarray) -> np.ndarray:
    return A.H @ y


def _by_scipy(image: np.ndarray, weight: np.ndarray, turned: np.ndarray) -> dict[str, Call]:
    return {
        "ndimage.correlate": lambda: ndimage.correlate(image, weight, mode="constant"),
        "fftconvolve": lambda: signal.fftconvolve(image, turned, mode="same"),
        "oaconvolve": lambda: signal.oaconvolve(image, turned, mode="same"),
    }


def _by_torch(case: Case, x: np.ndarray, weight: np.ndarray, y: np.ndarray) -> tuple[Call, Call]:
    import torch
    from torch.nn import functional

    spatial = len(case.spatial_shape)
    if weight.ndim == x.ndim:
        x, weight = x[None], weight[None, None]
    image, taps = torch.from_numpy(x[None]), torch.from_numpy(weight)
    options = {"stride": case.stride, "padding": case.padding}
    conv = getattr(functional, f"conv{spatial}d")
    transpose = getattr(functional, f"conv_transpose{spatial}d")
    out = torch.from_numpy(y.reshape(conv(image, taps, **options).shape))
    reached = transpose(out, taps, **options).shape
    extra = [size - found for size, found in zip(image.shape[2:], reached[2:], strict=True)]
    return (
        lambda: conv(image, taps, **options).numpy(),
        lambda: transpose(out, taps, output_padding=extra, **options).numpy(),
    )


def _require_same(calls: dict[str, Call]) -> None:
    """Refuse to time contenders that do not compute the same."""
    expected, *others = [np.ravel(call()) for call in calls.values()]
    for name, found in zip(list(calls)[1:], others, strict=True):
        if not np.allclose(found, expected, rtol=0, atol=1e-11 * np.abs(expected).max()):
            raise AssertionError(f"{name} does not compute what the matrix does.")
