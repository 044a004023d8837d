"""One image so small that W is a chain of products with the matrices of its transforms.

Those of several images, channels or phases are multiplied one by one (`_transforms`), between steps in Python
that take longer than they do.
"""

from collections.abc import Sequence
from typing import NamedTuple, Self

import numpy as np

from convops._arrays import Array
from convops.apply._fft_plan import Plan
from convops.apply._tiles import SPATIAL, Chunk, Tile, load
from convops.apply._transforms import SHORT, Transform, Transforms


class Chain(NamedTuple):
    """The factors of W, or of its adjoint, for one real array of one or two axes."""

    line_in: Array
    """From places of the last axis to its frequencies, as pairs of a real and an imaginary part."""
    other_in: Array | None
    """From places of the other axis to its frequencies, if there is another."""
    spectrum: Array
    other_out: Array | None
    line_out: Array

    @classmethod
    def of(
        cls,
        plan: Plan,
        chunks: Sequence[Sequence[Chunk]],
        transforms: Transforms,
        spectrum: Array,
        sizes: Sequence[tuple[int, int]],
    ) -> Self | None:
        """Return the factors of one direction, from and to arrays of these sizes per axis.

        None if the array is not small, has channels, or is transformed in several tiles or phases.
        """
        single = plan.real and plan.groups * plan.rows * plan.columns == 1 and len(plan.lines) <= 2
        if not single or any(line.stride > 1 for line in plan.lines):
            return None
        if any(len(of_axis) > 1 for of_axis in chunks) or spectrum.size * max(spectrum.shape) > SHORT:
            return None
        real, complex_ = spectrum.real.dtype, spectrum.dtype
        *outer, last = [chunk for (chunk,) in chunks]
        *others, (source, result) = sizes
        tile, frequencies = plan.tiles[-1], spectrum.shape[-1]
        into = _into(transforms.line_in, last, tile, source).astype(complex_).view(real)
        unit = np.eye(frequencies)
        pairs = np.stack([unit, 1j * unit], axis=1).reshape(2 * frequencies, -1)
        out = _out(transforms.line_out, last, tile, pairs, result).astype(real)
        other_in = other_out = None
        if outer:
            (chunk,), (tile, _), ((source, result),) = outer, plan.tiles, others
            other_in = _into(transforms.others_in, chunk, tile, source).T.astype(complex_, order="C")
            unit = np.eye(tile.length, dtype=np.complex128)
            other_out = _out(transforms.others_out, chunk, tile, unit, result).T.astype(complex_, order="C")
        return cls(into, other_in, spectrum.reshape(plan.frequencies), other_out, out)

    def __call__(self, x: Array) -> Array:
        """Return the product with one array of its own shape."""
        values = x.dot(self.line_in).view(self.spectrum.dtype)
        if self.other_in is not None:
            values = self.other_in.dot(values)
        values *= self.spectrum
        if self.other_out is not None:
            values = self.other_out.dot(values)
        places: Array = values.view(x.dtype).dot(self.line_out)
        return places


def _into(transform: Transform, chunk: Chunk, tile: Tile, source: int) -> Array:
    """Return ``(source, frequencies)``: the spectrum of each place."""
    unit = np.eye(source)[:, chunk.source].reshape(source, 1, 1, 1, -1)
    if not chunk.plain:
        unit = load(unit, SPATIAL, chunk, tile)
    spectra: Array = transform(unit, tile.length, SPATIAL).reshape(source, -1)
    return spectra


def _out(transform: Transform, chunk: Chunk, tile: Tile, spectra: Array, result: int) -> Array:
    """Return ``(spectra, result)``: the places that each spectrum is written to."""
    ((target, count),) = chunk.writes
    places = transform(spectra, tile.length, 1)[:, chunk.kept[1]][:, :count]
    written = np.zeros((len(spectra), result), places.dtype)
    written[:, target] = places
    return written
