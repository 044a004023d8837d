"""The singular values of a convolution: `singular_values`, and by which route, `spectral_route`."""

from math import ceil, prod

import numpy as np
from scipy.sparse.linalg import ArpackNoConvergence, svds

from convops._arguments import integer, shown
from convops._arrays import Array
from convops.assembly import assemble, oriented
from convops.geometry import ConvGeometry
from convops.operators import Conv
from convops.operators.base import ConvOperator
from convops.operators.closed_forms import real_dtype, scaled, unscaled
from convops.operators.map import Map
from convops.spectra._frequencies import Frequencies, by_group, frequencies_of

_DENSE_BYTES = 2**26


def singular_values(A: ConvOperator, k: int | None = None) -> Array:
    """Return the singular values of a convolution, the largest first.

    Where the structure tells them, all are found frequency by frequency, from blocks of C_out × C_in: where
    each axis wraps round, or is continued symmetrically under a kernel that is symmetric along it and keeps
    the size. A stride joins frequencies to larger blocks, if its outputs complete the round (it divides the
    size, say). Else W is made dense while it is small, and beyond that Lanczos finds the k largest.
    `spectral_route` says which it is. Each route is exact up to rounding, relative to the largest value.

    Parameters
    ----------
    A : Conv or ConvTranspose
        The singular values of its transpose and of its adjoint are the same.
    k : int, optional
        How many, from the largest on. Default: all ``min(M, N)`` of them.

    Returns
    -------
    ndarray, shape ``(min(M, N),)`` or ``(k,)``
        In the real dtype that fits that of the operator; float64 for integers. Computed in float64.

    Raises
    ------
    TypeError
        If A is not an operator of convops.
    ValueError
        If k is out of range, or is left out where W has no structure and is large.
    RuntimeError
        If Lanczos does not converge.
    OverflowError
        If a value leaves the dtype.

    References
    ----------
    Sedghi, Gupta and Long, "The Singular Values of Convolutional Layers", ICLR 2019, arXiv:1805.10408.
    Ng, Chan and Tang, "A Fast Algorithm for Deblurring Models with Neumann Boundary Conditions",
    doi:10.1137/S1064827598341384.

    Examples
    --------
    The periodic second difference has the values ``2 - 2 cos(2πj / n)``:

    >>> from convops import Conv, singular_values
    >>> A = Conv([-1, 2, -1], 6, padding="same", boundary="wrap")
    >>> singular_values(A).round(6)
    array([4., 3., 3., 1., 1., 0.])
    >>> singular_values(A, k=2).round(6)
    array([4., 3.])
    """
    k = _checked(A, k)
    if (core := A._core) is not A:
        copies = min(A.shape) // min(core.shape)
        return np.repeat(singular_values(core, None if k is None else ceil(k / copies)), copies)[:k]
    wide, exponent = scaled(oriented(A.weight, A.geometry, A.flip), inexact=True)
    frequencies = frequencies_of(A.geometry, wide)
    if frequencies is not None:
        values = _by_frequency(frequencies)
    elif _is_small(A):
        values = _dense(A.geometry, wide)
    else:
        _refuse_all(A, k)
        values = _lanczos(A, wide, k)
    count = min(A.shape)
    values = np.sort(np.append(values, np.zeros(max(count - values.size, 0))))[::-1]
    return unscaled(values[: count if k is None else k], exponent, real_dtype(A.dtype))


