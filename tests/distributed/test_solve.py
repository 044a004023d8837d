"""`tikhonov` on dask arrays: the solution of the dense problem in any chunks, or a clear refusal."""

from typing import Any

import numpy as np
import pytest

import convops
from convops import Conv, ConvergenceWarning, ConvTranspose
from convops.distributed import DaskConv, tikhonov
from convops.inverse._regulariser import regulariser
from oracles import Array

da = pytest.importorskip("dask.array")

RNG = np.random.default_rng(0)
KERNEL = RNG.random((3, 3)) / 8
KERNEL[1, 1] += 2
SAME = Conv(KERNEL, (7, 6), padding="same", boundary="reflect")
REGULARISERS = {"wrap": "gradient", "stride": "gradient", "antireflect": "laplacian", "channels": "laplacian"}
OPERATORS = [
    pytest.param(Conv(KERNEL, (7, 6), padding="same"), id="zeros"),
    pytest.param(Conv(KERNEL, (7, 6), padding="same", boundary="wrap"), id="wrap"),
    pytest.param(Conv(KERNEL, (7, 6), padding="same", boundary="antireflect"), id="antireflect"),
    pytest.param(Conv(KERNEL, (7, 6), padding=1, boundary="symmetric", stride=2), id="stride"),
    pytest.param(Conv(RNG.random((3, 2, 3)), (2, 7), padding=1, boundary="edge"), id="channels"),
    pytest.param(ConvTranspose(KERNEL, (3, 3), stride=2), id="transposed"),
    pytest.param(Conv(KERNEL + 1j * KERNEL.T, (5, 5)), id="complex"),
]


def solution(W: Array, D: Array | None, b: Array, damp: float) -> Array:
    """Return the least-squares solution of the dense problem."""
    stacked = np.vstack([W, damp * (np.eye(W.shape[1]) if D is None else D)])
    rows = np.concatenate([b.ravel(), np.zeros(len(stacked) - b.size)])
    found: Array = np.linalg.lstsq(stacked, rows)[0]
    return found


def data_for(A: Any) -> Array:
    b = RNG.standard_normal(A.output_shape)
    return b + 1j * b[::-1] if A.dtype.kind == "c" else b


@pytest.mark.parametrize("A", OPERATORS)
def test_the_answer_is_that_of_the_dense_problem(A: Any, request: pytest.FixtureRequest) -> None:
    b = data_for(A)
    reg = REGULARISERS.get(request.node.callspec.id)
    x, result = tikhonov(A, da.from_array(b, chunks=4), 1.5, reg=reg, rtol=1e-7, full_output=True)
    D = None if reg is None else regulariser(reg, A).toarray()
    expected = solution(A.toarray(), D, b, 1.5)
    assert x.dtype == A.dtype
    np.testing.assert_allclose(x.compute().ravel(), expected, atol=1e-6 * abs(expected).max())
    assert result.route == "cgls"
    assert result.residual == pytest.approx(np.linalg.norm(A.toarray() @ expected - b.ravel()), rel=1e-5)
    assert result.normal_residual <= 1e-7


def test_an_operator_of_dask_is_a_regulariser_too() -> None:
    b = data_for(SAME)
    L = DaskConv([[1.0, -1.0]], SAME.input_shape)
    x = tikhonov(SAME, da.from_array(b, chunks=(3, 6)), 2.0, reg=L, rtol=1e-7)
    D = Conv([[1.0, -1.0]], SAME.input_shape)
    expected = solution(SAME.toarray(), D.toarray(), b, 2.0)
    np.testing.assert_allclose(x.compute().ravel(), expected, atol=1e-6)
    again = tikhonov(SAME, da.from_array(b, chunks=(3, 6)), 2.0, reg=D, rtol=1e-7)
    np.testing.assert_array_equal(again.compute(), x.compute())


