"""Maps that compute in less than their dtype holds."""

from typing import Any

import numpy as np

from benchmarks.faults._base import SAME, edited, on_parts, wrapped
from benchmarks.faults._pair import DOUBLE, FLOATS, Apply, Array, Fault, Make, Pair, family

SINGLE = ("float32", "complex64")
LESS = ("precision", "adjoint")


def narrowed(x: Array) -> Array:
    """Return x in single precision."""
    return x.astype(np.complex64 if x.dtype.kind == "c" else np.float32)


def through_single(x: Array) -> Array:
    return narrowed(x).astype(x.dtype)


@on_parts
def through_half(x: Array) -> Array:
    """Round to the 11 bits of float16."""
    return x.astype(np.float16)


@on_parts
def through_tensor_core(x: Array) -> Array:
    """Round to 10 bits after the point, as TF32 does, and keep the exponent."""
    bits = np.ascontiguousarray(x).view(np.uint32)
    return ((bits + np.uint32(1 << 12)) & np.uint32(0xFFFFE000)).view(np.float32)


def inside(change: Apply, on: str, base: Make = SAME) -> Make:
    """Return how to make a pair with operand and result of one map rounded."""
    return wrapped(before=change, after=change, on=on, base=base)


def both(change: Apply) -> Make:
    return inside(change, "adjoint", inside(change, "forward"))


def noisy(dtype: np.dtype[Any], rng: np.random.Generator) -> Pair:
    """Both maps add the error of an iteration that stopped at 1e-10: the same for the same x, not linear."""

    def stopped(x: Array) -> Array:
        return x + x.dtype.type(1e-10) * np.cos(1e3 * x.real)

    return wrapped(after=stopped, on="adjoint", base=wrapped(after=stopped))(dtype, rng)


FAULTS = family(
    "precision",
    Fault("float32 inside the forward map", inside(through_single, "forward"), DOUBLE, expected=LESS),
    Fault("float32 inside the adjoint", inside(through_single, "adjoint"), DOUBLE, expected=LESS),
    Fault("float32 inside both", both(through_single), DOUBLE, expected=LESS),
    Fault(
        "operands rounded to float32",
        wrapped(before=through_single, on="adjoint", base=wrapped(before=through_single)),
        DOUBLE,
        expected=("precision",),
    ),
    # float16 keeps half the digits of single precision, fewer of double, and has a range of its own.
    Fault(
        "float16 inside both",
        both(through_half),
        FLOATS,
        expected=("homogeneity", "precision", "additivity", "adjoint"),
    ),
    Fault("TF32 inside both", both(through_tensor_core), SINGLE, expected=LESS),
    Fault(
        "weight of the adjoint stored in float32",
        edited((3, 3), (12, 12), lambda B, rng: through_single(B), padding="same"),
        DOUBLE,
    ),
    Fault("result returned in float32", wrapped(after=narrowed), DOUBLE, expected=("contract", *LESS)),
    Fault(
        "adjoint returned in float32",
        wrapped(after=narrowed, on="adjoint"),
        DOUBLE,
        expected=("contract", *LESS),
    ),
    Fault("error of 1e-10 added", noisy, DOUBLE, expected=("precision", "homogeneity", "adjoint")),
)
