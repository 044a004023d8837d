"""What a chunk of a result reads along one axis: ``q = stride * p + dilation * k - before`` in closed form.

A chunk of W x reads the samples of successive positions q: a slice of them, but where they leave the axis. A
chunk of Wᵀ y gathers the outputs that read it: a slice of them again, and those at the borders whose padding
repeats it. Either way the axis becomes a small one, a convolution of its own without a boundary condition,
whose matrix is the rows and the columns of W that meet in the chunk.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from convops._axis import Axis
from convops.boundary import Ints, extension_entries


class Read(NamedTuple):
    """A range of the source, and where it begins in what is gathered."""

    start: int
    stop: int
    place: int


@dataclass(frozen=True, eq=False)
class Extension:
    """The samples of a chunk, and the positions of its small axis: some are samples, others repeat some."""

    samples: slice
    """The samples that stand at positions of their own."""
    positions: slice
    row: Ints
    sample: Ints
    coefficient: Ints
    """The other entries: position, sample, and what the position takes of it."""


@dataclass(frozen=True, eq=False)
class Line:
    """One axis of the convolution of a chunk."""

    axis: Axis
    """Without a boundary condition; all of its outputs are wanted in W x, and all are read in Wᵀ y."""
    samples: int
    """Samples that are gathered for W x, or result from Wᵀ y."""
    extension: Extension | None = None
    """How they lie on the axis; None: they are its samples."""


class Part(NamedTuple):
    """What a chunk reads along an axis, and the convolution it goes through; without reads it is zero."""

    reads: tuple[Read, ...]
    line: Line
    gaps: bool = False
    """Whether what is gathered has places between the reads, which are zeros."""


def forward_part(axis: Axis, start: int, stop: int) -> Part:
    """Return what outputs ``start <= p < stop`` of W x read.

    Examples
    --------
    >>> forward_part(Axis(9, 3, 1, 1, 1, 1, "zeros"), 3, 6).reads
    (Read(start=2, stop=7, place=0),)
    >>> forward_part(Axis(9, 3, 1, 1, 1, 1, "wrap"), 0, 3).reads
    (Read(start=0, stop=4, place=0), Read(start=8, stop=9, place=4))
    """
    first = axis.first_position(start)
    beyond = axis.first_position(stop - 1) + axis.effective
    low, high = max(first, 0), min(beyond, axis.size)
    if axis.boundary == "zeros" or (first, beyond) == (low, high):
        small = axis._replace(
            size=max(high - low, 1), before=low - first, after=beyond - high, boundary="zeros"
        )
        return Part((Read(low, high, 0),) if high > low else (), Line(small, max(high - low, 1)))
    positions = np.arange(first, beyond)
    outside = positions[(positions < 0) | (positions >= axis.size)]
    found = extension_entries(outside, axis.size, axis.boundary)
    inside = max(high - low, 0)
    used = np.unique(np.concatenate([found.sample, np.arange(low, low + inside)]))
    line = Line(
        axis._replace(size=positions.size, before=0, after=0, boundary="zeros"),
        used.size,
        Extension(
            _slice(int(np.searchsorted(used, low)), inside),
            _slice(low - first, inside),
            outside[found.row] - first,
            np.searchsorted(used, found.sample),
            found.coefficient,
        ),
    )
    return Part(tuple(Read(*run) for run in _runs(used)), line)


def adjoint_part(axis: Axis, start: int, stop: int) -> Part:
    """Return which outputs samples ``start <= q < stop`` of Wᵀ y gather.

    Examples
    --------
    >>> adjoint_part(Axis(9, 3, 1, 1, 1, 1, "zeros"), 3, 6).reads
    (Read(start=2, stop=7, place=0),)
    >>> adjoint_part(Axis(9, 3, 1, 1, 1, 1, "wrap"), 0, 3).reads
    (Read(start=0, stop=4, place=0), Read(start=8, stop=9, place=6))
    """
    padding = np.concatenate([np.arange(-axis.before, 0), np.arange(axis.size, axis.size + axis.after)])
    found = extension_entries(padding, axis.size, axis.boundary)
    repeated = (start <= found.sample) & (found.sample < stop)
    if not repeated.any():
        return _gathered_alone(axis, start, stop)
    position, sample = padding[found.row[repeated]], found.sample[repeated] - start
    reads: list[Read] = []
    place = 0
    for low, high in _outputs_of_runs(axis, np.unique([*position, *range(start, stop)])):
        reads.append(Read(low, high, place))
        # Outputs so far apart read nothing in common.
        place += high - low - 1 + -(-axis.effective // axis.stride)
    if not reads:
        return Part((), Line(axis, stop - start))
    length = reads[-1].place + reads[-1].stop - reads[-1].start
    size = axis.stride * (length - 1) + axis.effective
    row = np.concatenate([_rows(axis, reads, position), _rows(axis, reads, np.arange(start, stop))])
    own, other = row[position.size :], row[: position.size]
    kept = np.flatnonzero(own >= 0)
    met = other >= 0
    # A run of positions is read by one range of outputs, so those of the chunk stay next to each other.
    first, count = (int(kept[0]), kept.size) if kept.size else (0, 0)
    line = Line(
        axis._replace(size=size, before=0, after=0, boundary="zeros"),
        stop - start,
        Extension(
            _slice(first, count),
            _slice(int(own[first]) if count else 0, count),
            other[met],
            sample[met],
            found.coefficient[repeated][met],
        ),
    )
    return Part(tuple(reads), line, gaps=len(reads) > 1)


def _gathered_alone(axis: Axis, start: int, stop: int) -> Part:
    """Return the outputs that read samples at their own positions alone."""
    low, high = _outputs(axis, start, stop)
    if low >= high:
        return Part((), Line(axis, stop - start))
    # One more where the first begins within the chunk: what lies before it is read by none, and is zero.
    low = min(low, max((start + axis.before) // axis.stride, 0))
    first = axis.first_position(low)
    beyond = axis.first_position(high - 1) + axis.effective
    small = axis._replace(
        size=stop - start, before=start - first, after=max(beyond - stop, 0), boundary="zeros"
    )
    return Part((Read(low, high, 0),), Line(small, stop - start))


def _outputs(axis: Axis, start: int, stop: int) -> tuple[int, int]:
    """Return the range of outputs whose taps reach over positions ``start <= q < stop``."""
    low = max(-(-(start + axis.before - axis.effective + 1) // axis.stride), 0)
    return low, min((stop - 1 + axis.before) // axis.stride + 1, axis.out_size)


def _outputs_of_runs(axis: Axis, positions: Ints) -> list[tuple[int, int]]:
    """Return the ranges of outputs that read any of the positions, apart from each other."""
    ranges: list[tuple[int, int]] = []
    for start, stop, _ in _runs(positions):
        low, high = _outputs(axis, start, stop)
        if low >= high:
            continue
        if ranges and low <= ranges[-1][1]:
            ranges[-1] = (ranges[-1][0], max(high, ranges[-1][1]))
        else:
            ranges.append((low, high))
    return ranges


def _rows(axis: Axis, reads: list[Read], positions: Ints) -> Ints:
    """Return where positions lie on the small axis, -1 where no output reads them."""
    rows = np.full(positions.shape, -1)
    for low, high, place in reads:
        first = axis.first_position(low)
        within = (positions >= first) & (positions < axis.first_position(high - 1) + axis.effective)
        rows[within] = positions[within] - first + axis.stride * place
    return rows


def _runs(sorted_numbers: Ints) -> list[tuple[int, int, int]]:
    """Return the runs of successive numbers: start, stop, and how many numbers come before."""
    ends = np.flatnonzero(np.diff(sorted_numbers) > 1) + 1
    begins = [0, *ends.tolist()]
    counts = np.diff([*begins, sorted_numbers.size]).tolist()
    starts = sorted_numbers[begins].tolist()
    return [(start, start + count, begin) for start, count, begin in zip(starts, counts, begins, strict=True)]


def _slice(start: int, count: int) -> slice:
    return slice(start, start + count)
