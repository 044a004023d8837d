"""The matrix of the kernel operator is that of the loops."""

import numpy as np
import pytest

from convops import KernelOperator
from kernels import kernel_of, loops
from registry import CASES, Case


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_matrix_equals_the_loops_entry_by_entry(case: Case) -> None:
    for dtype in ("int64", "complex64"):
        x, matrix, *_ = loops(case, dtype)
        K = kernel_of(case, x)
        sparse = K.tosparse()
        assert sparse.dtype == dtype
        assert sparse.has_canonical_format
        np.testing.assert_allclose(sparse.toarray(), matrix, rtol=0, atol=0 if dtype == "int64" else 1e-4)
        assert not (abs(K.T.tosparse() - sparse.T)).nnz
        assert not (abs(K.H.tosparse() - sparse.conj().T)).nnz


def test_an_extension_that_leaves_the_dtype_of_the_matrix_is_refused() -> None:
    x = np.array([100, -100, 3], dtype=np.int8)
    K = KernelOperator(x, 3, padding=1, boundary="antireflect", dtype=np.int8)
    assert K([1, 0, 0]).tolist() == [300, 100, -100]
    with pytest.raises(OverflowError, match="dtype=int8: the matrix holds 300"):
        K.tosparse()
