"""A bound of the norm of W from pieces of the image: its corners, its edges and the inside.

Inside, W is that of an axis without end; near an end it is a small matrix. Along an axis, let φ be ``cos θ``
near the left end, ``sin θ`` beyond, where θ rises from 0 to π/2, and likewise at the right end: the squares
of the three φ add up to 1. Then, entry by entry, ``H = WᴴW`` is ``Σ φ H φ + R`` with
``R[m, n] = H[m, n] (1 - cos(θ[m] - θ[n]))``. The first is no larger than the largest H of a piece, for
``⟨x, Σ φ H φ x⟩ = Σ ‖W φ x‖²``. The second is no larger than its largest row, the norms of its entries added
up (they are matrices, of the other axes). With ``1 - cos(t) <= t² / 2`` it falls with the square of the width
over which θ rises. Over several axes one follows the other; ``Σ φ R φ`` is no larger than R.

This is the IMS localization formula (Cycon, Froese, Kirsch and Simon, "Schrödinger Operators", chapter 3).
"""

from collections.abc import Sequence
from itertools import product
from math import pi, prod, sqrt
from typing import NamedTuple

import numpy as np

from convops._arrays import Array
from convops._axis import Axis
from convops.boundary import extension_entries
from convops.geometry import ConvGeometry
from convops.operators.closed_forms import with_channels
from convops.spectra._frequencies import Frequencies, FrequencyAxis, by_group, frequency_axis
from convops.spectra._symbol import extension_norm, grid_of, largest_of, products_of, work_of

_ROWS_PER_COLUMN = 4
_LEAST_RISE = 3
"""Samples over which θ rises."""
_DENSITY = 16
"""Points of a grid per degree of the symbol: it can be exceeded by 0.5 %."""
_WORK = 2**36


class Bound(NamedTuple):
    """A bound of ``‖W‖``, and how many products each of its parts adds up."""

    value: float
    products: int


class _Cut(NamedTuple):
    """An axis, and what it is cut into."""

    line: FrequencyAxis
    """Frequencies of the axis, without its ends where it has any."""
    excess: float
    """By how much it can exceed what it is between the points of a grid."""
    folding: float = 1.0
    """By how much its ends can let it exceed that."""
    sections: Sequence[Array] = ()
    """Its two ends, or all of it: the matrix of each tap, ``(kernel, outputs, samples)``."""
    slope: float = 0.0
    """By how much θ rises from sample to sample; 0 where nothing is cut."""

    @property
    def pieces(self) -> Sequence[FrequencyAxis | Array]:
        """What the norm of the axis is found from."""
        return self.sections if self.sections and not self.slope else (self.line, *self.sections)

    @property
    def factor(self) -> float:
        """By how much the axis can exceed the largest of its pieces."""
        if not self.sections:
            return self.excess * self.folding
        return self.excess if self.slope else 1.0

    @property
    def columns(self) -> int:
        """Samples of the longest section."""
        return max([section.shape[2] for section in self.sections], default=1)


def norm_of_pieces(geometry: ConvGeometry, weight: Array, columns: int) -> Bound | None:
    """Return a bound of ``‖W‖`` from corners of so many columns, or None where that is much work."""
    grouped = by_group(geometry, weight)
    cuts = _cuts(geometry, with_channels(geometry, weight), columns)
    choices = list(product(*[cut.pieces for cut in cuts]))
    if max(_rows(grouped, choice) for choice in choices) > _ROWS_PER_COLUMN * columns:
        return None
    pieces = [_piece(grouped, choice) for choice in choices]
    if sum(map(work_of, pieces)) > _WORK:
        return None
    square = max(map(largest_of, pieces)) ** 2
    for number, (cut, axis) in enumerate(zip(cuts, geometry.axes, strict=True)):
        if cut.slope:
            square += (cut.slope * axis.dilation) ** 2 / 2 * _spread(cuts, grouped, number)
    value = sqrt(square) * prod([cut.factor for cut in cuts])
    return Bound(value, max(map(products_of, pieces)))


