"""The convolutions whose matrix is built, and the small ones that stand for them in a quick run."""

from dataclasses import dataclass

import numpy as np
from scipy.sparse import csr_array

from convops import ConvGeometry, conv_matrix


@dataclass(frozen=True)
class Case:
    """A convolution with the same padding on both sides of every axis; the weight is random."""

    name: str
    weight_shape: tuple[int, ...]
    input_shape: tuple[int, ...]
    padding: int
    stride: int = 1
    boundary: str = "zeros"

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """The input's sizes without its channels."""
        return self.input_shape[len(self.weight_shape) - len(self.input_shape) :]

    def weight(self) -> np.ndarray:
        """Return the weight, in float64."""
        return np.random.default_rng(0).standard_normal(self.weight_shape)

    def geometry(self) -> ConvGeometry:
        """Return the sizes."""
        return ConvGeometry(
            self.weight_shape,
            self.input_shape,
            stride=self.stride,
            padding=self.padding,
            boundary=self.boundary,
        )

    def matrix(self, weight: np.ndarray) -> csr_array:
        """Return W, by convops."""
        return conv_matrix(
            weight, self.input_shape, stride=self.stride, padding=self.padding, boundary=self.boundary
        )


def nbytes(matrix: csr_array) -> int:
    """Return the bytes of a matrix's three arrays."""
    return matrix.data.nbytes + matrix.indices.nbytes + matrix.indptr.nbytes


def _image(size: int, kernel: int, boundary: str) -> Case:
    name = f"{size}², {kernel}×{kernel}, {boundary}"
    return Case(name, (kernel, kernel), (size, size), kernel // 2, boundary=boundary)


_BOUNDARIES = ("zeros", "reflect", "wrap")

# All but the strided one have padding "same".
CASES = (
    *[_image(512, 5, boundary) for boundary in _BOUNDARIES],
    *[_image(512, 15, boundary) for boundary in _BOUNDARIES],
    Case("16→16 channels, 128², 3×3", (16, 16, 3, 3), (16, 128, 128), 1),
    Case("8→16 channels, 256², 4×4, stride 2", (16, 8, 4, 4), (8, 256, 256), 1, stride=2),
    Case("64³, 5³", (5, 5, 5), (64, 64, 64), 2),
    Case("300 000, 101 taps", (101,), (300_000,), 50),
)
QUICK_CASES = (
    *[_image(16, 5, boundary) for boundary in _BOUNDARIES],
    Case("2→3 channels, 8², 4×4, stride 2", (3, 2, 4, 4), (2, 8, 8), 1, stride=2),
    Case("6³, 3³", (3, 3, 3), (6, 6, 6), 1),
    Case("50, 11 taps", (11,), (50,), 5),
)
