"""An operator, or a forward function with its shapes, as maps of vectors; the adjoint may be missing."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from convops._arguments import shown
from convops.adjoint.pair import Pair, pair_of


class NoAdjoint(Exception):
    """There is no adjoint to apply."""


def maps_of(op: Any, adjoint: Any, input_shape: Any, output_shape: Any, dtype: Any) -> Pair:
    """Return what a user gave as a pair of maps; the second raises `NoAdjoint` where there is none."""
    if adjoint is not None:
        return pair_of(op, adjoint, input_shape, output_shape, dtype)
    if not is_operator(op):
        return _of_function(op, input_shape, output_shape, dtype)
    if _has_vectors(op) and not hasattr(op, "rmatvec"):
        rows, columns = op.shape
        own = getattr(op, "dtype", None) if dtype is None else dtype
        return replace(pair_of(op.matvec, _none, columns, rows, own), name=" ".join(repr(op).split()))
    pair = pair_of(op, None, input_shape, output_shape, dtype)
    adjoint = pair.adjoint
    return replace(pair, adjoint=adjoint.like(adjoint.label, _guarded(adjoint.function)))


def is_operator(op: Any) -> bool:
    """Tell whether something is an operator, and not a function, nor a class.

    Operators are applied to vectors by matvec, or called with arrays, as their H is.
    """
    if isinstance(op, type):
        return False
    return _has_vectors(op) or (callable(op) and callable(getattr(op, "H", None)))


def _has_vectors(op: Any) -> bool:
    return hasattr(op, "shape") and hasattr(op, "matvec")


def _of_function(op: Any, input_shape: Any, output_shape: Any, dtype: Any) -> Pair:
    if not callable(op):
        raise TypeError(
            f"{shown('op', op)}: it must be an operator, with shape and matvec, or a function of one array; "
            f"got {type(op).__name__}. Wrap a matrix with scipy.sparse.linalg.aslinearoperator."
        )
    if input_shape is None:
        raise TypeError("input_shape is missing: a function does not tell its shapes. Give it.")
    pair = pair_of(op, _none, input_shape, 1 if output_shape is None else output_shape, dtype)
    if output_shape is None:
        found = np.shape(op(np.zeros(pair.input_shape, pair.input_dtype)))
        pair = pair_of(op, _none, input_shape, found or 1, dtype)
    return replace(pair, name=pair.name.removesuffix(f" and {_none.__qualname__}"))


def _guarded(adjoint: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def apply(y: Any) -> Any:
        try:
            return adjoint(y)
        except NotImplementedError as error:
            raise NoAdjoint from error

    return apply


def _none(y: Any) -> Any:
    raise NoAdjoint
