"""Entries in which two maps are not each other's adjoint, found by bisection."""

from collections.abc import Callable
from dataclasses import dataclass
from math import log2, sqrt
from typing import Any

import numpy as np

from convops._arrays import Array
from convops.adjoint.numbers import distance, inner, norm
from convops.adjoint.samples import SAFETY, Samples
from convops.adjoint.words import index_of, number


@dataclass(frozen=True)
class Witness:
    """One entry in which the two maps differ.

    Attributes
    ----------
    output_index, input_index : tuple of int
        Where it is: row and column of A, as indices of the arrays.
    forward : complex
        A[output, input], from ``A @ e`` for a unit vector e.
    adjoint : complex
        B[input, output], which should be its conjugate, from ``B @ e``.
    """

    output_index: tuple[int, ...]
    input_index: tuple[int, ...]
    forward: complex
    adjoint: complex

    def __str__(self) -> str:
        output, into = (_index(index) for index in (self.output_index, self.input_index))
        forward, adjoint = number(self.forward), number(self.adjoint)
        apart = distance(self.forward, self.adjoint.conjugate())
        hint = f", apart by {number(apart)}" if apart < 1e-3 * abs(self.forward) else ""
        return f"A[{output}, {into}] = {forward}, B[{into}, {output}] = {adjoint}{hint}"


def find_witnesses(samples: Samples, x: Array, y: Array, most: int) -> tuple[Witness, ...]:
    """Return up to `most` entries behind ⟨Ax, y⟩ ≠ ⟨x, By⟩, spread over the rows where there are many.

    One entry takes about 2 · log₂(rows · columns) products; those that follow share some.
    """
    search = _Search(samples, x, y)
    rows = search.find_rows(max(most // 2, 1))
    found: dict[tuple[int, int], Witness] = {}
    for row in rows:
        for column in search.find_columns(row, max(most // max(len(rows), 1), 1)):
            witness = search.witness(row, column)
            if witness is not None and len(found) < most:
                found[row, column] = witness
    return tuple(found[place] for place in sorted(found))


class _Search:
    """Bisection of y, then of x: a part is followed if its two sides differ by more than is allowed."""

    def __init__(self, samples: Samples, x: Array, y: Array) -> None:
        self.samples = samples
        self.pair = samples.pair
        self.x, self.y = x, y
        self.image = self.pair.forward(x)
        self._rows: list[int] = []
        self._rows_of_adjoint: dict[int, Array] = {}
        self._parts_of_x: dict[tuple[int, int], Array] = {}
        """What A makes of parts of x, in the rows that were found."""
        self._per_unit = samples.tolerance(x, y) / max(norm(y), np.finfo(float).tiny)

    def find_rows(self, most: int) -> list[int]:
        """Return rows of A that B does not know."""
        self._rows = _leaves((0, self.pair.rows), most, self._fault_of_part)
        return self._rows

    def find_columns(self, row: int, most: int) -> list[int]:
        """Return columns of A in which this row is not that of B."""
        return _leaves((0, self.pair.columns), most, lambda part: self._fault_in_row(row, part))

    def witness(self, row: int, column: int) -> Witness | None:
        """Return the entry, if the two maps differ in it."""
        forward = self.pair.forward(self.samples.forward.unit(column))
        adjoint = self._row_of_adjoint(row)
        entry, other = forward[row].item(), adjoint[column].item()
        scale = max(norm(forward), norm(adjoint))
        roundings = sqrt(log2(self.pair.rows + self.pair.columns))
        if distance(entry, np.conj(other).item()) <= SAFETY * self.pair.roundoff * roundings * scale:
            return None
        return Witness(
            index_of(row, self.pair.output_shape), index_of(column, self.pair.input_shape), entry, other
        )

    def _fault_of_part(self, part: tuple[int, int]) -> bool:
        masked = np.zeros_like(self.y)
        masked[slice(*part)] = self.y[slice(*part)]
        left = inner(self.image[slice(*part)], self.y[slice(*part)])
        right = inner(self.x, self.pair.adjoint(masked))
        # Half of what is allowed elsewhere: what exceeds a bound as a whole can be shared by both parts.
        return bool(distance(left, right) > self._per_unit * norm(masked) / 2)

    def _fault_in_row(self, row: int, part: tuple[int, int]) -> bool:
        if part not in self._parts_of_x:
            masked = np.zeros_like(self.x)
            masked[slice(*part)] = self.x[slice(*part)]
            self._parts_of_x[part] = self.pair.forward(masked)[self._rows]
        left = self._parts_of_x[part][self._rows.index(row)].item()
        in_part = self._row_of_adjoint(row)[slice(*part)]
        right = inner(in_part, self.x[slice(*part)])
        terms = np.abs(in_part.astype(np.result_type(in_part, np.float32))) * np.abs(self.x[slice(*part)])
        roundings = sqrt(part[1] - part[0])
        allowed = SAFETY * self.pair.roundoff * roundings * (norm(terms) + abs(left))
        return bool(distance(left, right) > allowed + self._noise(part))

    def _noise(self, part: tuple[int, int]) -> float:
        """Return what an entry of an image of a part of x is off by."""
        if self.pair.exact:
            return 0.0
        share = sqrt((part[1] - part[0]) / self.pair.columns)
        return SAFETY * share * self.samples.forward.error_per_entry(self.y)

    def _row_of_adjoint(self, row: int) -> Array:
        """Return B e for the unit vector e of a row of A."""
        if row not in self._rows_of_adjoint:
            self._rows_of_adjoint[row] = self.pair.adjoint(self.samples.adjoint.unit(row))
        return self._rows_of_adjoint[row]


def _leaves(whole: tuple[int, int], most: int, faulty: Callable[[tuple[int, int]], bool]) -> list[int]:
    """Return places that are faulty by themselves, at most so many, spread over the whole.

    Parts are halved level by level; where more are faulty than are asked for, some of them are followed.
    """
    parts = [whole]
    while parts and any(end - start > 1 for start, end in parts):
        halves = []
        for start, end in parts:
            middle = (start + end) // 2
            halves += [(start, middle), (middle, end)] if end - start > 1 else [(start, end)]
        parts = [part for part in halves if faulty(part)]
        if len(parts) > most:
            parts = [parts[place * (len(parts) - 1) // max(most - 1, 1)] for place in range(most)]
    return [start for start, _ in parts]


def _index(index: tuple[int, ...]) -> Any:
    return index[0] if len(index) == 1 else index
