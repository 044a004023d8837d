"""How an iteration shows where it is."""

import sys
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

Watch = Callable[[int, float], Any]
_SECONDS = 0.5


class Progress:
    """A bar of tqdm where that is installed, else a line on stderr now and then; or nothing but a count."""

    def __init__(self, shown: bool, callback: Watch | None) -> None:
        self.iterations = 0
        self.watched = shown or callback is not None
        self._callback = callback
        self._bar = _bar() if shown else None
        self._lines = shown and self._bar is None
        self._last = 0.0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.close()

    def step(self, residual: float, count: int = 1) -> None:
        """Count iterations that have led to a relative residual of the normal equations."""
        self.iterations += count
        if self._callback is not None:
            self._callback(self.iterations, residual)
        if self._bar is not None:
            self._bar.set_postfix_str(f"residual {residual:.2e}", refresh=False)
            self._bar.update(count)
        elif self._lines and (now := time.monotonic()) - self._last >= _SECONDS:
            self._last = now
            sys.stderr.write(f"tikhonov: iteration {self.iterations}, residual {residual:.2e}\n")


def _bar() -> Any:
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm(desc="tikhonov", unit="it")
