"""What the two catalogues hold: pairs of functions, and how to make them for a dtype and a seed."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from zlib import crc32

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
Apply = Callable[[Array], Array]
Ints = tuple[int, ...]

REAL = ("float32", "float64")
COMPLEX = ("complex64", "complex128")
FLOATS = (*REAL, *COMPLEX)
DOUBLE = ("float64", "complex128")
INTEGER = ("int64",)
ALL = (*FLOATS, *INTEGER)

LIMIT = 50
"""Where a wrong linear adjoint B counts as a fault: ‖B − Aᴴ‖ ≥ LIMIT · eps · ‖A‖, in Frobenius norms.

What is smaller drowns in the rounding of ⟨Ax, y⟩ and is not in the catalogue. Integers have no such limit.
"""


@dataclass(frozen=True)
class Pair:
    """Two functions of arrays, of which the second says to be the adjoint of the first."""

    forward: Apply
    adjoint: Apply
    input_shape: Ints
    output_shape: Ints
    dtype: np.dtype[Any]


Make = Callable[[np.dtype[Any], np.random.Generator], Pair]


@dataclass(frozen=True)
class Operator:
    """A kind of correct pair: what a check fails here is a false alarm."""

    name: str
    make: Make
    dtypes: tuple[str, ...] = FLOATS

    def pair(self, dtype: str, seed: int) -> Pair:
        """Return a new pair, the same for the same seed."""
        return self.make(np.dtype(dtype), np.random.default_rng([crc32(self.name.encode()), seed]))


@dataclass(frozen=True)
class Fault(Operator):
    """A kind of wrong pair, in the dtypes in which it is wrong beyond rounding.

    `expected` are the checks that ought to fail, the one that names the fault first; "adjoint" is the
    test of inner products in floating point, "exact" the same in integers.
    """

    family: str = ""
    expected: tuple[str, ...] = ("adjoint", "exact")


def family(name: str, *faults: Fault) -> tuple[Fault, ...]:
    """Return the faults as members of a family."""
    return tuple(Fault(f.name, f.make, f.dtypes, name, f.expected) for f in faults)
