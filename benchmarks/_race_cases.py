"""The convolutions that the engines and their peers race on, and the small ones for a quick run."""

from dataclasses import dataclass, replace
from functools import cached_property
from math import prod

import numpy as np
from scipy.sparse import csr_array

from benchmarks._cases import Case
from convops import ConvGeometry, conv_matrix


@dataclass(frozen=True)
class RaceCase(Case):
    """A convolution applied to one array, or to a batch of them; with zeros past the ends."""

    groups: int = 1
    batch: int = 0
    gaussian: bool = False

    @cached_property
    def geometry(self) -> ConvGeometry:
        """All sizes."""
        return ConvGeometry(
            self.weight_shape,
            self.input_shape,
            stride=self.stride,
            padding=self.padding,
            groups=self.groups,
        )

    @property
    def kernel_size(self) -> tuple[int, ...]:
        """The weight's sizes without its channels."""
        return self.weight_shape[-len(self.spatial_shape) :]

    @property
    def mixes_channels(self) -> bool:
        """Whether an output reads more than one channel."""
        return self.geometry.in_channels > self.groups

    @property
    def flops(self) -> int:
        """A multiplication and an addition for every output, channel that it reads, and tap."""
        geometry = self.geometry
        outputs = max(self.batch, 1) * prod(geometry.output_shape)
        return 2 * outputs * (geometry.in_channels // self.groups) * prod(self.kernel_size)

    def nbytes(self, dtype: np.dtype) -> int:
        """Return the bytes of input and output."""
        sizes = prod(self.geometry.input_shape) + prod(self.geometry.output_shape)
        return max(self.batch, 1) * sizes * dtype.itemsize

    @property
    def factors(self) -> list[np.ndarray]:
        """One array of taps per axis whose outer product is the weight, of one axis or Gaussian."""
        if not self.gaussian:
            return [self.weight()]
        places = [np.arange(size) - size // 2 for size in self.kernel_size]
        return [np.exp(-0.5 * (place / (len(place) / 6)) ** 2) for place in places]

    def weight(self) -> np.ndarray:
        """Return the weight, in float64."""
        return np.multiply.outer(*self.factors) if self.gaussian else super().weight()

    def matrix(self, weight: np.ndarray) -> csr_array:
        """Return W, by convops."""
        return conv_matrix(
            weight, self.input_shape, stride=self.stride, padding=self.padding, groups=self.groups
        )

    def part(self, fraction: int) -> "RaceCase":
        """Return this case on a fraction of the rows."""
        split = len(self.input_shape) - len(self.spatial_shape)
        rows = self.spatial_shape[0] // fraction
        return replace(self, input_shape=(*self.input_shape[:split], rows, *self.spatial_shape[1:]))


def _image(size: int, kernel: int, batch: int = 0, gaussian: bool = False) -> RaceCase:
    name = f"{size}², {kernel}×{kernel}" + (" Gaussian" if gaussian else "") + _times(batch)
    return RaceCase(name, (kernel, kernel), (size, size), kernel // 2, batch=batch, gaussian=gaussian)


def _channels(inside: int, out: int, size: int, kernel: int, batch: int = 0, stride: int = 1) -> RaceCase:
    name = f"{inside}→{out} channels, {size}², {kernel}×{kernel}" + (
        f", stride {stride}" if stride > 1 else ""
    )
    shape, input_shape = (out, inside, kernel, kernel), (inside, size, size)
    return RaceCase(name + _times(batch), shape, input_shape, kernel // 2, stride, batch=batch)


def _depthwise(channels: int, size: int, kernel: int, batch: int = 0) -> RaceCase:
    name = f"depthwise, {channels} channels, {size}², {kernel}×{kernel}" + _times(batch)
    shape, input_shape = (channels, 1, kernel, kernel), (channels, size, size)
    return RaceCase(name, shape, input_shape, kernel // 2, groups=channels, batch=batch)


def _times(batch: int) -> str:
    return f", batch of {batch}" if batch else ""


CASES = (
    _image(64, 3),
    _image(256, 3),
    _image(512, 5),
    _image(512, 15),
    _image(1024, 5),
    _image(1024, 15),
    _image(2048, 5),
    _image(2048, 31),
    _image(512, 15, gaussian=True),
    _image(2048, 31, gaussian=True),
    RaceCase("512², 4×4, stride 2", (4, 4), (512, 512), 1, stride=2),
    RaceCase("64³, 5³", (5, 5, 5), (64, 64, 64), 2),
    RaceCase("1 000 000, 101 taps", (101,), (1_000_000,), 50),
    _depthwise(64, 112, 3),
    _channels(3, 3, 512, 5),
    _channels(16, 16, 128, 3),
    _channels(64, 64, 56, 3),
    _channels(256, 256, 14, 3),
    _channels(3, 64, 224, 7, stride=2),
    _image(64, 3, batch=16),
    _image(256, 3, batch=16),
    _image(512, 5, batch=16),
    _depthwise(64, 56, 3, batch=16),
    _channels(16, 16, 128, 3, batch=16),
    _channels(64, 64, 56, 3, batch=16),
)
LARGE_CASES = (
    _image(2048, 5),
    _image(2048, 31),
    RaceCase("1 000 000, 101 taps", (101,), (1_000_000,), 50),
    RaceCase("64³, 5³", (5, 5, 5), (64, 64, 64), 2),
    _channels(16, 16, 512, 3),
    _image(512, 5, batch=16),
)
BUILDING_CASES = (
    _image(64, 3),
    _image(512, 5),
    _image(512, 15),
    _image(512, 15, gaussian=True),
    RaceCase("64³, 5³", (5, 5, 5), (64, 64, 64), 2),
    RaceCase("1 000 000, 101 taps", (101,), (1_000_000,), 50),
    _channels(16, 16, 128, 3),
)
SMALL_CASE = _image(8, 3)
QUICK_CASES = (
    _image(12, 3),
    _image(12, 5, gaussian=True),
    RaceCase("8², 4×4, stride 2", (4, 4), (8, 8), 1, stride=2),
    RaceCase("6³, 3³", (3, 3, 3), (6, 6, 6), 1),
    RaceCase("50, 11 taps", (11,), (50,), 5),
    _channels(2, 3, 8, 3, batch=2),
    _channels(2, 4, 9, 7, stride=2),
    _image(12, 3, batch=2),
    _depthwise(4, 8, 3),
    _depthwise(4, 8, 3, batch=2),
)
