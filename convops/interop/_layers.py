"""What layers of all packages have in common: an input shape, tensors, and a bias that is no linear map."""

from typing import Any, NoReturn

from convops._arguments import shape, shown
from convops._arrays import Array
from convops.geometry import IntPerAxis


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


def sizes_of_item(input_shape: IntPerAxis, axes: int, taker: str) -> tuple[int, ...]:
    """Return the shape of one item of a batch, which has so many axes; `taker` says what takes it."""
    sizes = shape("input_shape", input_shape)
    if len(sizes) != axes:
        raise ValueError(
            f"{shown('input_shape', input_shape)}: {taker} of {axes} axes, without the batch axis; got "
            f"{len(sizes)}."
        )
    return sizes


def array_of_tensor(tensor: Any) -> Array:
    """Return what a tensor of torch holds, on whatever device; it may share its memory."""
    array: Array = tensor.detach().resolve_conj().resolve_neg().cpu().numpy()
    return array
