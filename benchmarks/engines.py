"""Each method of convops against its peers, on all cores: W x and Wᴴ y, in both dtypes."""

import sys

import numpy as np

from benchmarks._harness import cores
from benchmarks._limits import limits
from benchmarks._race import Result, race
from benchmarks._race_cases import CASES, QUICK_CASES
from benchmarks._race_job import ADJOINT, DIRECTIONS, FORWARD, Job
from benchmarks._race_peers import absent
from benchmarks._race_report import NOTE, race_table, share_table, summary

THREADS = cores()
"""What this part wants; with --one-thread it gets one."""

TITLES = {FORWARD: "A @ x, in {}", ADJOINT: "A.H @ y, in {}"}


def main(quick: bool, threads: int, cases: str, dtype: str) -> None:
    """Print a table per dtype and direction, and one per dtype of what the machine could do."""
    chosen = [case for case in (QUICK_CASES if quick else CASES) if cases in case.name]
    if not chosen:
        raise SystemExit(f"no case has {cases!r} in its name")
    if missing := absent():
        print(f"Not installed, so that the columns are left out: {', '.join(missing)}.")
    found = limits(quick)
    print(f"Threads: {threads}. {found}\n\n{NOTE}\n")
    for name in [dtype] if dtype else ["float64", "float32"]:
        results: list[Result] = []
        for case in chosen:
            print(f"{name}: {case.name}", file=sys.stderr, flush=True)
            results.append(race(Job(case, np.dtype(name), threads), quick))
        for direction in DIRECTIONS:
            print(f"### {TITLES[direction].format(name)}\n")
            print(race_table(results, direction), end="\n\n")
            print("\n".join(summary(results, direction, name)), end="\n\n")
        print(f'### What "auto" reaches of the machine, in {name}\n')
        print(
            "Useful work: two operations per output, channel that it reads, and tap; a method may do fewer.\n"
        )
        print(share_table(results, found), end="\n\n", flush=True)
