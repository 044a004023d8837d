"""LᴴL of a regulariser at the frequencies of a convolution."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from convops._arrays import Array
from convops._axis import Axis
from convops.apply._threads import product_alone
from convops.operators.algebra.identity import Identity
from convops.operators.algebra.scaled import Scaled
from convops.operators.algebra.stacks import VStack
from convops.operators.base import ConvOperator
from convops.operators.closed_forms import with_channels
from convops.spectra._frequencies import FrequencyAxis

Term = tuple[float, ConvOperator | None]


def penalty(
    L: Any, lines: Sequence[FrequencyAxis], counts: Sequence[int], channels: bool, exact: bool
) -> Array | None:
    """Return LᴴL, ``(channels or 1, *counts)``, or None where it is not diagonal in the frequencies.

    `counts` says how many of them are asked for on each axis, from 0 on. Where `exact` is False, the boundary
    is passed over: what is returned is as good as LᴴL far from it.
    """
    total: Array | None = None
    for factor, part in _terms(L, 1.0):
        if factor != factor:
            return None
        found = np.ones((1, *counts)) if part is None else _of_part(part, lines, counts, channels, exact)
        if found is None:
            return None
        total = factor**2 * found if total is None else total + factor**2 * found
    return total


def _terms(L: Any, factor: float) -> Iterator[Term]:
    """Yield the convolutions that stand on top of each other in L, with their factors; NaN for others."""
    if isinstance(L, Scaled):
        yield from _terms(L.parts[0], factor * abs(L.factor))
    elif isinstance(L, VStack):
        for part in L.parts:
            yield from _terms(part, factor)
    elif isinstance(L, Identity):
        yield factor, None
    elif isinstance(L, ConvOperator) and not L._transposed and L._core is L:
        yield factor, L
    else:
        yield np.nan, None


def _of_part(
    part: ConvOperator, lines: Sequence[FrequencyAxis], counts: Sequence[int], channels: bool, exact: bool
) -> Array | None:
    axes = part.geometry.axes
    weight = with_channels(part.geometry, part._map.correlated)
    if part.geometry.has_channels:
        if not channels or weight.shape[1] > 1 or weight.shape[0] != part.geometry.groups:
            return None
        weight = weight[:, 0]
    else:
        weight = weight[0]
        if channels:  # the first axis of a plain operator runs over the channels
            if weight.shape[1] > 1 or axes[0].out_size != axes[0].size or axes[0].stride > 1:
                return None
            axes, weight = axes[1:], weight[:, 0]
    if any(axis.stride > 1 for axis in axes):
        return None
    for number, (axis, line) in enumerate(zip(axes, lines, strict=True), start=1):
        if exact and not _fits(axis, line, weight, number):
            return None
    values = weight
    for number, (axis, line, count) in enumerate(zip(axes, lines, counts, strict=True), start=1):
        turn = (2 if line.cosine else 1) * line.axis.size
        steps = np.arange(count)[:, None] * axis.dilation * np.arange(axis.kernel) % turn
        taps = np.moveaxis(values, number, -1)
        rows = product_alone(taps.reshape(-1, axis.kernel), np.exp(2j * np.pi / turn * steps).T)
        values = np.moveaxis(rows.reshape(*taps.shape[:-1], count), -1, number)
    return np.asarray(values.real**2 + values.imag**2)


def _fits(axis: Axis, line: FrequencyAxis, weight: Array, number: int) -> bool:
    """Tell whether along an axis, LᴴL is diagonal in the transform of a line."""
    if axis.kernel == 1 and axis.before == axis.after == 0:
        return True
    if not line.cosine:
        return axis.boundary == "wrap" and axis.out_size == axis.size == line.axis.size
    flipped = np.flip(weight, number)
    if axis.boundary == "symmetric" and axis.before == axis.after and axis.out_size == axis.size:
        return np.array_equal(weight, flipped)
    # Of first differences, the one across the border is 0: LᴴL is minus the Laplacian of a mirrored axis.
    inside = axis.before == axis.after == 0
    mirrored = axis.boundary in ("symmetric", "edge") and axis.before + axis.after == 1
    return axis.effective == axis.kernel == 2 and (inside or mirrored) and np.array_equal(weight, -flipped)
