"""What faults are made from: random values, convolutions as matrices, edits of a correct pair."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from benchmarks.faults._pair import Apply, Array, Ints, Make, Pair
from convops import ConvGeometry, conv_matrix

Edit = Callable[[Array, np.random.Generator], Array]


def values(rng: np.random.Generator, shape: Ints, dtype: np.dtype[Any]) -> Array:
    """Return values of size 1/2 to 3/2 and random sign or phase; integers are distinct in size, and not 0."""
    size = int(np.prod(shape))
    if dtype.kind == "i":
        return (rng.permutation(np.arange(1, size + 1)) * rng.choice([-1, 1], size)).reshape(shape)
    sign = np.exp(2j * np.pi * rng.random(size)) if dtype.kind == "c" else rng.choice([-1.0, 1.0], size)
    return ((0.5 + rng.random(size)) * sign).reshape(shape).astype(dtype)


def small(dtype: np.dtype[Any]) -> float:
    """Return the size of a small error: well above LIMIT in the operators here, below loose tolerances."""
    if dtype.kind == "i":
        return 1
    return 1e-2 if np.finfo(dtype).eps > 1e-10 else 1e-6


def scalar(value: complex, dtype: np.dtype[Any]) -> Any:
    """Return a number in the dtype."""
    return dtype.type(value)


def of_matrices(W: Any, B: Any, input_shape: Ints, output_shape: Ints) -> Pair:
    """Return the pair x ↦ W x, y ↦ B y on arrays."""
    W, B = (M if isinstance(M, csr_array) else csr_array(M) for M in (W, B))
    return Pair(
        lambda x: (W @ x.reshape(-1)).reshape(output_shape),
        lambda y: (B @ y.reshape(-1)).reshape(input_shape),
        input_shape,
        output_shape,
        W.dtype,
    )


def conv_pair(weight_shape: Ints, input_shape: Ints, **geometry: Any) -> Make:
    """Return how to make a correct convolution with a random weight."""
    return edited(weight_shape, input_shape, lambda B, rng: B, **geometry)


def edited(weight_shape: Ints, input_shape: Ints, edit: Edit, **geometry: Any) -> Make:
    """Return how to make a convolution and, from a dense copy of its adjoint matrix, a wrong one."""
    output_shape = ConvGeometry(weight_shape, input_shape, **geometry).output_shape

    def make(dtype: np.dtype[Any], rng: np.random.Generator) -> Pair:
        W = conv_matrix(values(rng, weight_shape, dtype), input_shape, **geometry)
        B = edit(W.toarray().conj().T.copy(), rng)
        return of_matrices(W, B, input_shape, output_shape)

    return make


def two_convs(
    weight_shape: Ints,
    input_shape: Ints,
    right: dict[str, Any],
    wrong: dict[str, Any],
    change: Callable[[Array], Array] = lambda weight: weight,
) -> Make:
    """Return how to make the forward map of one convolution, and the adjoint of another."""
    output_shape = ConvGeometry(weight_shape, input_shape, **right).output_shape

    def make(dtype: np.dtype[Any], rng: np.random.Generator) -> Pair:
        weight = values(rng, weight_shape, dtype)
        W = conv_matrix(weight, input_shape, **right)
        B = conv_matrix(change(weight), input_shape, **wrong).T.conj().tocsr()
        return of_matrices(W, B, input_shape, output_shape)

    return make


SAME = conv_pair((3, 3), (12, 12), padding="same")


def wrapped(
    before: Apply | None = None, after: Apply | None = None, on: str = "forward", base: Make = SAME
) -> Make:
    """Return how to make a correct pair with a function before or after one of its two maps."""

    def make(dtype: np.dtype[Any], rng: np.random.Generator) -> Pair:
        pair = base(dtype, rng)
        inner = getattr(pair, on)

        def outer(x: Array) -> Array:
            y = inner(before(x) if before else x)
            return after(y) if after else y

        return replace(pair, **{on: outer})

    return make


def on_parts(function: Apply) -> Apply:
    """Return a function of real arrays as one of real and imaginary parts."""

    def apply(x: Array) -> Array:
        if x.dtype.kind != "c":
            return function(x).astype(x.dtype)
        return (function(x.real) + 1j * function(x.imag)).astype(x.dtype)

    return apply
