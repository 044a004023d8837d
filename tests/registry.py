"""One registry of geometries: every law of the library is tested over `CASES`, or over random `cases()`."""

from collections.abc import Callable
from dataclasses import dataclass
from math import prod
from typing import Any
from zlib import crc32

import numpy as np
from hypothesis import assume
from hypothesis import strategies as st

import oracles
from oracles import Array, Geometry

BOUNDARIES = ("zeros", "wrap", "reflect", "symmetric", "edge", "antireflect")
PADDINGS = ("valid", "same", "same_lower", "full", "causal")
FLOATS = ("float32", "float64", "complex64", "complex128")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")
METHODS = ("sparse", "gemm", "fft", "separable")

Ints = tuple[int, ...]


@dataclass(frozen=True)
class Case:
    """A geometry as a user types it. The weight has one axis more than the input where there are channels."""

    name: str
    weight_shape: Ints
    input_shape: Ints
    stride: int | Ints = 1
    padding: int | str | Ints | tuple[Ints, ...] = 0
    dilation: int | Ints = 1
    groups: int = 1
    boundary: str | tuple[str, ...] = "zeros"
    flip: bool = False

    def __str__(self) -> str:
        return self.name

    def geometry(self) -> dict[str, Any]:
        """Keyword arguments of ConvGeometry (which knows no flip)."""
        return {name: getattr(self, name) for name in ("stride", "padding", "dilation", "groups", "boundary")}

    def kwargs(self) -> dict[str, Any]:
        """Keyword arguments of conv_matrix, Conv and conv."""
        return {**self.geometry(), "flip": self.flip}

    def transposed_kwargs(self) -> dict[str, Any]:
        """Keyword arguments of ConvTranspose and conv_transpose, which read what this case's Conv returns."""
        return {**self.kwargs(), "output_shape": self.input_shape}

    @property
    def has_channels(self) -> bool:
        """Whether input and output start with a channel axis."""
        return len(self.weight_shape) > len(self.input_shape)

    @property
    def kernel(self) -> Ints:
        """Kernel size, one item per spatial axis."""
        return self.weight_shape[2:] if self.has_channels else self.weight_shape

    @property
    def spatial(self) -> Ints:
        """Input size, one item per spatial axis."""
        return self.input_shape[1:] if self.has_channels else self.input_shape

    def loops(self) -> Geometry:
        """Keyword arguments of the oracles."""
        axes = len(self.kernel)
        stride, dilation = (v if isinstance(v, tuple) else (v,) * axes for v in (self.stride, self.dilation))
        return {
            "stride": stride,
            "padding": oracles.resolve_padding(self.padding, self.spatial, self.kernel, stride, dilation),
            "dilation": dilation,
            "groups": self.groups,
            "boundary": self.boundary if isinstance(self.boundary, tuple) else (self.boundary,) * axes,
            "flip": self.flip,
        }

    @property
    def output_shape(self) -> Ints:
        """(C_out, *out), or out alone without channels."""
        loops = self.loops()
        sizes = oracles.output_sizes(
            self.spatial,
            self.kernel,
            stride=loops["stride"],
            padding=loops["padding"],
            dilation=loops["dilation"],
        )
        return (self.weight_shape[0], *sizes) if self.has_channels else sizes

    @property
    def shape(self) -> tuple[int, int]:
        """Shape of W."""
        return prod(self.output_shape), prod(self.input_shape)

    def suits(self, method: str, dtype: Any = "float64") -> bool:
        """Whether a method takes the case, with the weight that `weights_for` makes for it."""
        if method in ("fft", "separable") and np.dtype(dtype).kind not in "fc":
            return False
        depthwise = not self.has_channels or self.weight_shape[0] == self.groups == self.input_shape[0]
        return method != "separable" or (depthwise and len(self.kernel) > 1)


def matrix_of(case: Case, weight: Array) -> Array:
    """Dense W from the loops."""
    return oracles.matrix_loops(_with_channels(case, weight, 2), case.spatial, **case.loops())


def magnitude_of(case: Case, weight: Array) -> tuple[Array, int]:
    """(M, terms) for rounding bounds, from the loops."""
    return oracles.magnitude_loops(_with_channels(case, weight, 2), case.spatial, **case.loops())


def forward_of(case: Case, x: Array, weight: Array) -> Array:
    """Convolution of x from the loops, shape ``case.output_shape``."""
    y = oracles.conv_loops(_with_channels(case, x, 1), _with_channels(case, weight, 2), **case.loops())
    return y.reshape(case.output_shape)


def transpose_of(case: Case, y: Array, weight: Array) -> Array:
    """Transposed convolution of y from the loops, shape ``case.input_shape``; nothing is conjugated."""
    x = oracles.conv_transpose_loops(
        _with_channels(case, y, 1), _with_channels(case, weight, 2), case.spatial, **case.loops()
    )
    return x.reshape(case.input_shape)


