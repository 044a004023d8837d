"""What "auto" stands for: the method that the cost model expects to be the fastest."""

import sys
from collections.abc import Callable
from math import ceil, prod
from typing import Any, NamedTuple

import numpy as np

from convops._arrays import Array
from convops._axis import Axis
from convops._memory import available_bytes
from convops.apply import fft, gemm, separable
from convops.apply.cost import Cost
from convops.geometry import ConvGeometry

METHODS = ("auto", "sparse", "gemm", "fft", "separable")

_ENTRIES = 1.8e9
"""Entries of W a second that a product with it reads from cache; beyond, bytes count."""
_MATRIX_BYTES = 10e9
"""Bytes of W a second that a product with it reads from memory."""
_DIAGONAL_BYTES = 20e9
"""Bytes a second that a product with the diagonals of W reads while they are `_CACHED_DIAGONALS`."""
_FAR_DIAGONAL_BYTES = 11e9
_CACHED_DIAGONALS = 2**22
_LEAST_FILLED = 0.6
"""Share of what the diagonals hold that must be entries of W."""
_CACHED_MATRIX = 2**24
"""Bytes of W that a product may find in the third-level cache."""
_SPARSE_CALL = 3e-6
"""Seconds that one sparse product takes whatever its size."""
_COLUMN = 2e-9
"""Seconds that an element of a batch takes on its way into a column, or back."""
_LARGEST_MATRIX = 2**30
"""Bytes of W beyond which building it takes seconds, and memory is better kept."""
_SMALL_MATRIX = 2**20
"""Bytes of W below which a product with it takes less than the overhead of any other method."""
_LONG_BORDER = 2**16
"""Border outputs of W that it takes long to count, and longer to write."""
_NOT_OF_RANK_ONE = "the kernel is not of rank 1"


class Choice(NamedTuple):
    """A method, what it and the others are expected to cost, and why some are out of the question."""

    method: str
    costs: dict[str, Cost]
    refusals: dict[str, str]

    def explain(self, method: str, auto: bool) -> str:
        """Return the method in use, why it is, and a line per method."""
        reason = "as asked for"
        if auto:
            reason = (
                "cheapest by the cost model" if method == self.method else "W is too small to think about"
            )
        lines = [f'method "{method}": {reason}']
        for other in METHODS[1:]:
            if other in self.costs:
                lines.append(f"  {other}: {_in_words(self.costs[other])}")
            else:
                lines.append(f"  {other}: {self.refusals[other]}")
        return "\n".join(lines)


def choose(geometry: ConvGeometry, weight: Array) -> Choice:
    """Return what "auto" chooses; the choice depends on the memory that is free when it is made."""
    # Integers are multiplied as float64 wherever that is exact.
    floats = np.dtype(np.float64) if weight.dtype.kind in "iu" else weight.dtype
    refusals: dict[str, str | None] = {
        "sparse": _too_large(geometry, weight.dtype),
        "fft": refusal("fft", geometry, weight),
        "separable": _not_rank_one(geometry, weight),
    }
    estimates: dict[str, Callable[[], Cost]] = {
        "sparse": lambda: sparse_estimate(geometry, weight.dtype),
        "gemm": lambda: gemm.estimate(geometry, floats),
        "fft": lambda: fft.estimate(geometry, floats),
        "separable": lambda: separable.estimate(geometry, floats),
    }
    costs = {method: estimate() for method, estimate in estimates.items() if refusals.get(method) is None}
    fastest = min(costs, key=lambda method: costs[method].seconds)
    return Choice(
        fastest, costs, {method: reason for method, reason in refusals.items() if reason is not None}
    )


def with_rank(choice: Choice, geometry: ConvGeometry, weight: Array) -> Choice:
    """Return the choice with what the passes cost by which a kernel that is not of rank 1 is applied by name.

    Only to explain the choice: to make it, no kernel need be decomposed.
    """
    if choice.refusals.get("separable") != _NOT_OF_RANK_ONE:
        return choice
    found = separable.terms(geometry, weight)
    if not isinstance(found, str):
        rank = len(found)
        found = (
            f"{_in_words(separable.estimate(geometry, weight.dtype, rank))}; the rank found is {rank}, the "
            f"limit {separable.largest_rank(geometry.kernel_size)}. "
            '"auto" takes rank 1 alone, to the last bits of every tap.'
        )
    return choice._replace(refusals=choice.refusals | {"separable": found})


def worth_no_thought(geometry: ConvGeometry, dtype: np.dtype[Any]) -> bool:
    """Return whether W is so small that nothing has less overhead than one product with it."""
    if geometry.most_entries > 2**20:  # counting nnz takes thought where a border folds many times
        return False
    return geometry.nnz * (dtype.itemsize + 8) <= _SMALL_MATRIX


