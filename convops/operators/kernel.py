"""`KernelOperator`: the convolution of one array as a linear map of the weight."""

from math import prod
from typing import Any, Self, final

import numpy as np
from scipy.sparse import csr_array

from convops._arguments import shape as shape_of
from convops._arrays import INT64, Array, check_range, dense, entries_array
from convops._layout import arranged
from convops.geometry import Boundary, ConvGeometry, IntPerAxis, Padding
from convops.operators._html import html_of_kernel_operator
from convops.operators._items import item_shape
from convops.operators.kernel_map import KernelMap
from convops.operators.kernel_matrix import kernel_matrix
from convops.operators.view import MapView


class _KernelBase(MapView):
    """K of a `KernelMap`, or its transpose, conjugated or not."""

    _map: KernelMap

    def _repr_html_(self) -> str:
        return html_of_kernel_operator(self, self._transposed)

    @property
    def geometry(self) -> ConvGeometry:
        """Sizes of the convolution of one item of the batch."""
        return self._map.geometry

    @property
    def x(self) -> Array:
        """What is convolved, in the dtype of the operator; a read-only copy at each access."""
        x = self._map.x.conj() if self._conjugated else self._map.x.copy()
        x.flags.writeable = False
        return x

    @property
    def method(self) -> str:
        """How the operator is applied: "gemm" or "fft"."""
        return self._map.method

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of what the operator is applied to: for a `KernelOperator`, that of the weight."""
        return self._map.output_shape if self._transposed else self._map.weight_shape

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of what comes out: of a `KernelOperator`, ``(*batch, C_out, *out)`` or ``(*batch, *out)``."""
        return self._map.weight_shape if self._transposed else self._map.output_shape

    def tosparse(self) -> csr_array:
        """Return the matrix of this operator, rows and columns in C order.

        Returns
        -------
        scipy.sparse.csr_array
            Canonical, in the dtype of the operator, and new each time.

        Raises
        ------
        OverflowError
            If the extension of x by the boundary leaves an integer dtype.
        MemoryError
            Before anything is allocated, if it is larger than the memory that is left.
        """
        map_ = self._map
        map_.refuse_too_large()
        matrix = kernel_matrix(map_.core, map_.items, map_.flip)
        if map_.layout is not None:
            matrix = matrix[_rows_in(map_)]
        if map_.dtype.kind in "iu" and matrix.nnz:
            check_range("the matrix", matrix.data, map_.dtype)
        matrix = matrix.astype(map_.dtype, copy=False)
        if self._conjugated:
            np.conj(matrix.data, out=matrix.data)
        if self._transposed:
            matrix = matrix.T.tocsr()
            matrix.has_sorted_indices = matrix.has_canonical_format = True
        return matrix

    def _convops_integer_twin(self, seed: int) -> Self | None:
        """Return this operator with integers convolved: what `check_adjoint` can check exactly."""
        if self.method == "fft":
            return None
        x = np.random.default_rng(seed).integers(1, 10, self._map.x.shape)
        x.flags.writeable = False
        map_ = self._map
        twin = KernelMap(map_.geometry, x, map_.batch_shape, map_.flip, map_.method, map_.layout)
        return self._of(twin, False)

    def _of_columns(self, X: Array, adjoint: bool) -> Array:
        return self._on_rows(X.swapaxes(-1, -2), adjoint).swapaxes(-1, -2)

    def _on_rows(self, x: Array, adjoint: bool) -> Array:
        self._map.refuse_too_large()
        transposed, conjugated = self._transposed != adjoint, self._conjugated != adjoint
        dtype = np.result_type(self.dtype, x.dtype)
        products = np.empty((*x.shape[:-1], self.shape[adjoint]), INT64 if dtype.kind in "iu" else dtype)
        for number in np.ndindex(x.shape[:-1]):
            products[number] = self._map.apply(x[number], transposed, conjugated).reshape(-1)
        return products


