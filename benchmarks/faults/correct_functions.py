"""Correct pairs of functions of arrays: views, differences, sums, gathers, transforms."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import fft

from benchmarks.faults._base import values
from benchmarks.faults._pair import ALL, COMPLEX, FLOATS, REAL, Apply, Array, Ints, Make, Operator, Pair

DType = np.dtype[Any]
Rng = np.random.Generator


def fixed(forward: Apply, adjoint: Apply, input_shape: Ints, output_shape: Ints) -> Make:
    """Return how to make a pair in which nothing is random, and whose dtype is that of its operand."""
    return lambda dtype, rng: Pair(forward, adjoint, input_shape, output_shape, dtype)


def cast(forward: Apply, adjoint: Apply, input_shape: Ints, output_shape: Ints) -> Make:
    """Return the same for functions that widen: their result goes back to the dtype."""
    return lambda dtype, rng: Pair(
        lambda x: forward(x).astype(dtype),
        lambda y: adjoint(y).astype(dtype),
        input_shape,
        output_shape,
        dtype,
    )


def into_zeros(shape: Ints, where: Any) -> Apply:
    """Return the adjoint of ``x[where]``, where no element is read twice."""

    def adjoint(y: Array) -> Array:
        x = np.zeros(shape, y.dtype)
        x[where] = y
        return x

    return adjoint


def slicing(shape: Ints, where: Any) -> Make:
    return fixed(lambda x: x[where], into_zeros(shape, where), shape, np.empty(shape)[where].shape)


def difference_adjoint(y: Array) -> Array:
    zero = np.zeros(1, y.dtype)
    return np.concatenate([zero, y]) - np.concatenate([y, zero])


def gradient(x: Array) -> Array:
    """Return the forward differences along both axes, 0 at the end."""
    y = np.zeros((2, *x.shape), x.dtype)
    y[0, :-1], y[1, :, :-1] = x[1:] - x[:-1], x[:, 1:] - x[:, :-1]
    return y


def divergence(y: Array) -> Array:
    """Return the adjoint of `gradient`."""
    x = np.zeros(y.shape[1:], y.dtype)
    x[1:] += y[0, :-1]
    x[:-1] -= y[0, :-1]
    x[:, 1:] += y[1, :, :-1]
    x[:, :-1] -= y[1, :, :-1]
    return x


def box(x: Array) -> Array:
    """Return sums of 7 by a running sum, whose rounding they keep."""
    total = np.concatenate([np.zeros(1, x.dtype), np.cumsum(x, dtype=x.dtype)])
    return total[7:] - total[:-7]


def box_adjoint(y: Array) -> Array:
    return box(np.pad(y, 6))


def gather(dtype: DType, rng: Rng) -> Pair:
    """x[index] with repetitions, and a sum into the places."""
    index = rng.integers(100, size=250)

    def scatter(y: Array) -> Array:
        x = np.zeros(100, dtype)
        np.add.at(x, index, y)
        return x

    return Pair(lambda x: x[index], scatter, (100,), (250,), dtype)


def interpolation(dtype: DType, rng: Rng) -> Pair:
    """Linear interpolation at random places."""
    at = rng.uniform(0, 98.9, 150)
    left = at.astype(int)
    weight = (at - left).astype(np.empty(0, dtype).real.dtype)

    def adjoint(y: Array) -> Array:
        x = np.zeros(100, dtype)
        np.add.at(x, left, (1 - weight) * y)
        np.add.at(x, left + 1, weight * y)
        return x

    return Pair(lambda x: (1 - weight) * x[left] + weight * x[left + 1], adjoint, (100,), (150,), dtype)


def masked(dtype: DType, rng: Rng) -> Pair:
    mask = rng.random((20, 15)) < 0.5
    return Pair(lambda x: x[mask], into_zeros((20, 15), mask), (20, 15), (int(mask.sum()),), dtype)


def haar(x: Array) -> Array:
    half = x.real.dtype.type(np.sqrt(0.5))
    return np.concatenate([x[::2] + x[1::2], x[::2] - x[1::2]]) * half


def haar_adjoint(y: Array) -> Array:
    half = y.real.dtype.type(np.sqrt(0.5))
    low, high = np.split(y, 2)
    return np.stack([low + high, low - high], axis=-1).reshape(-1) * half


def rfft_parts(x: Array) -> Array:
    spectrum = np.fft.rfft(x)
    return np.stack([spectrum.real, spectrum.imag])


def rfft_parts_adjoint(y: Array) -> Array:
    """irfft takes the inner bins twice, so they are halved."""
    spectrum = y[0] + 1j * y[1]
    spectrum[1:-1] /= 2
    return 100 * np.fft.irfft(spectrum, 100)


def fftconvolved(dtype: DType, rng: Rng) -> Pair:
    """A full convolution by transforms of twice the length."""
    kernel, total = values(rng, (9,), dtype), 128
    spectrum = fft.fft(kernel, total)
    kept: Callable[[Array], Array] = (lambda x: x) if dtype.kind == "c" else np.real

    def forward(x: Array) -> Array:
        return kept(fft.ifft(fft.fft(x, total) * spectrum))[:108].astype(dtype)

    def adjoint(y: Array) -> Array:
        return kept(fft.ifft(fft.fft(y, total) * spectrum.conj()))[:100].astype(dtype)

    return Pair(forward, adjoint, (100,), (108,), dtype)


def circular(dtype: DType, rng: Rng) -> Pair:
    """A circular convolution of two axes, with a spectrum of its own."""
    spectrum = fft.fft2(values(rng, (16, 12), dtype))
    kept: Callable[[Array], Array] = (lambda x: x) if dtype.kind == "c" else np.real
    return Pair(
        lambda x: kept(fft.ifft2(fft.fft2(x) * spectrum)).astype(dtype),
        lambda y: kept(fft.ifft2(fft.fft2(y) * spectrum.conj())).astype(dtype),
        (16, 12),
        (16, 12),
        dtype,
    )


def add_mean(x: Array) -> Array:
    return np.full(30, x.sum() / 40, x.dtype)


FUNCTIONS = (
    Operator("identity", fixed(np.copy, np.copy, (100,), (100,)), ALL),
    Operator("identity that returns its input", fixed(lambda x: x, lambda y: y, (10, 10), (10, 10)), ALL),
    Operator("view x[::2]", slicing((101,), np.s_[::2]), ALL),
    Operator("view x[::-1]", fixed(lambda x: x[::-1], lambda y: y[::-1], (100,), (100,)), ALL),
    Operator("view x.T", fixed(lambda x: x.T, lambda y: y.T, (9, 14), (14, 9)), ALL),
    Operator("view x[2:-1, 1:8:3]", slicing((9, 14), np.s_[2:-1, 1:8:3]), ALL),
    Operator("zero padding", fixed(lambda x: np.pad(x, 2), lambda y: y[2:-2, 2:-2], (8, 9), (12, 13)), ALL),
    Operator("roll", fixed(lambda x: np.roll(x, 3), lambda y: np.roll(y, -3), (100,), (100,)), ALL),
    Operator("mask", masked, ALL),
    Operator("np.diff", fixed(np.diff, difference_adjoint, (150,), (149,)), ALL),
    Operator("gradient", fixed(gradient, divergence, (12, 11), (2, 12, 11)), ALL),
    Operator("np.cumsum", fixed(np.cumsum, lambda y: np.cumsum(y[::-1])[::-1], (150,), (150,)), ALL),
    Operator("box by a running sum", fixed(box, box_adjoint, (150,), (144,)), ALL),
    Operator(
        "sum over an axis",
        fixed(lambda x: x.sum(1), lambda y: np.repeat(y[:, None], 14, 1), (9, 14), (9,)),
        ALL,
    ),
    Operator("mean, repeated", fixed(add_mean, lambda y: np.full(40, y.sum() / 40, y.dtype), (40,), (30,))),
    Operator("gather and scatter", gather, ALL),
    Operator("linear interpolation", interpolation),
    Operator("Haar", fixed(haar, haar_adjoint, (128,), (128,))),
    Operator(
        "DCT, orthonormal",
        cast(lambda x: fft.dct(x, norm="ortho"), lambda y: fft.idct(y, norm="ortho"), (100,), (100,)),
        REAL,
    ),
    Operator(
        "FFT, unitary",
        cast(lambda x: fft.fft2(x, norm="ortho"), lambda y: fft.ifft2(y, norm="ortho"), (16, 12), (16, 12)),
        COMPLEX,
    ),
    Operator("FFT, bare", cast(fft.fft, lambda y: 150 * fft.ifft(y), (150,), (150,)), COMPLEX),
    Operator("rfft in parts", cast(rfft_parts, rfft_parts_adjoint, (100,), (2, 51)), REAL),
    Operator("convolution by padded FFT", fftconvolved, FLOATS),
    Operator("circular convolution by FFT", circular, FLOATS),
)