def batches_by_gemm(geometry: ConvGeometry, dtype: np.dtype[Any]) -> int:
    """Return from how many arrays on a batch is cheaper by "gemm" than by W, whose vectors lie in columns."""
    moved = 0.0 if has_diagonals(geometry) else (geometry.shape[0] + geometry.shape[1]) * _COLUMN
    overhead = gemm.overhead(geometry)
    each = gemm.estimate(geometry, dtype).seconds - overhead
    saved = sparse_estimate(geometry, dtype).seconds + moved - each
    return max(ceil(overhead / saved), 2) if saved > 0 else sys.maxsize


def refusal(method: str, geometry: ConvGeometry, weight: Array) -> str | None:
    """Return why a method that was asked for cannot do the job; None if it can."""
    if method == "separable":
        found = separable.terms(geometry, weight)
        return found if isinstance(found, str) else None
    if method == "fft" and weight.dtype.kind in "iu":
        return (
            "transforms round, and integers are kept exact. Use method='gemm' or 'sparse', or a float dtype."
        )
    if method == "fft" and not np.isfinite(weight).all():
        return "the weight is not finite, and a transform would spread that. Use method='sparse'."
    return None


def _not_rank_one(geometry: ConvGeometry, weight: Array) -> str | None:
    if (reason := separable.unfit(geometry, weight)) is not None:
        return reason
    if separable.rank_one(weight.reshape(geometry.in_channels, *geometry.kernel_size)) is None:
        return _NOT_OF_RANK_ONE
    return None


def has_diagonals(geometry: ConvGeometry) -> bool:
    """Return whether each tap reads a diagonal of W of its own, and few of its places lie outside of W.

    That is so where channels do not mix, and every axis keeps its size, with zeros beyond its ends. Taps that
    are a line apart would share a diagonal.
    """
    apart = geometry.in_channels == geometry.out_channels == geometry.groups
    if not apart or not all(_keeps_size(axis) for axis in geometry.axes):
        return False
    if any(axis.effective > axis.size for axis in geometry.axes[1:]):
        return False
    return geometry.nnz >= _LEAST_FILLED * prod(geometry.kernel_size) * geometry.shape[1]


def _keeps_size(axis: Axis) -> bool:
    padded = axis.before or axis.after
    return axis.stride == 1 and axis.out_size == axis.size and (axis.boundary == "zeros" or not padded)


def sparse_estimate(geometry: ConvGeometry, dtype: np.dtype[Any]) -> Cost:
    """Return the cost of one product with W, once it is built."""
    flops = 2.0 * geometry.nnz * (4 if dtype.kind == "c" else 1)
    if dtype.kind in "fc" and has_diagonals(geometry):
        nbytes = prod(geometry.kernel_size) * geometry.shape[1] * dtype.itemsize
        rate = _DIAGONAL_BYTES if nbytes <= _CACHED_DIAGONALS else _FAR_DIAGONAL_BYTES
        seconds = nbytes / rate * (1.5 if dtype.kind == "c" else 1)
        return Cost(flops, nbytes, _SPARSE_CALL + seconds)
    nbytes = geometry.nbytes(dtype)
    seconds = _SPARSE_CALL + geometry.nnz / _ENTRIES
    if nbytes > _CACHED_MATRIX:
        seconds = max(seconds, nbytes / _MATRIX_BYTES)
    return Cost(flops, nbytes, seconds)


def _too_large(geometry: ConvGeometry, dtype: np.dtype[Any]) -> str | None:
    """Return why W shall not be built; None if it may."""
    if any(axis.out_size - (axis.interior[1] - axis.interior[0]) > _LONG_BORDER for axis in geometry.axes):
        return 'W has so many rows at its borders that "auto" does not take the time to count its entries.'
    room = min(_LARGEST_MATRIX, available_bytes() // 2)
    nbytes = geometry.nbytes(dtype) if geometry.shape[0] * 4 <= room else geometry.shape[0] * 4
    if nbytes > room:
        return (
            f'W would take at least {_size(nbytes)}, and "auto" builds no W of more than {_size(room)}: half '
            "of the free memory, or 1 GiB if that is less."
        )
    return None


def _in_words(cost: Cost) -> str:
    time, flops, nbytes = _seconds(cost.seconds), cost.flops / 1e6, cost.nbytes / 1e6
    return f"about {time} on one core, {flops:.3g} Mflop, {nbytes:.3g} MB moved"


def _size(nbytes: int) -> str:
    return f"{nbytes / 2**30:.1f} GiB" if nbytes >= 2**30 else f"{nbytes / 2**20:.1f} MiB"


def _seconds(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e6:.3g} µs"
