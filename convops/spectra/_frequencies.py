"""The blocks that W falls into at the frequencies of its axes.

Where an axis wraps round, complex exponentials make W of it diagonal; where it is continued symmetrically and
the kernel is symmetric, cosines do (the DCT-II). What is left of several channels is one block for each
frequency, C_out × C_in. With a stride, the frequencies that the decimation makes equal stand side by side in
one block.

Sedghi, Gupta and Long, "The Singular Values of Convolutional Layers", ICLR 2019, arXiv:1805.10408; Ng, Chan
and Tang, "A Fast Algorithm for Deblurring Models with Neumann Boundary Conditions",
doi:10.1137/S1064827598341384.
"""

from collections.abc import Iterator, Sequence
from itertools import product
from math import gcd, isqrt, prod, sqrt
from typing import NamedTuple

import numpy as np
from scipy.fft import ifft

from convops._arrays import Array
from convops._axis import Axis
from convops.apply._threads import product_alone
from convops.boundary import Ints
from convops.geometry import ConvGeometry
from convops.operators.closed_forms import with_channels

_BYTES_AT_ONCE = 2**24
_LONG = 64
"""Taps of a kernel that may be transformed by FFT."""
_FFT_BYTES = 2**28
"""Bytes that an FFT may take."""
_FFT_WORK = 2**17
"""Operations that stand for the call of an FFT."""
_ENTRY_WORK = 32
"""Operations for an entry of the matrix of taps: a sine and a cosine."""


