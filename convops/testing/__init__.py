"""Tests of linear operators, for the suites of those who write them.

`convops.testing.strategies` needs hypothesis, and is imported when it is first asked for.
"""

import importlib as _importlib
from types import ModuleType as _ModuleType

from convops.testing._adjoint import assert_adjoint
from convops.testing._linear import assert_linear
from convops.testing._matrix import assert_matches_matrix
from convops.testing._parametrize import parametrize_with_checks

__all__ = ["assert_adjoint", "assert_linear", "assert_matches_matrix", "parametrize_with_checks"]


def __getattr__(name: str) -> _ModuleType:
    if name == "strategies":
        return _importlib.import_module("convops.testing.strategies")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), "strategies"])
