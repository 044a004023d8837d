"""From a layer of torch to its operator."""

from typing import Any

from convops._arguments import shown
from convops._arrays import Array
from convops.geometry import IntPerAxis
from convops.interop._layers import array_of_tensor, refuse_bias, refuse_kind, sizes_of_item
from convops.interop._transposes import full_lengths, kept_of_full
from convops.operators import Conv

_KINDS = "a torch.nn.Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d or ConvTranspose3d"
_NEEDED = ("weight", "stride", "padding", "dilation", "groups", "padding_mode", "transposed")
_BOUNDARIES = {"zeros": "zeros", "reflect": "reflect", "replicate": "edge", "circular": "wrap"}


def from_torch(layer: Any, input_shape: IntPerAxis, *, drop_bias: bool = False, method: str = "auto") -> Any:
    """Return the linear part of a convolution layer of torch as an operator.

    The operator equals the layer on every input of that shape: same order of channels, sizes and padding,
    and `ConvTranspose` for a transposed layer. It holds a copy of the weight as it is now.

    Parameters
    ----------
    layer : torch.nn.Conv1d, Conv2d, Conv3d, ConvTranspose1d, ConvTranspose2d or ConvTranspose3d
        With any `padding` ("same" and "valid" too), `padding_mode`, stride, dilation, groups and
        `output_padding`, on any device. Recognised by its attributes; torch is not imported.
    input_shape : int or sequence of int
        ``(C_in, *spatial)``, without the batch axis.
    drop_bias : bool, default False
        Take the linear part of a layer that has a bias, which is refused otherwise.
    method : str, default "auto"
        As for `Conv`.

    Returns
    -------
    LinearOperator
        A `Conv` or a `ConvTranspose`, in the dtype of the weight; where an `output_padding` of at least the
        stride appends zeros to all that the kernel reaches, the product with the operator that appends them.

    Raises
    ------
    TypeError
        If the layer is of another kind, or its dtype none that operators have (float16, bfloat16).
    ValueError
        If it has a bias and `drop_bias` is False, has no weight yet (a lazy layer), or does not take that
        input shape.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import numpy as np
    >>> from convops.interop import from_torch
    >>> layer = SimpleNamespace(  # a Conv1d(1, 1, 3, padding=1, padding_mode="circular", bias=False)
    ...     weight=np.array([[[1.0, 2.0, 4.0]]]), bias=None, stride=(1,), padding=(1,), dilation=(1,),
    ...     groups=1, padding_mode="circular", transposed=False, output_padding=(0,))
    >>> print(from_torch(layer, (1, 4)).toarray())
    [[2. 4. 0. 1.]
     [1. 2. 4. 0.]
     [0. 1. 2. 4.]
     [4. 0. 1. 2.]]
    """
    if not all(hasattr(layer, name) for name in _NEEDED):
        refuse_kind("layer", layer, _KINDS)
    weight = _array(layer)
    if getattr(layer, "bias", None) is not None:
        refuse_bias("layer", layer, drop_bias)
    taker = f"a layer whose weight has shape {weight.shape} takes (C_in, *spatial)"
    sizes = sizes_of_item(input_shape, weight.ndim - 1, taker)
    stride, dilation, groups = layer.stride, layer.dilation, layer.groups
    if layer.transposed:
        full = full_lengths(weight, sizes, stride, dilation)
        lengths = [
            length + more - 2 * crop
            for length, more, crop in zip(full, layer.output_padding, layer.padding, strict=True)
        ]
        return kept_of_full(weight, sizes, layer.padding, lengths, stride, dilation, groups, method)
    return Conv(
        weight,
        sizes,
        stride=stride,
        padding=layer.padding,
        dilation=dilation,
        groups=groups,
        boundary=_BOUNDARIES[layer.padding_mode],
        method=method,
    )


def _array(layer: Any) -> Array:
    """Return the weight of a layer, whatever device holds it."""
    weight = layer.weight
    if "Uninitialized" in type(weight).__name__:
        raise ValueError(
            f"{shown('layer', layer)}: a lazy layer has no weight before its first input. Apply it once."
        )
    if hasattr(weight, "detach"):
        if "16" in str(weight.dtype):
            raise TypeError(
                f"{shown('layer', layer)}: its weight has dtype {weight.dtype}, and operators work in "
                "float32 and float64. Give layer.float()."
            )
        return array_of_tensor(weight)
    array: Array = weight
    return array
