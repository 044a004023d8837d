"""The convolution written straight from its definition, with no code of the library; slow, and obvious.

Everything rests on one relation per spatial axis, ``q = stride * p + dilation * k - before``, between
output position p, tap k and position q on the axis extended by its boundary condition. The extension is
numpy.pad and nothing else. x is (C_in, *spatial), y is (C_out, *out), weight is (C_out, C_in // groups,
*kernel); the geometry arguments have one item per spatial axis, padding one (before, after) pair. vec order
is C order.

Integers are computed in int64, everything else in double precision.
"""

from collections.abc import Sequence
from itertools import product
from math import ceil, prod
from typing import Any, TypedDict

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Pair = tuple[int, int]

NUMPY_PAD: dict[str, dict[str, Any]] = {
    "zeros": {"mode": "constant"},
    "wrap": {"mode": "wrap"},
    "reflect": {"mode": "reflect"},
    "symmetric": {"mode": "symmetric"},
    "edge": {"mode": "edge"},
    "antireflect": {"mode": "reflect", "reflect_type": "odd"},
}


class Geometry(TypedDict):
    """The keyword arguments that the oracles share, one item per spatial axis."""

    stride: tuple[int, ...]
    padding: list[Pair]
    dilation: tuple[int, ...]
    groups: int
    boundary: tuple[str, ...]
    flip: bool


def spans(kernel: Sequence[int], dilation: Sequence[int]) -> list[int]:
    """Positions that a dilated kernel covers on each axis."""
    return [d * (k - 1) + 1 for k, d in zip(kernel, dilation, strict=True)]


def resolve_padding(
    padding: Any,
    spatial: Sequence[int],
    kernel: Sequence[int],
    stride: Sequence[int],
    dilation: Sequence[int],
) -> list[Pair]:
    """(before, after) of each axis for any way of writing the padding."""
    if padding == "valid":
        return [(0, 0) for _ in spatial]
    if padding == "full":
        return [(span - 1, span - 1) for span in spans(kernel, dilation)]
    if padding == "causal":
        return [(span - 1, 0) for span in spans(kernel, dilation)]
    if padding in ("same", "same_lower"):
        pairs = []
        for n, step, span in zip(spatial, stride, spans(kernel, dilation), strict=True):
            outputs = ceil(n / step)
            total = max((outputs - 1) * step + span - n, 0)
            half, odd = divmod(total, 2)
            pairs.append((half, half + odd) if padding == "same" else (half + odd, half))
        return pairs
    if isinstance(padding, int):
        return [(padding, padding) for _ in spatial]
    return [(item, item) if isinstance(item, int) else (item[0], item[1]) for item in padding]


def output_sizes(
    spatial: Sequence[int],
    kernel: Sequence[int],
    *,
    stride: Sequence[int],
    padding: list[Pair],
    dilation: Sequence[int],
) -> tuple[int, ...]:
    """Count the positions p on each axis at which the whole kernel lies on the extended axis."""
    sizes = []
    for n, span, step, (before, after) in zip(spatial, spans(kernel, dilation), stride, padding, strict=True):
        sizes.append(sum(1 for p in range(n + before + after) if step * p + span <= n + before + after))
    return tuple(sizes)


def extension(size: int, before: int, after: int, boundary: str) -> Array:
    """(before + size + after, size) matrix of numpy.pad on one axis: its columns are padded unit vectors."""
    return np.pad(np.eye(size, dtype=np.int64), [(before, after), (0, 0)], **NUMPY_PAD[boundary])


def extend(x: Array, padding: list[Pair], boundary: Sequence[str]) -> Array:
    """numpy.pad of each spatial axis of x, shape (channels, *spatial), in its own mode."""
    for axis, (pair, name) in enumerate(zip(padding, boundary, strict=True), start=1):
        x = np.pad(x, [pair if number == axis else (0, 0) for number in range(x.ndim)], **NUMPY_PAD[name])
    return x


def conv_loops(
    x: Array,
    weight: Array,
    *,
    stride: Sequence[int],
    padding: list[Pair],
    dilation: Sequence[int],
    groups: int,
    boundary: Sequence[str],
    flip: bool = False,
) -> Array:
    """y[o, p] = sum of weight[o, i, k] * extended x[i, stride * p + dilation * k], i in the group of o."""
    x, weight = _wide(x), _unflipped(_wide(weight), flip)
    c_out, c_part, *kernel = weight.shape
    sizes = output_sizes(x.shape[1:], kernel, stride=stride, padding=padding, dilation=dilation)
    extended = extend(x, padding, boundary)
    y = np.zeros((c_out, *sizes), dtype=np.result_type(x, weight))
    for p in np.ndindex(*sizes):
        for k in np.ndindex(*kernel):
            q = _positions(p, k, stride, dilation)
            for o, i in product(range(c_out), range(c_part)):
                first = o // (c_out // groups) * c_part
                y[(o, *p)] += weight[(o, i, *k)] * extended[(first + i, *q)]
    return y


