"""Rows and columns in another order are those of the dense matrix."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from convops._reorder import reordered


@pytest.mark.parametrize("index_dtype", [np.int32, np.int64])
def test_it_is_what_indexing_makes_of_the_dense_matrix(index_dtype: type) -> None:
    rng = np.random.default_rng(0)
    W = csr_array(np.where(rng.random((30, 20)) < 0.2, rng.standard_normal((30, 20)), 0.0))
    rows, columns = rng.permutation(30), rng.permutation(20)
    indices, indptr = W.indices.astype(index_dtype), W.indptr.astype(index_dtype)
    data, places, pointers = reordered(W.data, indices, indptr, rows, columns)
    assert places.dtype == pointers.dtype == index_dtype
    found = csr_array((data, places, pointers), shape=W.shape).toarray()
    assert np.array_equal(found[:, columns], W.toarray()[rows])


def test_an_empty_matrix_stays_empty() -> None:
    none = np.zeros(0), np.zeros(0, np.int32), np.zeros(4, np.int32)
    data, indices, indptr = reordered(*none, np.array([2, 0, 1]), np.array([1, 0]))
    assert data.size == indices.size == indptr.sum() == 0
