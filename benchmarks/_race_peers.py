"""Other packages' ways to convolve, and the bare matrix, as contenders; None where they cannot do a job.

Whatever can be built beforehand is built here, outside of what is timed.
"""

import os
import warnings
from importlib.util import find_spec
from unittest import mock

import numpy as np

from benchmarks import _race_scipy
from benchmarks._race_job import Job, Pair
from benchmarks._race_scipy import with_workers

LARGEST = 3 * 2**30
"""Bytes of a matrix beyond which the contender that writes it down is left out."""
LARGEST_LAZY = 512**2
"""Elements of images beyond which lazylinop's 2-D convolution, which extends them ninefold, is left out."""

_TORCH = find_spec("torch") is not None
_PYLOPS = find_spec("pylops") is not None
_LAZYLINOP = find_spec("lazylinop") is not None


def torch(job: Job) -> Pair | None:
    """torch's conv{1,2,3}d, and conv_transpose{1,2,3}d with the output_padding of the input's gradient."""
    case = job.case
    if not _TORCH:
        return None
    from torch import from_numpy
    from torch.nn import functional

    x, y, weight = [from_numpy(block) for block in job.blocks]
    options = {"stride": case.stride, "padding": case.padding, "groups": case.groups}
    conv = getattr(functional, f"conv{x.ndim - 2}d")
    transpose = getattr(functional, f"conv_transpose{x.ndim - 2}d")
    missing = [
        size - (case.stride * (out_size - 1) + kernel - 2 * case.padding)
        for size, out_size, kernel in zip(x.shape[2:], y.shape[2:], case.kernel_size, strict=True)
    ]
    return (
        lambda: conv(x, weight, **options).numpy(),
        lambda: transpose(y, weight, output_padding=missing, **options).numpy(),
    )


def pylops(job: Job) -> Pair | None:
    """PyLops' Convolve1D, Convolve2D or ConvolveND of all of a batch, with its default method."""
    case = job.case
    if not _PYLOPS or case.stride > 1 or case.geometry.in_channels > 1:
        return None
    from pylops.signalprocessing import Convolve1D, Convolve2D, ConvolveND

    axes = tuple(range(-len(case.spatial_shape), 0))
    turned = np.ascontiguousarray(np.flip(job.weight))
    middle = tuple(size // 2 for size in case.kernel_size)
    if len(axes) == 1:
        A = Convolve1D(job.x.shape, turned, offset=middle[0], axis=-1, dtype=job.dtype)
    else:
        kind = Convolve2D if len(axes) == 2 else ConvolveND
        A = kind(job.x.shape, turned, offset=middle, axes=axes, dtype=job.dtype)
    H, x, y = A.H, job.x.ravel(), job.y.ravel()
    return with_workers(lambda: A @ x, job.threads), with_workers(lambda: H @ y, job.threads)


def lazylinop(job: Job) -> Pair | None:
    """lazylinop's signal.convolve and signal2d.convolve2d, with their own backends; batches in columns."""
    case = job.case
    spatial = len(case.spatial_shape)
    if not _LAZYLINOP or case.stride > 1 or case.geometry.in_channels > 1 or spatial > 2:
        return None
    with warnings.catch_warnings(record=True):  # importing it sets the filter of warnings, and warns
        from lazylinop.signal import convolve
        from lazylinop.signal2d import convolve2d

    turned = np.ascontiguousarray(np.flip(job.weight))
    with mock.patch.dict(os.environ, {"OMP_NUM_THREADS": str(job.threads)}):  # read when A is built
        if spatial == 1:
            A = convolve(case.spatial_shape[0], turned, mode="same")
        else:
            A = convolve2d(case.spatial_shape, turned, mode="same")
    H = A.H
    # Vectors are columns of an image, one below the other.
    x, y = [np.ascontiguousarray(array.reshape(-1, *case.spatial_shape).T) for array in (job.x, job.y)]
    x, y = [array.reshape(-1, array.shape[-1]) for array in (x, y)]
    if not case.batch:
        x, y = x[:, 0], y[:, 0]
    shape = case.spatial_shape[::-1]
    return lambda: (A @ x).reshape(*shape, -1).T, lambda: (H @ y).reshape(*shape, -1).T


def matrix(job: Job) -> Pair:
    """W @ x and W.T @ y, with W in CSR and W.T its transpose in the same arrays; batches in columns."""
    case = job.case
    W = case.matrix(job.weight)
    W_T = W.T
    if not case.batch:
        x, y = job.x.ravel(), job.y.ravel()
        return lambda: W @ x, lambda: W_T @ y
    X, Y = [np.ascontiguousarray(array.reshape(case.batch, -1).T) for array in (job.x, job.y)]
    return lambda: (W @ X).T, lambda: (W_T @ Y).T


PEERS = {
    "torch": torch,
    "correlate": _race_scipy.correlate,
    "correlate1d": _race_scipy.correlate1d,
    "np.correlate": _race_scipy.np_correlate,
    "fftconvolve": _race_scipy.fftconvolve,
    "oaconvolve": _race_scipy.oaconvolve,
    "PyLops": pylops,
    "lazylinop": lazylinop,
    "W @ x": matrix,
}
"""The peers, by the names of their columns."""


def too_large(job: Job, name: str) -> bool:
    """Tell whether a contender, a peer or a method of convops, would take too much memory or time."""
    case, size = job.case, 0
    if name in ("W @ x", "sparse"):
        size = case.geometry.nbytes(job.dtype)
    elif name == "torch" and job.dtype == np.float64:  # it writes down every window of the input first
        size = case.flops // 2 // case.geometry.out_channels * case.groups * job.dtype.itemsize
    lazy = name == "lazylinop" and len(case.spatial_shape) == 2 and job.x.size > LARGEST_LAZY
    return size > LARGEST or lazy


def absent() -> list[str]:
    """Return the packages whose columns are left out."""
    found = {
        "torch": _TORCH,
        "pylops": _PYLOPS,
        "lazylinop": _LAZYLINOP,
        "numba": find_spec("numba") is not None,
    }
    return [name for name, there in found.items() if not there]