def weights_for(case: Case, dtype: Any = "float64", seed: int = 0, method: str = "") -> Array:
    """Weight of a case, the same on every call: small integers, or standard normal values.

    For "separable" it is one outer product per channel.
    """
    if method != "separable":
        return _values(case, "weight", case.weight_shape, dtype, seed)
    channels = case.weight_shape[: len(case.weight_shape) - len(case.kernel)]
    product = np.ones(channels, dtype)
    for axis, taps in enumerate(case.kernel):
        line = _values(case, f"line {axis}", (*channels, taps), dtype, seed)
        product = product[..., None] * line.reshape(*channels, *[1] * axis, taps)
    return product


def inputs_for(case: Case, dtype: Any = "float64", seed: int = 0) -> Array:
    """Input of a case's convolution, shape ``case.input_shape``."""
    return _values(case, "input", case.input_shape, dtype, seed)


def outputs_for(case: Case, dtype: Any = "float64", seed: int = 0) -> Array:
    """Input of a case's transpose, shape ``case.output_shape``."""
    return _values(case, "output", case.output_shape, dtype, seed)


def reach_of(method: str, by_entry: Array) -> Array:
    """Return what bounds the rounding of each entry: all of them where a transform mixes them."""
    return np.full_like(by_entry, by_entry.sum()) if method == "fft" else by_entry


def _with_channels(case: Case, a: Array, count: int) -> Array:
    return a if case.has_channels else np.asarray(a)[(np.newaxis,) * count]


def _values(case: Case, role: str, shape: Ints, dtype: Any, seed: int) -> Array:
    rng = np.random.default_rng([crc32(f"{case.name} {role}".encode()), seed])
    dtype = np.dtype(dtype)
    if dtype.kind in "iu":
        return rng.integers(0 if dtype.kind == "u" else -4, 5, size=shape).astype(dtype)
    values = rng.standard_normal(shape)
    return (values + 1j * rng.standard_normal(shape) if dtype.kind == "c" else values).astype(dtype)


CASES = (
    # one axis
    Case("1d", (3,), (8,)),
    Case("1d kernel 1", (1,), (5,)),
    Case("1d size 1", (1,), (1,), padding="valid"),
    Case("1d one output", (4,), (4,)),
    Case("1d one output of a padded input", (5,), (2,), padding=((1, 2),)),
    Case("1d flipped", (4,), (9,), padding="same", flip=True),
    Case("1d full", (4,), (6,), padding="full"),
    Case("1d full, kernel longer than the input", (6,), (3,), padding="full"),
    Case("1d causal, dilated", (3,), (9,), padding="causal", dilation=2),
    Case("1d causal, wrap", (3,), (6,), padding="causal", boundary="wrap"),
    Case("1d same, even kernel", (4,), (7,), padding="same"),
    Case("1d same_lower, even kernel", (4,), (7,), padding="same_lower"),
    Case("1d same, stride 2, even kernel", (4,), (9,), stride=2, padding="same"),
    Case("1d same_lower, stride 3, reflect", (5,), (10,), stride=3, padding="same_lower", boundary="reflect"),
    Case("1d same, stride beyond the kernel", (2,), (11,), stride=4, padding="same"),
    Case("1d stride beyond the kernel", (2,), (12,), stride=4),
    Case("1d stride leaves a remainder", (3,), (10,), stride=3, padding=1),
    Case("1d outputs in the padding alone", (2,), (3,), padding=4),
    Case("1d stride and dilation share a factor", (3,), (13,), stride=2, dilation=4, padding=4),
    Case("1d stride and dilation are coprime", (3,), (13,), stride=3, dilation=2, padding=((0, 3),)),
    Case("1d wrap, three times round", (3,), (4,), padding=9, boundary="wrap"),
    Case("1d reflect, three times folded", (3,), (4,), padding=10, boundary="reflect"),
    Case("1d symmetric, three times folded", (4,), (3,), padding=((10, 3),), boundary="symmetric"),
    Case("1d edge, wide", (3,), (3,), padding=5, boundary="edge"),
    Case("1d antireflect", (3,), (7,), padding=1, boundary="antireflect"),
    Case("1d antireflect, three times folded", (3,), (4,), padding=((11, 8),), boundary="antireflect"),
    Case("1d antireflect of two samples", (2,), (2,), padding=4, boundary="antireflect", stride=2),
    *(Case(f"1d {name} of one sample", (3,), (1,), padding=2, boundary=name) for name in BOUNDARIES),
    Case("1d channels", (4, 3, 3), (3, 7), padding=1),
    Case("1d depthwise, two for each", (6, 1, 3), (3, 8), groups=3, stride=2, padding="same"),
    Case("1d channels alone", (3, 2, 1), (2, 1)),
    # two axes
    Case("2d", (2, 2), (3, 3)),
    Case("2d same, zeros", (3, 3), (5, 4), padding="same"),
    Case("2d same, wrap", (3, 3), (5, 4), padding="same", boundary="wrap"),
    Case("2d same, reflect", (3, 3), (5, 4), padding="same", boundary="reflect"),
    Case("2d same, symmetric, even kernel", (4, 2), (5, 4), padding="same", boundary="symmetric"),
    Case("2d same_lower, edge, even kernel", (2, 4), (4, 5), padding="same_lower", boundary="edge"),
    Case("2d same, antireflect", (3, 5), (4, 6), padding="same", boundary="antireflect"),
    Case("2d boundary per axis", (3, 3), (4, 5), padding=(2, 1), boundary=("wrap", "antireflect"), flip=True),
    Case("2d pairs, strides, dilations", (3, 2), (7, 8), (2, 3), ((1, 0), (0, 2)), (1, 2)),
    Case("2d full, flipped", (3, 2), (4, 4), padding="full", flip=True),
    Case("2d full, symmetric", (2, 3), (3, 4), padding="full", boundary="symmetric"),
    Case("2d row kernel", (1, 4), (3, 6), padding=(0, 2), boundary="reflect"),
    Case("2d axis of size 1", (3, 3), (1, 5), padding=1, boundary=("edge", "zeros")),
    Case("2d kernel 1 × 1, stride 2", (5, 2, 1, 1), (2, 4, 5), stride=2),
    Case("2d kernel 1 × 1, padded", (1, 1), (2, 3), padding=((1, 0), (2, 1))),
    Case("2d one output", (2, 3, 4, 3), (3, 4, 3)),
    Case(
        "2d channels, stride 2, even kernel",
        (3, 2, 4, 4),
        (2, 6, 5),
        stride=2,
        padding=1,
        boundary="symmetric",
    ),
    Case("2d channels, stride 3", (4, 3, 5, 5), (3, 8, 8), stride=3, padding=2),
    Case("2d groups", (4, 3, 3, 2), (6, 4, 5), groups=2, padding=((1, 1), (1, 0)), boundary="wrap"),
    Case("2d groups, dilated, flipped", (6, 2, 2, 3), (4, 6, 6), 2, 1, (3, 1), 2, "reflect", True),
    Case("2d depthwise", (4, 1, 3, 3), (4, 4, 4), padding="same", groups=4, boundary="edge"),
    Case("2d causal channels", (2, 2, 2, 3), (2, 4, 5), padding="causal"),
    # three axes and four
    Case("3d", (2, 3, 2), (4, 4, 3), padding=(0, 1, 1)),
    Case("3d boundary per axis", (3, 2, 3), (3, 3, 4), (1, 2, 2), 1, 1, 1, ("reflect", "wrap", "edge")),
    Case("3d channels, groups", (4, 1, 2, 2, 2), (2, 4, 3, 4), stride=(2, 1, 3), padding="same", groups=2),
    Case("3d same, antireflect", (2, 2, 3), (3, 2, 3), padding="same", boundary="antireflect"),
    Case("4d", (2, 1, 2, 3), (3, 2, 3, 3), stride=(1, 1, 2, 1), padding=((1, 0), (0, 0), (1, 1), (1, 1))),
    Case("4d channels, wrap", (2, 2, 2, 2, 2, 2), (2, 3, 2, 3, 2), padding="same", boundary="wrap"),
)


