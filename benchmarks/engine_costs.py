"""What an application costs besides its time: memory, building the operator, and Python where it is small."""

import tracemalloc
from collections.abc import Callable, Sequence

import numpy as np

from benchmarks._harness import Call, against_target, table, take_turns
from benchmarks._race import AUTO, OWN, hopeful, key, operator, products
from benchmarks._race_cases import BUILDING_CASES, LARGE_CASES, QUICK_CASES, SMALL_CASE, RaceCase
from benchmarks._race_job import DIRECTIONS, FORWARD, Job
from benchmarks._race_peers import too_large
from benchmarks._race_report import milliseconds
from benchmarks.small import compare
from convops import Conv, conv_matrix

MEMORY_TARGET, BUILD_TARGET, METHOD_TARGET, AUTO_TARGET = 1, 1, 6, 4
FACTOR, CONSTANT = 3, 32 * 2**20

METHODS = (*OWN, AUTO)


def main(quick: bool, cases: str, dtype: str) -> None:
    """Print one table for memory, one for building, one for the small operator."""
    for name in [dtype] if dtype else ["float64", "float32"]:
        chosen = _among(QUICK_CASES[:4] if quick else LARGE_CASES, cases)
        if chosen:
            print(f"### Peak memory of one application, in {name}\n")
            _memory([Job(case, np.dtype(name), 1) for case in chosen])
        chosen = _among(QUICK_CASES[:4] if quick else BUILDING_CASES, cases)
        if chosen:
            print(f"### Building an operator and applying it once, in {name}\n")
            _building([Job(case, np.dtype(name), 1) for case in chosen], quick)
    print("### A small operator\n")
    _small(Job(SMALL_CASE, np.dtype(dtype or "float64"), 1), quick)


def _among(cases: Sequence[RaceCase], part: str) -> list[RaceCase]:
    return [case for case in cases if part in case.name]


def _able(job: Job) -> dict[str, Callable[[], Conv]]:
    """Return what builds the operator, by the methods that can do the job in the memory there is."""
    able = {}
    for method in METHODS:
        try:
            if not too_large(job, method):
                operator(job, method)
                able[method] = lambda method=method: operator(job, method)
        except ValueError:
            continue
    return able


def _memory(jobs: list[Job]) -> None:
    """Print the peaks, and the worst of them over what is allowed, by method."""
    print(
        "MB that numpy allocates at most during a later application, result included, beyond what there was."
    )
    print("–: cannot do the case, would need a W of over 3 GiB, or is hopelessly slow on a part of it.\n")
    rows, worst = [], dict.fromkeys(METHODS, 0.0)
    for job in jobs:
        allowed = FACTOR * job.case.nbytes(job.dtype) + CONSTANT
        cells = {}
        kept = hopeful(job, METHODS)
        for method, build in _able(job).items():
            A = build()
            for direction, call in zip(DIRECTIONS, products(job, A), strict=True):
                if key(direction, method) in kept:
                    peak = _peak(call)
                    cells[direction, method] = f"{peak / 1e6:.3g}"
                    worst[method] = max(worst[method], peak / allowed)
        found = [cells.get((direction, method), "–") for method in METHODS for direction in DIRECTIONS]
        sizes = [f"{job.case.nbytes(job.dtype) / 1e6:.3g}", f"{allowed / 1e6:.3g}"]
        rows.append([job.case.name, *sizes, *found, operator(job, AUTO).method])
    columns = [f"{method}, {direction}" for method in METHODS for direction in DIRECTIONS]
    print(table(["case", "in + out", "allowed", *columns, "chosen"], rows))
    print()
    for method, ratio in worst.items():
        what = f"- {method}, worst peak / ({FACTOR} × (input + output) + 32 MiB)"
        print(against_target(what, ratio, MEMORY_TARGET))
    print()


def _peak(call: Call) -> int:
    """Return the peak of what is allocated during a call, after one that builds what is kept."""
    call()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        call()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


def _building(jobs: list[Job], quick: bool) -> None:
    """Print what building and a first application take, and building alone in later applications."""
    print("ms: building and applying / applying again (what building takes, in applications)\n")
    rows: list[list[str]] = []
    built: dict[str, dict[str, float]] = {method: {} for method in METHODS}
    for job in jobs:
        able, chosen = _able(job), operator(job, AUTO).method
        for number, direction in enumerate(DIRECTIONS):
            case, cells = f"{job.case.name}, {direction}", dict.fromkeys(METHODS, "–")
            for method, build in able.items():
                times = take_turns(_first_and_later(job, build, number), quick, rounds=9, seconds=0.5)
                first, later = [milliseconds(times.median(name)) for name in ("first", "later")]
                built[method][case] = times.ratio("first", "later") - 1
                cells[method] = f"{first} / {later} ({built[method][case]:.2f})"
            rows.append([case, *cells.values(), chosen])
    print(table(["case", *METHODS, "chosen"], rows), end="\n\n")
    for method, parts in built.items():
        if parts:
            case = max(parts, key=parts.__getitem__)
            line = against_target(f"- {method}, building / applying, worst", parts[case], BUILD_TARGET)
            print(f"{line}, of {case}")
    print()


def _first_and_later(job: Job, build: Callable[[], Conv], number: int) -> dict[str, Call]:
    """Return the call that builds and applies, and the one that only applies, in one direction."""
    A = build()
    return {"first": lambda: products(job, build())[number](), "later": products(job, A)[number]}


def _small(job: Job, quick: bool) -> None:
    """Print what one product costs beside W @ x, by method."""
    W = conv_matrix(job.weight, job.case.input_shape, padding=job.case.padding)
    W_T, x, y = W.T.tocsr(), job.x.ravel(), job.y.ravel()
    for direction in DIRECTIONS:
        matrix, vector = (W, x) if direction == FORWARD else (W_T, y)
        what, reference = (
            ("A @ x", "W @ x") if direction == FORWARD else ("A.H @ y", "W.T @ y, W.T ready as CSR")
        )
        calls: dict[str, Call] = {reference: lambda matrix=matrix, vector=vector: matrix @ vector}
        for method, build in _able(job).items():
            call = products(job, build())[DIRECTIONS.index(direction)]
            assert job.allows(direction, call())
            calls[f"{what}, {method}"] = call
        ratios = compare(calls, reference, quick)
        print()
        for name, ratio in ratios.items():
            if name != reference:
                limit = AUTO_TARGET if name.endswith(AUTO) else METHOD_TARGET
                print(against_target(f"- {name} / {reference.split(',')[0]}", ratio, limit))
        print()
