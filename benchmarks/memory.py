"""Peak memory of building W, in multiples of W's own bytes."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

from benchmarks._cases import CASES, QUICK_CASES, Case, nbytes
from benchmarks._harness import against_target, table

TARGET = 1.25


def main(quick: bool) -> None:
    """Print the table and the worst of each column."""
    print("Peak memory of building W / bytes of W: allocations that numpy reports to tracemalloc, and the")
    print("growth of the resident set in a process of its own, where Linux tells it.")
    rows: list[list[str]] = []
    columns: tuple[list[float], list[float]] = ([], [])
    for number, case in enumerate(QUICK_CASES if quick else CASES):
        size, traced = _traced(case)
        resident = _in_own_process(quick, number)
        ratios = [peak / size for peak in (traced, resident) if peak is not None]
        for column, ratio in zip(columns, ratios, strict=False):
            column.append(ratio)
        rows.append([case.name, f"{size / 1e6:.3g}", *[f"{ratio:.3f}" for ratio in ratios]])
    names = ["tracemalloc", "resident set"] if columns[1] else ["tracemalloc"]
    print(table(["W of", "MB", *names], rows))
    for name, column in zip(names, columns, strict=False):
        print(against_target(f"{name}, worst", max(column), TARGET))


def _traced(case: Case) -> tuple[int, int]:
    """Return the bytes of W and the peak of what was allocated while it was built."""
    weight = case.weight()
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        W = case.matrix(weight)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return nbytes(W), peak - before


def _in_own_process(quick: bool, number: int) -> int | None:
    """Return `_resident` of a case, measured in a fresh process."""
    kind = "quick" if quick else "full"
    command = [sys.executable, "-m", __name__, kind, str(number)]
    root = Path(__file__).parent.parent
    run = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True)
    return int(run.stdout) if run.stdout.strip() else None


def _resident(case: Case) -> int | None:
    """Return by how much the resident set grows, at its peak, while W is built; None where unknown.

    getrusage's ru_maxrss would start from the peak of the parent, and from that of the imports.
    """
    QUICK_CASES[-1].matrix(QUICK_CASES[-1].weight())  # so that what is loaded on first use is there
    weight = case.weight()
    try:
        Path("/proc/self/clear_refs").write_text("5")  # sets the peak back to the present
        before = _status("VmRSS")
        case.matrix(weight)
        return _status("VmHWM") - before
    except OSError:
        return None


def _status(name: str) -> int:
    """Return a size that Linux tells of this process, in bytes."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name + ":"))


if __name__ == "__main__":
    kind, number = sys.argv[1:]
    found = _resident({"quick": QUICK_CASES, "full": CASES}[kind][int(number)])
    print("" if found is None else found)