def test_items_of_a_batch_are_problems_of_their_own() -> None:
    b = np.stack([data_for(SAME), 1e6 * data_for(SAME), np.zeros(SAME.output_shape)])
    x, result = tikhonov(SAME, da.from_array(b, chunks=(2, 4, 4)), 1.0, rtol=1e-8, full_output=True)
    found = x.compute()
    for item, one in zip(found, b, strict=True):
        expected = solution(SAME.toarray(), None, one, 1.0)
        np.testing.assert_allclose(item.ravel(), expected, atol=1e-7 * abs(expected).max())
    assert result.residual.shape == result.normal_residual.shape == (3,)
    assert not found[2].any()


@pytest.mark.parametrize(
    ("of_A", "of_b", "expected"),
    [
        ("float32", "float32", "float32"),
        ("float32", "float64", "float64"),
        ("int64", "int16", "float64"),
        ("float32", "complex64", "complex64"),
    ],
)
def test_the_dtype_is_that_of_the_solver_in_memory(of_A: str, of_b: str, expected: str) -> None:
    weight = (8 * KERNEL).astype(of_A)
    A = Conv(weight, (7, 6), padding="same")
    b = (9 * data_for(A)).astype(of_b)
    x = tikhonov(A, da.from_array(b, chunks=4), 1.0, rtol=1e-5)
    in_memory = convops.tikhonov(A, b, 1.0, method="cg", rtol=1e-5)
    assert x.dtype == x.compute().dtype == in_memory.dtype == expected
    np.testing.assert_allclose(x.compute(), in_memory, atol=3e-5 * abs(in_memory).max())


def test_a_start_at_the_solution_needs_no_iteration() -> None:
    b = data_for(SAME)
    expected = solution(SAME.toarray(), None, b, 1.0).reshape(SAME.input_shape)
    _, result = tikhonov(SAME, b, 1.0, x0=expected, full_output=True)
    assert result.iterations == 0
    x, result = tikhonov(SAME, np.stack([b, 2 * b]), 1.0, x0=1.1 * expected, full_output=True)
    assert result.iterations > 0
    np.testing.assert_allclose(x.compute()[1], 2 * expected, atol=1e-4)


def test_without_a_damp_it_is_the_solution_of_least_norm() -> None:
    A = Conv([[1.0, 2.0]], (3, 5))
    b = data_for(A)
    x = tikhonov(A, da.from_array(b, chunks=2), 0, rtol=1e-9).compute()
    np.testing.assert_allclose(x.ravel(), np.linalg.pinv(A.toarray()) @ b.ravel(), atol=1e-7)


