"""The direct route: a small least-squares problem for each frequency.

Where A falls into blocks B, and LᴴL is diagonal, p, in the same transform, the normal equations fall into
(BᴴB + damp² p) x = Bᴴ b. They are solved without BᴴB, whose condition is that of B squared: by a division
where there is one unknown, for one equation with several unknowns, those that a stride makes alike, by the
formula of Sherman, Morrison and Woodbury, and else by a QR decomposition of [B; damp √p].

Hansen, Nagy and O'Leary, "Deblurring Images: Matrices, Spectra, and Filtering", 2006, chapters 4 and 6; Zhao,
Wei, Basarab, Dobigeon, Kouamé and Tourneret, "Fast Single Image Super-Resolution Using a New Analytical
Solution for ℓ2-ℓ2 Problems", doi:10.1109/TIP.2016.2567075.
"""

from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

import numpy as np

from convops._arrays import Array
from convops.geometry import ConvGeometry
from convops.inverse._symbol import penalty
from convops.inverse._transforms import Transforms
from convops.operators.algebra.scaled import Scaled
from convops.operators.base import ConvOperator
from convops.spectra._frequencies import Frequencies, frequencies_of


class Singular(Exception):
    """At some frequency nothing decides on the answer."""

    def __init__(self, smallest: float, largest: float) -> None:
        super().__init__(smallest, largest)
        self.smallest, self.largest = smallest, largest


class Part(NamedTuple):
    """Blocks at a box of frequencies, ``(groups, points, m, k)``, and LᴴL there, ``(groups, points, k)``."""

    where: tuple[slice, ...]
    times: Array
    """How many frequencies each point stands for."""
    blocks: Array
    penalty: Array | None


