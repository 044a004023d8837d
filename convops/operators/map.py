"""What an operator, its transpose and its adjoint share: the geometry, the weight and one engine."""

import threading
import weakref
from functools import cached_property
from typing import Any

import numpy as np

from convops._arguments import choice
from convops._arrays import INT64, Array, refuse_beyond_int64, weight_array
from convops.apply import METHODS, Engine, GemmEngine, choose_method
from convops.assembly import oriented
from convops.boundary import extension_gains
from convops.geometry import ConvGeometry
from convops.operators.sparse import SparseEngine

OTHER_METHODS = {"direct": "gemm", "matrix": "sparse", "csr": "sparse", "im2col": "gemm"}
ENGINES: dict[str, type[SparseEngine] | type[GemmEngine]] = {"sparse": SparseEngine, "gemm": GemmEngine}


class Map:
    """W of one convolution, applied as W, Wᵀ, Wᴴ or its conjugate to arrays; the engine is built once."""

    def __init__(self, geometry: ConvGeometry, weight: Array, flip: bool, method: object) -> None:
        self.geometry = geometry
        self.weight = weight
        self.correlated = oriented(weight, geometry, flip)
        self.flip = bool(flip)
        self.dtype = weight.dtype
        chosen = choice("method", method, METHODS, OTHER_METHODS)
        self.method = choose_method(geometry, self.dtype) if chosen == "auto" else chosen
        self.views: weakref.WeakValueDictionary[tuple[bool, bool], Any] = weakref.WeakValueDictionary()
        """The operators in use that apply this map, by (transposed, conjugated)."""
        self._lock = threading.Lock()
        self._engine: Engine | None = None

    def __getstate__(self) -> dict[str, Any]:
        return {"arguments": (self.geometry, self.weight, self.flip, self.method)}

    def __setstate__(self, state: dict[str, Any]) -> None:
        geometry, weight, flip, method = state["arguments"]
        weight.flags.writeable = False
        self.__init__(geometry, weight, flip, method)  # type: ignore[misc]

    @property
    def engine(self) -> Engine:
        """The engine, built on first use, by one thread."""
        if self._engine is None:
            with self._lock:
                if self._engine is None:
                    weight = self.correlated
                    # Products of integers are int64, so small ones are widened once and not in each.
                    weight = weight.astype(INT64) if weight.dtype.kind in "iu" else weight
                    self._engine = ENGINES[self.method](self.geometry, weight)
        return self._engine

    def apply(self, x: Array, transposed: bool, conjugated: bool) -> Array:
        """Return W x, or that of Wᵀ, conj(W), Wᴴ, for x of shape ``(batch, channels, *spatial)``."""
        if x.dtype.kind in "iu":
            x = self._integers(x, transposed)
        apply = self.engine.adjoint if transposed else self.engine.forward
        if self.dtype.kind == "c" and transposed != conjugated:
            return np.conj(apply(np.conj(x)))
        y = apply(x)
        if self.dtype.kind in "iu" and x.dtype.kind in "fc":
            return y.astype(np.result_type(self.dtype, x.dtype), copy=False)
        return y

    def _integers(self, x: Array, transposed: bool) -> Array:
        """Return integers as int64, if no sum of products with an integer W can leave int64."""
        if self.dtype.kind not in "iu":
            return x
        refuse_beyond_int64("x", x)
        largest = max(-int(x.min()), int(x.max()))
        if largest * self.gains[transposed] >= 2.0**63:
            raise OverflowError(
                f"x holds integers up to {largest}, and the operator multiplies them by up to "
                f"{self.gains[transposed]:.3g} in sum: the result can leave int64, which ends at 2**63 - 1. "
                "Give x as floats, or smaller integers."
            )
        return x.astype(INT64, copy=False)

    @cached_property
    def gains(self) -> tuple[float, float]:
        """Bounds of the sum of |weight| that any row of W adds up, and any column."""
        geometry = self.geometry
        size = np.abs(self.weight.astype(np.result_type(self.dtype, np.float64)))
        size = size.reshape(
            geometry.groups, -1, geometry.in_channels // geometry.groups, *geometry.kernel_size
        )
        with np.errstate(over="ignore"):
            row = size.sum(axis=tuple(range(2, size.ndim))).max()
            column = size.sum(axis=(1, *range(3, size.ndim))).max()
        row, column = float(row), float(column)
        for axis in geometry.axes:
            by_row, by_column = extension_gains(axis)
            row, column = row * by_row, column * by_column
        return row * (1 + 1e-9), column * (1 + 1e-9)


def convolution_map(
    weight: Any,
    input_shape: Any,
    transposed: bool,
    flip: Any,
    dtype: Any,
    method: Any,
    **arguments: Any,
) -> Map:
    """Return the map of a convolution, or of the one whose transpose reads `input_shape`."""
    taps = weight_array(weight, dtype)
    build = ConvGeometry.transposed if transposed else ConvGeometry
    return Map(build(taps.shape, input_shape, **arguments), taps, flip, method)
