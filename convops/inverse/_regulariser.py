"""The operator L of a regulariser, as an operator or by its name."""

from typing import Any

import numpy as np

from convops._arguments import choice, shown
from convops.inverse.differences import gradient, laplacian
from convops.operators.algebra.foreign import as_part
from convops.operators.algebra.products import Product
from convops.operators.algebra.scalars import is_operator
from convops.operators.algebra.scaled import Scaled
from convops.operators.algebra.shapes import merged
from convops.operators.algebra.stacks import VStack
from convops.operators.algebra.sums import Sum
from convops.operators.base import ConvOperator

NAMES = ("gradient", "laplacian")
OTHER_NAMES = {"tv": "gradient", "grad": "gradient", "laplace": "laplacian", "sobolev": "gradient"}


def regulariser(reg: Any, A: Any) -> Any:
    """Return L for the x that A takes, or None for the identity."""
    if reg is None:
        return None
    if isinstance(reg, str):
        name = choice("reg", reg, NAMES, OTHER_NAMES)
        reader = _reader(A)
        if reader is None or reader.input_shape != A.input_shape:
            boundary, axes = boundary_and_axes(A.input_shape, None)
        else:
            boundary, axes = boundary_and_axes(A.input_shape, reader)
        dtype = np.result_type(np.float32, A.dtype) if A.dtype.kind in "fc" else np.dtype(np.float64)
        real = np.float32 if dtype in (np.float32, np.complex64) else np.float64
        make = gradient if name == "gradient" else laplacian
        return make(A.input_shape, axes=axes, boundary=boundary, dtype=real)
    if not is_operator(reg):
        raise TypeError(
            f"{shown('reg', reg)}: it must be 'gradient', 'laplacian' or a linear operator that takes what A "
            f"takes; got {type(reg).__name__}."
        )
    L = as_part(reg)
    if merged(L.input_shape, A.input_shape) is None:
        raise ValueError(
            f"{shown('reg', reg)}: it must take the arrays that A takes, of shape {A.input_shape}; it takes "
            f"{L.input_shape}."
        )
    return L


def boundary_and_axes(shape: tuple[int, ...], reader: Any) -> tuple[list[str], list[int]]:
    """Return the boundary of every axis of x, and which are spatial, given the convolution that reads x."""
    if reader is None:
        return ["symmetric"] * len(shape), list(range(len(shape)))
    names = []
    for axis in reader.geometry.axes:
        padded = axis.before or axis.after
        keeps = axis.boundary == "wrap" or not reader._transposed
        names.append(axis.boundary if padded and keeps else "symmetric")
    if (channels := reader.channel_axis) is None:
        return names, list(range(len(shape)))
    if reader._map.layout is None or not reader._map.layout.shared:
        names.insert(channels, "zeros")
    return names, [axis for axis in range(len(shape)) if axis != channels]


def _reader(A: Any) -> ConvOperator | None:
    """Return the convolution that reads x first."""
    while isinstance(A, Product | Scaled | VStack | Sum):
        A = A.parts[-1] if isinstance(A, Product) else A.parts[0]
    return A if isinstance(A, ConvOperator) else None
