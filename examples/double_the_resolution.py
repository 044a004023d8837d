"""Double the resolution of an image from four shifted low-resolution ones.

A camera averages 3 × 3 points of the scene and keeps every second: a convolution with stride 2. Four
pictures, each shifted by one point, are four such operators on one scene. Stacked, their matrices make one
least-squares problem, with a little smoothness (the Laplacian, another convolution) where it is
undecided.

Run: ``python examples/double_the_resolution.py``
"""

import numpy as np
from scipy.ndimage import zoom
from scipy.sparse import vstack
from scipy.sparse.linalg import lsmr

from convops import conv_matrix

SIZE, NOISE, SMOOTHNESS = 96, 0.01, 0.05

row, column = np.mgrid[:SIZE, :SIZE] / SIZE
scene = 0.5 + 0.25 * np.sin(30 * row**2) + 0.25 * np.sign(np.sin(25 * column * (0.5 + row)))


def camera(shift_down, shift_right):
    """Return the matrix of one picture; a shift adds to one side of the padding what the other loses."""
    pads = [(1 - shift_down, shift_down), (1 - shift_right, shift_right)]
    return conv_matrix(np.full((3, 3), 1 / 9), scene.shape, stride=2, padding=pads, boundary="edge")


rng = np.random.default_rng(0)
shifts = [(0, 0), (0, 1), (1, 0), (1, 1)]
cameras = [camera(*shift) for shift in shifts]
pictures = [W @ scene.ravel() + rng.normal(0, NOISE, W.shape[0]) for W in cameras]

laplacian = conv_matrix([[0, 1, 0], [1, -4, 1], [0, 1, 0]], scene.shape, padding="same", boundary="symmetric")
system = vstack([*cameras, SMOOTHNESS * laplacian])
right_side = np.concatenate([*pictures, np.zeros(scene.size)])
restored = lsmr(system, right_side, atol=1e-8, btol=1e-8)[0].reshape(scene.shape)

enlarged = zoom(pictures[0].reshape(SIZE // 2, SIZE // 2), 2, order=3, mode="grid-constant", grid_mode=True)


def psnr(image):
    """Return the peak signal-to-noise ratio against the scene, in dB."""
    return -10 * np.log10(np.mean((image - scene) ** 2))


print(f"one picture, enlarged by a cubic spline: {psnr(enlarged):.1f} dB")
print(f"four pictures, solved together:          {psnr(restored):.1f} dB")

assert psnr(restored) > psnr(enlarged) + 4
