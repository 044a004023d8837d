"""Which cores threads run on: on Linux, others than the one that hands them work.

Its scheduler likes to wake a thread where the waking one runs, and moves neither while both are busy for
a millisecond: two threads then share one core, and the other idles.
"""

import ctypes
import os
from collections.abc import Callable, Sequence
from contextlib import suppress


def _core_of_this_thread() -> Callable[[], int] | None:
    """Return what tells the core that a thread runs on, where the C library does."""
    if not hasattr(os, "sched_setaffinity"):
        return None
    try:
        found: Callable[[], int] | None = ctypes.CDLL(None).sched_getcpu
    except (AttributeError, OSError):
        return None
    return found


_this_core = _core_of_this_thread()


class Cores:
    """The cores of some threads, which may be any that their caller may use but the one it runs on."""

    def __init__(self) -> None:
        self._set: tuple[frozenset[int], int] | None = None

    def keep_free(self, threads: Sequence[int]) -> None:
        """Keep threads, by their native ids, off the core of this thread; nothing where that cannot be told.

        The system is asked for it only where something has changed.
        """
        if _this_core is None:
            return
        others = frozenset(os.sched_getaffinity(0)) - {_this_core()}
        if not others or self._set == (others, len(threads)):
            return
        with suppress(OSError):  # forbidden, or a thread is gone: then it stays as it was
            for thread in threads:
                os.sched_setaffinity(thread, others)
        self._set = others, len(threads)
