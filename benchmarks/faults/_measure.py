"""How often each rule passes the pairs of a kind, in how much time."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import product

import numpy as np

from benchmarks.faults._pair import Fault, Operator
from benchmarks.faults.catalogue import CORRECT, FAULTS
from benchmarks.faults.tools import TOOLS, passes

CATALOGUES: dict[str, Sequence[Operator]] = {"faults": FAULTS, "correct": CORRECT}


@dataclass
class Count:
    """Checks of one kind in one dtype."""

    name: str
    dtype: str
    checks: int = 0
    passed: Counter[str] = field(default_factory=Counter)
    seconds: Counter[str] = field(default_factory=Counter)


def measure(catalogue: str, at: int, seeds: Sequence[int]) -> list[Count]:
    """Try every rule on every dtype of a kind, which goes by its place in its catalogue, to any process.

    Of faults of state each rule gets a pair of its own, which no other rule has touched.
    """
    kind = CATALOGUES[catalogue][at]
    stateful = isinstance(kind, Fault) and kind.family == "state"
    counts = [Count(kind.name, dtype) for dtype in kind.dtypes]
    with np.errstate(all="ignore"):
        for count, seed in product(counts, seeds):
            count.checks += 1
            pair = kind.pair(count.dtype, seed)
            for tool, rule in TOOLS.items():
                if stateful:
                    pair = kind.pair(count.dtype, seed)
                start = time.perf_counter()
                count.passed[tool] += passes(rule, pair, seed)
                count.seconds[tool] += time.perf_counter() - start
    return counts
