"""
Blind deconvolution: the stars, and the blur that they were seen through
========================================================================

Of a picture of stars neither the stars nor the blur are known, only that neither is negative. The
picture is linear in each while the other is held: ``Conv(blur, ...)`` maps the stars to it,
``KernelOperator(stars, ...)`` the blur. Both have an adjoint, which is all that the multiplicative
steps of Richardson and Lucy need; taken in turns they find both.

Fish, Brinicombe, Pike and Walker, "Blind deconvolution by means of the Richardson-Lucy algorithm",
doi:10.1364/JOSAA.12.000058.

Run: ``python examples/blind_deconvolution.py [SIZE]``, which writes ``blind_deconvolution.png``. It
needs the extra "plot".
"""

import sys

import numpy as np
from matplotlib.figure import Figure

from convops import Conv, KernelOperator

SIZE = int(sys.argv[1]) if len(sys.argv) > 1 else 160
TAPS, ROUNDS, STEPS, SKY = 13, 30, 5, 0.02

rng = np.random.default_rng(1)
stars = np.zeros((SIZE, SIZE))
count = SIZE**2 // 160
stars[tuple(rng.integers(TAPS, SIZE - TAPS, (2, count)))] = rng.pareto(1.5, count) + 0.5

# A telescope that shook: the light of each star is drawn along an arc.
angle = np.linspace(0, 0.8 * np.pi, 200)
row, column = np.mgrid[:TAPS, :TAPS] - TAPS // 2
arc = [np.exp(-((row - 4 * np.sin(t) + 2) ** 2 + (column - 4 * np.cos(t)) ** 2) / 1.2) for t in angle]
blur = np.sum(arc, axis=0) / np.sum(arc)


def seen_through(kernel):
    """Return the map from the stars to the picture."""
    return Conv(kernel, stars.shape, padding="same", flip=True)


picture = seen_through(blur)(stars) + SKY
picture = rng.poisson(2000 * picture) / 2000


def improved(operator, x):
    """Return a better x >= 0 for operator(x) + SKY = picture, by steps of Richardson and Lucy."""
    reach = operator.H(np.ones_like(picture))
    for _ in range(STEPS):
        x = x * operator.H(picture / (operator(x) + SKY)) / reach
    return x


def likeness(found, true):
    """Return the largest correlation of two kernels over all shifts: a shift of both is nobody's to know."""
    shifts = [np.roll(found, (i, j), (0, 1)) for i in range(-3, 4) for j in range(-3, 4)]
    return max(np.corrcoef(shifted.ravel(), true.ravel())[0, 1] for shifted in shifts)


guess = np.exp(-(row**2 + column**2) / 18)
guess /= guess.sum()
kernel, scene = guess, np.full(stars.shape, picture.mean())
print(f"likeness of the blur: {likeness(kernel, blur):.3f} to begin with")
for number in range(ROUNDS):
    scene = improved(seen_through(kernel), scene)
    kernel = improved(KernelOperator(scene, kernel.shape, padding="same", flip=True), kernel)
    kernel /= kernel.sum()
    if (number + 1) % 10 == 0:
        print(f"likeness of the blur: {likeness(kernel, blur):.3f} after {number + 1} rounds")

figure = Figure((12.0, 3.4), layout="constrained")
panels = figure.subplots(1, 5, width_ratios=[2, 2, 1, 1, 1])
titles = "the picture", "the stars found", "first guess", "blur found", "the blur"
for axes, title, image in zip(panels, titles, (picture, scene, guess, kernel, blur), strict=True):
    top = np.quantile(image, 0.998) if image.shape == stars.shape else image.max()
    axes.imshow(image, cmap="gray", vmin=0, vmax=top)
    axes.set_title(title)
    axes.set_axis_off()
figure.savefig("blind_deconvolution.png", dpi=80)

assert likeness(kernel, blur) > 0.9 > likeness(guess, blur) + 0.1
