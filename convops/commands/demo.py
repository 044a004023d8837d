"""``convops demo``: a small matrix, the adjoint check, and a photograph deblurred."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator, lsmr

from convops._arrays import Array
from convops.adjoint import check_adjoint
from convops.assembly import conv_matrix
from convops.commands._command import CannotRun, refuse_unwritable, without_plot
from convops.commands._files import written_whole
from convops.operators import Conv

BLUR_TAPS = 11
BLUR_SIGMA = 2.0
NOISE = 0.004
DAMP = 0.05


def run_demo(output: str, iterations: int) -> int:
    """Run the demo, write its picture to `output`, and return the exit status.

    Raises
    ------
    CannotRun
        If matplotlib is missing or the picture cannot be written.
    """
    status = small_example()
    photograph = load_photograph()
    _refuse_unwritable(output)
    status |= deblur(photograph, output, iterations)
    return status


def small_example() -> int:
    """Print a 3×3 image, a 2×2 weight, their matrix and its adjoint check; return the exit status."""
    weight, image = np.array([[1, 2], [3, 4]]), np.arange(9).reshape(3, 3)
    A = Conv(weight, image.shape)
    print(f"image x:\n{image}\n\nweight:\n{weight}\n\nW, with x and y as vectors in C order:")
    print(conv_matrix(weight, image.shape).toarray())
    print(f"\ny = W @ x = {A @ image.ravel()}, as an image:\n{A(image)}\n")
    report = check_adjoint(A)
    print(f"{report}\n")
    return 0 if report else 1


def load_photograph() -> Array:
    """Return the photograph that ships with matplotlib, grey, float64 in [0, 1].

    Raises
    ------
    CannotRun
        If matplotlib is missing.
    """
    try:
        from matplotlib.cbook import get_sample_data
        from matplotlib.image import imread
    except ImportError as error:
        raise without_plot("the photograph needs matplotlib", error) from error
    colour = imread(get_sample_data("grace_hopper.jpg", asfileobj=False))
    grey: Array = colour @ np.array([0.299, 0.587, 0.114]) / 255
    return grey


def deblur(photograph: Array, output: str, iterations: int) -> int:
    """Blur the photograph, add noise, restore it with LSMR, and write the picture.

    Returns
    -------
    int
        The exit status.
    """
    A = Conv(gaussian(BLUR_TAPS, BLUR_SIGMA), photograph.shape, padding="same", boundary="symmetric")
    report = check_adjoint(A)
    print(f"{report}\n")
    noise = np.random.default_rng(0).normal(0, NOISE, photograph.shape)
    blurred = A(photograph) + noise
    print(
        f"A photograph of {photograph.shape}, blurred by {BLUR_TAPS}×{BLUR_TAPS} taps, noise {NOISE} added."
    )
    print("Restored by LSMR, which knows A @ x and A.H @ y and nothing else:")
    counted = _counted(A, iterations)
    restored = lsmr(counted, blurred.ravel(), damp=DAMP, maxiter=iterations, x0=blurred.ravel())[0]
    print()
    blurred, restored = np.clip(blurred, 0, 1), np.clip(restored.reshape(photograph.shape), 0, 1)
    print(f"PSNR blurred  {psnr(blurred, photograph):.2f} dB")
    print(f"PSNR restored {psnr(restored, photograph):.2f} dB")
    _draw(photograph, blurred, restored, output)
    print(f"Picture: {output}")
    return 0 if report else 1


def gaussian(taps: int, sigma: float) -> Array:
    """Return a Gaussian kernel of shape ``(taps, taps)`` and sum 1."""
    along = np.exp(-0.5 * ((np.arange(taps) - (taps - 1) / 2) / sigma) ** 2)
    kernel: Array = np.outer(along, along)
    kernel /= kernel.sum()
    return kernel


def psnr(image: Array, reference: Array) -> float:
    """Return the peak signal-to-noise ratio in dB, for a peak of 1."""
    return float(-10 * np.log10(np.mean((image - reference) ** 2)))


def _counted(A: Conv, iterations: int) -> Any:
    """Return A as an operator that prints a progress line: one iteration is one product with Aᴴ."""
    done = -1  # the first product with Aᴴ sets LSMR up
    live = sys.stdout.isatty()

    def rmatvec(y: Array) -> Array:
        nonlocal done
        done += 1
        if live:
            print(f"\r  iteration {done} of {iterations}", end="", flush=True)
        elif done == iterations or done % 20 == 0:
            print(f"  iteration {done} of {iterations}", flush=True)
        return A.rmatvec(y)

    return LinearOperator(A.shape, matvec=A.matvec, rmatvec=rmatvec, dtype=A.dtype)


def _refuse_unwritable(output: str) -> None:
    """Find out before the work whether the picture can be written."""
    if Path(output).suffix.lower() not in (".png", ".jpg", ".jpeg", ".pdf", ".svg"):
        raise CannotRun(f"--output {output}: the picture is a .png, .jpg, .pdf or .svg file.")
    refuse_unwritable("--output", output, "the picture")


def _draw(photograph: Array, blurred: Array, restored: Array, output: str) -> None:
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13, 3.9), layout="constrained")
    panels = figure.subplots(1, 4)
    images = {
        "original": photograph,
        f"blurred, {psnr(blurred, photograph):.1f} dB": blurred,
        f"restored, {psnr(restored, photograph):.1f} dB": restored,
    }
    for axes, (title, image) in zip(panels, images.items(), strict=False):
        axes.imshow(image, cmap="gray", vmin=0, vmax=1)
        axes.set_title(title)
    difference = panels[3].imshow(restored - photograph, cmap="RdBu", vmin=-0.15, vmax=0.15)
    panels[3].set_title("restored − original")
    figure.colorbar(difference, ax=panels[3], shrink=0.75)
    for axes in panels:
        axes.set_axis_off()
    with written_whole("--output", output, "the picture") as file:
        figure.savefig(file, dpi=110)
