"""Maps that are not linear, with the adjoint of the linear map that they were taken for."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import ndimage

from benchmarks.faults._base import on_parts, wrapped
from benchmarks.faults._pair import ALL, DOUBLE, FLOATS, INTEGER, REAL, Array, Fault, Make, Pair, family

AFFINE = ("homogeneity", "additivity", "adjoint", "exact")
SCALES = ("homogeneity",)
"""Linear at the size of usual probes: what tells it from linear is a probe far larger or far smaller."""


def then(function: Callable[[Array], Array]) -> Make:
    """Return how to make a convolution whose forward result goes through a function."""
    return wrapped(after=on_parts(function))


def clipped(limit: float) -> Make:
    return then(lambda y: np.clip(y, -limit, limit))


def shrunk(threshold: float) -> Make:
    return then(lambda y: np.sign(y) * np.maximum(np.abs(y) - threshold, 0))


def biased(bias: float, on: str = "forward") -> Make:
    return wrapped(after=lambda y: y + y.dtype.type(bias), on=on)


def to_uint8(y: Array) -> Array:
    return np.clip(y, 0, 255).astype(np.uint8)


def normalised(x: Array) -> Array:
    norm = np.linalg.norm(x)
    return x / (norm if norm else 1)


def median(dtype: np.dtype[Any], rng: np.random.Generator) -> Pair:
    """A median filter, homogeneous but not additive, called self-adjoint like the mean."""

    def mean(y: Array) -> Array:
        return ndimage.uniform_filter(y, 3, mode="wrap")

    return Pair(lambda x: ndimage.median_filter(x, 3, mode="wrap"), mean, (12, 12), (12, 12), dtype)


FAULTS = family(
    "nonlinearity",
    Fault("bias of 1", biased(1), ALL, expected=AFFINE),
    Fault("bias of 1e-12", biased(1e-12), FLOATS, expected=SCALES),
    Fault("bias in the adjoint", biased(1, on="adjoint"), ALL, expected=AFFINE),
    Fault("bias of 1e-12 in the adjoint", biased(1e-12, on="adjoint"), FLOATS, expected=SCALES),
    Fault("clipped at 3", clipped(3), ALL, expected=AFFINE),
    Fault("clipped at 255", clipped(255), ALL, expected=SCALES),
    Fault("clipped at 1e6", clipped(10**6), ALL, expected=SCALES),
    Fault("rounded to integers", then(np.round), FLOATS, expected=AFFINE),
    Fault("soft threshold of 0.1", shrunk(0.1), FLOATS, expected=AFFINE),
    Fault("soft threshold of 1e-9", shrunk(1e-9), DOUBLE, expected=("homogeneity", "precision", "adjoint")),
    Fault("absolute value", wrapped(before=on_parts(np.abs)), ALL, expected=AFFINE),
    Fault("x |x|", wrapped(before=lambda x: x * np.abs(x)), ALL, expected=AFFINE),
    Fault("divided by the norm", wrapped(before=normalised), FLOATS, expected=AFFINE),
    Fault(
        "negative values cut in the adjoint",
        wrapped(after=on_parts(lambda x: np.maximum(x, 0)), on="adjoint"),
        ALL,
        expected=AFFINE,
    ),
    Fault("stored as uint8", then(to_uint8), (*REAL, *INTEGER), expected=AFFINE),
    Fault("median filter", median, REAL, expected=("additivity", "adjoint")),
    Fault("divided in integers", then(lambda y: y // 2), INTEGER, expected=AFFINE),
)
