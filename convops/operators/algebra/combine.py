"""From two operands as typed to the operator that they make, or to the reason why they make none."""

from typing import Any

import numpy as np
from scipy.sparse import issparse

from convops._arguments import integer, shown
from convops.operators.algebra.composite import ATOM, text_of
from convops.operators.algebra.foreign import as_part
from convops.operators.algebra.gram import Gram
from convops.operators.algebra.identity import Identity
from convops.operators.algebra.products import Power, Product
from convops.operators.algebra.scalars import (
    check_scalar,
    factor_of,
    is_operator,
    is_scalar,
    product_dtype,
    scaled_dtype,
)
from convops.operators.algebra.scaled import Scaled
from convops.operators.algebra.shapes import at_odds, merged
from convops.operators.algebra.sums import Sum


def added(left: Any, right: Any) -> Any:
    """Return ``left + right``; 0 is the empty sum, so that ``sum(operators)`` works."""
    for one, other in ((left, right), (right, left)):
        if isinstance(one, int) and not isinstance(one, bool) and one == 0:
            return other
    return _sum("+", left, right)


def subtracted(left: Any, right: Any) -> Any:
    """Return ``left - right``."""
    for operand in (left, right):
        if not is_operator(operand):
            return _sum("-", left, right)
    return Sum(as_part(left), scaled(as_part(right), -1))


def _sum(sign: str, left: Any, right: Any) -> Any:
    for operand, other in ((left, right), (right, left)):
        if is_operator(operand):
            continue
        if not (is_scalar(operand) or issparse(operand) or isinstance(operand, np.ndarray)):
            return NotImplemented
        name = text_of(as_part(other), ATOM)
        if is_scalar(operand):
            text = f"{operand} {sign} {name}" if operand is left else f"{name} {sign} {operand}"
            raise TypeError(
                f"{text}: an operator and a number have no sum, for x + {operand} is not linear in x. For a "
                f"multiple of the identity, which needs a square operator, add {operand} * "
                "convops.identity(A.input_shape); a multiple of the operator is written with '*'."
            )
        raise TypeError(
            f"{name} {sign} {type(operand).__name__} of shape {operand.shape}: an operator and an array have "
            "no sum. Wrap the matrix in scipy.sparse.linalg.aslinearoperator, or take the operator's "
            "tosparse()."
        )
    return Sum(as_part(left), as_part(right))


def times(left: Any, right: Any) -> Any:
    """Return the product of two operators, or of an operator and a scalar on either side."""
    if is_operator(left) and is_operator(right):
        return Product(as_part(left), as_part(right))
    return scaled(right, left) if is_operator(right) else scaled(left, right)


def scaled(op: Any, scalar: Any) -> Any:
    """Return ``scalar * op``."""
    part, value = as_part(op), check_scalar(scalar)
    dtype = scaled_dtype(value, part.dtype)
    factor = factor_of(value, dtype)
    if isinstance(part, Scaled):
        inner = part.factor
        exact = int(inner) * int(factor) if dtype.kind in "iu" else factor_of(inner, dtype) * factor
        part, factor = part.parts[0], factor_of(exact, dtype)
        if factor == 1 and product_dtype(part.dtype) == dtype:
            return part
    return Scaled(part, factor, dtype)


def divided(op: Any, scalar: Any) -> Any:
    """Return ``op / scalar``."""
    if not is_scalar(scalar):
        if isinstance(scalar, str | bytes):
            raise TypeError(f"{shown('scalar', scalar)}: an operator is divided by a number; got text.")
        raise ValueError(
            f"{type(op).__name__} / {type(scalar).__name__}: an operator can be divided by a scalar only."
        )
    value = check_scalar(scalar)
    if value == 0:
        raise ZeroDivisionError(
            f"{shown('scalar', scalar)}: an operator cannot be divided by 0; a linear map has finite entries."
        )
    return scaled(op, 1.0 / value if not isinstance(value, np.integer) else 1.0 / np.float64(value))


def power(op: Any, exponent: Any) -> Any:
    """Return ``op ** exponent``."""
    count = integer("exponent", exponent, 0)
    if merged(op.input_shape, op.output_shape) is None:
        raise at_odds(
            f"{text_of(op, ATOM)} ** {count}",
            "a power needs a square operator, that takes the arrays that it returns",
            op.input_shape,
            op.output_shape,
        )
    if count == 0:
        return Identity(op.input_shape, op.dtype)
    return op if count == 1 else Power(op, count)


def gram(op: Any) -> Any:
    """Return ``op.H @ op`` as an operator that knows itself to be Hermitian."""
    return Gram(as_part(op))


def cogram(op: Any) -> Any:
    """Return ``op @ op.H`` as an operator that knows itself to be Hermitian."""
    return Gram(as_part(op).H)
