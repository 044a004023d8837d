"""A part of one axis as small matrices: which outputs read its samples, tap by tap."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from convops._arrays import Array
from convops._axis import Axis
from convops.boundary import Ints, extension_entries


@dataclass(frozen=True, eq=False)
class Section:
    """W of an axis between two samples: one matrix for each tap, outputs by samples, by its entries."""

    shape: tuple[int, int, int]
    """Taps, outputs and samples."""
    tap: Ints
    output: Ints
    sample: Ints
    coefficient: Ints

    @cached_property
    def adjoint(self) -> "Section":
        """The transpose of each matrix."""
        taps, outputs, samples = self.shape
        return Section((taps, samples, outputs), self.tap, self.sample, self.output, self.coefficient)

    @cached_property
    def pairs(self) -> int:
        """How many pairs of entries an output has, added up over all outputs."""
        return int(np.sum(np.bincount(self.output) ** 2))

    @cached_property
    def reach(self) -> int:
        """How far the samples of one output lie apart."""
        if not self.sample.size:
            return 0
        outputs, samples = self.shape[1:]
        first, last = np.full(outputs, samples), np.full(outputs, -1)
        np.minimum.at(first, self.output, self.sample)
        np.maximum.at(last, self.output, self.sample)
        return int(np.max(last - first))

    def toarray(self) -> Array:
        """Return the matrices, ``(taps, outputs, samples)``."""
        matrices = np.zeros(self.shape)
        np.add.at(matrices, (self.tap, self.output, self.sample), self.coefficient)
        return matrices


def section(axis: Axis, start: int, stop: int) -> Section:
    """Return what is read of the samples ``start <= sample < stop``, and by which outputs.

    A part of an axis is an end, or the inside, which no output may read from the other end, as under "wrap".

    Examples
    --------
    >>> part = section(Axis(9, 2, 1, 1, 1, 0, "reflect"), 0, 2)
    >>> part.toarray().astype(int).tolist()
    [[[0, 1], [1, 0], [0, 1]], [[1, 0], [0, 1], [0, 0]]]
    """
    outputs = outputs_of(axis, start, stop)
    positions = axis.stride * outputs - axis.before + axis.dilation * np.arange(axis.kernel)[:, None]
    entries = extension_entries(positions.ravel(), axis.size, axis.boundary)
    within = (start <= entries.sample) & (entries.sample < stop)
    tap, output = np.divmod(entries.row[within], outputs.size)
    shape = axis.kernel, outputs.size, stop - start
    return Section(shape, tap, output, entries.sample[within] - start, entries.coefficient[within])


def outputs_of(axis: Axis, start: int, stop: int) -> Ints:
    """Return the outputs that can read samples ``start <= sample < stop``: at an end, all that are beyond it.

    Examples
    --------
    >>> outputs_of(Axis(9, 2, 1, 1, 1, 0, "reflect"), 0, 2).tolist()
    [0, 1, 2]
    """
    first = -(-(start + axis.before - axis.effective + 1) // axis.stride) if start else 0
    last = (stop - 1 + axis.before) // axis.stride if stop < axis.size else axis.out_size - 1
    return np.arange(max(first, 0), min(last, axis.out_size - 1) + 1)
