"""Many weights on one pattern: the matrices of `conv_matrix`, and what they share."""

import copy
import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import FrozenInstanceError
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from scipy.sparse import csr_array

from convops import ConvGeometry, ConvPattern, conv_matrix
from oracles import assert_within_rounding
from registry import CASES, FLOATS, Case, cases, magnitude_of, matrix_of, weights_for


def pattern_of(case: Case, **more: Any) -> ConvPattern:
    return ConvPattern(ConvGeometry(case.weight_shape, case.input_shape, **case.geometry()), **more)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_matrix_of_a_weight_is_that_of_the_loops_new_or_overwritten(case: Case) -> None:
    pattern = pattern_of(case)
    for dtype in (*FLOATS, "int16", "int32", "int64"):
        W = pattern.matrix(weights_for(case, dtype, seed=1), flip=case.flip, dtype=dtype)
        weight = weights_for(case, dtype)
        new = pattern.matrix(weight, flip=case.flip)
        data = W.data
        assert pattern.matrix(weight, flip=case.flip, out=W) is W
        assert W.data is data
        assert W.dtype == dtype
        assert new.dtype == conv_matrix(weight, case.input_shape, **case.kwargs()).dtype
        for found in (new, W):
            assert_within_rounding(found.toarray(), matrix_of(case, weight), *magnitude_of(case, weight))
            fresh = csr_array((found.data, found.indices, found.indptr), shape=found.shape)
            fresh.check_format(full_check=True)
            assert fresh.has_canonical_format
            assert found.has_canonical_format


@given(cases())
@settings(max_examples=60)
def test_any_geometry_gives_the_matrix_of_the_loops(case: Case) -> None:
    pattern = pattern_of(case)
    W = pattern.matrix(weights_for(case, "int64", seed=1))
    weight = weights_for(case, "int64")
    pattern.matrix(weight, flip=case.flip, out=W)
    np.testing.assert_array_equal(W.toarray(), matrix_of(case, weight))


def test_matrices_share_their_indices_and_nothing_else() -> None:
    pattern = ConvPattern(ConvGeometry(3, 8, padding=1))
    weight = np.array([1.0, 2.0, 3.0])
    one, two = pattern.matrix(weight), pattern.matrix(weight)
    assert one.indices is two.indices is pattern.indices
    assert one.indptr is two.indptr is pattern.indptr
    assert not np.shares_memory(one.data, two.data)
    one.data[:] = 0
    weight[:] = 0
    np.testing.assert_array_equal(two.toarray(), conv_matrix([1.0, 2.0, 3.0], 8, padding=1).toarray())


IN_PLACE: list[tuple[str, Callable[[csr_array], object]]] = [
    ("eliminate_zeros", lambda W: W.eliminate_zeros()),
    ("sort_indices", lambda W: (setattr(W, "has_sorted_indices", False), W.sort_indices())),
    ("sum_duplicates", lambda W: (setattr(W, "has_canonical_format", False), W.sum_duplicates())),
    ("indices", lambda W: W.indices.__setitem__(0, 5)),
    ("indptr", lambda W: W.indptr.__setitem__(0, 5)),
]


@pytest.mark.parametrize(("name", "change"), IN_PLACE, ids=[name for name, _ in IN_PLACE])
def test_what_would_change_the_shared_arrays_is_refused_and_changes_nothing(
    name: str, change: Callable[[csr_array], object]
) -> None:
    pattern = ConvPattern(ConvGeometry(3, 8))
    W, other = pattern.matrix([1.0, 0.0, 3.0]), pattern.matrix([4.0, 5.0, 6.0])
    expected = conv_matrix([1.0, 0.0, 3.0], 8).toarray()
    with pytest.raises(ValueError, match="read-only"):
        change(W)
    np.testing.assert_array_equal(W.toarray(), expected)
    np.testing.assert_array_equal(other.toarray(), conv_matrix([4.0, 5.0, 6.0], 8).toarray())
    own = W.copy()
    own.eliminate_zeros()
    assert own.nnz < W.nnz
    np.testing.assert_array_equal(own.toarray(), expected)


