"""What W is known to hold without building it: sums and norms of its rows and columns, its diagonal.

Along one axis the rows of W fall into few classes: all outputs of the interior read alike, and each output
at the border is a class of its own. So do its columns: away from the border, samples that differ by a
multiple of the stride are read alike. An entry of W is a product of one value per axis, a tap or what the
boundary makes of several; it is these values that are squared, so that a sum of squares is exact where
taps fall on one sample. A function of the rows is computed once for each combination of classes, and
then spread over the array.
"""

from collections.abc import Callable, Iterator, Sequence
from math import prod
from typing import Any

import numpy as np
from scipy.sparse import csr_array

from convops._arrays import INT64, Array, check_range
from convops._layout import Layout
from convops._memory import refuse_beyond_memory
from convops._pattern import Pattern, axis_pattern
from convops.assembly import border_bytes
from convops.boundary import Ints
from convops.geometry import ConvGeometry
from convops.operators._classes import Line, column_classes, row_classes, values_of

_AT_ONCE = 2**22
"""Products of values that are held at once."""
_LEAST_EXPONENT = -1000


def sums(geometry: ConvGeometry, weight: Array, of_rows: bool) -> Array:
    """Return the sum of each row of W, shape ``output_shape``, or of each column, ``input_shape``."""
    lines = _lines(geometry, of_rows)
    wide, scale = scaled(with_channels(geometry, weight))
    if weight.dtype.kind in "iu":
        _refuse_large_sums(_summed(wide.astype(np.float64), geometry, lines, of_rows, np.abs))
    totals = _over_channels(wide, geometry, of_rows)
    for number, line in enumerate(lines, start=1):
        totals = _along(line.counts @ line.values, totals, number)
    return _spread(unscaled(totals, scale, weight.dtype), geometry, lines)


def norms(geometry: ConvGeometry, weight: Array, of_rows: bool) -> Array:
    """Return the 2-norm of each row of W, shape ``output_shape``, or of each column, ``input_shape``."""
    lines = _lines(geometry, of_rows)
    wide, scale = scaled(with_channels(geometry, weight), inexact=True)
    squares = _summed(wide, geometry, lines, of_rows, _squared)
    return _spread(unscaled(np.sqrt(squares), scale, real_dtype(weight.dtype)), geometry, lines)


def frobenius_norm(geometry: ConvGeometry, weight: Array) -> Any:
    """Return the square root of the sum of the squares of all entries."""
    lines = _lines(geometry, of_rows=True, spread=False)
    wide, scale = scaled(with_channels(geometry, weight), inexact=True)
    squares = _summed(wide, geometry, lines, True, _squared)
    for number, line in enumerate(lines, start=1):
        outputs = np.bincount(line.class_of, minlength=line.counts.shape[0])
        squares = _along(csr_array(outputs[None].astype(np.float64)), squares, number)
    return unscaled(np.sqrt(squares.sum()), scale, real_dtype(weight.dtype))[()]


def largest_absolute_sum(geometry: ConvGeometry, weight: Array, of_rows: bool) -> Any:
    """Return the largest sum of moduli in a row, or in a column."""
    lines = _lines(geometry, of_rows, spread=False)
    wide, scale = scaled(with_channels(geometry, weight))
    largest = _summed(wide, geometry, lines, of_rows, np.abs).max()
    if weight.dtype.kind in "iu":
        _refuse_large_sums(_summed(wide.astype(np.float64), geometry, lines, of_rows, np.abs))
        return largest
    return unscaled(largest, scale, real_dtype(weight.dtype))[()]


def unread(geometry: ConvGeometry, of_rows: bool) -> Array:
    """Return where W has a row, or a column, without any stored entry."""
    lines = _lines(geometry, of_rows)
    reads = np.ones((geometry.out_channels if of_rows else geometry.in_channels, *[1] * len(lines)), bool)
    for number, line in enumerate(lines):
        some = np.diff(line.counts.indptr) > 0
        reads = reads & some.reshape(-1, *[1] * (len(lines) - 1 - number))
    return ~_spread(reads, geometry, lines)


def diagonal(geometry: ConvGeometry, weight: Array, layout: Layout | None = None) -> Array:
    """Return ``W[r, r]`` for each r below both sizes of W, for arrays in a layout."""
    layout = None if layout is None or layout.shared else layout
    length = min(geometry.shape)
    _refuse_large(geometry, length)
    wide, scale = scaled(with_channels(geometry, weight))
    if weight.dtype.kind in "iu":
        _refuse_large_sums(np.abs(_diagonal(geometry, wide.astype(np.float64), length, layout)))
    out = _diagonal(geometry, wide, length, layout)
    if weight.dtype.kind in "iu":
        check_range("the diagonal, where the boundary folds the weight,", out, weight.dtype)
    return unscaled(out, scale, weight.dtype).astype(weight.dtype, copy=False)


