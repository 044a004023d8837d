"""Kernels of rank 1, or of low rank, as passes along the axes: d·k taps instead of k^d."""

from functools import cached_property, lru_cache, reduce
from math import prod
from typing import Any

import numpy as np

from convops._arrays import Array
from convops.apply._finite import finite
from convops.apply.cost import Cost
from convops.apply.gemm import GemmEngine
from convops.apply.gemm import estimate as pass_estimate
from convops.geometry import ConvGeometry

Term = tuple[Array, ...]
"""One kernel per axis, each of shape ``(channels, taps)``; their outer product is a term of the weight."""


class SeparableEngine:
    """W as a sum of few products of convolutions along one axis each; Wᴴ as the adjoints in reverse order."""

    def __init__(self, geometry: ConvGeometry, weight: Array) -> None:
        found = terms(geometry, weight)
        if isinstance(found, str):
            raise ValueError(f"method='separable': {found}")
        self._geometry = geometry
        self._terms = found

    @cached_property
    def _passes(self) -> list[list[GemmEngine]]:
        """One list of passes per term, in the order of the forward application."""
        geometries = pass_geometries(self._geometry)
        return [
            [GemmEngine(line, _line(line, term[axis], axis)) for axis, line in geometries]
            for term in self._terms
        ]

    def forward(self, x: Array) -> Array:
        """Return W x; see `Engine`."""
        total: Array | None = None
        for passes in self._passes:
            y = x
            for engine in passes:
                y = engine.forward(y)
            total = y if total is None else np.add(total, y, out=total)
        assert total is not None
        return total

    def sound(self, result: Array, transposed: bool) -> bool:
        """Return whether NaN and inf are where W puts them; see `Engine`."""
        return finite(result)

    def adjoint(self, y: Array) -> Array:
        """Return Wᴴ y; see `Engine`."""
        total: Array | None = None
        for passes in self._passes:
            x = y
            for engine in reversed(passes):
                x = engine.adjoint(x)
            total = x if total is None else np.add(total, x, out=total)
        assert total is not None
        return total


def estimate(geometry: ConvGeometry, dtype: np.dtype[Any], rank: int = 1) -> Cost:
    """Return the cost of one forward application by that many terms."""
    costs = [pass_estimate(line, dtype) for _, line in pass_geometries(geometry)]
    return Cost(*[rank * sum(part) for part in zip(*costs, strict=True)])


@lru_cache(32)
def pass_geometries(geometry: ConvGeometry) -> tuple[tuple[int, ConvGeometry], ...]:
    """Return the axis and the geometry of each pass: first the axes that shrink the most."""
    channels, sizes = geometry.in_channels, list(geometry.spatial_shape)
    order = sorted(range(len(sizes)), key=lambda axis: geometry.axes[axis].out_size / sizes[axis])
    passes = []
    for axis in order:
        ones: list[Any] = [1] * len(sizes)
        kernel, stride, dilation, padding = ones.copy(), ones.copy(), ones.copy(), [(0, 0)] * len(sizes)
        kernel[axis], stride[axis] = geometry.kernel_size[axis], geometry.stride[axis]
        dilation[axis], padding[axis] = geometry.dilation[axis], geometry.padding[axis]
        line = ConvGeometry(
            (channels, 1, *kernel),
            (channels, *sizes),
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=channels,
            boundary=geometry.boundary,
        )
        passes.append((axis, line))
        sizes[axis] = geometry.axes[axis].out_size
    return tuple(passes)


def terms(geometry: ConvGeometry, weight: Array) -> list[Term] | str:
    """Return the terms that the weight is the sum of to rounding error, or why there are none that help.

    A kernel of rank 1 is found entry by entry, so that each tap keeps its own relative precision. A sum of
    several is found by the singular value decomposition, and is exact relative to the largest tap; with more
    than two axes there may be a shorter one.
    """
    if (reason := unfit(geometry, weight)) is not None:
        return reason
    kernels = weight.reshape(geometry.in_channels, *geometry.kernel_size)
    if (term := rank_one(kernels)) is not None:
        return [term]
    found = _low_rank(kernels)
    sizes = geometry.kernel_size
    if len(found) > largest_rank(sizes):
        return (
            f"a kernel of shape {sizes} must be of rank {largest_rank(sizes)} at most; the rank found is "
            f"{len(found)}, which is {len(found)} * {sum(sizes)} taps in place of {prod(sizes)}. Use "
            "method='gemm' or 'fft'."
        )
    return found


def largest_rank(sizes: tuple[int, ...]) -> int:
    """Return up to which rank the terms of a kernel have fewer taps than the kernel; at least 1."""
    return max((prod(sizes) - 1) // sum(sizes), 1)


def unfit(geometry: ConvGeometry, weight: Array) -> str | None:
    """Return why passes along the axes cannot do the job, whatever the taps are; None if they may."""
    if not geometry.in_channels == geometry.out_channels == geometry.groups:
        return (
            f"channels that mix, {geometry.in_channels} in, {geometry.out_channels} out, {geometry.groups} "
            "group(s), are not separable. Give one kernel per channel, groups=C, or use method='gemm'."
        )
    if weight.dtype.kind in "iu":
        return (
            "the factors of a kernel are rounded, and integers are kept exact. Use method='gemm' or "
            "'sparse', or a float dtype."
        )
    if len(geometry.axes) == 1:
        return "there is one axis, so there is nothing to separate. Use method='gemm' or 'fft'."
    if not np.isfinite(weight).all():
        return "the weight is not finite. Use method='sparse'."
    return None


def rank_one(kernels: Array) -> Term | None:
    """Return the one term of ``(channels, *taps)`` kernels, exact to rounding tap by tap, or None."""
    axes = kernels.ndim - 1
    lines = []
    for kernel in kernels:
        place = np.unravel_index(np.argmax(abs(kernel)), kernel.shape)
        pivot = kernel[place]
        through = [kernel[(*place[:axis], slice(None), *place[axis + 1 :])] for axis in range(axes)]
        lines.append([line / pivot if axis and pivot else line for axis, line in enumerate(through)])
    term = tuple([np.stack([line[axis] for line in lines]) for axis in range(axes)])
    product = reduce(lambda left, right: left[..., None] * _spread_to(right, left.ndim), term)
    close = abs(product - kernels) <= 2 * axes * np.finfo(kernels.dtype).eps * abs(kernels)
    return term if bool(close.all()) else None


def _spread_to(line: Array, axes: int) -> Array:
    return line.reshape(len(line), *[1] * (axes - 1), -1)


def _low_rank(kernels: Array) -> list[Term]:
    """Return terms by the singular value decomposition of the first axis against the rest, and so on."""
    if kernels.ndim == 2:
        return [(kernels,)]
    channels, first, *rest = kernels.shape
    left, values, right = np.linalg.svd(kernels.reshape(channels, first, -1), full_matrices=False)
    smallest = max(first, right.shape[-1]) * np.finfo(kernels.dtype).eps * values[:, :1]
    found: list[Term] = []
    for number in range(max(int((values > smallest).any(axis=0).sum()), 1)):
        line = left[..., number] * values[:, number, None]
        found += [(line, *others) for others in _low_rank(right[:, number].reshape(channels, *rest))]
    return found


def _line(geometry: ConvGeometry, taps: Array, axis: int) -> Array:
    """Return the weight of the pass along `axis`."""
    return taps.reshape(geometry.weight_shape)
