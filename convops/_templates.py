"""The values that stand in the rows of W: the taps, and what folding makes of them at the border."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from convops._arrays import Array, check_range
from convops._pattern import Pattern
from convops.geometry import ConvGeometry

_FOLDED = "W, where the boundary folds the weight,"


def templates(geometry: ConvGeometry, patterns: Sequence[Pattern], weight: Array) -> Array:
    """Return the values of all templates: each spatial axis holds its taps, then what folding makes of them.

    Small integers are folded in int64 and come back in the dtype of the weight.
    """
    channels = geometry.in_channels // geometry.groups
    weight = weight.reshape(geometry.out_channels, channels, *geometry.kernel_size)
    if all(pattern.folding is None for pattern in patterns):
        return weight
    values = weight
    if weight.dtype.kind in "iu":
        _refuse_overflow(weight, patterns)
        values = weight.astype(np.int64)
    for number, pattern in enumerate(patterns, start=2):
        if pattern.folding is not None:
            moved = np.moveaxis(values, number, 0)
            folding = pattern.folding.astype(_real(values.dtype))
            with np.errstate(over="ignore", invalid="ignore"):
                border = folding @ moved.reshape(moved.shape[0], -1)
            moved = np.concatenate([moved, border.reshape(-1, *moved.shape[1:])])
            values = np.moveaxis(moved, 0, number)
    if values.dtype != weight.dtype:
        check_range(_FOLDED, values, weight.dtype)
    elif weight.dtype.kind in "fc" and not np.isfinite(values).all():
        raise OverflowError(
            f"{_FOLDED} leaves the range of {weight.dtype}, which ends at {np.finfo(weight.dtype).max:.3g}. "
            "Scale the weight down."
        )
    return np.ascontiguousarray(values, dtype=weight.dtype)


def _refuse_overflow(weight: Array, patterns: Sequence[Pattern]) -> None:
    """Refuse an integer weight that the boundary could fold to an entry beyond int64."""
    largest = max(-int(weight.min()), int(weight.max()))
    for pattern in patterns:
        if pattern.folding is not None and pattern.folding.nnz:
            largest *= max(int(abs(pattern.folding).sum(axis=1).max()), 1)
    if largest >= 2**63:
        raise OverflowError(
            f"{_FOLDED} could hold {largest}: integers are computed in int64, which ends at 2**63 - 1. Give "
            "the weight as floats."
        )


def _real(dtype: np.dtype[Any]) -> np.dtype[Any]:
    return np.zeros(0, dtype).real.dtype
