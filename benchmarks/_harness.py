"""A plain harness: contenders take turns, medians, ratios, tables in Markdown."""

import contextlib
import gc
import math
import os
import platform
import statistics
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock

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


def take_turns(
    contenders: dict[str, Call],
    quick: bool,
    rounds: int = 25,
    seconds: float = 6.0,
    shortest: float = 2e-3,
    settle: float = 0.0,
    hurried: Collection[str] = (),
) -> Times:
    """Time the contenders in turn, A B B A …, after one call of each as a warm-up.

    A turn lasts at least `shortest` seconds, by repetition, and includes freeing the result. A contender that
    has used up `seconds` of its own sits out the rounds that remain, but none has fewer than three turns; the
    hurried have no more.

    Where contenders have threads, `settle` them: a turn starts when those of the last one sleep, with calls
    that are not timed, for so many seconds, which wake its own; unless one call lasts much longer.
    """
    lasting = dict.fromkeys(contenders, 0.0)
    for name, call in ({} if quick else contenders).items():
        call()
        lasting[name] = shortest_call(call)
    repeats = {name: 1 if quick else math.ceil(shortest / once) for name, once in lasting.items()}
    times = Times((name, []) for name in contenders)
    spent = dict.fromkeys(contenders, 0.0)
    gc.collect()
    gc.disable()
    try:
        for number in range(2 if quick else rounds):
            # Back and forth, so that none always comes after the same one.
            for name, call in [*contenders.items()][:: 1 if number % 2 == 0 else -1]:
                if number >= 3 and (spent[name] > seconds or name in hurried):
                    continue
                began = time.perf_counter()
                if settle and not quick:
                    wait_until_idle()
                    waking = time.perf_counter()
                    while lasting[name] < 20 * settle and time.perf_counter() - waking < settle:
                        call()
                start = time.perf_counter()
                for _ in range(repeats[name]):
                    call()
                end = time.perf_counter()
                spent[name] += end - began
                times[name].append((end - start) / repeats[name])
    finally:
        gc.enable()
    return times


def shortest_call(call: Call, seconds: float = 5e-3) -> float:
    """Return the shortest time of a call among those of the next few milliseconds, at least one."""
    best, began = math.inf, time.perf_counter()
    while best == math.inf or time.perf_counter() - began < seconds:
        start = time.perf_counter()
        call()
        best = min(best, time.perf_counter() - start)
    return max(best, 1e-7)


def wait_until_idle(longest: float = 0.2) -> None:
    """Wait until no thread of this process is busy.

    Threads go on looking for work after a product: OpenBLAS' for some 0.1 s, in which a small call of torch
    takes 12 ms instead of 0.02.
    """
    end = time.perf_counter() + longest
    while time.perf_counter() < end:
        used = time.process_time()
        time.sleep(2e-3)
        if time.process_time() - used < 4e-4:
            return


def cores() -> int:
    """Return how many cores this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Hold BLAS, what reads OMP_NUM_THREADS, and torch where it is installed, to so many threads."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, {"OMP_NUM_THREADS": str(count)}))
        if find_spec("threadpoolctl"):
            from threadpoolctl import threadpool_limits

            stack.enter_context(threadpool_limits(count))
        else:
            print("threadpoolctl is not installed (extra `bench`): BLAS uses as many threads as it likes.")
        if find_spec("torch"):
            import torch

            stack.callback(torch.set_num_threads, torch.get_num_threads())
            torch.set_num_threads(count)
        yield


def one_thread() -> contextlib.AbstractContextManager[None]:
    """Hold everything that `threads` holds to one thread."""
    return threads(1)


def geometric_mean(ratios: Iterable[float]) -> float:
    """Return the geometric mean."""
    return statistics.geometric_mean(ratios)


def against_target(what: str, value: float, limit: float, least: bool = False) -> str:
    """Return a line that holds a figure against its target."""
    return f"{what}: {value:.2f} (target: at {'least' if least else 'most'} {limit:g})"


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
    return (
        f"{cores()} cores of {_processor()}, {platform.system()}; Python {platform.python_version()}, "
        f"numpy {np.__version__}, scipy {scipy.__version__}"
    )


def _processor() -> str:
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return " ".join(line.split(":", 1)[1].split())
    return platform.processor() or platform.machine()
