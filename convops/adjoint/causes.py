"""The usual faults, each as what would turn the wrong adjoint into the right one, tried on the products."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import product as cartesian
from math import prod

import numpy as np

from convops._arrays import Array
from convops.adjoint.numbers import distance, inner, norm, product
from convops.adjoint.pair import Pair, Shape
from convops.adjoint.patterns import border_that_holds
from convops.adjoint.samples import Samples
from convops.adjoint.witnesses import Witness
from convops.adjoint.words import number

_FARTHEST = 2
"""Shifts are tried up to here along every axis."""
_MOST_SHIFTS = 130
_CLOSE = 2e-4
"""Numbers that differ by less, relatively, are taken for the same."""


def likely_causes(samples: Samples, witnesses: tuple[Witness, ...]) -> tuple[str, ...]:
    """Return a fault that explains every product; where there is none, what the witnesses look like."""
    trial = _Trial(samples)
    for search in (_conjugation, _constant_factor, _same_map, _reordered_result, _shift, _flip, _inverse):
        for cause in search(trial):
            return (cause,)
    return tuple(_looks_of(witnesses, samples.pair))


@dataclass(frozen=True)
class _Trial:
    """The probes of both halves and their images, to be explained."""

    samples: Samples

    @property
    def pair(self) -> Pair:
        return self.samples.pair

    def explains(
        self,
        right: Callable[[Array, Array], complex],
        left: Callable[[Array, Array], complex] = inner,
        unit: float = 1,
    ) -> bool:
        """Tell whether `left` of Ax and y is `right` of x and By, for every x and y, in units of `unit`."""
        forward, adjoint = self.samples.halves
        largest = 0.0
        for x, of_x in zip(forward.probes, forward.images, strict=True):
            for y, of_y in zip(adjoint.probes, adjoint.images, strict=True):
                allowed = self.samples.tolerance(x, y) * unit
                expected = left(of_x, y)
                if not distance(expected, right(x, of_y)) <= allowed:
                    return False
                largest = max(largest, abs(expected))
        return largest > 0


def _constant_factor(trial: _Trial) -> Iterator[str]:
    forward, adjoint = trial.samples.halves
    if norm(adjoint.images[0]) == 0 and norm(forward.images[0]) > 0:
        yield "the adjoint returns zeros"
        return
    # The largest, for the factor is known to the digits that rounding leaves of them.
    left, right = max(
        (
            (inner(of_x, y), inner(x, of_y))
            for x, of_x in zip(forward.probes, forward.images, strict=True)
            for y, of_y in zip(adjoint.probes, adjoint.images, strict=True)
        ),
        key=lambda sides: abs(sides[0]),
    )
    unit = abs(left) + abs(right)
    if right == 0 or trial.explains(inner, inner, unit / abs(right)):
        return
    # Crosswise, so that integers stay integers.
    if trial.explains(lambda x, of_y: left * inner(x, of_y), lambda of_x, y: right * inner(of_x, y), unit):
        factor = _rounded(left / right)
        yield f"the adjoint lacks a constant factor of {number(factor)}{_named_factor(factor, trial.pair)}"


def _rounded(factor: complex) -> complex:
    """Return the digits of a factor that do not hang on the probes."""
    parts = [0.0 if abs(part) < _CLOSE * abs(factor) else part for part in (factor.real, factor.imag)]
    real, imaginary = (float(f"{part:.6g}") for part in parts)
    return complex(real, imaginary) if imaginary else real


def _named_factor(factor: complex, pair: Pair) -> str:
    if isinstance(factor, complex):
        return ": a scalar that is not conjugated" if _close(abs(factor), 1) else ""
    for name, size in (("columns", pair.columns), ("rows", pair.rows)):
        for text, value in ((f"number of {name}", size), (f"square root of the number of {name}", size**0.5)):
            if size > 1 and _close(factor, value):
                return f", the {text}: a transform that is not normalised"
            if size > 1 and _close(factor, 1 / value):
                return f", one over the {text}: a transform that is normalised twice"
    return ": its sign is wrong" if _close(factor, -1) else ""


def _close(a: float, b: float) -> bool:
    return abs(a - b) <= _CLOSE * abs(b)


def _conjugation(trial: _Trial) -> Iterator[str]:
    if trial.pair.output_dtype.kind == "c" and trial.explains(product, product):
        yield "a conjugate is missing: the adjoint is the transpose"


def _same_map(trial: _Trial) -> Iterator[str]:
    pair = trial.pair
    if pair.rows != pair.columns:
        return
    forward, adjoint = trial.samples.halves
    y, of_y = adjoint.probes[0], adjoint.images[0]
    image = pair.forward(y)
    if all(
        distance(inner(x, image), inner(x, of_y)) <= trial.samples.tolerance(x, y) for x in forward.probes
    ):
        yield "the adjoint is the forward map itself; of a convolution, the kernel has to be flipped"


def _inverse(trial: _Trial) -> Iterator[str]:
    forward, adjoint = trial.samples.halves
    x, of_x = forward.probes[0], forward.images[0]
    usual = norm(of_x) * norm(adjoint.probes[0]) / trial.pair.rows**0.5
    if all(
        distance(inner(of_x, y), inner(x, of_y)) <= 1e-2 * usual
        for y, of_y in zip(adjoint.probes, adjoint.images, strict=True)
    ):
        return  # nearly the adjoint: of a unitary map, that is nearly the inverse
    image = trial.pair.adjoint(of_x)
    if norm(image - x) <= 1e-3 * norm(x):
        yield "the adjoint is an inverse: it takes Ax back to x, which Aᴴ does not"


def _reordered_result(trial: _Trial) -> Iterator[str]:
    """Try what can be done to Ax and By without another product."""
    before, after = trial.pair.input_shape, trial.pair.output_shape
    for order in _fortran_orders(before):
        if trial.explains(_reordered(order)):
            yield "the adjoint's result is raveled in Fortran order where C is meant, or the reverse"
            return
    for order in _fortran_orders(after):
        if trial.explains(inner, _reordered_first(order)):
            yield "the forward map's result is raveled in Fortran order where C is meant, or the reverse"
            return
    for axes in _subsets(len(before)):
        order = np.flip(np.arange(prod(before)).reshape(before), axes).reshape(-1)
        if trial.explains(_reordered(order)):
            yield f"the adjoint's result is reversed along {_axes(axes, before)}"
            return


def _reordered(order: Array) -> Callable[[Array, Array], complex]:
    return lambda x, of_y: inner(x, of_y[order])


def _reordered_first(order: Array) -> Callable[[Array, Array], complex]:
    return lambda of_x, y: inner(of_x[order], y)


def _fortran_orders(shape: Shape) -> tuple[Array, ...]:
    """Return the two orders that turn Fortran order into C order and back."""
    if sum(size > 1 for size in shape) < 2:
        return ()
    places = np.arange(prod(shape))
    return places.reshape(shape, order="F").reshape(-1), places.reshape(shape).ravel(order="F")


def _shift(trial: _Trial) -> Iterator[str]:
    """Try By moved by some places, on an x that vanishes near the border, where a shift loses entries."""
    shape, (forward, adjoint) = trial.pair.input_shape, trial.samples.halves
    far = [min(_FARTHEST, (size - 1) // 4) for size in shape]
    if prod(2 * reach + 1 for reach in far) > _MOST_SHIFTS or not any(far):
        return
    inside = tuple(slice(2 * reach, size - 2 * reach) for reach, size in zip(far, shape, strict=True))
    masked = forward.zeros().reshape(shape)
    masked[inside] = forward.probes[0].reshape(shape)[inside]
    image = trial.pair.forward(masked.reshape(-1))
    for offset in sorted(cartesian(*(range(-reach, reach + 1) for reach in far)), key=_length):
        moved = np.roll(masked, offset, tuple(range(len(shape)))).reshape(-1)
        if all(
            distance(inner(image, y), inner(moved, of_y)) <= trial.samples.tolerance(moved, y)
            for y, of_y in zip(adjoint.probes, adjoint.images, strict=True)
        ):
            if not any(offset):
                return  # what is wrong lies outside
            yield (
                f"the adjoint's result is moved by {offset if len(offset) > 1 else offset[0]}: paddings "
                "before and after are swapped, an even kernel is centred elsewhere, or an index is off by one"
            )
            return


def _length(offset: tuple[int, ...]) -> int:
    return sum(abs(step) for step in offset)


def _flip(trial: _Trial) -> Iterator[str]:
    """Try the adjoint between two reversals: that of the convolution with the kernel turned round."""
    before, after = trial.pair.input_shape, trial.pair.output_shape
    if len(before) != len(after):
        return
    forward, adjoint = trial.samples.halves
    y = adjoint.probes[0]
    for axes in _subsets(len(before)):
        turned = trial.pair.adjoint(np.flip(y.reshape(after), axes).reshape(-1))
        back = np.flip(turned.reshape(before), axes).reshape(-1)
        if all(
            distance(inner(of_x, y), inner(x, back)) <= trial.samples.tolerance(x, y)
            for x, of_x in zip(forward.probes, forward.images, strict=True)
        ):
            yield f"the adjoint has the kernel flipped along {_axes(axes, before)}"
            return


def _subsets(axes: int) -> Iterator[tuple[int, ...]]:
    """Yield all axes, then the smaller sets of them."""
    if axes > 4:
        return
    sets = [tuple(a for a in range(axes) if bits >> a & 1) for bits in range(1, 2**axes)]
    yield from sorted(sets, key=len, reverse=True)


def _axes(axes: tuple[int, ...], shape: Shape) -> str:
    if len(axes) == len(shape):
        return "every axis" if len(axes) > 1 else "its axis"
    return f"ax{'is' if len(axes) == 1 else 'es'} {', '.join(map(str, axes))}"


def _looks_of(witnesses: tuple[Witness, ...], pair: Pair) -> Iterator[str]:
    """Yield what single entries suggest, where no fault explains the whole."""
    if not witnesses:
        return
    outputs = [witness.output_index for witness in witnesses]
    if border_that_holds(outputs, pair.output_shape):
        yield "something at the border: the boundary condition, the padding, or the last step of a stride"
    if all(w.adjoint == 0 for w in witnesses):
        yield (
            "the adjoint leaves these entries out: it crops where the boundary condition folds back, or "
            "drops a tap"
        )
    elif all(w.forward == 0 for w in witnesses):
        yield "the adjoint has entries that the forward map has not: it pads where it should crop"
    elif all(_is_rounded(w.forward, w.adjoint) or _is_rounded(w.adjoint, w.forward) for w in witnesses):
        yield "entries agree to float32: one of the maps keeps its coefficients in single precision"
    elif all(_close(abs(w.adjoint), 2 * abs(w.forward)) for w in witnesses):
        yield "the adjoint counts these entries twice"
    elif all(_close(2 * abs(w.adjoint), abs(w.forward)) for w in witnesses):
        yield "the adjoint counts these entries half"


def _is_rounded(value: complex, to: complex) -> bool:
    """Tell whether the second number is the conjugate of the first in single precision."""
    return value != to.conjugate() and complex(np.complex64(value)) == to.conjugate()


__all__ = ["likely_causes"]