class Spectrum(NamedTuple):
    """A convolution, or the adjoint of one, in its frequencies; and a regulariser in the same."""

    frequencies: Frequencies
    data: Transforms
    unknown: Transforms
    adjoint: bool
    real: bool
    """Whether data and answers are real; a transform with a stride has complex coefficients even so."""
    penalty: Array | None
    """Coefficients as those of the unknown, without the batch."""

    @property
    def transforms(self) -> set[str]:
        """Which transforms there are, "fft", "dct" or both."""
        return {"dct" if line.cosine else "fft" for line in self.frequencies.axes}

    @property
    def route(self) -> str:
        """Which of them names the route."""
        return "fft" if "fft" in self.transforms else "dct"

    @property
    def block_shape(self) -> tuple[int, int]:
        """How many data and how many unknowns there are at one frequency, in each group."""
        m, k = self.frequencies.block_shape
        return (k, m) if self.adjoint else (m, k)

    def parts(self) -> Iterator[Part]:
        """Yield the blocks of all frequencies, so many at once as can be held."""
        for points in self.frequencies.parts():
            where = tuple(slice(int(line[0]), int(line[-1]) + 1) for line in points)
            blocks = self.frequencies.blocks(points)
            if self.adjoint:
                blocks = blocks.conj().swapaxes(-1, -2)
            p = None if self.penalty is None else columns(self.penalty[None], where)[..., 0]
            if p is not None:
                p = np.broadcast_to(p, (blocks.shape[0], *p.shape[1:]))
                p = np.tile(p, blocks.shape[-1] // p.shape[-1])
            yield Part(where, self.frequencies.times(points), blocks, p)

    def solve(self, b: Array, damp: float) -> Array:
        """Return the answers, ``(batch, channels, *spatial)``, to data in that form."""
        given = self.data.analyse(b)
        shape = self._shape_of_unknown(given)
        found = np.empty(shape, np.result_type(given, self.frequencies.weight))
        scale = self.scale()
        for part in self.parts():
            rhs = columns(given, part.where)
            x = solve_blocks(part.blocks, rhs, damp, part.penalty, scale)
            put(found, part.where, x)
        return self.arrays(found)

    def arrays(self, coefficients: Array) -> Array:
        """Return the unknown that has these coefficients."""
        x = self.unknown.synthesise(coefficients)
        return np.asarray(x.real) if self.real else x

    def scale(self) -> float:
        """Return a bound of the singular values."""
        copies, weight = prod(line.copies for line in self.frequencies.axes), self.frequencies.weight
        largest: float = np.abs(weight).sum(axis=tuple(range(2, weight.ndim))).max()
        return float(largest * np.sqrt(copies))

    def _shape_of_unknown(self, given: Array) -> tuple[int, ...]:
        groups, d = given.shape[1], len(self.frequencies.axes)
        aliases = [1 if self.adjoint else line.aliases for line in self.frequencies.axes]
        m, k = self.frequencies.block_shape
        columns = m if self.adjoint else k // prod(aliases)
        return (given.shape[0], groups, columns, *aliases, *given.shape[3 + d :])


def spectrum_of(A: Any, L: Any, real: bool) -> Spectrum | None:
    """Return A and L in the frequencies that make A blocks and LᴴL diagonal, or None where none do.

    `real` says whether data are, too.
    """
    if isinstance(A, Scaled):
        inner = spectrum_of(A.parts[0], L, real and A.factor.imag == 0)
        if inner is None:
            return None
        factor = np.conj(A.factor) if inner.adjoint else A.factor
        weight = inner.frequencies.weight * factor
        return _with_frequencies(inner, inner.frequencies._replace(weight=weight))
    if not isinstance(A, ConvOperator) or A._core is not A:
        return None
    frequencies = frequencies_of(A.geometry, weight_of(A))
    if frequencies is None:
        return None
    return of_frequencies(
        A.geometry, frequencies, A._transposed, L, real, A.geometry.has_channels, exact=True
    )


def weight_of(A: ConvOperator) -> Array:
    """Return the weight of the convolution that A is, or is the adjoint of, in double precision."""
    weight = A._map.correlated
    weight = weight.astype(np.result_type(weight, np.float64))
    return weight.conj() if A._conjugated != A._transposed else weight


def of_frequencies(
    geometry: ConvGeometry,
    frequencies: Frequencies,
    adjoint: bool,
    L: Any,
    real: bool,
    channels: bool,
    exact: bool,
) -> Spectrum | None:
    """Return the spectrum of a convolution, or of its adjoint, that has these frequencies.

    `channels` says whether the arrays that L takes have an axis of them.
    """
    lines = frequencies.axes
    if adjoint and any(line.copies > 1 for line in lines):
        return None
    half = frequencies.halved
    real = real and frequencies.weight.dtype.kind != "c"
    if not real or (half is not None and lines[half].aliases > 1):
        frequencies = frequencies._replace(weight=frequencies.weight.astype(np.complex128))
    source = Transforms(frequencies, tuple(axis.size for axis in geometry.axes), True)
    target = Transforms(frequencies, tuple(axis.out_size for axis in geometry.axes), False)
    found = Spectrum(
        frequencies, source if adjoint else target, target if adjoint else source, adjoint, real, None
    )
    if L is None:
        return found
    if adjoint and any(line.aliases > 1 for line in lines):
        return None
    counts = [line.axis.size for line in lines]
    if (half := frequencies.halved) is not None:
        counts[half] = lines[half].points // 2 + 1
    p = penalty(L, lines, counts, channels, exact)
    if p is None:
        return None
    return found._replace(penalty=_as_coefficients(p, found))


def _with_frequencies(spectrum: Spectrum, frequencies: Frequencies) -> Spectrum:
    return spectrum._replace(
        frequencies=frequencies,
        data=spectrum.data._replace(frequencies=frequencies),
        unknown=spectrum.unknown._replace(frequencies=frequencies),
    )


def _as_coefficients(p: Array, spectrum: Spectrum) -> Array:
    """Return a function of frequency as coefficients, ``(groups, channels, *aliases, *points)``."""
    lines = spectrum.frequencies.axes
    shape: list[int] = []
    for number, line in enumerate(lines, start=1):
        shape += [line.aliases, p.shape[number] // line.aliases]
    d = len(lines)
    groups = spectrum.frequencies.weight.shape[0] if p.shape[0] > 1 else 1
    values = p.reshape(groups, p.shape[0] // groups, *shape)
    return values.transpose([0, 1, *range(2, 2 + 2 * d, 2), *range(3, 3 + 2 * d, 2)])


def columns(coefficients: Array, where: tuple[slice, ...]) -> Array:
    """Return coefficients at a box of frequencies as right-hand sides, ``(groups, points, m, batch)``."""
    at: Any = (..., *where)
    box: Array = coefficients[at]
    batch, groups = box.shape[:2]
    points = prod(box.shape[box.ndim - len(where) :])
    return box.reshape(batch, groups, -1, points).transpose(1, 3, 2, 0)


def put(coefficients: Array, where: tuple[slice, ...], columns: Array) -> None:
    """Write what `columns` read."""
    at: Any = (..., *where)
    box: Array = coefficients[at]
    box[...] = columns.transpose(3, 0, 2, 1).reshape(box.shape)


def solve_blocks(B: Array, rhs: Array, damp: float, p: Array | None, scale: float) -> Array:
    """Return the answers of all blocks, ``(groups, points, k, batch)``."""
    m, k = B.shape[-2:]
    least = 8 * np.finfo(np.float64).eps * scale
    if k == 1:
        total = (B.real**2 + B.imag**2).sum(axis=-2) + damp**2 * (1.0 if p is None else p)
        _refuse_singular(np.sqrt(total), least, scale)
        H = B.conj().swapaxes(-1, -2)
        return np.asarray((H @ rhs if m > 1 else H * rhs) / total[..., None])
    if m > 1 or damp <= least:
        return _by_qr(B, rhs, damp, p, least, scale)
    if p is None:
        return _one_equation(B, rhs, damp, None)
    free = (p <= 0).any(axis=-1)
    found = np.empty((*B.shape[:2], k, rhs.shape[-1]), np.result_type(B, rhs))
    found[~free] = _one_equation(B[~free], rhs[~free], damp, p[~free])
    if free.any():
        found[free] = _by_qr(B[free], rhs[free], damp, p[free], least, scale)
    return found


def _one_equation(B: Array, rhs: Array, damp: float, p: Array | None) -> Array:
    """Solve blocks of one row: by P⁻¹Bᴴ (B P⁻¹Bᴴ + damp²)⁻¹."""
    H = B.conj().swapaxes(-1, -2)
    weighted = H if p is None else H / p[..., None]
    total = (B @ weighted).real + damp**2
    return np.asarray(weighted * (rhs / total))


def _by_qr(B: Array, rhs: Array, damp: float, p: Array | None, least: float, scale: float) -> Array:
    m, k = B.shape[-2:]
    if damp:
        root = np.ones(k) if p is None else np.sqrt(p)
        below = damp * root[..., None] * np.eye(k)
        B = np.concatenate([B, np.broadcast_to(below, (*B.shape[:-2], k, k))], axis=-2)
    if B.shape[-2] < k:
        raise Singular(0.0, scale)
    q, r = np.linalg.qr(B)
    _refuse_singular(np.abs(np.diagonal(r, axis1=-2, axis2=-1)), least, scale)
    return np.asarray(np.linalg.solve(r, q[..., :m, :].conj().swapaxes(-1, -2) @ rhs))


def _refuse_singular(values: Array, least: float, scale: float) -> None:
    if values.size and not values.min() > least:
        raise Singular(float(values.min()), scale)
