"""The BLAS of numpy: which kernels it multiplies by, and how many threads it takes."""

import ctypes
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import numpy as np

_SPELLINGS = ("scipy_openblas_{}64_", "scipy_openblas_{}", "openblas_{}64_", "openblas_{}")
"""How the builds of OpenBLAS spell the names of their functions."""


def _function(name: str) -> Any:
    """Return a function of OpenBLAS by its bare name; None for another BLAS."""
    try:
        # A symbol is looked for in what a library depends on as well.
        library = ctypes.CDLL(np.linalg._umath_linalg.__file__)
    except (AttributeError, OSError):
        return None
    found = (getattr(library, spelling.format(name), None) for spelling in _SPELLINGS)
    return next((function for function in found if function is not None), None)


@cache
def blas_core() -> str:
    """Return the processor for which OpenBLAS multiplies, "Haswell" or "SkylakeX"; empty for another BLAS.

    OpenBLAS chooses when it is loaded, by the processor or by OPENBLAS_CORETYPE. For a processor that it does
    not know it takes the kernels of an older one, which may be half as fast.
    """
    function = _function("get_corename")
    if function is None:
        return ""
    function.restype = ctypes.c_char_p
    return str(function().decode())


class OneThread:
    """Called, it is a context in which OpenBLAS multiplies on the thread that asks it to, however much it is.

    Its number of threads is one for the whole process: it is set when the first thread comes in, and what it
    was before when the last one leaves. With another BLAS the context does nothing.
    """

    def __init__(self) -> None:
        self._get: Callable[[], int] | None = _function("get_num_threads")
        self._set: Callable[[int], None] | None = _function("set_num_threads")
        self._lock = threading.Lock()
        self._holders: set[object] = set()
        self._before = 1
        if self.works and hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._begin_anew)

    @property
    def works(self) -> bool:
        """Whether the number of threads can be told and set."""
        return self._get is not None and self._set is not None

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Hold BLAS to one thread; an interrupt at any place lets it go."""
        holder = object()
        try:
            self._hold(holder)
            yield
        finally:
            self._release(holder)

    def _hold(self, holder: object) -> None:
        if self._get is None or self._set is None:
            return
        with self._lock:
            if not self._holders:
                self._before = self._get()
            self._holders.add(holder)
            self._set(1)

    def _release(self, holder: object) -> None:
        if self._set is None:
            return
        with self._lock:
            if holder in self._holders:
                self._holders.remove(holder)
                if not self._holders:
                    self._set(self._before)

    def _begin_anew(self) -> None:
        """Let go in a forked process, which has none of the threads that hold."""
        self._lock = threading.Lock()
        if self._holders and self._set is not None:
            self._holders.clear()
            self._set(self._before)


one_thread = OneThread()
