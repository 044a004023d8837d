"""AᴴA and AAᴴ: Hermitian, and a convolution where they are one."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from convops import Conv, ConvTranspose, check_adjoint, vstack
from registry import CASES, Case, cases, matrix_of, weights_for


def is_toeplitz_under(case: Case, reversed_order: bool) -> bool:
    """Whether the Gram matrix must be found to be a convolution, from the words of the documentation."""
    loops = case.loops()
    out = case.output_shape[case.has_channels :]
    verdicts = []
    for size, taps, made, stride, pads, dilation, boundary in zip(
        case.spatial,
        case.kernel,
        out,
        loops["stride"],
        loops["padding"],
        loops["dilation"],
        loops["boundary"],
        strict=True,
    ):
        reach = dilation * (taps - 1)
        wraps = boundary == "wrap" and made == size
        full = min(pads) >= reach and (boundary == "zeros" or max(pads) == 0)
        valid = max(pads) == 0
        verdicts.append(stride == 1 and (wraps or (valid if reversed_order else full)))
    return all(verdicts)


@pytest.mark.parametrize("dtype", ["float64", "complex128", "int64"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_convolution_of_a_gram_operator_has_its_matrix(case: Case, dtype: str) -> None:
    weight = weights_for(case, dtype)
    A, W = Conv(weight, case.input_shape, **case.kwargs()), matrix_of(case, weight)
    H = W.conj().T
    for op, matrix, reversed_order in (
        (A.gram(), H @ W, False),
        (A.cogram(), W @ H, True),
        (A.H.gram(), W @ H, True),
        (A.T.gram(), W.conj() @ W.T, True),
        (A.T.cogram(), W.T @ W.conj(), False),
        (A.T.H.gram(), W.T @ W.conj(), False),
    ):
        assert (op.convolution is not None) == is_toeplitz_under(case, reversed_order)
        found = op.toarray()
        np.testing.assert_allclose(found, matrix, rtol=0, atol=1e-12 * max(np.abs(matrix).max(), 1))
        if op.convolution is not None:
            assert type(op.convolution) is Conv
            np.testing.assert_array_equal(op.convolution.toarray(), found)


@given(cases(max_size=3000), st.booleans())
def test_random_geometries_have_the_gram_matrix_of_the_dense_one(case: Case, reversed_order: bool) -> None:
    weight = weights_for(case, "complex128")
    W = matrix_of(case, weight)
    A = Conv(weight, case.input_shape, **case.kwargs())
    op = A.cogram() if reversed_order else A.gram()
    matrix = W @ W.conj().T if reversed_order else W.conj().T @ W
    x = np.random.default_rng(0).standard_normal((op.shape[0], 2))
    scale = np.abs(W).sum(axis=0).max() * np.abs(W).sum(axis=1).max()
    np.testing.assert_allclose(op.toarray(), matrix, rtol=0, atol=1e-12 * scale)
    np.testing.assert_allclose(op @ x, matrix @ x, rtol=0, atol=1e-11 * scale)
    np.testing.assert_allclose(op.T @ x, matrix.T @ x, rtol=0, atol=1e-11 * scale)


@pytest.mark.parametrize("dtype", ["float32", "complex128", "int64"])
def test_a_gram_operator_is_its_own_adjoint(dtype: str) -> None:
    A = Conv(np.array([[1, 2], [3, 4]], dtype), (4, 3), padding="same", boundary="wrap")
    for op in (A.gram(), A.cogram(), A.T.gram(), (A + 2 * A).gram(), (A @ A).cogram(), vstack([A, A]).gram()):
        assert op.H is op
        assert (op.T is op) == (dtype != "complex128")
        assert check_adjoint(op)
        W = op.tosparse()
        assert W.has_canonical_format
        np.testing.assert_array_equal(W.toarray(), W.toarray().conj().T)


def test_a_wrapped_convolution_of_several_channels_is_applied_as_its_autocorrelation() -> None:
    weight = np.random.default_rng(0).standard_normal((16, 2, 5, 5)) * (1 + 1j)
    A = Conv(weight, (2, 64, 64), padding="same", boundary="wrap")
    G = A.gram()
    assert G.convolution.geometry.weight_shape == (2, 2, 9, 9)
    assert G._by_convolution
    x = np.random.default_rng(1).standard_normal((2, 64, 64))
    np.testing.assert_allclose(G(x), A.H(A(x)), rtol=0, atol=1e-9)
    np.testing.assert_allclose(G.T(x), A.T(A.T.H(x)), rtol=0, atol=1e-9)


def test_a_float32_gram_operator_applies_to_float64_with_the_digits_of_float64() -> None:
    A = Conv(
        np.random.default_rng(0).standard_normal((9, 9)).astype("f4"),
        (64, 64),
        padding="same",
        boundary="wrap",
    )
    G, x = A.gram(), np.random.default_rng(1).standard_normal((64, 64))
    assert G._by_convolution
    expected = A.H(A(x))
    assert G(x).dtype == np.float64
    np.testing.assert_allclose(G(x), expected, rtol=0, atol=1e-12 * np.abs(expected).max())
    single = G(x.astype("f4"))
    assert single.dtype == np.float32
    np.testing.assert_allclose(single, expected, rtol=0, atol=1e-5 * np.abs(expected).max())


@pytest.mark.parametrize(
    "made",
    [
        {"padding": "same", "boundary": "wrap", "dilation": 2},
        {"padding": "full", "dilation": (2, 3)},
        {"padding": ((2, 2), (3, 3)), "boundary": ("wrap", "zeros"), "dilation": (2, 1)},
    ],
    ids=str,
)
def test_the_autocorrelation_is_as_dilated_as_the_kernel(made: dict[str, Any]) -> None:
    weight = np.random.default_rng(0).standard_normal((3, 3)) * (1 - 2j)
    A = Conv(weight, (9, 8), **made)
    W = A.toarray()
    G = A.gram()
    assert G.convolution.geometry.dilation == A.geometry.dilation
    np.testing.assert_allclose(G.toarray(), W.conj().T @ W, rtol=0, atol=1e-12)


@pytest.mark.parametrize("method", ["sparse", "gemm", "fft", "separable"])
def test_the_convolution_keeps_the_method_that_was_asked_for(method: str) -> None:
    A = Conv(np.outer([1.0, 2, 1], [1, 3, 1]), (6, 6), padding="same", boundary="wrap", method=method)
    assert A.gram().convolution.method == method


def test_integers_that_the_autocorrelation_cannot_hold_are_left_to_two_products() -> None:
    A = Conv([2**31, 2**31], 4, padding="same", boundary="wrap")
    assert A.gram().convolution is None
    with pytest.raises(OverflowError, match=r"int64"):
        A.gram().tosparse()


@pytest.mark.parametrize(
    ("made", "reason"),
    [
        ({"padding": "same", "boundary": "wrap", "stride": 2}, "a stride"),
        ({"padding": "same", "boundary": "reflect"}, "a border"),
        ({"padding": "same"}, "zeros that cut taps off"),
        ({"padding": 2, "boundary": "wrap"}, "more outputs than samples"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_where_the_gram_matrix_is_no_convolution_none_is_named(made: dict[str, Any], reason: str) -> None:
    A = Conv([1.0, 2, 4], 6, **made)
    W = A.toarray()
    assert A.gram().convolution is None
    row = W.T @ W
    assert len({tuple(np.roll(row[i], -i)) for i in range(6)}) > 1 or reason == "more outputs than samples"
    np.testing.assert_array_equal(A.gram() @ np.eye(6), W.T @ W)
    B = ConvTranspose([1.0, 2, 4], A.output_shape, output_shape=(6,), **made)
    np.testing.assert_array_equal(B.cogram().toarray(), W.T @ W)
