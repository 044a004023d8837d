"""SciPy's and numpy's ways to convolve as contenders; None where they cannot do a job in one go."""

from collections.abc import Callable

import numpy as np
from scipy import ndimage, signal
from scipy.fft import set_workers

from benchmarks._harness import Call, shortest_call, wait_until_idle
from benchmarks._race_job import Job, Pair


def with_workers(call: Call, threads: int) -> Call:
    """Let the Fourier transforms of SciPy in a call use so many threads, where that makes it faster."""
    if threads == 1:
        return call

    def threaded() -> np.ndarray:
        with set_workers(threads):
            return call()

    wait_until_idle()
    seconds = shortest_call(threaded)
    # Small transforms take longer on two threads than on one.
    return call if seconds < 0.02 and shortest_call(call) < seconds else threaded


def correlate(job: Job) -> Pair | None:
    """`scipy.ndimage.correlate` and its adjoint `convolve`; the channels of a depthwise case in a loop."""
    case = job.case
    if case.mixes_channels or len(case.spatial_shape) == 1:
        return None
    if case.groups > 1:
        return _per_channel(job)
    weight = job.weight[None] if case.batch else job.weight
    if case.stride == 1:
        return (
            lambda: ndimage.correlate(job.x, weight, mode="constant"),
            lambda: ndimage.convolve(job.y, weight, mode="constant"),
        )
    first = case.kernel_size[0] // 2 - case.padding
    kept = (
        ...,
        *[slice(first, first + case.stride * size, case.stride) for size in case.geometry.output_shape],
    )

    def adjoint() -> np.ndarray:
        stuffed = np.zeros_like(job.x)
        stuffed[kept] = job.y
        return ndimage.convolve(stuffed, weight, mode="constant")

    return lambda: ndimage.correlate(job.x, weight, mode="constant")[kept], adjoint


def _per_channel(job: Job) -> Pair:
    x, y, weight = job.blocks

    def looped(function: Callable[..., np.ndarray], block: np.ndarray) -> np.ndarray:
        out = np.empty_like(block)
        for channel, taps in enumerate(weight):
            function(block[:, channel], taps, output=out[:, channel], mode="constant")
        return out

    return lambda: looped(ndimage.correlate, x), lambda: looped(ndimage.convolve, y)


def correlate1d(job: Job) -> Pair | None:
    """`scipy.ndimage.correlate1d`, a pass per axis, where the weight is a product of its axes."""
    case = job.case
    if case.stride > 1 or not (case.gaussian or len(case.weight_shape) == 1):
        return None
    factors = [factor.astype(job.dtype) for factor in case.factors]

    def passes(function: Callable[..., np.ndarray], array: np.ndarray) -> np.ndarray:
        for axis, factor in enumerate(factors, -len(factors)):
            array = function(array, factor, axis=axis, mode="constant")
        return array

    return lambda: passes(ndimage.correlate1d, job.x), lambda: passes(ndimage.convolve1d, job.y)


def np_correlate(job: Job) -> Pair | None:
    """`numpy.correlate` and its adjoint `numpy.convolve`, of one axis."""
    if job.x.ndim > 1 or job.case.stride > 1:
        return None
    return (
        lambda: np.correlate(job.x, job.weight, mode="same"),
        lambda: np.convolve(job.y, job.weight, mode="same"),
    )


def fftconvolve(job: Job) -> Pair | None:
    """`scipy.signal.fftconvolve`; batch and depthwise channels by broadcasting."""
    return _by_signal(job, signal.fftconvolve)


def oaconvolve(job: Job) -> Pair | None:
    """`scipy.signal.oaconvolve`; batch and depthwise channels by broadcasting."""
    return _by_signal(job, signal.oaconvolve)


def _by_signal(job: Job, function: Callable[..., np.ndarray]) -> Pair | None:
    case = job.case
    if case.mixes_channels:
        return None
    x, y = job.x, job.y
    axes = tuple(range(-len(case.spatial_shape), 0))
    channels = job.weight.reshape(*job.weight.shape[: case.groups > 1], *case.kernel_size)
    weight = channels.reshape(*[1] * (x.ndim - channels.ndim), *channels.shape)
    turned = np.ascontiguousarray(np.flip(weight, axes))
    if case.stride == 1:
        forward = with_workers(lambda: function(x, turned, mode="same", axes=axes), job.threads)
        adjoint = with_workers(lambda: function(y, weight, mode="same", axes=axes), job.threads)
        return forward, adjoint

    firsts = [kernel - 1 - case.padding for kernel in case.kernel_size]
    sizes = case.geometry.output_shape[-len(axes) :]
    kept = (
        ...,
        *[
            slice(first, first + case.stride * size, case.stride)
            for first, size in zip(firsts, sizes, strict=True)
        ],
    )
    reached = (..., *[slice(case.padding, case.padding + size) for size in case.spatial_shape])

    def spread() -> np.ndarray:
        stuffed = np.zeros_like(x)
        stuffed[(..., *[slice(0, case.stride * size, case.stride) for size in sizes])] = y
        return function(stuffed, weight, mode="full", axes=axes)[reached]

    return (
        with_workers(lambda: function(x, turned, mode="full", axes=axes)[kept], job.threads),
        with_workers(spread, job.threads),
    )
