"""Inner products in double precision, whatever the chunks, and a state that goes downhill."""

import numpy as np
import pytest

from convops import Conv
from convops.distributed import _cgls
from convops.distributed._cgls import advanced, begun, inner, norm, relative, residuals, squares
from convops.distributed.solve import problem_of
from oracles import Array

da = pytest.importorskip("dask.array")

RNG = np.random.default_rng(0)


def complex_noise(*shape: int) -> Array:
    return (RNG.standard_normal(shape) + 1j * RNG.standard_normal(shape)).astype("complex64")


def test_inner_products_are_exact_to_double_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_cgls, "_AT_ONCE", 7)
    x, y = complex_noise(3, 5, 6), complex_noise(3, 5, 6)
    expected = np.einsum("bij,bij->b", x.conj().astype("complex128"), y.astype("complex128")).real
    one, other = (da.from_array(array, chunks=(2, 4, 4)) for array in (x, y))
    found = inner(one, other, 2)
    assert found.dtype == np.float64
    np.testing.assert_allclose(found.compute(), expected, rtol=1e-13)
    np.testing.assert_allclose(squares(one, 2).compute(), (abs(x.astype("complex128")) ** 2).sum((1, 2)))
    assert norm(one) == pytest.approx(np.linalg.norm(x.astype("complex128")), rel=1e-13)


def test_squares_of_float32_do_not_leave_its_range() -> None:
    x = da.full((4, 4), 1e30, chunks=2, dtype="float32")
    assert squares(x, 2).compute() == pytest.approx(16e60)


def test_nothing_over_nothing_is_0_and_something_over_nothing_infinite() -> None:
    assert relative(np.array([5.0, 0.0, 1.0]), np.array([10.0, 0.0, 0.0])).tolist() == [0.5, 0.0, np.inf]


def test_iterations_are_those_of_cgls_written_down() -> None:
    A = Conv(RNG.standard_normal((3, 3)), (5, 4), padding="same")
    b = RNG.standard_normal((5, 4))
    problem = problem_of(A, da.from_array(b, chunks=3), 0.7, None)
    K = np.vstack([A.toarray(), 0.7 * np.eye(20)])
    x, r = np.zeros(20), np.concatenate([b.ravel(), np.zeros(20)])
    s = K.T @ r
    p = s
    state = begun(problem, None)
    assert state.reference == pytest.approx(np.linalg.norm(s))
    for _ in range(4):
        q = K @ p
        alpha = s @ s / (q @ q)
        x, r = x + alpha * p, r - alpha * q
        after = K.T @ r
        p, s = after + after @ after / (s @ s) * p, after
        state = advanced(problem, state)
        np.testing.assert_allclose(state.x.compute().ravel(), x, rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(state.p.compute().ravel(), p, rtol=1e-9, atol=1e-12)
        assert state.gamma == pytest.approx(s @ s, rel=1e-9)
        assert state.slope == pytest.approx(s @ s, rel=1e-9)
    found = residuals(problem, state.x)
    assert found.misfit == pytest.approx(np.linalg.norm(A.toarray() @ x - b.ravel()))
    assert found.normal == pytest.approx(np.linalg.norm(s))


def test_an_iteration_makes_the_same_of_the_same_state() -> None:
    A = Conv(RNG.standard_normal((3, 3)).astype("float32"), (9, 8), padding="same", boundary="wrap")
    b = RNG.standard_normal((9, 8)).astype("float32")
    once, again = (problem_of(A, da.from_array(b, chunks=4), 0.7, "gradient") for _ in range(2))
    states = [begun(once, None), begun(again, None)]
    for _ in range(3):
        states = [advanced(once, states[0]), advanced(again, states[1])]
    assert states[0].x.compute().tobytes() == states[1].x.compute().tobytes()
    assert states[0].gamma == states[1].gamma
