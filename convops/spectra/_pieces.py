"""A bound of the norm of W from pieces of the image: its corners, its edges and the inside.

Inside, W is that of an axis without end, its symbol; near an end it is a small matrix. Where the image is
cut so, ``convops.spectra._cuts`` proves what that costs. An edge is such a matrix at each frequency of the
other axes, a corner is one of its own; an axis that is short stays whole, and a small image is nothing but a
corner. That none of these is larger than a number, a factorisation proves (``._certificate``). It is asked
of numbers somewhat above what a vector is known to attain.
"""

from itertools import product
from math import inf, prod, sqrt
from typing import NamedTuple

import numpy as np

from convops._arrays import Array
from convops.geometry import ConvGeometry
from convops.operators.closed_forms import with_channels
from convops.spectra._certificate import proven
from convops.spectra._cuts import Cut, Line, cut, joined, uncut
from convops.spectra._frequencies import FrequencyAxis, by_group, frequency_axis
from convops.spectra._piece import Part, Piece, piece_of
from convops.spectra._rounding import UNIT
from convops.spectra._symbol import extension_norm, line_of, norm_of_sizes, work_of_product

_DENSITY = 16
"""Points of a grid per degree of the symbol: it can be exceeded by 0.5 % per axis."""
_CUTS = (1, 2, 3, 4, 5, 6, 8, 12, 16)
"""In how many steps to cut: 2 steps may cost 8 %, 4 cost 2 %, 16 cost 0.1 %."""
_WORK = 2**33
"""Operations that count as much as a score of 1, where a product with W takes no more than `_PRODUCT`; in
proportion else."""
_LONGEST = 3
"""The most effort that a plan may take, in units of `_WORK`."""
_PRODUCT = 2**22
_DEAR = 4
"""How fast the next per cent of excess gets worse than the one before: 20 % count as 36 %."""
_GOOD = 0.025
"""A score below which no other plan is looked for."""
_STEPS = (1.0005, 1.005, 1.02, 1.05, 1.1, 1.2, 1.5, 2.0)
"""Multiples of what is attained that are tried for each piece, one after another."""


class _Plan(NamedTuple):
    """Where to cut each axis."""

    cuts: list[Cut]
    factor: float
    """By how much the norm can exceed the largest of the pieces."""
    effort: float
    """How much work the pieces are, in units of `_WORK`; inf where that is too much."""

    @property
    def score(self) -> float:
        """How bad the factor is and how much work the pieces are, together."""
        return _badness(self.factor - 1) + self.effort


def norm_of_pieces(
    geometry: ConvGeometry, weight: Array, attained: float, inside: float, useful: float
) -> float | None:
    """Return a bound of ``‖W‖``, or None where it would take too long or not be below `useful`.

    Parameters
    ----------
    geometry : ConvGeometry
        The geometry.
    weight : ndarray
        Correlated with the input, in float64 or complex128.
    attained : float
        What W makes of some vector of norm 1; positive.
    inside : float
        A bound of what no end has a part in: of the symbol, or of the circle that stands for it.
    useful : float
        A bound of ``‖W‖`` that is known.
    """
    grouped = by_group(geometry, weight)
    lines = _lines(geometry, with_channels(geometry, weight))
    plan = _plan(geometry, grouped, lines)
    if plan.score >= _badness(useful / attained - 1):
        return None
    bounds = np.full([len(one.pieces) for one in plan.cuts], inside)
    for place in np.ndindex(bounds.shape):
        parts = [one.pieces[number] for one, number in zip(plan.cuts, place, strict=True)]
        piece = piece_of(grouped, parts)
        if piece is not None:
            pairs = zip(parts, lines, strict=True)
            excess = prod([line.excess for part, line in pairs if isinstance(part, FrequencyAxis)])
            found = _norm_of(piece, attained, useful / excess)
            if found is None:
                return None
            bounds[place] = found * excess
    # An entry of a Gram matrix adds up the products of all taps that meet, over outputs or over samples.
    sums = max(grouped.shape[1:3]) * prod([max(map(_length, one.pieces)) for one in plan.cuts])
    roundings = 2 * sums + 3 * prod(geometry.kernel_size) ** 2 + 64
    roundings += 2 * sum([line.line.roundings for line in lines])
    rounding = 8 * UNIT * roundings * norm_of_sizes(geometry, weight) ** 2
    bounds = np.sqrt(bounds**2 + rounding)
    return joined(bounds, [one.spill for one in plan.cuts]) * (1 + 64 * UNIT)


def _norm_of(piece: Piece, attained: float, useful: float) -> float | None:
    """Return a bound of the norm of a piece, from what is attained on; None where none is below `useful`."""
    steps = iter([step * attained for step in _STEPS if step * attained < useful])
    at = next(steps, None)
    bound = 0.0
    for bands in piece.grams():
        square = None
        while at is not None and (square := proven(bands, at * at)) is None:
            at = next(steps, None)
        if square is None:
            return None
        bound = max(bound, sqrt(square))
    return bound


def _lines(geometry: ConvGeometry, weight: Array) -> list[Line]:
    """Return each axis without its ends."""
    lines = []
    for number, axis in enumerate(geometry.axes, start=2):
        exact = frequency_axis(axis, weight, number)
        lines.append(
            Line(exact, 1.0, 1.0, True)
            if exact
            else Line(*line_of(axis, _DENSITY), extension_norm(axis), False)
        )
    return lines


def _plan(geometry: ConvGeometry, grouped: Array, lines: list[Line]) -> _Plan:
    """Return where to cut each axis, so that neither much is lost nor much is to be proven."""
    unit = _WORK * max(work_of_product(geometry) / _PRODUCT, 1)

    def scored(cuts: list[Cut]) -> _Plan:
        factor = prod([one.factor for one in cuts])
        pieces = [piece_of(grouped, parts) for parts in product(*[one.pieces for one in cuts])]
        work = sum([piece.work() for piece in pieces if piece is not None])
        # Without an end it is the symbol alone, whose bound is known.
        is_open = any(pieces) and work <= _LONGEST * unit
        return _Plan(cuts, factor, work / unit if is_open else inf)

    axes = list(zip(geometry.axes, lines, strict=True))
    best = scored([uncut(axis, line) for axis, line in axes])
    for steps in _CUTS:
        if best.score <= _GOOD:
            break
        plan = scored([cut(axis, line, steps) for axis, line in axes])
        best = min(best, plan, key=lambda plan: plan.score)
        if plan.effort >= best.score:
            break  # more steps are more effort, and no score is below that
    return best


def _badness(excess: float) -> float:
    return excess * (1 + _DEAR * excess)


def _length(part: Part) -> int:
    """Return over how many outputs or samples of an axis, or frequencies at once, a product sums at most."""
    return part.aliases if isinstance(part, FrequencyAxis) else max(part.shape[1:])
