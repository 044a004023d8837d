"""One case in one dtype: the arrays, and the results that every contender must return."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy import fft

from benchmarks._harness import Call
from benchmarks._race_cases import RaceCase

Pair = tuple[Call, Call]
"""The calls of a contender that return W x and Wᴴ y."""

FORWARD, ADJOINT = DIRECTIONS = "forward", "adjoint"

_TOLERANCES = {"float32": 2e-5, "float64": 1e-11}


@dataclass(frozen=True)
class Job:
    """A case, the dtype of all its arrays, and how many threads a contender may use."""

    case: RaceCase
    dtype: np.dtype
    threads: int

    @cached_property
    def weight(self) -> np.ndarray:
        """The weight, in the case's shape."""
        return self.case.weight().astype(self.dtype)

    @cached_property
    def x(self) -> np.ndarray:
        """An input of shape ``(*batch, *input_shape)``."""
        return self._random(1, self.case.input_shape)

    @cached_property
    def y(self) -> np.ndarray:
        """An output of shape ``(*batch, *output_shape)``."""
        return self._random(2, self.case.geometry.output_shape)

    def _random(self, seed: int, shape: tuple[int, ...]) -> np.ndarray:
        batch = (self.case.batch,) if self.case.batch else ()
        return np.random.default_rng(seed).standard_normal((*batch, *shape)).astype(self.dtype)

    @cached_property
    def blocks(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """x, y as ``(batch, channels, *spatial)``; the weight as ``(C_out, C_in // groups, *kernel)``."""
        geometry, spatial = self.case.geometry, len(self.case.spatial_shape)
        return (
            self.x.reshape(-1, geometry.in_channels, *self.x.shape[-spatial:]),
            self.y.reshape(-1, geometry.out_channels, *self.y.shape[-spatial:]),
            self.weight.reshape(geometry.out_channels, -1, *self.case.kernel_size),
        )

    def allows(self, direction: str, found: np.ndarray) -> bool:
        """Tell whether a contender's result is W x, or Wᴴ y, to the precision of the dtype."""
        expected = self._expected[DIRECTIONS.index(direction)]
        error = np.abs(found.ravel() - expected.ravel()).max()
        return bool(error <= _TOLERANCES[self.dtype.name] * np.abs(expected).max())

    @cached_property
    def _expected(self) -> tuple[np.ndarray, np.ndarray]:
        """W x and Wᴴ y, by Fourier transforms in float64 that know nothing of convops."""
        x, y, weight = [block.astype(np.float64) for block in self.blocks]
        case, groups = self.case, self.case.groups
        split = [block.reshape(len(block), groups, -1, *block.shape[2:]) for block in (x, y)]
        weight = weight.reshape(groups, -1, *weight.shape[1:])
        sizes, out_sizes = x.shape[2:], y.shape[2:]
        lengths = [size + 2 * kernel for size, kernel in zip(sizes, case.kernel_size, strict=True)]
        axes = tuple(range(-len(sizes), 0))
        inputs, weights = fft.rfftn(split[0], lengths, axes), fft.rfftn(weight, lengths, axes)
        stuffed = np.zeros((*split[1].shape[:3], *lengths))
        steps = [slice(0, case.stride * size, case.stride) for size in out_sizes]
        stuffed[(..., *steps)] = split[1]
        forward = np.einsum("bgi...,goi...->bgo...", inputs, weights.conj())
        adjoint = np.einsum("bgo...,goi...->bgi...", fft.rfftn(stuffed, lengths, axes), weights)
        read = [np.arange(size) * case.stride - case.padding for size in out_sizes]
        written = [np.arange(size) + case.padding for size in sizes]
        return _at(fft.irfftn(forward, lengths, axes), read), _at(fft.irfftn(adjoint, lengths, axes), written)


def _at(block: np.ndarray, places: Sequence[np.ndarray]) -> np.ndarray:
    """Return the samples at the places of the last axes; negative places count from the end."""
    return block[(..., *np.ix_(*places))]
