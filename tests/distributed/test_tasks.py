"""What a worker does for a chunk: one engine for chunks alike, one thread, no matrix of a large chunk."""

import pickle
from typing import Any

import numpy as np
import pytest

from convops import Conv
from convops.apply._threads import workers
from convops.distributed import DaskConv
from convops.distributed._tasks import small_map
from convops.operators.map import Map

da = pytest.importorskip("dask.array")


def test_recipes_of_the_same_content_are_equal_wherever_they_come_from() -> None:
    recipe = DaskConv([1.0, 2.0], 9)._recipe
    again = pickle.loads(pickle.dumps(recipe))
    assert again == recipe
    assert hash(again) == hash(recipe)
    others = [
        DaskConv([1.0, 3.0], 9),
        DaskConv([1.0, 2.0], 8),
        DaskConv([1.0, 2.0], 9, flip=True),
        DaskConv([1.0, 2.0], 9, method="gemm"),
        DaskConv(np.array([1.0, 2.0], np.float32), 9),
    ]
    assert len({recipe, *(other._recipe for other in others)}) == 6


def test_an_engine_is_built_once_for_all_chunks_of_a_geometry() -> None:
    A = DaskConv(np.ones((3, 3)), (80, 80), padding="same")
    small_map.cache_clear()
    A(da.ones((80, 80), chunks=8)).compute()
    assert small_map.cache_info().misses == 9
    A(da.zeros((80, 80), chunks=8)).compute()
    assert small_map.cache_info().misses == 9


def test_a_chunk_takes_one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    seen: list[int] = []
    apply = Map.apply

    def watched(*arguments: Any) -> Any:
        seen.append(workers())
        return apply(*arguments)

    monkeypatch.setattr(Map, "apply", watched)
    A = DaskConv(np.ones((3, 3)), (20, 20))
    A(da.ones((20, 20), chunks=10)).compute(scheduler="threads", num_workers=2)
    assert seen == [1] * 4
    assert workers() == 3


def test_threads_give_the_same_as_one() -> None:
    x = da.random.default_rng(0).standard_normal((90, 90), chunks=13)
    lazy = DaskConv(np.arange(25.0).reshape(5, 5), (90, 90), padding="same", boundary="antireflect").H(x)
    np.testing.assert_array_equal(lazy.compute(), lazy.compute(scheduler="threads", num_workers=4))


def test_auto_builds_no_matrix_of_a_large_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        Map, "method", property(lambda self: "sparse" if self.asked == "auto" else self.asked)
    )
    recipe = DaskConv(np.ones((3, 3)), (400, 400))._recipe
    large, tiny = ((size, 3, 1, 1, 0, 0, "zeros") for size in (400, 8))
    small_map.cache_clear()
    assert small_map(recipe, (large, large)).asked in ("gemm", "fft", "separable")
    assert small_map(recipe, (tiny, tiny)).asked == "auto"
    small_map.cache_clear()


@pytest.mark.parametrize("boundary", ["zeros", "antireflect"])
def test_chunks_are_never_written_to(boundary: str) -> None:
    x = np.ones((12, 12))
    x.flags.writeable = False
    A = Conv(np.ones((3, 3)), (12, 12), padding="same", boundary=boundary)
    blocks = da.from_array(np.zeros((12, 12)), chunks=12).map_blocks(lambda _: x)
    for operator in (A, A.H):
        np.testing.assert_allclose(operator(blocks), operator(x))
