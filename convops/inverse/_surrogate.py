"""A preconditioner: the normal equations of a convolution that differs only near the border.

Where a kernel is symmetric along an axis, the image is mirrored there, and cosines make that diagonal; else
it is set in zeros, so many that nothing wraps round. Both are solved frequency by frequency, with a shift
above damp²: near the border the two differ, and a larger shift keeps apart what they disagree in.

R. Chan and M. Ng, "Conjugate Gradient Methods for Toeplitz Systems", doi:10.1137/S0036144594276474.
"""

from collections.abc import Callable
from math import prod
from typing import Any, NamedTuple

import numpy as np
from scipy import fft

from convops._arrays import Array
from convops.geometry import ConvGeometry
from convops.inverse._spectral import Spectrum, columns, of_frequencies, put, weight_of
from convops.operators.algebra.scaled import Scaled
from convops.operators.base import ConvOperator
from convops.operators.closed_forms import with_channels
from convops.spectra._frequencies import frequencies_of

SHIFT = 3.0
_MOST_BYTES = 2**28
_FLOOR = 1e-6
"""Of the largest penalty: what keeps apart unknowns that only the border decides on."""

Preconditioner = Callable[[Array], Array]


class Neighbour(NamedTuple):
    """What A is a multiple of, and a convolution that differs from that near the border."""

    spectrum: Spectrum
    factor: float
    """How many times A is that, without the sign."""
    convolution: ConvOperator


def neighbour(A: Any, L: Any, real: bool) -> Neighbour | None:
    """Return the neighbour of A, or None where there is none."""
    factor = 1.0
    while isinstance(A, Scaled):
        factor *= float(abs(A.factor))
        A = A.parts[0]
    if not isinstance(A, ConvOperator) or A._core is not A or not factor:
        return None
    spectrum = _surrogate(A, L, real)
    return None if spectrum is None else Neighbour(spectrum, factor, A)


def preconditioner(A: Any, L: Any, damp: float, real: bool) -> Preconditioner | None:
    """Return an approximate inverse of AᴴA + damp² LᴴL, on vectors, or None where there is none."""
    found = neighbour(A, L, real) if damp else None
    if found is None:
        return None
    spectrum, factor, A = found
    inverse = _inverse(spectrum, SHIFT * (damp / factor) ** 2)
    if inverse is None:
        return None
    inverse = inverse / factor**2
    if A.dtype in (np.float32, np.complex64):
        inverse = inverse.astype(np.complex64 if inverse.dtype.kind == "c" else np.float32)
    spatial = A.input_shape[A.geometry.has_channels :]
    sizes = spectrum.unknown.sizes
    kept: Any = (..., *(slice(size) for size in spatial))

    def apply(v: Array) -> Array:
        x = v.reshape(1, -1, *spatial)
        if sizes != spatial:
            whole = np.zeros((*x.shape[:2], *sizes), x.dtype)
            whole[kept] = x
            x = whole
        given = spectrum.unknown.analyse(x)
        if inverse.ndim == given.ndim:
            found = inverse * given
        else:
            everywhere = (slice(None),) * len(sizes)
            found = np.empty(given.shape, np.result_type(given, inverse))
            put(found, everywhere, inverse @ columns(given, everywhere))
        cut: Array = spectrum.arrays(found)[kept]
        return cut.reshape(v.shape)

    return apply


def _surrogate(A: ConvOperator, L: Any, real: bool) -> Spectrum | None:
    geometry = A.geometry
    weight = with_channels(geometry, weight_of(A))
    sizes, padding, names = [], [], []
    for number, axis in enumerate(geometry.axes, start=2):
        size, odd = axis.out_size if A._transposed else axis.size, axis.effective % 2
        if axis.stride == 1 and odd and np.array_equal(weight, np.flip(weight, number)):
            sizes.append(size)
            padding.append((axis.effective // 2,) * 2)
            names.append("symmetric")
            continue
        outputs = size if A._transposed else -(-size // axis.stride)
        length = fft.next_fast_len(outputs + -(-(axis.effective - 1) // axis.stride), real=True)
        before = axis.before % axis.stride
        sizes.append(length * axis.stride)
        padding.append((before, max(axis.effective - 1 - before, 0)))
        names.append("wrap")
    like = ConvGeometry(
        weight.shape,
        (geometry.in_channels, *sizes),
        stride=geometry.stride,
        padding=padding,
        dilation=geometry.dilation,
        groups=geometry.groups,
        boundary=names,
    )
    frequencies = frequencies_of(like, weight)
    if frequencies is None:
        return None
    return of_frequencies(like, frequencies, A._transposed, L, real, geometry.has_channels, exact=False)


def _inverse(spectrum: Spectrum, shift: float) -> Array | None:
    """Return (BᴴB + shift p)⁻¹, as coefficients where it is a number, else as blocks of all frequencies."""
    m, k = spectrum.frequencies.block_shape
    k = m if spectrum.adjoint else k
    points = [line.size for line in spectrum.frequencies.points()]
    groups = spectrum.frequencies.weight.shape[0]
    if 16 * groups * prod(points) * k * k > _MOST_BYTES:
        return None
    real = spectrum.transforms == {"dct"} and spectrum.frequencies.weight.dtype.kind != "c"
    inverse = np.empty((groups, *points, k, k), np.float64 if real else np.complex128)
    for part in spectrum.parts():
        B = part.blocks
        p = np.ones(k) if part.penalty is None else part.penalty + _FLOOR * part.penalty.max()
        normal = B.conj().swapaxes(-1, -2) @ B + shift * p[..., None] * np.eye(k)
        if k == 1 and not normal.real.min() > 0:
            return None
        try:
            found = 1 / normal if k == 1 else np.linalg.inv(normal)
        except np.linalg.LinAlgError:
            return None
        box = inverse[(slice(None), *part.where)]
        box[...] = found.reshape(box.shape)
    if k > 1:
        return inverse.reshape(groups, -1, k, k)
    return inverse.real.reshape(1, groups, 1, *[1] * len(points), *points)
