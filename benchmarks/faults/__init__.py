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
    seeds = 2 if quick else SEEDS
    rounds = 1 if quick else ceil(CORRECT_CHECKS / sum(len(kind.dtypes) for kind in CORRECT))
    places: dict[str, list[int]] = {}
    for at, fault in enumerate(FAULTS):
        places.setdefault(fault.family, []).append(at)
    with processes(1 if quick else min(2, cores())) as run:
        families = {name: counted(run, name, "faults", its, range(seeds)) for name, its in places.items()}
        correct = counted(run, "correct operators", "correct", range(len(CORRECT)), range(rounds))
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


def counted(run: Map, title: str, catalogue: str, places: Iterable[int], seeds: range) -> list[Count]:
    """Measure some kinds of a catalogue, and say so."""
    found = run(measure, repeat(catalogue), places, repeat(seeds))
    counts = [count for of_one_kind in found for count in of_one_kind]
    print(f"{title}: {sum(count.checks for count in counts)} pairs", flush=True)
    return counts
