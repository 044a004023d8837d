"""The largest singular value of the blocks of W, and a bound of it where the axis has no end.

An axis that neither wraps nor is mirrored is cut out of one without end, where W has a block at each
frequency ω: its symbol. What is cut out of a matrix has no larger norm. For a unit vector u, ``‖B(ω)ᴴ u‖²``
is a trigonometric polynomial of degree ``m = (kernel - 1) // stride`` in the frequency of the outputs,
between 0 and its largest value P. Less P/2 it is a polynomial p with ``|p| <= P/2``. From its peak it falls
no faster than ``P/2 cos(m t)`` does from its own: this is the inequality of Bernstein and Szegő,
``p'² + m² p² <= m² (P/2)²``. (Were p steeper than a cosine somewhat larger, shifted to have the same value
there, the two would meet three times on that arc and once on each of the other 2m - 1, which is more often
than a polynomial of degree m vanishes.) Of N points one lies within π/N of the peak, so that
``P <= max / cos²(π m / 2N)``; axis by axis that holds in any number of dimensions. Pfister and Bresler,
"Bounding Multivariate Trigonometric Polynomials", arXiv:1802.09588, bound those that change their sign.

A short axis, extended by its boundary, is also cut out of a circle: one of so many samples that no output
reads across its end and its beginning. This has a block at each of finitely many frequencies, and the largest
is a bound as it is.
"""

from collections.abc import Sequence
from functools import lru_cache
from math import cos, gcd, pi, prod, sqrt
from typing import NamedTuple

import numpy as np

from convops._arrays import Array
from convops._axis import Axis
from convops.boundary import extension_entries
from convops.geometry import ConvGeometry
from convops.operators.closed_forms import with_channels
from convops.spectra._frequencies import Frequencies, FrequencyAxis, by_group, frequency_axis

_POINTS_PER_DEGREE = (32, 16, 8)
_COARSEST = 4
_WORK = 2**30
_EXACT_BORDER = 2**20
_TAPS = 32
"""More taps than these are transformed, and cost a product no more."""


class Peak(NamedTuple):
    """The largest singular value at the frequencies looked at, and the input that has it."""

    value: float
    vector: Array
    """``(C_in, *spatial)``"""


class Sampled(NamedTuple):
    """Frequencies of all axes, and by how much W can exceed the largest value at them."""

    frequencies: Frequencies
    excess: float
    """By how much the symbol can exceed it."""
    folding: float
    """By how much W can exceed the symbol."""

    @property
    def factor(self) -> float:
        """By how much W can exceed the largest value."""
        return self.excess * self.folding


def sampled(geometry: ConvGeometry, weight: Array) -> Sampled:
    """Return frequencies at which the symbol of W is to be looked at: all there are, or a grid."""
    weight = with_channels(geometry, weight)
    exact = [frequency_axis(axis, weight, number) for number, axis in enumerate(geometry.axes, start=2)]
    folding = prod(
        extension_norm(axis) for line, axis in zip(exact, geometry.axes, strict=True) if line is None
    )

    def of_density(density: int) -> Sampled:
        grids = [
            line_of(axis, density) if line is None else (line, 1.0)
            for line, axis in zip(exact, geometry.axes, strict=True)
        ]
        lines = tuple([line for line, _ in grids])
        excess = prod([one for _, one in grids])
        return Sampled(Frequencies(lines, by_group(geometry, weight)), excess, folding)

    grids = map(of_density, _POINTS_PER_DEGREE)
    return next((grid for grid in grids if work_of(grid.frequencies) <= _WORK), of_density(_COARSEST))


def norms_of(frequencies: Frequencies) -> Array:
    """Return the largest singular value of each block, in no particular order."""
    return np.concatenate([_largest(frequencies.blocks(part)).ravel() for part in frequencies.parts()])


