"""Adjoints that treat the border wrongly: cropped, not folded back, or a little off in one corner."""

from functools import partial
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from benchmarks.faults._base import edited, of_matrices, two_convs, values
from benchmarks.faults._pair import ALL, DOUBLE, FLOATS, Array, Fault, Make, Pair, family
from convops import conv_matrix

FOLDED = ("reflect", "symmetric", "edge", "antireflect")
SHAPE = (12, 12)


def same(boundary: Any) -> dict[str, Any]:
    return {"padding": "same", "boundary": boundary}


def other_boundary(right: Any, wrong: Any) -> Make:
    return two_convs((5, 5), SHAPE, same(right), same(wrong))


def padded_again(boundary: str) -> Make:
    """Pad y and correlate with the flipped kernel, as is right for zeros and wrap alone."""

    def make(dtype: np.dtype[Any], rng: np.random.Generator) -> Pair:
        weight = values(rng, (5, 5), dtype)
        W = conv_matrix(weight, SHAPE, **same(boundary))
        B = conv_matrix(np.flip(weight).conj().copy(), SHAPE, **same(boundary))
        return of_matrices(W, B, SHAPE, SHAPE)

    return make


def folded_at_the_other_end(dtype: np.dtype[Any], rng: np.random.Generator) -> Pair:
    weight = values(rng, (5, 5), dtype)
    W, inner = (conv_matrix(weight, SHAPE, **same(name)).toarray() for name in ("symmetric", "zeros"))
    return of_matrices(W, (inner + (W - inner)[:, ::-1]).conj().T, SHAPE, SHAPE)


def edge_folded_twice(dtype: np.dtype[Any], rng: np.random.Generator) -> Pair:
    weight = values(rng, (5, 5), dtype)
    W, inner = (conv_matrix(weight, SHAPE, **same(name)).toarray() for name in ("edge", "zeros"))
    return of_matrices(W, (2 * W - inner).conj().T, SHAPE, SHAPE)


def corner_off(B: Array, rng: np.random.Generator, error: float) -> Array:
    """Make the entry of the corner larger by `error`; the entries are of size 1 or so."""
    B[0, 0] += B.dtype.type(error) * B[0, 0] / abs(B[0, 0])
    return B


def large(dtype: np.dtype[Any], rng: np.random.Generator) -> Pair:
    """A blur of 256² with a wrong entry at its border, far below any tolerance that knows only ‖A‖."""
    line = np.array([1, 4, 6, 4, 1]) / 16
    phase = values(rng, (1,), dtype)[0]
    W = conv_matrix((np.outer(line, line) * phase).astype(dtype), (256, 256), **same("symmetric"))
    B = W.T.conj().tocsr()
    at = rng.integers(1, 5)  # among the first columns, at the upper border
    entry = B.indptr[at] + int(np.flatnonzero(B.indices[B.indptr[at] : B.indptr[at + 1]] == at)[0])
    B.data[entry] *= dtype.type(1 + (1e-2 if np.finfo(dtype).eps > 1e-10 else 1e-8))
    return of_matrices(csr_array(W), B, (256, 256), (256, 256))


FAULTS = family(
    "boundary",
    *(Fault(f"{name}: cropped, not folded", other_boundary(name, "zeros"), ALL) for name in FOLDED),
    Fault("wrap: zeros instead", other_boundary("wrap", "zeros"), ALL),
    Fault("wrap along one axis only", other_boundary("wrap", ("wrap", "zeros")), ALL),
    *(Fault(f"{name}: padded again, not folded", padded_again(name), ALL) for name in FOLDED),
    Fault("reflect: the edge folded too", other_boundary("reflect", "symmetric"), ALL),
    Fault("symmetric: the edge not folded", other_boundary("symmetric", "reflect"), ALL),
    Fault("symmetric: folded at the other end", folded_at_the_other_end, ALL),
    Fault("edge: folded twice", edge_folded_twice, ALL),
    Fault("antireflect: folded with the sign of reflect", other_boundary("antireflect", "reflect"), ALL),
    *(
        Fault(
            f"corner entry off by {error:g}",
            edited((3, 3), SHAPE, partial(corner_off, error=error), **same("symmetric")),
            FLOATS if error > 1e-2 else DOUBLE,
        )
        for error in (1e-1, 1e-3, 1e-5, 1e-7, 1e-9)
    ),
    Fault("256²: border entry off by 1e-2 or 1e-8", large),
)
