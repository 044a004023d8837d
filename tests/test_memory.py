"""How much memory there is, with and without the files that Linux tells it in."""

from pathlib import Path

import pytest

from convops import _memory


def test_this_machine_has_memory() -> None:
    assert 2**20 < _memory.available_bytes() < 2**60


def test_the_smaller_of_machine_and_container_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    files = {
        "/proc/meminfo": "MemTotal:  900 kB\nMemAvailable:  500 kB\n",
        "/sys/fs/cgroup/memory.max": "400000\n",
        "/sys/fs/cgroup/memory.current": "100000\n",
        "/sys/fs/cgroup/memory.stat": "anon 90000\nfile 10000\ninactive_file 5000\nactive_file 5000\n",
    }
    monkeypatch.setattr(Path, "read_text", lambda self: files[str(self)])
    assert _memory.available_bytes() == 305_000
    files["/sys/fs/cgroup/memory.stat"] = ""
    assert _memory.available_bytes() == 300_000
    files["/sys/fs/cgroup/memory.max"] = "max\n"
    assert _memory.available_bytes() == 500 * 1024


def test_physical_memory_counts_where_linux_tells_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(self: Path) -> str:
        raise FileNotFoundError(self)

    monkeypatch.setattr(Path, "read_text", missing)
    assert _memory.available_bytes() > 2**20


def test_without_any_answer_nothing_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(name: str) -> int:
        raise ValueError(name)

    monkeypatch.setattr(_memory, "_meminfo_available", lambda: None)
    monkeypatch.setattr(_memory, "_cgroup_available", lambda: None)
    monkeypatch.setattr(_memory.os, "sysconf", unknown)
    assert _memory.available_bytes() >= 2**62
