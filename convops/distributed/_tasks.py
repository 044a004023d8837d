"""What a worker does for one chunk: cut what a neighbour needs, gather, and multiply in memory.

Nothing here knows Dask. An engine is built once in each process for all chunks of one geometry, and one
thread works at a chunk: the workers' threads take chunks enough for all cores.
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from math import prod
from typing import Any

import numpy as np

from convops._arrays import Array
from convops.apply import alone, worth_no_thought
from convops.boundary import scaled
from convops.distributed._parts import Extension, Line
from convops.geometry import ConvGeometry
from convops.operators.map import Map, bound_of_sums

_ENGINES = 64


@dataclass(frozen=True, eq=False)
class Recipe:
    """What all chunks of an operator share. Recipes of the same content are equal, in whatever process."""

    weight: Array
    geometry: ConvGeometry
    flip: bool
    method: str
    gains: tuple[float, float]
    """Bounds of what any row of W adds up, and any column."""
    token: str

    @classmethod
    def of(cls, map_: Map) -> "Recipe":
        """Return the recipe of a map of the whole."""
        content = sha256(np.ascontiguousarray(map_.weight).tobytes())
        content.update(repr((map_.dtype.str, map_.geometry, map_.flip, map_.asked)).encode())
        return cls(map_.weight, map_.geometry, map_.flip, map_.asked, map_.gains, content.hexdigest())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Recipe) and self.token == other.token

    def __hash__(self) -> int:
        return hash(self.token)

    def __dask_tokenize__(self) -> str:
        return self.token


@dataclass(frozen=True, eq=False)
class Target:
    """Where one piece goes in what is gathered, and which part of the piece does."""

    place: tuple[slice, ...]
    part: tuple[slice, ...] | None
    """None: all of it."""


@dataclass(frozen=True, eq=False)
class ChunkProduct:
    """W x, Wᵀ x or the conjugate of either, for one chunk of the result: a function of what it reads."""

    lines: tuple[Line, ...]
    transposed: bool
    conjugated: bool
    dtype: np.dtype[Any]
    """Of the result."""
    gathered: tuple[int, ...]
    """Shape of what is gathered, without batch axes."""
    gaps: bool
    """Whether pieces leave places free."""
    targets: tuple[Target, ...]

    def __call__(self, recipe: Recipe, *pieces: Array) -> Array:
        """Return the chunk of the result."""
        x = self._gather(pieces)
        batch = x.shape[: x.ndim - len(self.gathered)]
        geometry = recipe.geometry
        channels = geometry.out_channels if self.transposed else geometry.in_channels
        rows = x.reshape(prod(batch), channels, *x.shape[x.ndim - len(self.lines) :])
        # Nothing of a chunk may depend on how many threads the process has to spare.
        with alone():
            y = self._product(recipe, rows)
        return y.reshape(*batch, *y.shape[1 if geometry.has_channels else 2 :]).astype(self.dtype, copy=False)

    def _gather(self, pieces: tuple[Array, ...]) -> Array:
        first = pieces[0].ndim - len(self.gathered)
        if pieces[0].shape[first:] == self.gathered and self.targets[0].part is None:
            return pieces[0]
        batch = pieces[0].shape[:first]
        x: Array = (np.zeros if self.gaps else np.empty)(batch + self.gathered, pieces[0].dtype)
        for target, piece in zip(self.targets, pieces, strict=True):
            place: Any = (..., *target.place)
            x[place] = piece if target.part is None else _part_of(piece, target.part)
        return x

    def _product(self, recipe: Recipe, x: Array) -> Array:
        """Return the product for x of shape ``(batch, channels, *spatial)``."""
        sizes = [line.axis.size for line in self.lines]
        if not len(x):
            channels = recipe.geometry.in_channels if self.transposed else recipe.geometry.out_channels
            results = [line.samples if self.transposed else line.axis.out_size for line in self.lines]
            return np.zeros((0, channels, *results), self.dtype)
        map_ = small_map(recipe, tuple(line.axis[:7] for line in self.lines))
        extensions = [line.extension for line in self.lines]
        if any(extensions):
            if recipe.weight.dtype.kind in "iu" and x.dtype.kind in "iu":
                bound_of_sums(x, recipe.gains[self.transposed])
            # Before anything is added up: "antireflect" leaves the range of a narrow dtype.
            x = x.astype(self.dtype, copy=False)
        if not self.transposed:
            for number, extension in enumerate(extensions, start=2):
                if extension is not None:
                    x = _extended(x, extension, sizes[number - 2], number)
            return map_.apply(x, False, self.conjugated)
        y = map_.apply(x, True, self.conjugated)
        for number, extension in enumerate(extensions, start=2):
            if extension is not None:
                y = _folded(y, extension, self.lines[number - 2].samples, number)
        return y


def cut(chunk: Array, part: tuple[slice, ...]) -> Array:
    """Return a copy of what another chunk reads: a view would keep all of the chunk in memory."""
    return _part_of(chunk, part).copy()


def _part_of(chunk: Array, part: tuple[slice, ...]) -> Array:
    index: Any = (..., *part)
    found: Array = chunk[index]
    return found


@lru_cache(_ENGINES)
def small_map(recipe: Recipe, axes: tuple[tuple[Any, ...], ...]) -> Map:
    """Return the convolution of a chunk; `axes` are those of its lines."""
    sizes, _, strides, dilations, before, after, _ = zip(*axes, strict=True)
    whole = recipe.geometry
    geometry = ConvGeometry(
        whole.weight_shape,
        (whole.in_channels, *sizes) if whole.has_channels else sizes,
        stride=strides,
        padding=tuple(zip(before, after, strict=True)),
        dilation=dilations,
        groups=whole.groups,
    )
    recipe.weight.flags.writeable = False
    map_ = Map(geometry, recipe.weight, recipe.flip, recipe.method)
    if map_.asked == "auto" and map_.method == "sparse" and not worth_no_thought(geometry, map_.dtype):
        # The matrix of a large chunk takes many times its memory.
        costs = {method: cost.seconds for method, cost in map_.choice.costs.items() if method != "sparse"}
        map_ = Map(geometry, recipe.weight, recipe.flip, min(costs, key=costs.__getitem__))
    return map_


def _extended(x: Array, extension: Extension, size: int, axis: int) -> Array:
    """Return the positions of an axis, made of its samples."""
    out = np.zeros((*x.shape[:axis], size, *x.shape[axis + 1 :]), x.dtype)
    positions, samples = np.moveaxis(out, axis, 0), np.moveaxis(x, axis, 0)
    positions[extension.positions] = samples[extension.samples]
    np.add.at(positions, extension.row, scaled(samples[extension.sample], extension.coefficient))
    return out


def _folded(y: Array, extension: Extension, size: int, axis: int) -> Array:
    """Return the samples of an axis, each with all positions that repeat it: the adjoint of `_extended`."""
    positions = np.moveaxis(y, axis, 0)
    own = positions[extension.positions]
    if len(own) == size:
        samples = own
    else:
        out = np.zeros((*y.shape[:axis], size, *y.shape[axis + 1 :]), y.dtype)
        samples = np.moveaxis(out, axis, 0)
        samples[extension.samples] = own
    # The other positions lie beyond the ends of the axis, hence apart from these.
    np.add.at(samples, extension.sample, scaled(positions[extension.row], extension.coefficient))
    return np.moveaxis(samples, 0, axis)


__all__ = ["ChunkProduct", "Recipe", "Target", "cut", "small_map"]
