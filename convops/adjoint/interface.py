"""Whether the maps keep to what a linear operator promises its callers, whatever numbers they return."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from convops._arrays import Array
from convops.adjoint.numbers import norm, same_bits, severity
from convops.adjoint.pair import BrokenContract, Side, aligned_copy
from convops.adjoint.report import AdjointCheck
from convops.adjoint.samples import Half, Samples, disagreement
from convops.adjoint.words import named_entry, number


def contract(samples: Samples) -> AdjointCheck:
    """Check shape, dtype and finite values of the images, and that a wrong length is refused."""
    for half in samples.halves:
        for image in half.images:
            if not np.isfinite(image).all():
                place = int(np.argmin(np.isfinite(image)))
                where = named_entry(place, half.image_shape)
                return _broken(f"{half.side.label} returned {image[place]} at {where} for a finite x")
        if (fault := _wrong_dtype(half)) is not None:
            return _broken(fault)
        if samples.pair.op is not None and (fault := _accepts_any_length(half.side)) is not None:
            return _broken(fault)
    return AdjointCheck("contract", True, f"shapes and dtype {_dtypes(samples)} as declared")


def purity(samples: Samples) -> AdjointCheck:
    """Check that arguments and earlier results are left alone, and that the same x gives the same bits."""
    for half in samples.halves:
        fault = _impure_calls(half)
        if not fault and samples.level != "quick":
            fault = _impure_repeat(half)
        if fault:
            return AdjointCheck("purity", False, fault)
    repeated = "" if samples.level == "quick" else ", the same x gives the same bits"
    return AdjointCheck("purity", True, f"arguments and earlier results stay as they are{repeated}")


def involution(samples: Samples) -> AdjointCheck:
    """Check that ``A.H`` applies the adjoint, ``A.H.H`` is A, and ``A.T`` the conjugate of ``A.H``."""
    op, (forward, adjoint) = samples.pair.op, samples.halves
    cases = [
        ("A.H.matvec", op.H.matvec, adjoint, False),
        ("A.H.rmatvec", op.H.rmatvec, forward, False),
        ("A.H.H.matvec", op.H.H.matvec, forward, False),
    ]
    if hasattr(op, "T"):
        cases += [("A.T.matvec", op.T.matvec, adjoint, True), ("A.T.rmatvec", op.T.rmatvec, forward, True)]
    for label, function, half, conjugated in cases:
        probe, image = half.probes[0], half.images[0]
        given, expected = (probe.conj(), image.conj()) if conjugated else (probe, image)
        fault = _differs(f"{label}(v)", half.side.like(label, function)(given), expected, half)
        if fault is not None:
            return AdjointCheck("involution", False, fault)
    names = "A.H, A.H.H and A.T agree" if hasattr(op, "T") else "A.H and A.H.H agree"
    return AdjointCheck("involution", True, f"{names} with both products")


def matmat(samples: Samples) -> AdjointCheck:
    """Check that a product with two columns is that with each of them."""
    names = []
    for half, name in zip(samples.halves, ("matmat", "rmatmat"), strict=True):
        apply = getattr(samples.pair.op, name, None)
        if apply is None:
            continue
        names.append(name)
        columns = np.stack(half.probes[:2], axis=1)
        half.side.tally.count += 2
        product = np.asarray(apply(columns))
        if product.shape != (half.side.rows, 2):
            return AdjointCheck(
                "matmat",
                False,
                f"{name} returned shape {product.shape} for X of shape {columns.shape}: it must be "
                f"{(half.side.rows, 2)}",
            )
        for column in range(2):
            text = f"column {column} of {name}"
            if (fault := _differs(text, product[:, column], half.images[column], half)) is not None:
                return AdjointCheck("matmat", False, fault)
    return AdjointCheck("matmat", True, f"{' and '.join(names)} agree with products column by column")


def layout(samples: Samples) -> AdjointCheck:
    """Check that neither how x lies in memory counts, nor whether it may be written to."""
    refused = []
    for half in samples.halves:
        for name, given in _layouts(half.probes[0].reshape(half.side.before)):
            try:
                found = half.side.apply(given)
            except BrokenContract:
                raise
            except Exception as error:  # a loud refusal is no wrong answer
                note = f"{half.side.label} refuses a {name} x ({type(error).__name__})"
                refused += [note]
                continue
            if (
                fault := _differs(f"{half.side.label} of a {name} x", found, half.images[0], half)
            ) is not None:
                return AdjointCheck("layout", False, fault)
    detail = "; ".join(refused) or "read-only, reversed and spaced x give the same result"
    return AdjointCheck("layout", True, detail)


def _dtypes(samples: Samples) -> str:
    before, after = samples.pair.input_dtype, samples.pair.output_dtype
    return f"{before} to {after}" if samples.pair.mixed else str(before)


def _broken(fault: str) -> AdjointCheck:
    return AdjointCheck("contract", False, fault)


def _wrong_dtype(half: Half) -> str | None:
    declared = half.image_dtype
    for found in half.side.dtypes:
        if found != declared and not (declared.kind in "iu" and found.kind in "iub"):
            hint = ""
            if half.pair.exact:
                hint = ": if it works on floats, say so with dtype=float"
            elif declared.kind == "c" and found.kind == "f":
                hint = f": if it maps real to complex vectors, say so with dtype=({found}, {half.dtype})"
            elif found == np.result_type(found, declared) and found.kind == declared.kind:
                hint = ": a silent upcast"
            return f"{half.side.label} returned {found} for x of dtype {half.dtype}{hint}"
    return None


def _accepts_any_length(side: Side) -> str | None:
    wrong = np.ones(side.columns + 1)
    try:
        side.function(wrong)
    except Exception:
        return None
    return f"{side.label} accepts a vector of length {wrong.size} where it takes {side.columns}"


def _impure_calls(half: Half) -> str | None:
    label = half.side.label
    half.images  # noqa: B018
    if half.side.mutated:
        return f"{label} writes to its argument"
    if half.side.overwritten:
        return f"what {label} returned was changed by a later call: it hands out a buffer that it uses again"
    return None


def _impure_repeat(half: Half) -> str | None:
    """Apply the map to what it was given before, and once more after what it returned was overwritten."""
    zeros = half.zeros()
    for probe, expected in ((half.probes[0], half.images[0]), (zeros, None)):
        label = half.side.label
        returned, again = half.side.apply_and_keep(aligned_copy(probe.reshape(half.side.before)))
        if expected is not None and not same_bits(again, expected):
            return _changed(f"{label} gives another result for the same x", again, expected, half)
        handed_out = np.asarray(returned)
        if not handed_out.flags.writeable:
            continue
        handed_out[...] = 1 - handed_out
        try:
            third = half.side(probe)
        finally:
            handed_out[...] = again.reshape(handed_out.shape)
        if not same_bits(third, again):
            return _changed(f"writing to what {label} returned changes its next result", third, again, half)
    return None


def _changed(text: str, found: Array, expected: Array, half: Half) -> str:
    place = int(np.argmax(found != expected))
    now, before = number(found[place].item()), number(expected[place].item())
    return f"{text}: entry {named_entry(place, half.image_shape)} is {now}, before it was {before}"


def _differs(text: str, found: Array, expected: Array, half: Half) -> str | None:
    """Say where two results differ by more than their rounding, if they do."""
    error = disagreement(found, expected)
    bound = 0.0 if half.pair.exact else half.largest_noise
    if severity(norm(error), bound) <= 1:
        return None
    with np.errstate(invalid="ignore"):
        place = int(np.argmax(np.abs(error)))
    return (
        f"{text} is not what {half.side.label} returned: entry {named_entry(place, half.image_shape)} is "
        f"{number(found[place].item())}, not {number(expected[place].item())}"
    )


def _layouts(x: Array) -> Iterator[tuple[str, Array]]:
    frozen = aligned_copy(x)
    frozen.flags.writeable = False
    yield "read-only", frozen
    # With an ellipsis, an array without axes stays one.
    everywhere: Any = (*(slice(None, None, -1),) * x.ndim, ...)
    yield "reversed", x[everywhere].copy()[everywhere]
    apart = np.zeros([2 * size for size in x.shape], x.dtype, order="F")
    every_second: Any = (*(slice(None, None, 2),) * x.ndim, ...)
    spaced = apart[every_second]
    spaced[...] = x
    yield "spaced", spaced
