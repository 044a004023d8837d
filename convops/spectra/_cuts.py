"""An axis cut in three, and what that costs: the two ends, where W folds, and the inside, where it does not.

Along an axis, let φ(q) be a unit vector of three numbers for each sample q, one for each piece: (1, 0, 0) at
the left end, turning to (0, 1, 0) for the inside and on to (0, 0, 1) at the right. Let r(p) be such a vector
for each output p, that of the middle of the samples that it reads, and C what is left of W once its entries
are multiplied by ``1 - ⟨r(p), φ(q)⟩``. The entry p of ``(W - C) x`` is the sum over the pieces a of
``r_a(p) (W φ_a x)[p]``, of length no more than the root of ``Σ_a |(W φ_a x)[p]|²``, as r is a unit vector. So
``‖(W - C) x‖² <= Σ_a ‖W φ_a x‖²``. This is no more than the largest ``‖W_a‖²``, where W_a is W of the samples
of a piece, times ``Σ_a ‖φ_a x‖² = ‖x‖²``:

    ‖W‖ <= max ‖W_a‖ + ‖C‖

Where φ turns by s from sample to sample, ``1 - ⟨r, φ⟩`` is no more than ``1 - cos(s t)`` for a tap that is t
samples from the middle, so that C falls with the square of the width over which φ turns. At each frequency of
the other axes it is no larger than these numbers times the norms of the taps, added up; and taps that a
stride leads to other samples add up as squares. Between the points of a grid that sum exceeds itself no
more than a symbol does (``._symbol``): at its peak it is a symbol, that of the taps times vectors that attain
their norms, and nowhere is it smaller than that. Over several axes one cut follows the other.

This is the IMS localization formula (Cycon, Froese, Kirsch and Simon, "Schrödinger Operators", chapter 3)
for W in place of WᴴW.
"""

from collections.abc import Sequence
from math import inf, pi
from typing import NamedTuple

import numpy as np

from convops._arrays import Array
from convops._axis import Axis
from convops.boundary import extension_entries
from convops.spectra._frequencies import FrequencyAxis
from convops.spectra._sections import Section, section

_LEAST_TURN = 3
"""Samples over which φ turns from one piece to the next, at least."""

_MOST_ENTRIES = 2**20
"""Entries of an axis that is taken as a whole."""


class Line(NamedTuple):
    """An axis without its ends, which a cut starts from."""

    line: FrequencyAxis
    """Its frequencies: all that it has, or a grid."""
    excess: float
    """By how much it can exceed what it is at the points of a grid."""
    folding: float
    """By how much its ends can let it exceed that; 1 where nothing is to be cut."""


class Cut(NamedTuple):
    """An axis, and the pieces that it is cut into."""

    pieces: Sequence[FrequencyAxis | Section]
    lost: float = 0.0
    """A bound of ``‖C‖``; inf where there is none."""


def uncut(axis: Axis, line: Line) -> Cut:
    """Return an axis as the only piece of itself, by frequency where that is exact; not where it is long."""
    if line.excess == line.folding == 1:
        return Cut([line.line])
    if axis.out_size * axis.kernel > _MOST_ENTRIES:
        return Cut([line.line], inf)
    return Cut([section(axis, 0, axis.size)])


def cut(axis: Axis, line: Line, taps: Array, most: float) -> Cut:
    """Return an axis cut so that no more than `most` is lost, or whole where it is too short for that.

    Parameters
    ----------
    axis : Axis
        The axis.
    line : Line
        The same without ends.
    taps : ndarray, shape (kernel, points)
        The norm of each tap, with all that it is along the other axes, at each of their frequencies.
    most : float
        The bound of ``‖C‖`` to reach.
    """
    if line.folding == 1:
        return Cut([line.line])
    near = _near(axis)
    longest = (axis.size - axis.effective + 1) // 2
    step = line.line.axis.stride
    turn = _LEAST_TURN
    while near + turn - 1 <= longest and (lost := _lost(axis, taps, turn, step)) > most:
        turn += max(turn // 8, 1)
    width = near + turn - 1
    if width > longest:
        return uncut(axis, line)
    ends = [section(axis, 0, width), section(axis, axis.size - width, axis.size)]
    return Cut([line.line, *ends], lost)


def _near(axis: Axis) -> int:
    """Return from how far inside on a sample is read at its own place alone, and so is all read with it."""
    before, after = np.arange(-axis.before, 0), np.arange(axis.size, axis.size + axis.after)
    left, right = (extension_entries(beyond, axis.size, axis.boundary).sample for beyond in (before, after))
    return int(max(left.max(initial=-1) + 1, axis.size - right.min(initial=axis.size), axis.effective - 1))


def _lost(axis: Axis, taps: Array, turn: int, step: int) -> float:
    """Return a bound of ``‖C‖`` where φ turns over so many samples."""
    from_middle = axis.dilation * np.abs(np.arange(axis.kernel) - (axis.kernel - 1) / 2)
    sizes = taps * (1 - np.cos(np.minimum(pi / 2 / turn * from_middle, pi)))[:, None]
    # The taps that differ by multiples of `step` meet the same samples.
    sums = [sizes[start::step].sum(axis=0) for start in range(min(step, len(taps)))]
    return float(np.linalg.norm(sums, axis=0).max())
