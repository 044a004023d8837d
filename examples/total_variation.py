"""
Keep the edges: total variation, with a solver of another package
=================================================================

``tikhonov`` punishes the square of the gradient, which smooths edges. Its absolute value keeps
them: min ½‖A x − b‖² + μ‖∇x‖₁,₂, which PyProximal solves by the primal-dual method of Chambolle and
Pock. The operators are those of convops, handed over by ``to_pylops``; that the steps are safe,
``operator_norm`` proves.

Run: ``python examples/total_variation.py [SIZE]``, which writes ``total_variation.png``. It needs
pyproximal, and the extra "plot".
"""

import sys

import numpy as np
import pyproximal
from matplotlib.figure import Figure
from pyproximal.optimization.primaldual import PrimalDual

from convops import Conv, choose_damp, gradient, operator_norm, tikhonov
from convops.interop import to_pylops

SIZE = int(sys.argv[1]) if len(sys.argv) > 1 else 160
NOISE, MU, ITERATIONS = 0.03, 0.012, 150

row, column = np.mgrid[:SIZE, :SIZE] / SIZE
scene = (
    0.2 + 0.6 * ((row - 0.4) ** 2 + (column - 0.45) ** 2 < 0.08) + 0.3 * (np.abs(row - column + 0.2) < 0.06)
)
scene -= 0.4 * ((np.abs(row - 0.72) < 0.12) & (np.abs(column - 0.7) < 0.15))

line = np.exp(-0.5 * (np.arange(-5, 6) / 1.8) ** 2)
A = Conv(np.outer(line, line) / line.sum() ** 2, scene.shape, padding="same", boundary="symmetric")
b = A(scene) + np.random.default_rng(0).normal(0, NOISE, scene.shape)


def psnr(image):
    """Return the peak signal-to-noise ratio against the scene, in dB."""
    return -10 * np.log10(np.mean((image - scene) ** 2))


smooth = tikhonov(A, b, choose_damp(A, b, reg="gradient"), reg="gradient")

G = gradient(scene.shape)
step = 0.99 / operator_norm(G).upper
values = []


def watch(x):
    """Keep the value of what is minimised."""
    steepness = np.sqrt((G(x.reshape(scene.shape)) ** 2).sum(axis=0)).sum()
    values.append(0.5 * np.linalg.norm(A @ x - b.ravel()) ** 2 + MU * steepness)


fit = pyproximal.L2(Op=to_pylops(A), b=b.ravel(), niter=4, warm=True)
edges = pyproximal.L21(ndim=2, sigma=MU)
found = PrimalDual(fit, edges, to_pylops(G), b.ravel(), tau=step, mu=step, niter=ITERATIONS, callback=watch)
sharp = np.reshape(found, scene.shape)
print(
    f"blurred {psnr(b):.2f} dB, squared gradient {psnr(smooth):.2f} dB, total variation {psnr(sharp):.2f} dB"
)
print(f"value: {values[0]:.3f} after one iteration, {values[-1]:.3f} after {len(values)}")

figure = Figure((12.0, 3.4), layout="constrained")
titles = (
    "the scene",
    f"blurred, {psnr(b):.1f} dB",
    f"squared gradient, {psnr(smooth):.1f} dB",
    f"total variation, {psnr(sharp):.1f} dB",
)
for axes, title, image in zip(figure.subplots(1, 4), titles, (scene, b, smooth, sharp), strict=True):
    axes.imshow(image, cmap="gray", vmin=0, vmax=1.1)
    axes.set_title(title)
    axes.set_axis_off()
figure.savefig("total_variation.png", dpi=80)

assert psnr(sharp) > psnr(smooth) + 1
assert values[-1] < values[0]