def conv_transpose_loops(
    y: Array,
    weight: Array,
    spatial: Sequence[int],
    *,
    stride: Sequence[int],
    padding: list[Pair],
    dilation: Sequence[int],
    groups: int,
    boundary: Sequence[str],
    flip: bool = False,
) -> Array:
    """Scatter weight[o, i, k] * y[o, p] to every position that y[o, p] read, then fold the border back.

    ``spatial`` is the spatial shape that the convolution reads, so what the transpose returns. The border is
    folded by the transposed matrix of numpy.pad. Nothing is conjugated.
    """
    y, weight = _wide(y), _unflipped(_wide(weight), flip)
    c_out, c_part, *kernel = weight.shape
    assert y.shape[1:] == output_sizes(spatial, kernel, stride=stride, padding=padding, dilation=dilation)
    widths = [n + before + after for n, (before, after) in zip(spatial, padding, strict=True)]
    x = np.zeros((c_part * groups, *widths), dtype=np.result_type(y, weight))
    for p in np.ndindex(*y.shape[1:]):
        for k in np.ndindex(*kernel):
            q = _positions(p, k, stride, dilation)
            for o, i in product(range(c_out), range(c_part)):
                first = o // (c_out // groups) * c_part
                x[(first + i, *q)] += weight[(o, i, *k)] * y[(o, *p)]
    for axis, (n, pair, name) in enumerate(zip(spatial, padding, boundary, strict=True), start=1):
        x = np.moveaxis(np.tensordot(extension(n, *pair, name).T, x, axes=(1, axis)), 0, axis)
    return x


def matrix_loops(weight: Array, spatial: Sequence[int], **geometry: Any) -> Array:
    """Dense W, (C_out * prod(out), C_in * prod(spatial)): the unpadded convolution times the extension."""
    inner, outer = _factors(weight, spatial, **geometry)
    return inner @ outer


def magnitude_loops(weight: Array, spatial: Sequence[int], **geometry: Any) -> tuple[Array, int]:
    """(M, terms): M[i, j] sums the moduli of all that W[i, j] adds up; no row or column adds more terms.

    Rounding bounds are multiples of ``terms * eps * (M @ abs(x))`` for W @ x, and with ``M.T @ abs(y)`` for
    W.T @ y.
    """
    inner, outer = _factors(weight, spatial, **geometry)
    ones, _ = _factors(np.ones(weight.shape, dtype=np.int64), spatial, **geometry)
    count = ones @ (outer != 0)
    magnitude = np.abs(inner) @ np.abs(outer)
    return magnitude, int(max(count.sum(axis=0).max(), count.sum(axis=1).max()))


def assert_within_rounding(actual: Array, expected: Array, magnitude: Array, terms: int) -> None:
    """Integers are equal; of the rest every entry is off by 4 * (terms + 2) * eps * magnitude at most.

    eps is that of the precision of ``actual``; 4 covers a complex product and the rounding of the oracle.
    """
    actual, expected = np.asarray(actual), np.asarray(expected)
    assert actual.shape == expected.shape
    if actual.dtype.kind not in "fc":
        np.testing.assert_array_equal(actual, expected)
        return
    bound = 4 * (terms + 2) * np.finfo(actual.dtype).eps * np.asarray(magnitude)
    excess = np.abs(actual - expected) - bound
    assert np.isfinite(actual).all(), f"not finite: {actual[~np.isfinite(actual)][:4]}"
    if (excess > 0).any():
        at = np.unravel_index(int(np.argmax(excess)), excess.shape)
        raise AssertionError(
            f"entry {tuple(map(int, at))} is {actual[at]}, should be {expected[at]}; they differ by "
            f"{abs(actual[at] - expected[at]):.3g}, rounding explains {bound[at]:.3g}; "
            f"{(excess > 0).sum()} of {excess.size} entries are off"
        )


def _wide(a: Array) -> Array:
    a = np.asarray(a)
    return a.astype(np.result_type(a.dtype, np.int64))


def _unflipped(weight: Array, flip: bool) -> Array:
    return np.flip(weight, axis=tuple(range(2, weight.ndim))) if flip else weight


def _positions(
    p: tuple[int, ...], k: tuple[int, ...], stride: Sequence[int], dilation: Sequence[int]
) -> tuple[int, ...]:
    """Where output p reads with tap k, counted from the first extended position (so q + before)."""
    return tuple(s * a + d * b for a, b, s, d in zip(p, k, stride, dilation, strict=True))


def _factors(
    weight: Array,
    spatial: Sequence[int],
    *,
    stride: Sequence[int],
    padding: list[Pair],
    dilation: Sequence[int],
    groups: int,
    boundary: Sequence[str],
    flip: bool = False,
) -> tuple[Array, Array]:
    """Dense matrices of the unpadded convolution and of the extension before it, channel by channel."""
    weight = _unflipped(_wide(weight), flip)
    c_out, c_part, *kernel = weight.shape
    c_in = c_part * groups
    sizes = output_sizes(spatial, kernel, stride=stride, padding=padding, dilation=dilation)
    widths = [n + before + after for n, (before, after) in zip(spatial, padding, strict=True)]
    inner = np.zeros((c_out, *sizes, c_in, *widths), dtype=weight.dtype)
    for p in np.ndindex(*sizes):
        for k in np.ndindex(*kernel):
            q = _positions(p, k, stride, dilation)
            for o, i in product(range(c_out), range(c_part)):
                first = o // (c_out // groups) * c_part
                inner[(o, *p, first + i, *q)] = weight[(o, i, *k)]
    outer = np.eye(c_in, dtype=np.int64)
    for n, pair, name in zip(spatial, padding, boundary, strict=True):
        outer = np.kron(outer, extension(n, *pair, name))
    return inner.reshape(c_out * prod(sizes), c_in * prod(widths)), outer
