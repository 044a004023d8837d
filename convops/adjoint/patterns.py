"""What the witnesses of a fault have in common: a side of the border, a phase, a channel, an offset."""

from collections.abc import Iterator
from math import log, prod

from convops.adjoint.pair import Shape
from convops.adjoint.probes import SHORT
from convops.adjoint.witnesses import Witness

_LARGEST_MODULUS = 8
_SURE = -log(1e-3)
"""A property counts if places at random would share it less often; there are a dozen for each axis."""


def shared_by(witnesses: tuple[Witness, ...], input_shape: Shape, output_shape: Shape) -> tuple[str, ...]:
    """Return in words what all the witnesses share and places at random would not."""
    if len(witnesses) < 2:
        return ()
    found: list[str] = []
    for name, shape, indices in (
        ("output", output_shape, [witness.output_index for witness in witnesses]),
        ("input", input_shape, [witness.input_index for witness in witnesses]),
    ):
        known = len(found)
        for axis, size in enumerate(shape):
            places = [index[axis] for index in indices]
            where = f"{name} axis {axis}" if len(shape) > 1 else f"the {name} index"
            best = max(_properties(places, size, len(set(indices))), default=None)
            if best is not None and best[0] > _SURE:
                found.append(f"{where} is {best[1]}")
        width = border_that_holds(indices, shape)
        if width and len(shape) > 1 and len(found) == known:
            found.append(f"the {name} lies within {width} of the border")
    if len(input_shape) == len(output_shape):
        offsets = {
            tuple(i - o for i, o in zip(witness.input_index, witness.output_index, strict=True))
            for witness in witnesses
        }
        if len(offsets) == 1 and len(witnesses) >= 4:
            (offset,) = offsets
            found.append(f"input index - output index is {offset if len(offset) > 1 else offset[0]}")
    return tuple(found)


def border_that_holds(indices: list[Shape], shape: Shape) -> int:
    """Return how wide a border has to be to hold all of these places; 0 if chance would explain it."""
    long_axes = [axis for axis, size in enumerate(shape) if size >= SHORT]
    if len(set(indices)) < 2 or not long_axes:
        return 0
    width = 1 + max(min(min(place[a], shape[a] - 1 - place[a]) for a in long_axes) for place in indices)
    inside = prod(max(shape[axis] - 2 * width, 0) / shape[axis] for axis in long_axes)
    return width if inside > 0 and -len(set(indices)) * log(1 - inside) > _SURE else 0


def _properties(places: list[int], size: int, count: int) -> Iterator[tuple[float, str]]:
    """Yield properties of all the places, each with how surprising it is: -log of its chance.

    Places that come from one row, or column, count once. Which place or which rest it is that all share is
    no surprise: the first of them has some.
    """
    if size < 2:
        return
    if len(set(places)) == 1:
        yield ((count if count > 1 else len(places)) - 1) * log(size), f"always {places[0]}, of {size}"
        return
    low, high = min(places), max(places)
    first, last = high + 1, size - low
    if first <= size // 4:
        yield count * log(size / first), f"among the first {first} of {size}"
    if last <= size // 4:
        yield count * log(size / last), f"among the last {last} of {size}"
    ends = max(min(place, size - 1 - place) for place in places) + 1
    if 2 * ends <= size // 4 and low < ends and high >= size - ends:
        yield count * log(size / (2 * ends)), f"within {ends} of either end of {size}"
    for modulus in range(2, min(_LARGEST_MODULUS, size // 2) + 1):
        rests = {place % modulus for place in places}
        if len(rests) == 1:
            yield (count - 1) * log(modulus), f"{rests.pop()} modulo {modulus}"
