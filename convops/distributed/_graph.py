"""From a product of an operator and a dask array to tasks: one for each chunk of the result, and cuts.

Where chunks lie on one grid, a chunk of the result reads one of the source and borders of its neighbours: per
axis at most three, so 3ᵈ tasks with the product itself. A border travels as a copy of its own; a chunk of
which more than half is read travels as it is.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import product
from math import prod
from typing import Any, NamedTuple

import numpy as np

from convops.distributed._chunks import Sizes, edges_of, fitting_chunks, merged, reach
from convops.distributed._dask import dask_array
from convops.distributed._parts import Line, Part, adjoint_part, forward_part
from convops.distributed._tasks import ChunkProduct, Recipe, Target, cut


class Overlap(NamedTuple):
    """What a part reads of one chunk of the source, along one axis."""

    chunk: int
    place: slice
    """Where it goes in what is gathered."""
    part: slice
    """Which part of the chunk it is."""
    whole: bool


class Block(NamedTuple):
    """What a chunk of the result needs, in all axes."""

    work: ChunkProduct | None
    """None: it reads nothing, and is zero."""
    pieces: tuple[tuple[Sizes, tuple[slice, ...] | None], ...]
    """Of each piece the chunk of the source, and what to cut from it before it travels, or None."""


def lazy_product(
    recipe: Recipe,
    x: Any,
    transposed: bool,
    conjugated: bool,
    chunks: Sequence[Sizes | None],
    dtype: np.dtype[Any],
) -> Any:
    """Return W x, Wᵀ x or the conjugate of either as a dask array, x being one of the right shape."""
    da = dask_array("DaskConv")
    from dask.base import tokenize
    from dask.highlevelgraph import HighLevelGraph
    from dask.task_spec import DataNode, Task, TaskRef

    geometry = recipe.geometry
    axes = geometry.axes
    batch = x.ndim - len(axes) - geometry.has_channels
    own = x.chunks[x.ndim - len(axes) :]
    source = [merged(sizes, reach(axis, not transposed)) for sizes, axis in zip(own, axes, strict=True)]
    x = x.rechunk((*x.chunks[:batch], *[-1] * geometry.has_channels, *source))
    result = [
        asked or fitting_chunks(axis, sizes, transposed)
        for asked, axis, sizes in zip(chunks, axes, source, strict=True)
    ]
    channels: tuple[Sizes, ...] = ()
    if geometry.has_channels:
        channels = ((geometry.in_channels if transposed else geometry.out_channels,),)
    all_chunks = (*x.chunks[:batch], *channels, *result)
    token = tokenize(recipe, x.name, transposed, conjugated, all_chunks, dtype)
    name = f"conv-{'transpose-' if transposed else ''}{token}"
    cut_name, recipe_key = f"conv-border-{token}", f"conv-weight-{token}"
    tasks: dict[Any, Any] = {recipe_key: DataNode(recipe_key, recipe)}
    middle = (0,) * geometry.has_channels
    planner = _Planner(recipe, transposed, conjugated, dtype, source, result)
    cuts: dict[Any, int] = {}
    for place in np.ndindex(*map(len, result)):
        block = planner.block(place)
        for item in np.ndindex(*map(len, x.chunks[:batch])):
            key = (name, *item, *middle, *place)
            if block.work is None:
                shape = [sizes[at] for sizes, at in zip(all_chunks, key[1:], strict=True)]
                tasks[key] = Task(key, np.zeros, tuple(shape), dtype)
                continue
            pieces = []
            for chunk, part in block.pieces:
                piece = (x.name, *item, *middle, *chunk)
                if part is not None:
                    wanted = (piece, tuple((one.start, one.stop) for one in part))
                    number = cuts.setdefault(wanted, len(cuts))
                    border = (cut_name, number)
                    if border not in tasks:
                        tasks[border] = Task(border, cut, TaskRef(piece), part)
                    piece = border
                pieces.append(TaskRef(piece))
            tasks[key] = Task(key, block.work, TaskRef(recipe_key), *pieces)
    graph = HighLevelGraph.from_collections(name, tasks, dependencies=[x])
    return da.Array(graph, name, all_chunks, meta=np.empty((0,) * len(all_chunks), dtype))


class _Planner:
    """What each chunk of a result reads. Chunks that differ in nothing but their place share their work."""

    def __init__(
        self,
        recipe: Recipe,
        transposed: bool,
        conjugated: bool,
        dtype: np.dtype[Any],
        source: Sequence[Sizes],
        result: Sequence[Sizes],
    ) -> None:
        self._recipe = recipe
        self._transposed, self._conjugated, self._dtype = transposed, conjugated, dtype
        self._source = source
        self._lines: dict[Any, Line] = {}
        self._works: dict[Any, ChunkProduct] = {}
        find = adjoint_part if transposed else forward_part
        self._parts = [
            [self._shared(find(axis, *edge)) for edge in edges_of(sizes)]
            for axis, sizes in zip(recipe.geometry.axes, result, strict=True)
        ]
        self._overlaps = [
            [_overlaps(part, edges) for part in parts]
            for parts, edges in zip(self._parts, map(edges_of, source), strict=True)
        ]

    def block(self, place: Sizes) -> Block:
        """Return what the chunk at a place of the result needs."""
        parts = [parts[at] for parts, at in zip(self._parts, place, strict=True)]
        if not all(part.reads for part in parts):
            return Block(None, ())
        overlaps = [overlaps[at] for overlaps, at in zip(self._overlaps, place, strict=True)]
        pieces, targets = [], []
        channels = (slice(None),) * self._recipe.geometry.has_channels
        for chosen in product(*overlaps):
            chunk = tuple(one.chunk for one in chosen)
            part = (*channels, *(one.part for one in chosen))
            size = prod(sizes[at] for sizes, at in zip(self._source, chunk, strict=True))
            travels = prod(one.part.stop - one.part.start for one in chosen)
            whole = all(one.whole for one in chosen)
            as_it_is = whole or 2 * travels > size
            pieces.append((chunk, None if as_it_is else part))
            targets.append((tuple(one.place for one in chosen), part if as_it_is and not whole else None))
        return Block(self._work(parts, targets), tuple(pieces))

    def _shared(self, part: Part) -> Part:
        if part.line.extension is not None:
            return part
        key = part.line.axis, part.line.samples
        return part._replace(line=self._lines.setdefault(key, part.line))

    def _work(self, parts: Sequence[Part], targets: Sequence[Any]) -> ChunkProduct:
        key = repr(([id(part.line) for part in parts], targets))
        found = self._works.get(key)
        if found is None:
            geometry = self._recipe.geometry
            channels = geometry.out_channels if self._transposed else geometry.in_channels
            lengths = [part.reads[-1].place + part.reads[-1].stop - part.reads[-1].start for part in parts]
            before = (slice(None),) * geometry.has_channels
            found = self._works[key] = ChunkProduct(
                tuple(part.line for part in parts),
                self._transposed,
                self._conjugated,
                self._dtype,
                (*(channels,) * geometry.has_channels, *lengths),
                any(part.gaps for part in parts),
                tuple(Target((*before, *place), part) for place, part in targets),
            )
        return found


def _overlaps(part: Part, edges: Sequence[tuple[int, int]]) -> list[Overlap]:
    """Return where the reads of a part meet the chunks of the source."""
    found = []
    for start, stop, place in part.reads:
        number = bisect_right(edges, start, key=lambda edge: edge[1])
        while number < len(edges) and edges[number][0] < stop:
            low, high = edges[number]
            first, last = max(start, low), min(stop, high)
            target = slice(place + first - start, place + last - start)
            piece = slice(first - low, last - low)
            found.append(Overlap(number, target, piece, (first, last) == (low, high)))
            number += 1
    return found
