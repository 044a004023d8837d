"""What an operator, its transpose and its adjoint share: the geometry, the weight and one engine."""

import sys
import threading
import weakref
from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from convops._arguments import choice, shown
from convops._arrays import INT64, Array, refuse_beyond_int64
from convops._layout import Layout, channels_on, outside
from convops.apply import (
    METHODS,
    Choice,
    Engine,
    FFTEngine,
    GemmEngine,
    SeparableEngine,
    batches_by_gemm,
    choose,
    refusal,
    with_rank,
    worth_no_thought,
)
from convops.assembly import oriented
from convops.boundary import extension_gains
from convops.geometry import ConvGeometry
from convops.operators.algebra.scalars import largest
from convops.operators.sparse import SparseEngine

OTHER_METHODS = {
    "direct": "gemm",
    "matrix": "sparse",
    "csr": "sparse",
    "im2col": "gemm",
    "overlap-add": "fft",
}
ENGINES: dict[str, Callable[[ConvGeometry, Array], Engine]] = {
    "sparse": SparseEngine,
    "gemm": GemmEngine,
    "fft": FFTEngine,
    "separable": SeparableEngine,
}
EXACT_FLOAT = 2.0**53
"""Integers up to here are exact in float64."""


class Map:
    """W of one convolution, applied as W, Wᵀ, Wᴴ or its conjugate to arrays; the engine is built once."""

    layout: Layout | None = None
    """Where the arrays have their channels, if not where the geometry has them."""

    def __init__(self, geometry: ConvGeometry, weight: Array, flip: bool, method: object) -> None:
        self.geometry = geometry
        self.weight = weight
        self.correlated = oriented(weight, geometry, flip)
        self.flip = bool(flip)
        self.dtype = weight.dtype
        self.asked = choice("method", method, METHODS, OTHER_METHODS, "auto")
        if (reason := refusal(self.asked, geometry, self.correlated)) is not None:
            raise ValueError(f"{shown('method', method)}: {reason}")
        self.views: weakref.WeakValueDictionary[tuple[bool, bool], Any] = weakref.WeakValueDictionary()
        """The operators in use that apply this map, by (transposed, conjugated)."""
        self._lock = threading.Lock()
        self._engine: Engine | None = None

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of W."""
        return self.geometry.shape

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of the arrays that W takes."""
        return outside(self.layout, self.geometry.input_shape)

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of the arrays that W returns."""
        return outside(self.layout, self.geometry.output_shape)

    @property
    def channel_axis(self) -> int | None:
        """The axis of channels in these arrays; None where there is none."""
        return channels_on(self.layout, self.geometry)

    @property
    def core(self) -> "Map":
        """The map that multiplies, of arrays as the geometry of the core has them."""
        return self

    def given_weight(self, conjugated: bool) -> Array:
        """Return a read-only copy of the weight, conjugated or not, in the shape in which it was given."""
        weight = self.weight.conj() if conjugated else self.weight.copy()
        if self.layout is not None:
            weight = weight.reshape(self.layout.bare(weight.shape))
        weight.flags.writeable = False
        return weight

    def __getstate__(self) -> dict[str, Any]:
        return {"arguments": (self.geometry, self.weight, self.flip, self.asked), "method": self.method}

    def __setstate__(self, state: dict[str, Any]) -> None:
        geometry, weight, flip, asked = state["arguments"]
        weight.flags.writeable = False
        self.__init__(geometry, weight, flip, asked)  # type: ignore[misc]
        self.__dict__["method"] = state["method"]

    @cached_property
    def method(self) -> str:
        """The method that was asked for, or what "auto" stands for."""
        if self.asked != "auto":
            return self.asked
        return "sparse" if worth_no_thought(self.geometry, self.dtype) else self.choice.method

    @cached_property
    def choice(self) -> Choice:
        """What the methods are expected to cost."""
        return choose(self.geometry, self.correlated)

    def explain(self) -> str:
        """Return the method and the estimated cost of each, line by line."""
        choice = with_rank(self.choice, self.geometry, self.correlated)
        text = choice.explain(self.method, self.asked == "auto")
        if self.batches_by_gemm < sys.maxsize:
            text += f'\nbatches of {self.batches_by_gemm} arrays or more: "gemm"'
        return text

    @property
    def engine(self) -> Engine:
        """The engine, built on first use, by one thread."""
        if self._engine is None:
            with self._lock:
                if self._engine is None:
                    weight = self.correlated
                    if weight.dtype.kind in "iu":
                        # Products of integers are int64 in W, and else float64 as long as that is exact.
                        weight = weight.astype(INT64 if self.method == "sparse" else np.float64)
                    self._engine = ENGINES[self.method](self.geometry, weight)
        return self._engine

    def product_at_hand(self, x: Array, transposed: bool) -> Array | None:
        """Return W x, or Wᵀ x, of a vector or of columns, where a product with W is all there is to do."""
        if self.method != "sparse" or self.dtype.kind != "f":
            return None
        engine = self.engine
        if not isinstance(engine, SparseEngine):
            return None
        product: Array = (engine.transposed if transposed else engine.matrix) @ x
        return product if engine.sound(product, transposed) else None

    @cached_property
    def batches_by_gemm(self) -> int:
        """From how many arrays on "auto" multiplies a batch by "gemm" although W is best for one."""
        if self.asked != "auto" or self.method != "sparse" or self.dtype.kind in "iu":
            return sys.maxsize
        return batches_by_gemm(self.geometry, self.dtype)

    @cached_property
    def _gemm(self) -> Engine:
        return GemmEngine(self.geometry, self.correlated)

    @cached_property
    def _exact(self) -> Engine:
        """The engine for what others would round, or spread: large integers, NaN and inf."""
        weight = self.correlated
        return GemmEngine(
            self.geometry, weight.astype(INT64) if weight.dtype.kind in "iu" else weight, exact=True
        )

    def products(self, rows: Array, transposed: bool, conjugated: bool) -> Array:
        """Return W x, or that of Wᵀ, conj(W), Wᴴ, for each row, an array in C order; at least one."""
        geometry = self.geometry
        if transposed:
            channels, shape = geometry.out_channels, geometry.output_shape
        else:
            channels, shape = geometry.in_channels, geometry.input_shape
        x = rows.reshape(len(rows), channels, *shape[geometry.has_channels :])
        return self.apply(x, transposed, conjugated).reshape(len(rows), -1)

    def apply(self, x: Array, transposed: bool, conjugated: bool) -> Array:
        """Return W x, or that of Wᵀ, conj(W), Wᴴ, for x of shape ``(batch, channels, *spatial)``."""
        if self.dtype.kind in "iu":
            return self._apply_integers(x, transposed)
        if self.dtype.kind == "c" and transposed != conjugated:
            return np.conj(self._apply(np.conj(x), transposed))
        return self._apply(x, transposed)

    def _apply(self, x: Array, transposed: bool) -> Array:
        by_gemm = len(x) > 1 and len(x) >= self.batches_by_gemm
        engine = self._gemm if by_gemm else self.engine
        y = _directed(engine, transposed)(x)
        if engine.sound(y, transposed):
            return y
        return _directed(self._exact, transposed)(x)

    def _apply_integers(self, x: Array, transposed: bool) -> Array:
        """Apply an integer W; integers stay integers, and exact."""
        if x.dtype.kind not in "iu":
            return self._apply(x, transposed).astype(np.result_type(self.dtype, x.dtype), copy=False)
        bound = bound_of_sums(x, self.gains[transposed])
        if self.method == "sparse":
            return _directed(self.engine, transposed)(x.astype(INT64, copy=False))
        if bound < EXACT_FLOAT:
            return _directed(self.engine, transposed)(x.astype(np.float64)).astype(INT64)
        return _directed(self._exact, transposed)(x.astype(INT64, copy=False))

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


def bound_of_sums(x: Array, gain: float) -> float:
    """Return a bound of any sum of products with integers x, which int64 must hold."""
    refuse_beyond_int64("x", x)
    size = largest(x)
    bound = size * gain
    if bound >= 2.0**63:
        raise OverflowError(
            f"x holds integers up to {size}, and the operator multiplies them by up to {gain:.3g} in sum: "
            "the result can leave int64, which ends at 2**63 - 1. Give x as floats, or smaller integers."
        )
    return bound


def _directed(engine: Engine, transposed: bool) -> Callable[[Array], Array]:
    return engine.adjoint if transposed else engine.forward