def roundings_of(frequencies: Frequencies) -> int:
    """Return how far off `norms_of` can be, in units of 8 u and of `norm_of_sizes`."""
    short, long = sorted(frequencies.block_shape)
    # An entry of the Gram matrix adds up `long` products; the moduli of a block come to no more than
    # ‖B‖_F² <= short * ‖B‖² there, and the square root halves what that is off.
    roundings = long + (short * long // 16 if short > 1 else 0)
    return roundings + sum([line.roundings for line in frequencies.axes])


def peak(frequencies: Frequencies) -> Peak:
    """Return the largest singular value of all blocks."""
    best, where = -1.0, None
    for part in frequencies.parts():
        blocks = frequencies.blocks(part)
        values = _largest(blocks)
        if values.max() > best:
            group, number = divmod(int(values.argmax()), values.shape[1])
            points = np.unravel_index(number, [points.size for points in part])
            best = float(values[group, number])
            block = blocks[group, number].copy()
            where = group, [int(points[at]) for points, at in zip(part, points, strict=True)], block
    assert where is not None
    return Peak(best, _input_of(frequencies, *where))


def norm_of_sizes(geometry: ConvGeometry, weight: Array) -> float:
    """Return a bound of the norm of W with moduli of all that its entries add up: the scale of rounding."""
    moduli = np.abs(by_group(geometry, weight)).sum(axis=tuple(range(3, 3 + len(geometry.axes))))
    sizes = float(np.linalg.norm(moduli, axis=(1, 2)).max())
    return sizes * prod([extension_norm(axis, of_moduli=True) for axis in geometry.axes])


def line_of(axis: Axis, density: int) -> tuple[FrequencyAxis, float]:
    """Return frequencies that bound W of an axis whose ends do not fold, and by how much it can exceed them.

    A grid of so many points per degree of the symbol, or a circle where that has fewer.
    """
    grid, excess = grid_of(axis, density)
    circle = _circle_of(axis)
    return (circle, 1.0) if circle.points <= grid.points else (grid, excess)


def grid_of(axis: Axis, density: int) -> tuple[FrequencyAxis, float]:
    """Return a grid on the frequencies of an axis without end, and what a peak between its points adds."""
    line = _circle_of(axis)
    degree = (axis.kernel - 1) // line.aliases
    points = max(density * degree, 1)
    return line._replace(points=points), 1 / cos(pi * degree / (2 * points))


def _circle_of(axis: Axis) -> FrequencyAxis:
    """Return the frequencies of the smallest circle that an axis, extended by its boundary, is cut out of.

    Stride and dilation are taken without their common factor, and then the dilation is left out: it only
    renames frequencies, or leaves some of them out.
    """
    common = gcd(axis.stride, axis.dilation)
    stride, dilation = axis.stride // common, axis.dilation // common
    points = axis.out_size + dilation * (axis.kernel - 1) // stride
    line = axis._replace(stride=stride, dilation=1, before=0)
    return FrequencyAxis(line, points, stride, 1, False)


def work_of_product(geometry: ConvGeometry) -> int:
    """Return about how many operations a product with W takes."""
    taps = min(prod(geometry.kernel_size), _TAPS) * geometry.in_channels // geometry.groups
    return prod(geometry.output_shape) * taps


def work_of(frequencies: Frequencies) -> int:
    """Return about how many operations the singular values of all blocks take."""
    short, long = sorted(frequencies.block_shape)
    points = prod([points.size for points in frequencies.points()])
    return points * len(frequencies.weight) * short * long * (3 * short if short > 1 else 1)


@lru_cache(64)
def extension_norm(axis: Axis, of_moduli: bool = False) -> float:
    """Return the 2-norm of the extension E of an axis, or of its moduli; a bound where the border is large.

    E is the identity between the rows B of the border, so its norm squared is ``1 + ‖B‖²``.
    """
    positions = np.concatenate([np.arange(-axis.before, 0), np.arange(axis.size, axis.size + axis.after)])
    entries = extension_entries(positions, axis.size, axis.boundary)
    if not entries.row.size:
        return 1.0
    touched, column = np.unique(entries.sample, return_inverse=True)
    if positions.size * touched.size > _EXACT_BORDER:
        moduli = np.abs(entries.coefficient).astype(np.float64)
        by_row, by_column = (np.bincount(place, moduli).max() for place in (entries.row, column))
        return sqrt(1 + by_row * by_column)
    border = np.zeros((positions.size, touched.size))
    values = np.abs(entries.coefficient) if of_moduli else entries.coefficient
    np.add.at(border, (entries.row, column), values)
    return sqrt(1 + float(np.linalg.norm(border, 2)) ** 2)


def _largest(blocks: Array) -> Array:
    """Return the largest singular value of each block: that of its smaller Gram matrix loses no digits."""
    if min(blocks.shape[-2:]) == 1:
        return np.asarray(np.linalg.norm(blocks, axis=(-2, -1)))
    adjoint = blocks.conj().swapaxes(-1, -2)
    gram = blocks @ adjoint if blocks.shape[-2] <= blocks.shape[-1] else adjoint @ blocks
    return np.asarray(np.sqrt(np.maximum(np.linalg.eigvalsh(gram)[..., -1], 0)))


def _input_of(frequencies: Frequencies, group: int, points: Sequence[int], block: Array) -> Array:
    """Return the input that one block amplifies most."""
    right = np.linalg.svd(block, full_matrices=False)[2][0].conj()
    values = right.reshape(-1, *[line.aliases for line in frequencies.axes])
    for line, point in zip(frequencies.axes, points, strict=True):
        values = line.wave(point, values)
    groups, channels = len(frequencies.weight), frequencies.weight.shape[2]
    vector = np.zeros((groups, channels, *values.shape[1:]), values.dtype)
    vector[group] = values
    vector = vector.reshape(-1, *values.shape[1:])
    if frequencies.weight.dtype.kind != "c":
        real, imaginary = vector.real, vector.imag
        vector = real if np.linalg.norm(real) >= np.linalg.norm(imaginary) else imaginary
    return np.ascontiguousarray(vector / np.linalg.norm(vector))
