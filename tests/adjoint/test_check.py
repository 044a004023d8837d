"""`check_adjoint` passes what is right, and fails what is wrong, and only that."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import correlate
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from convops import AdjointReport, Conv, check_adjoint
from registry import CASES, FLOATS, Case, weights_for


def pair_of(W: np.ndarray, B: np.ndarray) -> LinearOperator:
    """Return an operator that says W and answers B where its adjoint is asked for."""
    return LinearOperator(W.shape, dtype=W.dtype, matvec=lambda x: W @ x, rmatvec=lambda y: B @ y)


def failed(report: AdjointReport) -> list[str]:
    return [check.name for check in report.checks if not check.passed]


@pytest.mark.parametrize("method", ["sparse", "gemm"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_every_operator_of_the_registry_passes(case: Case, method: str) -> None:
    for dtype in (*FLOATS, "int64"):
        weight = weights_for(case, dtype)
        A = Conv(weight, case.input_shape, **case.kwargs(), method=method)
        for operator in (A, A.H, A.T.H):
            report = check_adjoint(operator, seed=3)
            assert report, report
            names = [check.name for check in report.checks]
            assert names == (["exact"] if dtype == "int64" else ["zero", "linearity", "adjoint", "exact"])


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_correct_operator_never_fails(dtype: str) -> None:
    rng = np.random.default_rng(1)
    A = aslinearoperator((rng.standard_normal((70, 50)) * (rng.random((70, 50)) < 0.2)).astype(dtype))
    for seed in range(200):
        assert check_adjoint(A, seed=seed), seed


@pytest.mark.parametrize("dtype", FLOATS)
def test_one_wrong_entry_fails(dtype: str) -> None:
    rng = np.random.default_rng(2)
    W = rng.standard_normal((60, 45)).astype(dtype)
    found = 0
    for seed in range(100):
        B = W.conj().T.copy()
        place = rng.integers(45), rng.integers(60)
        B[place] += 1000 * np.finfo(dtype).eps * np.linalg.norm(W)
        found += failed(check_adjoint(pair_of(W, B), seed=seed)) == ["adjoint"]
    assert found == 100


def transpose_without_conjugate(W: np.ndarray) -> np.ndarray:
    return W.T


def flipped_kernel(W: np.ndarray) -> np.ndarray:
    return W[::-1, ::-1].conj().T


def constant_factor(W: np.ndarray) -> np.ndarray:
    return W.conj().T * 1.0001


def shifted_by_one(W: np.ndarray) -> np.ndarray:
    return np.roll(W.conj().T, 1, axis=0)


def border_forgotten(W: np.ndarray) -> np.ndarray:
    B = W.conj().T.copy()
    B[0] = 0
    return B


@pytest.mark.parametrize(
    "fault",
    [transpose_without_conjugate, flipped_kernel, constant_factor, shifted_by_one, border_forgotten],
    ids=lambda fault: fault.__name__,
)
def test_the_usual_faults_fail(fault: Callable[[np.ndarray], np.ndarray]) -> None:
    weight = np.array([1, 2 + 1j, 3 - 2j, 0.5])
    W = Conv(weight, 20, padding="same").toarray()
    assert check_adjoint(pair_of(W, W.conj().T))
    for seed in range(20):
        assert failed(check_adjoint(pair_of(W, fault(W)), seed=seed)) == ["adjoint"]


def test_an_integer_operator_is_checked_exactly() -> None:
    W = Conv([1, -2, 3], 50, padding=1).toarray()
    B = W.T.copy()
    assert check_adjoint(pair_of(W, B))
    B[0, 0] += 1
    for seed in range(50):
        report = check_adjoint(pair_of(W, B), seed=seed)
        assert failed(report) == ["exact"]
        assert report.checks[0].bound == 0


def test_hidden_single_precision_is_told() -> None:
    W = np.random.default_rng(0).standard_normal((40, 30))
    narrow = W.astype(np.float32)

    def rounded(matrix: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
        return lambda x: (matrix @ x.astype(np.float32)).astype(np.float64)

    A = LinearOperator(W.shape, dtype=W.dtype, matvec=rounded(narrow), rmatvec=rounded(narrow.T))
    assert "linearity" in failed(check_adjoint(A))


@pytest.mark.parametrize("constant", [1.0, 1e-3, 1e-12])
def test_an_affine_map_is_not_linear(constant: float) -> None:
    def affine(x: np.ndarray) -> np.ndarray:
        return x + np.float32(constant)

    assert "zero" in failed(check_adjoint(affine, lambda y: y, 3000, 3000, dtype="float32"))


def test_what_is_not_linear_has_no_adjoint_that_fits() -> None:
    report = check_adjoint(lambda x: np.clip(x, -0.7, 0.7), lambda y: y, 500, 500)
    assert failed(report) == ["linearity", "adjoint"]


def test_a_float_operator_of_a_guessed_integer_dtype_is_told_so() -> None:
    A = LinearOperator((5, 5), dtype=np.int8, matvec=lambda x: x // 2, rmatvec=lambda y: y)
    assert "if it works on floats, give it a float dtype" in str(check_adjoint(A))


def test_nan_fails() -> None:
    A = LinearOperator((3, 3), dtype=float, matvec=lambda x: x * np.nan, rmatvec=lambda y: y)
    assert set(failed(check_adjoint(A))) == {"zero", "adjoint", "linearity"}


def test_an_operator_that_reuses_its_buffer_is_still_checked_right() -> None:
    buffer = np.empty(6)

    def matvec(x: np.ndarray) -> np.ndarray:
        buffer[:] = 2 * x
        return buffer

    A = LinearOperator((6, 6), dtype=float, matvec=matvec, rmatvec=lambda y: 2 * y)
    assert check_adjoint(A)


def test_a_pair_of_functions_of_arrays() -> None:
    kernel = np.arange(9.0).reshape(3, 3)

    def forward(x: np.ndarray) -> np.ndarray:
        return correlate(x, kernel, mode="constant")

    def right(y: np.ndarray) -> np.ndarray:
        return correlate(y, kernel[::-1, ::-1], mode="constant")

    shapes: dict[str, Any] = {"input_shape": (7, 8), "output_shape": (7, 8)}
    assert check_adjoint(forward, right, **shapes)
    assert failed(check_adjoint(forward, forward, **shapes)) == ["adjoint"]
    assert "forward and " in str(check_adjoint(forward, right, **shapes))


def test_a_pair_of_integer_functions_is_checked_exactly() -> None:
    report = check_adjoint(np.diff, lambda y: -np.diff(y, prepend=0, append=0), 5, 4, dtype=int)
    assert report
    assert [check.name for check in report.checks] == ["exact"]


def test_the_same_seed_gives_the_same_report() -> None:
    A = Conv(np.ones(3), 9)
    assert check_adjoint(A, seed=5) == check_adjoint(A, seed=5)
    assert check_adjoint(A, seed=5) != check_adjoint(A, seed=6)


def test_the_probability_of_a_false_alarm_does_not_hang_on_the_operator() -> None:
    # A difference operator on a near-constant probe, badly scaled rows, and a map to one number.
    rng = np.random.default_rng(0)
    for W in (
        np.diff(np.eye(40), axis=0),
        np.diag(10.0 ** np.linspace(-150, 150, 30)),
        np.ones((1, 50)),
        np.ones((50, 1)),
        np.zeros((4, 5)),
        rng.standard_normal((1, 1)),
    ):
        for seed in range(30):
            assert check_adjoint(aslinearoperator(W), seed=seed), W.shape


def test_a_function_that_writes_to_its_argument_is_still_checked_right() -> None:
    def doubled(x: np.ndarray) -> np.ndarray:
        x *= 2
        return x

    assert check_adjoint(doubled, lambda y: 2 * y, 6, 6)


def test_an_error_inside_the_function_comes_through_as_it_is() -> None:
    def broken(x: np.ndarray) -> np.ndarray:
        raise ValueError("of my own")

    with pytest.raises(ValueError, match=r"^of my own$"):
        check_adjoint(broken, lambda y: y, 6, 6)


def test_the_exact_check_of_a_float_operator_says_which_operator_it_checked() -> None:
    report = check_adjoint(Conv([1.5, 2.0], 4))
    assert report.checks[-1].name == "exact"
    assert str(report).endswith("; A with a random integer weight")
    assert not str(check_adjoint(Conv([1, 2], 4))).endswith("weight")
