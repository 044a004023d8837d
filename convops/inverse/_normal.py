"""The direct route where the matrix is small: the normal equations, factorised."""

from math import inf
from typing import Any

import numpy as np
from scipy.sparse import csc_array, eye_array
from scipy.sparse.linalg import splu

from convops._arrays import Array
from convops.inverse._problem import Problem
from convops.operators.base import ConvOperator

MOST_WORK = 2e7
"""Multiplications of a factorisation up to which it is worth having."""
_MOST_OF_OTHERS = 1024
"""Unknowns of an operator of which nothing is known but its matrix."""


def work(A: Any, L: Any) -> float:
    """Return how many multiplications it takes to factorise the normal equations, at most, roughly."""
    size = A.shape[1]
    bands = [band for band in (_band(A), 0 if L is None else _band(L)) if band is not None]
    if len(bands) < 2:
        return float(size) ** 3 if max(A.shape) <= _MOST_OF_OTHERS else np.inf
    return float(size * (1.0 + max(bands)) ** 2)


def _band(op: Any) -> int | None:
    """Return how far from the diagonal AᴴA has entries, None where that is not known."""
    parts = getattr(op, "parts", ())
    if not isinstance(op, ConvOperator):
        found = [_band(part) for part in parts]
        known = [band for band in found if band is not None]
        of_one_input = parts and type(op).__name__ in ("VStack", "Scaled")
        return max(known) if of_one_input and len(known) == len(found) else None
    geometry = op.geometry
    reaches: list[float] = []
    for axis in geometry.axes:
        around = axis.boundary == "wrap" and axis.before + axis.after > 0
        inside = axis.effective // axis.stride + 1 if op._transposed else axis.effective - 1
        reaches.append(inf if around else inside)
    if geometry.has_channels:
        reaches.insert(op.channel_axis or 0, inf)
    band, below = 0, 1
    for reach, size in zip(reversed(reaches), reversed(op.input_shape), strict=True):
        band += below * int(min(reach, size - 1))
        below *= size
    return band


def matrices(problem: Problem) -> tuple[csc_array, csc_array | None]:
    """Return the matrices of A and of L, in double precision.

    Raises
    ------
    TypeError
        If an operator has no matrix.
    """
    A, L = (
        None if op is None else csc_array(op.tosparse()).astype(np.result_type(op.dtype, np.float64))
        for op in (problem.A, problem.L)
    )
    return A, L


def solve(problem: Problem, A: csc_array, L: csc_array | None) -> Array:
    """Return the answers, row by row.

    Raises
    ------
    RuntimeError
        If the equations are singular.
    """
    wide = problem.wide
    normal = A.conj().T @ A
    if problem.damp:
        penalty = eye_array(A.shape[1], format="csc") if L is None else L.conj().T @ L
        normal = normal + problem.damp**2 * penalty
    normal = csc_array(normal).astype(wide)
    normal.indices, normal.indptr = normal.indices.astype(np.int32), normal.indptr.astype(np.int32)
    factors = splu(normal, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})
    pivots = np.abs(factors.U.diagonal())
    if not pivots.min() > max(64, len(pivots)) * np.finfo(np.float64).eps * pivots.max():
        raise RuntimeError("a pivot vanishes")
    x: Array = factors.solve(problem.right_side.astype(wide).T).T
    # What rounding has cost the normal equations, one step of refinement gives back.
    correction: Array = factors.solve(problem.residuals(x)[1].astype(wide).T).T
    return x + correction
