"""`check_adjoint` of a `DaskConv`: in full where its arrays are small, else on probes that stay in chunks.

Each chunk of a probe is made where it is needed, from a seed of its own; what comes back from a chunk are its
inner products and norms, in double precision, and nothing else is ever in one place.
"""

from dataclasses import replace
from functools import partial
from itertools import combinations, product
from math import fsum, hypot, inf, prod, sqrt
from typing import Any, NamedTuple

import numpy as np

from convops._arguments import shown
from convops._arrays import INT64, Array
from convops.adjoint import AdjointCheck, AdjointReport, applicable_checks, check_adjoint
from convops.adjoint.numbers import inner, norm, severity, unit_roundoff
from convops.adjoint.probes import FEW, LARGEST_INTEGER, dense_probes, integer_probes
from convops.adjoint.products import Sides, compared
from convops.adjoint.samples import PROBES, SAFETY, noise_of
from convops.adjoint.words import number
from convops.apply import product_alone
from convops.distributed._dask import dask_array

IN_MEMORY = 2**16
"""Entries of an array up to which probes need not stay in chunks."""
_CHUNK = 2**23
"""Bytes of a chunk of a probe, about."""
_SLAB = 2**15
"""Entries whose products are summed at a time."""
_CHECKS = ("additivity", "adjoint", "exact")


def checks_of(A: Any, level: str) -> tuple[str, ...]:
    """Return the names of the checks that `report_of` makes."""
    if max(A.shape) <= IN_MEMORY:
        return applicable_checks(*_functions(A), level=level)
    made = ("exact",) if A.dtype.kind in "iu" else _CHECKS
    return made[: 2 if level == "quick" else 3]


def report_of(A: Any, level: str, only: tuple[str, ...], skip: tuple[str, ...], seed: int) -> AdjointReport:
    """Return what `check_adjoint` finds of a `DaskConv`."""
    if max(A.shape) <= IN_MEMORY:
        found = check_adjoint(*_functions(A), level=level, only=only or None, skip=skip, seed=seed)
        return replace(found, operator=repr(A), arguments="op")
    if level == "complete":
        raise ValueError(
            f"level='complete': {prod(A.shape)} entries are too many to look at each. Use "
            "level='default', or a smaller operator of the same kind."
        )
    names = [name for name in checks_of(A, level) if name not in skip and (not only or name in only)]
    if (others := [name for name in only if name not in checks_of(A, level)]) or not names:
        raise ValueError(
            f"{shown('only', only)}, {shown('skip', skip)}: of an operator of shape {A.shape} on dask arrays "
            f"the checks are {', '.join(checks_of(A, level))}; {', '.join(others) or 'none'} is left to make."
        )
    checks, products = [], 0
    if {"additivity", "adjoint"} & set(names):
        figures = _measured(A, PROBES[level], seed)
        products += 2 * PROBES[level] + 2
        made = {"additivity": _additivity, "adjoint": _adjoint}
        checks += [make(A, *figures) for name, make in made.items() if name in names]
    if "exact" in names:
        checks.append(_exact(A if A.dtype.kind in "iu" else A._integer_twin(seed), seed, PROBES["quick"]))
        products += 2 * PROBES["quick"]
    left_out = {"all others": f"arrays of {max(A.shape)} entries stay in chunks"}
    return AdjointReport(
        repr(A),
        seed,
        level,
        tuple(checks),
        left_out,
        products,
        input_shape=A.input_shape,
        output_shape=A.output_shape,
    )


class _Half(NamedTuple):
    """What is measured of one direction."""

    norms: list[float]
    """Of the probes that the other direction takes."""
    images: list[float]
    """Norms of what the map makes of its own probes."""
    noise: float
    """``‖A(x₁ + x₂) − A x₁ − A x₂‖``"""
    dimensions: float
    """In how many dimensions the images spread, as for probes in memory."""
    inner: Array
    """``⟨A x, y⟩``, or ``⟨x, Aᴴ y⟩``, for all probes."""

    def per_entry(self, A: Any, size: int) -> tuple[float, float]:
        """Return the measured error of an entry of an image, and the least that is allowed."""
        roundoff, terms = unit_roundoff(A.dtype), max(A.shape) if self.dimensions < FEW else 1
        # What is not linear has no noise to allow for.
        noise = self.noise if severity(self.noise, _largest_noise(A, self)) <= 1 else 0.0
        return noise / sqrt(size) / 2, roundoff / 2 * sqrt(terms) * max(self.images) / sqrt(size)


def _functions(A: Any) -> tuple[Any, ...]:
    """Return the two maps as functions of arrays in memory."""

    def forward(x: Array) -> Array:
        return np.asarray(A(x))

    def adjoint(y: Array) -> Array:
        return np.asarray(A.H(y))

    return forward, adjoint, A.input_shape, A.output_shape, A.dtype


