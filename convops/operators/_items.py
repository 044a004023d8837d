"""Which axes of an array are those of a batch, and which those of one item."""

from convops._arguments import integer, shown
from convops.operators._messages import Shape

_COLOURS = (2, 3, 4)
"""Sizes of an axis that is rather one of channels than of space: two components, RGB, RGB with alpha."""


def item_shape(shape: Shape, weight_shape: Shape, batch_dims: object, channel_axis: object = None) -> Shape:
    """Return the shape of one item of the batch; what `channel_axis` makes of it is checked elsewhere."""
    count = integer("batch_dims", batch_dims, 0)
    if count >= len(shape):
        raise ValueError(
            f"{shown('batch_dims', batch_dims)}: x of shape {shape} has {len(shape)} axes, and at least one "
            "of them must be left for the input."
        )
    item = shape[count:]
    if 0 in item:
        raise ValueError(
            f"x has shape {shape}: axis {shape.index(0, count)} must be at least 1; got 0. Batch axes "
            f"alone may be empty, and {shown('batch_dims', batch_dims)} leaves an input of shape {item}."
        )
    fits = channel_axis is not None or len(weight_shape) - len(item) in (0, 1)
    if weight_shape and 0 not in weight_shape and not fits:
        raise ValueError(
            f"{shown('batch_dims', batch_dims)}: it leaves an input of shape {item} of x of shape "
            f"{shape}, and a weight of shape {weight_shape} has {len(weight_shape)} axes. It must have as "
            f"many as the input (kernel alone, one channel), which are {len(item)}, or one more (C_out, "
            f"C_in // groups, *kernel). {_one_kernel_for_all(item, len(weight_shape))}"
        )
    return item


def _one_kernel_for_all(item: Shape, axes: int) -> str:
    """Say how one kernel is applied to every channel: what a weight of too few axes is probably for."""
    if len(item) == axes + 1 and item[-1] in _COLOURS and item[0] not in _COLOURS:
        return (
            f"If the last axis, of {item[-1]}, holds the channels, channel_axis=-1 has the kernel convolve "
            "each of them."
        )
    return "One kernel for each channel of (C, *spatial) is batch_dims=1."
