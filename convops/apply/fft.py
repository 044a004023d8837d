"""A convolution as products of spectra, tile by tile."""

from collections.abc import Sequence
from functools import cached_property, partial
from itertools import product
from typing import Any, NamedTuple

import numpy as np

from convops._arrays import Array
from convops._axis import Axis
from convops.apply._blocks import keep_freed_memory
from convops.apply._chain import Chain
from convops.apply._fft_plan import PIECE, Plan, plan_of
from convops.apply._finite import finite
from convops.apply._pairs import parted
from convops.apply._spectrum import spectrum_of
from convops.apply._threads import share, workers
from convops.apply._tiles import (
    BATCH,
    CHANNEL,
    GROUP,
    SPATIAL,
    STACK,
    Chunk,
    chunks_of,
    load,
    store,
)
from convops.apply._transforms import COMPLEX, COMPLEX_CONJUGATE, REAL, REAL_CONJUGATE, Transforms
from convops.apply.cost import Cost
from convops.boundary import extend, fold
from convops.geometry import ConvGeometry

WORTH_THREADS = 1.2e-3
"""Seconds of one piece from which its transforms use threads."""


class Piece(NamedTuple):
    """What is transformed at a time."""

    read: Any
    """Index into the source."""
    items: slice
    groups: slice
    chunks: tuple[Chunk, ...]
    write: Any
    """Index into the result if what is left of the tiles goes there as it is, else None."""


def _piece_of(items: slice, groups: slice, chunks: tuple[Chunk, ...]) -> Piece:
    """Return a piece of some batch items and groups."""
    read = (items, None, groups, slice(None), *[chunk.source for chunk in chunks])
    write = None
    if all(chunk.tiles == len(chunk.writes) == 1 for chunk in chunks):
        write = (items, None, groups, slice(None), *[chunk.writes[0][0] for chunk in chunks])
    return Piece(read, items, groups, chunks, write)


