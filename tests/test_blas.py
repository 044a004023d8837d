"""The processor that is named is the one for which BLAS multiplies, on one thread while it is held to one."""

import ctypes
import os
import platform
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator

import pytest

from convops._blas import OneThread, _function, blas_core


@pytest.fixture
def anew() -> Iterator[None]:
    blas_core.cache_clear()
    yield
    blas_core.cache_clear()


def test_it_is_what_threadpoolctl_finds() -> None:
    threadpoolctl = pytest.importorskip("threadpoolctl")
    found = [each for each in threadpoolctl.threadpool_info() if "numpy" in each["filepath"]]
    if not found or found[0]["internal_api"] != "openblas":
        pytest.skip("numpy brought no OpenBLAS of its own")
    assert blas_core() == found[0]["architecture"]


@pytest.mark.skipif(
    not blas_core() or platform.machine() not in ("x86_64", "AMD64"), reason="no OpenBLAS for x86-64"
)
def test_it_is_what_the_environment_asks_openblas_for() -> None:
    command = [sys.executable, "-c", "from convops._blas import blas_core; print(blas_core())"]
    environment = os.environ | {"OPENBLAS_CORETYPE": "Nehalem"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "Nehalem"


@pytest.mark.usefixtures("anew")
def test_another_blas_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda path: object())
    assert blas_core() == ""


@pytest.mark.usefixtures("anew")
def test_a_numpy_that_cannot_be_looked_into_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise OSError(path)

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    assert blas_core() == ""


@pytest.fixture
def threads() -> Iterator[Callable[[], int]]:
    """Let BLAS have three threads, and return what tells how many it has."""
    told, let = _function("get_num_threads"), _function("set_num_threads")
    if told is None or let is None:
        pytest.skip("no OpenBLAS")
    before = told()
    let(3)
    yield told
    let(before)


def test_blas_has_one_thread_within_and_as_many_as_before_after(threads: Callable[[], int]) -> None:
    context = OneThread()
    assert context.works
    for _ in range(2):
        with context(), context():
            assert threads() == 1
        assert threads() == 3
    with pytest.raises(KeyboardInterrupt), context():
        raise KeyboardInterrupt
    assert threads() == 3


def test_an_interrupt_while_threads_are_counted_lets_blas_have_them(threads: Callable[[], int]) -> None:
    context = OneThread()
    let = context._set
    assert let is not None

    def interrupted(count: int) -> None:
        let(count)
        if count == 1:
            raise KeyboardInterrupt

    context._set = interrupted
    with pytest.raises(KeyboardInterrupt), context():
        pass
    assert threads() == 3


def test_the_last_thread_that_leaves_lets_blas_have_its_threads(threads: Callable[[], int]) -> None:
    context, inside, leave = OneThread(), threading.Event(), threading.Event()

    def stay() -> None:
        with context():
            inside.set()
            leave.wait()

    other = threading.Thread(target=stay)
    other.start()
    inside.wait()
    with context():
        pass
    assert threads() == 1
    leave.set()
    other.join()
    assert threads() == 3


def test_a_process_that_is_forked_amid_the_context_begins_outside(threads: Callable[[], int]) -> None:
    context = OneThread()
    with context():
        context._begin_anew()
        assert threads() == 3
        with context():
            assert threads() == 1
        assert threads() == 3
    assert threads() == 3
    with context():
        assert threads() == 1


def test_with_another_blas_the_context_does_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda path: object())
    context = OneThread()
    assert not context.works
    with context():
        pass
