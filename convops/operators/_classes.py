"""The classes that the rows of W, or its columns, fall into along one axis.

All outputs of the interior read alike, and each output at the border is a class of its own. Away from the
border, samples that differ by a multiple of the stride are read alike.
"""

from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_array, eye_array, vstack

from convops._axis import Axis
from convops._pattern import Pattern
from convops.boundary import Ints


class Line(NamedTuple):
    """One axis of W: its values, and how often each of them stands in the rows, or columns, of a class."""

    values: csr_array
    """(values, taps): the taps themselves first, then what the boundary adds up of them."""
    counts: csr_array
    """(classes, values)"""
    class_of: Ints
    """The class of each output, or of each sample."""


def values_of(pattern: Pattern) -> csr_array:
    """Return what each value of an axis takes from each tap."""
    taps = eye_array(pattern.axis.kernel, dtype=np.int64, format="csr")
    return taps if pattern.folding is None else vstack([taps, pattern.folding], format="csr")


def row_classes(pattern: Pattern) -> Line:
    """Return one class for each run of outputs."""
    values = values_of(pattern)
    lengths = [run.columns.size for run in pattern.runs]
    where = [np.arange(run.template.start, run.template.stop) for run in pattern.runs]
    class_of = np.repeat(np.arange(len(lengths)), [run.outputs for run in pattern.runs])
    starts = np.concatenate([[0], np.cumsum(lengths)])
    columns = np.concatenate(where)
    counts = csr_array((np.ones_like(columns), columns, starts), shape=(len(lengths), values.shape[0]))
    return Line(values, counts, class_of)


def column_classes(pattern: Pattern) -> Line:
    """Return one class for each sample near the border, and one for each residue modulo the stride."""
    axis, values = pattern.axis, values_of(pattern)
    start, stop = axis.interior
    border = [run for run in pattern.runs if not start <= run.start < stop]
    touched = np.concatenate([*[run.columns for run in border], np.zeros(0, np.int64)])
    stands = [np.arange(run.template.start, run.template.stop) for run in border]
    value = np.concatenate([*stands, np.zeros(0, np.int64)])

    # Between these, each tap that can read a sample belongs to an output of the interior.
    low = max(axis.first_position(start) + axis.effective - 1, 0)
    high = min(axis.first_position(stop - 1), axis.size - 1) if stop > start else -1
    single = np.ones(axis.size, bool)
    if high >= low:
        single[low : high + 1] = False
        single[touched] = True
    alone = np.flatnonzero(single)
    residues = np.arange(min(axis.stride, max(high - low + 1, 0)))
    class_of = np.empty(axis.size, np.int64)
    class_of[alone] = np.arange(alone.size)
    repeated = np.flatnonzero(~single)
    class_of[repeated] = alone.size + (repeated - low) % axis.stride

    row, tap = _interior_reads(axis, np.concatenate([alone, low + residues]))
    rows, columns = np.concatenate([class_of[touched], row]), np.concatenate([value, tap])
    shape = (alone.size + residues.size, values.shape[0])
    return Line(values, csr_array((np.ones_like(rows), (rows, columns)), shape=shape), class_of)


def _interior_reads(axis: Axis, samples: Ints) -> tuple[Ints, Ints]:
    """Return which of the samples are read with which tap by an output of the interior."""
    start, stop = axis.interior
    found = []
    for tap in range(axis.kernel):
        output, rest = np.divmod(samples - axis.first_position(start) - axis.dilation * tap, axis.stride)
        found.append(np.flatnonzero((rest == 0) & (output >= 0) & (output < stop - start)))
    return np.concatenate(found), np.repeat(np.arange(axis.kernel), [where.size for where in found])
