"""The graph of a product: few tasks for each chunk, small borders between them, one work for chunks alike."""

from typing import Any

import numpy as np
import pytest

from convops.distributed import DaskConv
from convops.distributed._tasks import ChunkProduct, cut
from registry import BOUNDARIES

da = pytest.importorskip("dask.array")


def tasks_of(lazy: Any) -> dict[Any, Any]:
    """The tasks that a product adds, without the weight that all share."""
    layer = lazy.dask.layers[lazy.name]
    return {key: task for key, task in layer.items() if isinstance(key, tuple)}


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_a_chunk_takes_at_most_three_tasks_per_axis_multiplied(axes: int, boundary: str) -> None:
    for stride in (1, 2):
        A = DaskConv(np.ones((5,) * axes), (64,) * axes, stride=stride, padding="same", boundary=boundary)
        for operator in (A, A.H):
            x = da.ones(operator.input_shape, chunks=16 if operator is A else 16 // stride)
            lazy = operator(x)
            assert lazy.numblocks == (4,) * axes
            assert len(tasks_of(lazy)) <= 3**axes * lazy.npartitions


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_chunks_shorter_than_the_kernel_are_merged(boundary: str) -> None:
    A = DaskConv(np.ones((9, 9)), (60, 60), padding="same", boundary=boundary)
    for operator in (A, A.H):
        lazy = operator(da.ones((60, 60), chunks=2))
        assert min(min(sizes) for sizes in lazy.chunks) >= 8
        assert len(tasks_of(lazy)) <= 9 * lazy.npartitions


def test_explicit_chunks_shorter_than_the_kernel_take_few_tasks_too() -> None:
    A = DaskConv(np.ones((9, 9)), (60, 60), padding="same", boundary="wrap", chunks=2)
    lazy = A(da.ones((60, 60), chunks=20))
    assert lazy.chunks == ((2,) * 30,) * 2
    assert len(tasks_of(lazy)) <= 9 * lazy.npartitions


def test_only_borders_travel() -> None:
    A = DaskConv(np.ones((5, 5)), (100, 100), padding="same", boundary="reflect")
    tasks = tasks_of(A(da.ones((100, 100), chunks=20)))
    borders = [task for task in tasks.values() if task.func is cut]
    assert borders
    for task in borders:
        sizes = [part.stop - part.start for part in task.args[1]]
        assert min(sizes) <= 2
        assert max(sizes) <= 20
    border = cut(np.ones((20, 20)), (slice(0, 2), slice(0, 20)))
    assert border.base is None


def test_chunks_that_differ_in_their_place_alone_share_their_work() -> None:
    A = DaskConv(np.ones((5, 5)), (200, 200), padding="same", boundary="zeros")
    for operator in (A, A.H):
        tasks = tasks_of(operator(da.ones((200, 200), chunks=20)))
        works = {id(task.func) for task in tasks.values() if isinstance(task.func, ChunkProduct)}
        assert len(works) == 9


def test_samples_that_no_output_reads_are_zero_without_reading() -> None:
    A = DaskConv([1.0], 90, stride=30)
    lazy = A.T(da.ones(3))
    assert lazy.compute().tolist() == ([1.0] + [0.0] * 29) * 3
    padded = DaskConv([1.0, 2.0], 4, padding=20, chunks=5)(da.ones(4))
    expected = np.zeros(43)
    expected[19:24] = [2, 3, 3, 3, 1]
    np.testing.assert_array_equal(padded, expected)


def test_a_large_graph_is_planned_in_no_time() -> None:
    # 2500 chunks of 4 GiB each: nothing but integers is ever made of them.
    A = DaskConv(np.ones((15, 15), np.float32), (1_638_400, 1_638_400), padding="same", boundary="wrap")
    lazy = A.H(da.zeros(A.output_shape, chunks=32_768, dtype=np.float32))
    assert lazy.npartitions == 2500
    assert len(tasks_of(lazy)) <= 9 * 2500