def trace(geometry: ConvGeometry, weight: Array, layout: Layout | None = None) -> Any:
    """Return the sum of the diagonal."""
    entries = diagonal(geometry, weight, layout)
    if weight.dtype.kind in "iu":
        _refuse_large_sums(np.abs(entries.astype(np.float64)).sum())
        return entries.sum(dtype=INT64)
    wide, scale = scaled(entries)
    return unscaled(wide.sum(), scale, weight.dtype)[()]


def _lines(geometry: ConvGeometry, of_rows: bool, spread: bool = True) -> list[Line]:
    _refuse_large(geometry, geometry.shape[not of_rows] if spread else 0)
    find = row_classes if of_rows else column_classes
    return [find(axis_pattern(axis)) for axis in geometry.axes]


def _refuse_large(geometry: ConvGeometry, size: int) -> None:
    along = sum(8 * (axis.size + axis.out_size) + border_bytes(axis) for axis in geometry.axes)
    refuse_beyond_memory(
        16 * size + along,
        f"The {size} values that are known of W of shape {geometry.shape}, and its border,",
        "Take a smaller operator.",
    )


def _summed(
    weight: Array,
    geometry: ConvGeometry,
    lines: Sequence[Line],
    of_rows: bool,
    function: Callable[[Array], Array],
) -> Array:
    """Return the sum of a function of the entries, for each channel and each combination of classes."""
    first, *others = lines
    total = None
    for part in _parts(weight, lines):
        entries = _along(first.values[part], weight, 2)
        for number, line in enumerate(others, start=3):
            entries = _along(line.values, entries, number)
        sums = _over_channels(function(entries), geometry, of_rows)
        for number, line in enumerate(others, start=2):
            sums = _along(line.counts, sums, number)
        sums = _along(first.counts[:, part], sums, 1)
        total = sums if total is None else total + sums
    assert total is not None
    return total


