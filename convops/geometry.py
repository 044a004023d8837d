"""The sizes of a convolution, decided once: `ConvGeometry`."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any, Self

from convops._arguments import LARGEST, integer, per_axis, shape, shown
from convops._arrays import operator_dtype
from convops._axis import Axis, boundary_names
from convops._html import html_of_geometry
from convops._padding import padding_pairs, transposed_sizes

MOST_AXES = 60
IntPerAxis = int | Sequence[int]
Padding = str | int | Sequence[int] | Sequence[tuple[int, int]]
Boundary = str | Sequence[str]


@dataclass(frozen=True, init=False)
class ConvGeometry:
    """Shapes, stride, padding, dilation, groups and boundary of a convolution, checked and canonical.

    Everything about sizes follows from one relation per spatial axis,
    ``q = stride * p + dilation * k - before``, between the output position p, the kernel tap k and
    the position q on the input axis extended by its boundary condition. A geometry holds no arrays;
    it is frozen, hashable and picklable.

    Parameters
    ----------
    weight_shape : int or sequence of int
        ``(C_out, C_in // groups, *kernel)``, or ``kernel`` alone for one channel in and one out.
    input_shape : int or sequence of int
        ``(C_in, *spatial)``, or ``spatial`` alone where the weight has exactly as many axes.
    stride : int or sequence of int, default 1
        Step between outputs, per spatial axis.
    padding : default 0
        Positions added before and after each spatial axis: an int, one int per axis, one
        ``(before, after)`` pair per axis, or a name. With ``effective = dilation * (kernel - 1) + 1``:
        "valid" adds none; "same" gives ``ceil(size / stride)`` outputs, the odd one of an even
        kernel after ("same_lower": before); "full" adds ``effective - 1`` on both sides; "causal"
        adds them before only.
    dilation : int or sequence of int, default 1
        Step between kernel taps.
    groups : int, default 1
        Number of channel groups that do not mix.
    boundary : str or sequence of str, default "zeros"
        What the padding holds, for all axes or one per axis: "zeros", "wrap", "reflect",
        "symmetric", "edge" or "antireflect", as in `numpy.pad` ("zeros" is its constant 0,
        "antireflect" its reflect with ``reflect_type="odd"``).

    Raises
    ------
    TypeError
        If an argument is of the wrong type; a bool and 2.0 are not ints.
    ValueError
        If a size is out of range, the shapes do not fit each other, or the kernel is larger than
        the padded input.

    References
    ----------
    Dumoulin and Visin, "A guide to convolution arithmetic for deep learning", arXiv:1603.07285.

    Examples
    --------
    >>> from convops import ConvGeometry
    >>> geometry = ConvGeometry((20, 10, 5, 5), (10, 16, 16), stride=3, padding=2)
    >>> geometry.output_shape
    (20, 6, 6)
    >>> geometry.shape, geometry.nnz
    ((720, 2560), 135200)
    """

    weight_shape: tuple[int, ...]
    input_shape: tuple[int, ...]
    stride: tuple[int, ...]
    padding: tuple[tuple[int, int], ...]
    dilation: tuple[int, ...]
    groups: int
    boundary: tuple[str, ...]

    def __init__(
        self,
        weight_shape: IntPerAxis,
        input_shape: IntPerAxis,
        *,
        stride: IntPerAxis = 1,
        padding: Padding = 0,
        dilation: IntPerAxis = 1,
        groups: int = 1,
        boundary: Boundary = "zeros",
    ) -> None:
        weight_shape, input_shape, groups, bare = _bare_axes(
            weight_shape, input_shape, stride, dilation, groups, boundary
        )
        channels = len(weight_shape) - len(input_shape)
        if channels and input_shape[0] != weight_shape[1] * groups:
            raise ValueError(
                f"{shown('input_shape', input_shape)}: the input must have C_in = {weight_shape[1] * groups} "
                f"channels, because the weight of shape {weight_shape} reads {weight_shape[1]} in each of "
                f"{groups} group(s); got {input_shape[0]}. The weight is (C_out, C_in // groups, *kernel), "
                f"and the input (C_in, *spatial).{_channels_last(input_shape, weight_shape[1] * groups)}"
            )
        pairs = padding_pairs(padding, bare)
        self.__dict__.update(
            weight_shape=weight_shape,
            input_shape=input_shape,
            stride=tuple([axis.stride for axis in bare]),
            padding=pairs,
            dilation=tuple([axis.dilation for axis in bare]),
            groups=groups,
            boundary=tuple([axis.boundary for axis in bare]),
        )
        self._check_sizes()

    @classmethod
    def transposed(
        cls,
        weight_shape: IntPerAxis,
        input_shape: IntPerAxis,
        *,
        stride: IntPerAxis = 1,
        padding: Padding = 0,
        output_padding: IntPerAxis = 0,
        output_shape: IntPerAxis | None = None,
        dilation: IntPerAxis = 1,
        groups: int = 1,
        boundary: Boundary = "zeros",
    ) -> Self:
        """Return the geometry of the convolution whose transpose reads `input_shape`.

        A strided convolution maps up to ``stride`` input sizes to one output size, so its transpose
        must choose: `output_padding` counts from the smallest, `output_shape` names one.

        Parameters
        ----------
        weight_shape : int or sequence of int
            ``(C_in, C_out // groups, *kernel)`` in the words of the transpose: what the convolution
            calls ``(C_out, C_in // groups, *kernel)``.
        input_shape : int or sequence of int
            What the transpose reads, ``(C_in, *spatial)`` or ``spatial``.
        stride : int or sequence of int, default 1
            That of the convolution.
        padding : default 0
            That of the convolution, hence removed from what the transpose returns. "same" and
            "same_lower" give ``size * stride`` outputs, as Keras and ONNX do.
        output_padding : int or sequence of int, default 0
            Added to the smallest reachable size, per spatial axis, less than the stride.
        output_shape : int or sequence of int, optional
            What the transpose shall return, with or without its channels; instead of `output_padding`.
        dilation, groups, boundary
            Those of the convolution.

        Returns
        -------
        ConvGeometry
            Its ``output_shape`` is the `input_shape` given here, and its ``input_shape`` is what the
            transpose returns.

        Raises
        ------
        TypeError, ValueError
            As the class does, and where no convolution of these arguments has the sizes asked for; the
            message lists those that can be had.

        Examples
        --------
        >>> from convops import ConvGeometry
        >>> ConvGeometry.transposed((3, 3), (4, 4), stride=2, padding=1, output_padding=1).input_shape
        (8, 8)
        """
        weight_shape, input_shape, groups, bare = _bare_axes(
            weight_shape, input_shape, stride, dilation, groups, boundary
        )
        channels: tuple[int, ...] = ()
        if len(weight_shape) > len(input_shape):
            channels = (weight_shape[1] * groups,)
            if input_shape[0] != weight_shape[0]:
                raise ValueError(
                    f"{shown('input_shape', input_shape)}: the transpose reads {weight_shape[0]} channels, "
                    f"the first axis of its weight of shape {weight_shape}, which is (C_in, C_out // groups, "
                    f"*kernel); got {input_shape[0]}.{_channels_last(input_shape, weight_shape[0])}"
                )
        shape_of_output = channels + transposed_sizes(
            bare, padding, output_padding, output_shape, sum(channels)
        )
        if prod(shape_of_output) > LARGEST:
            raise ValueError(
                f"{shown('input_shape', input_shape)}: the transpose would return {shape_of_output}, "
                f"{prod(shape_of_output)} elements; no array holds more than 2**63 - 1. Use a smaller stride."
            )
        return cls(
            weight_shape,
            shape_of_output,
            stride=stride,
            padding=padding,
            dilation=dilation,
            groups=groups,
            boundary=boundary,
        )

    def _repr_html_(self) -> str:
        return html_of_geometry(self)

    def _check_sizes(self) -> None:
        for axis, line in enumerate(self.axes):
            if line.out_size < 1:
                total = line.size + line.before + line.after
                raise ValueError(
                    f"a weight of shape {self.weight_shape}: axis {axis} of the kernel does not fit. It "
                    f"spans dilation * (kernel - 1) + 1 = {line.dilation} * ({line.kernel} - 1) + 1 = "
                    f"{line.effective} positions, the padded input has {line.size} + {line.before} + "
                    f"{line.after} = {total}. Pad by at least {line.effective - total} more, or use a "
                    f"smaller kernel or dilation.{self._reading()}"
                )
        for name, size in (("input_shape", self.input_shape), ("output_shape", self.output_shape)):
            if prod(size) > LARGEST:
                raise ValueError(
                    f"{shown(name, size)}: it has {prod(size)} elements; no array holds more than 2**63 - 1."
                )

    def _reading(self) -> str:
        """Say how the shapes are read where a batch axis may have been taken for a spatial one."""
        if self.has_channels or len(self.input_shape) < 3:
            return ""
        return (
            f" Weight and input have {len(self.input_shape)} axes each, so all are read as spatial, with "
            "one channel; if the weight is (C_out, C_in // groups, *kernel), leave the batch out of the "
            "input, or name it with batch_dims."
        )

    @property
    def has_channels(self) -> bool:
        """Whether the first axis of input and output is the channel axis."""
        return len(self.weight_shape) > len(self.input_shape)

    @property
    def spatial_shape(self) -> tuple[int, ...]:
        """Sizes of the input's spatial axes."""
        return self.input_shape[self.has_channels :]

    @property
    def kernel_size(self) -> tuple[int, ...]:
        """Number of taps, per spatial axis."""
        return self.weight_shape[2 * self.has_channels :]

    @property
    def in_channels(self) -> int:
        """Number of channels that the convolution reads."""
        return self.input_shape[0] if self.has_channels else 1

    @property
    def out_channels(self) -> int:
        """Number of channels that the convolution returns."""
        return self.weight_shape[0] if self.has_channels else 1

    @cached_property
    def axes(self) -> tuple[Axis, ...]:
        """One `Axis` of plain integers per spatial axis."""
        before, after = zip(*self.padding, strict=True)
        sizes = (self.spatial_shape, self.kernel_size, self.stride, self.dilation, before, after)
        return tuple(map(Axis, *sizes, self.boundary))

    @cached_property
    def output_shape(self) -> tuple[int, ...]:
        """``(C_out, *out)``, or ``out`` alone where the input has no channel axis."""
        sizes = tuple([axis.out_size for axis in self.axes])
        return (self.weight_shape[0], *sizes) if self.has_channels else sizes

    @property
    def shape(self) -> tuple[int, int]:
        """``(M, N)``, the shape of the matrix W: elements of the output by elements of the input."""
        return prod(self.output_shape), prod(self.input_shape)

    @cached_property
    def nnz(self) -> int:
        """Number of stored entries of W, explicit zeros included; known without building it."""
        pairs = self.in_channels // self.groups * self.out_channels
        return pairs * prod(axis.reads for axis in self.axes)

    @property
    def index_itemsize(self) -> int:
        """Bytes of one index of W: 4 while every index fits int32, else 8."""
        return 4 if max(self.nnz, *self.shape) < 2**31 else 8

    def nbytes(self, dtype: Any = "float64") -> int:
        """Return the bytes of W's three arrays, known without building it.

        Parameters
        ----------
        dtype : dtype or its name, default "float64"
            That of the entries of W.

        Returns
        -------
        int
            ``nnz * (itemsize + index_itemsize) + (M + 1) * index_itemsize``.

        Raises
        ------
        TypeError
            If `dtype` is not a dtype of W.

        Examples
        --------
        >>> from convops import ConvGeometry
        >>> ConvGeometry((2, 2), (3, 3)).nbytes("float32")
        148
        """
        width = self.index_itemsize
        return self.nnz * (operator_dtype(dtype).itemsize + width) + (self.shape[0] + 1) * width

    @property
    def most_entries(self) -> int:
        """A bound of `nnz` that takes no counting: an output reads its taps, and at most both ends."""
        channels = self.in_channels // self.groups
        return self.shape[0] * channels * prod([taps + 2 for taps in self.kernel_size])

    def explain(self) -> str:
        """Return the shape arithmetic, line by line, with the numbers in it.

        Returns
        -------
        str
            One paragraph per spatial axis, then channels and the matrix.

        Examples
        --------
        >>> from convops import ConvGeometry
        >>> print(ConvGeometry((3,), (8,), stride=2, padding=1).explain())
        convolution: input_shape (8,) -> output_shape (4,)
        axis 0: size 8, kernel 3, stride 2, padding (1, 1), dilation 1, boundary "zeros"
          effective = dilation * (kernel - 1) + 1 = 1 * (3 - 1) + 1 = 3
          out_size = (size + before + after - effective) // stride + 1 = (8 + 1 + 1 - 3) // 2 + 1 = 4
          q = stride * p + dilation * k - before = 2 * p + 1 * k - 1
          a transpose with these pads that reads 4 returns 7 (output_padding=0) or 8 (output_padding=1)
        channels: 1 in, 1 out, 1 group
        W: shape (4, 8), nnz = 11, 152 bytes in float64 with int32 indices
        """
        lines = [f"convolution: input_shape {self.input_shape} -> output_shape {self.output_shape}"]
        for number, axis in enumerate(self.axes):
            lines += axis.explain(number)
        plural = "" if self.groups == 1 else "s"
        lines += [
            f"channels: {self.in_channels} in, {self.out_channels} out, {self.groups} group{plural}",
            f"W: shape {self.shape}, nnz = {self.nnz}, {self.nbytes()} bytes in float64 with "
            f"int{8 * self.index_itemsize} indices",
        ]
        return "\n".join(lines)


def _channels_last(input_shape: tuple[int, ...], channels: int) -> str:
    """Say what to do where the channels seem to come last."""
    last = input_shape[-1]
    if last != channels:
        return ""
    return (
        f" The last axis has {last}: if it holds the channels, an operator takes channel_axis=-1, and a "
        f"ConvGeometry the shape {(last, *input_shape[:-1])}."
    )


def _bare_axes(
    weight_shape: object,
    input_shape: object,
    stride: object,
    dilation: object,
    groups: object,
    boundary: object,
) -> tuple[tuple[int, ...], tuple[int, ...], int, tuple[Axis, ...]]:
    """Return the shapes, the groups and the axes, not yet padded, after the checks that need no padding."""
    weight_shape, input_shape = shape("weight_shape", weight_shape), shape("input_shape", input_shape)
    channels = len(weight_shape) - len(input_shape)
    if channels not in (0, 1) or len(input_shape) - channels < 1:
        raise ValueError(
            f"{shown('input_shape', input_shape)}: a weight of shape {weight_shape} has {len(weight_shape)} "
            f"axes. It must have as many as input_shape (kernel alone, one channel), which are "
            f"{len(input_shape)}, or one more (C_out, C_in // groups, *kernel) with at least one spatial "
            f"axis.{' With channel_axis an operator takes a kernel for all of them.' if channels < 0 else ''}"
        )
    if len(input_shape) - channels > MOST_AXES:
        raise ValueError(
            f"{shown('input_shape', input_shape)}: there can be {MOST_AXES} spatial axes, because numpy has "
            f"64 for all; got {len(input_shape) - channels}."
        )
    groups = integer("groups", groups, 1)
    if not channels and groups != 1:
        raise ValueError(
            f"{shown('groups', groups)}: the shapes have no channel axis, so there is one group. Give "
            "input_shape as (C_in, *spatial) and the weight as (C_out, C_in // groups, *kernel)."
        )
    if channels and weight_shape[0] % groups:
        raise ValueError(
            f"{shown('groups', groups)}: it must divide {weight_shape[0]}, the first axis of the weight of "
            f"shape {weight_shape}; {weight_shape[0]} / {groups} leaves {weight_shape[0] % groups}."
        )
    sizes, kernel = input_shape[channels:], weight_shape[2 * channels :]
    strides = per_axis("stride", stride, len(sizes), 1)
    dilations = per_axis("dilation", dilation, len(sizes), 1)
    none = (0,) * len(sizes)
    axes = map(Axis, sizes, kernel, strides, dilations, none, none, boundary_names(boundary, len(sizes)))
    return weight_shape, input_shape, groups, tuple(axes)