def test_it_calls_back_after_each_iteration_and_warns_at_the_last_one(
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen: list[tuple[int, float]] = []
    with pytest.warns(ConvergenceWarning, match=r"'cgls' ends after 3 iterations .*rtol=1e-12"):
        _, result = tikhonov(
            SAME,
            data_for(SAME),
            0.1,
            rtol=1e-12,
            maxiter=3,
            callback=lambda *step: seen.append(step),
            progress=True,
            full_output=True,
        )
    assert [iteration for iteration, _ in seen] == [1, 2, 3]
    assert seen[-1][1] == pytest.approx(result.normal_residual, rel=1e-6)
    assert "tikhonov" in capsys.readouterr().err


def test_where_the_recursion_has_drifted_it_is_taken_up_again() -> None:
    # In float32 the recursion goes on shrinking, and the residual of x itself does not.
    A = Conv(KERNEL.astype("float32"), (7, 6), padding="same")
    b = data_for(A).astype("float32")
    with pytest.warns(ConvergenceWarning, match="float64 data"):
        x, result = tikhonov(A, b, 0.1, rtol=1e-13, maxiter=400, full_output=True)
    assert result.iterations < 400
    assert 0 < result.normal_residual < 1e-6
    np.testing.assert_allclose(x.compute().ravel(), solution(A.toarray(), None, b, 0.1), rtol=1e-3, atol=1e-5)


def test_in_memory_it_hands_over_what_is_of_dask() -> None:
    b = data_for(SAME)
    lazy = da.from_array(b, chunks=4)
    of_conv = convops.tikhonov(SAME, lazy, 1.0, reg="gradient")
    of_dask = convops.tikhonov(DaskConv.from_operator(SAME), b, 1.0, reg="gradient", maxiter=50)
    assert isinstance(of_conv, da.Array)
    expected = convops.tikhonov(SAME, b, 1.0, reg="gradient")
    for found in (of_conv, of_dask):
        np.testing.assert_allclose(found.compute(), expected, atol=1e-5)
    with pytest.raises(ValueError, match=r"method='fft': .* conjugate gradients are the one route"):
        convops.tikhonov(SAME, lazy, 1.0, method="fft")


class Lonely:
    input_shape = output_shape = (3,)
    dtype = np.dtype(float)


class InMemory(Lonely):
    def __call__(self, x: Any) -> Any:
        return np.asarray(x)

    @property
    def H(self) -> Any:
        return self


B = np.ones(SAME.output_shape)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"A": np.ones((3, 3))},
            TypeError,
            r"A=.*a linear operator on dask arrays .* ndarray has no inp",
        ),
        ({"A": Lonely()}, TypeError, "a Lonely has no H"),
        ({"A": InMemory(), "b": np.ones(3)}, TypeError, r"A\.H\(b\) is a ndarray"),
        ({"b": np.ones((3, 3))}, ValueError, r"b has shape \(3, 3\): its last axes must be A's output_shape"),
        ({"b": np.ones(42)}, ValueError, r"b\.reshape"),
        ({"b": B.astype("float16")}, TypeError, "b has dtype float16"),
        ({"b": B.astype(object)}, TypeError, "b has dtype object"),
        ({"b": np.where(B > 0, np.nan, 0)}, ValueError, "b, or x0, is not finite"),
        ({"damp": -1}, ValueError, "damp=-1: it must be a finite number of at least 0"),
        ({"damp": None}, TypeError, "damp=None"),
        ({"reg": "grad"}, ValueError, "'gradient' here"),
        ({"reg": 3}, TypeError, "reg=3: it must be 'gradient', 'laplacian' or a linear operator on dask"),
        ({"reg": DaskConv([1.0], 5)}, ValueError, r"it must take the arrays that A takes.*\(5,\)"),
        ({"x0": np.ones(3)}, ValueError, r"x0 has shape \(3,\)"),
        ({"x0": np.ones((2, 7, 6))}, ValueError, r"x0 has batch axes \(2,\), and b has \(\)"),
        ({"x0": 1j * B}, TypeError, "x0 has dtype complex128"),
        ({"rtol": 2}, ValueError, "rtol=2"),
        ({"maxiter": 0}, ValueError, "maxiter=0"),
        ({"maxiter": None}, TypeError, "maxiter=None"),
        ({"callback": 3}, TypeError, r"callback=3: it is called as callback\(iteration, residual\)"),
        ({"progress": 1}, TypeError, "progress=1"),
        ({"full_output": "yes"}, TypeError, "full_output='yes'"),
        ({"checkpoint": 3}, TypeError, "checkpoint=3: it must be the name of a folder"),
        ({"checkpoint": "s3://bucket/x"}, TypeError, "behind a URL"),
        ({"checkpoint_every": 0}, ValueError, "checkpoint_every=0"),
    ],
)
def test_bad_input_is_refused_in_words(
    arguments: dict[str, Any], error: type[Exception], message: str
) -> None:
    given = {"A": SAME, "b": B, "damp": 1.0, **arguments}
    with pytest.raises(error, match=message):
        tikhonov(given.pop("A"), given.pop("b"), given.pop("damp"), **given)


def test_chunks_of_unknown_sizes_are_refused() -> None:
    b = da.from_array(B, chunks=4)
    with pytest.raises(ValueError, match=r"b has shape .* Call b\.compute_chunk_sizes\(\) first"):
        tikhonov(SAME, b[b[:, 0] > 0], 1.0)
