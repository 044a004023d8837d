"""How many threads an application may use, and sharing pieces of work among them."""

import os
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager, nullcontext
from functools import partial
from typing import Any

import numpy as np

from convops._arrays import Array
from convops._blas import one_thread
from convops.apply._cores import Cores
from convops.apply.cost import blas_is_held

_WORTH_A_THREAD = 0.3e-3
"""Seconds of work per thread below which handing it over is not worth its while."""
_WORTH_SHARING = 0.4e-4
"""Seconds of a piece below which threads wait for each other between the calls that they make."""

_WORTH_HOLDING = 5e-6
"""Seconds of work below which no product is so large that BLAS might wake threads for it."""

_ALONE = 2**16
"""Multiplications of a product for which OpenBLAS wakes no threads, which would keep cores busy for 0.1 s."""
_PARTS = 8
"""Parts of a sum, few enough that adding them costs nothing and enough for the threads."""

_this_thread = threading.local()
_lock = threading.Lock()
_pools: dict[int, "_Pool"] = {}
"""The threads kept, by their number: fresh ones would begin on a busy core, and with no memory at hand."""


@contextmanager
def alone() -> Iterator[None]:
    """Let what this thread applies meanwhile use no other thread: others do as much beside it."""
    before = getattr(_this_thread, "alone", False)
    _this_thread.alone = True
    try:
        yield
    finally:
        _this_thread.alone = before


def workers() -> int:
    """Return the threads that one application may use: OMP_NUM_THREADS, or else the cores it may run on.

    Read at each application, so that a job scheduler's limit and a change at run time both hold.
    """
    if getattr(_this_thread, "alone", False):
        return 1
    given = os.environ.get("OMP_NUM_THREADS", "").split(",")[0].strip()
    if given.isdecimal() and int(given) > 0:
        return int(given)
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity else os.cpu_count() or 1


def share(work: Callable[[list[Any]], None], pieces: Iterable[Any], seconds: float) -> None:
    """Call `work` on all pieces, in parts on this thread and others if it would take one thread that long.

    BLAS takes none of its threads beside; but where no seconds are said it is left to share the work.
    """
    pieces = list(pieces)
    count = min(len(pieces), int(seconds / _WORTH_A_THREAD))
    if seconds < _WORTH_SHARING * len(pieces):
        count = 1
    count = min(count, workers()) if count > 1 else 1
    with one_thread() if seconds > _WORTH_HOLDING and blas_is_held() else nullcontext():
        if count <= 1:
            work(pieces)
        else:
            _share_among(count, work, pieces)


def _share_among(count: int, work: Callable[[list[Any]], None], pieces: list[Any]) -> None:
    """Call `work` on all pieces, in so many parts: one on this thread, the others on threads of their own."""
    there = partial(_under, np.geterr(), work)
    pool = _pool(count - 1)
    others = [pool.submit(there, pieces[number::count]) for number in range(1, count)]
    try:
        work(pieces[::count])
    finally:
        wait(others)
    for part in others:
        part.result()


def _under(errors: Any, work: Callable[[list[Any]], None], pieces: list[Any]) -> None:
    """Call `work` with floating-point errors treated as in the thread that asked for it."""
    with np.errstate(**errors):
        work(pieces)


def product_alone(rows: Array, matrix: Array) -> Array:
    """Return ``rows @ matrix``, so cut that BLAS takes no other threads for it."""
    out = np.empty((len(rows), matrix.shape[1]), np.result_type(rows, matrix))
    step = max(_ALONE // matrix.size, 1)
    for start in range(0, len(rows), step):
        np.matmul(rows[start : start + step], matrix, out=out[start : start + step])
    return out


def summed(
    work: Callable[[list[Any]], Array], pieces: list[Any], seconds: float, parts: int = _PARTS
) -> Array:
    """Return the sum of what `work` makes of parts of the pieces, shared as `share` does.

    The parts are the same, and are added in the same order, whichever thread takes which.
    """
    count = min(len(pieces), parts)
    found: dict[int, Array] = {}

    def work_on(numbers: list[Any]) -> None:
        for number in numbers:
            found[number] = work(pieces[number * len(pieces) // count : (number + 1) * len(pieces) // count])

    share(work_on, range(count), seconds)
    total = found[0]
    for number in range(1, count):
        total += found[number]
    return total


class _Pool:
    """Threads that run on other cores than those who submit to them."""

    def __init__(self, count: int) -> None:
        self._ids: list[int] = []
        self._cores = Cores()
        self._executor = ThreadPoolExecutor(count, "convops", self._begin)

    def _begin(self) -> None:
        self._ids.append(threading.get_native_id())

    def submit(self, work: Callable[[list[Any]], None], pieces: list[Any]) -> Future[None]:
        """Call `work` on the pieces in one of the threads."""
        self._cores.keep_free(self._ids)
        return self._executor.submit(work, pieces)


def _pool(count: int) -> _Pool:
    with _lock:
        if count not in _pools:
            _pools[count] = _Pool(count)
        return _pools[count]


def _forget_threads() -> None:
    """Begin anew in a forked process, which has none of its parent's threads."""
    global _lock
    _lock = threading.Lock()
    _pools.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_threads)