@st.composite
def cases(
    draw: Callable[[st.SearchStrategy[Any]], Any],
    *,
    max_axes: int = 3,
    max_size: int = 20_000,
    boundaries: tuple[str, ...] = BOUNDARIES,
) -> Case:
    """Random valid geometries with a W of at most ``max_size`` entries, zeros included.

    Examples shrink to one axis, no channels, kernel 1, stride 1, no padding, boundary "zeros".
    """
    axes = draw(st.integers(1, max_axes))

    def per_axis(items: st.SearchStrategy[Any]) -> Any:
        return draw(items | st.tuples(*[items] * axes))

    kernel = draw(st.tuples(*[st.integers(1, (4, 3, 2)[axes - 1])] * axes))
    stride = per_axis(st.integers(1, 4))
    dilation = per_axis(st.integers(1, 3))
    pad = st.integers(0, (6, 3, 2)[axes - 1])
    padding = draw(
        pad | st.tuples(*[pad] * axes) | st.tuples(*[st.tuples(pad, pad)] * axes) | st.sampled_from(PADDINGS)
    )
    boundary = per_axis(st.sampled_from(boundaries))
    spans = oracles.spans(kernel, dilation if isinstance(dilation, tuple) else (dilation,) * axes)
    if padding in ("same", "same_lower", "full", "causal"):  # fits every input
        least = [1] * axes
    else:
        pairs = oracles.resolve_padding(padding, kernel, kernel, kernel, kernel)  # depends on no size
        least = [max(1, span - sum(pair)) for span, pair in zip(spans, pairs, strict=True)]
    spatial = tuple(n + draw(st.integers(0, (8, 3, 1)[axes - 1])) for n in least)
    weight_shape, input_shape, groups = kernel, spatial, 1
    if draw(st.booleans()):
        groups, c_part, multiplier = (draw(st.integers(1, 3)) for _ in range(3))
        weight_shape, input_shape = (groups * multiplier, c_part, *kernel), (groups * c_part, *spatial)
    case = Case(
        "random", weight_shape, input_shape, stride, padding, dilation, groups, boundary, draw(st.booleans())
    )
    assume(prod(case.shape) <= max_size)
    return case
