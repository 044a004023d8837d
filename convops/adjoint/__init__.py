"""Whether the two maps of a linear operator, from any package, are each other's adjoint."""

from convops.adjoint.check import CHECKS, LEVELS, applicable_checks, check_adjoint
from convops.adjoint.report import AdjointCheck, AdjointReport
from convops.adjoint.witnesses import Witness

__all__ = [
    "CHECKS",
    "LEVELS",
    "AdjointCheck",
    "AdjointReport",
    "Witness",
    "applicable_checks",
    "check_adjoint",
]
