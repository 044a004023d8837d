"""One-shot `conv` and `conv_transpose`: arrays in, arrays out, no matrix."""

from typing import Any

from convops._arguments import integer, shown
from convops._arrays import Array, dense
from convops.geometry import Boundary, IntPerAxis, Padding
from convops.operators.base import ConvOperator
from convops.operators.conv import Conv, ConvTranspose

_COLOURS = (2, 3, 4)
"""Sizes of an axis that is rather one of channels than of space: two components, RGB, RGB with alpha."""


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
    flip: bool = False,
    dtype: Any = None,
) -> Array:
    """Return the convolution of x, without building a matrix.

    Parameters
    ----------
    x : array_like, shape ``(*batch, C_in, *spatial)`` or ``(*batch, *spatial)``
        What is convolved.
    weight : array_like
        ``(C_out, C_in // groups, *kernel)``, or ``kernel`` alone for one channel in and one out.
    batch_dims : int, default 0
        How many of the first axes of x are batch axes.
    stride, padding, dilation, groups, boundary
        As for `ConvGeometry`.
    flip, dtype
        As for `Conv`.

    Returns
    -------
    ndarray, shape ``(*batch, C_out, *out)`` or ``(*batch, *out)``
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
    """
    x, weight = dense("x", x), dense("weight", weight)
    return _matrix_free(
        Conv,
        weight,
        _item_shape(x, weight, batch_dims),
        stride=stride,
        padding=padding,
        dilation=dilation,
        groups=groups,
        boundary=boundary,
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
    flip: bool = False,
    dtype: Any = None,
) -> Array:
    """Return the transposed convolution of x, without building a matrix.

    Parameters
    ----------
    x : array_like, shape ``(*batch, C_in, *spatial)`` or ``(*batch, *spatial)``
        What the transpose reads: for the convolution, its output.
    weight : array_like
        ``(C_in, C_out // groups, *kernel)``, or ``kernel`` alone for one channel in and one out.
    batch_dims : int, default 0
        How many of the first axes of x are batch axes.
    stride, padding, output_padding, output_shape, dilation, groups, boundary, flip, dtype
        As for `ConvTranspose`.

    Returns
    -------
    ndarray, shape ``(*batch, C_out, *out)`` or ``(*batch, *out)``
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
    x, weight = dense("x", x), dense("weight", weight)
    return _matrix_free(
        ConvTranspose,
        weight,
        _item_shape(x, weight, batch_dims),
        stride=stride,
        padding=padding,
        output_padding=output_padding,
        output_shape=output_shape,
        dilation=dilation,
        groups=groups,
        boundary=boundary,
        flip=flip,
        dtype=dtype,
    )(x)


def _matrix_free(operator: type[ConvOperator], *arguments: Any, **options: Any) -> ConvOperator:
    """Return the operator by the fastest method without a matrix: one product is not worth building it."""
    built = operator(*arguments, **options)
    return built._by("gemm") if built.method == "sparse" else built


def _item_shape(x: Array, weight: Array, batch_dims: int) -> tuple[int, ...]:
    """Return the shape of one item of the batch."""
    count = integer("batch_dims", batch_dims, 0)
    if count >= x.ndim:
        raise ValueError(
            f"{shown('batch_dims', batch_dims)}: x of shape {x.shape} has {x.ndim} axes, and at least one of "
            "them must be left for the input."
        )
    item: tuple[int, ...] = x.shape[count:]
    if 0 in item:
        raise ValueError(
            f"x has shape {x.shape}: axis {x.shape.index(0, count)} must be at least 1; got 0. Batch axes "
            f"alone may be empty, and {shown('batch_dims', batch_dims)} leaves an input of shape {item}."
        )
    if weight.ndim and weight.size and weight.ndim - len(item) not in (0, 1):
        raise ValueError(
            f"{shown('batch_dims', batch_dims)}: it leaves an input of shape {item} of x of shape "
            f"{x.shape}, and a weight of shape {weight.shape} has {weight.ndim} axes. It must have as many "
            f"as the input (kernel alone, one channel), which are {len(item)}, or one more (C_out, "
            f"C_in // groups, *kernel). {_one_kernel_for_all(item, weight.ndim, count)}"
        )
    return item


def _one_kernel_for_all(item: tuple[int, ...], axes: int, count: int) -> str:
    """Say how one kernel is applied to every channel: what a weight of too few axes is probably for."""
    if len(item) == axes + 1 and item[-1] in _COLOURS and item[0] not in _COLOURS:
        return (
            f"If the last axis, of {item[-1]}, holds the channels, move it in front of the others: "
            f"x = np.moveaxis(x, -1, {count}); one kernel for each channel is then batch_dims={count + 1}."
        )
    return "One kernel for each channel of (C, *spatial) is batch_dims=1."
