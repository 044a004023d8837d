"""`Conv` and `ConvTranspose`: W and Wᵀ of one convolution as operators."""

from typing import Any, final

from convops.geometry import Boundary, IntPerAxis, Padding
from convops.operators.arranged import convolution_map
from convops.operators.base import ConvOperator


@final
class Conv(ConvOperator):
    """Convolution as a linear operator: ``A @ x.ravel() == conv(x, weight, ...).ravel()``.

    A `scipy.sparse.linalg.LinearOperator` of shape ``(M, N)``, elements of the output by elements of
    the input, both vectorised in C order. ``A(x)`` applies it to arrays of shape
    ``(*batch, *input_shape)``. It is frozen, can be pickled and used from several threads, and never
    writes to its operand.

    Parameters
    ----------
    weight : array_like
        ``(C_out, C_in // groups, *kernel)``, or ``kernel`` alone for one channel in and one out.
    input_shape : int or sequence of int
        ``(C_in, *spatial)``, or ``spatial`` alone where the weight has exactly as many axes; another order
        with `channel_axis`.
    stride, padding, dilation, groups, boundary
        As for `ConvGeometry`, per spatial axis.
    channel_axis : int, optional
        Which axis of `input_shape`, and of what comes out, holds the channels: -1 for images ``(H, W, C)``.
        A weight of one axis less, ``kernel`` alone, is then the same kernel for every channel; else it is
        ``(C_out, C_in // groups, *kernel)`` as without. Default: the channels come first, if there are any.
    flip : bool, default False
        False: cross-correlation, as in deep learning. True: convolution, the kernel turned round along
        every spatial axis, as in `scipy.signal`.
    dtype : dtype, optional
        float32, float64, complex64, complex128 or an integer. Default: that of the weight; int64 for
        integers. Products have the dtype that numpy gives operator and operand, so a float32 operator
        keeps float32 in float32; integers are exact, in int64.
    method : {"auto", "sparse", "gemm", "fft", "separable"}, default "auto"
        "sparse" applies the matrix, built on first use. The others need no matrix: "gemm" multiplies
        overlapping tiles by small dense matrices, "fft" multiplies spectra, "separable" makes passes along
        the axes, for kernels of rank 1 or low rank. "auto" takes the one that a model of the cost expects
        to be the fastest; `explain` shows it. "fft" is exact relative to the largest value of the result,
        the others (and "auto" but for its choice of "fft") to each value's own terms.

    Attributes
    ----------
    shape, dtype
        As every `LinearOperator` has them.
    input_shape, output_shape : tuple of int
        Shapes of x and of ``A(x)``.
    geometry : ConvGeometry
        The sizes. Channels that mix come first in it, wherever `channel_axis` has them; channels that share
        one kernel are one more spatial axis, with a single tap.
    weight : ndarray, read-only
        A copy, in the dtype of the operator.
    channel_axis : int or None
        The axis of channels, counted from 0.
    flip, method
        As given; "auto" is replaced by the method it chose.
    T : ConvTranspose
        The transpose Wᵀ.
    H : ConvTranspose
        The adjoint Wᴴ; ``A.H.H is A``.

    Raises
    ------
    TypeError, ValueError, OverflowError
        Where an argument does not fit, with the numbers and the fix.

    See Also
    --------
    conv_matrix : The matrix W itself.
    ConvTranspose : The transpose.

    Examples
    --------
    >>> import numpy as np
    >>> from convops import Conv
    >>> A = Conv([[1, 2], [3, 4]], (3, 3))
    >>> A
    <4x9 Conv: input_shape (3, 3) -> output_shape (2, 2), int64>
    >>> A(np.arange(9).reshape(3, 3))
    array([[27, 37],
           [57, 67]])
    >>> print(A.toarray())
    [[1 2 0 3 4 0 0 0 0]
     [0 1 2 0 3 4 0 0 0]
     [0 0 0 1 2 0 3 4 0]
     [0 0 0 0 1 2 0 3 4]]

    One kernel for both channels of three samples, channels last:

    >>> print(Conv([1, 2], (3, 2), channel_axis=-1).toarray())
    [[1 0 2 0 0 0]
     [0 1 0 2 0 0]
     [0 0 1 0 2 0]
     [0 0 0 1 0 2]]
    """

    _transposed = False

    def __init__(
        self,
        weight: Any,
        input_shape: IntPerAxis,
        *,
        stride: IntPerAxis = 1,
        padding: Padding = 0,
        dilation: IntPerAxis = 1,
        groups: int = 1,
        boundary: Boundary = "zeros",
        channel_axis: int | None = None,
        flip: bool = False,
        dtype: Any = None,
        method: str = "auto",
    ) -> None:
        made = convolution_map(
            weight,
            input_shape,
            False,
            flip,
            dtype,
            method,
            channel_axis,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            boundary=boundary,
        )
        self._setup(made, False)

    @classmethod
    def _other_side(cls) -> type[ConvOperator]:
        return ConvTranspose


