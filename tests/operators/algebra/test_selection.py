"""A selection is numpy's indexing with a mask, its adjoint the assignment to one."""

import pickle

import numpy as np
import pytest

from convops import Conv, check_adjoint, selection, tikhonov

MASK = np.random.default_rng(0).random((4, 5)) > 0.4


@pytest.mark.parametrize("dtype", ["int64", "float32", "float64", "complex128"])
def test_it_is_indexing_with_a_mask(dtype: str) -> None:
    S = selection(MASK, dtype)
    x = np.arange(60).reshape(3, 4, 5).astype(dtype)
    assert S.dtype == dtype
    assert np.array_equal(S(x), x[:, MASK])
    back = np.zeros_like(x)
    back[:, MASK] = S(x)
    assert np.array_equal(S.H(S(x)), back)
    assert np.array_equal(S.toarray(), np.eye(20, dtype=dtype)[MASK.ravel()])
    assert np.array_equal(S.T.toarray(), S.toarray().T)
    assert np.array_equal(S @ np.eye(20, dtype=dtype), S.toarray())
    assert np.array_equal(S.T @ np.eye(S.shape[0], dtype=dtype), S.toarray().T)
    assert S.H.H is S
    assert check_adjoint(S)


def test_it_survives_a_pickle_and_the_mask() -> None:
    mask = MASK.copy()
    S = selection(mask)
    again = pickle.loads(pickle.dumps(S.H))
    mask[:] = False
    assert np.array_equal(again.toarray(), S.toarray().T)
    assert S.shape[0] == MASK.sum()
    assert repr(S).startswith(f"<{MASK.sum()}x20 Selection: selection of {MASK.sum()} from (4, 5)")


def test_in_front_of_a_blur_it_keeps_the_shape_of_the_image() -> None:
    A = selection(MASK) @ Conv(np.ones((3, 3)) / 9, MASK.shape, padding="same", boundary="symmetric")
    assert A.input_shape == MASK.shape
    assert A.output_shape == (MASK.sum(),)
    assert tikhonov(A, np.ones(MASK.sum()), 0.1, reg="gradient") == pytest.approx(np.ones(MASK.shape))
