"""What layers of all packages have in common: a weight, and a bias that is no part of a linear map."""

from typing import Any, NoReturn

from convops._arguments import shown
from convops._arrays import SUPPORTED, Array, dense


def refuse_bias(name: str, value: Any, drop_bias: object) -> None:
    """Raise ValueError for a layer that adds something, unless that shall be dropped."""
    if drop_bias is not True:
        raise ValueError(
            f"{shown(name, value)}: it adds a bias, which is affine and not linear: an operator cannot be "
            "the layer. Give drop_bias=True for its linear part alone, and add the bias yourself."
        )


def refuse_kind(name: str, value: Any, kinds: str) -> NoReturn:
    """Raise TypeError for what is no convolution that the bridge knows."""
    raise TypeError(
        f"{shown(name, value)}: it must be {kinds}; got {type(value).__name__}. Of any other operator, "
        "convops.probe_matrix reads the matrix off products."
    )


def weight_of(name: str, weight: Any) -> Array:
    """Return a weight as an array of a supported dtype."""
    try:
        return dense(name, weight)
    except TypeError as error:
        raise TypeError(f"{name}: operators work in {SUPPORTED}. {error}") from error