@final
class ConvTranspose(ConvOperator):
    """Transposed convolution as a linear operator: the transpose of a `Conv` with the same arguments.

    ``ConvTranspose(weight, y_shape, ...)`` is ``Conv(weight, x_shape, ...).T`` for the x_shape that
    `output_padding` or `output_shape` choose among those that the convolution maps to y_shape. A strided
    convolution maps several sizes to one, hence the choice. This is the transposed convolution of deep
    learning (torch's ``ConvTranspose2d``), and the gradient of a convolution with respect to its input.

    Parameters
    ----------
    weight : array_like
        ``(C_in, C_out // groups, *kernel)``, or ``kernel`` alone: the array that the `Conv` reads as
        ``(C_out, C_in // groups, *kernel)``.
    input_shape : int or sequence of int
        What goes into the transpose: ``(C_in, *spatial)``, or ``spatial`` alone; another order with
        `channel_axis`.
    stride : int or sequence of int, default 1
        That of the `Conv`.
    padding : default 0
        That of the `Conv`, hence removed from the output here. "same" and "same_lower" give
        ``size * stride`` outputs, as Keras and ONNX do.
    output_padding : int or sequence of int, default 0
        Added to the smallest size that can be chosen, per spatial axis; less than the stride.
    output_shape : int or sequence of int, optional
        The size to choose, with or without the channels; instead of `output_padding`.
    dilation, groups, boundary, channel_axis, flip, dtype, method
        Those of the `Conv`.

    Attributes
    ----------
    shape, dtype
        As every `LinearOperator` has them.
    input_shape, output_shape : tuple of int
        Shapes of y and of ``B(y)``.
    geometry : ConvGeometry
        The sizes of the `Conv`.
    weight : ndarray, read-only
        A copy, in the dtype of the operator.
    channel_axis, flip, method
        As for `Conv`.
    T, H : Conv
        Transpose and adjoint.

    Raises
    ------
    TypeError, ValueError, OverflowError
        Where an argument does not fit, with the numbers and the fix. An `output_shape` that the
        convolution cannot come from is refused with those that it can.

    References
    ----------
    Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", arXiv:1603.07285.

    Examples
    --------
    >>> from convops import ConvTranspose
    >>> B = ConvTranspose([[0, 1], [2, 3]], (2, 2))
    >>> B([[0, 1], [2, 3]])
    array([[ 0,  0,  1],
           [ 0,  4,  6],
           [ 4, 12,  9]])
    >>> print(B.toarray())
    [[0 0 0 0]
     [1 0 0 0]
     [0 1 0 0]
     [2 0 0 0]
     [3 2 1 0]
     [0 3 0 1]
     [0 0 2 0]
     [0 0 3 2]
     [0 0 0 3]]
    """

    _transposed = True

    def __init__(
        self,
        weight: Any,
        input_shape: IntPerAxis,
        *,
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
        method: str = "auto",
    ) -> None:
        made = convolution_map(
            weight,
            input_shape,
            True,
            flip,
            dtype,
            method,
            channel_axis,
            stride=stride,
            padding=padding,
            output_padding=output_padding,
            output_shape=output_shape,
            dilation=dilation,
            groups=groups,
            boundary=boundary,
        )
        self._setup(made, False)

    @classmethod
    def _other_side(cls) -> type[ConvOperator]:
        return Conv
