"""What the operators of arithmetic make of two operands, and why they refuse some."""

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import csr_array
from scipy.sparse.linalg import aslinearoperator

from convops import Conv, ConvTranspose, block_diag, check_adjoint, hstack, identity, vstack
from oracles import Array

A = Conv([[1.0, 2], [3, 4]], (3, 3))  # 4 × 9
SINGLE = Conv(np.float32([[1, 2], [3, 4]]), (3, 3))
WHOLE = Conv([[1, 2], [3, 4]], (3, 3))
B = ConvTranspose([[1, 2], [3, 4]], (2, 2))  # 9 × 4
SQUARE = Conv([1, 2, 3], 4, padding=1)


@pytest.mark.parametrize(
    ("scalar", "own", "expected"),
    [
        (2, "float32", "float32"),
        (2.5, "float32", "float32"),
        (True, "float32", "float32"),
        (2**70, "float32", "float32"),
        (2j, "float32", "complex64"),
        (np.float32(2), "float32", "float32"),
        (np.float64(2), "float32", "float64"),
        (np.complex64(2), "float32", "complex64"),
        (np.int64(2), "float32", "float64"),
        (np.int8(2), "float32", "float32"),
        (np.array(2.0), "float32", "float64"),
        (2, "complex64", "complex64"),
        (2.5, "int64", "float64"),
        (2, "int8", "int64"),
        (200, "int8", "int64"),
        (np.bool_(True), "int64", "int64"),
        (np.uint64(2), "int64", "int64"),
        (2j, "int64", "complex128"),
        (2.5, "complex128", "complex128"),
    ],
    ids=repr,
)
def test_a_multiple_has_the_dtype_that_numpy_gives_it_and_integers_are_int64(
    scalar: Any, own: str, expected: str
) -> None:
    op = Conv(np.array([[1, 2], [3, 4]], own), (3, 3), dtype=own)
    for multiple in (scalar * op, op * scalar):
        assert multiple.dtype == expected
        np.testing.assert_allclose(multiple.toarray(), scalar * op.toarray().astype(expected))
        np.testing.assert_allclose(multiple.H.toarray(), np.conj(multiple.toarray().T))


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("float32", "float32", "float32"),
        ("float32", "float64", "float64"),
        ("float32", "complex64", "complex64"),
        ("float64", "complex64", "complex128"),
        ("int8", "float32", "float32"),
        ("int64", "float32", "float64"),
        ("int8", "int16", "int64"),
    ],
)
def test_two_operators_have_the_dtype_that_numpy_gives_them(one: str, other: str, expected: str) -> None:
    P, Q = (Conv(np.array([1, 2, 3], dtype), 4, padding=1, dtype=dtype) for dtype in (one, other))
    for composite in (P + Q, P - Q, P @ Q, vstack([P, Q]), hstack([P, Q]), block_diag([P, Q])):
        assert composite.dtype == expected
        assert composite.toarray().dtype == expected
        assert (composite @ np.ones(composite.shape[1], expected)).dtype == expected


def test_scalars_are_gathered_in_one_factor() -> None:
    assert (2 * (3 * A)).factor == 6
    assert -1 * (-A) is A
    assert (2 * (A / 2)) is A
    assert (0.5 * (np.float64(2) * SINGLE)).dtype == np.float64
    assert +A is A


def test_the_built_in_sum_adds_operators() -> None:
    np.testing.assert_array_equal(sum([A, A, A]).toarray(), 3 * A.toarray())
    assert 0 + A is A
    assert A + 0 is A


def test_an_operator_times_an_operator_is_their_product_as_in_scipy() -> None:
    S = aslinearoperator(A.toarray()) * aslinearoperator(B.toarray())
    np.testing.assert_array_equal((A * B).toarray(), S @ np.eye(4))


def test_powers_are_products_of_the_operator_with_itself() -> None:
    W = SQUARE.toarray()
    assert SQUARE**1 is SQUARE
    for exponent in (0, 1, 2, np.int64(5)):
        power = SQUARE**exponent
        np.testing.assert_array_equal(power.toarray(), np.linalg.matrix_power(W, exponent))
        np.testing.assert_array_equal(power @ np.eye(4, dtype=int), np.linalg.matrix_power(W, exponent))
        assert power.input_shape == power.output_shape == (4,)


def test_images_go_through_a_composite_as_images() -> None:
    x = np.arange(18).reshape(2, 3, 3)
    np.testing.assert_array_equal((B @ WHOLE)(x), B(WHOLE(x)))
    np.testing.assert_array_equal((WHOLE + 2 * WHOLE)(x), 3 * WHOLE(x))


def test_identity_between_two_operators_reads_arrays_as_vectors() -> None:
    P, Q = Conv([[1]], (2, 3)), Conv([[1]], (3, 2))
    with pytest.raises(ValueError, match=r"\(3, 2\) and \(2, 3\)\. Both have 6.*convops\.identity\(6\)"):
        Q @ P
    np.testing.assert_array_equal((Q @ identity(6) @ P).toarray(), np.eye(6))