def spectral_route(A: ConvOperator, k: int | None = None) -> str:
    """Return how `singular_values` would find what it is asked for, in words; nothing is computed.

    Parameters
    ----------
    A : Conv or ConvTranspose
        The operator.
    k : int, optional
        As for `singular_values`.

    Returns
    -------
    str
        "per frequency", "dense" or "Lanczos", and the sizes.

    Raises
    ------
    TypeError, ValueError
        As `singular_values` does.

    Examples
    --------
    >>> import numpy as np
    >>> from convops import Conv, spectral_route
    >>> print(spectral_route(Conv(np.ones((8, 4, 3, 3)), (4, 28, 28), padding=1, stride=2, boundary="wrap")))
    per frequency: 14 × 14 blocks of 8 × 16
    >>> print(spectral_route(Conv(np.ones((3, 3)), (28, 28))))
    dense: a matrix of 676 × 784
    >>> print(spectral_route(Conv(np.ones((3, 3)), (280, 280)), k=5))
    Lanczos: the 5 largest
    """
    k = _checked(A, k)
    if (core := A._core) is not A:
        copies = min(A.shape) // min(core.shape)
        route = spectral_route(core, None if k is None else ceil(k / copies))
        return f"{route}, for each of {copies} channels" if copies > 1 else route
    frequencies = frequencies_of(A.geometry, oriented(A.weight, A.geometry, A.flip))
    if frequencies is not None:
        return f"per frequency: {described(frequencies)}"
    if _is_small(A):
        rows, columns = (size // A.geometry.groups for size in A.geometry.shape)
        return f"dense: a matrix of {rows} × {columns}{_in_groups(A.geometry.groups)}"
    _refuse_all(A, k)
    return f"Lanczos: the {k} largest"


def described(frequencies: Frequencies) -> str:
    """Return how many blocks of which shape there are, in words."""
    points = " × ".join(str(line.points) for line in frequencies.axes)
    rows, columns = frequencies.block_shape
    return f"{points} blocks of {rows} × {columns}{_in_groups(len(frequencies.weight))}"


def operator_of_convops(A: object, what: str) -> ConvOperator:
    """Return A, refused if convops does not know its kernel and boundary."""
    if not isinstance(A, ConvOperator):
        raise TypeError(
            f"{shown('A', A)}: {what} takes a Conv or a ConvTranspose, whose kernel and boundary it knows; "
            f"got {type(A).__name__}. Of others scipy.sparse.linalg.svds(A, k) estimates the largest."
        )
    return A


def dense_group(geometry: ConvGeometry, weight: Array) -> Array:
    """Return the dense matrix of one group, for a weight ``(C_out, C_in, *kernel)`` of it."""
    one = ConvGeometry(
        weight.shape,
        (weight.shape[1], *geometry.spatial_shape),
        stride=geometry.stride,
        padding=geometry.padding,
        dilation=geometry.dilation,
        boundary=geometry.boundary,
    )
    matrix: Array = assemble(one, weight).toarray()
    return matrix


def _in_groups(groups: int) -> str:
    return f" in each of {groups} groups" if groups > 1 else ""


def _checked(A: object, k: object) -> int | None:
    count = min(operator_of_convops(A, "singular_values").shape)
    if k is None:
        return None
    most = integer("k", k, 1)
    if most > count:
        raise ValueError(f"{shown('k', k)}: {A!r} has {count} singular values; k is at most that.")
    return most


def _by_frequency(frequencies: Frequencies) -> Array:
    found = []
    for part in frequencies.parts():
        values = _of_blocks(frequencies.blocks(part))
        found += [values.ravel(), values[:, frequencies.times(part) == 2].ravel()]
    return np.concatenate(found)


def _of_blocks(blocks: Array) -> Array:
    """Return the singular values of each block, on the last axis."""
    if min(blocks.shape[-2:]) == 1:
        return np.asarray(np.linalg.norm(blocks, axis=(-2, -1), keepdims=True)[..., 0])
    return np.linalg.svd(blocks, compute_uv=False)


def _is_small(A: ConvOperator) -> bool:
    return prod(A.shape) // A.geometry.groups**2 * 8 <= _DENSE_BYTES


def _dense(geometry: ConvGeometry, weight: Array) -> Array:
    groups = by_group(geometry, weight)
    return np.concatenate([np.linalg.svd(dense_group(geometry, w), compute_uv=False) for w in groups])


def _refuse_all(A: ConvOperator, k: int | None) -> None:
    """Refuse what neither structure nor a dense matrix can give."""
    if k is not None and k < min(A.shape):
        return
    rows, columns = (size // A.geometry.groups for size in A.geometry.shape)
    raise ValueError(
        f"{shown('k', k)}: {A!r} has {min(A.shape)} singular values, no structure that tells them (axes that "
        f"wrap, or that are symmetric under a symmetric kernel), and a dense matrix of {rows} × {columns} "
        f"would take {8 * rows * columns} bytes, more than {_DENSE_BYTES}. Ask for the k largest, k below "
        f"{min(A.shape)}."
    )


def _lanczos(A: ConvOperator, weight: Array, k: int | None) -> Array:
    W = Conv._of(Map(A.geometry, weight, False, "auto"), False)
    start = np.random.default_rng(0).standard_normal(min(W.shape))
    try:
        values: Array = svds(W, k, v0=start, return_singular_vectors=False)
    except ArpackNoConvergence as error:
        raise RuntimeError(
            f"{shown('k', k)}: Lanczos gave up with {len(error.eigenvalues)} of these found. Ask for fewer."
        ) from None
    return values
