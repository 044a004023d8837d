"""Whether the second map is the adjoint of the first: inner products, integers, the matrix, every entry."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import inf, log2, sqrt
from typing import Any

import numpy as np
from scipy.sparse import issparse

from convops._arrays import Array
from convops.adjoint.numbers import distance, inner, norm, severity
from convops.adjoint.pair import Pair, pair_of
from convops.adjoint.report import AdjointCheck
from convops.adjoint.samples import SAFETY, Samples, difference, disagreement
from convops.adjoint.words import named_entry, number

MOST_ENTRIES_OF_A_MATRIX = 2**23
MOST_ENTRIES_ONE_BY_ONE = 2**24


@dataclass(frozen=True)
class Sides:
    """⟨Ax, y⟩ and ⟨x, By⟩ of one x and one y."""

    x: Array
    y: Array
    left: complex
    right: complex
    bound: float

    @property
    def difference(self) -> float:
        """How far the sides lie apart."""
        return distance(self.left, self.right)

    @property
    def severity(self) -> float:
        """The difference in units of what is allowed."""
        return severity(self.difference, self.bound)


def all_sides(samples: Samples) -> Iterator[Sides]:
    """Yield both sides for every pair of probes, and for the strata that correspond."""
    forward, adjoint = samples.halves
    for x, of_x in zip(forward.probes, forward.images, strict=True):
        for y, of_y in zip(adjoint.probes, adjoint.images, strict=True):
            yield _sides(samples, x, of_x, y, of_y)
    for (x, of_x), (y, of_y) in zip(forward.strata, adjoint.strata, strict=False):
        yield _sides(samples, x, of_x, y, of_y)


def _sides(samples: Samples, x: Array, of_x: Array, y: Array, of_y: Array) -> Sides:
    left, right = inner(of_x, y), inner(x, of_y)
    if samples.pair.mixed:
        # Of a map from real to complex vectors, or back, the adjoint is that of the real inner product.
        left, right = left.real, right.real
    return Sides(x, y, left, right, samples.tolerance(x, y))


def worst_sides(samples: Samples) -> Sides:
    """Return the two sides that lie farthest apart, in units of what is allowed."""
    return max(all_sides(samples), key=lambda sides: sides.severity)


def telling_sides(samples: Samples) -> Sides:
    """Return the sides to look for wrong entries with: of probes without zeros, where those differ.

    Probes that vanish in places can lie farther apart, and show only the entries of the other places.
    """
    sides = list(all_sides(samples))
    dense = [one for one in sides if one.severity > 1 and one.x.all() and one.y.all()]
    return max(dense or sides, key=lambda one: one.severity)


def adjoint(samples: Samples) -> AdjointCheck:
    """Check ⟨Ax, y⟩ = ⟨x, By⟩ up to the rounding that the maps themselves show."""
    return compared("adjoint", worst_sides(samples))


def exact(samples: Samples) -> AdjointCheck:
    """Check ⟨Ax, y⟩ = ⟨x, By⟩ in integers, where nothing rounds: for integer maps and integer weights."""
    counterpart = exact_samples(samples)
    found = compared("exact", worst_sides(counterpart))
    if counterpart is samples:
        return found
    return replace(found, detail=f"{found.detail}; of A with a random integer weight")


def exact_samples(samples: Samples) -> Samples:
    """Return the samples of the integer map that stands for this one: itself, or one with integer weights."""
    if samples.pair.exact:
        return samples
    twin = integer_twin(samples.pair, samples.seed)
    pair = pair_of(twin, None, None, None, None)
    counted = replace(
        pair,
        forward=samples.pair.forward.like(pair.forward.label, pair.forward.function),
        adjoint=samples.pair.adjoint.like(pair.adjoint.label, pair.adjoint.function),
    )
    return Samples(counted, samples.seed, "quick")


def integer_twin(pair: Pair, seed: int) -> Any:
    """Return the operator with an integer weight, if it is one of convops whose method is exact."""
    twin = getattr(pair.op, "_convops_integer_twin", None)
    return None if twin is None else twin(seed)


def matrix(samples: Samples) -> AdjointCheck:
    """Check both products against the operator's own matrix."""
    W = known_matrix(samples.pair)
    for half, M in zip(samples.halves, (W, W.conj().T), strict=True):
        expected = M @ half.probes[0]
        error = disagreement(half.images[0], expected)
        bound = 0.0 if samples.pair.exact else half.largest_noise
        if not severity(norm(error), bound) <= 1:
            place = int(np.argmax(np.abs(error)))
            return AdjointCheck(
                "matrix",
                False,
                f"{half.side.label}(x) is not the matrix's product: entry "
                f"{named_entry(place, half.image_shape)} is {number(half.images[0][place].item())}, by the "
                f"matrix {number(expected[place].item())}",
                {"difference": norm(error), "bound": bound},
            )
    return AdjointCheck("matrix", True, "the matrix gives both products")


