"""`conv_matrix` against the loops, and what canonical means."""

import time
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.sparse import csr_array

from convops import ConvGeometry, _copies, conv_matrix
from convops.assembly import assemble
from oracles import assert_within_rounding
from registry import CASES, FLOATS, INTEGERS, Case, cases, magnitude_of, matrix_of, weights_for


def assert_canonical(W: csr_array) -> None:
    """Read the arrays afresh: SciPy must find them valid, sorted and without duplicates."""
    fresh = csr_array((W.data, W.indices, W.indptr), shape=W.shape)
    fresh.check_format(full_check=True)
    assert fresh.has_sorted_indices
    assert fresh.has_canonical_format
    assert W.indices.dtype == W.indptr.dtype


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_matrix_is_that_of_the_loops(case: Case) -> None:
    for dtype in FLOATS:
        weight = weights_for(case, dtype)
        W = conv_matrix(weight, case.input_shape, **case.kwargs())
        assert type(W) is csr_array
        assert W.dtype == dtype
        assert_canonical(W)
        assert_within_rounding(W.toarray(), matrix_of(case, weight), *magnitude_of(case, weight))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_integers_are_exact(case: Case) -> None:
    for dtype in INTEGERS:
        weight = weights_for(case, dtype)
        W = conv_matrix(weight, case.input_shape, **case.kwargs())
        assert W.dtype == np.int64
        np.testing.assert_array_equal(W.toarray(), matrix_of(case, weight))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_pattern_depends_on_the_geometry_alone(case: Case) -> None:
    geometry = ConvGeometry(case.weight_shape, case.input_shape, **case.geometry())
    joined, _ = magnitude_of(case, np.ones(case.weight_shape, int))
    for weight in (np.zeros(case.weight_shape), weights_for(case)):
        W = conv_matrix(weight, case.input_shape, **case.kwargs())
        pattern = csr_array((np.ones(W.nnz), W.indices, W.indptr), shape=W.shape)
        np.testing.assert_array_equal(pattern.toarray() != 0, joined != 0)
        assert W.nnz == geometry.nnz
        assert W.data.nbytes + W.indices.nbytes + W.indptr.nbytes == geometry.nbytes(W.dtype)


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8"])
def test_the_matrix_is_that_of_the_loops_where_copies_are_aligned(
    dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As in matrices of megabytes, which the loops would take long for.
    monkeypatch.setattr(_copies, "_WORTH_ALIGNING", 0)
    for case in CASES:
        weight = weights_for(case, dtype)
        W = conv_matrix(weight, case.input_shape, **case.kwargs())
        assert_within_rounding(W.toarray(), matrix_of(case, weight), *magnitude_of(case, weight))


@given(cases())
@settings(max_examples=60)
def test_any_geometry_gives_the_matrix_of_the_loops(case: Case) -> None:
    weight = weights_for(case, "int64")
    W = conv_matrix(weight, case.input_shape, **case.kwargs())
    assert_canonical(W)
    np.testing.assert_array_equal(W.toarray(), matrix_of(case, weight))


def test_the_matrix_written_by_hand() -> None:
    W = conv_matrix([[1, 2], [3, 4]], (3, 3))
    by_hand = [
        [1, 2, 0, 3, 4, 0, 0, 0, 0],
        [0, 1, 2, 0, 3, 4, 0, 0, 0],
        [0, 0, 0, 1, 2, 0, 3, 4, 0],
        [0, 0, 0, 0, 1, 2, 0, 3, 4],
    ]
    np.testing.assert_array_equal(W.toarray(), by_hand)
    np.testing.assert_array_equal(W @ np.arange(9), [27, 37, 57, 67])


def test_antireflect_written_by_hand() -> None:
    W = conv_matrix([1, 10, 100], 3, padding=1, boundary="antireflect")
    by_hand = [[12, 99, 0], [1, 10, 100], [0, -99, 210]]
    np.testing.assert_array_equal(W.toarray(), by_hand)


def test_an_entry_that_cancels_is_stored() -> None:
    W = conv_matrix([1, 0, 1], 3, padding=1, boundary="antireflect")
    np.testing.assert_array_equal(W.toarray(), [[2, 0, 0], [1, 0, 1], [0, 0, 2]])
    assert W.nnz == 7


def test_indices_are_int32_and_int64_where_asked() -> None:
    case = next(case for case in CASES if case.name == "2d groups")
    weight = weights_for(case)
    narrow = conv_matrix(weight, case.input_shape, **case.kwargs())
    wide = conv_matrix(weight, case.input_shape, **case.kwargs(), index_dtype=np.int64)
    assert (narrow.indices.dtype, wide.indices.dtype) == (np.int32, np.int64)
    assert_canonical(narrow)
    assert wide.indptr.dtype == np.int64
    assert wide.has_canonical_format
    np.testing.assert_array_equal(narrow.toarray(), wide.toarray())


def test_an_explicit_dtype_holds_the_entries() -> None:
    for dtype in ("float32", "complex64", "int8", "uint16"):
        W = conv_matrix([1, 2, 1], 4, dtype=dtype)
        assert W.dtype == dtype
        np.testing.assert_array_equal(W.toarray(), [[1, 2, 1, 0], [0, 1, 2, 1]])


def test_a_matrix_beyond_memory_is_refused_before_it_is_allocated() -> None:
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(MemoryError) as caught:
        conv_matrix(np.ones((101, 101)), (100_000, 100_000), padding="same")
    elapsed, peak = time.perf_counter() - start, tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    nnz = (101 * 100_000 - 50 * 51) ** 2
    message = str(caught.value)
    assert f"nnz = {nnz} entries" in message
    assert f"would take {nnz * 16 + (10**10 + 1) * 8} bytes" in message
    assert 'convops.Conv(weight, input_shape, method="gemm")' in message
    assert peak < 2**20
    assert elapsed < 1


def test_int32_forced_on_a_matrix_that_needs_int64_is_refused() -> None:
    with pytest.raises(ValueError, match=r"index_dtype=.*: W needs an index of \d+, and int32 ends"):
        conv_matrix(np.ones((15, 15)), (4096, 4096), padding="same", index_dtype=np.int32)


def test_building_takes_little_more_memory_than_the_matrix() -> None:
    weight = np.ones((5, 5))
    geometry = ConvGeometry(weight.shape, (300, 300), padding="same", boundary="reflect")
    tracemalloc.start()
    assemble(geometry, weight)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 1.25 * geometry.nbytes(weight.dtype)


def test_the_weight_is_not_kept() -> None:
    weight = np.array([1.0, 2.0])
    W = conv_matrix(weight, 3)
    W.data[:] = 0
    np.testing.assert_array_equal(weight, [1, 2])


def test_a_stride_beyond_any_index_leaves_one_output() -> None:
    W = conv_matrix([[1, 2], [3, 4]], (3, 3), stride=2**62, dilation=2)
    np.testing.assert_array_equal(W.toarray(), [[1, 0, 2, 0, 0, 0, 3, 0, 4]])
    narrow = conv_matrix([[1, 2]], (3, 3), stride=(1, 2**62), padding=1)
    np.testing.assert_array_equal(narrow.toarray()[1], [2, 0, 0, 0, 0, 0, 0, 0, 0])


@pytest.mark.parametrize(
    ("taps", "size", "padding", "boundary"),
    [(500, 10, 20_000, "zeros"), (2000, 2000, "full", "zeros"), (300, 3000, "same", "reflect")],
)
def test_long_kernels_and_wide_paddings_take_memory_of_the_order_of_the_matrix(
    taps: int, size: int, padding: Any, boundary: str
) -> None:
    geometry = ConvGeometry(taps, size, padding=padding, boundary=boundary)
    tracemalloc.start()
    assemble(geometry, np.ones(taps))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 5 * geometry.nbytes() + 1000 * geometry.shape[0]
