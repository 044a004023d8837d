"""Tests of linear operators, for the suites of those who write them.

`convops.testing.strategies` needs hypothesis, and is imported when it is first asked for.
"""

import importlib
from types import ModuleType


def __getattr__(name: str) -> ModuleType:
    if name == "strategies":
        return importlib.import_module("convops.testing.strategies")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), "strategies"])
