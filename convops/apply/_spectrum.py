"""The spectrum of the weight on the circle of a tile."""

from itertools import product
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from convops._arrays import Array
from convops._memory import refuse_beyond_memory
from convops.apply._blocks import Range, ranges
from convops.apply._fft_plan import Plan
from convops.apply._threads import share
from convops.apply._tiles import positions_of
from convops.apply._transforms import COMPLEX_CONJUGATE, REAL_CONJUGATE
from convops.apply.cost import multiply_add_seconds, small_product

_FEW_TAPS = 32
"""Taps of an axis up to which multiplying them by roots of unity takes less time than a transform."""
_MOST_ROOTS = 2**18
"""Roots of unity of an axis, one per tap and frequency, that are worth their memory."""
_TOGETHER = 16
"""Frequencies that are worked out together: more lie on too many pages of memory, fewer multiply slowly."""


def spectrum_of(weight: Array, plan: Plan, precision: np.dtype[Any]) -> Array:
    """Return ``(groups, rows, columns, *frequencies)``, divided by the number of places of a tile.

    Where matrices mix the channels: ``(*frequencies, groups, rows, columns)``.
    """
    size = prod([tile.length for tile in plan.tiles])
    refuse_beyond_memory(
        plan.groups * plan.rows * plan.columns * prod(plan.frequencies) * precision.itemsize,
        f"the spectrum of the weight, of {plan.rows * plan.columns * plan.groups} filters,",
        'Use method="gemm".',
    )
    real = np.empty(0, precision).real.dtype
    taps: Array = weight.astype(real if plan.real else precision) / real.type(size)
    if not plan.matrices:
        return _by_transforms(taps, plan)
    few = [
        kernel <= _FEW_TAPS and kernel * count <= _MOST_ROOTS
        for kernel, count in zip(weight.shape[3:], plan.frequencies, strict=True)
    ]
    if all(few):
        return _by_roots(taps.astype(precision), plan)
    spectrum = _by_transforms(taps, plan)
    axes = len(plan.tiles)
    return np.ascontiguousarray(spectrum.transpose(*range(3, 3 + axes), 0, 1, 2))


def _by_roots(taps: Array, plan: Plan) -> Array:
    """Return the spectrum, frequencies first: many kernels of few taps by a matrix product per axis."""
    spectrum = taps
    for number, (line, tile) in reversed(list(enumerate(zip(plan.lines, plan.tiles, strict=True)))):
        matrix = _roots(positions_of(line, tile), tile.length, plan.frequencies[number]).astype(taps.dtype)
        # All frequencies so far, groups, rows, columns, and the axes of taps that are left.
        before, channels = len(plan.tiles) + 1 - number, spectrum.shape[-2 - number]
        *kept, _ = spectrum.shape
        if len(line.phases) == 1:
            spectrum = _product(matrix, spectrum).reshape(len(matrix), *kept)
            continue
        kept[before] = len(line.phases) * channels
        found = np.empty((len(matrix), *kept), spectrum.dtype)
        for phase in range(len(line.phases)):
            chosen = np.flatnonzero(line.phase_of == phase)
            part = found[(slice(None),) * (1 + before) + (slice(phase * channels, (phase + 1) * channels),)]
            part[...] = _product(matrix[:, chosen], spectrum[..., chosen]).reshape(part.shape)
        spectrum = found
    return spectrum


def _roots(positions: NDArray[np.intp], length: int, frequencies: int) -> Array:
    """Return ``exp(2πi f q / length)`` of all frequencies f, by positions q."""
    turns = np.arange(frequencies)[:, None] * positions % length
    roots: Array = np.exp(2j * np.pi / length * np.arange(length))[turns]
    return roots


def _product(matrix: Array, values: Array) -> Array:
    """Return the matrix times the last axis of values, which comes first then, and the others are one."""
    rows = values.reshape(-1, values.shape[-1])
    out = np.empty((len(matrix), len(rows)), matrix.dtype)
    most = max(small_product(matrix.dtype) // (_TOGETHER * rows.shape[1]), 1)
    pieces = [*product(ranges(len(matrix), _TOGETHER), ranges(len(rows), most))]

    def work(pieces: list[tuple[Range, Range]]) -> None:
        for frequencies, columns in pieces:
            here = slice(*frequencies), slice(*columns)
            np.matmul(matrix[here[0]], rows[here[1]].T, out=out[here])

    share(work, pieces, matrix.size * len(rows) * multiply_add_seconds(matrix.dtype))
    return out


def _by_transforms(taps: Array, plan: Plan) -> Array:
    """Return the spectrum, frequencies last."""
    transforms = REAL_CONJUGATE if plan.real else COMPLEX_CONJUGATE
    spectrum = taps
    last = len(plan.tiles) - 1
    for number in range(last, -1, -1):
        axis = 3 + number
        line, tile = plan.lines[number], plan.tiles[number]
        *outer, channels = spectrum.shape[:3]
        shape = [*outer, len(line.phases) * channels, *spectrum.shape[3:]]
        shape[axis] = tile.length
        placed = np.zeros(shape, spectrum.dtype)
        positions = positions_of(line, tile)
        for phase in range(len(line.phases)):
            chosen = np.flatnonzero(line.phase_of == phase) if len(line.phases) > 1 else slice(None)
            target = placed[:, :, phase * channels : (phase + 1) * channels]
            values = spectrum[(slice(None),) * axis + (chosen,)]
            target, values = np.moveaxis(target, axis, 0), np.moveaxis(values, axis, 0)
            if tile.length >= line.span and not line.circular:
                target[positions[chosen]] = values
            else:
                np.add.at(target, positions[chosen], values)
        transform = transforms.line_in if number == last else transforms.others_in
        spectrum = transform(placed, tile.length, axis, overwrite_x=True)
    return spectrum
