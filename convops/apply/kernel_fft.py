"""The convolution of one array as a map of the weight, by spectra."""

from collections.abc import Sequence
from functools import partial
from math import log2, prod
from typing import Any

import numpy as np

from convops._arrays import Array
from convops._memory import refuse_beyond_memory
from convops.apply import fft
from convops.apply._blocks import keep_freed_memory
from convops.apply._fft_plan import Plan, plan_of
from convops.apply._pairs import parted
from convops.apply._threads import summed, workers
from convops.apply._tiles import BATCH, CHANNEL, GROUP, SPATIAL, STACK, positions_of, written
from convops.apply._transforms import COMPLEX, COMPLEX_CONJUGATE, REAL, REAL_CONJUGATE
from convops.apply.cost import Cost
from convops.apply.fft import (
    WORTH_THREADS,
    FFTEngine,
    Piece,
    chunks_by_axis,
    extended_axes,
    pieces_of,
    repeated_axes,
    spectra_of,
)
from convops.boundary import extend, fold
from convops.geometry import ConvGeometry

_TRANSFORMED = 12e9
"""Operations a second of the transforms of kernels, which are mostly zeros."""
_CALLS = 120e-6, 60e-6
"""Seconds that K and Kᵀ take whatever their size: each weight has a spectrum of its own."""
_TOTAL = 2**26
"""Bytes of sums of spectra that the threads may hold at a time."""


