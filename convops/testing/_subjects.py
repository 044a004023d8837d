"""What is checked, as one value: an operator, or a tuple of what `check_adjoint` takes in this order."""

from typing import Any

from convops._arguments import shown
from convops.adjoint.pair import pair_of
from convops.testing._maps import is_operator

FORM = "an operator, or a tuple (forward, adjoint, input_shape, output_shape) or (..., dtype)"


def arguments_of(subject: Any) -> tuple[Any, ...]:
    """Return the positional arguments of `check_adjoint` for a subject."""
    if not isinstance(subject, tuple) or is_operator(subject):
        return (subject,)
    if not 2 <= len(subject) <= 5:
        raise ValueError(
            f"{shown('operator', subject)}: it must be {FORM}; got a tuple of {len(subject)} item(s)."
        )
    return subject


def name_of(subject: Any) -> str:
    """Return a name for a test's id: what kind of operator, from which shape to which."""
    arguments = arguments_of(subject)
    pair = pair_of(*arguments, *(None,) * (5 - len(arguments)))
    op = arguments[0]
    kind = type(op).__name__ if is_operator(op) else str(getattr(op, "__name__", type(op).__name__))
    before, after = ("x".join(map(str, shape)) for shape in (pair.input_shape, pair.output_shape))
    return f"{kind.strip('<>')}-{before}-to-{after}"