def test_axes_of_one_come_and_go_between_operators() -> None:
    layer, blur = Conv(np.ones((1, 1, 2, 2)), (1, 4, 4)), Conv(np.ones((2, 2)), (5, 5))
    assert (layer @ blur)(np.ones((5, 5))).shape == (1, 3, 3)


HUGE = Conv([2**40], 3)
REFUSED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "A + 1": (lambda: A + 1, TypeError, r"Conv\[4x9\] \+ 1: .*not linear in x.*1 \* convops\.identity"),
    "1 - A": (lambda: 1 - A, TypeError, r"1 - Conv\[4x9\]: .*no sum"),
    "A - 1j": (lambda: A - 1j, TypeError, r"Conv\[4x9\] - 1j: "),
    "A + array": (
        lambda: A + np.ones((4, 9)),
        TypeError,
        r"Conv\[4x9\] \+ ndarray of shape \(4, 9\).*aslinear",
    ),
    "array + A": (lambda: np.ones((4, 9)) + A, TypeError, r"ndarray of shape \(4, 9\).*aslinearoperator"),
    "A - sparse": (lambda: A - csr_array(np.eye(3)), TypeError, r"- csr_array of shape \(3, 3\).*tosparse"),
    "A + text": (lambda: A + "a", TypeError, "unsupported operand"),
    "A + None": (lambda: A + None, TypeError, "unsupported operand"),
    "A + B": (
        lambda: A + B,
        ValueError,
        r"Conv\[4x9\] \+ .*one input_shape; got \(3, 3\) and \(2, 2\), 9 and 4",
    ),
    "A @ A": (
        lambda: A @ A,
        ValueError,
        r"take the arrays that the right.*got \(3, 3\) and \(2, 2\), 9 and 4",
    ),
    "A ** 2": (
        lambda: A**2,
        ValueError,
        r"Conv\[4x9\] \*\* 2: a power needs a square operator.*9 and 4 elements",
    ),
    "S ** -1": (lambda: SQUARE**-1, ValueError, r"exponent=-1: it must be at least 0"),
    "S ** 2.0": (lambda: SQUARE**2.0, TypeError, r"exponent=2\.0: it must be an int"),
    "S ** True": (lambda: SQUARE**True, TypeError, r"exponent=True"),
    "2 @ A": (lambda: 2 @ A, ValueError, r"2 is a scalar: .*'\*'"),
    "A @ 2": (lambda: A @ 2, ValueError, r"2 is a scalar: .*'\*'"),
    "(A + A) @ 2": (lambda: (A + A) @ 2, ValueError, r"2 is a scalar: .*'\*'"),
    "nan * A": (
        lambda: float("nan") * A,
        ValueError,
        r"scalar=nan: a linear map has finite entries; it is not",
    ),
    "1e300 * float32": (lambda: 1e300 * SINGLE, ValueError, r"scalar=1e\+300: .*float32 ends at 3\.403e\+38"),
    "10**400 * A": (lambda: 10**400 * A, ValueError, r"scalar=.*float64 ends at 1\.798e\+308"),
    "2**63 * integers": (
        lambda: 2**63 * WHOLE,
        OverflowError,
        r"scalar=9223372036854775808: .*2\*\*63 - 1.*float",
    ),
    "Decimal * A": (lambda: Decimal(2) * A, TypeError, r"scalar=Decimal\('2'\): .*got Decimal.*float\(\)"),
    "Fraction * A": (lambda: A * Fraction(1, 2), TypeError, r"got Fraction"),
    "float16 * A": (lambda: np.float16(2) * A, TypeError, r"dtype float16.*float\(\)"),
    "longdouble * A": (lambda: np.longdouble(2) * A, TypeError, r"operators work in float32"),
    "A / 0": (lambda: A / 0, ZeroDivisionError, r"scalar=0: an operator cannot be divided by 0"),
    "A / A": (lambda: A / A, ValueError, r"Conv / Conv: .*by a scalar only"),
    "A / text": (lambda: A / "a", TypeError, r"scalar='a': "),
    "integers * integers": (
        lambda: (2**22 * HUGE) @ np.full(3, 2),
        OverflowError,
        r"4194304 times that leaves int64",
    ),
    "integers + integers": (lambda: (HUGE + HUGE) @ np.full(3, 2**22), OverflowError, r"sum can leave int64"),
    "matrix of integers": (
        lambda: (HUGE @ HUGE).tosparse(),
        OverflowError,
        r"matrix of <3x3 Product.*int64 ends",
    ),
    "x of a wrong length": (
        lambda: (A + A) @ np.ones(4),
        ValueError,
        r"x has shape \(4,\).*length 9.*rmatvec",
    ),
    "X of a wrong length": (
        lambda: (A + A).matmat(np.ones((4, 2))),
        ValueError,
        r"X has shape \(4, 2\).*length 9",
    ),
    "x of a wrong shape": (lambda: (A + A)(np.ones((2, 2))), ValueError, r"input_shape \(3, 3\).*A\.H\(x\)"),
    "x sparse": (lambda: (A + A) @ csr_array(np.eye(9)), TypeError, r"sparse csr_array"),
    "x of text": (lambda: (A + A) @ "a", ValueError, r"x='a'"),
    "x uint64": (lambda: identity(1, int) @ np.uint64([2**63]), OverflowError, r"x has dtype uint64"),
    "x @ A": (lambda: np.ones(9) @ (A + A), ValueError, "length 4"),
    "identity of nothing": (lambda: identity(0), ValueError, r"shape=0: it must be at least 1"),
    "identity of a float": (lambda: identity(2.0), TypeError, r"shape=2\.0: a shape is an int"),
    "identity of halves": (lambda: identity(2, np.float16), TypeError, r"dtype=.*float16"),
}


