"""How many threads there are, and that they do all of the work, once."""

import multiprocessing
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convops._blas import one_thread
from convops.apply import _threads, cost
from convops.apply._threads import alone, share, summed, workers

MANY = 1e9
"""Seconds of work that are worth any number of threads."""


@pytest.fixture
def three(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")


@pytest.mark.parametrize(("given", "threads"), [("1", 1), ("2", 2), (" 7 ", 7), ("5,3,2", 5), ("1000", 1000)])
def test_the_environment_says_how_many_threads(
    given: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert workers() == threads


@pytest.mark.parametrize("given", [None, "", "0", "-2", "many", "2.5", "²", ",4"])
def test_what_is_no_number_of_threads_leaves_all_cores_allowed(
    given: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(5)), raising=False)
    if given is None:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", given)
    assert workers() == 5


def test_a_thread_that_works_alone_has_no_other(three: None) -> None:
    def elsewhere() -> int:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(workers).result()

    with alone():
        assert workers() == 1
        with alone():
            assert workers() == 1
        assert workers() == 1
        assert elsewhere() == 3
    assert workers() == 3
    with pytest.raises(KeyError), alone():
        raise KeyError
    assert workers() == 3


def test_without_affinity_the_cores_of_the_machine_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    for cores, threads in [(6, 6), (None, 1)]:
        monkeypatch.setattr(os, "cpu_count", lambda cores=cores: cores)
        assert workers() == threads


@given(st.integers(0, 30), st.integers(1, 5), st.sampled_from((0.0, 2e-3, 0.1, MANY)))
def test_every_piece_is_done_once(pieces: int, threads: int, seconds: float) -> None:
    done: list[int] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", str(threads))
        share(done.extend, range(pieces), seconds)
    assert sorted(done) == list(range(pieces))


@pytest.mark.usefixtures("three")
def test_the_parts_are_done_at_the_same_time_by_as_many_threads_as_told() -> None:
    barrier, by = threading.Barrier(3), []

    def work(pieces: list[int]) -> None:
        barrier.wait(timeout=20)  # passed by three threads at once, or by none
        by.append((threading.current_thread(), pieces))

    share(work, range(8), MANY)
    assert len({thread for thread, _ in by}) == 3
    assert sorted(sorted(pieces) for _, pieces in by) == [[0, 3, 6], [1, 4, 7], [2, 5]]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize(
    ("pieces", "seconds"),
    [
        (0, MANY),
        (1, MANY),
        (8, 0.0),
        (8, 1.9 * _threads._WORTH_A_THREAD),
        (10**5, 0.5 * 10**5 * _threads._WORTH_SHARING),
    ],
)
def test_what_is_not_worth_sharing_stays_in_the_thread_that_asks(pieces: int, seconds: float) -> None:
    by = []
    share(lambda part: by.append((threading.current_thread(), part)), range(pieces), seconds)
    assert by == [(threading.current_thread(), list(range(pieces)))]


@pytest.mark.usefixtures("three")
def test_there_are_no_more_threads_than_the_work_is_worth() -> None:
    parts: list[list[int]] = []
    share(parts.append, range(8), 2.5 * _threads._WORTH_A_THREAD)
    assert sorted(map(len, parts)) == [4, 4]


@pytest.mark.usefixtures("three")
@pytest.mark.parametrize("seconds", [0.0, MANY])
def test_an_error_in_any_part_reaches_the_caller(seconds: float) -> None:
    def work(pieces: list[int]) -> None:
        if 5 in pieces:
            raise ZeroDivisionError("piece 5")

    with pytest.raises(ZeroDivisionError, match="piece 5"):
        share(work, range(9), seconds)
    done: list[int] = []
    share(done.extend, range(9), seconds)  # and the threads go on as before
    assert sorted(done) == list(range(9))


@pytest.mark.usefixtures("three")
def test_floating_point_errors_are_treated_as_the_caller_says(three: None) -> None:
    seen: list[Any] = []
    with np.errstate(over="ignore", invalid="raise", divide="warn"):
        share(lambda parts: seen.extend(np.geterr() for _ in parts), range(30), 1.0)
        assert seen == [np.geterr()] * 30


def test_several_callers_may_share_at_the_same_time() -> None:
    done: list[list[int]] = [[] for _ in range(6)]
    callers = [threading.Thread(target=share, args=(mine.extend, range(20), MANY)) for mine in done]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join(timeout=20)
    assert [sorted(mine) for mine in done] == [list(range(20))] * 6


def _share_and_tell(connection: Any) -> None:
    done: list[int] = []
    share(done.extend, range(9), MANY)
    connection.send(sorted(done))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork on this system")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
@pytest.mark.usefixtures("three")
def test_a_forked_process_has_threads_of_its_own() -> None:
    share(lambda _: None, range(9), MANY)  # the parent's threads, which the child does not have
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_share_and_tell, args=(there,))
    child.start()
    try:
        assert here.poll(20), "the forked process waits for threads that it does not have"
        assert here.recv() == list(range(9))
    finally:
        child.kill()
        child.join()
        here.close()
        there.close()


@pytest.mark.parametrize("parts", [1, 3, 8])
def test_a_sum_is_the_same_bit_for_bit_however_many_threads_share_it(
    parts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    terms = np.random.default_rng(0).standard_normal((29, 5))
    sums = []
    for threads in (1, 2, 3):
        monkeypatch.setenv("OMP_NUM_THREADS", str(threads))
        sums.append(summed(lambda numbers: terms[numbers].sum(axis=0), list(range(29)), MANY, parts))
    np.testing.assert_allclose(sums[0], terms.sum(axis=0))
    assert all(np.array_equal(sums[0], other) for other in sums[1:])


@pytest.mark.parametrize("rows", [0, 1, 300])
@pytest.mark.parametrize("columns", [1, 700])
def test_a_product_in_pieces_is_the_product(rows: int, columns: int) -> None:
    rng = np.random.default_rng(0)
    left = rng.standard_normal((rows, 9))
    right = rng.standard_normal((9, columns)) + 1j
    assert _threads.product_alone(left, right) == pytest.approx(left @ right)


@pytest.mark.parametrize(
    ("kernels", "seconds", "held"),
    [
        (cost._HELD, MANY, True),
        (cost._HELD, 1e-5, True),
        (cost._HELD, 1e-6, False),
        (cost._HELD, 0.0, False),
        (cost._PACKING, MANY, False),
        (cost._NOT_PACKING, MANY, False),
    ],
)
def test_blas_is_held_where_a_product_might_wake_its_threads_beside_ours(
    kernels: Any, seconds: float, held: bool, three: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cost, "_BLAS", kernels)
    inside = []
    share(lambda pieces: inside.append(len(one_thread._holders)), range(3), seconds)
    assert set(inside) == {int(held and one_thread.works)}
    assert not one_thread._holders
