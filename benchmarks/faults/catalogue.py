"""All faults, and all correct operators."""

from benchmarks.faults import (
    algebra,
    boundary,
    cancellation,
    channels,
    geometry,
    nonlinearity,
    precision,
    state,
)
from benchmarks.faults._pair import Fault, Operator
from benchmarks.faults.correct_convolutions import CONVOLUTIONS
from benchmarks.faults.correct_functions import FUNCTIONS
from benchmarks.faults.correct_matrices import MATRICES

FAULTS: tuple[Fault, ...] = (
    *geometry.FAULTS,
    *boundary.FAULTS,
    *channels.FAULTS,
    *algebra.FAULTS,
    *nonlinearity.FAULTS,
    *precision.FAULTS,
    *state.FAULTS,
    *cancellation.FAULTS,
)
CORRECT: tuple[Operator, ...] = (*MATRICES, *FUNCTIONS, *CONVOLUTIONS)
