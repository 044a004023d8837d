"""The blocks of `iter_row_blocks` on top of each other are W, and each is as small as it says."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import csr_array, vstack

from convops import conv_matrix, iter_row_blocks
from oracles import Array
from registry import CASES, Case, cases, matrix_of, weights_for


def nbytes(block: csr_array) -> int:
    return block.data.nbytes + block.indices.nbytes + block.indptr.nbytes


def blocks_of(case: Case, weight: Array, max_bytes: int) -> list[csr_array]:
    return list(iter_row_blocks(weight, case.input_shape, **case.kwargs(), max_bytes=max_bytes))


def least_bytes(W: csr_array) -> int:
    """Return what the longest row takes alone."""
    entry = W.data.itemsize + W.indices.itemsize
    return int(np.diff(W.indptr).max(initial=0)) * entry + 2 * W.indices.itemsize


def assert_blocks_are(blocks: list[csr_array], W: csr_array, max_bytes: int) -> None:
    for block in blocks:
        fresh = csr_array((block.data, block.indices, block.indptr), shape=block.shape)
        fresh.check_format(full_check=True)
        assert fresh.has_canonical_format
        assert type(block) is csr_array
        assert block.shape[0] > 0
        assert block.shape[1] == W.shape[1]
        assert block.indices.dtype == block.indptr.dtype == W.indices.dtype
        assert nbytes(block) <= max_bytes
    stacked = vstack(blocks, format="csr")
    assert stacked.dtype == W.dtype
    assert stacked.shape == W.shape
    np.testing.assert_array_equal(stacked.indptr, W.indptr)
    np.testing.assert_array_equal(stacked.indices, W.indices)
    np.testing.assert_array_equal(stacked.data, W.data)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_blocks_on_top_of_each_other_are_the_matrix(case: Case) -> None:
    for dtype in ("float32", "complex128", "int64"):
        weight = weights_for(case, dtype)
        W = conv_matrix(weight, case.input_shape, **case.kwargs())
        least = least_bytes(W)
        for max_bytes in (least, 3 * least, 20 * least, nbytes(W)):
            blocks = blocks_of(case, weight, max_bytes)
            assert_blocks_are(blocks, W, max_bytes)
        assert len(blocks) == 1


@given(cases(), st.integers(1, 50))
@settings(max_examples=40)
def test_any_geometry_in_blocks_of_any_size_is_the_matrix_of_the_loops(case: Case, times: int) -> None:
    weight = weights_for(case, "int64")
    loops = matrix_of(case, weight)
    W = conv_matrix(weight, case.input_shape, **case.kwargs())
    blocks = blocks_of(case, weight, times * least_bytes(W))
    np.testing.assert_array_equal(np.concatenate([block.toarray() for block in blocks]), loops)


def test_blocks_hold_as_many_lines_as_fit() -> None:
    line = 100 * 9 * 12 + 100 * 4
    blocks = list(iter_row_blocks(np.ones((3, 3)), (102, 102), max_bytes=7 * line + 4))
    assert [block.shape[0] for block in blocks] == [700] * 14 + [200]


def test_filters_that_are_whole_are_put_together() -> None:
    weight = np.ones((10, 1, 3))
    blocks = list(iter_row_blocks(weight, (10, 20), groups=10, max_bytes=4 * (18 * 3 * 12 + 18 * 4) + 4))
    assert [block.shape[0] for block in blocks] == [72, 72, 36]
    np.testing.assert_array_equal(
        vstack(blocks).toarray(), conv_matrix(weight, (10, 20), groups=10).toarray()
    )


def test_indices_are_int64_where_asked() -> None:
    blocks = list(iter_row_blocks([1, 2], 50, index_dtype=np.int64, max_bytes=200))
    assert {block.indices.dtype for block in blocks} == {np.dtype(np.int64)}
    assert all(nbytes(block) <= 200 for block in blocks)
    np.testing.assert_array_equal(vstack(blocks).toarray(), conv_matrix([1, 2], 50).toarray())


@pytest.mark.parametrize("max_bytes", [2**20, 2**22])
def test_a_block_takes_little_more_memory_than_its_bound(max_bytes: int) -> None:
    weight = np.ones((5, 5))
    blocks = iter_row_blocks(weight, (400, 400), padding="same", boundary="reflect", max_bytes=max_bytes)
    tracemalloc.start()
    rows = 0
    while (block := next(blocks, None)) is not None:
        rows += block.shape[0]
        del block
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert rows == 400 * 400
    assert peak <= 1.25 * max_bytes


def test_the_first_blocks_of_a_matrix_that_fits_no_memory() -> None:
    weight = np.arange(9.0).reshape(3, 3)
    blocks = iter_row_blocks(weight, (10**7, 1000), padding="same", max_bytes=2**20)
    first, second = next(blocks), next(blocks)
    # Rows of W away from the border do not depend on how many there are below.
    rows = first.shape[0] + second.shape[0]
    lines = rows // 1000 + 2
    W = conv_matrix(weight, (lines, 1000), padding="same")[:rows]
    assert first.indices.dtype == np.int64
    found = vstack([first, second])
    np.testing.assert_array_equal(found.indptr, W.indptr)
    np.testing.assert_array_equal(found.indices, W.indices)
    np.testing.assert_array_equal(found.data, W.data)


def test_indices_stay_int32_where_the_entries_of_the_matrix_need_more() -> None:
    blocks = iter_row_blocks(np.ones((9, 9), "float32"), (40_000, 40_000), max_bytes=2**22)
    block = next(blocks)
    assert block.indices.dtype == np.int32
    assert block.shape[1] == 16 * 10**8


def test_a_run_of_many_outputs_is_cut_without_counting_them() -> None:
    block = next(iter_row_blocks([1.0, 2.0], 10**15, max_bytes=1000))
    assert block.shape == (24, 10**15)


def test_arguments_are_refused_before_the_first_block() -> None:
    with pytest.raises(
        ValueError,
        match=r"max_bytes=100: .* the longest has 25 entries, 25 \* \(8 \+ 4\) \+ 2 \* 4 = 308 bytes in "
        r"float64 with int32 indices\. Give at least 308\.",
    ):
        iter_row_blocks(np.ones((5, 5)), (9, 9), max_bytes=100)
    with pytest.raises(OverflowError, match="holds 200"):
        iter_row_blocks([100, 100], 3, padding=((1, 0),), boundary="edge", dtype="int8")
    with pytest.raises(ValueError, match=r"W needs an index of 10000000000"):
        iter_row_blocks([1.0], 10**10, index_dtype=np.int32)
    with pytest.raises(MemoryError, match=r"A block of W .* max_bytes=\d+, would take"):
        iter_row_blocks([1.0, 1.0], 10**15, max_bytes=10**16)
