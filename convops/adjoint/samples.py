"""Probes of a pair and what the maps make of them: each product is made once, when it is first asked for."""

from functools import cached_property
from itertools import combinations, pairwise
from math import ceil, hypot, inf, log2, sqrt
from typing import Any

import numpy as np

from convops._arrays import INT64, Array
from convops.adjoint.numbers import inner, norm, rms, severity
from convops.adjoint.pair import Pair, Shape, Side
from convops.adjoint.probes import FEW, LARGEST_INTEGER, dense_probes, faint, integer_probes, strata

PROBES = {"quick": 2, "default": 3, "complete": 3}
PROBES_OF_FEW = 5
SAFETY = 8


class Half:
    """One map, its probes, their images and its own rounding."""

    def __init__(
        self, side: Side, shape: Shape, image_shape: Shape, pair: Pair, seed: tuple[int, ...], level: str
    ) -> None:
        self.side = side
        self.pair = pair
        forward = side is pair.forward
        self.dtype, self.image_dtype = (
            (pair.input_dtype, pair.output_dtype) if forward else (pair.output_dtype, pair.input_dtype)
        )
        self.shape, self.image_shape = shape, image_shape
        self._seed = seed
        self._level = level

    def zeros(self) -> Array:
        """Return a vector of zeros that the map takes."""
        return np.zeros(self.side.columns, INT64 if self.pair.exact else self.dtype)

    def unit(self, place: int) -> Array:
        """Return a unit vector that the map takes."""
        unit = self.zeros()
        unit[place] = 1
        return unit

    def generator(self, purpose: int) -> np.random.Generator:
        """Return the random numbers of one purpose: they do not hang on which checks are made."""
        return np.random.default_rng([*self._seed, purpose])

    @cached_property
    def probes(self) -> list[Array]:
        """Vectors without small entries."""
        count = PROBES_OF_FEW if self._few else PROBES[self._level]
        if self.pair.exact:
            return integer_probes(self.generator(0), count, self.side.columns, self.largest_integer)
        return dense_probes(self.generator(0), count, self.side.columns, self.dtype)

    @property
    def _few(self) -> bool:
        return min(self.pair.rows, self.pair.columns) < FEW and self._level != "quick"

    @cached_property
    def images(self) -> list[Array]:
        """What the map makes of the probes."""
        return [self.side(probe) for probe in self.probes]

    @cached_property
    def strata(self) -> list[tuple[Array, Array]]:
        """Probes that vanish but for the border, the corners, or one phase; and their images."""
        if self.pair.exact or self._level == "quick" or min(self.pair.rows, self.pair.columns) < FEW:
            return []
        masks = strata(self.shape, self.generator(1))
        values = dense_probes(self.generator(2), len(masks), self.side.columns, self.dtype)
        probes = [
            np.where(mask, value, value.dtype.type(0)) for mask, value in zip(masks, values, strict=True)
        ]
        return [(probe, self.side(probe)) for probe in probes]

    @cached_property
    def largest_integer(self) -> int:
        """Return the largest entry of integer probes: as large as the sums of the map can take."""
        return max(min(LARGEST_INTEGER, (2**62 - 1) // max(ceil(self.pair.gain), 1)), 1)

    @cached_property
    def sum_errors(self) -> list[Array]:
        """A(x₁ + x₂) − (Ax₁ + Ax₂): nothing but rounding, where the map is linear.

        One for two probes, or for each two neighbours where vectors are so short that one tells little.
        """
        pairs = list(pairwise(zip(self.probes, self.images, strict=True)))
        errors = []
        for (one, of_one), (two, of_two) in pairs if self._few else pairs[:1]:
            errors.append(difference(self.side(one + two), sum_of(of_one, of_two)))
        return errors

    @cached_property
    def largest_sum_error(self) -> float:
        """The largest norm among the `sum_errors`."""
        return max(map(norm, self.sum_errors))

    @cached_property
    def faint_error(self) -> Array:
        """A(x₁ + f) − (Ax₁ + Af) for an f that is lost if x₁ + f is stored in half the digits."""
        probe = faint(self.generator(3), self.side.columns, self.dtype)
        image_of_sum, image = self.side(self.probes[0] + probe), self.side(probe)
        return difference(image_of_sum, sum_of(self.images[0], image))

    @cached_property
    def size(self) -> float:
        """The largest ‖Ax‖ among the probes."""
        return max(map(norm, self.images))

    @cached_property
    def largest_noise(self) -> float:
        """What the norm of an error of rounding may reach."""
        return self.noise_at(self.pair.roundoff)

    def noise_at(self, roundoff: float) -> float:
        """Return what the norm of an error may reach in arithmetic of this unit roundoff.

        The sums inside the map are reckoned with by its gain, where it tells that.
        """
        internal = self.pair.gain * sqrt(max(self.pair.rows, self.pair.columns))
        return noise_of(self.pair.rows + self.pair.columns, roundoff, self.size, internal) + self.underflow

    @cached_property
    def underflow(self) -> float:
        """What products that leave the range of the dtype downwards can add up to."""
        if self.pair.exact:
            return 0.0
        return 8 * (self.pair.rows + self.pair.columns) * float(np.finfo(self.dtype).smallest_subnormal)

    def error_per_entry(self, weights: Array) -> float:
        """Return the measured error of an entry of an image, overall or where `weights` are not zero.

        What is not linear has no noise to allow for.
        """
        if not severity(self.largest_sum_error, self.largest_noise) <= 1:
            return 0.0
        return max(self._error_overall, *_rms_at(weights, self.sum_errors)) / 2

    def roundoff_per_entry(self, weights: Array) -> float:
        """Return half a unit roundoff of an entry of an image: the least error that is allowed.

        Where the errors of an image have so few dimensions that those measured may be small by chance,
        this is the bound that holds for the longest sums.
        """
        terms = self.side.columns if self._dimensions < FEW else 1
        value = max(self._entry_overall, *_rms_at(weights, self.images))
        return self.pair.roundoff / 2 * sqrt(terms) * value

    @cached_property
    def _dimensions(self) -> float:
        """In how many dimensions the images spread: random directions in d have a squared cosine of 1/d."""
        # In doubles: the norm of float32 can lie beyond float32.
        images = [image.astype(np.result_type(image, np.float64)) for image in self.images]
        lengths = list(map(norm, images))
        cosines = [
            min(abs(inner(one / length, two / other)), 1.0)
            for (one, length), (two, other) in combinations(zip(images, lengths, strict=True), 2)
            if min(length, other) > 0 and max(length, other) < inf
        ]
        squares = sum(cosine**2 for cosine in cosines)
        return min(len(cosines) / squares if squares > 0 else inf, self.side.rows)

    @cached_property
    def _error_overall(self) -> float:
        return max(map(rms, self.sum_errors))

    @cached_property
    def _entry_overall(self) -> float:
        return max(map(rms, self.images))


class Samples:
    """Both halves of a pair, and how far their inner products may lie apart."""

    def __init__(self, pair: Pair, seed: int, level: str) -> None:
        self.pair = pair
        self.seed = seed
        self.level = level
        before, after = pair.input_shape, pair.output_shape
        self.forward = Half(pair.forward, before, after, pair, (seed, 0), level)
        self.adjoint = Half(pair.adjoint, after, before, pair, (seed, 1), level)

    @property
    def halves(self) -> tuple[Half, ...]:
        """The forward map first."""
        return self.forward, self.adjoint

    def tolerance(self, x: Array, y: Array) -> float:
        """Return what rounding may make of ⟨Ax, y⟩ − ⟨x, By⟩.

        The errors of Ax are independent of y: their inner product is that of a random walk, whose steps
        are the error per entry times those of y, and which reaches 8 standard deviations in one of 10¹⁵.
        """
        if self.pair.exact:
            return 0.0
        forward, adjoint, of_x, of_y = self.forward, self.adjoint, norm(x), norm(y)
        measured = hypot(forward.error_per_entry(y) * of_y, adjoint.error_per_entry(x) * of_x)
        least = hypot(forward.roundoff_per_entry(y) * of_y, adjoint.roundoff_per_entry(x) * of_x)
        return SAFETY * max(measured, least) + self.forward.underflow


def _rms_at(weights: Array, vectors: list[Array]) -> list[float]:
    """Return the rms of vectors where weights are not zero; of those without a zero it is that overall."""
    return [0.0] if weights.all() else [rms(vector[weights != 0]) for vector in vectors]


def noise_of(entries: int, roundoff: float, size: float, internal: float) -> float:
    """Return what rounding may do to an image of norm `size` under a map of so many rows and columns.

    Errors of N roundings add up like √N (Higham and Mary, doi:10.1137/18M1226312), those of a transform or of
    sums in pairs like √log N; no map has sums of more terms than it has entries. `internal` is what the sums
    inside the map reach before they cancel.
    """
    growth = max(2**7 * sqrt(log2(entries)), 4 * sqrt(entries))
    return growth * roundoff * (2 * size + internal)


def sum_of(a: Array, b: Array) -> Array:
    """Return a + b; integers in int64, and quiet about NaN and inf, as the others are."""
    with np.errstate(invalid="ignore", over="ignore"):
        return _wide(a) + _wide(b)


def difference(a: Array, b: Array) -> Array:
    """Return a − b; integers in int64."""
    with np.errstate(invalid="ignore", over="ignore"):
        return _wide(a) - _wide(b)


def disagreement(found: Array, expected: Array) -> Array:
    """Return found − expected, and 0 where both are NaN or the same infinity."""
    same = (found == expected) | (np.isnan(found) & np.isnan(expected))
    return np.where(same, 0, difference(found, expected))


def multiple(a: Array, factor: Any) -> Array:
    """Return `factor` times a; integers in int64."""
    with np.errstate(invalid="ignore", over="ignore"):
        scaled: Array = _wide(a) * factor
        return scaled


def _wide(a: Array) -> Array:
    return a.astype(INT64, copy=False) if a.dtype.kind in "iu" else a


__all__ = ["Half", "Samples", "difference", "disagreement", "multiple", "noise_of", "sum_of"]
