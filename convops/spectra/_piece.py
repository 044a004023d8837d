"""One piece of W: along each axis a section of it, or its frequencies."""

from collections.abc import Iterator, Sequence
from math import inf
from typing import NamedTuple

import numpy as np

from convops._arrays import Array
from convops.spectra._bands import grams, work
from convops.spectra._frequencies import Frequencies, FrequencyAxis
from convops.spectra._sections import Section

Part = FrequencyAxis | Section
_ENTRIES = 2**25
"""Most entries of a matrix that is factorised."""


class Piece(NamedTuple):
    """W between samples of at least one axis. Its Gram matrix has bands along the longest of these."""

    weight: Array
    """``(groups, C_out // groups, C_in // groups, *kernel)``"""
    parts: Sequence[Part]
    place: int
    """The axis with the bands."""
    section: Section
    """What is read along it."""

    def work(self) -> float:
        """Return about how many operations it takes to factorise `grams`; inf where they are too large."""
        batch, rows, columns = self.weight.shape[:3]
        if self.weight.dtype.kind == "c":
            batch *= 4  # a complex product is four
        elif any(isinstance(part, FrequencyAxis) and not part.cosine for part in self.parts):
            batch *= 2  # half of the points tell all
        for place, part in enumerate(self.parts):
            if isinstance(part, FrequencyAxis):
                batch, columns = batch * part.points, columns * part.aliases
            elif place != self.place:
                rows, columns = rows * part.shape[1], columns * part.shape[2]
        side, rows, columns, _ = self._shorter(rows, columns)
        entries = side.shape[2] * (side.reach + 1) * columns**2
        return work(side, batch, rows, columns) if entries <= _ENTRIES else inf

    def grams(self) -> Iterator[Array]:
        """Yield bands of WᴴW or of WWᴴ, whichever is less work, for some of the frequencies at once."""
        groups, rows, columns = self.weight.shape[:3]
        first = np.moveaxis(self.weight, 3 + self.place, 1)
        taps = first.shape[1]
        first = first.reshape(groups, taps * rows, columns, *first.shape[4:])
        others = [part for place, part in enumerate(self.parts) if place != self.place]
        frequencies = _frequencies(first, others)
        for box in frequencies.parts():
            blocks = frequencies.blocks(box)
            blocks = blocks.reshape(-1, taps, blocks.shape[2] // taps, blocks.shape[3])
            side, *_, is_adjoint = self._shorter(*blocks.shape[2:])
            yield from grams(side, blocks.conj().swapaxes(-1, -2) if is_adjoint else blocks)

    def _shorter(self, rows: int, columns: int) -> tuple[Section, int, int, bool]:
        """Return the section or its adjoint, the shape of the blocks beside it, and which it is."""
        # For one block: both have as many.
        sides = [(self.section, rows, columns, False), (self.section.adjoint, columns, rows, True)]
        return min(sides, key=lambda side: work(side[0], 1, side[1], side[2]))


def piece_of(weight: Array, parts: Sequence[Part]) -> Piece | None:
    """Return the piece of these parts, None where these are frequencies only."""
    sections = [(place, part) for place, part in enumerate(parts) if isinstance(part, Section)]
    if not sections:
        return None
    return Piece(weight, parts, *max(sections, key=lambda one: one[1].shape[2]))


def _frequencies(weight: Array, parts: Sequence[Part]) -> Frequencies:
    """Return W of the parts, with the outputs and the samples of sections for channels."""
    lines: list[FrequencyAxis] = []
    for part in parts:
        if isinstance(part, FrequencyAxis):
            lines.append(part)
            continue
        groups, rows, columns = weight.shape[:3]
        weight = np.moveaxis(np.tensordot(weight, part.toarray(), (3 + len(lines), 0)), (-2, -1), (2, 4))
        weight = weight.reshape(groups, rows * part.shape[1], columns * part.shape[2], *weight.shape[5:])
    return Frequencies(tuple(lines), weight)
