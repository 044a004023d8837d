"""One-shot `conv` and `conv_transpose`: arrays in, arrays out, no matrix."""

from typing import Any

from convops._arrays import dense
from convops.geometry import Boundary, IntPerAxis, Padding
from convops.operators._items import item_shape
from convops.operators.base import ConvOperator
from convops.operators.conv import Conv, ConvTranspose


def conv(
    x: Any,
    weight: Any,
    *,
    batch_dims: int = 0,
    stride: IntPerAxis = 1,
    padding: Padding = 0,
    dilation: IntPerAxis = 1,
    groups: int = 1,
    boundary: Boundary = "zeros",
    channel_axis: int | None = None,
    flip: bool = False,
    dtype: Any = None,
) -> Any:
    """Return the convolution of x, without building a matrix.

    Parameters
    ----------
    x : array_like or dask array, shape ``(*batch, C_in, *spatial)`` or ``(*batch, *spatial)``
        What is convolved.
    weight : array_like
        ``(C_out, C_in // groups, *kernel)``, or ``kernel`` alone for one channel in and one out, or for
        each channel on `channel_axis`.
    batch_dims : int, default 0
        How many of the first axes of x are batch axes.
    stride, padding, dilation, groups, boundary
        As for `ConvGeometry`.
    channel_axis : int, optional
        Which axis of one item holds the channels, batch axes not counted: -1 where they come last. As for
        `Conv`.
    flip, dtype
        As for `Conv`.

    Returns
    -------
    ndarray or dask array, shape ``(*batch, C_out, *out)`` or ``(*batch, *out)``
        The product W x of each item of the batch.

    Raises
    ------
    TypeError, ValueError, OverflowError
        Where an argument does not fit, with the numbers and the fix.

    Examples
    --------
    >>> from convops import conv
    >>> conv([[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[1, 2], [3, 4]])
    array([[27, 37],
           [57, 67]])

    One kernel on every channel of an image, channels last:

    >>> import numpy as np
    >>> image = np.arange(27).reshape(3, 3, 3)
    >>> conv(image, [[1, 2], [3, 4]], channel_axis=-1)[..., 0]
    array([[ 81, 111],
           [171, 201]])
    """
    x, weight = _operand(x), dense("weight", weight)
    return _matrix_free(
        Conv,
        weight,
        item_shape(x.shape, weight.shape, batch_dims, channel_axis),
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        boundary=boundary,
        channel_axis=channel_axis,
        flip=flip,
        dtype=dtype,
    )(x)


def conv_transpose(
    x: Any,
    weight: Any,
    *,
    batch_dims: int = 0,
    stride: IntPerAxis = 1,
    padding: Padding = 0,
    output_padding: IntPerAxis = 0,
    output_shape: IntPerAxis | None = None,
    dilation: IntPerAxis = 1,
    groups: int = 1,
    boundary: Boundary = "zeros",
    channel_axis: int | None = None,
    flip: bool = False,
    dtype: Any = None,
) -> Any:
    """Return the transposed convolution of x, without building a matrix.

    Parameters
    ----------
    x : array_like or dask array, shape ``(*batch, C_in, *spatial)`` or ``(*batch, *spatial)``
        What the transpose reads: for the convolution, its output.
    weight : array_like
        ``(C_in, C_out // groups, *kernel)``, or ``kernel`` alone for one channel in and one out, or for
        each channel on `channel_axis`.
    batch_dims : int, default 0
        How many of the first axes of x are batch axes.
    stride, padding, output_padding, output_shape, dilation, groups, boundary, channel_axis, flip, dtype
        As for `ConvTranspose`; `channel_axis` within one item, batch axes not counted.

    Returns
    -------
    ndarray or dask array, shape ``(*batch, C_out, *out)`` or ``(*batch, *out)``
        The product Wᵀ x of each item of the batch.

    Raises
    ------
    TypeError, ValueError, OverflowError
        Where an argument does not fit, with the numbers and the fix.

    Examples
    --------
    >>> from convops import conv_transpose
    >>> conv_transpose([[0, 1], [2, 3]], [[0, 1], [2, 3]], stride=2)
    array([[0, 0, 0, 1],
           [0, 0, 2, 3],
           [0, 2, 0, 3],
           [4, 6, 6, 9]])
    """
    x, weight = _operand(x), dense("weight", weight)
    return _matrix_free(
        ConvTranspose,
        weight,
        item_shape(x.shape, weight.shape, batch_dims, channel_axis),
        stride=stride,
        padding=padding,
        output_padding=output_padding,
        output_shape=output_shape,
        dilation=dilation,
        groups=groups,
        boundary=boundary,
        channel_axis=channel_axis,
        flip=flip,
        dtype=dtype,
    )(x)


def _operand(x: Any) -> Any:
    """Return x as an array; a dask array stays one."""
    return x if hasattr(x, "__dask_graph__") else dense("x", x)


def _matrix_free(operator: type[ConvOperator], *arguments: Any, **options: Any) -> ConvOperator:
    """Return the operator by the fastest method without a matrix: one product is not worth building it."""
    built = operator(*arguments, **options)
    return built._by("gemm") if built.method == "sparse" else built
