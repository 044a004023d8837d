"""Operators with a chosen adjoint, right or wrong, for the tests of the adjoint check."""

from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator

from convops import AdjointReport, Conv
from convops.adjoint.pair import Pair, pair_of
from convops.adjoint.samples import Samples

Array = np.ndarray[Any, Any]

IMAGE = (12, 11)


def pair_operator(W: Any, B: Any, dtype: Any = None) -> LinearOperator:
    """Return an operator that says W and answers B where its adjoint is asked for."""
    return LinearOperator(
        W.shape, dtype=W.dtype if dtype is None else dtype, matvec=lambda x: W @ x, rmatvec=lambda y: B @ y
    )


def samples_of(op: Any, adjoint: Any = None, level: str = "default", seed: int = 0, **given: Any) -> Samples:
    """Return the samples that `check_adjoint` would take."""
    return Samples(plain_pair(op, adjoint, **given), seed, level)


def plain_pair(
    op: Any, adjoint: Any = None, input_shape: Any = None, output_shape: Any = None, dtype: Any = None
) -> Pair:
    """Return the pair that `check_adjoint` would make of its arguments."""
    return pair_of(op, adjoint, input_shape, output_shape, dtype)


def convolution(dtype: Any = "float64", **arguments: Any) -> Conv:
    """Return a convolution of `IMAGE` without any symmetry that a fault could hide behind."""
    weight = np.random.default_rng(5).standard_normal((4, 3))
    if np.dtype(dtype).kind == "c":
        weight = weight + 1j * np.random.default_rng(6).standard_normal((4, 3))
    return Conv(weight.astype(dtype), IMAGE, **{"padding": "same", **arguments})


def witnesses_are_true(report: AdjointReport, W: Array, B: Array) -> bool:
    """Tell whether every witness quotes the entries of both matrices, and they differ."""
    for witness in report.witnesses:
        row, column = place_of(witness.output_index, IMAGE), place_of(witness.input_index, IMAGE)
        if not np.allclose([witness.forward, witness.adjoint], [W[row, column], B[column, row]], rtol=1e-12):
            return False
        if witness.forward == np.conj(witness.adjoint):
            return False
    return bool(report.witnesses)


def place_of(index: tuple[int, ...], shape: tuple[int, ...]) -> int:
    return int(np.ravel_multi_index(index, shape))