class KernelFFT:
    """K and Kᵀ by tiles of the transform that applies the convolution to an array (overlap-save).

    Kᵀ y is the correlation of y with the extended x at the places of the taps: the spectra of all tiles are
    multiplied, added up and transformed back once.

    Parameters
    ----------
    geometry : ConvGeometry
        All sizes.
    x : ndarray, shape ``(batch, C_in, *spatial)``
        What is convolved; floating-point.
    lengths : sequence of int, optional
        Length of the tiles per axis, 0 for one tile; by default those that take least time.
    """

    def __init__(self, geometry: ConvGeometry, x: Array, *, lengths: Sequence[int] | None = None) -> None:
        keep_freed_memory()
        self._geometry = geometry
        self._x = x
        self._lengths = lengths
        self._plan = plan = plan_of(geometry, x.dtype, tuple(lengths or ()))
        self._repeated = repeated_axes(geometry.axes, plan)
        extended = extended_axes(geometry.axes, plan)
        source = extend(x, extended) if extended else x
        self._source = source.reshape(len(x), plan.groups, -1, *source.shape[2:])
        self._pieces = pieces_of(plan, chunks_by_axis(plan, False), len(x))

    def forward(self, weight: Array) -> Array:
        """Return K w for a weight ``(C_out, C_in // groups, *kernel)``: ``(batch, C_out, *out)``."""
        dtype = np.result_type(weight, self._x)
        weight = weight.astype(dtype, copy=False)
        with np.errstate(invalid="ignore", over="ignore"):  # as quiet about inf as the other products
            return FFTEngine(self._geometry, weight, lengths=self._lengths).forward(self._x)

    def transpose(self, y: Array) -> Array:
        """Return Kᵀ y for y of shape ``(batch, C_out, *out)``: ``(C_out, C_in // groups, *kernel)``."""
        plan, dtype = self._plan, np.result_type(y, self._source)
        y = y.astype(dtype, copy=False).reshape(len(y), plan.groups, plan.rows, *y.shape[2:])
        with np.errstate(invalid="ignore", over="ignore"):
            if self._repeated:
                y = fold(y, self._repeated)
            total = self._summed(self._source.astype(dtype, copy=False), y)
            taps = self._at_taps(total) / total.real.dtype.type(prod([tile.length for tile in plan.tiles]))
        gradient: Array = taps.reshape(plan.groups * plan.rows, -1, *self._geometry.kernel_size)
        return gradient

    def _summed(self, source: Array, y: Array) -> Array:
        """Return the spectrum of Kᵀ y on the circle of a tile, ``(groups, rows, columns, *frequencies)``."""
        plan = self._plan
        channels, precision = (plan.groups, plan.rows, plan.columns), np.result_type(y, np.complex64)
        sizes = (*plan.frequencies, *channels) if plan.matrices else (*channels, *plan.frequencies)
        nbytes = prod(sizes) * precision.itemsize
        refuse_beyond_memory(nbytes, f"the spectrum of a weight of {prod(channels)} filters", "Use gemm.")
        seconds = plan.cost.seconds * len(y)
        if len(self._pieces) == 1:
            threads = workers() if seconds > WORTH_THREADS else 1
            total = self._work(source, y, sizes, precision, threads, self._pieces)
        else:
            work = partial(self._work, source, y, sizes, precision, 1)
            total = summed(work, self._pieces, seconds, min(max(_TOTAL // nbytes, 1), 8))
        if plan.matrices:
            axes = len(plan.frequencies)
            total = total.transpose(*range(axes, axes + 3), *range(axes))
        return total

    def _work(
        self,
        source: Array,
        y: Array,
        sizes: tuple[int, ...],
        precision: np.dtype[Any],
        threads: int,
        pieces: list[Piece],
    ) -> Array:
        plan = self._plan
        total = np.zeros(sizes, precision)
        for piece in pieces:
            into = REAL if plan.real else COMPLEX
            x = spectra_of(source[piece.read], piece.chunks, plan, into, threads)
            results = _spectra(written(y[piece.items, piece.groups], piece.chunks), plan, threads)
            if plan.matrices:
                results, x = results.reshape(*results.shape[:-2], -1), x.reshape(*x.shape[:-2], -1)
                product = parted if threads == 1 else np.matmul
                total[..., piece.groups, :, :] += product(results, x.swapaxes(-1, -2))
                continue
            for column in range(plan.columns):
                products = results * x[:, :, :, column : column + 1]
                total[piece.groups, :, column] += products.sum(axis=(BATCH, STACK))
        return total

    def _at_taps(self, total: Array) -> Array:
        """Transform back, and return what lies where each tap stands: ``(groups, rows, columns, *taps)``."""
        plan = self._plan
        transforms, last = REAL if plan.real else COMPLEX, len(plan.tiles) - 1
        for number, (line, tile) in enumerate(zip(plan.lines, plan.tiles, strict=True)):
            back = transforms.line_out if number == last else transforms.others_out
            values = back(total, tile.length, 3 + number)
            groups, rows, columns, *sizes = values.shape
            phases = len(line.phases)
            values = values.reshape(groups, rows, phases, columns // phases, *sizes)
            values = np.moveaxis(values, 4 + number, 3)
            total = np.moveaxis(values[:, :, line.phase_of, positions_of(line, tile)], 2, 3 + number)
        return total


def estimates(geometry: ConvGeometry, dtype: np.dtype[Any], batch: int) -> tuple[Cost, Cost]:
    """Return what K and Kᵀ cost."""
    plan = plan_of(geometry, dtype)
    size = prod([tile.length for tile in plan.tiles])
    flops = plan.groups * plan.rows * plan.columns * 2.5 * size * max(log2(size), 1.0)
    cost = fft.estimate(geometry, dtype, batch)
    forward, transpose = [cost.seconds + flops / _TRANSFORMED + call for call in _CALLS]
    cost = cost._replace(flops=cost.flops + flops)
    return cost._replace(seconds=forward), cost._replace(seconds=transpose)


def _spectra(y: Array, plan: Plan, threads: int) -> Array:
    """Return the conjugate spectra of results on their circles, in the layout of `spectra_of`."""
    transforms = REAL_CONJUGATE if plan.real else COMPLEX_CONJUGATE
    transform, last = transforms.line_in, len(plan.tiles) - 1
    for number in range(last, -1, -1):
        y = transform(y, plan.tiles[number].length, SPATIAL + number, workers=threads)
        transform = transforms.others_in
    if plan.matrices:
        y = y.transpose(*range(SPATIAL, y.ndim), GROUP, CHANNEL, BATCH, STACK)
    return y
