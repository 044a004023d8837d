"""Maps of arrays that have their channels elsewhere than first, or one kernel for all of them."""

from functools import cached_property
from typing import Any

from convops._arrays import Array, weight_array
from convops._layout import Layout, arranged
from convops.apply import Choice, Engine
from convops.geometry import ConvGeometry
from convops.operators.map import Map


class ArrangedMap(Map):
    """W of a convolution whose arrays are laid out otherwise; what multiplies is the map of its core.

    Geometry and weight are those of W: where one kernel is shared by all channels, they hold an axis of one
    tap. The core convolves one channel then, and a channel more is an array more in the batch.
    """

    layout: Layout

    def __init__(
        self, geometry: ConvGeometry, weight: Array, flip: bool, method: object, layout: Layout
    ) -> None:
        self.layout = layout
        of_core = layout.core(geometry)
        self._core = Map(of_core, weight.reshape(of_core.weight_shape), flip, method)
        super().__init__(geometry, weight, flip, "auto")
        self.asked = self._core.asked

    def __getstate__(self) -> dict[str, Any]:
        return {
            "arguments": (self.geometry, self.weight, self.flip, self.asked, self.layout),
            "method": self.method,
        }

    def __setstate__(self, state: dict[str, Any]) -> None:
        geometry, weight, *others = state["arguments"]
        weight.flags.writeable = False
        self.__init__(geometry, weight, *others)  # type: ignore[misc]
        self.core.__dict__["method"] = state["method"]

    @property
    def core(self) -> Map:
        """The map of arrays with the channels first, or of one of several like channels."""
        return self._core

    @property
    def method(self) -> str:
        """The method that was asked for, or what "auto" stands for."""
        return self.core.method

    @property
    def choice(self) -> Choice:
        """What the methods are expected to cost on the core."""
        return self.core.choice

    def explain(self) -> str:
        """Return the method and the estimated cost of each, line by line."""
        text = self.core.explain()
        if self.layout.shared:
            channels = self.geometry.input_shape[self.layout.axis]
            text += f"\nthe costs are those of one channel, of {channels} that share the kernel"
        return text

    @property
    def engine(self) -> Engine:
        """The engine of the core."""
        return self.core.engine

    def product_at_hand(self, x: Array, transposed: bool) -> Array | None:
        """Return None: a product with the core's matrix is not all there is to do."""
        return None

    @cached_property
    def gains(self) -> tuple[float, float]:
        """Bounds of the sum of |weight| that any row of W adds up, and any column."""
        return self.core.gains

    def products(self, rows: Array, transposed: bool, conjugated: bool) -> Array:
        """Return W x, or that of Wᵀ, conj(W), Wᴴ, for each row, an array in C order; at least one."""
        sizes = self.output_shape if transposed else self.input_shape
        x = self.layout.blocks(rows.reshape(len(rows), *sizes))
        y = self.core.apply(x, transposed, conjugated)
        return self.layout.arrays(y, len(rows)).reshape(len(rows), -1)


def map_of(
    geometry: ConvGeometry, weight: Array, flip: bool, method: object, layout: Layout | None = None
) -> Map:
    """Return the map of W for arrays in a layout, or in the order of the geometry."""
    if layout is None:
        return Map(geometry, weight, flip, method)
    return ArrangedMap(geometry, weight, flip, method, layout)


def convolution_map(
    weight: Any,
    input_shape: Any,
    transposed: bool,
    flip: Any,
    dtype: Any,
    method: Any,
    channel_axis: Any,
    **arguments: Any,
) -> Map:
    """Return the map of a convolution, or of the one whose transpose reads `input_shape`."""
    taps = weight_array(weight, dtype)
    layout, geometry = arranged(taps.shape, input_shape, channel_axis, transposed, **arguments)
    taps = taps.reshape(geometry.weight_shape)
    taps.flags.writeable = False
    return map_of(geometry, taps, flip, method, layout)