@pytest.mark.filterwarnings("ignore:Changing the sparsity structure")
def test_what_makes_new_arrays_leaves_the_other_matrices_alone() -> None:
    pattern = ConvPattern(ConvGeometry(3, 8))
    other, expected = pattern.matrix([4, 5, 6]), conv_matrix([4, 5, 6], 8).toarray()
    W = pattern.matrix([1, 2, 3])
    W[0, 7] = 9
    W.resize(4, 6)
    W *= 2
    W.prune()
    for found in (pattern.matrix([4, 5, 6]), other):
        np.testing.assert_array_equal(found.toarray(), expected)
    with pytest.raises(ValueError, match="not the pattern of W"):
        pattern.matrix([1, 2, 3], out=W)


def test_a_matrix_of_conv_matrix_is_overwritten_too_and_one_of_another_pattern_is_not() -> None:
    geometry = ConvGeometry((2, 2), (4, 4), stride=2)
    pattern = ConvPattern(geometry)
    W = conv_matrix(np.ones((2, 2)), (4, 4), stride=2)
    pattern.matrix(np.arange(4.0).reshape(2, 2), out=W)
    np.testing.assert_array_equal(
        W.toarray(), conv_matrix(np.arange(4.0).reshape(2, 2), (4, 4), stride=2).toarray()
    )
    # The same shape and as many entries, elsewhere.
    moved = csr_array((W.data, (W.indices + 1) % 16, W.indptr), shape=W.shape)
    with pytest.raises(ValueError, match=r"shape \(4, 16\) and 16 entries, and not the pattern"):
        pattern.matrix(np.ones((2, 2)), out=moved)


def test_a_refused_weight_leaves_the_matrix_as_it_was() -> None:
    pattern = ConvPattern(ConvGeometry(2, 3, padding=1, boundary="edge"))
    W = pattern.matrix([1, 2], dtype="int8")
    before = W.toarray()
    for weight, error in (
        ([100, 100], OverflowError),
        ([1.5, 2], TypeError),
        ([1, 2, 3], ValueError),
        ([300, 1], OverflowError),
    ):
        with pytest.raises(error):
            pattern.matrix(weight, out=W)
        np.testing.assert_array_equal(W.toarray(), before)


def test_narrower_weights_are_written_in_the_dtype_of_the_matrix() -> None:
    pattern = ConvPattern(ConvGeometry(2, 3))
    W = pattern.matrix([1j, 2], dtype=np.complex64)
    pattern.matrix(np.array([3, 4], np.int8), out=W)
    assert W.dtype == np.complex64
    np.testing.assert_array_equal(W.toarray(), [[3, 4, 0], [0, 3, 4]])


def test_indices_are_int64_where_asked() -> None:
    pattern = ConvPattern(ConvGeometry((2, 2), (3, 3)), index_dtype=np.int64)
    W = pattern.matrix([[1, 2], [3, 4]])
    assert (W.indices.dtype, W.indptr.dtype, W.indices is pattern.indices) == (np.int64, np.int64, True)
    np.testing.assert_array_equal(W.toarray(), conv_matrix([[1, 2], [3, 4]], (3, 3)).toarray())


def test_a_pattern_is_frozen_and_comes_back_from_a_pickle_with_read_only_arrays() -> None:
    pattern = ConvPattern(ConvGeometry(3, 8), index_dtype=np.int64)
    with pytest.raises(FrozenInstanceError):
        pattern.indices = pattern.indptr  # type: ignore[misc]
    for again in (pickle.loads(pickle.dumps(pattern)), copy.deepcopy(pattern)):
        assert not again.indices.flags.writeable
        assert not again.indptr.flags.writeable
        np.testing.assert_array_equal(again.indices, pattern.indices)
        assert (again.geometry, again.indices.dtype) == (pattern.geometry, np.int64)
        # A matrix of the one is a matrix of the other.
        again.matrix([1, 2, 3], out=pattern.matrix([4, 5, 6]))


def test_threads_write_their_own_matrices() -> None:
    pattern = ConvPattern(ConvGeometry((3, 3), (60, 60), padding=1, boundary="reflect"))
    weights = [np.full((3, 3), float(number)) for number in range(20)]
    with ThreadPoolExecutor(4) as pool:
        for number, W in enumerate(pool.map(pattern.matrix, weights)):
            assert (W.sum(axis=1) == 9 * number).all()
