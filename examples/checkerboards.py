"""
Checkerboards of a transposed convolution, and a step size that is safe
=======================================================================

A transposed convolution with a stride writes a kernel at every input sample. Where the stride does
not divide the kernel, some outputs are written to more often than others: a checkerboard, which the
column sums of W show without any image. How far a step of gradient descent may go is decided by the
norm of the same map; ``operator_norm`` proves a bound, and one step beyond twice the inverse of its
square diverges.

Run: ``python examples/checkerboards.py [SIZE]``, which writes ``checkerboards.png``. It needs the
extra "plot".
"""

import sys

import numpy as np
from matplotlib.figure import Figure

from convops import ConvTranspose, operator_norm

SIZE = int(sys.argv[1]) if len(sys.argv) > 1 else 24
STEPS = 60

figure = Figure((12.0, 3.2), layout="constrained")
panels = figure.subplots(1, 4)
unevenness = {}
for axes, taps in zip(panels, (3, 4, 5), strict=False):
    up = ConvTranspose(np.ones((taps, taps)) / taps**2, (SIZE, SIZE), stride=2)
    written = up.row_sums()
    inner = written[taps:-taps, taps:-taps]
    unevenness[taps] = inner.max() / inner.min()
    axes.imshow(written, cmap="gray")
    axes.set_title(f"stride 2, kernel {taps}: {unevenness[taps]:.2f} : 1")
    axes.set_axis_off()

rng = np.random.default_rng(0)
A = ConvTranspose(rng.standard_normal((2, 3, 4, 4)), (2, SIZE, SIZE), stride=2, padding=1)
bounds = operator_norm(A)
print(f"{bounds.lower:.4f} <= norm of {A} <= {bounds.upper:.4f}")
b = A(rng.standard_normal(A.input_shape))


def descent(step):
    """Return ‖A x − b‖ along gradient descent on half its square."""
    x, sizes = np.zeros(A.input_shape), []
    for _ in range(STEPS):
        residual = A(x) - b
        sizes.append(np.linalg.norm(residual))
        x -= step * A.H(residual)
    return np.array(sizes)


safe, wild = descent(1 / bounds.upper**2), descent(2.05 / bounds.lower**2)
print(f"step 1 / upper²:    ‖A x − b‖ falls to {safe[-1] / safe[0]:.1e} of its size")
print(f"step 2.05 / lower²: it is {wild[-1] / wild[0]:.1e} of its size")
panels[3].semilogy(safe, label="1 / upper²")
panels[3].semilogy(wild, label="2.05 / lower²")
panels[3].set(title="gradient descent: ‖A x − b‖", xlabel="step")
panels[3].legend(frameon=False)
figure.savefig("checkerboards.png", dpi=80)

assert unevenness[4] == 1 < unevenness[5] < unevenness[3]
assert (np.diff(safe) < 0).all()
assert wild[-1] > safe[-1]