@final
class KernelOperator(_KernelBase):
    """The convolution of x as a linear operator on weights: ``K @ w.ravel() == conv(x, w, ...).ravel()``.

    A convolution is linear in the weight as it is in the array, and this is the same convolution read the
    other way: ``K(w) == Conv(w, x.shape, ...)(x)``. Its adjoint ``K.H(y)`` is the correlation of y with x at
    each tap: the gradient of ``conv`` with respect to the weight, summed over the batch. Least squares with
    K estimates the kernel that makes y of x: an impulse response, or a blur.

    A `scipy.sparse.linalg.LinearOperator` of shape ``(M, N)``, elements of the output by elements of the
    weight, both vectorised in C order. It is frozen, can be pickled and used from several threads, and never
    writes to its operand.

    Parameters
    ----------
    x : array_like, shape ``(*batch, C_in, *spatial)`` or ``(*batch, *spatial)``
        What is convolved.
    weight_shape : int or sequence of int
        ``(C_out, C_in // groups, *kernel)``, or ``kernel`` alone for one channel in and one out, or for
        each channel on `channel_axis`.
    batch_dims : int, default 0
        How many of the first axes of x are batch axes.
    stride, padding, dilation, groups, boundary
        As for `ConvGeometry`.
    channel_axis : int, optional
        Which axis of one item of x holds the channels, batch axes not counted. As for `Conv`.
    flip : bool, default False
        As for `Conv`.
    dtype : dtype, optional
        float32, float64, complex64, complex128 or an integer. Default: that of x; int64 for integers.
        Products have the dtype that numpy gives operator and operand; integers are exact, in int64.
    method : {"auto", "gemm", "fft"}, default "auto"
        "gemm" multiplies overlapping tiles by small dense matrices, "fft" multiplies spectra; "auto" takes
        the one that a model of the cost expects to be the faster. "fft" is exact relative to the largest
        value of the result, "gemm" to each value's own terms.

    Attributes
    ----------
    shape, dtype
        As every `LinearOperator` has them.
    input_shape, output_shape : tuple of int
        ``weight_shape``, and ``(*batch, C_out, *out)`` or ``(*batch, *out)``.
    geometry : ConvGeometry
        The sizes, those of one item of the batch.
    x : ndarray, read-only
        A copy, in the dtype of the operator.
    channel_axis : int or None
        The axis of channels of one item, counted from 0.
    flip, method
        As given; "auto" is replaced by the method it chose.
    T, H : LinearOperator
        The transpose Kᵀ and the adjoint Kᴴ; ``K.H.H is K``.

    Raises
    ------
    TypeError, ValueError, OverflowError
        Where an argument does not fit, with the numbers and the fix.

    See Also
    --------
    Conv : The same convolution as a linear map of the array.

    Notes
    -----
    The transposed convolution is linear in the weight as well. Its product with g as the gradient of its
    output is ``⟨g, Wᵀ y⟩ = ⟨W g, y⟩``: the gradient of ``conv_transpose(y, w)`` with respect to w is
    ``KernelOperator(g, w.shape, ...).T(y)``, nothing conjugated.

    References
    ----------
    Rumelhart, Hinton and Williams, "Learning internal representations by error propagation" (1986), for the
    gradient with shared weights.

    Examples
    --------
    >>> import numpy as np
    >>> from convops import KernelOperator
    >>> x = np.arange(9).reshape(3, 3)
    >>> K = KernelOperator(x, (2, 2))
    >>> K([[1, 2], [3, 4]])
    array([[27, 37],
           [57, 67]])
    >>> print(K.toarray())
    [[0 1 3 4]
     [1 2 4 5]
     [3 4 6 7]
     [4 5 7 8]]
    >>> K.H(np.ones((2, 2)))
    array([[ 8., 12.],
           [20., 24.]])
    """

    _transposed = False

    def __init__(
        self,
        x: Any,
        weight_shape: IntPerAxis,
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
        method: str = "auto",
    ) -> None:
        x = dense("x", x)
        sizes = shape_of("weight_shape", weight_shape)
        item = item_shape(x.shape, sizes, batch_dims, channel_axis)
        batch = x.shape[: x.ndim - len(item)]
        if 0 in batch:
            raise ValueError(
                f"x has shape {x.shape}: an operator needs at least one item of the batch; axis "
                f"{batch.index(0)} is empty."
            )
        layout, geometry = arranged(
            sizes,
            item,
            channel_axis,
            transposed=False,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            boundary=boundary,
        )
        entries = entries_array("x", x, dtype)
        self._setup(KernelMap(geometry, entries, batch, flip, method, layout), False)

    @classmethod
    def _other_side(cls) -> type[_KernelBase]:
        return KernelTranspose


@final
class KernelTranspose(_KernelBase):
    """The transpose of a `KernelOperator`: an output-shaped array to the gradient of the weight."""

    _transposed = True

    @classmethod
    def _other_side(cls) -> type[_KernelBase]:
        return KernelOperator


def _rows_in(map_: KernelMap) -> Array:
    """Return which output, as the items of a map have them, each output is in the layout of the arrays."""
    assert map_.layout is not None
    items, sizes = len(map_.items), map_.core.output_shape[map_.core.has_channels :]
    numbers = np.arange(map_.shape[0]).reshape(items, map_.core.out_channels, *sizes)
    return map_.layout.arrays(numbers, prod(map_.batch_shape)).ravel()
