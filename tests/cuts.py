"""Random ways to cut an axis, an array."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import strategies as st

Sizes = tuple[int, ...]


def cut(rng: np.random.Generator, size: int) -> Sizes:
    """Return the sizes of irregular chunks of an axis; half of all axes stay whole or fall to pieces of 1."""
    style = rng.integers(4)
    if style < 2:
        return (size,) if style else (1,) * size
    edges = np.sort(rng.choice(np.arange(1, size), rng.integers(0, size), replace=False)) if size > 1 else []
    return tuple(np.diff([0, *edges, size]).tolist())


def cuts(rng: np.random.Generator, shape: Sizes) -> tuple[Sizes, ...]:
    """Return irregular chunks of an array."""
    return tuple(cut(rng, size) for size in shape)


@st.composite
def sizes(draw: Callable[[st.SearchStrategy[Any]], Any], total: int) -> Sizes:
    """Chunks of an axis; examples shrink to one chunk."""
    out: list[int] = []
    while (left := total - sum(out)) > 0:
        out.append(left - draw(st.integers(0, left - 1)))
    return tuple(out)
