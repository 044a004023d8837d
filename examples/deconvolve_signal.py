"""Recover spikes from a smooth, noisy recording: once with the matrix W, once with products alone.

The recording is a convolution of the spikes, so W makes it a linear least-squares problem. A direct
sparse solver needs the entries of W; LSMR needs ``A @ x`` and ``A.H @ y``. Both must agree.

Run: ``python examples/deconvolve_signal.py``
"""

import numpy as np
from scipy.sparse import eye_array
from scipy.sparse.linalg import lsmr, spsolve

from convops import Conv, check_adjoint

SAMPLES, DAMP, NOISE = 4000, 0.02, 0.002

rng = np.random.default_rng(0)
spikes = np.zeros(SAMPLES)
spikes[rng.choice(SAMPLES, 40, replace=False)] = rng.uniform(0.5, 1.5, 40)

time = np.arange(30)
impulse_response = np.exp(-time / 6) - np.exp(-time / 2)

# The recorder answers after the spike, never before: the past alone is read, and the kernel runs backwards.
A = Conv(impulse_response, SAMPLES, padding="causal", flip=True)
print(A)
print(check_adjoint(A))

recording = A(spikes) + rng.normal(0, NOISE, SAMPLES)

W = A.tosparse()
normal_matrix = W.T @ W + DAMP**2 * eye_array(SAMPLES)
direct = spsolve(normal_matrix.tocsc(), W.T @ recording)

iterative, _, iterations, *_ = lsmr(A, recording, damp=DAMP, atol=1e-12, btol=1e-12)

difference = np.linalg.norm(direct - iterative) / np.linalg.norm(direct)
correlation = np.corrcoef(direct, spikes)[0, 1]
print(f"direct against {iterations} iterations of LSMR: relative difference {difference:.1e}")
print(
    f"correlation with the spikes: recording {np.corrcoef(recording, spikes)[0, 1]:.3f}, "
    f"recovered {correlation:.3f}"
)

assert difference < 1e-6
assert correlation > 0.9