class FrequencyAxis(NamedTuple):
    """The frequencies of one axis: ``2π (point + points * alias) / (points * aliases)``, for cosines half."""

    axis: Axis
    points: int
    aliases: int
    """How many frequencies the stride makes one."""
    copies: int
    """How many times each output comes."""
    cosine: bool

    @property
    def period(self) -> int:
        """How many samples there are until the modes repeat."""
        return self.points * self.aliases * (2 if self.cosine else 1)

    @property
    def roundings(self) -> int:
        """How far off a transform by FFT is, in units of 8 u and of the sum of the moduli of all taps."""
        # In the 2-norm it is off by log2(n) of itself, which is up to √n of the taps; n may be any number.
        return 0 if self.axis.kernel < _LONG else (isqrt(self.period) + 1) * self.period.bit_length()

    def matrix(self, points: Ints) -> Array:
        """Return what each tap contributes at some of the points, ``(aliases, points, kernel)``.

        The columns of a unitary transform: W of the axis is made of these numbers and nothing else.
        """
        angles = (
            2 * np.pi / self.period * (self._indices(points)[..., None] * self._positions() % self.period)
        )
        matrix: Array = self._scale() * (np.cos(angles) if self.cosine else np.exp(1j * angles))
        return matrix

    def transformed(self, points: Ints, taps: Array) -> Array:
        """Return what the taps contribute at some of the points.

        From the shape ``(before, kernel, behind)`` to ``(before, aliases, points, behind)``.
        """
        before, kernel, behind = taps.shape
        if self._is_fast(points.size, before * behind):
            return self._by_fft(taps)[:, self._indices(points)]
        step = max(_BYTES_AT_ONCE // (16 * self.aliases * kernel), 1)
        some = [points[start : start + step] for start in range(0, points.size, step)]
        parts = [_along(self.matrix(part).reshape(-1, kernel), taps) for part in some]
        return np.concatenate([part.reshape(before, self.aliases, -1, behind) for part in parts], axis=2)

    def _is_fast(self, points: int, lines: int) -> bool:
        """Return whether an FFT of so many lines is faster than the matrix of taps at so many points."""
        values = self.period * lines
        fft = 8 * values * self.period.bit_length() + _FFT_WORK
        matrix = points * self.aliases * self.axis.kernel * (_ENTRY_WORK + lines)
        return self.axis.kernel >= _LONG and fft < matrix and 16 * values <= _FFT_BYTES

    def _by_fft(self, taps: Array) -> Array:
        """Return what the taps contribute at all frequencies of a period, ``(before, period, behind)``."""
        before, _, behind = taps.shape
        around = np.zeros((before, self.period, behind), np.complex128)
        for positions in (self._positions(), -self._positions()) if self.cosine else (self._positions(),):
            np.add.at(around.swapaxes(0, 1), positions % self.period, taps.swapaxes(0, 1))
        spectrum: Array = self._scale() * ifft(around, axis=1, norm="forward", overwrite_x=True)
        if not self.cosine:
            return spectrum
        return np.asarray(spectrum if taps.dtype.kind == "c" else spectrum.real) / 2

    def _indices(self, points: Ints) -> Ints:
        """Return which multiples of ``2π / period`` the frequencies are, ``(aliases, points)``."""
        return points + self.points * np.arange(self.aliases)[:, None]

    def _positions(self) -> Ints:
        """Return where the taps stand in a period."""
        positions: Ints = (self.axis.dilation * np.arange(self.axis.kernel) - self.axis.before) % self.period
        return positions

    def _scale(self) -> float:
        return sqrt(self.copies / self.aliases)

    def wave(self, point: int, values: Array) -> Array:
        """Return the inputs that are made of the modes at a point.

        From the shape ``(C, aliases, …)`` to ``(C, …, size)``. What two of the modes differ by repeats after
        as many samples as there are aliases.
        """
        values, samples = np.moveaxis(values, 1, -1), np.arange(self.axis.size)
        if self.cosine:
            return np.asarray(values * np.cos(np.pi / self.points * point * (samples + 0.5)))
        repeated = ifft(values, axis=-1, norm="forward")[..., samples % self.aliases]
        return np.asarray(repeated * np.exp(2j * np.pi / self.period * (point * samples % self.period)))


class Frequencies(NamedTuple):
    """All frequencies, and the weight in the shape ``(groups, C_out // groups, C_in // groups, *kernel)``."""

    axes: tuple[FrequencyAxis, ...]
    weight: Array

    @property
    def block_shape(self) -> tuple[int, int]:
        """Shape of the block at one frequency, in each group."""
        return self.weight.shape[1], self.weight.shape[2] * prod([line.aliases for line in self.axes])

    @property
    def halved(self) -> int | None:
        """The axis of which half of the points tell all: a real weight has conjugate blocks at -ω and ω."""
        if self.weight.dtype.kind == "c":
            return None
        turning = [number for number, line in enumerate(self.axes) if not line.cosine]
        # Best one without aliases, of which a transform of real data gives half as it is.
        return max(
            turning, key=lambda number: (-self.axes[number].aliases, self.axes[number].points), default=None
        )

    def points(self) -> list[Ints]:
        """Return the points to look at, per axis."""
        counts = [line.points for line in self.axes]
        if (half := self.halved) is not None:
            counts[half] = counts[half] // 2 + 1
        return [np.arange(count) for count in counts]

    def parts(self) -> Iterator[tuple[Ints, ...]]:
        """Cut the points into boxes whose blocks can be held at once."""
        room = max(_BYTES_AT_ONCE // (16 * self.weight.shape[0] * prod(self.block_shape)), 1)
        boxes = []
        for points in reversed(self.points()):
            step = min(room, points.size)
            boxes.append([points[start : start + step] for start in range(0, points.size, step)])
            room = max(room // step, 1)
        yield from product(*reversed(boxes))

    def times(self, part: Sequence[Ints]) -> Ints:
        """Return how many frequencies each point of a box stands for, 1 or 2, in C order."""
        times = np.ones([points.size for points in part], np.int64)
        if (half := self.halved) is not None:
            count, points = self.axes[half].points, part[half]
            twice = 1 + ((points > 0) & (2 * points != count))
            times *= twice.reshape(-1, *[1] * (len(part) - 1 - half))
        return times.ravel()

    def blocks(self, part: Sequence[Ints]) -> Array:
        """Return the blocks at a box of points, ``(groups, points, C_out, C_in * aliases)``."""
        channels = self.weight.shape[:3]
        values = np.moveaxis(self.weight, (0, 1, 2), (-3, -2, -1))
        seen, apart = 1, []
        for line, points in zip(self.axes, part, strict=True):
            values = line.transformed(points, values.reshape(seen, line.axis.kernel, -1))
            seen *= line.aliases * points.size
            apart += [line.aliases, points.size]
        order = [2 * len(part), *range(1, 2 * len(part), 2), -2, -1, *range(0, 2 * len(part), 2)]
        values = values.reshape(*apart, *channels).transpose(order)
        return values.reshape(channels[0], -1, *self.block_shape)


def _along(matrix: Array, values: Array) -> Array:
    """Return ``matrix @ values`` for each of the first axis; as one product where each is of a vector."""
    if values.shape[-1] > 1:
        return np.asarray(matrix @ values)
    return product_alone(values[..., 0], matrix.T)[..., None]


def frequencies_of(geometry: ConvGeometry, weight: Array) -> Frequencies | None:
    """Return the frequencies at which W falls into blocks, None where it does not."""
    weight = with_channels(geometry, weight)
    lines = []
    for number, axis in enumerate(geometry.axes, start=2):
        line = frequency_axis(axis, weight, number)
        if line is None:
            return None
        lines.append(line)
    return Frequencies(tuple(lines), by_group(geometry, weight))


def frequency_axis(axis: Axis, weight: Array, number: int) -> FrequencyAxis | None:
    """Return the frequencies of an axis, the one of that number in ``(C_out, C_in // groups, *kernel)``."""
    return _mirrored(axis, weight, number) or _turning(axis)


def by_group(geometry: ConvGeometry, weight: Array) -> Array:
    """Return the weight in the shape ``(groups, C_out // groups, C_in // groups, *kernel)``."""
    channels = geometry.in_channels // geometry.groups
    return weight.reshape(geometry.groups, -1, channels, *geometry.kernel_size)


def _turning(axis: Axis) -> FrequencyAxis | None:
    """Return the frequencies of an axis that wraps round, or might as well.

    Outputs step through the multiples of gcd(stride, size) and come back: where they complete the round,
    once or several times, W is a circulant matrix decimated.
    """
    alike = axis.size == 1 and axis.boundary != "zeros"
    inside = axis.kernel == 1 and axis.before == axis.after == 0
    if not (axis.boundary == "wrap" or alike or inside):
        return None
    step = gcd(axis.stride, axis.size)
    copies, rest = divmod(axis.out_size, axis.size // step)
    return None if rest else FrequencyAxis(axis, axis.size // step, step, copies, False)


def _mirrored(axis: Axis, weight: Array, number: int) -> FrequencyAxis | None:
    """Return the frequencies of an axis that is mirrored, under a kernel that is symmetric along it."""
    centred = axis.before == axis.after and axis.out_size == axis.size and axis.stride == 1
    if axis.boundary != "symmetric" or not centred or not np.array_equal(weight, np.flip(weight, number)):
        return None
    return FrequencyAxis(axis, axis.size, 1, 1, True)
