"""That threads leave the core of the one that hands them work, and are asked to only when they must be."""

import os
import threading
from typing import Any

import pytest

from convops.apply import _cores, _threads
from convops.apply._cores import Cores


class System:
    """What the system is told, and what it tells."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, here: int, allowed: set[int]) -> None:
        self.here, self.allowed = here, allowed
        self.told: list[tuple[int, set[int]]] = []
        monkeypatch.setattr(_cores, "_this_core", lambda: self.here)
        monkeypatch.setattr(os, "sched_getaffinity", lambda thread: self.allowed, raising=False)
        monkeypatch.setattr(os, "sched_setaffinity", self.set, raising=False)

    def set(self, thread: int, cores: Any) -> None:
        self.told.append((thread, set(cores)))


def test_threads_may_use_what_their_caller_may_but_for_its_core(monkeypatch: pytest.MonkeyPatch) -> None:
    system = System(monkeypatch, 3, {1, 3, 5})
    Cores().keep_free([70, 71])
    assert system.told == [(70, {1, 5}), (71, {1, 5})]


def test_the_system_is_asked_again_only_after_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    system, cores = System(monkeypatch, 3, {1, 3, 5}), Cores()
    for _ in range(3):
        cores.keep_free([70])
    assert system.told == [(70, {1, 5})]
    system.here = 5
    cores.keep_free([70])
    assert system.told[1:] == [(70, {1, 3})]
    cores.keep_free([70, 71])  # one began meanwhile
    assert system.told[2:] == [(70, {1, 3}), (71, {1, 3})]
    system.allowed = {1, 5}
    cores.keep_free([70, 71])
    assert system.told[4:] == [(70, {1}), (71, {1})]


def test_with_one_core_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    system = System(monkeypatch, 3, {3})
    Cores().keep_free([70])
    assert not system.told


def test_a_system_that_does_not_tell_or_that_forbids_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    system = System(monkeypatch, 3, {1, 3})

    def forbid(thread: int, cores: Any) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "sched_setaffinity", forbid, raising=False)
    Cores().keep_free([70])
    monkeypatch.setattr(_cores, "_this_core", None)
    monkeypatch.setattr(os, "sched_setaffinity", system.set, raising=False)
    Cores().keep_free([70])
    assert not system.told
    monkeypatch.delattr(os, "sched_setaffinity")
    assert _cores._core_of_this_thread() is None


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="this system has no affinities")
def test_work_that_is_shared_runs_on_two_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = os.sched_getaffinity(0)
    if len(allowed) < 2:
        pytest.skip("there is one core")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    monkeypatch.setattr(_threads, "_pools", {})
    here = threading.get_ident()
    seen: list[set[int]] = []

    def work(pieces: list[int]) -> None:
        if threading.get_ident() != here:
            seen.append(os.sched_getaffinity(0))

    for _ in range(3):
        _threads.share(work, range(2), 1.0)
    assert os.sched_getaffinity(0) == allowed
    assert all(cores <= allowed for cores in seen)
    assert len(seen[-1]) == len(allowed) - 1
