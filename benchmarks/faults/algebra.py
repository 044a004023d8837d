"""Adjoints with a wrong sign, scale, conjugate or order, and inverses in their place."""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.faults._base import SAME, edited, of_matrices, scalar, values, wrapped
from benchmarks.faults._pair import ALL, COMPLEX, DOUBLE, FLOATS, REAL, Array, Fault, Make, Pair, family

SQUARE = (3, 3), (12, 12)
REAL_LINEAR = ("additivity", "adjoint")


def changed(edit: Callable[[Array], Array]) -> Make:
    """Return how to make a convolution with its adjoint matrix changed."""
    return edited(*SQUARE, lambda B, rng: edit(B), padding="same")


def scaled(factor: complex) -> Make:
    return changed(lambda B: (B * scalar(factor, B.dtype)).astype(B.dtype))


def of_factors(forward: Callable[..., Array], adjoint: Callable[..., Array], count: int = 2) -> Make:
    """Return how to make the pair that two functions of some square matrices give."""

    def make(dtype: np.dtype[Any], rng: np.random.Generator) -> Pair:
        factors = [values(rng, (30, 30), dtype) for _ in range(count)]
        W, B = forward(*factors), adjoint(*(A.conj().T for A in factors))
        return of_matrices(W, B, W.shape[1:], W.shape[:1])

    return make


def inverse(dtype: np.dtype[Any], rng: np.random.Generator) -> Pair:
    W = np.eye(80, dtype=dtype) * 9 + values(rng, (80, 80), dtype) / 4
    return of_matrices(W, np.linalg.inv(W).astype(dtype), (80,), (80,))


def fft_with_inverse(dtype: np.dtype[Any], rng: np.random.Generator) -> Pair:
    """np.fft.fft without "ortho": its adjoint is N times the inverse."""
    return Pair(
        lambda x: np.fft.fft2(x).astype(dtype),
        lambda y: np.fft.ifft2(y).astype(dtype),
        (16, 12),
        (16, 12),
        dtype,
    )


def rfft_parts(dtype: np.dtype[Any], rng: np.random.Generator) -> Pair:
    """Real and imaginary parts of a spectrum; the adjoint must halve the bins that irfft takes twice."""

    def forward(x: Array) -> Array:
        spectrum = np.fft.rfft(x)
        return np.stack([spectrum.real, spectrum.imag]).astype(dtype)

    def adjoint(y: Array) -> Array:
        return (100 * np.fft.irfft(y[0] + 1j * y[1], 100)).astype(dtype)

    return Pair(forward, adjoint, (100,), (2, 51), dtype)


def fft_wrapped(dtype: np.dtype[Any], rng: np.random.Generator) -> Pair:
    """A full convolution by padded transforms; its adjoint forgets the padding and wraps round."""
    n, kernel = 100, values(rng, (9,), dtype)
    total = n + kernel.size - 1

    def real(x: Array) -> Array:
        return (x if dtype.kind == "c" else x.real).astype(dtype)

    def forward(x: Array) -> Array:
        return real(np.fft.ifft(np.fft.fft(x, total) * np.fft.fft(kernel, total)))

    def adjoint(y: Array) -> Array:
        return real(np.fft.ifft(np.fft.fft(y, n) * np.fft.fft(kernel, n).conj()))

    return Pair(forward, adjoint, (n,), (total,), dtype)


def times_i(A: Array) -> Array:
    return (A * (1 + 2j)).astype(A.dtype)


FAULTS = family(
    "algebra",
    Fault("conjugate missing", changed(lambda B: B.conj()), COMPLEX),
    Fault(
        "conjugate of y, not of the matrix",
        wrapped(before=np.conj, on="adjoint"),
        COMPLEX,
        expected=REAL_LINEAR,
    ),
    Fault("conjugate of the result", wrapped(after=np.conj, on="adjoint"), COMPLEX, expected=REAL_LINEAR),
    Fault(
        "real part taken in the adjoint",
        wrapped(after=lambda x: x.real.astype(x.dtype), on="adjoint"),
        COMPLEX,
        expected=REAL_LINEAR,
    ),
    Fault(
        "complex scalar not conjugated", of_factors(lambda A: times_i(A), lambda AH: times_i(AH), 1), COMPLEX
    ),
    Fault("adjoint times 2", scaled(2), ALL),
    Fault("adjoint over N", scaled(1 / 144), FLOATS),
    Fault("adjoint times 1 + 1e-6", scaled(1 + 1e-6), DOUBLE),
    Fault("adjoint times 1 + 1e-10", scaled(1 + 1e-10), DOUBLE),
    Fault("sign wrong", scaled(-1), ALL),
    Fault("A in place of its adjoint", changed(lambda B: B.conj().T), ALL),
    Fault("inverse in place of the adjoint", inverse, FLOATS),
    Fault(
        "factors of a product in the wrong order", of_factors(lambda A, C: A @ C, lambda AH, CH: AH @ CH), ALL
    ),
    Fault("a term of a sum missing", of_factors(lambda A, C: A + C, lambda AH, CH: AH), ALL),
    Fault(
        "Kronecker factors swapped",
        of_factors(
            lambda A, C: np.kron(A[:9, :9], C[:9, :9]), lambda AH, CH: np.kron(CH[:9, :9], AH[:9, :9])
        ),
        ALL,
    ),
    Fault("FFT with its inverse", fft_with_inverse, COMPLEX),
    Fault("FFT that wraps round in the adjoint alone", fft_wrapped, FLOATS),
    Fault("rfft: inner bins taken twice", rfft_parts, REAL),
    Fault(
        "real-linear, x conjugated, in both maps",
        wrapped(after=np.conj, on="adjoint", base=wrapped(before=np.conj, base=SAME)),
        COMPLEX,
        expected=REAL_LINEAR,
    ),
)