def together(plan: Plan) -> tuple[int, int]:
    """Return how many items of a batch, and how many groups, make a piece."""
    groups = min(max(PIECE // plan.piece, 1), plan.groups)
    return max(PIECE // (plan.piece * groups), 1), groups


def chunks_by_axis(plan: Plan, adjoint: bool) -> list[list[Chunk]]:
    """Return the chunks of one direction, axis by axis."""
    last = len(plan.tiles) - 1
    return [
        chunks_of(line, tile, adjoint, plan.stack if number == plan.lane else 1, last - number)
        for number, (line, tile) in enumerate(zip(plan.lines, plan.tiles, strict=True))
    ]


def pieces_of(plan: Plan, chunks: Sequence[Sequence[Chunk]], batch: int) -> list[Piece]:
    """Return all pieces of a batch."""
    items, groups = together(plan)
    return [
        _piece_of(slice(item, item + items), slice(group, group + groups), chosen)
        for item in range(0, batch, items)
        for group in range(0, plan.groups, groups)
        for chosen in product(*chunks)
    ]


class Direction(NamedTuple):
    """W, or its adjoint, between arrays without boundary: what differs between the two."""

    adjoint: bool
    transforms: Transforms
    chunks: list[list[Chunk]]
    channels: int
    """Channels of each group of the result."""
    gaps: bool
    """Whether there are places that no tile writes."""
    whole: Piece | None
    """The only piece of a small batch, if there is only one."""


class FFTEngine:
    """W by overlap-save: tiles are transformed, multiplied by the spectrum of the weight, and cut.

    The adjoint multiplies by the same spectrum between the conjugates of all transforms: for real arrays,
    ``F⁻¹ conj(S) F y`` is the conjugate of itself, hence ``conj(F)⁻¹ S conj(F) y``.

    Parameters
    ----------
    geometry : ConvGeometry
        All sizes.
    weight : ndarray
        Floating-point weight of the cross-correlation.
    lengths : sequence of int, optional
        Length of the tiles per axis, 0 for one tile; by default those that take least time.
    """

    def __init__(
        self, geometry: ConvGeometry, weight: Array, *, lengths: Sequence[int] | None = None
    ) -> None:
        keep_freed_memory()
        self._plan = plan = plan_of(geometry, weight.dtype, tuple(lengths or ()))
        groups = geometry.groups
        self._channels = (groups, geometry.in_channels // groups), (groups, geometry.out_channels // groups)
        self._weight = weight.reshape(*self._channels[1], -1, *geometry.kernel_size)
        self._in_sizes = geometry.spatial_shape
        self._out_sizes = tuple([axis.out_size for axis in geometry.axes])
        self._extended = extended_axes(geometry.axes, plan)
        self._repeated = repeated_axes(geometry.axes, plan)
        self._items, self._groups = together(plan)
        self._forward = self._direction(False)
        self._adjoint = self._direction(True)
        self._spectra: dict[np.dtype[Any], Array] = {}
        self._spectrum(weight.dtype)

    def forward(self, x: Array) -> Array:
        """Return W x; see `Engine`."""
        return self._apply(x, self._forward)

    def adjoint(self, y: Array) -> Array:
        """Return Wᴴ y; see `Engine`."""
        if self._plan.real:
            return self._apply(y, self._adjoint)
        x = self._apply(y.conj(), self._adjoint)
        return np.conjugate(x, out=x)

    def _apply(self, block: Array, direction: Direction) -> Array:
        adjoint = direction.adjoint
        dtype = block.dtype
        if len(block) == 1 and dtype == self._weight.dtype:
            chain = self._adjoint_chain if adjoint else self._chain
            if chain is not None:
                with np.errstate(invalid="ignore", over="ignore"):
                    return chain(block[0, 0])[None, None]
        if dtype != self._weight.dtype:
            dtype = np.result_type(self._weight, block)
            block = block.astype(dtype, copy=False)
        block = block.reshape(len(block), *self._channels[adjoint], *block.shape[2:])
        out = np.empty(
            (len(block), *self._channels[not adjoint], *(self._in_sizes if adjoint else self._out_sizes)),
            dtype,
        )
        with np.errstate(invalid="ignore", over="ignore"):
            if self._plan.real and dtype.kind == "c":
                self._write(block.real, out.real, direction)
                self._write(block.imag, out.imag, direction)
            else:
                self._write(block, out, direction)
        return out.reshape(len(block), -1, *out.shape[3:])

    def sound(self, result: Array, transposed: bool) -> bool:
        """Return whether NaN and inf are where W puts them; see `Engine`."""
        return finite(result)

    def _write(self, block: Array, out: Array, direction: Direction) -> None:
        """Write W or the adjoint into `out`, by batch items where there is more than zeros at the border."""
        if not (self._extended or self._repeated):
            self._multiply(block, out, direction)
            return
        items = max(PIECE // max(block[:1].nbytes, 1), 1)
        for start in range(0, len(block), items):
            part = slice(start, start + items)
            if direction.adjoint:
                out[part] = self._folded(block[part])
            else:
                out[part] = self._repeat(extend(block[part], self._extended))

    def _repeat(self, x: Array) -> Array:
        """Return W of an extended array."""
        sizes = [line.outputs for line in self._plan.lines]
        y = np.empty((len(x), *self._channels[1], *sizes), x.dtype)
        self._multiply(x, y, self._forward)
        return extend(y, self._repeated)

    def _folded(self, y: Array) -> Array:
        """Return the adjoint, folded."""
        y = fold(y, self._repeated)
        x = np.empty((len(y), *self._channels[0], *[line.size for line in self._plan.lines]), y.dtype)
        self._multiply(y, x, self._adjoint)
        return fold(x, self._extended)

    def _multiply(self, source: Array, out: Array, direction: Direction) -> None:
        """Write the product of arrays without boundary, several pieces at a time where that pays."""
        if direction.gaps:
            out[...] = 0
        batch = len(source)
        seconds = self._plan.cost.seconds * batch
        if direction.whole is not None and batch <= self._items:
            threads = workers() if seconds > WORTH_THREADS else 1
            self._work(source, out, direction, threads, [direction.whole])
            return
        pieces = pieces_of(self._plan, direction.chunks, batch)
        share(partial(self._work, source, out, direction, 1), pieces, seconds)

    def _work(
        self, source: Array, out: Array, direction: Direction, threads: int, pieces: list[Piece]
    ) -> None:
        spectrum = self._spectrum(out.dtype)
        for piece in pieces:
            values = spectra_of(source[piece.read], piece.chunks, self._plan, direction.transforms, threads)
            values = self._mixed(values, spectrum, piece.groups, direction.adjoint, threads)
            values = self._places_of(values, piece.chunks, direction, threads)
            if piece.write is not None:
                out[piece.write] = values
            else:
                store(values, out[piece.items, piece.groups], piece.chunks, direction.channels)

    def _places_of(self, x: Array, chunks: tuple[Chunk, ...], direction: Direction, threads: int) -> Array:
        """Return the wanted places of all tiles, ``(batch, stack, groups, channels, *places)``."""
        *others, last = chunks
        mine, axis = not self._plan.matrices, SPATIAL
        for chunk in others:
            x = direction.transforms.others_out(x, None, axis, overwrite_x=mine, workers=threads)[chunk.kept]
            mine = True
            axis += 1
        length = self._plan.tiles[-1].length
        y = direction.transforms.line_out(x, length, axis, overwrite_x=mine, workers=threads)
        places: Array = y[last.kept]
        return places

    def _mixed(self, x: Array, spectrum: Array, groups: slice, adjoint: bool, threads: int) -> Array:
        """Multiply by the spectrum of the weight, summed over the channels of each group.

        On one thread no others are woken, neither by matrix products: there are others that do as much.
        """
        if self._plan.matrices:
            last = len(self._plan.tiles)
            spectrum = spectrum[..., groups, :, :]
            matrix = spectrum.swapaxes(-1, -2) if adjoint else spectrum
            products = (parted if threads == 1 else np.matmul)(matrix, x.reshape(*x.shape[:-2], -1))
            products = products.reshape(*x.shape[: last + 1], -1, *x.shape[-2:])
            return products.transpose(-2, -1, last, last + 1, *range(last))
        spectrum = spectrum[groups]
        _, rows, columns, *_ = spectrum.shape
        if rows == columns == 1:
            return np.multiply(x, spectrum[:, 0], out=x)
        if adjoint:
            spectrum, columns = spectrum.swapaxes(1, 2), rows
        y = spectrum[:, :, 0] * x[:, :, :, :1]
        scratch = np.empty_like(y) if columns > 1 else y
        for column in range(1, columns):
            y += np.multiply(spectrum[:, :, column], x[:, :, :, column : column + 1], out=scratch)
        return y

    def _direction(self, adjoint: bool) -> Direction:
        plan = self._plan
        chunks = chunks_by_axis(plan, adjoint)
        gaps = adjoint and any(
            len(line.phases) < line.stride or (tile.whole and line.read < max(line.sizes))
            for line, tile in zip(plan.lines, plan.tiles, strict=True)
        )
        transforms = (
            (REAL_CONJUGATE if adjoint else REAL)
            if plan.real
            else (COMPLEX_CONJUGATE if adjoint else COMPLEX)
        )
        whole = None
        if self._groups == plan.groups and all(len(chunk) == 1 for chunk in chunks):
            whole = _piece_of(slice(None), slice(None), tuple([chunk for (chunk,) in chunks]))
        return Direction(adjoint, transforms, chunks, self._channels[not adjoint][1], gaps, whole)

    @cached_property
    def _chain(self) -> Chain | None:
        """The factors of W where they are small."""
        return self._chain_of(self._forward, [*zip(self._in_sizes, self._out_sizes, strict=True)])

    @cached_property
    def _adjoint_chain(self) -> Chain | None:
        """The factors of its adjoint."""
        return self._chain_of(self._adjoint, [*zip(self._out_sizes, self._in_sizes, strict=True)])

    def _chain_of(self, direction: Direction, sizes: list[tuple[int, int]]) -> Chain | None:
        if self._extended or self._repeated:
            return None
        spectrum = self._spectrum(self._weight.dtype)
        return Chain.of(self._plan, direction.chunks, direction.transforms, spectrum, sizes)

    def _spectrum(self, dtype: np.dtype[Any]) -> Array:
        """Return the spectrum in the precision of `dtype`, computed once."""
        found = self._spectra.get(dtype)
        if found is None:
            found = self._spectra[dtype] = spectrum_of(
                self._weight, self._plan, np.result_type(dtype, np.complex64)
            )
        return found


def estimate(geometry: ConvGeometry, dtype: np.dtype[Any], batch: int = 1) -> Cost:
    """Return what one application to `batch` arrays costs, on one core."""
    plan = plan_of(geometry, dtype)
    return Cost(plan.cost.flops * batch, plan.cost.nbytes * batch, plan.price * batch)


def spectra_of(
    x: Array, chunks: tuple[Chunk, ...], plan: Plan, transforms: Transforms, threads: int
) -> Array:
    """Return the spectra of all tiles, ``(batch, stack, groups, channels, *frequencies)``.

    Where matrices mix the channels: ``(*frequencies, groups, channels, batch, stack)``.
    """
    tiles = plan.tiles
    transform = transforms.line_in
    mine = False
    for number in range(len(tiles) - 1, -1, -1):
        axis, tile, chunk = SPATIAL + number, tiles[number], chunks[number]
        if not chunk.plain:
            x = load(x, axis, chunk, tile)
            mine = mine and chunk.tiles == 1
        if number == 0 and plan.matrices:
            x, axis, mine = x.transpose(*range(SPATIAL, x.ndim), GROUP, CHANNEL, BATCH, STACK), 0, False
        length = None if x.shape[axis] == tile.length else tile.length
        x = transform(x, length, axis, overwrite_x=mine, workers=threads)
        transform, mine = transforms.others_in, True
    return x


def extended_axes(axes: tuple[Axis, ...], plan: Plan) -> tuple[Axis, ...]:
    """Return the axes with the padding that is written out, or nothing if there is none."""
    padded = [
        axis if axis.boundary != "zeros" and not line.circular else axis._replace(before=0, after=0)
        for axis, line in zip(axes, plan.lines, strict=True)
    ]
    return tuple(padded) if any(axis.before or axis.after for axis in padded) else ()


def repeated_axes(axes: tuple[Axis, ...], plan: Plan) -> tuple[Axis, ...]:
    """Return axes that repeat what a period gives up to the size of the result, or nothing."""
    after = [axis.out_size - line.outputs for axis, line in zip(axes, plan.lines, strict=True)]
    if not any(after):
        return ()
    return tuple(
        [Axis(line.outputs, 1, 1, 1, 0, more, "wrap") for line, more in zip(plan.lines, after, strict=True)]
    )
