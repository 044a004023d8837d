"""Adjoints that mix up channels, groups, batches, or the order of a ravel."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.faults._base import conv_pair, edited, two_convs
from benchmarks.faults._pair import ALL, Array, Fault, Make, Pair, family

THREE = (3, 3, 3, 3), (3, 8, 8)
SAME = {"padding": "same"}


def interleaved(B: Array) -> Array:
    """Take the channels of two groups, (a a b b), as if they came in turns, (a b a b)."""
    return B.reshape(2, 2, -1).swapaxes(0, 1).reshape(B.shape)


def first_channel_lost(B: Array) -> Array:
    B[:64] = 0
    return B


def around(base: Make, change: Callable[[Array], Array], undo: Callable[[Array], Array]) -> Make:
    """Return how to make a pair whose adjoint sees y in another order of axes than the forward map wrote."""

    def make(dtype: np.dtype[Any], rng: np.random.Generator) -> Pair:
        pair = base(dtype, rng)
        return replace(pair, adjoint=lambda y: undo(pair.adjoint(change(y))))

    return make


def batched(dtype: np.dtype[Any], rng: np.random.Generator) -> Pair:
    """A convolution of (3, 6, 6) on a batch of 3."""
    inner = conv_pair((3, 3, 3, 3), (3, 6, 6), padding="same")(dtype, rng)
    each = (3, 3, 6, 6)
    return Pair(
        lambda x: np.stack([inner.forward(one) for one in x]),
        lambda y: np.stack([inner.adjoint(one) for one in y]),
        each,
        each,
        dtype,
    )


def channels_last(dtype: np.dtype[Any], rng: np.random.Generator) -> Pair:
    """A convolution of (8, 8, 3): the forward map moves the axis, the adjoint reshapes."""
    inner = conv_pair(*THREE, **SAME)(dtype, rng)
    return Pair(
        lambda x: inner.forward(np.ascontiguousarray(np.moveaxis(x, -1, 0))),
        lambda y: inner.adjoint(y).reshape(8, 8, 3),
        (8, 8, 3),
        inner.output_shape,
        dtype,
    )


def swap(x: Array) -> Array:
    return np.ascontiguousarray(x.swapaxes(0, 1))


FAULTS = family(
    "channels",
    Fault("output channels reversed", two_convs(*THREE, SAME, SAME, lambda w: w[::-1].copy()), ALL),
    Fault("input channels reversed", two_convs(*THREE, SAME, SAME, lambda w: w[:, ::-1].copy()), ALL),
    Fault(
        "channels in and out swapped", two_convs(*THREE, SAME, SAME, lambda w: w.swapaxes(0, 1).copy()), ALL
    ),
    Fault(
        "groups interleaved",
        edited((4, 2, 3, 3), (4, 6, 6), lambda B, rng: interleaved(B), groups=2, padding="same"),
        ALL,
    ),
    Fault("one channel lost", edited(*THREE, lambda B, rng: first_channel_lost(B), **SAME), ALL),
    Fault(
        "raveled in F order",
        around(conv_pair(*THREE, **SAME), lambda y: y.reshape(-1, order="F").reshape(y.shape), lambda x: x),
        ALL,
    ),
    Fault("batch taken for channels", around(batched, swap, swap), ALL),
    Fault("axis of channels reshaped, not moved", channels_last, ALL),
)
