"""Arrays and dtypes at the door: what a weight and an operand may be."""

from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from convops._arguments import shown

Array = NDArray[Any]

INEXACT = tuple(map(np.dtype, ("float32", "float64", "complex64", "complex128")))
SUPPORTED = "float32, float64, complex64, complex128 and the integers up to int64"
INT64 = np.dtype(np.int64)


def operator_dtype(dtype: Any, name: str = "dtype") -> np.dtype[Any]:
    """Return `dtype` as a dtype that an operator can have."""
    try:
        found: np.dtype[Any] = np.dtype(dtype)
    except TypeError:
        raise TypeError(f"{shown(name, dtype)}: it is no dtype; use one of {SUPPORTED}.") from None
    native: np.dtype[Any] = found.newbyteorder("=")
    if dtype is None or not (native in INEXACT or native.kind in "iu") or native == np.uint64:
        raise TypeError(f"{shown(name, dtype)}: operators work in {SUPPORTED}; use one of these.")
    return native


def dense(name: str, value: Any) -> Array:
    """Return `value` as an array of a supported dtype, in native byte order; nothing is lost."""
    if type(value) is np.ndarray and value.dtype in INEXACT and value.dtype.isnative:
        return value
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(
            f"{name} is a masked array: convolution would read what the mask hides. Fill it first, as in "
            f"{name}.filled(0)."
        )
    if hasattr(value, "tocsr") or hasattr(value, "todense"):
        raise TypeError(
            f"{name} is a sparse {type(value).__name__}: a dense array is needed. Give {name}.toarray(), or "
            "multiply sparse with sparse through the operator's tosparse()."
        )
    try:
        array = np.asarray(value)
    except (ValueError, TypeError) as error:
        _not_an_array(name, value, str(error).rstrip("."))
    if array.dtype.kind == "b":
        return array.astype(np.int8)
    if isinstance(value, str | bytes):
        _not_an_array(name, value, "it is text")
    if array.dtype.kind == "O" and not isinstance(value, np.ndarray):
        _not_an_array(name, value, "it holds objects, or integers beyond int64")
    native = array.dtype.newbyteorder("=")
    if not (native in INEXACT or native.kind in "iu"):
        wider = " Convert it with astype(np.float32)." if array.dtype == np.float16 else ""
        raise TypeError(f"{name} has dtype {array.dtype}: convops works in {SUPPORTED}.{wider}")
    return array.astype(native, copy=False)


def _not_an_array(name: str, value: object, why: str) -> NoReturn:
    raise ValueError(
        f"{shown(name, value)}: it must be an array of numbers in which all rows have one length; {why}."
    )


def weight_array(weight: Any, dtype: Any = None) -> Array:
    """Return a read-only copy of `weight` in the dtype of the operator; floats are rounded to it.

    Integers become int64 unless `dtype` names another.
    """
    array = dense("weight", weight)
    if array.ndim == 0 or array.size == 0:
        raise ValueError(
            f"weight has shape {array.shape}: it must have at least one axis, and at least one tap on each."
        )
    return entries_array("weight", array, dtype)


def entries_array(name: str, array: Array, dtype: Any = None) -> Array:
    """Return a read-only copy of the entries of a linear map in its dtype; see `weight_array`."""
    refuse_beyond_int64(name, array)
    if dtype is None:
        target = INT64 if array.dtype.kind in "iu" else array.dtype
    else:
        target = operator_dtype(dtype)
        _check_conversion(name, array, target)
    with np.errstate(over="ignore"):
        copy = np.array(array, dtype=target, order="C")
    if copy.dtype.kind in "fc" and not np.isfinite(copy).all():
        places = np.argwhere(~np.isfinite(copy))
        place = tuple(places[0].tolist())
        if np.isfinite(array[place]):
            raise OverflowError(
                f"dtype={target}: {name}{list(place)} = {array[place]}, and {target} ends at "
                f"{np.finfo(target).max:.4g}. Use a wider dtype, or scale {name} down."
            )
        raise ValueError(
            f"{name} is not finite at {len(places)} place(s), first {name}{list(place)} = {array[place]}: a "
            f"linear map has finite entries. Replace them, as in np.nan_to_num({name})."
        )
    copy.flags.writeable = False
    return copy


def refuse_beyond_int64(name: str, array: Array) -> None:
    """Refuse uint64 values that int64 cannot hold."""
    if array.dtype == np.uint64 and array.size and int(array.max()) >= 2**63:
        raise OverflowError(
            f"{name} has dtype uint64 and holds {array.max()}: integers are computed in int64, which ends at "
            "2**63 - 1. Give floats instead."
        )


def _check_conversion(name: str, array: Array, target: np.dtype[Any]) -> None:
    """Refuse a dtype that cannot hold what the array holds, rounding of floats apart."""
    kinds = {"u": 0, "i": 0, "f": 1, "c": 2}
    if kinds[array.dtype.kind] > kinds[target.kind]:
        lost = "imaginary parts" if array.dtype.kind == "c" else "fractions"
        raise TypeError(
            f"dtype={target}: {name} has dtype {array.dtype}, and its {lost} would be lost. Leave dtype out, "
            f"or convert {name} yourself."
        )
    if target.kind in "iu":
        check_range(name, array, target)


def check_range(name: str, array: Array, target: np.dtype[Any]) -> None:
    """Refuse integers that do not fit the integer dtype `target`."""
    info = np.iinfo(target)
    low, high = int(array.min()), int(array.max())
    if low < info.min or high > info.max:
        raise OverflowError(
            f"dtype={target}: {name} holds {low if low < info.min else high}, and {target} ends at "
            f"{info.min} and {info.max}. Use dtype=np.int64."
        )
