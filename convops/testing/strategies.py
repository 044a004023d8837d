"""Hypothesis strategies for geometries, weights and operators; nothing that they draw is thrown away.

Each size is drawn from the range that the sizes before it leave, so every draw is valid as it is and as it
shrinks.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import reduce
from math import isqrt
from typing import Any, Literal, NamedTuple

import numpy as np

from convops._arguments import boolean, choice, integer, is_sequence, shown
from convops._arrays import Array, operator_dtype
from convops._axis import BOUNDARIES, OTHER_NAMES, Axis
from convops._padding import PADDINGS, padding_pairs
from convops.apply import METHODS
from convops.geometry import ConvGeometry
from convops.operators import Conv, ConvTranspose
from convops.operators.map import OTHER_METHODS

try:
    from hypothesis import strategies as st
    from hypothesis.extra.numpy import arrays
except ImportError as error:
    raise ImportError(
        f"convops.testing.strategies needs hypothesis, which is not here ({error}). Install the extra "
        "'test': in the checkout, pip install -e '.[test]'"
    ) from error

DTYPES = ("float64", "float32", "complex64", "complex128", "int64")

_MOST_TAPS = 4
_MOST_STRIDE = 4
_MOST_DILATION = 3
_MOST_CHANNELS = 3
"""Of each of: groups, input channels of a group, output channels of a group."""

_Draw = Callable[[st.SearchStrategy[Any]], Any]


class _Limits(NamedTuple):
    max_axes: int
    max_side: int
    boundaries: tuple[str, ...]
    channels: bool
    max_entries: int


def geometries(
    *,
    max_axes: int = 3,
    max_side: int = 12,
    boundaries: str | Sequence[str] = BOUNDARIES,
    channels: bool = True,
    max_entries: int = 20_000,
) -> st.SearchStrategy[ConvGeometry]:
    """Return a strategy for valid geometries of any stride, padding, dilation, groups and boundary.

    Examples shrink to the trivial geometry: one axis of size 1, kernel 1, stride 1, dilation 1, no padding,
    the first of `boundaries`, no channels.

    Parameters
    ----------
    max_axes : int, default 3
        The most spatial axes.
    max_side : int, default 12
        The largest size of an input axis.
    boundaries : str or sequence of str
        The boundary conditions to draw from, for each axis anew; default: all, "zeros" first.
    channels : bool, default True
        Whether geometries with channel axes, and groups, are drawn too.
    max_entries : int, default 20_000
        The most entries of the matrix W, zeros included. Large axes are drawn together only where it has
        room for them.

    Returns
    -------
    SearchStrategy of ConvGeometry
        Paddings are drawn as "valid", "same", "same_lower", "full", "causal" and as any pairs that fit, also
        wider than the input.

    Raises
    ------
    TypeError, ValueError
        If an option is of the wrong type or out of range.

    Examples
    --------
    >>> import hypothesis
    >>> from convops.testing import strategies
    >>> hypothesis.find(strategies.geometries(), lambda geometry: geometry.stride[0] > 1)
    ConvGeometry(weight_shape=(1,), input_shape=(1,), stride=(2,), padding=((0, 0),), dilation=(1,), groups=1,
    boundary=('zeros',))
    """
    boolean("channels", channels)
    limits = _Limits(
        integer("max_axes", max_axes, 1),
        integer("max_side", max_side, 1),
        _names("boundaries", boundaries, BOUNDARIES, OTHER_NAMES),
        channels,
        integer("max_entries", max_entries, 1),
    )
    return _geometries(limits)


def weights(geometry: ConvGeometry, *, dtypes: Any = DTYPES) -> st.SearchStrategy[Array]:
    """Return a strategy for weights of a geometry: finite, of moderate size.

    Floats and the parts of complex numbers are 0 or between 1/16 and 16 in size; integers between -9 and 9,
    or 0 and 9 where unsigned. Examples shrink to zeros.

    Parameters
    ----------
    geometry : ConvGeometry
        Whose ``weight_shape`` they have.
    dtypes : dtype or sequence of dtype
        To draw from; default: float64, float32, complex64, complex128 and int64.

    Returns
    -------
    SearchStrategy of ndarray
        Of shape ``geometry.weight_shape``.

    Raises
    ------
    TypeError, ValueError
        If `geometry` is none, or a dtype is not one of an operator.

    Examples
    --------
    >>> import hypothesis
    >>> from convops import ConvGeometry
    >>> from convops.testing import strategies
    >>> hypothesis.find(strategies.weights(ConvGeometry((2, 2), (3, 3)), dtypes="int64"), lambda weight: True)
    array([[0, 0],
           [0, 0]])
    """
    if not isinstance(geometry, ConvGeometry):
        raise TypeError(
            f"{shown('geometry', geometry)}: weights belong to a ConvGeometry; got "
            f"{type(geometry).__name__}. Draw one from geometries() first, or build it."
        )
    shape = geometry.weight_shape
    return st.sampled_from(_dtypes(dtypes)).flatmap(
        lambda dtype: arrays(dtype, shape, elements=_elements(dtype))
    )


def operators(
    *,
    geometry: ConvGeometry | st.SearchStrategy[ConvGeometry] | None = None,
    dtypes: Any = DTYPES,
    methods: str | Sequence[str] = METHODS,
) -> st.SearchStrategy[Conv | ConvTranspose]:
    """Return a strategy for `Conv` and `ConvTranspose`, flipped or not, by every method that can do the job.

    "fft" is drawn for floats; "separable" for floats, several axes and channels that do not mix, with a
    kernel of rank 1. Examples shrink to a `Conv` of the trivial geometry, not flipped, with zeros for a
    weight.

    Parameters
    ----------
    geometry : ConvGeometry or strategy of them, optional
        Default: ``geometries()``.
    dtypes : dtype or sequence of dtype
        To draw from; default: float64, float32, complex64, complex128 and int64.
    methods : str or sequence of str
        To draw from where they can do the job; "sparse" is drawn where none of them can. Default: all, "auto"
        first.

    Returns
    -------
    SearchStrategy of Conv or ConvTranspose
        Each built from its weight, so that ``repr`` and the arguments tell all.

    Raises
    ------
    TypeError, ValueError
        If an option is of the wrong type or not one of those that there are.

    Examples
    --------
    >>> import hypothesis
    >>> from convops.testing import strategies
    >>> hypothesis.find(strategies.operators(), lambda A: A.dtype.kind == "c")
    <1x1 Conv: input_shape (1,) -> output_shape (1,), complex64>
    """
    if geometry is None:
        geometry = geometries()
    elif isinstance(geometry, ConvGeometry):
        geometry = st.just(geometry)
    elif not isinstance(geometry, st.SearchStrategy):
        raise TypeError(
            f"{shown('geometry', geometry)}: it must be a ConvGeometry, or a strategy of them, as "
            f"geometries() returns; got {type(geometry).__name__}."
        )
    return _operators(geometry, _dtypes(dtypes), _names("methods", methods, METHODS, OTHER_METHODS))


@st.composite
def _geometries(draw: _Draw, limits: _Limits) -> ConvGeometry:
    axes = draw(st.integers(1, limits.max_axes))
    room = limits.max_entries
    outer: tuple[int, ...] = ()
    inner: tuple[int, ...] = ()
    groups = 1
    if limits.channels and draw(st.booleans()):
        # Channels take their share like an axis more.
        share = _root(room, axes + 1)
        groups = draw(st.integers(1, min(_MOST_CHANNELS, isqrt(share))))
        reads = draw(st.integers(1, min(_MOST_CHANNELS, share // groups**2)))
        returns = draw(st.integers(1, min(_MOST_CHANNELS, share // (groups**2 * reads))))
        outer, inner = (groups * returns, reads), (groups * reads,)
        room //= groups**2 * reads * returns
    lines = []
    for left in range(axes, 0, -1):
        line = draw(_axes(limits, _root(room, left)))
        room //= line.size * line.out_size
        lines.append(line)
    return ConvGeometry(
        (*outer, *(line.kernel for line in lines)),
        (*inner, *(line.size for line in lines)),
        stride=tuple(line.stride for line in lines),
        padding=tuple((line.before, line.after) for line in lines),
        dilation=tuple(line.dilation for line in lines),
        groups=groups,
        boundary=tuple(line.boundary for line in lines),
    )


@st.composite
def _axes(draw: _Draw, limits: _Limits, room: int) -> Axis:
    """Draw an axis whose input and output sizes have a product of at most `room`."""
    bare = Axis(
        1,
        draw(st.integers(1, _MOST_TAPS)),
        draw(st.integers(1, _MOST_STRIDE)),
        draw(st.integers(1, _MOST_DILATION)),
        0,
        0,
        draw(st.sampled_from(limits.boundaries)),
    )
    largest = min(limits.max_side, room)
    sizes = {name: _fitting(bare, name, largest, room) for name in PADDINGS}
    padding = draw(st.sampled_from([name for name, fit in sizes.items() if fit] + ["pairs"]))
    if padding != "pairs":
        sized = bare._replace(size=draw(st.sampled_from(sizes[padding])))
        return _padded(sized, padding)
    span = bare.effective - 1
    # As n * out_size <= room, the padded axis is shorter than span + 1 + stride * (room // n).
    largest = max(n for n in range(1, largest + 1) if n <= span + bare.stride * (room // n))
    size = draw(st.integers(1, largest))
    least = max(span + 1 - size, 0)
    most = min(span + bare.stride * (room // size) - size, least + 3 * size)
    total = draw(st.integers(least, most))
    before = draw(st.integers(0, total))
    return bare._replace(size=size, before=before, after=total - before)


def _fitting(bare: Axis, padding: str, largest: int, room: int) -> list[int]:
    """Return the sizes that have an output, and room for it, under a padding that has a name."""
    padded = [_padded(bare._replace(size=size), padding) for size in range(1, largest + 1)]
    return [axis.size for axis in padded if axis.out_size >= 1 and axis.size * axis.out_size <= room]


def _padded(axis: Axis, padding: str) -> Axis:
    ((before, after),) = padding_pairs(padding, [axis])
    return axis._replace(before=before, after=after)


@st.composite
def _operators(
    draw: _Draw,
    geometry: st.SearchStrategy[ConvGeometry],
    dtypes: tuple[np.dtype[Any], ...],
    methods: tuple[str, ...],
) -> Conv | ConvTranspose:
    sizes = draw(geometry)
    dtype = draw(st.sampled_from(dtypes))
    method = draw(st.sampled_from([name for name in methods if _suits(name, sizes, dtype)] or ["sparse"]))
    weight = draw(_rank_one(sizes, dtype) if method == "separable" else weights(sizes, dtypes=dtype))
    arguments: dict[str, Any] = {
        "stride": sizes.stride,
        "padding": sizes.padding,
        "dilation": sizes.dilation,
        "groups": sizes.groups,
        "boundary": sizes.boundary,
        "flip": draw(st.booleans()),
        "method": method,
    }
    if draw(st.booleans()):
        return ConvTranspose(weight, sizes.output_shape, output_shape=sizes.input_shape, **arguments)
    return Conv(weight, sizes.input_shape, **arguments)


def _suits(method: str, geometry: ConvGeometry, dtype: np.dtype[Any]) -> bool:
    """Whether a method takes a weight of this dtype, of rank 1 for "separable"."""
    if method in ("fft", "separable") and dtype.kind in "iu":
        return False
    apart = geometry.in_channels == geometry.out_channels == geometry.groups
    return method != "separable" or (apart and len(geometry.axes) > 1)


def _rank_one(geometry: ConvGeometry, dtype: np.dtype[Any]) -> st.SearchStrategy[Array]:
    """Return a strategy for kernels that are outer products, one for each channel."""
    channels = geometry.weight_shape[: 2 * geometry.has_channels]
    lines = [arrays(dtype, (*channels, taps), elements=_elements(dtype)) for taps in geometry.kernel_size]

    def times(left: Array, line: Array) -> Array:
        return left[..., None] * line.reshape(*channels, *[1] * (left.ndim - len(channels)), -1)

    return st.tuples(*lines).map(lambda factors: reduce(times, factors))


def _elements(dtype: np.dtype[Any]) -> st.SearchStrategy[Any]:
    if dtype.kind in "iu":
        return st.integers(0 if dtype.kind == "u" else -9, 9)
    width: Literal[32, 64] = 32 if dtype in (np.float32, np.complex64) else 64
    size = st.floats(1 / 16, 16, width=width)
    part = st.just(0.0) | size | size.map(lambda value: -value)
    return st.builds(complex, part, part) if dtype.kind == "c" else part


def _names(name: str, value: object, names: tuple[str, ...], others: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(choice(name, item, names, others) for item in _items(name, value, names[0]))


def _dtypes(dtypes: object) -> tuple[np.dtype[Any], ...]:
    return tuple(operator_dtype(dtype, "dtypes") for dtype in _items("dtypes", dtypes, DTYPES[0]))


def _items(name: str, value: object, example: str) -> tuple[object, ...]:
    """Return the items of a list of options; one option alone stands for such a list."""
    items = tuple(value) if is_sequence(value) else (value,)
    if not items:
        raise ValueError(f"{shown(name, value)}: at least one is needed, as in {example!r}.")
    return items


def _root(number: int, degree: int) -> int:
    """Return the largest int whose power of this degree is at most `number`."""
    least, most = 1, number
    while least < most:
        middle = (least + most + 1) // 2
        if middle**degree <= number:
            least = middle
        else:
            most = middle - 1
    return least


__all__ = ["geometries", "operators", "weights"]
