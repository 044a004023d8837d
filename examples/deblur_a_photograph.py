"""
Deblur a photograph, and see what the boundary condition does
=============================================================

A camera that is out of focus averages over a Gaussian. It also sees light from beyond the border of
the picture, of which the picture tells nothing: whoever deblurs must say how the scene goes on
there. A photograph goes on much as it ends ("symmetric", "reflect"); zeros say that it is black
outside, "wrap" that its left goes on at its right, and both make edges where there are none, which
ring through the answer.

Run: ``python examples/deblur_a_photograph.py [SIZE]``, which writes ``deblur_a_photograph.png``. It
needs the extra "plot".
"""

import sys

import numpy as np
from matplotlib.cbook import get_sample_data
from matplotlib.figure import Figure
from matplotlib.image import imread

from convops import Conv, choose_damp, tikhonov

SIZE = int(sys.argv[1]) if len(sys.argv) > 1 else 480
NOISE, TAPS, SIGMA = 0.01, 15, 2.5
BORDER = TAPS // 2

colour = imread(get_sample_data("grace_hopper.jpg", asfileobj=False))
photograph = colour @ np.array([0.299, 0.587, 0.114]) / 255
middle = 200, 256
window = tuple(slice(max(at - SIZE // 2, 0), max(at - SIZE // 2, 0) + SIZE) for at in middle)
scene = photograph[window]
inside = np.s_[BORDER:-BORDER, BORDER:-BORDER]

line = np.exp(-0.5 * ((np.arange(TAPS) - TAPS // 2) / SIGMA) ** 2)
kernel = np.outer(line, line) / line.sum() ** 2

# What the camera saw: of a scene that is wider than its picture, on every side.
camera = Conv(kernel, scene.shape)
picture = camera(scene) + np.random.default_rng(0).normal(0, NOISE, camera.output_shape)
truth = scene[inside]


def psnr(image):
    """Return the peak signal-to-noise ratio against the truth, in dB."""
    return -10 * np.log10(np.mean((np.clip(image, 0, 1) - truth) ** 2))


restored, quality = {}, {}
print(f"blurred, noise {NOISE}: {psnr(picture):.2f} dB")
for boundary in ("symmetric", "reflect", "edge", "wrap", "zeros"):
    A = Conv(kernel, picture.shape, padding="same", boundary=boundary)
    if boundary == "symmetric":
        damp = choose_damp(A, picture, reg="gradient")
    image, result = tikhonov(A, picture, damp, reg="gradient", rtol=1e-4, full_output=True)
    restored[boundary], quality[boundary] = image, psnr(image)
    print(
        f"{boundary:>9}: {quality[boundary]:.2f} dB, damp {damp:.3f}, route {result.route}, "
        f"{result.iterations} iterations"
    )

# The unknown may also be the whole scene: then no boundary condition is needed, and the regulariser says what
# the picture does not tell.
image, result = tikhonov(camera, picture, damp, reg="gradient", rtol=1e-4, full_output=True)
restored["no boundary"], quality["no boundary"] = image[inside], psnr(image[inside])
print(f"  no boundary: {quality['no boundary']:.2f} dB, route {result.route}, {result.iterations} iterations")

figure = Figure((12.0, 6.4), layout="constrained")
shown = {
    "the truth": truth,
    f"blurred, {psnr(picture):.1f} dB": picture,
    **{
        f"{name}, {quality[name]:.1f} dB": restored[name]
        for name in ("symmetric", "wrap", "zeros", "no boundary")
    },
}
corner = np.s_[: SIZE // 2, : SIZE // 2]
for axes, (title, image) in zip(figure.subplots(2, 3).flat, shown.items(), strict=True):
    axes.imshow(image[corner], cmap="gray", vmin=0, vmax=1)
    axes.set_title(title)
    axes.set_axis_off()
figure.savefig("deblur_a_photograph.png", dpi=80)

assert quality["symmetric"] > psnr(picture) + 1
assert quality["symmetric"] > max(quality["wrap"], quality["zeros"]) + 1
