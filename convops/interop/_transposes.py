"""A transposed convolution by what it keeps of its longest output: which place comes first, and how many."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from convops._arrays import Array
from convops.operators import Conv, ConvTranspose


def full_lengths(
    weight: Array, input_shape: tuple[int, ...], strides: Sequence[int], dilations: Sequence[int]
) -> list[int]:
    """Return the sizes of the longest output, one per spatial axis."""
    return [
        stride * (size - 1) + dilation * (taps - 1) + 1
        for size, taps, stride, dilation in zip(
            input_shape[1:], weight.shape[2:], strides, dilations, strict=True
        )
    ]


def kept_of_full(
    weight: Array,
    input_shape: tuple[int, ...],
    starts: Sequence[int],
    sizes: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    groups: int,
    method: str,
) -> Any:
    """Return the operator that keeps `sizes` places of the longest output, from `starts` on, per axis.

    Places before the first, and beyond the last, are zeros: the operator is then a product with one that
    appends them.
    """
    lengths = full_lengths(weight, input_shape, strides, dilations)
    padding, appended, reached = [], [], True
    for length, start, size in zip(lengths, starts, sizes, strict=True):
        if start >= length or start + size <= 0:
            reached, start = False, 0  # nothing but zeros: any place will do, multiplied by zero
        first, last = max(start, 0), min(start + size, length)
        padding.append((first, length - last))
        appended.append((first - start, start + size - last))
    kept = tuple([length - sum(pair) for length, pair in zip(lengths, padding, strict=True)])
    B = ConvTranspose(
        weight,
        input_shape,
        stride=tuple(strides),
        padding=tuple(padding),
        dilation=tuple(dilations),
        groups=groups,
        output_shape=(weight.shape[1] * groups, *kept),
        method=method,
    )
    if reached and not any(map(any, appended)):
        return B
    channels = B.output_shape[0]
    taps = np.full((channels, 1, *[1] * len(kept)), reached, B.dtype)
    return Conv(taps, B.output_shape, groups=channels, padding=tuple(appended)) @ B