def known_matrix(pair: Pair) -> Any:
    """Return the matrix of an operator that has one at hand, or None."""
    op = pair.op
    if _writes_its_matrix(op):
        return op.tosparse() if has_known_matrix(pair) else None
    held: Any = getattr(op, "A", None)
    if (isinstance(held, np.ndarray) or issparse(held)) and held.shape == (pair.rows, pair.columns):
        return held
    return None


def has_known_matrix(pair: Pair) -> bool:
    """Tell whether `known_matrix` finds one, without building it."""
    if _writes_its_matrix(pair.op):
        return bool(pair.op.geometry.nnz <= MOST_ENTRIES_OF_A_MATRIX)
    return known_matrix(pair) is not None


def _writes_its_matrix(op: Any) -> bool:
    return hasattr(op, "tosparse") and hasattr(op, "geometry")


def entries(samples: Samples) -> AdjointCheck:
    """Prove every entry of B to be the conjugate of A's, by a product for each column and each row."""
    pair, (forward, adjoint_) = samples.pair, samples.halves
    B = np.stack([pair.adjoint(adjoint_.unit(row)) for row in range(pair.rows)], axis=1)
    roundoff = SAFETY * pair.roundoff * sqrt(log2(pair.rows + pair.columns))
    of_rows = np.array([norm(B[:, row]) for row in range(pair.rows)])
    worst = (0.0, 0, 0, 0j, 0j)
    wrong = 0
    for column in range(pair.columns):
        image = pair.forward(forward.unit(column))
        error = np.abs(difference(image, B[column].conj()))
        allowed = roundoff * np.maximum(norm(image), of_rows)
        faulty = ~((error <= allowed) & np.isfinite(error))
        if faulty.any():
            wrong += int(faulty.sum())
            row = int(np.argmax(np.where(faulty, error, -1)))
            candidate = (float(error[row]), row, column, image[row].item(), B[column, row].item())
            worst = max(worst, candidate, key=lambda found: found[0] if found[0] == found[0] else inf)
    if not wrong:
        return AdjointCheck("entries", True, f"all {pair.rows * pair.columns} entries agree")
    error_, row, column, a, b = worst
    i, j = named_entry(row, pair.output_shape), named_entry(column, pair.input_shape)
    return AdjointCheck(
        "entries",
        False,
        f"{wrong} of {pair.rows * pair.columns} entries differ, most A[{i}, {j}] = {number(a)}, "
        f"B[{j}, {i}] = {number(b)}",
        {"entries that differ": wrong, "largest difference": error_},
    )


def compared(name: str, sides: Sides) -> AdjointCheck:
    """Return what the check of this name says of two sides."""
    found, allowed = number(sides.difference), number(sides.bound)
    return AdjointCheck(
        name,
        sides.severity <= 1,
        f"⟨Ax, y⟩ = {_digits(sides.left)}, ⟨x, Aᴴy⟩ = {_digits(sides.right)}, difference {found}, "
        f"allowed {allowed}",
        {"left": sides.left, "right": sides.right, "difference": sides.difference, "bound": sides.bound},
    )


def _digits(value: complex) -> str:
    return str(value) if isinstance(value, int) else f"{value:.10g}"
