"""Arguments as users type them, made canonical; and the one form of every error message.

An error names the argument as typed, the rule, the numbers that follow, and the fix.
"""

import operator
import reprlib
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, NoReturn, TypeGuard

_shortened = reprlib.Repr()
_shortened.maxtuple = _shortened.maxlist = 12
_shortened.maxstring = _shortened.maxlong = _shortened.maxother = 80

LARGEST = sys.maxsize
_NUMPY_BOOLS = ("bool", "bool_")


def shown(name: str, value: object) -> str:
    """Return ``name=value`` as the user would have typed it, cut where it is long."""
    return f"{name}={' '.join(_shortened.repr(value).split())}"


def _wrong_type(name: str, value: object, rule: str) -> NoReturn:
    raise TypeError(f"{shown(name, value)}: {rule}; got {type(value).__name__}.")


def integer(name: str, value: object, minimum: int, *, typed: object = None, where: str = "") -> int:
    """Return `value` as an int of at least `minimum`; a bool or a float is not an int.

    `typed` is the whole argument as the user gave it and `where` the place of `value` in it.
    """
    whole = value if typed is None else typed
    if type(value) is not int:
        if isinstance(value, bool) or type(value).__name__ in _NUMPY_BOOLS or not hasattr(value, "__index__"):
            raise TypeError(
                f"{shown(name, whole)}: {where or 'it'} must be an int of at least {minimum}; "
                f"got {_shortened.repr(value)} of type {type(value).__name__}."
            )
        try:
            value = operator.index(value)
        except TypeError:
            _wrong_type(name, whole, f"{where or 'it'} must be an int of at least {minimum}")
    if not minimum <= value <= LARGEST:
        limit = f"at least {minimum}" if value < minimum else "at most 2**63 - 1"
        raise ValueError(f"{shown(name, whole)}: {where or 'it'} must be {limit}; got {value}.")
    return value


def boolean(name: str, value: object) -> bool:
    """Return `value` if it is True or False; a number is neither."""
    if not isinstance(value, bool):
        _wrong_type(name, value, "it must be True or False")
    return value


def is_sequence(value: object) -> TypeGuard[Sequence[Any]]:
    """Tell whether `value` lists its items in order (a tuple, a list, an array), text excluded."""
    return (
        hasattr(value, "__len__")
        and hasattr(value, "__getitem__")
        and not isinstance(value, str | bytes | Mapping)
        and getattr(value, "ndim", 1) > 0
    )


def per_axis(name: str, value: object, count: int, minimum: int) -> tuple[int, ...]:
    """Return one int per spatial axis from an int for all of them or a sequence."""
    if type(value) is int and minimum <= value <= LARGEST:
        return (value,) * count
    if is_sequence(value):
        items: tuple[object, ...] = tuple(value)
        if len(items) != count:
            raise ValueError(
                f"{shown(name, value)}: one int per spatial axis is needed, {count} of them; got "
                f"{len(items)}. An int alone stands for every axis."
            )
        return tuple(
            integer(name, item, minimum, typed=value, where=f"axis {axis}") for axis, item in enumerate(items)
        )
    return (integer(name, value, minimum),) * count


def shape(name: str, value: object) -> tuple[int, ...]:
    """Return a shape as a tuple of positive ints; an int stands for a 1-tuple."""
    if getattr(value, "ndim", 1) > 1:
        sizes = tuple(value.shape)  # type: ignore[attr-defined]
        _wrong_type(name, value, f"an array was given where its shape is asked for, {sizes}")
    if not is_sequence(value):
        if hasattr(value, "__index__") and not isinstance(value, bool):
            return (integer(name, value, 1),)
        _wrong_type(name, value, "a shape is an int or a sequence of ints, each at least 1")
    return tuple(
        item
        if type(item) is int and 0 < item <= LARGEST
        else integer(name, item, 1, typed=value, where=f"axis {axis}")
        for axis, item in enumerate(value)
    )


def choice(
    name: str, value: object, names: tuple[str, ...], others: Mapping[str, str], default: str = ""
) -> str:
    """Return `value` if it is one of `names`; `others` maps other libraries' names to ours.

    `default` is what the argument is when it is left out: the advice to who gives None.
    """
    if isinstance(value, str) and value in names:
        return str(value)
    rule = "it must be one of " + ", ".join(map(repr, names))
    if isinstance(value, str):
        raise ValueError(f"{shown(name, value)}: {rule}.{_meant(value, names, others)}")
    if value is None and default:
        raise TypeError(f"{shown(name, value)}: {rule}; got NoneType. Leave {name} out for {default!r}.")
    _wrong_type(name, value, rule)


def _meant(value: str, names: tuple[str, ...], others: Mapping[str, str]) -> str:
    """Say which of our names `value` stands for elsewhere, or looks like."""
    known = {**others, **{name: name for name in names}}
    if ours := known.get(value.lower()):
        return f" What you call {value!r} is {ours!r} here."
    close = get_close_matches(value.lower(), known, 1)
    return f" Did you mean {known[close[0]]!r}?" if close else ""
