"""Maps that change what they were given, or that remember."""

from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.faults._base import SAME
from benchmarks.faults._pair import ALL, DOUBLE, Apply, Array, Fault, Make, Pair, family

IMPURE = ("purity",)
CONSTANT = ("homogeneity", "additivity", "adjoint", "exact")


def remembering(remember: Any, on: str = "forward") -> Make:
    """Return how to make a pair one of whose maps is wrapped in what `remember` returns for it."""

    def make(dtype: np.dtype[Any], rng: np.random.Generator) -> Pair:
        pair = SAME(dtype, rng)
        return replace(pair, **{on: remember(getattr(pair, on), rng)})

    return make


def in_place(apply: Apply, rng: np.random.Generator) -> Apply:
    """Scale the input where it stands, and undo that in the result only."""

    def impure(x: Array) -> Array:
        x *= x.dtype.type(2)
        y = apply(x)
        return y // 2 if y.dtype.kind == "i" else y / y.dtype.type(2)

    return impure


def one_buffer(apply: Apply, rng: np.random.Generator) -> Apply:
    """Hand out the same array every time."""
    buffer: list[Array] = []

    def impure(x: Array) -> Array:
        y = apply(x)
        if not buffer:
            buffer.append(y)
        buffer[0][...] = y
        return buffer[0]

    return impure


def counting(apply: Apply, rng: np.random.Generator) -> Apply:
    """Return more with every call."""
    calls = 0

    def impure(x: Array) -> Array:
        nonlocal calls
        calls += 1
        return apply(x) * x.dtype.type(calls)

    return impure


def dropout(apply: Apply, rng: np.random.Generator) -> Apply:
    return lambda x: apply(x * (rng.random(x.shape) < 0.9).astype(x.dtype))


def noise(apply: Apply, rng: np.random.Generator) -> Apply:
    """Add what a sum in another order adds, a little more of it."""

    def impure(x: Array) -> Array:
        y = apply(x)
        return y + x.dtype.type(1e-10) * rng.standard_normal(y.shape)

    return impure


def first_result(apply: Apply, rng: np.random.Generator) -> Apply:
    """Return what the first call returned."""
    kept: list[Array] = []

    def impure(x: Array) -> Array:
        if not kept:
            kept.append(apply(x))
        return kept[0].copy()

    return impure


def echo(apply: Apply, rng: np.random.Generator) -> Apply:
    """Add what the call before read."""
    before: list[Array] = []

    def impure(x: Array) -> Array:
        y = apply(x) + (apply(before[0]) if before else x.dtype.type(0))
        before[:] = [x.copy()]
        return y

    return impure


def warm_up(apply: Apply, rng: np.random.Generator) -> Apply:
    """Return twice the result on the first call alone."""
    calls = 0

    def impure(x: Array) -> Array:
        nonlocal calls
        calls += 1
        return apply(x) * x.dtype.type(1 + (calls == 1))

    return impure


def memoised(apply: Apply, rng: np.random.Generator) -> Apply:
    """Hand out the array that is kept for the next call with the same x."""
    kept: dict[bytes, Array] = {}

    def impure(x: Array) -> Array:
        key = x.tobytes()
        if key not in kept:
            kept[key] = apply(x)
        return kept[key]

    return impure


def zeros_shared(apply: Apply, rng: np.random.Generator) -> Apply:
    """Hand out one array of zeros for every x of zeros."""
    shared: list[Array] = []

    def impure(x: Array) -> Array:
        if x.any():
            return apply(x)
        if not shared:
            shared.append(apply(x))
        return shared[0]

    return impure


def rectified(dtype: np.dtype[Any], rng: np.random.Generator) -> Pair:
    """The derivative of a rectifier as adjoint: that at the last x which the forward map saw."""
    pair = SAME(dtype, rng)
    mask = [np.ones(pair.input_shape, dtype)]

    def forward(x: Array) -> Array:
        mask[0] = (x.real > 0).astype(dtype)
        return pair.forward(x * mask[0])

    return replace(pair, forward=forward, adjoint=lambda y: pair.adjoint(y) * mask[0])


FAULTS = family(
    "state",
    Fault("input changed in place", remembering(in_place), ALL, expected=IMPURE),
    Fault("input of the adjoint changed in place", remembering(in_place, "adjoint"), ALL, expected=IMPURE),
    Fault("one buffer handed out", remembering(one_buffer), ALL, expected=IMPURE),
    Fault("one buffer handed out by the adjoint", remembering(one_buffer, "adjoint"), ALL, expected=IMPURE),
    Fault("grows with every call", remembering(counting), ALL, expected=IMPURE),
    Fault("random dropout", remembering(dropout), ALL, expected=IMPURE),
    Fault(
        "random error of 1e-10", remembering(noise), DOUBLE, expected=("purity", "precision", "homogeneity")
    ),
    Fault("first result kept", remembering(first_result), ALL, expected=CONSTANT),
    Fault("last input added", remembering(echo), ALL, expected=IMPURE),
    Fault("first call different", remembering(warm_up), ALL, expected=IMPURE),
    Fault("kept result handed out", remembering(memoised), ALL, expected=IMPURE),
    Fault("shared zeros handed out", remembering(zeros_shared), ALL, expected=IMPURE),
    Fault(
        "rectified, and the adjoint that of the last input",
        rectified,
        ALL,
        expected=("additivity", "homogeneity", "purity", "adjoint", "exact"),
    ),
)
