"""A plain loop, compiled by numba for all cores: a yardstick of what the machine could do, and no peer.

Arrays of one and two axes get leading axes of size one. The columns that a stride skips are dealt out to
channels of their own, and the adjoint is taken apart by the remainders of the stride, so that the innermost
loop always reads and writes one column after the other.
"""

from collections.abc import Callable, Sequence
from functools import cache
from importlib.util import find_spec
from typing import Any

import numpy as np

from benchmarks._race_job import Job, Pair

_BLOCK = 4096  # columns that a unit of work writes at most


def compiled(job: Job) -> Pair | None:
    """Return the loop on x and the loop on y; None where numba is absent."""
    if find_spec("numba") is None:
        return None
    import numba

    numba.set_num_threads(job.threads)
    case, (x, y, weight) = job.case, job.blocks
    lift = 3 - len(case.spatial_shape)
    ones = (1,) * lift
    strides, pads = [*ones, *[case.stride] * (3 - lift)], [*[0] * lift, *[case.padding] * (3 - lift)]
    x = x.reshape(len(x), case.groups, -1, *ones, *x.shape[2:])
    y = y.reshape(len(y), case.groups, -1, *ones, *y.shape[2:])
    weight = weight.reshape(case.groups, -1, weight.shape[1], *ones, *weight.shape[2:])
    forward = _Correlation(weight, strides, [-pad for pad in pads], y.shape)
    turned = weight.swapaxes(1, 2)[..., ::-1, ::-1, ::-1]
    parts = [_part(turned, remainders, strides, pads, x.shape) for remainders in np.ndindex(*strides)]

    forward(x)  # compiles

    def adjoint() -> np.ndarray:
        if len(parts) == 1:
            return parts[0][1](y)
        out = np.empty(x.shape, x.dtype)
        for place, part in parts:
            out[place] = part(y)
        return out

    return lambda: forward(x), adjoint


