"""An axis cut in three, and what that costs: the two ends, where W folds, and the inside, where it does not.

Along an axis, let φ(q) be a unit vector of three numbers for each sample q, one for each piece: (1, 0, 0) at
the left end, from where it turns to (0, 1, 0) for the inside and on to (0, 0, 1) at the right. Each time it
turns in n equal steps. These stand where an output begins to read, among the samples that are read at their
own place alone, and so far apart that no output reads across two of them. Then what an output p reads has
one φ, or two with an angle of π/(2n) between them, and there is a vector r(p) with ``⟨r(p), φ(q)⟩ = 1`` for
each of these samples: that one φ, or the mean of the two over the square of the cosine of half their angle,
which is ``1 / cos(π/(4n))`` long. So ``(W x)[p]`` is the sum over the pieces a of ``r_a(p) (W φ_a x)[p]``.
With W_a for W of the samples at which φ_a is not 0, and numbers ``c_a >= ‖W_a‖``, Cauchy and Schwarz have

    ‖W x‖² <= Σ_p (Σ_a r_a(p)² c_a²) (Σ_a |(W φ_a x)[p]|² / c_a²) <= max_p Σ_a r_a(p)² c_a² ‖x‖²

as ``Σ_a ‖φ_a x‖² = ‖x‖²``. At the step next to the larger of two pieces r has the squares 1 and
``tan²(π/(4n))``: of two pieces the square of the larger and this part of that of the smaller are a bound.
Over several axes one cut follows the other. Where the kernel is no longer than the stride, no output reads
across a step, and steps cost nothing.

Functions whose squares add up to 1 cut Schrödinger operators alike: the IMS localization formula (Cycon,
Froese, Kirsch and Simon, "Schrödinger Operators", chapter 3). It has derivatives for what the steps do here.
"""

from collections.abc import Sequence
from math import inf, pi, sqrt, tan
from typing import NamedTuple

import numpy as np

from convops._arrays import Array
from convops._axis import Axis
from convops.boundary import extension_entries
from convops.spectra._frequencies import FrequencyAxis
from convops.spectra._piece import Part
from convops.spectra._sections import outputs_of, section

_MOST_ENTRIES = 2**20
"""Entries of an axis, or of its end, that is taken as one piece."""


class Line(NamedTuple):
    """An axis without its ends, which a cut starts from."""

    line: FrequencyAxis
    """Frequencies of it."""
    excess: float
    """By how much it can exceed what it is at these."""
    folding: float
    """By how much its ends can let it exceed that; 1 where nothing is to be cut."""
    is_exact: bool
    """Whether W falls into blocks at these frequencies, ends and all."""


class Cut(NamedTuple):
    """An axis, and the pieces that it is cut into."""

    pieces: Sequence[Part]
    spill: float = 0.0
    """The part of a piece's square that adds to that of a larger one beside it; inf if nothing is known."""

    @property
    def factor(self) -> float:
        """By how much ``‖W‖`` can exceed the largest norm of a piece."""
        return sqrt(1 + self.spill)


def uncut(axis: Axis, line: Line) -> Cut:
    """Return an axis as the only piece of itself, by frequency where that is exact; not where it is long."""
    if line.is_exact:
        return Cut([line.line])
    if axis.out_size * axis.kernel > _MOST_ENTRIES:
        return Cut([line.line], inf)
    return Cut([section(axis, 0, axis.size)])


def cut(axis: Axis, line: Line, steps: int) -> Cut:
    """Return an axis cut in so many steps at each end, or in fewer where it is short, or whole.

    Where an end is too large to be one piece, nothing is known.
    """
    if line.folding == 1:
        return Cut([line.line])
    left, right = _unfolded(axis)
    apart = _apart(axis)
    if apart:
        # The last step from the left and the first to the right are as far apart as any other two.
        steps = min(steps, ((right - left) // apart + 1) // 2)
    if left > right or steps < 1:
        return uncut(axis, line)
    width = apart * (steps - 1)
    left_end, right_end = (0, left + width), (right - width, axis.size)
    found = [(start, stop) for start, stop in (left_end, right_end) if start < stop]
    if any(outputs_of(axis, *end).size * axis.kernel > _MOST_ENTRIES for end in found):
        return Cut([line.line], inf)
    ends = [section(axis, *end) for end in found]
    return Cut(
        [line.line, *[end for end in ends if end.tap.size]], tan(pi / 4 / steps) ** 2 if apart else 0.0
    )


def joined(norms: Array, spills: Sequence[float]) -> float:
    """Return a bound of ``‖W‖`` from bounds of all pieces: for each axis an axis of the array, inside first.

    Examples
    --------
    >>> round(joined(np.array([3.0, 4.0, 1.0]), [1.0]), 6)
    5.0
    """
    for spill in reversed(spills):
        inside, ends = norms[..., :1], norms[..., 1:]
        pairs = np.sqrt(np.maximum(inside, ends) ** 2 + spill * np.minimum(inside, ends) ** 2)
        norms = np.concatenate([inside, pairs], axis=-1).max(axis=-1)
    return float(norms)


def _unfolded(axis: Axis) -> tuple[int, int]:
    """Return the largest range of samples that are read at their own place alone, from output to output."""
    before, after = np.arange(-axis.before, 0), np.arange(axis.size, axis.size + axis.after)
    left, right = (extension_entries(beyond, axis.size, axis.boundary).sample for beyond in (before, after))
    start, stop = left.max(initial=-1) + 1, right.min(initial=axis.size)
    # A step stands where an output begins to read.
    first, last = -(-(start + axis.before) // axis.stride), (stop + axis.before) // axis.stride
    return axis.first_position(int(first)), axis.first_position(int(last))


def _apart(axis: Axis) -> int:
    """Return how many samples two steps are apart, so that no output reads across both."""
    return (-(-axis.effective // axis.stride) - 1) * axis.stride
