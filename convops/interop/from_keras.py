"""From a layer of Keras to its operator."""

from typing import Any

import numpy as np

from convops._arguments import shown
from convops._arrays import Array, dense
from convops.geometry import IntPerAxis
from convops.interop._layers import array_of_tensor, refuse_bias, refuse_kind, sizes_of_item
from convops.interop._transposes import kept_of_full
from convops.operators import Conv
from convops.operators.algebra.axes import Transposition

_KINDS = "a Conv1D, Conv2D, Conv3D, Conv1DTranspose, ..., or DepthwiseConv1D or 2D of Keras"
_NEEDED = ("kernel", "strides", "padding", "dilation_rate", "data_format", "activation")


def from_keras(layer: Any, input_shape: IntPerAxis, *, drop_bias: bool = False, method: str = "auto") -> Any:
    """Return the linear part of a convolution layer of Keras as an operator.

    The operator equals the layer on every input of that shape, channels last where the layer has them last.

    Parameters
    ----------
    layer : keras.layers.Conv1D, Conv2D, Conv3D, Conv1DTranspose, ..., DepthwiseConv1D or DepthwiseConv2D
        Built, with any padding, strides, dilation, groups, `output_padding` and `data_format`, and no
        activation. Recognised by its attributes; Keras is not imported.
    input_shape : int or sequence of int
        ``(*spatial, C_in)``, or ``(C_in, *spatial)`` where the channels come first; without the batch axis.
    drop_bias : bool, default False
        Take the linear part of a layer that has a bias, which is refused otherwise.
    method : str, default "auto"
        As for `Conv`.

    Returns
    -------
    LinearOperator
        A `Conv`, or of a transposed layer a `ConvTranspose`, in products with permutations where the
        channels come last.

    Raises
    ------
    TypeError
        If the layer is of another kind.
    ValueError
        If it has a bias and `drop_bias` is False, an activation, no weight yet, or does not take that input
        shape.

    Notes
    -----
    A transposed layer keeps the places of the longest output that TensorFlow and JAX keep: ``size * stride``
    for "same", ``(size - 1) * stride + max(effective, stride)`` for "valid".

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> import numpy as np
    >>> from convops.interop import from_keras
    >>> layer = SimpleNamespace(  # in place of keras.layers.Conv1D(1, 2, use_bias=False), built
    ...     kernel=np.array([[[1.0], [10.0]], [[2.0], [20.0]]]), bias=None, strides=(1,), padding="valid",
    ...     dilation_rate=(1,), groups=1, data_format="channels_last", activation=None)
    >>> print(from_keras(layer, (3, 2)).toarray())
    [[ 1. 10.  2. 20.  0.  0.]
     [ 0.  0.  1. 10.  2. 20.]]
    """
    if not all(hasattr(layer, name) for name in _NEEDED if name != "kernel"):
        refuse_kind("layer", layer, _KINDS)
    if getattr(layer, "kernel", None) is None:
        raise ValueError(f"{shown('layer', layer)}: it has no weight before it is built. Apply it once.")
    if (activation := layer.activation) is not None and getattr(activation, "__name__", "") != "linear":
        raise ValueError(
            f"{shown('layer', layer)}: its activation {getattr(activation, '__name__', activation)!r} is not "
            "linear. Take a layer without, and apply the activation yourself."
        )
    if getattr(layer, "bias", None) is not None:
        refuse_bias("layer", layer, drop_bias)
    kernel = _array(layer.kernel)
    axes = kernel.ndim - 2
    taker = f"a layer whose kernel has shape {kernel.shape} takes an input"
    sizes = sizes_of_item(input_shape, axes + 1, taker)
    last = layer.data_format == "channels_last"
    if not hasattr(layer, "output_padding"):
        return _forward(layer, kernel, sizes, method, -1 if last else 0)
    op = _transposed(layer, kernel, (sizes[-1], *sizes[:-1]) if last else sizes, method)
    if not last:
        return op
    into = Transposition(sizes, (axes, *range(axes)), op.dtype)
    back = Transposition(op.output_shape, (*range(1, axes + 1), 0), op.dtype)
    return back @ op @ into


def _forward(layer: Any, kernel: Array, sizes: tuple[int, ...], method: str, channel_axis: int) -> Conv:
    groups = getattr(layer, "groups", 1)
    weight = np.moveaxis(kernel, (-1, -2), (0, 1))
    if getattr(layer, "depth_multiplier", None) is not None:
        groups = kernel.shape[-2]
        weight = weight.swapaxes(0, 1).reshape(-1, 1, *kernel.shape[:-2])
    return Conv(
        weight,
        sizes,
        stride=tuple(layer.strides),
        padding=layer.padding,
        dilation=tuple(layer.dilation_rate),
        groups=groups,
        channel_axis=channel_axis,
        method=method,
    )


def _transposed(layer: Any, kernel: Array, sizes: tuple[int, ...], method: str) -> Any:
    strides, dilations = tuple(layer.strides), tuple(layer.dilation_rate)
    extra = layer.output_padding
    extra = (extra,) * len(strides) if extra is None or isinstance(extra, int) else tuple(extra)
    kept = [
        _kept(*of_axis, layer.padding)
        for of_axis in zip(sizes[1:], kernel.shape[:-2], strides, dilations, extra, strict=True)
    ]
    starts, lengths = zip(*kept, strict=True)
    weight = np.moveaxis(kernel, (-1, -2), (0, 1))  # of the transpose: (C_in, C_out, *kernel)
    return kept_of_full(weight, sizes, starts, lengths, strides, dilations, 1, method)


def _kept(
    size: int, taps: int, stride: int, dilation: int, extra: int | None, padding: str
) -> tuple[int, int]:
    """Return the first place that a transposed layer keeps of the longest output, and how many it keeps."""
    effective = dilation * (taps - 1) + 1
    if padding == "valid":
        extra = max(stride - effective, 0) if extra is None else extra
        return 0, (size - 1) * stride + effective + extra
    width = stride + effective - 2 if extra is None else effective + effective % 2 - 2 + extra
    left = min(width - width // 2, effective - 1)
    return effective - 1 - left, (size - 1) * stride + width - effective + 2


def _array(kernel: Any) -> Array:
    """Return the value of a variable of Keras, whatever its backend."""
    value = getattr(kernel, "value", kernel)
    if hasattr(value, "detach"):
        value = array_of_tensor(value)
    return dense("layer.kernel", np.asarray(value))
