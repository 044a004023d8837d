"""The operator L of a regulariser on dask arrays, as its parts."""

from typing import Any

import numpy as np

from convops._arguments import choice, shown
from convops.distributed.operator import DaskConv
from convops.inverse._regulariser import NAMES, OTHER_NAMES, boundary_and_axes
from convops.inverse.differences import difference, laplacian
from convops.operators.base import ConvOperator


def penalty_of(reg: Any, A: Any) -> tuple[tuple[Any, ...] | None, list[np.dtype[Any]]]:
    """Return the parts of L, on top of each other, or None for the identity; and their dtypes."""
    if reg is None:
        return None, []
    if isinstance(reg, ConvOperator):
        reg = DaskConv.from_operator(reg)
    if not isinstance(reg, str):
        _refuse_other(reg, A)
        return (reg,), [np.dtype(reg.dtype)]
    name = choice("reg", reg, NAMES, OTHER_NAMES)
    shape = A.input_shape
    boundary, axes = boundary_and_axes(shape, A if isinstance(A, DaskConv) else None)
    single = np.dtype(A.dtype) in (np.float32, np.complex64)
    dtype = np.dtype(np.float32 if single else np.float64)
    if name == "laplacian":
        parts = [laplacian(shape, axes=axes, boundary=boundary, dtype=dtype)]
    else:
        parts = [difference(shape, axis, boundary=boundary, dtype=dtype) for axis in axes]
    return tuple(DaskConv.from_operator(part) for part in parts), [dtype]


def _refuse_other(reg: Any, A: Any) -> None:
    if not callable(reg) or not hasattr(reg, "input_shape") or not hasattr(reg, "H"):
        raise TypeError(
            f"{shown('reg', reg)}: it must be 'gradient', 'laplacian' or a linear operator on dask arrays, "
            f"as DaskConv is one; got {type(reg).__name__}."
        )
    if tuple(reg.input_shape) != tuple(A.input_shape):
        raise ValueError(
            f"{shown('reg', reg)}: it must take the arrays that A takes, of shape {A.input_shape}; it takes "
            f"{reg.input_shape}."
        )