@pytest.mark.parametrize(("act", "error", "says"), REFUSED.values(), ids=REFUSED.keys())
def test_what_makes_no_operator_is_refused_with_the_reason(
    act: Callable[[], Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        act()


# ------------------------------------------------------------------------------------------------ expressions

LEAVES = [
    Conv([1, -2, 3], 4, padding=1),
    Conv([2, 1], 4, padding="same", boundary="wrap"),
    Conv(np.array([1 + 2j, 3 - 1j]), 4, padding="same", boundary="reflect"),
    Conv(np.array([1 - 1j, 2, 1j]), 4, padding=1, boundary="antireflect"),
    aslinearoperator(np.arange(16).reshape(4, 4) % 5 - 2),
    identity(4, int),
]
Expression = tuple[Any, Array]


@st.composite
def expressions(draw: Callable[[st.SearchStrategy[Any]], Any], depth: int = 3) -> Expression:
    """An operator on vectors of 4 k entries and its dense matrix; exact in int64 or complex128."""
    kinds = ["leaf"] if depth == 0 else ["leaf", "sum", "difference", "product", "scaled", "H", "T", "power"]
    if depth:
        kinds += ["gram", "cogram", "block_diag", "vstack of hstack", "gram of vstack"]
    kind = draw(st.sampled_from(kinds))
    if kind == "leaf":
        op = draw(st.sampled_from(LEAVES))
        return op, op @ np.eye(4, dtype=op.dtype)
    one, M = draw(expressions(depth - 1))
    if kind in ("sum", "difference", "product", "block_diag", "vstack of hstack", "gram of vstack"):
        two, N = draw(expressions(depth - 1))
        if kind == "block_diag":
            return block_diag([one, two]), np.block(
                [
                    [M, np.zeros((len(M), len(N)), N.dtype)],
                    [np.zeros((len(N), len(M)), M.dtype), N],
                ]
            )
        if M.shape != N.shape:
            two, N = one, M
        if kind == "sum":
            return _convops(one) + two, M + N
        if kind == "difference":
            return _convops(one) - two, M - N
        if kind == "product":
            return _convops(one) @ two, M @ N
        if kind == "gram of vstack":
            return vstack([one, two]).H @ vstack([one, two]), M.conj().T @ M + N.conj().T @ N
        return vstack([hstack([one, two]), hstack([two, one])]), np.block([[M, N], [N, M]])
    if kind == "scaled":
        scalar = draw(st.sampled_from([-1, 2, 3 - 1j, 0, np.int64(3), np.complex128(1j)]))
        return _convops(one) * scalar, M * scalar
    if kind == "power":
        return _convops(one) ** 2, M @ M
    if kind in ("gram", "cogram"):
        H = M.conj().T
        return getattr(_convops(one), kind)(), H @ M if kind == "gram" else M @ H
    return (_convops(one).H, M.conj().T) if kind == "H" else (_convops(one).T, M.T)


def _convops(op: Any) -> Any:
    """An operator of convops that is flat on both sides, whatever was given."""
    return identity(op.shape[0], int) @ op @ identity(op.shape[1], int)


@given(expressions())
def test_every_expression_is_that_of_the_dense_matrices(expression: Expression) -> None:
    op, M = expression
    op = _convops(op)
    assert op.shape == M.shape
    scale = max(np.abs(M).max(), 1.0)
    for view, expected in ((op, M), (op.H, M.conj().T), (op.T, M.T), (op.T.H, M.conj())):
        eye = np.eye(view.shape[1], dtype=int)
        for found in (view @ eye, view.toarray(), view.matvec(eye).T, view.H.rmatmat(eye)):
            assert found.dtype.kind == op.dtype.kind
            np.testing.assert_allclose(found, expected, rtol=0, atol=1e-9 * scale)
    report = check_adjoint(op, level="quick")
    assert report, report
