"""How arrays are cut: which chunks a result gets, and which are too short to lend their border to others."""

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

from convops._arguments import integer, is_sequence, shown
from convops._axis import Axis
from convops.geometry import ConvGeometry

Sizes = tuple[int, ...]


def asked_chunks(chunks: Any, geometry: ConvGeometry) -> tuple[Sizes | None, ...]:
    """Return the sizes of the chunks along each spatial axis of the output, None where they are "auto"."""
    axes = geometry.output_shape[geometry.has_channels :]
    if not is_sequence(chunks):
        return tuple(_along("chunks", chunks, chunks, size, f"axis {axis}") for axis, size in enumerate(axes))
    items = list(chunks)
    if geometry.has_channels and len(items) == len(axes) + 1:
        first, *items = items
        channels = geometry.out_channels
        if _along("chunks", chunks, first, channels, "the channel axis") not in (None, (channels,)):
            raise ValueError(
                f"{shown('chunks', chunks)}: the channel axis stays whole, because each output reads all "
                f"input channels of its group. Give -1 for it, or {channels}, or leave it out."
            )
    if len(items) != len(axes):
        also = f", or one per axis of output_shape {geometry.output_shape}" if geometry.has_channels else ""
        raise ValueError(
            f"{shown('chunks', chunks)}: one size, or one tuple of sizes, per spatial axis of the output is "
            f"needed, {len(axes)} of them{also}; got {len(items)}. An int alone stands for every axis."
        )
    return tuple(
        _along("chunks", chunks, item, size, f"axis {axis}")
        for axis, (item, size) in enumerate(zip(items, axes, strict=True))
    )


def _along(name: str, typed: Any, item: Any, size: int, where: str) -> Sizes | None:
    if isinstance(item, str) and item == "auto":
        return None
    if is_sequence(item):
        sizes = tuple(integer(name, one, 1, typed=typed, where=where) for one in item)
        if sum(sizes) != size:
            raise ValueError(
                f"{shown(name, typed)}: the chunks must cover the output, and those of {where} add up to "
                f"{sum(sizes)}, where it has {size}."
            )
        return sizes
    if isinstance(item, str) or not hasattr(item, "__index__"):
        raise TypeError(
            f"{shown(name, typed)}: the chunks of {where} are an int, a tuple of ints, -1 for one chunk, or "
            f"'auto'; got {type(item).__name__}."
        )
    if not isinstance(item, bool) and int(item) == -1:
        return (size,)
    length = integer(name, item, 1, typed=typed, where=where)
    return (length,) * (size // length) + ((size % length,) if size % length else ())


def fitting_chunks(axis: Axis, source: Sizes, transposed: bool) -> Sizes:
    """Return chunks of a result that lie where those of its source do, none shorter than a neighbour reads.

    An output lies on the sample that its middle tap reads, or on another that the stride steps over: then
    chunks of round sizes keep them.
    """
    middle = axis.before - (axis.effective - 1) // 2
    middle = middle if abs(middle) >= axis.stride else 0
    inner = list(accumulate(source))[:-1]
    if transposed:
        total, marks = axis.size, [axis.stride * p - middle for p in inner]
    else:
        total, marks = axis.out_size, [-(-(q + middle) // axis.stride) for q in inner]
    edges = [0, *sorted({mark for mark in marks if 0 < mark < total}), total]
    return merged([high - low for low, high in pairwise(edges)], reach(axis, transposed))


def reach(axis: Axis, samples: bool) -> int:
    """Return how many samples, or outputs, of a neighbour a chunk reads at most, borders apart."""
    return axis.effective - 1 if samples else -(-(axis.effective - 1) // axis.stride)


def merged(sizes: Sequence[int], least: int) -> Sizes:
    """Return chunks of at least this size, each made of successive ones.

    Examples
    --------
    >>> merged([4, 1, 1, 5, 2], 3)
    (4, 9)
    """
    out: list[int] = []
    run = 0
    for size in sizes:
        run += size
        if run >= max(least, 1):
            out.append(run)
            run = 0
    if run and out:
        out[-1] += run
    elif run:
        out.append(run)
    return tuple(out)


def edges_of(sizes: Sizes) -> list[tuple[int, int]]:
    """Return where each chunk starts and stops."""
    return list(pairwise([0, *accumulate(sizes)]))
