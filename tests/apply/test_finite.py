"""What is not finite is found wherever it is, in arrays of any layout."""

from typing import Any

import numpy as np
import pytest

from convops.apply import finite
from oracles import Array

LAYOUTS: dict[str, tuple[tuple[int, ...], Any]] = {
    "nothing": ((0,), ...),
    "one": ((), ...),
    "short": ((3, 5), ...),
    "long": ((70, 200), ...),
    "rows apart": ((70, 400, 3), np.s_[:, ::2]),
    "columns apart": ((3, 40, 7), np.s_[..., ::3]),
    "reversed": ((40, 7), np.s_[::-1]),
    "no rows": ((0, 4, 3), np.s_[:, ::2]),
    "sixty axes": ((*[1] * 57, 4, 6, 5), np.s_[..., ::2, :]),
}


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("layout", LAYOUTS)
def test_one_value_that_is_not_finite_is_found_anywhere(layout: str, dtype: str) -> None:
    shape, index = LAYOUTS[layout]
    y = np.ones(shape, dtype)[index]
    assert finite(y)
    for place in list(np.ndindex(y.shape))[:: max(y.size // 50, 1)]:
        for bad in bad_values(y):
            y[place] = bad
            assert not finite(y)
        y[place] = 1


@pytest.mark.parametrize("layout", ["short", "long", "rows apart"])
def test_squares_may_overflow(layout: str) -> None:
    shape, index = LAYOUTS[layout]
    for dtype, size in (("float32", 1e30), ("complex128", 1e200)):
        assert finite(np.full(shape, size, dtype)[index])


def bad_values(y: Array) -> list[complex]:
    reals = [np.nan, np.inf, -np.inf]
    return reals + [complex(1, bad) for bad in reals] if y.dtype.kind == "c" else reals


def test_infinities_that_cancel_are_found_without_a_warning() -> None:
    y = np.ones((40, 400))[::2]
    y[0, 0], y[-1, -1] = np.inf, -np.inf
    assert not finite(y)
    assert not finite(y.copy())
