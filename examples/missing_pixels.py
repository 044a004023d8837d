"""
Deblur a photograph of which half the pixels are missing
========================================================

A mask is one more linear map in front of the blur: a selection of the pixels that there are. Their
product is an operator like any other, with an adjoint, and ``tikhonov`` finds the image that fits
the pixels that were seen.

Run: ``python examples/missing_pixels.py [SIZE]``, which writes ``missing_pixels.png``. It needs the
extra "plot".
"""

import sys

import numpy as np
from matplotlib.cbook import get_sample_data
from matplotlib.figure import Figure
from matplotlib.image import imread
from scipy.ndimage import distance_transform_edt

from convops import Conv, check_adjoint, selection, tikhonov

SIZE = int(sys.argv[1]) if len(sys.argv) > 1 else 400
NOISE, MISSING, TAPS, SIGMA = 0.01, 0.5, 9, 1.2

colour = imread(get_sample_data("grace_hopper.jpg", asfileobj=False))
photograph = colour @ np.array([0.299, 0.587, 0.114]) / 255
window = tuple(slice(max(at - SIZE // 2, 0), max(at - SIZE // 2, 0) + SIZE) for at in (200, 256))
scene = photograph[window]

line = np.exp(-0.5 * ((np.arange(TAPS) - TAPS // 2) / SIGMA) ** 2)
blur = Conv(np.outer(line, line) / line.sum() ** 2, scene.shape, padding="same", boundary="symmetric")

rng = np.random.default_rng(0)
seen = rng.random(scene.shape) > MISSING
# A scratch, too: nothing near it was seen.
row, column = np.mgrid[:SIZE, :SIZE] / SIZE
seen &= np.abs(column - 0.3 - 0.4 * row) > 0.008

A = selection(seen) @ blur
report = check_adjoint(A)
assert report, report
pixels = A(scene) + rng.normal(0, NOISE, A.shape[0])

restored, result = tikhonov(A, pixels, 0.06, reg="gradient", rtol=1e-4, full_output=True)

# For comparison, each missing pixel filled with the nearest that was seen.
picture = np.zeros(scene.shape)
picture[seen] = pixels
nearest = distance_transform_edt(~seen, return_distances=False, return_indices=True)
filled = picture[tuple(nearest)]


def psnr(image):
    """Return the peak signal-to-noise ratio against the scene, in dB."""
    return -10 * np.log10(np.mean((np.clip(image, 0, 1) - scene) ** 2))


print(f"{seen.mean():.0%} of the pixels were seen, blurred, noise {NOISE}")
print(f"filled from the nearest: {psnr(filled):.2f} dB")
print(
    f"restored:                {psnr(restored):.2f} dB, route {result.route}, {result.iterations} iterations"
)

figure = Figure((12.0, 3.4), layout="constrained")
titles = "what was seen", f"filled, {psnr(filled):.1f} dB", f"restored, {psnr(restored):.1f} dB", "the scene"
for axes, title, image in zip(figure.subplots(1, 4), titles, (picture, filled, restored, scene), strict=True):
    axes.imshow(image, cmap="gray", vmin=0, vmax=1)
    axes.set_title(title)
    axes.set_axis_off()
figure.savefig("missing_pixels.png", dpi=80)

assert psnr(restored) > psnr(filled) + 3
