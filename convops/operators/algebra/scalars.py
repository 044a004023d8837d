"""What counts as a number and as an operator, and arithmetic with integers that is exact or refused."""

from numbers import Number
from typing import Any

import numpy as np
from scipy.sparse.linalg import LinearOperator

from convops._arguments import shown
from convops._arrays import INEXACT, INT64, SUPPORTED, Array

_WEAK = {bool: 0, int: 0, float: 0.0, complex: 0j}
_ENDS = "int64, which ends at 2**63 - 1"


def is_scalar(value: Any) -> bool:
    """Tell whether `value` is a number, of Python or of numpy, or an array without axes."""
    if isinstance(value, np.ndarray):
        return value.ndim == 0
    return isinstance(value, Number | np.generic)


def is_operator(value: Any) -> bool:
    """Tell whether `value` is a linear operator: SciPy's, or one that keeps to its contract as PyLops' do."""
    if isinstance(value, np.ndarray | LinearOperator):
        return isinstance(value, LinearOperator)
    return all(hasattr(value, name) for name in ("shape", "matvec", "rmatvec"))


def product_dtype(*operands: Any) -> np.dtype[Any]:
    """Return the dtype that numpy gives a product or a sum; integers are int64, in which they are exact."""
    kinds = [np.dtype(operand).kind for operand in operands]
    if all(kind in "iu" for kind in kinds):
        return INT64
    return np.result_type(*operands)


def in_precision(x: Array, dtype: np.dtype[Any]) -> Array:
    """Return x with the digits of `dtype`, still real if it is; what comes of it has them."""
    if dtype.kind in "iu":
        return x.astype(INT64, copy=False)
    wanted = dtype if x.dtype.kind == "c" else np.finfo(dtype).dtype
    return x.astype(wanted, copy=False)


def scaled_dtype(value: Any, dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of `value` times an operator of `dtype`: a number of Python's widens no precision."""
    if isinstance(value, np.ndarray | np.generic):
        return product_dtype(dtype, value.dtype)
    weak = _WEAK.get(type(value), value)
    found: np.dtype[Any] = np.result_type(dtype, weak)
    return INT64 if found.kind in "iu" else found


def factor_of(value: Any, dtype: np.dtype[Any]) -> Any:
    """Return `value` as a scalar in the precision of `dtype`, real where it is real.

    Python's ints and numpy's are alike here; `dtype` is what `scaled_dtype` found.
    """
    target = dtype
    if dtype.kind == "c" and not np.iscomplexobj(value):
        target = np.finfo(dtype).dtype
    if dtype.kind in "iu":
        if not -(2**63) < int(value) < 2**63:
            raise OverflowError(
                f"{shown('scalar', value)}: an integer operator is computed in {_ENDS}. Give a float."
            )
        return INT64.type(int(value))
    try:
        with np.errstate(over="ignore"):
            factor = target.type(value)
    except OverflowError:
        factor = target.type(np.inf)
    if not np.isfinite(factor):
        reason = f"{target} ends at {np.finfo(target).max:.4g}" if _finite(value) else "it is not finite"
        raise ValueError(
            f"{shown('scalar', value)}: a linear map has finite entries; {reason}. Give another."
        )
    return factor


def check_scalar(value: Any) -> Any:
    """Return a scalar of a supported type; an array without axes becomes the number it holds."""
    if isinstance(value, np.ndarray):
        value = value[()]
    if isinstance(value, np.bool_):
        return int(value)
    if isinstance(value, np.generic):
        if value.dtype in INEXACT or value.dtype.kind in "iu":
            return value
        raise TypeError(
            f"{shown('scalar', value)}: it has dtype {value.dtype}, and operators work in {SUPPORTED}. "
            "Convert it with float() or complex()."
        )
    if type(value) not in _WEAK:
        raise TypeError(
            f"{shown('scalar', value)}: an operator is multiplied by an int, a float or a complex "
            f"number; got {type(value).__name__}. Convert it with float()."
        )
    return int(value) if isinstance(value, bool) else value


def _finite(value: Any) -> bool:
    return isinstance(value, int) or bool(np.isfinite(value))


def largest(x: Array) -> int:
    """Return the largest modulus among integers."""
    return max(-int(x.min()), int(x.max())) if x.size else 0


def add_to(total: Array, term: Array) -> Array:
    """Return ``total + term``, in the memory of `total`, which the caller owns, where that can hold it."""
    dtype = np.result_type(total, term)
    if dtype.kind in "iu" and largest(total) + largest(term) >= 2**63:
        raise OverflowError(
            f"x leads to summands of up to {largest(total)} and {largest(term)}, whose sum can leave "
            f"{_ENDS}. Give x as floats, or smaller integers."
        )
    if dtype != total.dtype:
        return np.asarray(total + term)
    total += term
    return total


def multiply(y: Array, factor: Any) -> Array:
    """Return ``factor * y``, in the memory of y, which the caller owns, where that can hold it."""
    dtype = np.result_type(y, factor)
    if dtype.kind in "iu" and largest(y) * abs(int(factor)) >= 2**63:
        raise OverflowError(
            f"x leads to values of up to {largest(y)}, and {factor} times that leaves {_ENDS}. Give x as "
            "floats, or smaller integers."
        )
    if dtype != y.dtype:
        return np.asarray(y * factor)
    y *= factor
    return y
