"""What a kernel operator, its transpose and its adjoint share: geometry, what is convolved, one engine."""

import threading
import weakref
from functools import cached_property
from math import prod
from typing import Any

import numpy as np

from convops._arguments import choice, shown
from convops._arrays import INT64, Array
from convops._layout import Layout, channels_on, outside
from convops._memory import refuse_beyond_memory
from convops.apply import finite
from convops.apply.kernel import KERNEL_ENGINES, KernelEngine, choose_kernel_engine
from convops.apply.kernel_gemm import KernelGemm
from convops.assembly import checked_flip, oriented
from convops.boundary import extend, extension_gains
from convops.geometry import ConvGeometry
from convops.operators.algebra.scalars import largest
from convops.operators.map import EXACT_FLOAT, bound_of_sums

_METHODS = ("auto", "gemm", "fft")
_OTHER_METHODS = {"direct": "gemm", "im2col": "gemm", "overlap-add": "fft"}


class KernelMap:
    """K of one array or batch, applied as K, Kᵀ, Kᴴ or its conjugate; the engine is built once."""

    def __init__(
        self,
        geometry: ConvGeometry,
        x: Array,
        batch_shape: tuple[int, ...],
        flip: bool,
        method: object,
        layout: Layout | None = None,
    ) -> None:
        self.geometry = geometry
        self.layout = layout
        self.core = geometry if layout is None else layout.core(geometry)
        """The convolution of one of the `items`."""
        self.x = x
        self.dtype = x.dtype
        self.batch_shape = batch_shape
        self.weight_shape = geometry.weight_shape if layout is None else layout.bare(geometry.weight_shape)
        self.output_shape = batch_shape + outside(layout, geometry.output_shape)
        self.flip = checked_flip(flip)
        self.asked = choice("method", method, _METHODS, _OTHER_METHODS, "auto")
        if self.asked == "fft" and self.dtype.kind in "iu":
            raise ValueError(
                f"{shown('method', method)}: transforms round, and integers are kept exact. Use "
                "method='gemm', or a float dtype."
            )
        self.views: weakref.WeakValueDictionary[tuple[bool, bool], Any] = weakref.WeakValueDictionary()
        """The operators in use that apply this map, by (transposed, conjugated)."""
        self._lock = threading.Lock()
        self._engine: KernelEngine | None = None
        if self.dtype.kind in "iu":
            self._refuse_extension_beyond_int64()

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of K."""
        return prod(self.output_shape), prod(self.weight_shape)

    @property
    def channel_axis(self) -> int | None:
        """The axis of channels in the arrays of one item; None where there is none."""
        return channels_on(self.layout, self.geometry)

    def __getstate__(self) -> dict[str, Any]:
        return {
            "arguments": (self.geometry, self.x, self.batch_shape, self.flip, self.asked, self.layout),
            "method": self.method,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        geometry, x, *others = state["arguments"]
        x.flags.writeable = False
        self.__init__(geometry, x, *others)  # type: ignore[misc]
        self.__dict__["method"] = state["method"]

    @property
    def items(self) -> Array:
        """What is convolved, ``(items, C_in, *spatial)``; integers in int64."""
        x = self.x.astype(INT64, copy=False) if self.dtype.kind in "iu" else self.x
        if self.layout is not None:
            return self.layout.blocks(x.reshape(-1, *outside(self.layout, self.geometry.input_shape)))
        return x.reshape(-1, self.geometry.in_channels, *self.geometry.spatial_shape)

    @cached_property
    def method(self) -> str:
        """The method that was asked for, or what "auto" stands for."""
        if self.asked != "auto":
            return self.asked
        if self.dtype.kind in "iu":
            return "gemm"
        return choose_kernel_engine(self.core, self.dtype, len(self.items))

    @property
    def engine(self) -> KernelEngine:
        """The engine, built on first use, by one thread."""
        if self._engine is None:
            with self._lock:
                if self._engine is None:
                    x = self.items
                    x = x.astype(np.float64) if x.dtype.kind in "iu" else x
                    self._engine = KERNEL_ENGINES[self.method](self.core, x)
        return self._engine

    @cached_property
    def _exact(self) -> KernelEngine:
        """The engine for what the other would round, or spread: large integers, NaN and inf."""
        return KernelGemm(self.core, self.items, exact=True)

    def apply(self, x: Array, transposed: bool, conjugated: bool) -> Array:
        """Return K x, or that of Kᵀ, conj(K), Kᴴ, for one weight or one output as a vector."""
        if self.dtype.kind == "c" and conjugated:
            return np.conj(self._apply(np.conj(x), transposed))
        return self._apply(x, transposed)

    def _apply(self, x: Array, transposed: bool) -> Array:
        if x.dtype.kind in "iu" and self.dtype.kind in "iu":
            return self._apply_integers(x, transposed)
        x = x.astype(np.result_type(x, self.dtype), copy=False)
        if x.dtype.kind == "c" and self.dtype.kind != "c":
            product = np.empty(prod(self.weight_shape if transposed else self.output_shape), x.dtype)
            product.real = self._product(np.ascontiguousarray(x.real), transposed)
            product.imag = self._product(np.ascontiguousarray(x.imag), transposed)
            return product
        return self._product(x, transposed)

    def _product(self, x: Array, transposed: bool) -> Array:
        product = self._directed(self.engine, x, transposed)
        if finite(product):
            return product
        # Zeros that pad a tile, and a transform, carry NaN and inf to places that K keeps free of them.
        return self._directed(self._exact, x, transposed)

    def _apply_integers(self, x: Array, transposed: bool) -> Array:
        """Apply K to integers, which stay integers, and exact."""
        if bound_of_sums(x, self.gains[transposed]) < EXACT_FLOAT:
            return self._directed(self.engine, x.astype(np.float64), transposed).astype(INT64)
        return self._directed(self._exact, x.astype(INT64, copy=False), transposed)

    def _directed(self, engine: KernelEngine, x: Array, transposed: bool) -> Array:
        geometry, layout = self.core, self.layout
        channels = geometry.in_channels // geometry.groups
        if not transposed:
            weight = x.reshape(geometry.out_channels, channels, *geometry.kernel_size)
            y = engine.forward(oriented(weight, geometry, self.flip))
            return (y if layout is None else layout.arrays(y, prod(self.batch_shape))).reshape(-1)
        sizes = geometry.output_shape[geometry.has_channels :]
        if layout is None:
            y = x.reshape(-1, geometry.out_channels, *sizes)
        else:
            y = layout.blocks(x.reshape(-1, *outside(layout, self.geometry.output_shape)))
        return oriented(engine.transpose(y), geometry, self.flip).reshape(-1)

    @cached_property
    def gains(self) -> tuple[float, float]:
        """Bounds of the sum of |x| that any row of K adds up, and any column."""
        self.refuse_too_large()
        geometry = self.core
        items = self.items.astype(np.result_type(self.dtype, np.float64), copy=False)
        size = np.abs(extend(items, geometry.axes))
        by_channel = size.sum(axis=(0, *range(2, size.ndim)))
        terms = geometry.in_channels // geometry.groups * prod(geometry.kernel_size)
        row = min(float(size.max()) * terms, float(by_channel.sum()))
        return row * (1 + 1e-9), float(by_channel.max()) * (1 + 1e-9)

    def refuse_too_large(self) -> None:
        """Raise MemoryError if the extended x and the result do not fit the memory that is left."""
        geometry = self.core
        sizes = [axis.before + axis.size + axis.after for axis in geometry.axes]
        extended = geometry.in_channels * prod(sizes)
        refuse_beyond_memory(
            len(self.items) * (extended + prod(geometry.output_shape)) * self.dtype.itemsize,
            f"x of shape {self.x.shape}, padded by {geometry.padding}, and the result",
            "Pad less, or take smaller batches.",
        )

    def _refuse_extension_beyond_int64(self) -> None:
        size = largest(self.x)
        rise = prod([extension_gains(axis)[0] for axis in self.geometry.axes])
        if size * rise >= 2**63:
            raise OverflowError(
                f"x holds integers up to {size}, and its extension by the boundary up to {rise} times as "
                "much: that leaves int64, which ends at 2**63 - 1. Give x as floats."
            )
