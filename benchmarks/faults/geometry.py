"""Adjoints of another geometry: the kernel turned, the padding swapped, the stride out of step."""

import numpy as np

from benchmarks.faults._base import edited, two_convs
from benchmarks.faults._pair import ALL, Array, Fault, Ints, family


def first_columns(count: int, shape: Ints) -> Array:
    """Return a mask of an (n, n) array, raveled, that is true where both indices are below `count`."""
    inside = np.zeros(shape, bool)
    inside[:count, :count] = True
    return inside.ravel()


def ends_cut(B: Array, kept: int, shape: Ints, axis: int) -> Array:
    """Zero the rows (axis 0) or columns (axis 1) of the positions from `kept` on."""
    keep = first_columns(kept, shape)
    return B * (keep[:, None] if axis == 0 else keep)


def last_output_early(B: Array) -> Array:
    """Let the last output read one sample too early."""
    B[:, -1] = np.roll(B[:, -1], -1)
    return B


def rolled(B: Array, shape: Ints) -> Array:
    """Shift what the adjoint returns by one along the last axis."""
    return np.roll(B.reshape(*shape, -1), 1, axis=1).reshape(B.shape)


SAME = {"padding": "same"}
STRIDED = {"stride": 2, "padding": 1}

FAULTS = family(
    "geometry",
    Fault("kernel flipped", two_convs((3, 3), (12, 12), SAME, {**SAME, "flip": True}), ALL),
    Fault(
        "kernel flipped along one axis",
        two_convs((3, 3), (12, 12), SAME, SAME, lambda w: w[::-1].copy()),
        ALL,
    ),
    Fault(
        "even kernel off by one",
        two_convs((4, 4), (12, 12), {"padding": "same"}, {"padding": "same_lower"}),
        ALL,
    ),
    Fault(
        "padding before and after swapped",
        two_convs((4, 4), (12, 12), {"padding": ((1, 0), (2, 0))}, {"padding": ((0, 1), (0, 2))}),
        ALL,
    ),
    Fault(
        "stride out of phase by one",
        two_convs(
            (3, 3), (13, 13), {"stride": 2, "padding": ((1, 0),) * 2}, {"stride": 2, "padding": ((0, 1),) * 2}
        ),
        ALL,
    ),
    Fault(
        "strides of the axes swapped",
        two_convs((3, 3), (12, 12), {"stride": (2, 3), "padding": 3}, {"stride": (3, 2), "padding": 3}),
        ALL,
    ),
    Fault(
        "output_padding ignored",
        edited((3, 3), (12, 12), lambda B, rng: ends_cut(B, 11, (12, 12), 0), **STRIDED),
        ALL,
    ),
    Fault(
        "last remainder of the stride ignored",
        edited((3, 3), (11, 11), lambda B, rng: ends_cut(B, 3, (4, 4), 1), stride=3, padding=1),
        ALL,
    ),
    Fault(
        "dilation ignored",
        two_convs((3, 3), (12, 12), {"dilation": 2, "padding": 2}, {"dilation": 1, "padding": 1}),
        ALL,
    ),
    Fault(
        "shifted by one along an axis",
        edited((3, 3), (12, 12), lambda B, rng: rolled(B, (12, 12)), **SAME),
        ALL,
    ),
    Fault(
        "last output off by one",
        edited((5,), (200,), lambda B, rng: last_output_early(B)),
        ALL,
    ),
    Fault(
        "axes of the kernel transposed",
        two_convs((3, 3), (12, 12), SAME, SAME, lambda w: w.T.copy()),
        ALL,
    ),
)
