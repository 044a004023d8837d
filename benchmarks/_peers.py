"""The matrix of a convolution by scipy.sparse alone; numpy.pad says what each tap reads."""

from collections.abc import Callable
from functools import reduce
from math import prod

import numpy as np
from scipy import sparse

from benchmarks._cases import Case

Builder = Callable[[], sparse.csr_array]


def coo(case: Case, weight: np.ndarray) -> Builder:
    """Triplets (value, row, column) by broadcasting over C_out, outputs, C_in and taps, then ``.tocsr()``."""
    taps, axes = _with_channels(case, weight), _samples(case)
    outputs = [len(samples) for samples in axes]
    rows, spatial = taps.shape[0] * prod(outputs), len(axes)

    def build() -> sparse.csr_array:
        column = np.arange(taps.shape[1], dtype=np.int32).reshape(-1, *[1] * spatial)
        inside = np.array(True)
        for number, (samples, size) in enumerate(zip(axes, case.spatial_shape, strict=True)):
            samples = np.expand_dims(
                samples, tuple(n for n in range(2 * spatial + 1) if n not in (number, spatial + 1 + number))
            )
            column = column * np.int32(size) + samples
            inside = inside & (samples >= 0)
        shape = (taps.shape[0], *column.shape)
        triplet = (
            taps.reshape(taps.shape[0], *[1] * spatial, *taps.shape[1:]),
            np.arange(rows, dtype=np.int32).reshape(taps.shape[0], *outputs, *[1] * (spatial + 1)),
            column,
        )
        kept = np.broadcast_to(inside, shape) if case.boundary == "zeros" else ...
        data, row, column = [np.broadcast_to(part, shape)[kept].ravel() for part in triplet]
        W_shape = (rows, taps.shape[1] * prod(case.spatial_shape))
        return sparse.coo_array((data, (row, column)), shape=W_shape).tocsr()

    return build


def kron(case: Case, weight: np.ndarray) -> Builder | None:
    """The sum over the taps of (C_out, C_in) ⊗ shift ⊗ … ⊗ shift; None in one dimension.

    With one channel the taps of the last axis make one factor, which leaves fewer terms.
    """
    taps = _with_channels(case, weight)
    if len(case.spatial_shape) == 1:
        return None

    def build() -> sparse.csr_array:
        *leading, last = [_shifts(*axis) for axis in zip(_samples(case), case.spatial_shape, strict=True)]
        terms = []
        for place in np.ndindex(*taps.shape[2:-1]):
            shifts = [axis[k] for axis, k in zip(leading, place, strict=True)]
            row = taps[(..., *place, slice(None))]
            if row.shape[:2] == (1, 1):
                line = sum(w * shift for w, shift in zip(row[0, 0], last, strict=True))
                terms.append(reduce(_kron, [*shifts, line]))
            else:
                matrices = [sparse.csr_array(row[..., k]) for k in range(row.shape[2])]
                terms += [reduce(_kron, [c, *shifts, s]) for c, s in zip(matrices, last, strict=True)]
        return sum(terms[1:], start=terms[0])

    return build


def _kron(left: sparse.csr_array, right: sparse.csr_array) -> sparse.csr_array:
    return sparse.kron(left, right, format="csr")


def _with_channels(case: Case, weight: np.ndarray) -> np.ndarray:
    return weight if weight.ndim > len(case.input_shape) else weight[None, None]


def _samples(case: Case) -> list[np.ndarray]:
    """Return, per axis, the sample that each output reads at each tap; -1 where it reads a zero."""
    tables = []
    kernel_size = case.weight_shape[-len(case.spatial_shape) :]
    for size, kernel in zip(case.spatial_shape, kernel_size, strict=True):
        options = {"constant_values": -1} if case.boundary == "zeros" else {"mode": case.boundary}
        samples = np.pad(np.arange(size, dtype=np.int32), case.padding, **options)
        tables.append(np.lib.stride_tricks.sliding_window_view(samples, kernel)[:: case.stride])
    return tables


def _shifts(samples: np.ndarray, size: int) -> list[sparse.csr_array]:
    """Return, per tap, the (outputs, size) matrix of ones that picks what the tap reads."""
    matrices = []
    for column in samples.T:
        row = np.flatnonzero(column >= 0)
        triplet = (np.ones(row.size), (row, column[row]))
        matrices.append(sparse.csr_array(triplet, shape=(len(samples), size)))
    return matrices
