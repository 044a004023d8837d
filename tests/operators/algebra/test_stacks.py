"""Blocks: which shapes they have, and how arrays are put together and taken apart."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator, aslinearoperator, lsqr

from convops import Conv, block_diag, hstack, vstack

BLUR = Conv([[1.0, 2], [3, 4]], (3, 3), padding="same")
DOWN = Conv([[1.0, -1]], (3, 3))
SMALL = Conv([[1.0]], (2, 2))


def test_equal_arrays_get_a_first_axis_and_unequal_ones_a_vector() -> None:
    two, mixed = vstack([BLUR, 2 * BLUR]), vstack([BLUR, DOWN])
    assert (two.input_shape, two.output_shape) == ((3, 3), (2, 3, 3))
    assert (mixed.input_shape, mixed.output_shape) == ((3, 3), (15,))
    assert (two.H.input_shape, two.H.output_shape) == ((2, 3, 3), (3, 3))
    side = hstack([DOWN.H, BLUR])
    assert (side.input_shape, side.output_shape) == ((15,), (3, 3))
    assert (block_diag([BLUR, BLUR]).input_shape, block_diag([BLUR, BLUR]).output_shape) == ((2, 3, 3),) * 2
    assert (block_diag([BLUR, DOWN]).input_shape, block_diag([BLUR, DOWN]).output_shape) == ((2, 3, 3), (15,))
    assert vstack([BLUR]).output_shape == (1, 3, 3)


def test_images_come_out_as_the_parts_return_them() -> None:
    x = np.arange(18.0).reshape(2, 3, 3)
    np.testing.assert_array_equal(vstack([BLUR, 2 * BLUR])(x), np.stack([BLUR(x), 2 * BLUR(x)], axis=1))
    np.testing.assert_array_equal(hstack([BLUR, BLUR])(x), BLUR(x[0]) + BLUR(x[1]))
    np.testing.assert_array_equal(block_diag([BLUR, 3 * BLUR])(x), np.stack([BLUR(x[0]), 3 * BLUR(x[1])]))


@pytest.mark.parametrize("batch", [(), (4,), (2, 3)], ids=str)
def test_split_takes_apart_what_join_puts_together(batch: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).standard_normal((*batch, 3, 3)).astype(np.float32)
    V = vstack([BLUR, DOWN])
    y = V(x)
    parts = V.split(y)
    for found, expected in zip(parts, (BLUR(x), DOWN(x)), strict=True):
        np.testing.assert_array_equal(found, expected)
        assert not np.shares_memory(found, y)
    np.testing.assert_array_equal(V.join(parts), y)
    for op in (vstack([BLUR, 2 * BLUR]), hstack([BLUR, BLUR]), block_diag([BLUR, DOWN]).H, V):
        whole = op.output_shape if type(op).__name__ == "VStack" else op.input_shape
        array = np.arange(np.prod((*batch, *whole))).reshape(*batch, *whole)
        np.testing.assert_array_equal(op.join(op.split(array)), array)
        vectors = array.reshape(*batch, -1)
        for one, other in zip(op.split(vectors), op.split(array), strict=True):
            np.testing.assert_array_equal(one, other)


def test_a_number_fills_an_array_and_widens_nothing() -> None:
    V = vstack([BLUR, DOWN])
    y = V.join([np.ones((3, 3), np.float32), 0])
    assert y.dtype == np.float32
    np.testing.assert_array_equal(y, [1.0] * 9 + [0] * 6)
    assert V.join([np.ones((5, 3, 3)), 0]).shape == (5, 15)
    assert V.join([0, 1]).dtype == np.int64
    assert V.join([1j, 0]).dtype == np.complex128


def test_a_stack_solves_the_regularised_problem_of_the_normal_equations() -> None:
    rng = np.random.default_rng(0)
    A, damp = Conv(rng.standard_normal((3, 3)), (6, 5), padding="same", boundary="reflect"), 0.7
    D = vstack([Conv([[-1.0, 1]], (6, 5), padding="same", boundary="edge"), Conv([[-1.0], [1]], (6, 5))])
    V = vstack([A, damp * D])
    y = rng.standard_normal(A.output_shape)
    x = lsqr(V, V.join([y, 0]).ravel(), atol=1e-14, btol=1e-14, iter_lim=2000)[0]
    W, R = A.toarray(), D.toarray()
    np.testing.assert_allclose(x, np.linalg.solve(W.T @ W + damp**2 * R.T @ R, W.T @ y.ravel()), atol=1e-8)


REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "vstack of two arguments": (
        lambda: vstack(BLUR),
        TypeError,
        r"operators=.*in vstack\(\[A, B\]\); got Conv",
    ),
    "vstack of nothing": (lambda: vstack([]), ValueError, r"operators=\[\]: at least one"),
    "vstack of a matrix": (
        lambda: vstack([BLUR, np.eye(9)]),
        TypeError,
        r"operators\[1\] is a ndarray.*aslinear",
    ),
    "hstack of a number": (lambda: hstack([0, BLUR]), TypeError, r"operators\[0\] is a int"),
    "block_diag of None": (lambda: block_diag([BLUR, None]), TypeError, r"operators\[1\] is a NoneType"),
    "block_diag of a dict": (lambda: block_diag({"a": BLUR}), TypeError, r"operators=.*got dict"),
    "vstack of unequal": (
        lambda: vstack([BLUR, SMALL]),
        ValueError,
        r"vstack\(\[Conv\[9x9\], Conv\[4x4\]\]\): .*one input_shape; got \(3, 3\) and \(2, 2\), 9 and 4",
    ),
    "vstack of turned": (
        lambda: vstack([Conv([[1]], (2, 3)), Conv([[1]], (3, 2))]),
        ValueError,
        r"Both have 6 elements.*convops\.identity\(6\)",
    ),
    "hstack of unequal": (
        lambda: hstack([BLUR, DOWN]),
        ValueError,
        r"one output_shape; got \(3, 3\) and \(3, 2\)",
    ),
    "split of a wrong shape": (
        lambda: vstack([BLUR, DOWN]).split(np.ones((3, 3))),
        ValueError,
        r"y has shape \(3, 3\): its last axes must be \(15,\), or one axis of 15",
    ),
    "split of a number": (lambda: hstack([BLUR]).split(1.0), ValueError, r"x has shape \(\)"),
    "join of too few": (
        lambda: vstack([BLUR, DOWN]).join([1]),
        ValueError,
        r"arrays=\[1\]: .*2 operators.*got 1",
    ),
    "join of one array": (lambda: vstack([BLUR, DOWN]).join(3), ValueError, r"arrays=3: .*got int"),
    "join of a wrong shape": (
        lambda: vstack([BLUR, DOWN]).join([np.ones((3, 3)), np.ones(6)]),
        ValueError,
        r"shapes \[\(3, 3\), \(6,\)\]: .*\[\(3, 3\), \(3, 2\)\]",
    ),
    "join of two batches": (
        lambda: vstack([BLUR, DOWN]).join([np.ones((2, 3, 3)), np.ones((3, 2))]),
        ValueError,
        r"the same batch axes",
    ),
    "join of text": (lambda: vstack([BLUR, DOWN]).join(["a", 0]), ValueError, r"arrays\[0\]='a'"),
    "no matrix": (
        lambda: vstack([BLUR, LinearOperator((2, 9), matvec=abs, dtype=float)]).tosparse(),
        TypeError,
        r"<2x9 _CustomLinearOperator with dtype=float64> has no matrix.*aslinearoperator\(matrix\)",
    ),
    "no adjoint": (
        lambda: vstack([BLUR, LinearOperator((2, 9), matvec=lambda x: x[:2], dtype=float)]).H @ np.ones(11),
        NotImplementedError,
        r"<2x9 _CustomLinearOperator with dtype=float64> has no rmatvec",
    ),
    "halves": (
        lambda: vstack([BLUR, LinearOperator((2, 9), matvec=abs, dtype=np.float16)]),
        TypeError,
        r"op=.*dtype float16",
    ),
}


@pytest.mark.parametrize(("act", "error", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_what_does_not_fit_is_refused_with_the_reason(
    act: Callable[[], Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        act()


def test_an_operator_of_scipy_is_a_part() -> None:
    M = np.arange(18.0).reshape(2, 9)
    V = vstack([BLUR, aslinearoperator(M)])
    assert (V.input_shape, V.output_shape) == ((3, 3), (11,))
    np.testing.assert_array_equal(V.toarray(), np.vstack([BLUR.toarray(), M]))
