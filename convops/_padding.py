"""The forms of `padding` made (before, after) pairs, and the input sizes that a transpose can choose."""

from collections.abc import Sequence
from typing import Any

from convops._arguments import choice, integer, is_sequence, per_axis, shape, shown
from convops._axis import Axis, sizes_by_output_padding

PADDINGS = ("valid", "same", "same_lower", "full", "causal")

OTHER_NAMES = {
    "same_upper": "same",
    "upper": "same",
    "lower": "same_lower",
    "notset": "valid",
    "none": "valid",
}


def padding_pairs(padding: object, axes: Sequence[Axis]) -> tuple[tuple[int, int], ...]:
    """Return one (before, after) pair per spatial axis; the pads that `axes` carry are not read."""
    if isinstance(padding, str):
        name = choice("padding", padding, PADDINGS, OTHER_NAMES)
        return tuple(_named_pair(name, axis) for axis in axes)
    if is_sequence(padding):
        items = tuple(padding)
        if any(map(is_sequence, items)):
            return _explicit_pairs(padding, items, len(axes))
    return tuple([(pad, pad) for pad in per_axis("padding", padding, len(axes), 0)])


def _named_pair(name: str, axis: Axis) -> tuple[int, int]:
    if name == "valid":
        return 0, 0
    if name == "full":
        return axis.effective - 1, axis.effective - 1
    if name == "causal":
        return axis.effective - 1, 0
    outputs = -(-axis.size // axis.stride)
    total = max((outputs - 1) * axis.stride + axis.effective - axis.size, 0)
    less, more = total // 2, total - total // 2
    return (less, more) if name == "same" else (more, less)


def _explicit_pairs(padding: object, items: tuple[Any, ...], count: int) -> tuple[tuple[int, int], ...]:
    if len(items) != count or not all(is_sequence(item) and len(item) == 2 for item in items):
        raise ValueError(
            f"{shown('padding', padding)}: one (before, after) pair per spatial axis is needed, {count} of "
            f"them; got {len(items)} item(s). For one axis write [(before, after)]."
        )
    return tuple(
        (
            integer("padding", before, 0, typed=padding, where=f"axis {axis}, before,"),
            integer("padding", after, 0, typed=padding, where=f"axis {axis}, after,"),
        )
        for axis, (before, after) in enumerate(items)
    )


def transposed_sizes(
    axes: Sequence[Axis], padding: object, output_padding: object, output_shape: object, channels: int
) -> tuple[int, ...]:
    """Return the spatial sizes of a transpose that reads axes of the sizes in `axes`.

    `output_shape` may start with a channel axis, which must be `channels`; 0 where there is none.
    """
    extra = per_axis("output_padding", output_padding, len(axes), 0)
    for number, (more, axis) in enumerate(zip(extra, axes, strict=True)):
        if more >= axis.stride:
            raise ValueError(
                f"{shown('output_padding', output_padding)}: axis {number} must be less than its stride "
                f"{axis.stride}; got {more}. A size further off comes from another input size: give a larger "
                "input, or pad the result."
            )
    same = isinstance(padding, str) and padding in ("same", "same_lower")
    # The pads of "same" depend on the size that is sought here, and its sizes do not depend on the pads.
    pairs = ((0, 0),) * len(axes) if same else padding_pairs(padding, axes)
    reachable = [_reachable(axis, pair, same) for axis, pair in zip(axes, pairs, strict=True)]
    if output_shape is not None:
        if any(extra):
            raise ValueError(
                f"{shown('output_padding', output_padding)}: output_padding and output_shape both choose the "
                "size; give one of them."
            )
        wanted = _spatial_part(output_shape, len(axes), channels)
        for number, size in enumerate(wanted):
            if size not in reachable[number]:
                raise ValueError(
                    f"{shown('output_shape', output_shape)}: axis {number} cannot be {size}. "
                    f"{_sizes_in_words(axes[number], pairs[number], padding, reachable[number])}."
                )
        return wanted
    if same:
        if any(extra):
            raise ValueError(
                f"{shown('output_padding', output_padding)}: with {shown('padding', padding)} the output has "
                f"size * stride = {tuple(sizes[-1] for sizes in reachable)}; leave output_padding at 0, or "
                "name another reachable size with output_shape."
            )
        return tuple(sizes[-1] for sizes in reachable)
    for number, (sizes, more) in enumerate(zip(reachable, extra, strict=True)):
        if sizes[more] < 1:
            raise ValueError(
                f"{shown('padding', padding)}: axis {number} of the transpose would have size {sizes[more]}. "
                f"{_sizes_in_words(axes[number], pairs[number], padding, sizes)}. Remove less."
            )
    return tuple(sizes[more] for sizes, more in zip(reachable, extra, strict=True))


def _reachable(axis: Axis, pair: tuple[int, int], same: bool) -> range:
    """Return the input sizes that the convolution maps to ``axis.size``; some may be below 1."""
    smallest = (axis.size - 1) * axis.stride + (1 if same else axis.effective - sum(pair))
    return range(smallest, smallest + axis.stride)


def _spatial_part(output_shape: object, count: int, channels: int) -> tuple[int, ...]:
    wanted = shape("output_shape", output_shape)
    if channels and len(wanted) == count + 1:
        if wanted[0] != channels:
            raise ValueError(
                f"{shown('output_shape', output_shape)}: the transpose returns {channels} channels, the "
                f"second axis of its weight times groups; got {wanted[0]}."
            )
        return wanted[1:]
    if len(wanted) != count:
        raise ValueError(
            f"{shown('output_shape', output_shape)}: one size per spatial axis is needed, {count} of them"
            f"{', with or without the channels before' if channels else ''}; got {len(wanted)} item(s)."
        )
    return wanted


def _sizes_in_words(axis: Axis, pair: tuple[int, int], padding: object, sizes: range) -> str:
    """Say which sizes one axis of a transpose can have, and from which numbers."""
    facts = f"With input size {axis.size}, kernel {axis.kernel}, stride {axis.stride}, "
    if axis.dilation > 1:
        facts += f"dilation {axis.dilation}, "
    if isinstance(padding, str) and padding in ("same", "same_lower"):
        return facts + f"padding {padding!r} it is {sizes[0]} to {sizes[-1]}"
    return facts + f"padding {pair} it is {sizes_by_output_padding(sizes)}"
