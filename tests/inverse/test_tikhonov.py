"""The answer is that of a dense least-squares solver, by every route, and never silently wrong."""

import warnings
from typing import Any

import numpy as np
import pytest
from scipy.sparse.linalg import aslinearoperator

import convops
from convops import Conv, ConvergenceWarning, gradient, laplacian, tikhonov
from convops.inverse._regulariser import regulariser
from oracles import Array
from registry import BOUNDARIES

DIRECT, ITERATED = 1e-10, 1e-5


def weight_of(symmetric: bool, channels: bool, dtype: str = "float64") -> Array:
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((2, 2, 3, 5) if channels else (3, 5)) + 1
    if dtype.startswith("complex"):
        weight = weight + 1j * rng.standard_normal(weight.shape)
    if symmetric:
        weight = weight + weight[..., ::-1, :]
        weight = weight + weight[..., ::-1]
    return weight.astype(dtype)


def data_of(A: Any, batch: tuple[int, ...] = (), dtype: Any = np.float64) -> Array:
    rng = np.random.default_rng(1)
    b = rng.standard_normal(batch + A.output_shape)
    return (b + 1j * rng.standard_normal(b.shape) if np.dtype(dtype).kind == "c" else b).astype(dtype)


def dense_answer(A: Any, b: Array, damp: float, L: Array | None = None) -> Array:
    W = A.toarray()
    D = np.eye(W.shape[1]) if L is None else L
    stacked, rhs = np.vstack([W, damp * D]), np.concatenate([b.ravel(), np.zeros(len(D))])
    return np.linalg.lstsq(stacked, rhs)[0].reshape(A.input_shape)


def error_of(x: Array, expected: Array) -> float:
    return float(np.linalg.norm(x - expected) / np.linalg.norm(expected))


@pytest.mark.parametrize("transposed", [False, True])
@pytest.mark.parametrize("channels", [False, True])
@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_every_geometry_has_the_answer_of_a_dense_solver(
    boundary: str, stride: int, symmetric: bool, channels: bool, transposed: bool
) -> None:
    for dtype in ("float64", "complex128"):
        shape = (2, 4, 6) if channels else (6, 12)
        weight = weight_of(symmetric, channels, dtype)
        A: Any = Conv(weight, shape, padding="same", stride=stride, boundary=boundary)
        A = A.T if transposed else A
        for reg in (None, "gradient", "laplacian"):
            if reg and transposed and channels:
                continue
            b = data_of(A, (2,))
            L = None if reg is None else regulariser(reg, A).toarray()
            x, result = tikhonov(A, b, 0.3, reg=reg, full_output=True)
            assert result.route in ("fft", "dct", "sparse")
            assert x.shape == (2, *A.input_shape)
            for one, data in zip(x, b, strict=True):
                assert error_of(one, dense_answer(A, data, 0.3, L)) < DIRECT


@pytest.mark.parametrize("method", ["cg", "lsmr"])
@pytest.mark.parametrize("symmetric", [False, True])
@pytest.mark.parametrize("stride", [1, 2, 3])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_iterations_have_the_answer_of_a_dense_solver(
    boundary: str, stride: int, symmetric: bool, method: str
) -> None:
    A = Conv(weight_of(symmetric, False), (6, 12), padding="same", stride=stride, boundary=boundary)
    b = data_of(A)
    for reg in (None, "gradient"):
        L = None if reg is None else regulariser(reg, A).toarray()
        x, result = tikhonov(A, b, 0.3, reg=reg, method=method, rtol=1e-9, full_output=True)
        assert result.route == method
        assert result.iterations > 0
        assert error_of(x, dense_answer(A, b, 0.3, L)) < ITERATED


@pytest.mark.parametrize(
    ("boundary", "route"),
    [("wrap", "fft"), ("symmetric", "dct"), (("wrap", "symmetric"), "fft"), ("zeros", "cg")],
)
def test_auto_takes_the_route_that_the_structure_gives(boundary: Any, route: str) -> None:
    A = Conv(np.ones((3, 3)) / 9, (80, 90), padding="same", boundary=boundary)
    for reg in (None, "gradient", "laplacian", gradient(A.input_shape, boundary=boundary)):
        result = tikhonov(A, data_of(A), 0.1, reg=reg, full_output=True)[1]
        assert result.route == route
        assert result.why
        assert result.normal_residual <= 1e-6
        assert (result.iterations == 0) == (route != "cg")


@pytest.mark.parametrize("dtype", ["float32", "float64", "complex64", "complex128"])
@pytest.mark.parametrize("boundary", ["wrap", "symmetric", "zeros"])
def test_the_precision_of_the_operator_is_kept(boundary: str, dtype: str) -> None:
    A = Conv(np.ones((3, 3), dtype) / dtype_one(dtype, 9), (80, 90), padding="same", boundary=boundary)
    x = tikhonov(A, data_of(A, dtype=dtype), 0.1, reg="gradient")
    assert x.dtype == dtype


def dtype_one(dtype: str, value: float) -> Any:
    return np.dtype(dtype).type(value)


