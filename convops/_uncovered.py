"""Whether a matrix that was read off an operator is that of the operator; and if not, what it leaves out."""

from typing import Any, NoReturn

import numpy as np
from scipy.sparse import csr_array

from convops._arguments import shown
from convops._arrays import Array
from convops.adjoint.numbers import severity
from convops.adjoint.pair import Pair
from convops.adjoint.samples import SAFETY, Half, difference
from convops.adjoint.words import named_entry, number
from convops.geometry import ConvGeometry


def refuse_uncovered(pair: Pair, W: csr_array, pattern: Any, seed: int) -> None:
    """Raise ValueError if the operator is not linear, or not W: an entry of it is outside the pattern.

    Makes three products: of two random vectors, and of their sum, which tells the operator's own rounding.
    """
    half = Half(pair.forward, pair.input_shape, pair.output_shape, pair, (seed, 0), "quick")
    for image in half.images:
        if not np.isfinite(image).all():
            place = int(np.argmin(np.isfinite(image)))
            raise ValueError(
                f"op returned {image[place]} at {named_entry(place, pair.output_shape)} for a finite x: no "
                "matrix does that. Look for an overflow, or a division by zero, inside it."
            )
    if severity(half.largest_sum_error, half.largest_noise) > 1:
        _refuse_nonlinear(half)
    for probe, image in zip(half.probes, half.images, strict=True):
        error, allowed = np.abs(difference(image, W @ probe)), _allowed(half, W, probe)
        wrong = ~(error <= allowed)
        if wrong.any():
            row = int(np.argmax(np.where(wrong, error, -1)))
            beyond = _entry_outside(half, W, row, float(allowed[row]))
            _refuse(half, pattern, row, float(error[row]), float(allowed[row]), int(wrong.sum()), beyond)


def _allowed(half: Half, W: csr_array, probe: Array) -> Array:
    """Return what rounding may make of each entry of op(x) - W x: 0 for integers.

    The noise that a norm may reach (`Half.noise_at`), relative to the size of the image, is granted to each
    entry: of what its own terms add up to, and of the typical entry, with which a transform mixes it; and
    the noise that was measured.
    """
    if half.pair.exact:
        return np.zeros(half.side.rows)
    typical = half.size / np.sqrt(half.side.rows)
    terms = abs(W) @ np.abs(probe)
    relative = half.largest_noise / half.size if half.size else 0.0
    measured = SAFETY * half.error_per_entry(np.ones(half.side.rows))
    allowed: Array = relative * (terms.astype(np.float64) + typical) + measured + half.underflow
    return allowed


def _entry_outside(half: Half, W: csr_array, row: int, allowed: float) -> int | None:
    """Return a column outside the pattern in which this row has an entry, found by bisection."""
    outside = np.ones(half.side.columns, bool)
    outside[W.indices[W.indptr[row] : W.indptr[row + 1]]] = False
    columns = np.flatnonzero(outside)
    if not columns.size or _part(half, columns, row) <= allowed:
        return None
    while columns.size > 1:
        parts = np.array_split(columns, 2)
        columns = max(parts, key=lambda part: _part(half, part, row))
    return int(columns[0])


def _part(half: Half, columns: Array, row: int) -> float:
    """Return what some columns add to one entry of the image of a probe."""
    x = half.zeros()
    x[columns] = half.probes[0][columns]
    return float(abs(half.side(x)[row]))


def _refuse_nonlinear(half: Half) -> NoReturn:
    name = half.pair.name
    of_zero = half.side(half.zeros())
    if of_zero.any():
        place = int(np.argmax(of_zero != 0))
        raise ValueError(
            f"op is {name}: it is not linear. op(0) is {number(of_zero[place].item())} at "
            f"{named_entry(place, half.image_shape)}; something is added, such as a bias. Take it off: "
            "lambda x: op(x) - op(0 * x)."
        )
    place = int(np.argmax(np.abs(half.sum_errors[0])))
    raise ValueError(
        f"op is {name}: it is not linear to the precision of {half.image_dtype}. op(x1 + x2) and op(x1) + "
        f"op(x2) differ by {number(half.largest_sum_error)} of {number(half.size)}, where rounding explains "
        f"{number(half.largest_noise)}, most at {named_entry(place, half.image_shape)}. If it works in a "
        "narrower dtype, say so: dtype=np.float32."
    )


def _refuse(
    half: Half, pattern: Any, row: int, error: float, allowed: float, count: int, beyond: int | None
) -> NoReturn:
    place = named_entry(row, half.image_shape)
    entry = ""
    if beyond is not None:
        value = number(half.side(half.unit(beyond))[row].item())
        entry = (
            f" Outside it is op[{place}, {named_entry(beyond, half.shape)}] = {value}, what output {place} "
            f"takes of input {named_entry(beyond, half.shape)}."
        )
    if isinstance(pattern, ConvGeometry):
        fix = (
            f"Give a ConvGeometry with a larger kernel than {pattern.kernel_size}, other padding than "
            f"{pattern.padding}, or another boundary than {pattern.boundary}"
        )
        fix += f", or fewer groups than {pattern.groups}." if pattern.groups > 1 else "."
    else:
        fix = "Give a pattern with more entries."
    raise ValueError(
        f"{shown('pattern', pattern)}: it does not cover {half.pair.name}. op(x) is not W x in {count} of "
        f"{half.side.rows} rows, most in row {place}, by {number(error)}, where rounding explains "
        f"{number(allowed)}.{entry} {fix}"
    )


__all__ = ["refuse_uncovered"]