def _part(
    turned: np.ndarray, remainders: Sequence[int], strides: Sequence[int], pads: Sequence[int], shape: Any
) -> tuple[Any, "_Correlation"]:
    """Return where the samples r with r + pad = remainder, modulo the stride, lie, and the loop for them."""
    taps, place, starts, sizes = [], [], [], []
    columns = zip(remainders, strides, pads, turned.shape[3:], shape[3:], strict=True)
    for remainder, stride, pad, kernel, size in columns:
        first = (remainder - pad) % stride
        taps.append(slice((kernel - 1 - remainder) % stride, None, stride))
        place.append(slice(first, None, stride))
        sizes.append(len(range(first, size, stride)))
        starts.append((first + pad - remainder) // stride - len(range(remainder, kernel, stride)) + 1)
    weight = turned[(..., *taps)]
    return (..., *place), _Correlation(weight, [1, 1, 1], starts, (*shape[:3], *sizes))


class _Correlation:
    """A correlation of any stride that reads its input from `starts` on, with zeros past the ends."""

    def __init__(
        self, weight: np.ndarray, strides: Sequence[int], starts: Sequence[int], shape: tuple[int, ...]
    ) -> None:
        *self._steps, self._deal = strides
        self._starts, self._shape = starts, shape
        self._lengths = [
            stride * (size - 1) + kernel
            for stride, size, kernel in zip(strides, shape[3:], weight.shape[3:], strict=True)
        ]
        missing = -weight.shape[-1] % self._deal
        self._lengths[-1] += -self._lengths[-1] % self._deal
        weight = np.pad(weight, [(0, 0)] * 5 + [(0, missing)])
        self._weight = self._dealt(weight)

    def __call__(self, x: np.ndarray) -> np.ndarray:
        padded = np.zeros((*x.shape[:3], *self._lengths), x.dtype)
        read, written = [], []
        for start, length, size in zip(self._starts, self._lengths, x.shape[3:], strict=True):
            first, last = max(start, 0), min(start + length, size)
            read.append(slice(first, last))
            written.append(slice(first - start, last - start))
        padded[(..., *written)] = x[(..., *read)]
        out = np.empty(self._shape, x.dtype)
        _loop()(self._dealt(padded), self._weight, out, *self._steps, _BLOCK)
        return out

    def _dealt(self, array: np.ndarray) -> np.ndarray:
        """Deal the columns out to as many channels as the stride has remainders."""
        if self._deal == 1:
            return np.ascontiguousarray(array)
        hands = array.reshape(*array.shape[:-1], -1, self._deal).transpose(0, 1, 2, 6, 3, 4, 5)
        return np.ascontiguousarray(hands).reshape(*array.shape[:2], -1, *hands.shape[4:])


@cache
def _loop() -> Callable[..., None]:
    """Return the compiled loop."""
    from numba import njit, prange

    @njit(fastmath=True)
    def add_line(line: Any, source: Any, w: Any) -> None:
        k, taps, columns = 0, w.size, line.size
        while k + 5 <= taps:
            w0, w1, w2, w3, w4 = w[k], w[k + 1], w[k + 2], w[k + 3], w[k + 4]
            for q in range(columns):
                line[q] += (
                    w0 * source[q + k]
                    + w1 * source[q + k + 1]
                    + w2 * source[q + k + 2]
                    + w3 * source[q + k + 3]
                    + w4 * source[q + k + 4]
                )
            k += 5
        while k + 3 <= taps:
            w0, w1, w2 = w[k], w[k + 1], w[k + 2]
            for q in range(columns):
                line[q] += w0 * source[q + k] + w1 * source[q + k + 1] + w2 * source[q + k + 2]
            k += 3
        while k < taps:
            w0 = w[k]
            for q in range(columns):
                line[q] += w0 * source[q + k]
            k += 1

    @njit(fastmath=True)
    def add_four_lines(lines: Any, source: Any, w: Any) -> None:
        k, taps, columns = 0, w.shape[1], lines.shape[1]
        line0, line1, line2, line3 = lines[0], lines[1], lines[2], lines[3]
        while k + 3 <= taps:
            a0, a1, a2 = w[0, k], w[0, k + 1], w[0, k + 2]
            b0, b1, b2 = w[1, k], w[1, k + 1], w[1, k + 2]
            c0, c1, c2 = w[2, k], w[2, k + 1], w[2, k + 2]
            d0, d1, d2 = w[3, k], w[3, k + 1], w[3, k + 2]
            for q in range(columns):
                s0, s1, s2 = source[q + k], source[q + k + 1], source[q + k + 2]
                line0[q] += a0 * s0 + a1 * s1 + a2 * s2
                line1[q] += b0 * s0 + b1 * s1 + b2 * s2
                line2[q] += c0 * s0 + c1 * s1 + c2 * s2
                line3[q] += d0 * s0 + d1 * s1 + d2 * s2
            k += 3
        while k < taps:
            a0, b0, c0, d0 = w[0, k], w[1, k], w[2, k], w[3, k]
            for q in range(columns):
                s0 = source[q + k]
                line0[q] += a0 * s0
                line1[q] += b0 * s0
                line2[q] += c0 * s0
                line3[q] += d0 * s0
            k += 1

    @njit(fastmath=True)
    def unit_of_work(
        x: Any, weight: Any, out: Any, down: int, along: int, block: int, unit: int, share: int
    ) -> None:
        _, groups, channels, depth, rows, columns = out.shape
        rest, part = divmod(unit, (columns + block - 1) // block)
        rest, row = divmod(rest, rows)
        rest, slab = divmod(rest, depth)
        rest, channel = divmod(rest, channels // share)
        item, group = divmod(rest, groups)
        first, channel = part * block, channel * share
        last = min(first + block, columns)
        if share == 4:
            lines = np.zeros((4, last - first), out.dtype)
            for c in range(weight.shape[2]):
                for i in range(weight.shape[3]):
                    for j in range(weight.shape[4]):
                        source = x[item, group, c, down * slab + i, along * row + j, first:]
                        add_four_lines(lines, source, weight[group, channel : channel + 4, c, i, j])
            for n in range(4):
                out[item, group, channel + n, slab, row, first:last] = lines[n]
            return
        line = out[item, group, channel, slab, row, first:last]
        line[:] = 0
        for c in range(weight.shape[2]):
            for i in range(weight.shape[3]):
                for j in range(weight.shape[4]):
                    source = x[item, group, c, down * slab + i, along * row + j, first:]
                    add_line(line, source, weight[group, channel, c, i, j])

    @njit(parallel=True, fastmath=True)
    def loop(x: Any, weight: Any, out: Any, down: int, along: int, block: int) -> None:
        share = 1 if out.shape[2] % 4 else 4  # output channels that read a line together
        lines = out.size // out.shape[5] // share
        for unit in prange(lines * ((out.shape[5] + block - 1) // block)):
            unit_of_work(x, weight, out, down, along, block, np.int64(unit), share)

    return loop
