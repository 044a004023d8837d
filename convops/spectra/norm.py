"""The norm of a convolution between two bounds that are proven: `operator_norm`."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from math import frexp, inf, isfinite, ldexp, nextafter, prod, sqrt
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import eigh

from convops._arguments import shown
from convops._arrays import Array
from convops.assembly import oriented
from convops.geometry import ConvGeometry
from convops.operators import Conv
from convops.operators.base import ConvOperator
from convops.operators.closed_forms import scaled, unscaled
from convops.operators.map import Map
from convops.spectra._composites import bound_of, parts_of
from convops.spectra._frequencies import by_group, frequencies_of
from convops.spectra._golub_kahan import amplified
from convops.spectra._pieces import norm_of_pieces
from convops.spectra._positive import has_moduli, norm_of_moduli
from convops.spectra._product import Factors, factors_of
from convops.spectra._rounding import UNIT, has_many_taps, operator_of, roundings_of_product
from convops.spectra._sums import norm_of_sums
from convops.spectra._symbol import norm_of_sizes, peak, roundings_of, sampled
from convops.spectra.values import dense_group, described, operator_of_convops

_DENSE_WORK = 2**27
"""Rows, columns and the smaller of both, multiplied: a matrix of 512 × 512 is made dense."""
_TIGHT = 1.02
"""How far above what is attained a bound may be for the next not to be tried."""
_MET = 1.003
"""How far below a bound what is attained may be for no more to be looked for."""
_CLOSE = 1.1
"""The same, once one has been tried that takes longer."""
_ROUNDING = 1e-10
"""What the products with a composite may be off by, relative to the bound of its norm."""


@dataclass(frozen=True, eq=False)
class OperatorNorm:
    """What is proven of the 2-norm of an operator: ``lower <= ‖A‖ <= upper``, rounding included.

    Attributes
    ----------
    lower : float
        ``‖A v‖ / ‖v‖`` for the vector v, less what rounding can have added.
    upper : float
        The bound of a theorem, and what rounding can have taken from it.
    vector : ndarray, shape ``input_shape``
        v, of norm 1, in float64 or complex128; read-only. Of a `DaskConv` a dask array.
    route : str
        Where the bounds come from.

    Examples
    --------
    >>> from convops import Conv, operator_norm
    >>> found = operator_norm(Conv([-1, 2, -1], 6, padding="same", boundary="wrap"))
    >>> print(found)
    norm 4 (exact up to rounding: the largest of 6 blocks of 1 × 1)
    >>> 1 / found.upper < 0.25
    True
    """

    lower: float
    upper: float
    vector: Array
    route: str

    def __str__(self) -> str:
        if self.upper - self.lower <= 1e-9 * self.upper:
            return f"norm {self.upper:.9g} ({self.route})"
        return f"{self.lower:.9g} <= norm <= {self.upper:.9g} ({self.route})"


def operator_norm(A: Any) -> OperatorNorm:
    """Return two proven bounds of the 2-norm of an operator of convops, its largest singular value.

    Gradient descent converges for steps below ``2 / norm**2``, and primal-dual methods for products of steps
    below ``1 / norm**2``: `upper` is the number to take, where an estimate by power iteration is too small.

    The bounds meet, up to rounding, where `singular_values` knows the structure (each axis wraps, or is
    mirrored under a symmetric kernel), where W is small enough to be made dense, and where a kernel of one
    channel is a product of one per axis (Gaussian, box, Sobel) and either holds for each axis. Else `lower`
    is what a vector from Golub–Kahan bidiagonalisation attains, and `upper` is the least of these. The second
    is left out where it would take long, and the last two where the others are close.

    - The largest singular value of the symbol, bounded from a grid, or from a circle that a short axis is a
      part of, times the norm of each axis' extension. That of "zeros" is 1, so this is close as soon as the
      image is larger than the kernel. It is √2 per axis where the padding mirrors or wraps once, more for
      "edge" and "antireflect".
    - ``√(‖A‖₁ ‖A‖∞)``, as ``ρ(AᴴA) <= ‖AᴴA‖₁ <= ‖A‖∞ ‖A‖₁``.
    - The norm of W with moduli for entries, from a positive vector: close where the kernel has no negative
      taps (not for "antireflect").
    - The norms of the corners, the edges and the inside of the image, times what it costs to cut it so; a
      small image is one corner. Each is proven by a Cholesky factorisation that succeeds. This is close for
      kernels of any sign and all boundaries, while the factorisations take no longer than some hundred
      products: where the kernel is small against the image, or the image is small.

    Of sums, multiples, products and blocks, `upper` is what the bounds of their parts make of it: exact for
    `block_diag`, close for the `gradient`, and up to the sum of all parts where these cancel.

    For rounding, both give way by ``8 u`` times the products that a result adds up, times the norm of all
    moduli, where u is 2**-53. This takes on trust that LAPACK's largest eigenvalues and singular values are
    off by no more than 8 u times the size of the matrix, relative to the largest, and a transform of n points
    by no more than ``8 u log2(n)``: in the 2-norm relative to its own, and for products of small primes entry
    by entry relative to the moduli of all points.

    Parameters
    ----------
    A : LinearOperator
        A `Conv` or `ConvTranspose`, or an operator made of such; or a `DaskConv`, whose bounds come from its
        geometry, its weight and a window of the image. The norms of its transpose and of its adjoint are the
        same.

    Returns
    -------
    OperatorNorm
        ``lower``, ``upper``, ``vector`` and ``route``.

    Raises
    ------
    TypeError
        If A, or a part of it, is no convolution: no bound from above is known of others.
    OverflowError
        If the norm leaves float64.

    References
    ----------
    Golub and Kahan, "Calculating the Singular Values and Pseudo-Inverse of a Matrix", doi:10.1137/0702016.
    Cycon, Froese, Kirsch and Simon, "Schrödinger Operators", chapter 3: the IMS localization formula, whose
    discrete kin `._cuts` is.
    Rump, "Verification of positive definiteness", doi:10.1007/s10543-006-0056-1.
    Each bound is proven where it is computed: ``convops.spectra._symbol`` (by Bernstein and Szegő's
    inequality), `._positive` (Collatz and Wielandt's), `._cuts` (Cauchy and Schwarz's) and `._certificate`
    (Cholesky's factorisation).

    Examples
    --------
    >>> import numpy as np
    >>> from convops import Conv, operator_norm
    >>> A = Conv(np.eye(3) / 3, (512, 512), padding="same")
    >>> found = operator_norm(A)
    >>> bool(0.99 < found.lower <= 1 <= found.upper < 1.01)
    True
    """
    # An operator whose vectors are in no memory knows what can be told without them.
    if hasattr(type(A), "_convops_operator_norm"):
        found_by_itself: OperatorNorm = A._convops_operator_norm()
        return found_by_itself
    if (parts := parts_of(A)) is not None:
        return _of_composite(A, [operator_norm(part) for part in parts])
    if (core := operator_of_convops(A, "operator_norm")._core) is not A:
        of_core = operator_norm(core)
        return replace(of_core, vector=_in_layout(of_core.vector, A))
    weight, exponent = scaled(oriented(A.weight, A.geometry, A.flip), inexact=True)
    W = operator_of(A.geometry, weight)
    found = _found(W, weight)
    vector, image = _seen_from(A, W, found.vector.astype(weight.dtype))
    slack = 8 * UNIT * found.roundings * max(norm_of_sizes(A.geometry, weight), found.upper)
    bounds = np.array([max(_length(image) - slack, 0.0), found.upper + slack])
    lower, upper = unscaled(bounds, exponent, np.dtype(np.float64)).tolist()
    vector = vector.reshape(A.input_shape)
    vector.flags.writeable = False
    # A power of 2 rounds where it makes a subnormal number.
    return OperatorNorm(max(nextafter(lower, -inf), 0.0), nextafter(upper, inf), vector, found.route)


def _in_layout(vector: Array, A: ConvOperator) -> Array:
    """Return a vector of the core of A as one of A; where channels share a kernel, the first has it."""
    layout = A._map.layout
    assert layout is not None
    blocks = np.zeros((A.input_shape[layout.axis] if layout.shared else 1, *vector.shape), vector.dtype)
    blocks[0] = vector
    arrays: Array = layout.arrays(blocks[:, None] if layout.shared else blocks, 1)[0]
    arrays.flags.writeable = False
    return arrays


def _of_composite(A: Any, parts: list[OperatorNorm]) -> OperatorNorm:
    """Return what the norms of the parts tell, and a vector from Golub–Kahan bidiagonalisation."""
    upper = bound_of(A, [part.upper for part in parts]) * (1 + _ROUNDING)
    if not isfinite(upper):
        raise OverflowError(f"{shown('A', A)}: the norm of this operator is larger than float64 can hold.")
    wide = np.result_type(A.dtype, np.float64)
    start = np.random.default_rng(0).standard_normal(A.shape[1]).astype(wide)
    # Half of the scale before a product, half after it: neither the vectors nor their squares leave float64.
    exponent = frexp(upper)[1]
    before, after = ldexp(1.0, -(exponent // 2)), ldexp(1.0, exponent // 2 - exponent)

    def scaled_by(product: Callable[[Array], Array]) -> Callable[[Array], Array]:
        return lambda x: np.asarray(product(x * before), wide) * after

    vector, spent = amplified(scaled_by(A.matvec), scaled_by(A.rmatvec), start)
    attained = ldexp(_length(scaled_by(A.matvec)(vector)), exponent)
    lower = max(attained - _ROUNDING * upper, 0.0)
    vector = vector.reshape(A.input_shape)
    vector.flags.writeable = False
    kind = type(A).__name__
    return OperatorNorm(lower, upper, vector, f"lower by {spent} products, upper by the parts of {kind}")


class _Found(NamedTuple):
    """What is found of W, before rounding is reckoned with."""

    upper: float
    vector: Array
    """One that W amplifies about as much as it can, shape ``(N,)``."""
    roundings: int
    """How far off both sides can be, in units of 8 u: as many as the products that a result adds up."""
    route: str


def _found(W: Conv, weight: Array) -> _Found:
    """Return what is found of W by the first route that is open to it."""
    geometry = W.geometry
    roundings = roundings_of_product(geometry)
    if not weight.any():
        return _Found(0.0, np.ones(W.shape[1]), roundings, "exact: all taps are 0")
    frequencies = frequencies_of(geometry, weight)
    if frequencies is not None:
        top = peak(frequencies)
        roundings += roundings_of(frequencies)
        route = f"exact up to rounding: the largest of {described(frequencies)}"
        return _Found(top.value, top.vector.ravel(), roundings, route)
    if (product := factors_of(geometry, weight)) is not None:
        return _of_product(product, roundings)
    rows, columns = (size // geometry.groups for size in W.shape)
    if geometry.groups * rows * columns * min(rows, columns) <= _DENSE_WORK:
        value, vector, spread = _dense(geometry, weight)
        route = f"exact up to rounding: a dense matrix of {rows} × {columns}"
        # A Gram matrix is off by the squares of moduli, which the root halves.
        return _Found(value, vector, roundings + int(max(rows, columns) * (1 + spread**2 / 16)), route)
    return _between(W, weight, roundings)


def _of_product(product: Factors, roundings: int) -> _Found:
    """Return the product of the norms of all axes, and of their vectors."""
    found = [_found(operator_of(*factor), factor[1]) for factor in product.factors]
    upper = prod([one.upper for one in found]) + product.rest
    vector = reduce(np.multiply.outer, [one.vector for one in found]).ravel()
    exact = all(one.route.startswith("exact") for one in found)
    routes = "; ".join(one.route.removeprefix("exact up to rounding: ") for one in found)
    route = f"{'exact up to rounding: ' if exact else ''}axis by axis, {routes}"
    return _Found(upper, vector, roundings + sum([one.roundings for one in found]), route)


def _between(W: Conv, weight: Array, roundings: int) -> _Found:
    """Return the best bound from above that is known, and a vector from Golub–Kahan bidiagonalisation."""
    geometry = W.geometry
    grid = sampled(geometry, weight)
    top = peak(grid.frequencies)
    points = f"the symbol at {described(grid.frequencies)}"
    bounds = [(top.value * grid.factor, points)]
    if (sums := norm_of_sums(geometry, weight)) is not None:
        bounds.append((sums, "sums of rows and of columns"))
    fast = W if has_many_taps(geometry) else Conv._of(Map(geometry, weight, False, "auto"), False)
    start = _start(geometry, top.vector)
    vector, spent = amplified(fast.matvec, fast.rmatvec, start, min(bounds)[0] / _MET)
    attained = float(np.linalg.norm(W @ vector))
    roundings += roundings_of(grid.frequencies)

    def by_moduli(least: float) -> tuple[float, str] | None:
        if not has_moduli(geometry):
            return None
        return norm_of_moduli(geometry, weight, least, _TIGHT * attained), "a positive vector"

    def by_pieces(least: float) -> tuple[float, str] | None:
        if not attained:
            return None
        value = norm_of_pieces(geometry, weight, attained, top.value * grid.excess, least)
        return None if value is None else (value, "corners, edges and the inside")

    further = [by_pieces, by_moduli] if (weight.real < 0).any() else [by_moduli, by_pieces]
    for bound, enough in zip(further, (_TIGHT, _CLOSE), strict=True):
        if min(bounds)[0] > enough * attained and (found := bound(min(bounds)[0])):
            bounds.append(found)
    upper, name = min(bounds)
    return _Found(upper, vector, roundings, f"lower by {spent} products, upper by {name}")


def _dense(geometry: ConvGeometry, weight: Array) -> tuple[float, Array, float]:
    """Return the norm of the matrices of all groups, the vector that attains it, and a bound of the moduli's.

    The last, the norm of the entries' moduli, is relative to the first.
    """
    tops, vectors, sizes = [], [], []
    for group in by_group(geometry, weight):
        matrix = dense_group(geometry, group)
        wide = matrix.shape[0] < matrix.shape[1]
        gram = matrix @ matrix.conj().T if wide else matrix.conj().T @ matrix
        value, vector = _top_of(gram)
        vector = matrix.conj().T @ vector if wide else vector
        tops.append(sqrt(max(value, 0.0)))
        vectors.append(vector / (np.linalg.norm(vector) or 1))
        sizes.append(sqrt(np.linalg.norm(matrix, 1) * np.linalg.norm(matrix, np.inf)))
    best = int(np.argmax(tops))
    vector = np.concatenate([vector * (place == best) for place, vector in enumerate(vectors)])
    return tops[best], vector, max(sizes) / tops[best] if tops[best] else 1.0


def _top_of(gram: Array) -> tuple[float, Array]:
    """Return the largest eigenvalue and its vector."""
    last = len(gram) - 1
    values, vectors = eigh(gram, subset_by_index=[last, last])
    if not values.size:
        # LAPACK's bisection can lose eigenvalues that are equal to many others, and SciPy does not say so.
        values, vectors = eigh(gram, driver="evd")
    return float(values[-1]), vectors[:, -1]


def _start(geometry: ConvGeometry, mode: Array) -> Array:
    """Return the wave of the symbol's peak, faded out towards the ends, and some noise."""
    for number, axis in enumerate(geometry.axes, start=1):
        samples = np.arange(axis.size)
        fade = np.sin(np.pi * (samples + 0.5) / axis.size)
        mode = np.take(mode, samples // axis.dilation, number)
        mode = mode * fade.reshape(-1, *[1] * (mode.ndim - 1 - number))
    noise = np.random.default_rng(0).standard_normal(mode.size)
    start: Array = mode.ravel() / (np.linalg.norm(mode) or 1) + 0.1 * noise / np.linalg.norm(noise)
    return start


def _seen_from(A: ConvOperator, W: Conv, vector: Array) -> tuple[Array, Array]:
    """Return the vector that A, which is W or its transpose, amplifies most, and what A makes of it.

    Where ``W v = σ u`` and ``Wᴴ u = σ v``, ``Wᵀ conj(u) = σ conj(v)``.
    """
    operator: ConvOperator = W
    if A._transposed:
        vector, operator = (W @ vector).conj(), W.T
    size = _length(vector)
    vector = vector / size if size else np.full(vector.shape, vector.size**-0.5, vector.dtype)
    return vector, operator @ vector


def _length(vector: Array) -> float:
    """Return the 2-norm, off by some 30 u at most: numpy adds up in pairs, where BLAS may go one by one."""
    parts = np.ascontiguousarray(vector).view(np.float64)
    return sqrt(np.add.reduce(parts * parts))
