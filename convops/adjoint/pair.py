"""Two maps on vectors, whatever they were given as, and an eye on what they do to their arguments."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from math import isfinite, prod
from typing import Any

import numpy as np

from convops._arguments import shape, shown
from convops._arrays import Array, dense, operator_dtype
from convops.adjoint.numbers import same_bits, unit_roundoff

Shape = tuple[int, ...]
_ALIGNED = 64

# What other packages call the shapes of arrays that an operator takes and returns.
_SHAPES_OF_ARRAYS = (("input_shape", "output_shape"), ("dims", "dimsd"), ("ishape", "oshape"))


class BrokenContract(Exception):
    """A map returned what no product can be: the message says what."""


class Tally:
    """A count that several maps share."""

    def __init__(self) -> None:
        self.count = 0


class Side:
    """One of the two maps, as a map of vectors: it checks, counts and remembers.

    Attributes
    ----------
    label : str
        What the user calls it.
    before, after : tuple of int
        Shapes of what it takes and returns.
    tally : Tally
        How many products were made.
    mutated, overwritten : bool
        Whether it ever wrote to its argument, or to what it had returned first.
    dtypes : list of dtype
        Of what it returned, each once.
    """

    def __init__(
        self, label: str, function: Callable[[Array], Any], before: Shape, after: Shape, tally: Tally
    ) -> None:
        self.label = label
        self.function = function
        self.before, self.after = before, after
        self.columns, self.rows = prod(before), prod(after)
        self.tally = tally
        self.mutated = self.overwritten = False
        self.dtypes: list[np.dtype[Any]] = []
        self._first: tuple[Array, Array] | None = None
        """What the first call returned, as it was handed out, and a copy."""

    def __call__(self, x: Array) -> Array:
        """Return the map of a vector, in memory of our own; the map is given a copy."""
        return self.apply(aligned_copy(x.reshape(self.before)))

    def apply(self, given: Array) -> Array:
        """Return the map of this very array as a vector in memory of our own."""
        return self.apply_and_keep(given)[1]

    def apply_and_keep(self, given: Array) -> tuple[Any, Array]:
        """Return what the map of this very array is as it was handed out, and as `apply` does."""
        before = given.copy()
        self.tally.count += 1
        try:
            returned = self.function(given)
        except NotImplementedError as error:
            raise TypeError(f"{self.label} is not implemented, and its products are needed.") from error
        self.mutated |= not same_bits(before, given)
        image = self._vector(returned)
        if self._first is None:
            handed_out = np.asarray(returned)
            self._first = handed_out, handed_out.copy()
        self.overwritten |= not same_bits(*self._first)
        return returned, image

    def like(self, label: str, function: Callable[[Array], Any]) -> "Side":
        """Return another function with the shapes of this one; its products count too."""
        return Side(label, function, self.before, self.after, self.tally)

    def _vector(self, returned: Any) -> Array:
        try:
            found = np.asarray(returned)
            native = found.dtype.newbyteorder("=")
            if native not in self.dtypes:
                self.dtypes.append(native)
            wider = found.astype(np.float32) if found.dtype == np.float16 else found
            y = np.array(dense(f"what {self.label} returned", wider))
        except (TypeError, ValueError) as error:
            raise BrokenContract(f"{self.label} returned no array of numbers: {error}") from error
        if y.size != self.rows or (y.shape != self.after and len(self.after) > 1):
            raise BrokenContract(
                f"{self.label} returned shape {y.shape} for x of shape {self.before}: it must be {self.after}"
            )
        return y.reshape(-1)


@dataclass(frozen=True)
class Pair:
    """An operator and its adjoint, or two functions, as they are to be checked."""

    name: str
    forward: Side
    adjoint: Side
    input_dtype: np.dtype[Any]
    output_dtype: np.dtype[Any]
    input_shape: Shape
    """Of the arrays that the vectors are, where that is known."""
    output_shape: Shape
    op: Any = None
    """The operator; None for two functions."""

    @property
    def rows(self) -> int:
        """How many entries the forward map returns."""
        return self.forward.rows

    @property
    def columns(self) -> int:
        """How many entries the forward map takes."""
        return self.forward.columns

    @property
    def exact(self) -> bool:
        """Whether the maps work in integers, so that nothing rounds."""
        return self.output_dtype.kind in "iu"

    @property
    def mixed(self) -> bool:
        """Whether one of the maps goes from real to complex vectors, and the other back."""
        return {self.input_dtype.kind, self.output_dtype.kind} == {"f", "c"}

    @property
    def roundoff(self) -> float:
        """The unit roundoff, which both dtypes share."""
        return unit_roundoff(self.output_dtype)

    @property
    def gain(self) -> float:
        """A bound of what the sums inside the maps reach for entries of size 1, where the operator tells."""
        gain = float(getattr(self.op, "_convops_gain", 0.0))
        return gain if isfinite(gain) else 0.0

    @property
    def applications(self) -> int:
        """How many products were made."""
        return self.forward.tally.count


def pair_of(op: Any, adjoint: Any, input_shape: Any, output_shape: Any, dtype: Any) -> Pair:
    """Return what a user gave as a pair of maps."""
    if adjoint is None:
        return _pair_of_operator(op, input_shape, output_shape, dtype)
    if _missing(op) or _missing(adjoint, "shape", "matvec"):
        return _pair_of_functions(op, adjoint, input_shape, output_shape, dtype)
    if tuple(adjoint.shape) != tuple(op.shape)[::-1]:
        raise ValueError(
            f"adjoint.shape={tuple(adjoint.shape)}: the adjoint of an operator of shape {tuple(op.shape)} "
            f"has shape {tuple(op.shape)[::-1]}."
        )
    pair = _pair_of_operator(op, input_shape, output_shape, dtype)
    return replace(
        pair,
        name=f"{pair.name} and {_one_line(adjoint)}",
        forward=pair.forward.like("op.matvec", op.matvec),
        adjoint=pair.adjoint.like("adjoint.matvec", adjoint.matvec),
        op=None,
    )


def forward_pair(
    op: Any, input_shape: Any, output_shape: Any, dtype: Any, likely: tuple[Shape, Shape]
) -> Pair:
    """Return what a user gave as one map: a pair whose adjoint is not there to be called.

    `likely` are the shapes of its arrays, where neither user nor operator tells them.
    """
    before, after = _told_shapes(op) or likely
    if not _missing(op, "shape", "matvec"):
        pair = _pair_of_products(op, _no_adjoint, input_shape, output_shape, dtype)
        if (prod(before), prod(after)) != (pair.columns, pair.rows):
            return pair
        return replace(
            pair,
            input_shape=before if input_shape is None else pair.input_shape,
            output_shape=after if output_shape is None else pair.output_shape,
        )
    if not callable(op):
        raise TypeError(
            f"{shown('op', op)}: it must have shape and matvec, or be a function of one array; got "
            f"{type(op).__name__}. Wrap it with scipy.sparse.linalg.aslinearoperator."
        )
    pair = _pair_of_functions(
        op,
        _no_adjoint,
        before if input_shape is None else input_shape,
        after if output_shape is None else output_shape,
        _told_dtype(op) if dtype is None else dtype,
    )
    return replace(pair, name=_name(op))


def _no_adjoint(y: Array) -> Any:
    raise NotImplementedError


def _pair_of_operator(op: Any, input_shape: Any, output_shape: Any, dtype: Any) -> Pair:
    if _missing(op) and callable(op) and callable(getattr(op, "H", None)):
        # As those of SigPy and SCICO: A(x) and A.H(y), on arrays.
        before, after = _told_shapes(op) or (None, None)
        return _pair_of_functions(
            op,
            op.H,
            before if input_shape is None else input_shape,
            after if output_shape is None else output_shape,
            _told_dtype(op) if dtype is None else dtype,
        )
    if missing := _missing(op):
        fix = (
            "Give both functions and their shapes: check_adjoint(forward, adjoint, input_shape=..., "
            "output_shape=...)."
            if callable(op)
            else "Wrap it with scipy.sparse.linalg.aslinearoperator."
        )
        raise TypeError(f"{shown('op', op)}: an operator has {', '.join(missing)}, this has not. {fix}")
    return _pair_of_products(op, op.rmatvec, input_shape, output_shape, dtype)


def _pair_of_products(
    op: Any, rmatvec: Callable[[Array], Any], input_shape: Any, output_shape: Any, dtype: Any
) -> Pair:
    sizes = shape("op.shape", op.shape)
    if len(sizes) != 2:
        raise ValueError(
            f"{shown('op.shape', op.shape)}: an operator has two sizes, (M, N); got {len(sizes)}."
        )
    rows, columns = sizes
    arrays = _shapes_of_arrays(op, rows, columns)
    tally, own = Tally(), getattr(op, "dtype", None)
    return Pair(
        _one_line(op),
        Side("matvec", op.matvec, (columns,), (rows,), tally),
        Side("rmatvec", rmatvec, (rows,), (columns,), tally),
        *_dtypes("op.dtype" if dtype is None else "dtype", own if dtype is None else dtype),
        arrays[0] if input_shape is None else _array_shape("input_shape", input_shape, columns, "takes"),
        arrays[1] if output_shape is None else _array_shape("output_shape", output_shape, rows, "returns"),
        op,
    )


def _pair_of_functions(op: Any, adjoint: Any, input_shape: Any, output_shape: Any, dtype: Any) -> Pair:
    for name, function in (("op", op), ("adjoint", adjoint)):
        if not callable(function):
            raise TypeError(
                f"{shown(name, function)}: forward and adjoint must both be functions of one array; got "
                f"{type(function).__name__}."
            )
    for name, value in (("input_shape", input_shape), ("output_shape", output_shape)):
        if value is None:
            raise TypeError(f"{name} is missing: a pair of functions does not tell its shapes. Give both.")
    before, after = shape("input_shape", input_shape), shape("output_shape", output_shape)
    tally = Tally()
    return Pair(
        f"{_name(op)} and {_name(adjoint)}",
        Side("forward", op, before, after, tally),
        Side("adjoint", adjoint, after, before, tally),
        *_dtypes("dtype", dtype),
        before,
        after,
    )


def _dtypes(name: str, value: Any) -> tuple[np.dtype[Any], np.dtype[Any]]:
    """Return the dtypes of what the forward map takes and returns; float64 where none is given."""
    if not isinstance(value, tuple):
        found = operator_dtype(np.float64 if value is None else value, name)
        return found, found
    if len(value) != 2:
        raise ValueError(
            f"{shown(name, value)}: it must be one dtype, or two, of what the forward map takes and returns; "
            f"got {len(value)}."
        )
    before, after = (operator_dtype(item, name) for item in value)
    if unit_roundoff(before) != unit_roundoff(after):
        raise ValueError(
            f"{shown(name, value)}: {before} and {after} have different precisions, and rounding is judged "
            "by one. Take float32 with complex64, float64 with complex128."
        )
    return before, after


def _missing(op: Any, *names: str) -> list[str]:
    return [name for name in names or ("shape", "matvec", "rmatvec") if not hasattr(op, name)]


def _shapes_of_arrays(op: Any, rows: int, columns: int) -> tuple[Shape, Shape]:
    """Return the shapes of the arrays that an operator takes and returns as vectors, where it tells."""
    found = _told_shapes(op)
    if found is not None and (prod(found[0]), prod(found[1])) == (columns, rows):
        return found
    return (columns,), (rows,)


def _told_shapes(op: Any) -> tuple[Shape, Shape] | None:
    for names in _SHAPES_OF_ARRAYS:
        before, after = (getattr(op, name, None) for name in names)
        if isinstance(before, tuple | list) and isinstance(after, tuple | list):
            return tuple(map(int, before)), tuple(map(int, after))
    return None


def _told_dtype(op: Any) -> Any:
    return getattr(op, "dtype", None) or getattr(op, "input_dtype", None)


def _array_shape(name: str, value: Any, size: int, does: str) -> Shape:
    found = shape(name, value)
    if prod(found) != size:
        raise ValueError(
            f"{shown(name, value)}: it has {prod(found)} entries, and the operator {does} {size}. Leave it "
            "out, or give the shape of the array whose ravel() the vector is."
        )
    return found


def aligned_copy(x: Array) -> Array:
    """Return a copy whose first byte lies at a round address, so that equal calls can give equal bits."""
    spare = np.empty(x.nbytes + _ALIGNED, np.uint8)
    start = -spare.ctypes.data % _ALIGNED
    copy = spare[start : start + x.nbytes].view(x.dtype).reshape(x.shape)
    copy[...] = x
    return copy


def _one_line(op: Any) -> str:
    return " ".join(repr(op).split())


def _name(function: Any) -> str:
    return str(getattr(function, "__qualname__", type(function).__name__))
