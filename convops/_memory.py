"""How much memory this machine has to give."""

import os
import sys
from pathlib import Path

_ALWAYS_FITS = 2**26


def refuse_beyond_memory(needed: int, what: str, fix: str) -> None:
    """Raise MemoryError if `needed` bytes are more than can be allocated."""
    if needed < _ALWAYS_FITS:
        return
    available = available_bytes()
    if needed > available:
        raise MemoryError(
            f"{what} would take {needed} bytes ({needed / 2**30:.1f} GiB), and {available / 2**30:.1f} GiB "
            f"are available. {fix}"
        )


def available_bytes() -> int:
    """Return the bytes that can still be allocated, as far as the system tells; else the largest int."""
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
        used = (folder / "memory.current").read_text()
        return None if limit == "max" else max(int(limit) - int(used), 0)
    except (OSError, ValueError):
        return None


def _physical_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):
        return sys.maxsize
