"""How much memory this machine has to give."""

import os
import sys
from pathlib import Path

ALWAYS_FITS = 2**26
"""Bytes that it is not worth asking about."""


def refuse_beyond_memory(needed: int, what: str, fix: str) -> None:
    """Raise MemoryError if `needed` bytes are more than can be allocated."""
    if needed < ALWAYS_FITS:
        return
    available = available_bytes()
    if needed > available:
        raise MemoryError(
            f"{what} would take {needed} bytes ({needed / 2**30:.1f} GiB), and {available / 2**30:.1f} GiB "
            f"are available. {fix}"
        )


def available_bytes() -> int:
    """Return the bytes that can still be allocated, as far as the system tells.

    Else those of the machine; else the largest int, so that nothing is refused.
    """
    known = [size for size in (_meminfo_available(), _cgroup_available()) if size is not None]
    return min(known) if known else _physical_bytes()


def _meminfo_available() -> int | None:
    try:
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError):
        pass
    return None


def _cgroup_available() -> int | None:
    """Return what is left under the limit of this container, if there is one (cgroup v2)."""
    folder = Path("/sys/fs/cgroup")
    try:
        limit = (folder / "memory.max").read_text().strip()
        if limit == "max":
            return None
        used = int((folder / "memory.current").read_text())
        return max(int(limit) - used + _cached(folder), 0)
    except (OSError, ValueError):
        return None


def _cached(folder: Path) -> int:
    """Return the bytes of file pages that count as used and are given up on demand."""
    try:
        words = (folder / "memory.stat").read_text().split()
        return int(words[words.index("inactive_file") + 1])
    except (OSError, ValueError):
        return 0


def _physical_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return sys.maxsize
