"""A plain harness: contenders take turns, medians, ratios, tables in Markdown."""

import contextlib
import gc
import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import scipy

Call = Callable[[], Any]


class Times(dict[str, list[float]]):
    """Seconds per call of each contender, one number a turn, in the order of the rounds."""

    def median(self, name: str) -> float:
        """Return the median time of a contender in seconds."""
        return statistics.median(self[name])

    def ratio(self, name: str, reference: str) -> float:
        """Return the median, over the rounds, of the contender's time over the reference's in that round."""
        shared = zip(self[name], self[reference], strict=False)
        return statistics.median(time / against for time, against in shared)


def take_turns(contenders: dict[str, Call], quick: bool, rounds: int = 25, seconds: float = 6.0) -> Times:
    """Time the contenders in turn, A B A B …, after one call of each as a warm-up.

    A turn lasts at least 2 ms, by repetition, and includes freeing the result. A contender that has used up
    `seconds` of its own sits out the rounds that remain, but none has fewer than three turns.
    """
    repeats = {name: 1 if quick else _repeats(call) for name, call in contenders.items()}
    times = Times((name, []) for name in contenders)
    spent = dict.fromkeys(contenders, 0.0)
    gc.collect()
    gc.disable()
    try:
        for number in range(2 if quick else rounds):
            for name, call in contenders.items():
                if number >= 3 and spent[name] > seconds:
                    continue
                start = time.perf_counter()
                for _ in range(repeats[name]):
                    call()
                turn = time.perf_counter() - start
                spent[name] += turn
                times[name].append(turn / repeats[name])
    finally:
        gc.enable()
    return times


def _repeats(call: Call, shortest: float = 2e-3) -> int:
    call()
    start = time.perf_counter()
    call()
    return math.ceil(shortest / max(time.perf_counter() - start, 1e-7))


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Hold BLAS, and torch where it is installed, to one thread."""
    with contextlib.ExitStack() as stack:
        if find_spec("threadpoolctl"):
            from threadpoolctl import threadpool_limits

            stack.enter_context(threadpool_limits(1))
        else:
            print("threadpoolctl is not installed (extra `bench`): BLAS uses as many threads as it likes.")
        if find_spec("torch"):
            import torch

            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(1)
        yield


def geometric_mean(ratios: Iterable[float]) -> float:
    """Return the geometric mean."""
    return statistics.geometric_mean(ratios)


def against_target(what: str, value: float, limit: float) -> str:
    """Return a line that holds a figure against its target."""
    return f"{what}: {value:.2f} (target: at most {limit:g})"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown that reads well as text; its first column is text, the others figures."""
    cells = [list(header), *map(list, rows)]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = [
        "| " + " | ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) + " |"
        for row in cells
    ]
    rule = "|" + "|".join(["-" * (widths[0] + 2), *["-" * (width + 1) + ":" for width in widths[1:]]]) + "|"
    return "\n".join([lines[0], rule, *lines[1:]])


def machine() -> str:
    """Return one line on the machine and the versions."""
    affinity = getattr(os, "sched_getaffinity", None)
    cores = len(affinity(0)) if affinity else os.cpu_count()
    return (
        f"{cores} cores of {_processor()}, {platform.system()}; Python {platform.python_version()}, "
        f"numpy {np.__version__}, scipy {scipy.__version__}"
    )


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return " ".join(line.split(":", 1)[1].split())
    return platform.processor() or platform.machine()
