"""A sweep measures what the dense problem says, its trace within the spread of random signs."""

import warnings
from typing import Any

import numpy as np
import pytest

from convops import Conv, gradient
from convops.inverse import _normal, _sweep
from convops.inverse._progress import Progress
from convops.inverse._sweep import Sweep
from convops.inverse.tikhonov import problem_of
from inverse.dense import measured
from oracles import Array

LINE = np.exp(-0.5 * (np.arange(-3, 4) / 1.2) ** 2)
BLUR = Conv(np.outer(LINE, LINE) / LINE.sum() ** 2, (11, 12), padding="same")


def sweep_of(A: Any, b: Array, traced: bool = True, reg: str | None = None) -> Sweep:
    return Sweep(problem_of(A, b, 0.0, reg)[0], traced, Progress(False, None))


@pytest.mark.parametrize("reg", [None, "gradient"])
def test_residual_seminorm_and_trace_are_those_of_the_dense_problem(reg: str | None) -> None:
    b = np.random.default_rng(0).standard_normal(BLUR.output_shape)
    sweep = sweep_of(BLUR, b, reg=reg)
    L = None if reg is None else gradient(BLUR.input_shape, boundary="zeros").toarray()
    for damp in (3.0, 0.3, 0.03):
        residual, seminorm, freedom = measured(BLUR, L, b.reshape(1, -1), damp)
        found = sweep.measures(damp)
        assert (found.residual, found.seminorm) == pytest.approx((residual, seminorm), rel=1e-6)
        assert found.freedom == pytest.approx(freedom, abs=0.1 * np.sqrt(freedom * BLUR.shape[0]))


@pytest.mark.parametrize("factor", [1.0, -3.0])
@pytest.mark.parametrize(("stride", "reg"), [(1, None), (1, "gradient"), (2, None)])
def test_of_an_iterated_convolution_the_trace_is_near_that_of_the_dense_problem(
    stride: int, reg: str | None, factor: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_normal, "MOST_WORK", 0)
    A = factor * Conv(BLUR.weight, (24, 23), padding="same", stride=stride, boundary="edge")
    sweep = sweep_of(A, np.ones(A.output_shape), reg=reg)
    L = None if reg is None else gradient(A.input_shape, boundary="edge").toarray()
    for damp in (1.0, 0.1):
        _, _, freedom = measured(A, L, np.ones((1, A.shape[0])), damp * abs(factor))
        assert sweep.measures(damp * abs(factor)).freedom == pytest.approx(freedom, abs=0.06 * A.shape[0])
    assert sweep.route == "cg"


def test_without_a_trace_no_signs_are_solved_for() -> None:
    b = np.ones(BLUR.output_shape)
    found = sweep_of(BLUR, b, traced=False).measures(0.1)
    assert np.isnan(found.freedom)
    assert found.residual > 0


def test_an_answer_nearby_saves_iterations(monkeypatch: pytest.MonkeyPatch) -> None:
    A = Conv(np.outer(LINE, LINE), (90, 91), padding="same")
    b = np.random.default_rng(0).standard_normal(A.output_shape)

    def iterations(most_bytes: int) -> int:
        monkeypatch.setattr(_sweep, "_MOST_BYTES", most_bytes)
        watch = Progress(False, None)
        sweep = Sweep(problem_of(A, b, 0.0, None)[0], False, watch)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for damp in (0.3, 0.3001, 0.9, 0.3):
                sweep.measures(damp)
        assert sweep.route == "cg"
        return watch.iterations

    assert iterations(2**29) < iterations(0)


def test_the_ends_hold_the_norm() -> None:
    least, most = sweep_of(BLUR, np.ones(BLUR.output_shape)).ends()
    norm = np.linalg.norm(BLUR.toarray(), 2)
    assert least < 1e-3 * norm
    assert most == pytest.approx(norm, rel=0.05)
