"""`DaskConv`: W and Wᵀ of one convolution on dask arrays."""

from typing import Any, NoReturn, Self, final

import numpy as np

from convops._arguments import shown
from convops._arrays import INT64, Array
from convops.adjoint import AdjointReport
from convops.distributed._adjoint import checks_of, report_of
from convops.distributed._chunks import Sizes, asked_chunks
from convops.distributed._dask import dask_array, lazy
from convops.distributed._graph import lazy_product
from convops.distributed._norm import norm_in_layout, norm_of
from convops.distributed._tasks import Recipe
from convops.geometry import Boundary, ConvGeometry, IntPerAxis, Padding
from convops.operators._messages import wrong_shape
from convops.operators.arranged import convolution_map, map_of
from convops.operators.base import ConvOperator
from convops.operators.map import Map
from convops.spectra import OperatorNorm

Chunks = tuple[Sizes | None, ...]


@final
class DaskConv:
    """Convolution as a linear operator on dask arrays, for images beyond the memory of one machine.

    ``A(x)`` is lazy, and equals what `Conv` makes of x. Each chunk of it reads one slice of x and goes
    through one call of the engine of `Conv`; the boundary condition is paid for at the border alone.
    ``A.H(y)`` gathers likewise, so that no two tasks write to one place. What runs where, spilling, retries
    and the network are Dask's.

    Products with flat vectors are left out: the ``ravel()`` of an array in chunks tears its chunks apart.

    Parameters
    ----------
    weight : array_like
        ``(C_out, C_in // groups, *kernel)``, or ``kernel`` alone for one channel in and one out.
    input_shape : int or sequence of int
        ``(C_in, *spatial)``, or ``spatial`` alone where the weight has exactly as many axes.
    stride, padding, dilation, groups, boundary
        As for `ConvGeometry`.
    channel_axis, flip, dtype
        As for `Conv`.
    method : {"auto", "sparse", "gemm", "fft", "separable"}, default "auto"
        As for `Conv`, chosen for each chunk; "auto" builds no matrix of a large chunk.
    chunks : "auto", int or sequence, default "auto"
        Sizes of the chunks of ``A(x)`` along its spatial axes: an int for all of them, or one item per axis
        (an int, -1 for one chunk, a tuple of the sizes of all chunks, "auto"). "auto" cuts where x is cut, as
        seen through the stride, no shorter than what a chunk reads of its neighbour. Channels stay in one
        chunk, batch axes as they are. ``A.T(y)`` is cut as "auto" does.

    Attributes
    ----------
    shape : tuple of int
        ``(M, N)``, elements of the output by elements of the input.
    dtype : dtype
        That of the weight.
    input_shape, output_shape : tuple of int
        Shapes of x and of ``A(x)``.
    geometry : ConvGeometry
        The sizes of the convolution, also of a transpose; with `channel_axis` as for `Conv`.
    weight : ndarray, read-only
        A copy, in the dtype of the operator.
    channel_axis : int or None
        The axis of channels, counted from 0.
    flip, method
        As given.
    chunks : tuple
        Per spatial axis of the output the sizes of its chunks, or "auto".
    T, H : DaskConv
        Transpose and adjoint; ``A.H.H == A``.

    Raises
    ------
    TypeError, ValueError, OverflowError
        Where an argument does not fit, with the numbers and the fix.
    ImportError
        If Dask is missing; the extra ``dask`` installs it.

    See Also
    --------
    Conv : The same in memory; it takes dask arrays as well.

    Notes
    -----
    A chunk of the result takes at most 3ᵈ tasks for d spatial axes, with those that cut what travels between
    chunks, where the chunks are "auto"; border chunks of paddings that fold several times take some more. A
    task holds the slices that it reads, its chunk of the result and what the engine needs in between, and
    uses one thread: BLAS asks ``OPENBLAS_NUM_THREADS`` how many it may, which Dask's workers set to 1.

    Examples
    --------
    >>> import dask.array as da
    >>> from convops.distributed import DaskConv
    >>> A = DaskConv([[1, 2], [3, 4]], (3000, 3000), padding="same")
    >>> A(da.ones((3000, 3000), chunks=1000))
    dask.array<conv, shape=(3000, 3000), dtype=float64, chunksize=(1000, 1000), chunktype=numpy.ndarray>
    """

    _map: Map
    _recipe: Recipe
    _transposed: bool
    _conjugated: bool
    _chunks: tuple[Chunks, Chunks]

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
        chunks: Any = "auto",
    ) -> None:
        dask_array("DaskConv")
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
        geometry = made.core.geometry
        auto = (None,) * len(geometry.axes)
        self._setup(made, False, False, (asked_chunks(chunks, geometry), auto), None)

    @classmethod
    def from_operator(cls, A: Any) -> "DaskConv":
        """Return a `Conv` or a `ConvTranspose` as an operator on dask arrays; chunks are "auto".

        Parameters
        ----------
        A : Conv or ConvTranspose
            An operator of convops, also the ``T`` or the ``H`` of one.

        Returns
        -------
        DaskConv
            ``A(x)`` of a dask array x is what it returns.

        Raises
        ------
        TypeError
            If A is another operator.
        ImportError
            If Dask is missing.
        """
        dask_array("DaskConv")
        if not isinstance(A, ConvOperator):
            raise TypeError(
                f"A={A!r}: it must be a Conv or a ConvTranspose; got {type(A).__name__}. Of a "
                "composite, apply the parts."
            )
        auto = (None,) * len(A._map.core.geometry.axes)
        return cls._of(A._map, A._transposed, A._conjugated, (auto, auto))

    def _setup(
        self,
        map_: Map,
        transposed: bool,
        conjugated: bool,
        chunks: tuple[Chunks, Chunks],
        recipe: Recipe | None,
    ) -> None:
        self.__dict__.update(
            _map=map_,
            _recipe=recipe or Recipe.of(map_.core),
            _transposed=transposed,
            _conjugated=conjugated and map_.dtype.kind == "c",
            _chunks=chunks,
        )

    @classmethod
    def _of(
        cls,
        map_: Map,
        transposed: bool,
        conjugated: bool,
        chunks: tuple[Chunks, Chunks],
        recipe: Recipe | None = None,
    ) -> Self:
        operator = cls.__new__(cls)
        operator._setup(map_, transposed, conjugated, chunks, recipe)
        return operator

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self)._of, (self._map, self._transposed, self._conjugated, self._chunks)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{name} of a DaskConv cannot be set: operators are frozen. Build a new one.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{name} of a DaskConv cannot be deleted: operators are frozen.")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DaskConv) and self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def __dask_tokenize__(self) -> Any:
        return self._identity

    @property
    def _identity(self) -> tuple[Any, ...]:
        return self._recipe.token, self._map.layout, self._transposed, self._conjugated, self._chunks

    def __repr__(self) -> str:
        rows, columns = self.shape
        kind = ", transposed" if self._transposed else ""
        return (
            f"<{rows}x{columns} DaskConv{kind}: input_shape {self.input_shape} -> output_shape "
            f"{self.output_shape}, {self.dtype}>"
        )

    @property
    def geometry(self) -> ConvGeometry:
        """Sizes of the convolution; a transpose has those of the convolution that it transposes."""
        return self._map.geometry

    @property
    def input_shape(self) -> tuple[int, ...]:
        """Shape of x: ``(C_in, *spatial)``, ``spatial`` alone, or with the channels at `channel_axis`."""
        return self._map.output_shape if self._transposed else self._map.input_shape

    @property
    def output_shape(self) -> tuple[int, ...]:
        """Shape of ``A(x)``: ``(C_out, *out)``, ``out`` alone, or with the channels at `channel_axis`."""
        return self._map.input_shape if self._transposed else self._map.output_shape

    @property
    def channel_axis(self) -> int | None:
        """The axis of `input_shape` and of `output_shape` that holds the channels; None where none does."""
        return self._map.channel_axis

    @property
    def _core(self) -> "DaskConv":
        """The operator on arrays with the channels first, or on one of several like channels."""
        return self._of(self._map.core, self._transposed, self._conjugated, self._chunks, self._recipe)

    @property
    def shape(self) -> tuple[int, int]:
        """``(M, N)``, elements of the output by elements of the input."""
        rows, columns = self.geometry.shape
        return (columns, rows) if self._transposed else (rows, columns)

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the operator, that of its weight."""
        return self._map.dtype

    @property
    def weight(self) -> Array:
        """The weight, in the shape and dtype it was given the operator; a read-only copy at each access."""
        return self._map.given_weight(self._conjugated)

    @property
    def flip(self) -> bool:
        """Whether the kernel is turned round, as in `scipy.signal`."""
        return self._map.flip

    @property
    def method(self) -> str:
        """How each chunk is multiplied, as asked for."""
        return self._map.asked

    @property
    def chunks(self) -> tuple[Sizes | str, ...]:
        """Per spatial axis of the output the sizes of its chunks, or "auto"."""
        return tuple("auto" if sizes is None else sizes for sizes in self._chunks[self._transposed])

    @property
    def T(self) -> "DaskConv":
        """The transpose."""
        return self._of(self._map, not self._transposed, self._conjugated, self._chunks, self._recipe)

    @property
    def H(self) -> "DaskConv":
        """The adjoint, the transpose conjugated; ``A.H.H == A``."""
        return self._of(self._map, not self._transposed, not self._conjugated, self._chunks, self._recipe)

    # So that numpy leaves products with arrays to these methods.
    __array_ufunc__ = None

    def __matmul__(self, x: Any) -> NoReturn:
        raise TypeError(
            f"{shown('x', x)}: a DaskConv takes arrays of input_shape {self.input_shape}, by a call, A(x); "
            "the ravel() of an array tears its chunks apart. Products of operators are calls too, A(B(x))."
        )

    __rmatmul__ = __matmul__

    def _convops_adjoint_checks(self, level: str) -> tuple[str, ...]:
        return checks_of(self, level)

    def _convops_adjoint_report(
        self, level: str, only: tuple[str, ...], skip: tuple[str, ...], seed: int
    ) -> AdjointReport:
        return report_of(self, level, only, skip, seed)

    def _convops_operator_norm(self) -> OperatorNorm:
        return norm_of(self) if self._map.layout is None else norm_in_layout(self, self._map.layout)

    def _integer_twin(self, seed: int) -> "DaskConv":
        """Return this operator with a random integer weight, and a method that is exact."""
        weight = np.random.default_rng(seed).integers(1, 10, self._map.weight.shape)
        weight.flags.writeable = False
        twin = map_of(self.geometry, weight, self.flip, "gemm", self._map.layout)
        return self._of(twin, self._transposed, False, self._chunks)

    def __call__(self, x: Any) -> Any:
        """Apply the operator to arrays of its own shape, lazily.

        Parameters
        ----------
        x : dask array or array_like, shape ``(*batch, *input_shape)``
            In any chunks. What is no dask array is cut as ``dask.array.from_array`` does.

        Returns
        -------
        dask.array.Array, shape ``(*batch, *output_shape)``
            In the dtype that numpy gives the product of operator and x; integers in int64.

        Raises
        ------
        TypeError, ValueError
            If x is of another shape or dtype, or its chunks are unknown: before any task runs.
        """
        x = lazy("DaskConv", x)
        split = x.ndim - len(self.input_shape)
        if split < 0 or x.shape[split:] != self.input_shape:
            raise ValueError(wrong_shape(x.shape, self.input_shape, self.output_shape, self.channel_axis))
        if (layout := self._map.layout) is not None:
            da = dask_array("DaskConv")
            return da.moveaxis(
                self._core(da.moveaxis(x, split + layout.axis, split)), split, split + layout.axis
            )
        dtype = np.result_type(self.dtype, x.dtype)
        dtype = INT64 if dtype.kind in "iu" else dtype
        chunks = self._chunks[self._transposed]
        return lazy_product(self._recipe, x, self._transposed, self._conjugated, chunks, dtype)
