"""How well `check_adjoint`, and the rules of other packages, tell faulty operators from correct ones.

`FAULTS` and `CORRECT` are the catalogues, whose kinds make a new pair for every seed; `TOOLS` are the rules.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from itertools import repeat
from math import ceil
from multiprocessing import get_context
from typing import Any

from benchmarks._harness import cores
from benchmarks.faults._measure import Count, measure
from benchmarks.faults._report import alarming, catch_rates, false_alarms, misses, seconds
from benchmarks.faults.catalogue import CORRECT, FAULTS
from benchmarks.faults.tools import TOOLS

__all__ = ["CORRECT", "FAULTS", "TOOLS", "main"]

SEEDS = 200
CORRECT_CHECKS = 100_000

Map = Callable[..., Iterable[Any]]


def main(quick: bool) -> None:
    """Print the tables."""
    rounds = 1 if quick else ceil(CORRECT_CHECKS / sum(len(kind.dtypes) for kind in CORRECT))
    with processes(1 if quick else min(2, cores())) as run:
        families = {
            name: counted(
                run, "faults", [at for at, fault in enumerate(FAULTS) if fault.family == name], seeds, name
            )
            for seeds in [range(2 if quick else SEEDS)]
            for name in dict.fromkeys(fault.family for fault in FAULTS)
        }
        correct = counted(run, "correct", range(len(CORRECT)), range(rounds), "correct operators")
    print(f"\nFaulty pairs that fail (number of faults):\n\n{catch_rates(families)}\n\n{misses(families)}")
    print("\nCorrect pairs that fail; where none does, the rate has that bound with 95 % confidence:\n")
    print(f"{false_alarms(correct)}\n\n{alarming(correct)}\n")
    print(seconds([*correct, *(count for counts in families.values() for count in counts)]))


@contextmanager
def processes(count: int) -> Iterator[Map]:
    """Give a `map` over so many processes, where one is this."""
    if count == 1:
        yield map
    else:
        with ProcessPoolExecutor(count, mp_context=get_context("spawn")) as pool:
            yield pool.map


def counted(run: Map, catalogue: str, places: Iterable[int], seeds: range, title: str) -> list[Count]:
    """Measure some kinds of a catalogue, and say so."""
    counts = [
        count for of_kind in run(measure, repeat(catalogue), places, repeat(seeds)) for count in of_kind
    ]
    print(f"{title}: {sum(count.checks for count in counts)} pairs", flush=True)
    return counts
