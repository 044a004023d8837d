"""Where arrays have their channels: from `channel_axis` to the order that geometry knows, and back."""

from collections.abc import Callable
from functools import lru_cache
from math import prod
from typing import Any, NamedTuple

import numpy as np

from convops._arguments import integer, shape, shown
from convops._arrays import Array
from convops.geometry import ConvGeometry

Shape = tuple[int, ...]


class Layout(NamedTuple):
    """The axis of channels in the array of one item, where the geometry has it elsewhere.

    Channels that a weight mixes come first in the geometry. Those that share one kernel are a spatial axis
    of one tap there, in its place, so that the geometry has the shapes of the arrays.
    """

    axis: int
    shared: bool

    def outside(self, sizes: Shape) -> Shape:
        """Return the shape of an array of which the geometry says the shape."""
        if self.shared:
            return sizes
        return (*sizes[1 : self.axis + 1], sizes[0], *sizes[self.axis + 1 :])

    def bare(self, weight_shape: Shape) -> Shape:
        """Return the shape in which the weight is given of which the geometry says the shape."""
        return _without(weight_shape, self.axis) if self.shared else weight_shape

    def core(self, geometry: ConvGeometry) -> ConvGeometry:
        """Return the convolution that is applied: that of one channel where all share a kernel."""
        if not self.shared:
            return geometry
        return ConvGeometry(
            _without(geometry.weight_shape, self.axis),
            _without(geometry.input_shape, self.axis),
            stride=_without(geometry.stride, self.axis),
            padding=_without(geometry.padding, self.axis),
            dilation=_without(geometry.dilation, self.axis),
            boundary=_without(geometry.boundary, self.axis),
        )

    def blocks(self, arrays: Array) -> Array:
        """Return arrays ``(batch, *item)`` as blocks of the core, ``(batch, channels, *spatial)``."""
        moved = np.moveaxis(arrays, self.axis + 1, 1)
        if self.shared:
            moved = moved.reshape(-1, 1, *moved.shape[2:])
        return np.ascontiguousarray(moved)

    def arrays(self, blocks: Array, batch: int) -> Array:
        """Return the arrays of which `blocks` makes such blocks."""
        if self.shared:
            blocks = blocks.reshape(batch, prod(blocks.shape[:2]) // max(batch, 1), *blocks.shape[2:])
        return np.ascontiguousarray(np.moveaxis(blocks, 1, self.axis + 1))

    def renumbered(self, numbers: Any, sizes: Shape) -> Any:
        """Return the places in an array, in C order, of what the geometry has at `numbers` in its order."""
        if self.shared:
            return numbers
        behind = prod(sizes[self.axis + 1 :])
        channel, place = divmod(numbers, prod(sizes[1:]))
        before, after = divmod(place, behind)
        return (before * sizes[0] + channel) * behind + after


def outside(layout: Layout | None, sizes: Shape) -> Shape:
    """Return the shape of an array of which the geometry says the shape; None is the order that it has."""
    return sizes if layout is None else layout.outside(sizes)


def channels_on(layout: Layout | None, geometry: ConvGeometry) -> int | None:
    """Return the axis of channels in the array of one item, None where there is none."""
    if layout is not None:
        return layout.axis
    return 0 if geometry.has_channels else None


def arranged(
    weight_shape: Shape, input_shape: object, channel_axis: object, transposed: bool, **arguments: Any
) -> tuple[Layout | None, ConvGeometry]:
    """Return where the arrays have their channels, None for first or none, and the geometry.

    The arguments are those of `ConvGeometry`, or of its `transposed`. Geometries are remembered, with what
    has been derived from them since.
    """
    plain = all(map(_plain, (weight_shape, input_shape, channel_axis, *arguments.values())))
    find = _arranged if plain else _arranged.__wrapped__
    return find(weight_shape, input_shape, channel_axis, transposed, **arguments)


def _plain(value: object) -> bool:
    """Return whether an argument equals no other that means another thing, as 1 equals 1.0 and True."""
    kind = type(value)
    if kind is tuple:
        return all(map(_plain, value))  # type: ignore[call-overload]
    return kind is int or kind is str or value is None


@lru_cache(128)
def _arranged(
    weight_shape: Shape, input_shape: object, channel_axis: object, transposed: bool, **arguments: Any
) -> tuple[Layout | None, ConvGeometry]:
    build: Callable[..., ConvGeometry] = ConvGeometry.transposed if transposed else ConvGeometry
    if channel_axis is None:
        return None, build(weight_shape, input_shape, **arguments)
    sizes = shape("input_shape", input_shape)
    axis = position(channel_axis, sizes)
    if len(weight_shape) == len(sizes) - 1:
        return Layout(axis, True), _of_shared(build, weight_shape, sizes, axis, arguments)
    if len(weight_shape) != len(sizes) + 1:
        raise ValueError(
            f"{shown('channel_axis', channel_axis)}: with it, a weight of shape {weight_shape} has "
            f"{len(weight_shape)} axes too many or too few for {shown('input_shape', sizes)}. It must have "
            f"{len(sizes) - 1} (kernel alone, for every channel) or {len(sizes) + 1} (C_out, C_in // "
            "groups, *kernel)."
        )
    _refuse_other_channels(weight_shape, sizes, axis, transposed, arguments)
    if arguments.get("output_shape") is not None:
        groups = integer("groups", arguments.get("groups", 1), 1)
        wanted = _spatial(arguments["output_shape"], len(sizes), axis, weight_shape[1] * groups)
        arguments = arguments | {"output_shape": wanted}
    geometry = build(weight_shape, (sizes[axis], *_without(sizes, axis)), **arguments)
    return Layout(axis, False) if axis else None, geometry


def position(channel_axis: object, item_shape: Shape) -> int:
    """Return the axis of channels of one item, counted from 0."""
    count = len(item_shape)
    if count < 2:
        raise ValueError(
            f"{shown('channel_axis', channel_axis)}: an array of shape {item_shape} has no axis beside that "
            "of its channels. Leave channel_axis out."
        )
    axis = integer("channel_axis", channel_axis, -count)
    if axis >= count:
        raise ValueError(
            f"{shown('channel_axis', channel_axis)}: it must be an axis of one array without its batch, of "
            f"shape {item_shape}: {-count} to {count - 1}; got {axis}."
        )
    return axis % count


def _of_shared(
    build: Callable[..., ConvGeometry], kernel: Shape, sizes: Shape, axis: int, arguments: dict[str, Any]
) -> ConvGeometry:
    """Return the geometry of one kernel for all channels, whose axis gets a single tap."""
    if (groups := integer("groups", arguments.get("groups", 1), 1)) != 1:
        raise ValueError(
            f"{shown('groups', groups)}: one kernel of shape {kernel} for every channel leaves nothing to "
            "group. Leave groups out, or give a weight (C_out, C_in // groups, *kernel)."
        )
    if (wanted := arguments.get("output_shape")) is not None:
        arguments = arguments | {"output_shape": _spatial(wanted, len(sizes), axis, sizes[axis])}
    one = build(kernel, _without(sizes, axis), **arguments)
    return ConvGeometry(
        _with(one.weight_shape, axis, 1),
        _with(one.input_shape, axis, sizes[axis]),
        stride=_with(one.stride, axis, 1),
        padding=_with(one.padding, axis, (0, 0)),
        dilation=_with(one.dilation, axis, 1),
        boundary=_with(one.boundary, axis, "zeros"),
    )


def _refuse_other_channels(
    weight_shape: Shape, sizes: Shape, axis: int, transposed: bool, arguments: dict[str, Any]
) -> None:
    """Refuse a number of channels that the weight does not take, in terms of the arrays as they are given."""
    groups = integer("groups", arguments.get("groups", 1), 1)
    needed = weight_shape[0] if transposed else weight_shape[1] * groups
    if sizes[axis] != needed:
        order = "(C_in, C_out // groups, *kernel)" if transposed else "(C_out, C_in // groups, *kernel)"
        raise ValueError(
            f"{shown('input_shape', sizes)}: axis {axis} is that of the channels, and the weight of shape "
            f"{weight_shape}, {order}, reads {needed} of them in {groups} group(s); got {sizes[axis]}."
        )


def _spatial(output_shape: object, count: int, axis: int, channels: int) -> Shape:
    """Return an `output_shape` without its channels, which must be so many if it has any."""
    wanted = shape("output_shape", output_shape)
    if len(wanted) != count:
        return wanted
    if wanted[axis] != channels:
        raise ValueError(
            f"{shown('output_shape', wanted)}: axis {axis} is that of the channels, and the transpose "
            f"returns {channels} channels; got {wanted[axis]}."
        )
    return _without(wanted, axis)


def _without(items: tuple[Any, ...], place: int) -> tuple[Any, ...]:
    return items[:place] + items[place + 1 :]


def _with(items: tuple[Any, ...], place: int, item: Any) -> tuple[Any, ...]:
    return (*items[:place], item, *items[place:])
