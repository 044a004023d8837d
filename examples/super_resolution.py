"""
Twice and three times the resolution of a photograph
====================================================

A sensor averages over its pixels and a little beyond, and keeps one number for each: a convolution
with a stride. The image behind the numbers is the answer to a least-squares problem, with a little
smoothness where they leave it undecided. Of a scene that is mirrored at its border, the problem is
solved by iteration; if it wrapped round, a transform would take it apart, stride and all, and the
answer is there at once.

Run: ``python examples/super_resolution.py [SIZE]``, which writes ``super_resolution.png``. It needs
the extra "plot". SIZE must be a multiple of 6.
"""

import sys

import numpy as np
from matplotlib.cbook import get_sample_data
from matplotlib.figure import Figure
from matplotlib.image import imread
from scipy.ndimage import zoom

from convops import Conv, tikhonov

SIZE = int(sys.argv[1]) if len(sys.argv) > 1 else 480
NOISE = 0.005

colour = imread(get_sample_data("grace_hopper.jpg", asfileobj=False))
photograph = colour @ np.array([0.299, 0.587, 0.114]) / 255
window = tuple(slice(max(at - SIZE // 2, 0), max(at - SIZE // 2, 0) + SIZE) for at in (200, 256))
scene = photograph[window]


def psnr(image):
    """Return the peak signal-to-noise ratio against the scene, in dB."""
    return -10 * np.log10(np.mean((np.clip(image, 0, 1) - scene) ** 2))


def sensor(factor, boundary):
    """Return the map from the scene to the picture of a sensor with pixels of factor × factor points."""
    taps = (
        2 * factor + factor % 2
    )  # as even or odd as the factor: the middle of the taps is that of the pixel
    line = np.exp(-0.5 * ((np.arange(taps) - (taps - 1) / 2) / (0.5 * factor)) ** 2)
    kernel = np.outer(line, line) / line.sum() ** 2
    return Conv(kernel, scene.shape, stride=factor, padding=(taps - factor) // 2, boundary=boundary)


figure = Figure((12.0, 6.4), layout="constrained")
panels = figure.subplots(2, 3)
eye = np.s_[SIZE // 4 : SIZE // 2, SIZE // 3 : SIZE // 3 + SIZE // 4]
gains = []
for row, factor in zip(panels, (2, 3), strict=True):
    A = sensor(factor, "symmetric")
    picture = A(scene) + np.random.default_rng(0).normal(0, NOISE, A.output_shape)
    enlarged = zoom(picture, factor, order=3, mode="grid-mirror", grid_mode=True)
    sharp, result = tikhonov(A, picture, 0.02, reg="gradient", full_output=True)
    wrapped, direct = tikhonov(sensor(factor, "wrap"), picture, 0.02, reg="gradient", full_output=True)
    print(f"× {factor}: {picture.shape} -> {scene.shape}")
    print(f"  cubic spline          {psnr(enlarged):.2f} dB")
    print(
        f"  mirrored at the border {psnr(sharp):.2f} dB, route {result.route}, {result.iterations} iterations"
    )
    print(f"  wrapped round          {psnr(wrapped):.2f} dB, route {direct.route}, {direct.why}")
    gains.append(psnr(sharp) - psnr(enlarged))
    pixels = np.kron(picture, np.ones((factor, factor)))
    titles = f"{picture.shape} pixels", f"cubic, {psnr(enlarged):.1f} dB", f"× {factor}, {psnr(sharp):.1f} dB"
    for axes, title, image in zip(row, titles, (pixels, enlarged, sharp), strict=True):
        axes.imshow(image[eye], cmap="gray", vmin=0, vmax=1)
        axes.set_title(title)
        axes.set_axis_off()
figure.savefig("super_resolution.png", dpi=80)

assert gains[0] > 1
assert gains[1] > 0.7
