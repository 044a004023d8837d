"""The smaller convolutions that one can be shrunk to, for a report of a fault that is easy to read."""

from collections.abc import Iterator
from typing import Any

from convops.geometry import ConvGeometry
from convops.operators.arranged import map_of
from convops.operators.map import Map


def smaller_maps(map_: Map) -> Iterator[Map]:
    """Yield convolutions that are simpler in one respect: sizes first, then the kernel, then the rest.

    The weight is cut down with the geometry; the method stays, and what it cannot do is left out.
    """
    geometry = map_.geometry
    for weight, changes in _candidates(map_, geometry):
        arguments: dict[str, Any] = {
            "stride": geometry.stride,
            "padding": geometry.padding,
            "dilation": geometry.dilation,
            "groups": geometry.groups,
            "boundary": geometry.boundary,
            "input_shape": geometry.input_shape,
            **changes,
        }
        weight = weight.copy()
        weight.flags.writeable = False
        try:
            made = ConvGeometry(weight.shape, **arguments)
            yield map_of(made, weight, map_.flip, map_.method, map_.layout)
        except ValueError:  # the kernel no longer fits, or the method cannot do it
            continue


def _candidates(map_: Map, geometry: ConvGeometry) -> Iterator[tuple[Any, dict[str, Any]]]:
    weight, shape = map_.weight, geometry.input_shape
    channels = geometry.has_channels
    if channels and (geometry.groups > 1 or geometry.in_channels > 1 or geometry.out_channels > 1):
        yield weight[:1, :1], {"groups": 1, "input_shape": (1, *shape[1:])}
        if geometry.groups > 1:
            per_group = geometry.out_channels // geometry.groups
            kept = geometry.in_channels // geometry.groups
            yield weight[:per_group], {"groups": 1, "input_shape": (kept, *shape[1:])}
        else:
            for count in _fewer(geometry.out_channels):
                yield weight[:count], {}
            for count in _fewer(geometry.in_channels):
                yield weight[:, :count], {"input_shape": (count, *shape[1:])}
    for axis in range(channels, len(shape)):
        for size in _fewer(shape[axis]):
            yield weight, {"input_shape": (*shape[:axis], size, *shape[axis + 1 :])}
    first = weight.ndim - len(geometry.kernel_size)
    for axis, size in enumerate(geometry.kernel_size):
        if size > 1:
            cut = (slice(None),) * (first + axis)
            yield weight[(*cut, slice(size - 1))], {}
    for name, simplest in (("stride", 1), ("dilation", 1), ("padding", (0, 0)), ("boundary", "zeros")):
        for axis, value in enumerate(getattr(geometry, name)):
            if value != simplest:
                values = list(getattr(geometry, name))
                values[axis] = simplest
                yield weight, {name: tuple(values)}


def _fewer(count: int) -> list[int]:
    """Return what to try in place of a count, the smallest first."""
    return sorted({count // 2, count - 1} - {0})