def _measured(A: Any, count: int, seed: int) -> tuple[_Half, _Half]:
    x = _probes(A.input_shape, _cut(A), A.dtype, (seed, 0), count)
    image = [A(one) for one in x]
    y = _probes(A.output_shape, image[0].chunks, A.dtype, (seed, 1), count)
    back = [A.H(one).rechunk(x[0].chunks) for one in y]
    sums = A(x[0] + x[1]), A.H(y[0] + y[1]).rechunk(x[0].chunks)
    function = partial(_of_chunk, count=count)
    size = 2 * count**2 + 2 * count + 1
    results = [
        _by_chunk(function, size, [*images, summed, *others])
        for images, summed, others in ((image, sums[0], y), (back, sums[1], x))
    ]
    forward, adjoint = (
        _half(rows.reshape(-1, size), count, prod(shape))
        for rows, shape in zip(
            dask_array("check_adjoint").compute(*results), (A.output_shape, A.input_shape), strict=True
        )
    )
    return forward, adjoint._replace(inner=adjoint.inner.conj().T)


def _of_chunk(*arrays: Array, count: int) -> Array:
    """Return the inner products of a chunk and its norms in one row, as `_half` reads it."""
    flat = [array.reshape(-1) for array in arrays]
    images, summed, others = flat[:count], flat[count], flat[count + 1 :]
    wide = np.result_type(summed, np.float64)
    error = summed.astype(wide) - images[0] - images[1]
    norms = [norm(one) for one in (*images, *others, error)]
    return np.concatenate([_inner_products(images, [*others, *images]).reshape(-1), norms])


def _inner_products(images: list[Array], others: list[Array]) -> Array:
    """Return ``⟨image, other⟩`` for all of them, in more digits than they have, slab by slab."""
    total = np.zeros((len(images), len(others)), np.complex128)
    single = images[0].dtype in (np.float32, np.complex64)
    wide = np.result_type(images[0].dtype, np.float64)
    for start in range(0, images[0].size, _SLAB):
        slab = slice(start, start + _SLAB)
        if single:
            left, right = (np.stack([one[slab] for one in side]).astype(wide) for side in (images, others))
            total += product_alone(left.conj(), np.ascontiguousarray(right.T))
        else:
            total += np.array([[inner(one[slab], two[slab]) for two in others] for one in images])
    return total


def _half(rows: Array, count: int, size: int) -> _Half:
    """Return what all chunks say together; `size` is that of an image."""
    sums = np.array([complex(fsum(part.real), fsum(part.imag)) for part in rows.T])
    products = sums[: 2 * count**2].reshape(count, 2 * count)
    norms = [hypot(*part.real) for part in rows.T[2 * count**2 :]]
    images, others, noise = norms[:count], norms[count:-1], norms[-1]
    lengths = [(i, j, images[i] * images[j]) for i, j in combinations(range(count), 2)]
    cosines = [min(abs(products[i, count + j]) / length, 1.0) for i, j, length in lengths if length > 0]
    squares = fsum(cosine**2 for cosine in cosines)
    dimensions = min(len(cosines) / squares if squares > 0 else inf, size)
    return _Half(others, images, noise, dimensions, products[:, :count])


def _largest_noise(A: Any, half: _Half) -> float:
    """Return what the error of a sum of two probes may reach: what rounding allows of probes in memory."""
    internal: float = max(A._map.gains) * sqrt(max(A.shape))
    return noise_of(sum(A.shape), unit_roundoff(A.dtype), max(half.images), internal) + _underflow(A)


def _underflow(A: Any) -> float:
    return float(8 * sum(A.shape) * np.finfo(A.dtype).smallest_subnormal)


def _additivity(A: Any, forward: _Half, adjoint: _Half) -> AdjointCheck:
    halves = {"A": forward, "Aᴴ": adjoint}
    severe = {label: severity(half.noise, _largest_noise(A, half)) for label, half in halves.items()}
    label = max(severe, key=severe.__getitem__)
    half, passed = halves[label], severe[label] <= 1
    error, size = number(half.noise), number(max(half.images))
    law = f"{label}(x1 + x2) = {label}(x1) + {label}(x2)"
    detail = f"{law} to {error} of {size}" if passed else f"not {law}: the sides differ by {error} of {size}"
    figures = {"difference": half.noise, "bound": _largest_noise(A, half)}
    return AdjointCheck("additivity", passed, detail, dict(figures))


