"""The one relation of an axis, ``q = stride * p + dilation * k - before``, read from either side.

The convolution computes outputs p from positions q, its transpose positions q from outputs p. Either way
the result's place ``phases * m + phase`` reads the source at ``step * m + offset``, through a tap that
depends on phase and offset alone; one of `step` and `phases` is the stride, the other 1.
"""

from math import gcd
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from convops._arrays import Array
from convops._axis import Axis

Table = NDArray[np.intp]


class Reading(NamedTuple):
    """What the places of one axis of the result read of one axis of the source; zeros beyond its ends."""

    source: int
    """Size of the source."""
    size: int
    """Size of the result."""
    step: int
    phases: int
    offsets: range
    taps: dict[int, tuple[int, ...]]
    """The tap per offset, -1 where there is none, of each phase that has any; the others are zero."""

    @property
    def places(self) -> int:
        """Number of places m, the last of which may reach beyond the result."""
        return -(-self.size // self.phases)

    @property
    def span(self) -> int:
        """Source positions from the first to the last that one place reads."""
        return self.offsets[-1] - self.offsets[0] + 1

    @property
    def remainders(self) -> list[int]:
        """What the distances of positions that are read, from the first, leave when divided by the step."""
        return sorted({(offset - self.offsets[0]) % self.step for offset in self.offsets})

    @property
    def trivial(self) -> bool:
        """Whether each place of the result reads one place of the source, in order."""
        return self.step == self.phases == len(self.offsets) == 1

    @property
    def reached(self) -> list[list[int]]:
        """The offsets that have a tap, of each phase that has any."""
        return [
            [offset for offset, tap in zip(self.offsets, taps, strict=True) if tap >= 0]
            for taps in self.taps.values()
        ]

    @property
    def table(self) -> Table:
        """The taps as an array of shape ``(phases that have any, offsets)``."""
        return np.array(list(self.taps.values()), dtype=np.intp)

    def band(self, rows: int) -> Table:
        """Return the taps of `rows` neighbouring places m, by all positions that any of them reads.

        The shape is ``(rows * phases that have any, step * (rows - 1) + span)``: a banded Toeplitz matrix.
        """
        band = np.full((rows, len(self.taps), self.step * (rows - 1) + self.span), -1, dtype=np.intp)
        places = np.subtract(self.offsets, self.offsets[0])
        for row in range(rows):
            band[row][:, places + self.step * row] = self.table
        return band.reshape(rows * len(self.taps), -1)

    def covering(self, rows: int, others: bool) -> list[slice]:
        """Return places of the result whose bands, of `rows` places each, read all that any band reads.

        Bands overlap, so that there are gaps between them as long as the overlap; but under phases all are
        returned, as bands may read more for one phase than for another. What is read for every place of its
        bands may be missing, unless there are `others` that it is multiplied for: phases of another axis.
        """
        if self.phases > 1:
            return [slice(None)]
        bands = max((self.step * (rows - 1) + self.span) // (self.step * rows), 1)
        last = (self.size - 1) // rows
        chosen = [slice(None, None, rows * bands)]
        # The places of a band that follows one of those chosen all begin to read before that one ends.
        to_the_end = self.source <= self.step * last * rows + self.offsets[-1] + 1
        left = not others and last % bands == 1 and self.offsets.step == 1 and to_the_end
        return [*chosen, slice(-1, None)] if last % bands and not left else chosen


def forward_reading(axis: Axis) -> Reading:
    """Return how outputs read samples, or extended samples where the boundary is not "zeros"."""
    extended, first = (axis.size, -axis.before)
    if axis.boundary != "zeros":
        extended, first = axis.before + axis.size + axis.after, 0
    offsets = range(first, first + axis.effective, axis.dilation)
    return Reading(extended, axis.out_size, axis.stride, 1, offsets, {0: tuple(range(axis.kernel))})


def adjoint_reading(axis: Axis) -> Reading:
    """Return how samples, or extended samples, read outputs: `forward_reading` transposed."""
    forward = forward_reading(axis)
    stride = axis.stride
    # Tap k lies at stride * p + shift: at phase ``shift % stride`` and offset ``-(shift // stride)``.
    places = [(shift % stride, -(shift // stride)) for shift in forward.offsets]
    reached = {offset for _, offset in places}
    first, last = min(reached), max(reached)
    step = gcd(*[offset - first for offset in reached]) or 1
    offsets = range(first, last + 1, step)
    taps = {phase: [-1] * len(offsets) for phase, _ in sorted(places)}
    for tap, (phase, offset) in enumerate(places):
        taps[phase][(offset - first) // step] = tap
    by_phase = {phase: tuple(row) for phase, row in taps.items()}
    return Reading(axis.out_size, forward.source, 1, stride, offsets, by_phase)


def has_gaps(tables: list[Table]) -> bool:
    """Return whether `spread` puts zeros beside the taps, which carry NaN and inf where no tap does."""
    return any(bool((table < 0).any()) for table in tables)


def spread(weight: Array, tables: list[Table]) -> Array:
    """Replace each tap axis of a ``(groups, rows, columns, *taps)`` weight by the two axes of its table.

    The shape is ``(groups, rows, columns, rows_0, columns_0, …)``; zeros stand where there is no tap.
    """
    first = weight.ndim - len(tables)
    padded = np.zeros((*weight.shape[:first], *[size + 1 for size in weight.shape[first:]]), weight.dtype)
    inside: Any = (..., *map(slice, weight.shape[first:]))
    padded[inside] = weight
    weight = padded
    for number, table in reversed(list(enumerate(tables, start=first))):
        weight = np.take(weight, table, axis=number)
    return weight
