"""
Sharpen a volume that a microscope saw
======================================

A microscope blurs along its optical axis more than across it, and less light comes back from deep
down. The blur has rank one, so that it is applied axis by axis; the image goes on at the top and at
the bottom of the stack ("edge"). The problem is solved in single precision, as the camera's data
are.

Run: ``python examples/sharpen_a_volume.py [SIZE]``, which writes ``sharpen_a_volume.png``. It needs
the extra "plot".
"""

import sys

import numpy as np
from matplotlib.figure import Figure

from convops import Conv, choose_damp, tikhonov

SIZE = int(sys.argv[1]) if len(sys.argv) > 1 else 96
DEPTH, PHOTONS = SIZE // 2, 1000

# Cells: shells of different sizes, some touching.
rng = np.random.default_rng(2)
z, y, x = np.mgrid[:DEPTH, :SIZE, :SIZE].astype(np.float32)
volume = np.full((DEPTH, SIZE, SIZE), 0.05, np.float32)
for _ in range(24):
    radius = rng.uniform(0.06, 0.12) * SIZE
    centre = rng.uniform((0, 0, 0), (DEPTH, SIZE, SIZE))
    distance = np.sqrt((z - centre[0]) ** 2 + (y - centre[1]) ** 2 + (x - centre[2]) ** 2)
    volume += np.exp(-(((distance - radius) / 1.0) ** 2)).astype(np.float32)


def bell(sigma):
    """Return a Gaussian of sum 1."""
    reach = int(np.ceil(3 * sigma))
    taps = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return (taps / taps.sum()).astype(np.float32)


kernel = np.einsum("i,j,k->ijk", bell(2.5), bell(1.2), bell(1.2))
A = Conv(kernel, volume.shape, padding="same", boundary="edge")
print(A.explain())
stack = (rng.poisson(PHOTONS * A(volume)) / PHOTONS).astype(np.float32)
noise = float(np.sqrt(stack.mean() / PHOTONS))

damp = choose_damp(A, stack, rule="discrepancy", noise=noise, reg="gradient")
sharp, result = tikhonov(A, stack, damp, reg="gradient", rtol=1e-3, full_output=True)


def error(image):
    """Return the relative error, in per cent."""
    return 100 * np.linalg.norm(image - volume) / np.linalg.norm(volume)


print(f"{stack.dtype}, {stack.shape}: damp {damp:.3f}, {result.iterations} iterations of {result.route}")
print(f"relative error: {error(stack):.1f} % before, {error(sharp):.1f} % after")

figure = Figure((12.0, 4.2), layout="constrained")
panels = figure.subplots(2, 3, height_ratios=[2, 1])
titles = "the volume", f"seen, error {error(stack):.0f} %", f"sharpened, error {error(sharp):.0f} %"
for (across, along), title, image in zip(panels.T, titles, (volume, stack, sharp), strict=True):
    across.imshow(image[DEPTH // 2], cmap="magma", vmin=0, vmax=1)
    along.imshow(image[:, SIZE // 2], cmap="magma", vmin=0, vmax=1)
    across.set_title(title)
    for axes in (across, along):
        axes.set_axis_off()
figure.savefig("sharpen_a_volume.png", dpi=80)

assert sharp.dtype == np.float32
assert error(sharp) < 0.85 * error(stack)