def _cuts(geometry: ConvGeometry, weight: Array, columns: int) -> list[_Cut]:
    """Return what each axis is cut into; a short axis stays whole, and leaves more room to the others."""
    cuts: dict[int, _Cut] = {}
    folded = []
    for number, axis in enumerate(geometry.axes):
        line = frequency_axis(axis, weight, number + 2)
        cuts[number] = _Cut(line, 1.0) if line else _Cut(*grid_of(axis, _DENSITY), extension_norm(axis))
        if line is None and axis.boundary != "zeros" and (axis.before or axis.after):
            folded.append(number)
    room = columns / weight.shape[1]
    folded.sort(key=geometry.spatial_shape.__getitem__)
    for left, number in zip(range(len(folded), 0, -1), folded, strict=True):
        cuts[number] = _cut(cuts[number], geometry.axes[number], int(room ** (1 / left)))
        room /= cuts[number].columns
    return [cuts[number] for number in range(len(geometry.axes))]


def _cut(cut: _Cut, axis: Axis, columns: int) -> _Cut:
    """Return an axis whole, or in three; uncut where so many samples do not hold an end, or it is long."""
    if (columns + max(axis.before, axis.after)) // axis.stride > _ROWS_PER_COLUMN * columns:
        return cut
    if axis.size <= columns:
        return cut._replace(sections=[_section(axis, 0, axis.size)])
    before, after = np.arange(-axis.before, 0), np.arange(axis.size, axis.size + axis.after)
    left, right = (extension_entries(beyond, axis.size, axis.boundary).sample for beyond in (before, after))
    # From here on a sample is read at its own place alone, and so is all that is read with it.
    near = max(left.max(initial=-1) + 1, axis.size - right.min(initial=axis.size), axis.effective - 1)
    width = min(columns, (axis.size - axis.effective + 1) // 2)
    rise = int(width - near + 1)
    if rise < _LEAST_RISE:
        return cut
    ends = [_section(axis, 0, width), _section(axis, axis.size - width, axis.size)]
    return cut._replace(sections=ends, slope=pi / 2 / rise)


def _section(axis: Axis, start: int, stop: int) -> Array:
    """Return W of an axis between two samples, tap by tap, ``(kernel, outputs, samples)``."""
    first = -(-(start + axis.before - axis.effective + 1) // axis.stride) if start else 0
    last = (stop - 1 + axis.before) // axis.stride if stop < axis.size else axis.out_size - 1
    outputs = np.arange(max(first, 0), min(last, axis.out_size - 1) + 1)
    positions = axis.stride * outputs - axis.before + axis.dilation * np.arange(axis.kernel)[:, None]
    entries = extension_entries(positions.ravel(), axis.size, axis.boundary)
    within = (start <= entries.sample) & (entries.sample < stop)
    taps = np.zeros((positions.size, stop - start))
    np.add.at(taps, (entries.row[within], entries.sample[within] - start), entries.coefficient[within])
    return taps.reshape(*positions.shape, -1)


def _rows(grouped: Array, choice: Sequence[FrequencyAxis | Array]) -> int:
    sections = [part.shape[1] for part in choice if isinstance(part, np.ndarray)]
    return prod([grouped.shape[1], *sections])


def _piece(grouped: Array, choice: Sequence[FrequencyAxis | Array]) -> Frequencies:
    """Return one piece of W: the samples and the outputs of its sections are channels."""
    lines: list[FrequencyAxis] = []
    for part in choice:
        if isinstance(part, FrequencyAxis):
            lines.append(part)
            continue
        groups, rows, columns = grouped.shape[:3]
        grouped = np.moveaxis(np.tensordot(grouped, part, (3 + len(lines), 0)), (-2, -1), (2, 4))
        shape = groups, rows * part.shape[1], columns * part.shape[2], *grouped.shape[5:]
        grouped = grouped.reshape(shape)
    return Frequencies(tuple(lines), grouped)


def _spread(cuts: Sequence[_Cut], grouped: Array, number: int) -> float:
    """Return the largest row of ``‖W[k]‖ ‖W[l]‖ (k - l)²``, with W[k] all that tap k of an axis adds to W.

    A row is that of a sample. The taps k that meet it have one remainder modulo the stride, each in one
    output, where all taps l stand beside it.
    """
    others = [cut for place, cut in enumerate(cuts) if place != number]
    lines = tuple(cut.line for cut in others)
    factor = prod([cut.excess * cut.folding for cut in others])
    slices = np.moveaxis(grouped, 3 + number, 0)
    norms = factor * np.array([largest_of(Frequencies(lines, part)) for part in slices])
    taps = np.arange(norms.size)
    rows = norms * ((taps - taps[:, None]) ** 2 @ norms)
    step = cuts[number].line.axis.stride
    return max(float(rows[start::step].sum()) for start in range(min(step, norms.size)))
