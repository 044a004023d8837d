"""
Find out how a room answers, from what was played and what was heard
====================================================================

What a microphone hears is the convolution of what was played with the answer of the room. It is
linear in that answer too: with ``KernelOperator`` the answer is the unknown of a least-squares
problem, for a signal of any kind.

Run: ``python examples/identify_a_system.py [SIZE]``, which writes ``identify_a_system.png``. It
needs the extra "plot".
"""

import sys

import numpy as np
from matplotlib.figure import Figure

from convops import Conv, KernelOperator, choose_damp, tikhonov

SAMPLES = int(sys.argv[1]) if len(sys.argv) > 1 else 20000
TAPS, NOISE = 200, 0.5

rng = np.random.default_rng(0)
time = np.arange(TAPS)
answer = np.exp(-time / 40) * rng.standard_normal(TAPS)
answer[:12] = 0  # the way from the loudspeaker

# Music rather than noise: each sample resembles the one before, so that high tones are rare.
played = np.convolve(rng.standard_normal(SAMPLES + 50), np.exp(-np.arange(50) / 4), "valid")[:SAMPLES]

# The room answers afterwards, never before: "causal"; flip=True, so that the taps are in the order of time.
causal = {"padding": "causal", "flip": True}
heard = Conv(answer, SAMPLES, **causal)(played) + rng.normal(0, NOISE, SAMPLES)

K = KernelOperator(played, TAPS, **causal)
found = {}
for name, damp in (
    ("hardly damped", 1e-3),
    ("by cross-validation", choose_damp(K, heard)),
    ("too much", 1000),
):
    found[name], result = tikhonov(K, heard, damp, full_output=True)
    error = np.linalg.norm(found[name] - answer) / np.linalg.norm(answer)
    print(f"{name:>20}: damp {damp:8.3f}, relative error {error:.3f}, route {result.route}")

figure = Figure((12.0, 3.4), layout="constrained")
axes = figure.subplots()
axes.plot(answer, color="0.6", lw=4, label="the answer of the room")
axes.plot(found["by cross-validation"], lw=1.2, label="found, damp by cross-validation")
axes.set(xlabel="sample", xlim=(0, TAPS))
axes.legend(frameon=False)
figure.savefig("identify_a_system.png", dpi=80)

best = found["by cross-validation"]
assert np.linalg.norm(best - answer) < 0.25 * np.linalg.norm(answer)
