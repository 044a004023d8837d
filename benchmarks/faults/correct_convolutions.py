"""Correct convolutions: of convops by every method and under every boundary, and of scipy.ndimage."""

from typing import Any

import numpy as np
from scipy import ndimage

from benchmarks.faults._base import values
from benchmarks.faults._pair import ALL, FLOATS, Make, Operator, Pair
from convops import Conv, ConvTranspose

BOUNDARIES = ("zeros", "wrap", "reflect", "symmetric", "edge", "antireflect")

DType = np.dtype[Any]
Rng = np.random.Generator


def of_operator(A: Any) -> Pair:
    """Return the pair of arrays of a convolution, and of its adjoint."""
    return Pair(A, A.H, A.input_shape, A.output_shape, A.dtype)


def strided(method: str) -> Make:
    """Two groups of channels, each axis with a boundary, a stride, pads and a dilation of its own."""

    def make(dtype: DType, rng: Rng) -> Pair:
        return of_operator(
            Conv(
                values(rng, (4, 2, 3, 4), dtype),
                (4, 6, 5),
                stride=tuple(map(int, rng.integers(1, 4, 2))),
                padding=tuple(tuple(map(int, pads)) for pads in rng.integers(1, 4, (2, 2))),
                dilation=(1, int(rng.integers(1, 3))),
                groups=2,
                boundary=tuple(map(str, rng.choice(BOUNDARIES, 2))),
                method=method,
            )
        )

    return make


def same(method: str, boundary: str) -> Make:
    """An image, and a kernel that is an outer product, so that every method takes it."""

    def make(dtype: DType, rng: Rng) -> Pair:
        weight = np.outer(values(rng, (3,), dtype), values(rng, (5,), dtype))
        return of_operator(Conv(weight, (6, 7), padding="same", boundary=boundary, method=method))

    return make


def transposed(dtype: DType, rng: Rng) -> Pair:
    return of_operator(ConvTranspose(values(rng, (3, 2, 4, 4), dtype), (3, 5, 6), stride=2, padding=1))


def zero_sum(dtype: DType, rng: Rng) -> Pair:
    laplacian = np.array([[0, 1, 0], [1, -4, 1], [0, 1, 0]], dtype)
    return of_operator(Conv(laplacian, (12, 12), padding="same", boundary="symmetric"))


def one_output(dtype: DType, rng: Rng) -> Pair:
    return of_operator(Conv(values(rng, (1, 3, 4, 4), dtype), (3, 4, 4)))


def ndimage_pair(mode: str, shape: tuple[int, ...], kernel: tuple[int, ...]) -> Make:
    """Correlate and convolve, which conjugates nothing: adjoint under zeros and wrap, for odd kernels."""

    def make(dtype: DType, rng: Rng) -> Pair:
        k = values(rng, kernel, dtype)
        return Pair(
            lambda x: ndimage.correlate(x, k, mode=mode),
            lambda y: ndimage.convolve(y, k, mode=mode),
            shape,
            shape,
            dtype,
        )

    return make


def gaussian(dtype: DType, rng: Rng) -> Pair:
    """Self-adjoint where the border wraps round."""

    def blur(x: np.ndarray) -> np.ndarray:
        return ndimage.gaussian_filter(x, 1.5, mode="wrap")

    return Pair(blur, blur, (14, 15), (14, 15), dtype)


CONVOLUTIONS = (
    *(
        Operator(f"Conv, {method}, strides and groups", strided(method), ALL if method != "fft" else FLOATS)
        for method in ("sparse", "gemm", "fft")
    ),
    *(
        Operator(
            f"Conv, {method}, {boundary}",
            same(method, boundary),
            ALL if method in ("sparse", "gemm") else FLOATS,
        )
        for method in ("sparse", "gemm", "fft", "separable")
        for boundary in BOUNDARIES
    ),
    Operator("ConvTranspose", transposed, ALL),
    Operator("Conv, weight of sum 0", zero_sum, ALL),
    Operator("Conv, one output", one_output, ALL),
    Operator("ndimage, zeros", ndimage_pair("constant", (12, 11), (3, 5)), ALL),
    Operator("ndimage, wrap", ndimage_pair("wrap", (12, 11), (3, 5)), ALL),
    Operator("ndimage, zeros, one axis", ndimage_pair("constant", (150,), (7,)), ALL),
    Operator("ndimage, Gaussian, wrap", gaussian),
)
