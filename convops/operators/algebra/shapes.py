"""When the shapes of two sets of arrays may be taken for one another, and what is said where they may not."""

from collections.abc import Sequence
from math import prod
from typing import Any

from convops.operators._messages import Shape

# What other packages call the shapes of arrays that an operator takes and returns.
_NAMES = (("input_shape", "output_shape"), ("dims", "dimsd"), ("ishape", "oshape"))


def told_shapes(op: Any) -> tuple[Shape, Shape]:
    """Return the shapes of the arrays that an operator takes and returns; of vectors, if it tells none."""
    rows, columns = map(int, op.shape)
    for names in _NAMES:
        before, after = (getattr(op, name, None) for name in names)
        if isinstance(before, tuple | list) and isinstance(after, tuple | list):
            shapes = tuple(map(int, before)), tuple(map(int, after))
            if (prod(shapes[0]), prod(shapes[1])) == (columns, rows):
                return shapes
    return (columns,), (rows,)


def merged(one: Shape, other: Shape) -> Shape | None:
    """Return the more telling of two shapes of arrays with one ravel(), or None where they are at odds.

    A vector goes with every shape of its length, and axes of size 1 come and go.

    Examples
    --------
    >>> merged((12,), (3, 4)), merged((1, 3, 4), (3, 4)), merged((3, 4), (4, 3))
    ((3, 4), (1, 3, 4), None)
    """
    if prod(one) != prod(other):
        return None
    if len(one) == 1:
        return other
    if len(other) == 1 or _without_ones(one) == _without_ones(other):
        return one
    return None


def _without_ones(shape: Shape) -> Shape:
    return tuple(size for size in shape if size != 1)


def at_odds(what: str, rule: str, one: Shape, other: Shape) -> ValueError:
    """Return the error for shapes that `merged` refuses: `what` is the expression as typed."""
    text = f"{what}: {rule}; got {one} and {other}"
    if prod(one) != prod(other):
        return ValueError(f"{text}, {prod(one)} and {prod(other)} elements.")
    return ValueError(
        f"{text}. Both have {prod(one)} elements: to read them in C order all the same, put "
        f"convops.identity({prod(one)}), which takes and returns vectors, next to one of them."
    )


def common(what: str, rule: str, parts: Sequence[Any], name: str) -> Shape:
    """Return the shape called `name` that all parts have, as the most telling of them has it."""
    shape: Shape = getattr(parts[0], name)
    for part in parts[1:]:
        found = merged(shape, getattr(part, name))
        if found is None:
            raise at_odds(what, rule, shape, getattr(part, name))
        shape = found
    return shape