def test_a_mask_in_front_of_a_blur_is_iterated_and_right() -> None:
    blur = Conv(np.ones((3, 3)) / 9, (6, 7), padding="same", boundary="symmetric")
    mask = np.diag((np.arange(42) % 5 != 0).astype(float))
    A = convops.identity(42) @ aslinearoperator(mask) @ blur
    b = data_of(A)
    for method in ("auto", "cg", "lsmr"):
        x = tikhonov(A, b, 0.2, reg="laplacian", method=method, rtol=1e-10)
        L = laplacian((6, 7)).toarray()
        assert error_of(x, dense_answer(A, b, 0.2, L)) < ITERATED


@pytest.mark.parametrize("method", ["auto", "sparse", "cg", "lsmr"])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_one_sample_is_no_column(boundary: str, method: str) -> None:
    A = Conv([1.0, 2, 4], 1, padding=2 if boundary != "reflect" else 1, boundary=boundary)
    for op in (A, A.T):
        for reg in (None, "laplacian"):
            b = data_of(op)
            L = None if reg is None else regulariser(reg, op).toarray()
            x = tikhonov(op, b, 0.3, reg=reg, method=method, rtol=1e-10)
            assert x == pytest.approx(dense_answer(op, b, 0.3, L), rel=1e-6, abs=1e-9)


def test_a_multiple_of_a_convolution_keeps_its_route() -> None:
    A = 2.5 * Conv(weight_of(False, False), (6, 12), padding="same", boundary="wrap")
    x, result = tikhonov(A, data_of(A), 0.3, full_output=True)
    assert result.route == "fft"
    assert error_of(x, dense_answer(A, data_of(A), 0.3)) < DIRECT


def test_without_damp_lsmr_finds_the_solution_of_least_norm() -> None:
    A = Conv([1.0, 1.0], 12)
    b = data_of(A)
    x = tikhonov(A, b, 0, rtol=1e-12)
    assert error_of(x, np.linalg.lstsq(A.toarray(), b)[0]) < ITERATED


@pytest.mark.parametrize(("boundary", "kernel"), [("wrap", [1.0, 1.0]), ("symmetric", [1.0, 0, 1])])
def test_without_damp_a_singular_operator_is_refused_on_a_direct_route(boundary: str, kernel: Any) -> None:
    A = Conv(kernel, 12, padding="same", boundary=boundary)
    with pytest.raises(ValueError, match=r"damp=0.0: .*no unique solution.*lsmr"):
        tikhonov(A, np.ones(12), 0)


def test_too_few_iterations_warn_with_the_residual() -> None:
    A = Conv(np.ones((5, 5)) / 25, (80, 90), padding="same")
    with pytest.warns(ConvergenceWarning, match=r"'cg' ends after 2 iterations .*rtol=1e-06.*maxiter"):
        x, result = tikhonov(A, data_of(A), 0.01, maxiter=2, full_output=True)
    assert result.normal_residual > 1e-6
    assert np.isfinite(x).all()


@pytest.mark.parametrize("method", ["cg", "lsmr"])
def test_the_callback_gets_iteration_and_residual(method: str) -> None:
    A = Conv(np.ones((5, 5)) / 25, (30, 30), padding="same")
    seen: list[tuple[int, float]] = []
    result = tikhonov(
        A, data_of(A), 0.1, method=method, callback=lambda *step: seen.append(step), full_output=True
    )[1]
    assert seen[-1][0] == result.iterations
    assert seen[-1][1] <= 1.1e-6
    assert [number for number, _ in seen] == sorted({number for number, _ in seen})


def test_progress_is_shown_on_stderr(capsys: Any) -> None:
    A = Conv(np.ones((5, 5)) / 25, (80, 90), padding="same")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        tikhonov(A, data_of(A), 0.1, progress=True)
    captured = capsys.readouterr()
    assert "tikhonov" in captured.err
    assert not captured.out


def test_a_start_at_the_answer_needs_no_iteration() -> None:
    A = Conv(np.ones((5, 5)) / 25, (80, 90), padding="same")
    b = data_of(A)
    x = tikhonov(A, b, 0.1, rtol=1e-8)
    assert tikhonov(A, b, 0.1, x0=x, full_output=True)[1].iterations == 0


def test_an_interruption_gets_through_and_leaves_the_operator_as_it_was() -> None:
    A = Conv(np.ones((5, 5)) / 25, (80, 90), padding="same")
    b = data_of(A)
    before = b.copy()

    def stop(iteration: int, residual: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tikhonov(A, b, 0.1, callback=stop)
    assert np.array_equal(b, before)
    assert tikhonov(A, b, 0.1, full_output=True)[1].normal_residual <= 1e-6


def test_data_of_zeros_have_the_answer_0() -> None:
    for boundary in ("wrap", "zeros"):
        A = Conv(np.ones((5, 5)) / 25, (80, 90), padding="same", boundary=boundary)
        x, result = tikhonov(A, np.zeros(A.output_shape), 0.1, full_output=True)
        assert not x.any()
        assert result.normal_residual == 0