def _adjoint(A: Any, forward: _Half, adjoint: _Half) -> AdjointCheck:
    rows, columns = A.shape
    of_image, least_of_image = forward.per_entry(A, rows)
    of_back, least_of_back = adjoint.per_entry(A, columns)
    worst = None
    for i, j in np.ndindex(forward.inner.shape):
        of_x, of_y = adjoint.norms[i], forward.norms[j]
        measured = hypot(of_image * of_y, of_back * of_x)
        least = hypot(least_of_image * of_y, least_of_back * of_x)
        bound = SAFETY * max(measured, least) + _underflow(A)
        left, right = complex(forward.inner[i, j]), complex(adjoint.inner[i, j])
        if A.dtype.kind != "c":
            left, right = left.real, right.real
        sides = Sides(np.empty(0), np.empty(0), left, right, bound)
        worst = sides if worst is None else max(worst, sides, key=lambda one: one.severity)
    assert worst is not None
    return compared("adjoint", worst)


def _exact(A: Any, seed: int, count: int) -> AdjointCheck:
    """Check ⟨Ax, y⟩ = ⟨x, Aᴴy⟩ in integers; the sums are taken modulo 2⁶⁴, where equal stays equal."""
    largest = max(min(LARGEST_INTEGER, int((2**62 - 1) // max(*A._map.gains, 1))), 1)
    x = _probes(A.input_shape, _cut(A), INT64, (seed, 2), count, largest)
    image = [A(one) for one in x]
    y = _probes(A.output_shape, image[0].chunks, INT64, (seed, 3), count, largest)
    back = [A.H(one).rechunk(x[0].chunks) for one in y]
    left, right = (_by_chunk(_sums_of_integers, count**2, arrays) for arrays in ([*image, *y], [*back, *x]))
    of_image, of_back = (
        rows.reshape(-1, count, count).sum(axis=0)
        for rows in dask_array("check_adjoint").compute(left, right)
    )
    wrong = np.argwhere(of_image != of_back.T)
    i, j = wrong[0].tolist() if len(wrong) else (0, 0)
    sides = int(of_image[i, j]), int(of_back[j, i])
    found = compared("exact", Sides(np.empty(0), np.empty(0), *sides, 0.0))
    return replace(found, detail=f"{found.detail}; with integer weights, sums modulo 2**64")


def _sums_of_integers(*arrays: Array) -> Array:
    flat = [array.reshape(-1) for array in arrays]
    images, others = flat[: len(flat) // 2], flat[len(flat) // 2 :]
    return np.array([(image * other).sum() for image, other in product(images, others)])


def _cut(A: Any) -> Any:
    """Return chunks of an input of A that are small enough to have several at hand."""
    core = dask_array("check_adjoint").core
    sizes = [-1 if axis == A.channel_axis else "auto" for axis in range(len(A.input_shape))]
    return core.normalize_chunks(tuple(sizes), shape=A.input_shape, limit=_CHUNK, dtype=A.dtype)


def _probes(
    shape: Any, chunks: Any, dtype: np.dtype[Any], seed: tuple[int, int], count: int, largest: int = 0
) -> list[Any]:
    """Return random dask arrays without small entries, or of integers up to `largest`."""
    da = dask_array("check_adjoint")
    return [
        da.map_blocks(
            _probe,
            chunks=chunks,
            dtype=dtype,
            meta=np.empty((0,) * len(shape), dtype),
            name=f"probe-{da.core.tokenize(shape, chunks, dtype, seed, number_, largest)}",
            seed=(*seed, number_),
            largest=largest,
            kind=dtype,
        )
        for number_ in range(count)
    ]


def _probe(block_info: Any = None, *, seed: tuple[int, ...], largest: int, kind: np.dtype[Any]) -> Array:
    """Return a chunk of a probe: the same for the same place, in whatever process."""
    place, shape = block_info[None]["chunk-location"], block_info[None]["chunk-shape"]
    rng = np.random.default_rng([*seed, *place])
    if largest:
        (values,) = integer_probes(rng, 1, prod(shape), largest)
    else:
        (values,) = dense_probes(rng, 1, prod(shape), kind)
    return values.reshape(shape)


def _by_chunk(function: Any, size: int, arrays: list[Any]) -> Any:
    """Return a row of so many numbers for each chunk of arrays that are cut alike."""
    da = dask_array("check_adjoint")
    ndim = arrays[0].ndim
    kind = np.int64 if function is _sums_of_integers else np.complex128

    def row(*chunks: Array) -> Array:
        return np.asarray(function(*chunks)).reshape((1,) * ndim + (size,))

    ones = tuple((1,) * blocks for blocks in arrays[0].numblocks)
    return da.map_blocks(
        row,
        *arrays,
        chunks=(*ones, (size,)),
        new_axis=ndim,
        dtype=kind,
        meta=np.empty((0,) * (ndim + 1), kind),
    )
