"""What an operator, its transpose and its adjoint share."""

import pickle
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from convops import Conv, ConvTranspose
from convops.operators import map as map_module
from convops.operators.sparse import SparseEngine


def test_an_operator_and_its_partners_share_one_engine() -> None:
    A = Conv(np.ones(3, complex), 9)
    assert A.T._map is A.H._map is A.T.H._map is A._map
    assert A._map.engine is A.H._map.engine


def test_the_matrix_is_built_on_first_use_and_once_for_all_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    built = []

    class Counting(SparseEngine):
        def __init__(self, *arguments: object) -> None:
            built.append(arguments)
            super().__init__(*arguments)  # type: ignore[arg-type]

    monkeypatch.setitem(map_module.ENGINES, "sparse", Counting)
    A = Conv(np.ones((5, 5)), (40, 40), method="sparse")
    assert not built
    x = np.random.default_rng(0).standard_normal((16, 1600))
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(A.matvec, x))
    assert len(built) == 1
    np.testing.assert_array_equal(results, [A @ row for row in x])


def test_a_pickle_holds_the_weight_and_not_the_matrix() -> None:
    A = Conv(np.ones((5, 5)), (60, 60), method="sparse")
    A @ np.ones(3600)
    assert len(pickle.dumps(A)) < 2000


@pytest.mark.parametrize("method", ["sparse", "gemm"])
def test_integers_that_could_leave_int64_are_refused_and_never_wrong(method: str) -> None:
    A = Conv([2**31, 2**31], 4, padding=1, method=method)
    exact = A @ np.full(4, 2**30)
    np.testing.assert_array_equal(exact, [2**61, 2**62, 2**62, 2**62, 2**61])
    with pytest.raises(OverflowError, match=r"x holds integers up to 4294967296, .*int64"):
        A @ np.full(4, 2**32)
    with pytest.raises(OverflowError, match="x holds integers up to 4294967296"):
        A.rmatvec(np.full(5, -(2**32)))


def test_the_bound_knows_how_often_the_border_is_read() -> None:
    edge = Conv([1] * 8, 2, padding=7, boundary="edge")
    assert edge._map.gains[False] >= np.abs(edge.toarray()).sum(axis=1).max()
    assert edge._map.gains[True] >= np.abs(edge.toarray()).sum(axis=0).max()


def test_small_integers_do_not_wrap_around() -> None:
    A = Conv(np.int8([100, 100]), 4, dtype=np.int8)
    np.testing.assert_array_equal(A @ np.int8([100, 100, 100, 100]), [20000] * 3)
    B = ConvTranspose(np.uint8([200, 200]), 3, dtype=np.uint8)
    np.testing.assert_array_equal(B @ np.int8([-1, -1, -1]), [-200, -400, -400, -200])


def test_partners_are_shared_while_in_use_and_let_go_after() -> None:
    A = Conv(np.ones(3, complex), 9)
    H = A.H
    assert A.H is H
    assert H.H is A
    assert A.T.T is A
    B = A
    for _ in range(50):
        B = B.T.H.T.H
    assert B is A
    assert len(A._map.views) <= 4


def test_a_narrow_integer_dtype_narrows_the_matrix_and_not_the_products() -> None:
    for method in ("sparse", "gemm"):
        A = Conv([100] * 3, 1, padding=1, boundary="wrap", dtype=np.int8, method=method)
        np.testing.assert_array_equal(A @ [1], [300])
        with pytest.raises(OverflowError, match="int8"):
            A.tosparse()
