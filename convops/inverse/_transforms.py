"""The transforms under which a convolution falls into one block for each frequency."""

from collections.abc import Sequence
from math import gcd
from typing import Any, NamedTuple

import numpy as np
from scipy import fft

from convops._arrays import Array
from convops.apply._threads import workers
from convops.spectra._frequencies import Frequencies, FrequencyAxis


class Transforms(NamedTuple):
    """From arrays of the input, and of the output, of a convolution to coefficients, and back.

    Coefficients have the shape ``(batch, groups, channels, *aliases, *points)``; those of the output have one
    alias. The transforms are unitary, but for the copies of an output that comes more than once: what they
    disagree in is lost.
    """

    frequencies: Frequencies
    sizes: tuple[int, ...]
    """Of the axes of the array that is transformed."""
    of_input: bool

    def analyse(self, x: Array) -> Array:
        """Return the coefficients of arrays ``(batch, channels, *spatial)``."""
        lines, half = self.frequencies.axes, self.frequencies.halved
        if not self.of_input:
            x = _gathered(x, lines)
        x = _each(x, lines, half, inverse=False)
        groups = self.frequencies.weight.shape[0]
        shape = [x.shape[0], groups, x.shape[1] // groups]
        for line, size in zip(lines, x.shape[2:], strict=True):
            aliases = line.aliases if self.of_input else 1
            shape += [aliases, size // aliases]
        d = len(lines)
        order = [0, 1, 2, *range(3, 3 + 2 * d, 2), *range(4, 4 + 2 * d, 2)]
        return x.reshape(shape).transpose(order)

    def synthesise(self, coefficients: Array) -> Array:
        """Return the arrays that have these coefficients."""
        lines, half = self.frequencies.axes, self.frequencies.halved
        d = len(lines)
        order = [0, 1, 2, *(axis for k in range(d) for axis in (3 + k, 3 + d + k))]
        parts = coefficients.transpose(order)
        batch, groups, channels, *sizes = parts.shape
        pairs = zip(sizes[::2], sizes[1::2], strict=True)
        x = parts.reshape(batch, groups * channels, *(aliases * points for aliases, points in pairs))
        x = _each(x, lines, half, inverse=True, sizes=self.sizes)
        return x if self.of_input else _spread(x, lines)


def _each(
    x: Array, lines: Sequence[FrequencyAxis], half: int | None, inverse: bool, sizes: Sequence[int] = ()
) -> Array:
    """Return x transformed along every spatial axis, unitarily."""
    options: dict[str, Any] = {"norm": "ortho", "workers": workers()}
    mirrored = [axis for axis, line in enumerate(lines, start=2) if line.cosine]
    turning = [axis for axis, line in enumerate(lines, start=2) if not line.cosine]
    if half is not None:
        # A transform of real data halves the last axis that it is given.
        turning.remove(half + 2)
        turning.append(half + 2)
    if inverse and turning:
        if half is not None:
            x = fft.irfftn(x, [sizes[axis - 2] for axis in turning], turning, **options)
        else:
            x = fft.ifftn(x, axes=turning, **options)
    if mirrored:
        transform = fft.idctn if inverse else fft.dctn
        x = transform(x, type=2, axes=mirrored, **options)
    if not inverse and turning:
        x = fft.fftn(x, axes=turning, **options) if half is None else fft.rfftn(x, axes=turning, **options)
    return x


def _gathered(y: Array, lines: Sequence[FrequencyAxis]) -> Array:
    """Return outputs in the order of the samples that they stand at, those that come again added up."""
    for axis, line in enumerate(lines, start=2):
        if line.copies > 1:
            shape = (*y.shape[:axis], line.copies, line.points, *y.shape[axis + 1 :])
            y = y.reshape(shape).sum(axis=axis) / np.sqrt(line.copies)
        if (order := _order(line)) is not None:
            y = np.take(y, np.argsort(order), axis=axis)
    return y


def _spread(z: Array, lines: Sequence[FrequencyAxis]) -> Array:
    """Return the outputs from what stands at the samples; no output comes twice."""
    for axis, line in enumerate(lines, start=2):
        if (order := _order(line)) is not None:
            z = np.take(z, order, axis=axis)
    return z


def _order(line: FrequencyAxis) -> Array | None:
    """Return at which sample, of those that are reached, each output stands; None if at its own number."""
    step = line.axis.stride // gcd(line.axis.stride, line.axis.size)
    if line.cosine or step % line.points in (1, 0):
        return None
    return step * np.arange(line.points) % line.points