def _parts(weight: Array, lines: Sequence[Line]) -> Iterator[slice]:
    """Cut the values of the first axis into parts that can be held at once."""
    first, *others = lines
    width = weight.shape[0] * weight.shape[1] * prod([line.values.shape[0] for line in others])
    step = max(_AT_ONCE // width, 1)
    for start in range(0, first.values.shape[0], step):
        yield slice(start, start + step)


def _along(matrix: csr_array, array: Array, axis: int) -> Array:
    """Return the matrix applied along an axis."""
    moved = np.moveaxis(array, axis, 0)
    flat = moved.reshape(moved.shape[0], prod(moved.shape[1:]))
    product: Array = matrix.astype(real_dtype(array.dtype)) @ flat
    return np.moveaxis(product.reshape(matrix.shape[0], *moved.shape[1:]), 0, axis)


def _over_channels(array: Array, geometry: ConvGeometry, of_rows: bool) -> Array:
    """Sum ``(C_out, C_in // groups, ...)`` over the channels that a row holds, or a column."""
    totals: Array
    if of_rows:
        totals = array.sum(axis=1)
        return totals
    grouped = array.reshape(geometry.groups, -1, *array.shape[1:])
    totals = grouped.sum(axis=1).reshape(geometry.in_channels, *array.shape[2:])
    return totals


def _spread(values: Array, geometry: ConvGeometry, lines: Sequence[Line]) -> Array:
    """Give each output, or each sample, what its class has."""
    for axis in range(len(lines), 0, -1):
        values = np.take(values, lines[axis - 1].class_of, axis=axis)
    return values if geometry.has_channels else values[0]


def _diagonal(geometry: ConvGeometry, weight: Array, length: int, layout: Layout | None) -> Array:
    patterns = [axis_pattern(axis) for axis in geometry.axes]
    if layout is None and geometry.output_shape[geometry.has_channels :] == geometry.spatial_shape:
        return _diagonal_of_equal_sizes(geometry, weight, patterns)
    out = np.empty(length, weight.dtype)
    for start in range(0, length, _AT_ONCE):
        rows = np.arange(start, min(start + _AT_ONCE, length))
        out[rows] = _entries_at(geometry, weight, patterns, rows, layout)
    return out


def _diagonal_of_equal_sizes(geometry: ConvGeometry, weight: Array, patterns: Sequence[Pattern]) -> Array:
    """Return the diagonal where it is that of each axis: output p reads sample p of the same channel."""
    channel = np.arange(min(geometry.out_channels, geometry.in_channels))
    group, within = np.divmod(channel, weight.shape[1])
    stored = group == channel // (geometry.out_channels // geometry.groups)
    values: Array = weight[channel, within] * stored.reshape(-1, *[1] * len(patterns))
    chosen = []
    for number, pattern in enumerate(patterns, start=1):
        along = np.arange(pattern.axis.size)
        used, where = np.unique(_value_at(pattern, along, along), return_inverse=True)
        choice = csr_array(values_of(pattern)[np.maximum(used, 0)].multiply((used >= 0)[:, None]))
        values = _along(choice, values, number)
        chosen.append(where)
    for number in range(len(patterns), 0, -1):
        values = np.take(values, chosen[number - 1], axis=number)
    return values.ravel()


def _entries_at(
    geometry: ConvGeometry,
    weight: Array,
    patterns: Sequence[Pattern],
    rows: Ints,
    layout: Layout | None,
) -> Array:
    """Return ``W[r, r]`` at the rows r."""
    spatial = geometry.has_channels
    to, *outputs = _places(rows, (geometry.out_channels, *geometry.output_shape[spatial:]), layout)
    origin, *samples = _places(rows, (geometry.in_channels, *geometry.spatial_shape), layout)
    group, within = np.divmod(origin, weight.shape[1])
    stored = group == to // (geometry.out_channels // geometry.groups)
    places = []
    for pattern, output, sample in zip(patterns, outputs, samples, strict=True):
        places.append(_value_at(pattern, output, sample))
        stored &= places[-1] >= 0
    chosen: list[Ints] = [to[stored], within[stored]]
    for number, (pattern, place) in enumerate(zip(patterns, places, strict=True), start=2):
        used, where = np.unique(place[stored], return_inverse=True)
        weight = _along(values_of(pattern)[used], weight, number)
        chosen.append(where)
    out = np.zeros(rows.size, weight.dtype)
    out[stored] = weight[tuple(chosen)]
    return out


def _places(numbers: Ints, sizes: tuple[int, ...], layout: Layout | None) -> list[Ints]:
    """Return the channel and the place of what an array in a layout, of these sizes, has at `numbers`."""
    if layout is None:
        return list(np.unravel_index(numbers, sizes))
    places = list(np.unravel_index(numbers, layout.outside(sizes)))
    return [places.pop(layout.axis), *places]


def _value_at(pattern: Pattern, output: Ints, sample: Ints) -> Ints:
    """Return which value stands at (output, sample) of an axis, -1 where none does."""
    axis = pattern.axis
    start, stop = axis.interior
    tap, rest = np.divmod(sample - axis.first_position(output), axis.dilation)  # type: ignore[arg-type]
    inside = (output >= start) & (output < stop)
    found = np.where(inside & (rest == 0) & (tap >= 0) & (tap < axis.kernel), tap, -1)
    border = [run for run in pattern.runs if not start <= run.start < stop]
    if border and not inside.all():
        keys = np.concatenate([run.start * axis.size + run.columns for run in border])
        stands = np.concatenate([np.arange(run.template.start, run.template.stop) for run in border])
        wanted = output * axis.size + sample
        near = np.minimum(np.searchsorted(keys, wanted), max(keys.size - 1, 0))
        if keys.size:
            found = np.where(~inside & (keys[near] == wanted), stands[near], found)
    return found


def with_channels(geometry: ConvGeometry, weight: Array) -> Array:
    """Return the weight in the shape ``(C_out, C_in // groups, *kernel)``, also where it is a bare kernel."""
    channels = geometry.in_channels // geometry.groups
    return weight.reshape(geometry.out_channels, channels, *geometry.kernel_size)


def scaled(values: Array, inexact: bool = False) -> tuple[Array, int]:
    """Return values in the widest dtype of their kind, floats over a power of 2, and its exponent.

    The squares of the largest then neither overflow nor vanish.
    """
    if values.dtype.kind in "iu" and not inexact:
        return values.astype(INT64), 0
    wide: Array = values.astype(np.complex128 if values.dtype.kind == "c" else np.float64)
    parts = np.abs(wide.real).max(initial=0), np.abs(wide.imag).max(initial=0)
    exponent = max(int(np.frexp(max(parts))[1]), _LEAST_EXPONENT)
    wide *= 2.0**-exponent
    return wide, exponent


def unscaled(values: Any, exponent: int, dtype: np.dtype[Any]) -> Array:
    """Return the values times the power of 2, in the dtype of a result of W."""
    known: Array = np.asarray(values)
    if dtype.kind in "iu" and known.dtype.kind in "iu":
        return known
    if dtype.kind in "iu":
        dtype = np.dtype(np.float64)
    with np.errstate(over="ignore", under="ignore", invalid="ignore"):
        # In two steps, of which each is a float, and the one that could round comes last.
        half = exponent // 2
        out: Array = (known * 2.0**half * 2.0 ** (exponent - half)).astype(dtype)
    if not np.isfinite(out).all():
        raise OverflowError(
            f"a sum of entries of W leaves the range of {dtype}, which ends at {np.finfo(dtype).max:.3g}. "
            "Scale the weight down."
        )
    return out


def _refuse_large_sums(moduli: Any) -> None:
    largest = float(np.max(moduli))
    if largest >= 2.0**63 * (1 - 1e-9):
        raise OverflowError(
            f"the moduli of the integers that are summed come to {largest:.3g}: integers are computed in "
            "int64, which ends at 2**63 - 1. Give the weight as floats."
        )


def _squared(entries: Array) -> Array:
    squares: Array = entries.real**2 + entries.imag**2 if entries.dtype.kind == "c" else entries * entries
    return squares


def real_dtype(dtype: np.dtype[Any]) -> np.dtype[Any]:
    """Return the dtype of the real part."""
    return np.zeros(0, dtype).real.dtype
