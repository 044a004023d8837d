"""From a node of ONNX to its operator."""

from typing import Any

from convops._arrays import Array, dense
from convops.geometry import IntPerAxis
from convops.interop._layers import refuse_bias, refuse_kind, sizes_of_item
from convops.interop._transposes import full_lengths, kept_of_full
from convops.operators import Conv

_INT, _STRING, _INTS = 2, 3, 7
"""Numbers of the types of attributes (onnx.proto, `AttributeProto.AttributeType`)."""


def from_onnx(
    node: Any,
    weight: Any,
    input_shape: IntPerAxis,
    *,
    drop_bias: bool = False,
    method: str = "auto",
) -> Any:
    """Return the linear part of a Conv or ConvTranspose node of ONNX as an operator.

    Parameters
    ----------
    node : onnx.NodeProto
        Of type Conv or ConvTranspose. Read by its fields; onnx is not imported.
    weight : array_like or onnx.TensorProto
        What the node's second input holds; a tensor is read with `onnx.numpy_helper`.
    input_shape : int or sequence of int
        ``(C_in, *spatial)``, without the batch axis.
    drop_bias : bool, default False
        Take the linear part of a node with a third input, its bias, which is refused otherwise.
    method : str, default "auto"
        As for `Conv`.

    Returns
    -------
    LinearOperator
        A `Conv` or a `ConvTranspose`; where a ConvTranspose node appends zeros to all that its kernel reaches
        (a negative total padding), the product of one with the operator that appends them.

    Raises
    ------
    TypeError
        If the node is of another type.
    ValueError
        If it has a bias and `drop_bias` is False, or attributes that contradict each other, the weight or
        the input shape.

    Notes
    -----
    The sizes are those of the operators' specification: ``auto_pad`` of Conv pads as "same" and
    "same_lower"; ConvTranspose crops ``total = stride * (size - 1) + output_padding + effective -
    output_shape``, of which SAME_UPPER takes the smaller half before, and every other `auto_pad` after.

    References
    ----------
    ONNX, "Operator Schemas", Conv and ConvTranspose: https://onnx.ai/onnx/operators/

    Examples
    --------
    >>> from types import SimpleNamespace as Fields
    >>> from convops.interop import from_onnx
    >>> node = Fields(  # in place of onnx.helper.make_node("ConvTranspose", ["x", "w"], ["y"], strides=[2])
    ...     op_type="ConvTranspose", input=["x", "w"], attribute=[Fields(name="strides", type=7, ints=[2])])
    >>> print(from_onnx(node, [[[1.0, 2.0, 4.0]]], (1, 2)).toarray())
    [[1. 0.]
     [2. 0.]
     [4. 1.]
     [0. 2.]
     [0. 4.]]
    """
    kind = getattr(node, "op_type", None)
    if kind not in ("Conv", "ConvTranspose"):
        refuse_kind("node", node, "a node of type Conv or ConvTranspose of ONNX")
    if len(node.input) > 2 and node.input[2]:
        refuse_bias("node", node, drop_bias)
    given = {attribute.name: _value(attribute) for attribute in node.attribute}
    array = _array(weight)
    axes = array.ndim - 2
    if axes < 1:
        raise ValueError(
            f"a weight of shape {array.shape} has {array.ndim} axes: (C_out, C_in // group, *kernel) has at "
            "least 3."
        )
    taker = f"a weight of shape {array.shape} takes (C_in, *spatial)"
    sizes = sizes_of_item(input_shape, axes + 1, taker)
    if tuple(given.get("kernel_shape", array.shape[2:])) != array.shape[2:]:
        raise ValueError(
            f"kernel_shape={given['kernel_shape']}: the weight of shape {array.shape} has a kernel of "
            f"{array.shape[2:]}."
        )
    automatic = given.get("auto_pad", "NOTSET")
    pads = given.get("pads")
    if automatic != "NOTSET" and pads and any(pads):
        raise ValueError(f"pads={pads} beside auto_pad={automatic!r}: ONNX has one or the other.")
    strides, dilations = (given.get(name, [1] * axes) for name in ("strides", "dilations"))
    groups = given.get("group", 1)
    before = (pads or [0] * 2 * axes)[:axes]
    after = (pads or [0] * 2 * axes)[axes:]
    if kind == "Conv":
        padding: Any = {"SAME_UPPER": "same", "SAME_LOWER": "same_lower"}.get(
            automatic, tuple(zip(before, after, strict=True))
        )
        return Conv(
            array,
            sizes,
            stride=tuple(strides),
            padding=padding,
            dilation=tuple(dilations),
            groups=groups,
            method=method,
        )
    extra = given.get("output_padding", [0] * axes)
    full = full_lengths(array, sizes, strides, dilations)
    lengths = [length + more for length, more in zip(full, extra, strict=True)]
    wanted = given.get("output_shape")
    if wanted is None and automatic in ("SAME_UPPER", "SAME_LOWER"):
        wanted = [size * stride for size, stride in zip(sizes[1:], strides, strict=True)]
    if wanted is not None:
        wanted = wanted[-axes:]  # some exporters give batch and channels too
        total = [length - size for length, size in zip(lengths, wanted, strict=True)]
        before = [crop // 2 if automatic == "SAME_UPPER" else crop - crop // 2 for crop in total]
    else:
        wanted = [length - sum(pair) for length, *pair in zip(lengths, before, after, strict=True)]
    return kept_of_full(array, sizes, before, wanted, strides, dilations, groups, method)


def _value(attribute: Any) -> Any:
    """Return the value of an attribute."""
    if attribute.type == _INT:
        return attribute.i
    if attribute.type == _INTS:
        return list(attribute.ints)
    if attribute.type == _STRING:
        return attribute.s.decode() if isinstance(attribute.s, bytes) else attribute.s
    raise TypeError(
        f"attribute {attribute.name!r} of the node: no convolution has one of type {attribute.type}."
    )


def _array(weight: Any) -> Array:
    if hasattr(weight, "SerializeToString"):
        from onnx import numpy_helper

        weight = numpy_helper.to_array(weight)
    return dense("weight", weight)
