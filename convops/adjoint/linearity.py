"""Whether each of the two maps is linear: the sign, the scale, the sum, and the digits it works in."""

from collections.abc import Iterator
from math import frexp, inf, log2
from typing import Any

import numpy as np

from convops.adjoint.numbers import largest, norm, severity
from convops.adjoint.report import AdjointCheck, Figure
from convops.adjoint.samples import Half, Samples, difference, multiple
from convops.adjoint.words import named_entry, number

_POWER = 40
_NARROWER = {
    np.dtype(np.float32): ("float16", 2.0**-11),
    np.dtype(np.float64): ("float32", 2.0**-24),
}
_ROUNDINGS = 2**5
"""So many unit roundoffs of half the digits are a question of precision; what is more is not additive."""


def homogeneity(samples: Samples) -> AdjointCheck:
    """Check A(0) = 0, A(−x) = −A(x) and A(2ᵖx) = 2ᵖA(x), bit for bit.

    Powers of two change exponents only, so a linear map has nothing to round differently; a limit at any
    value, a threshold and a constant show.
    """
    names = ["A(0) = 0"]
    for half in samples.halves:
        label = half.side.label
        zero = half.side(half.zeros())
        if (size := norm(zero)) > 0:
            entry = named_entry(int(np.argmax(zero != 0)), half.image_shape)
            return AdjointCheck(
                "homogeneity",
                False,
                f"{label}(0) is not 0: its norm is {number(size)}, first at {entry}; something is added",
                {"norm of the image of zero": size},
            )
        for factor, name in () if samples.level == "quick" else _factors(half):
            try:
                found, expected = half.side(half.probes[0] * factor), multiple(half.images[0], factor)
            except OverflowError:  # integers that are refused are no wrong answer
                continue
            error = np.abs(difference(found, expected))
            wrong = ~(error <= half.underflow * max(1, abs(factor)))
            if wrong.any():
                place = int(np.argmax(wrong))
                return AdjointCheck(
                    "homogeneity",
                    False,
                    f"{label}({name}) is not {name.replace('x', f'{label}(x)')}: entry "
                    f"{named_entry(place, half.image_shape)} is {number(found[place].item())}, not "
                    f"{number(expected[place].item())}; {int(wrong.sum())} of {wrong.size} entries differ",
                    {"factor": float(factor), "entries that differ": int(wrong.sum())},
                )
            text = f"A({name}) = {name.replace('x', 'A(x)')}"
            names += [text] if text not in names else []
    return AdjointCheck("homogeneity", True, ", ".join(names) + ", bit for bit")


def additivity(samples: Samples) -> AdjointCheck:
    """Check A(x₁ + x₂) = A(x₁) + A(x₂), and A(ix) = iA(x) for complex maps."""
    worst = (-1.0, "", 0.0, 0.0, 0.0)
    for half in samples.halves:
        bound = 0.0 if samples.pair.exact else coarse_noise(half)
        errors = [(half.largest_sum_error, "{0}(x1 + x2) = {0}(x1) + {0}(x2)")]
        if half.dtype.kind == half.image_dtype.kind == "c" and samples.level != "quick":
            turned = norm(difference(half.side(1j * half.probes[0]), multiple(half.images[0], 1j)))
            errors.append((turned, "{0}(ix) = i {0}(x)"))
        for error, law in errors:
            text = law.format(half.side.label)
            worst = max(worst, (severity(error, bound), text, error, bound, half.size))
    times, text, error, bound, size = worst
    figures: dict[str, Figure] = {"difference": error, "bound": bound}
    if times <= 1:
        return AdjointCheck("additivity", True, f"{text} to {number(error)} of {number(size)}", figures)
    detail = f"not {text}: the sides differ by {number(error)} of {number(size)}"
    return AdjointCheck("additivity", False, detail, figures)


def precision(samples: Samples) -> AdjointCheck:
    """Check that the maps round no more than their dtype does; the bound is never widened for noise."""
    worst = (-1.0, "", 0.0, 0.0, 0.0, "")
    for half in samples.halves:
        if not severity(half.largest_sum_error, coarse_noise(half)) <= 1:
            continue  # it is not additive, which is another check
        for error, what in ((half.largest_sum_error, "a sum"), (norm(half.faint_error), "faint digits")):
            bound = half.largest_noise
            worst = max(worst, (severity(error, bound), half.side.label, error, bound, half.size, what))
    times, label, error, bound, size, what = worst
    figures: dict[str, Figure] = {"difference": error, "bound": bound}
    if times <= 1:
        return AdjointCheck("precision", True, f"rounds by {number(error)}, allowed {number(bound)}", figures)
    name, roundoff = _NARROWER[np.finfo(samples.pair.output_dtype).dtype]
    relative = error / size if size else inf
    close = 2.0**-7 < relative / roundoff < 2.0**5
    meaning = f"about what {name} keeps" if close else f"more than {samples.pair.output_dtype} explains"
    return AdjointCheck(
        "precision",
        False,
        f"{label} is noisier than {samples.pair.output_dtype}: {what} changes the result by {number(error)} "
        f"of {number(size)}, {meaning}; allowed {number(bound)}",
        figures,
    )


def coarse_noise(half: Half) -> float:
    """Return which error still looks like arithmetic in half the digits."""
    _, roundoff = _NARROWER[np.finfo(half.dtype).dtype]
    return 2 * _ROUNDINGS * roundoff * (half.size + half.pair.gain) + half.underflow


def _factors(half: Half) -> Iterator[tuple[Any, str]]:
    """Yield factors that change no digit, and the factor times x in words."""
    yield -1, "-x"
    if half.pair.exact:
        if (power := _integer_power(half)) > 0:
            yield 2**power, f"2**{power} x"
        return
    biggest = float(np.abs(half.images[0]).max())
    room = frexp(float(np.finfo(half.dtype).max))[1] - frexp(max(biggest, 1.0))[1]
    for power in (min(_POWER, room // 2), -_POWER):
        yield half.probes[0].real.dtype.type(2.0**power), f"2**{power} x"


def _integer_power(half: Half) -> int:
    """Return a power of two that integer results, and sums where they are known, have room for."""
    biggest = max(half.pair.gain * largest(half.probes[0]), norm(half.images[0]), 1)
    return max(min(_POWER, 61 - int(log2(biggest))), 0) if biggest < inf else 0
