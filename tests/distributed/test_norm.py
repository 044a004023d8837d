"""`operator_norm` of a `DaskConv`: the norm of the dense matrix lies between, and nothing large is made."""

import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from convops import operator_norm
from convops.distributed import DaskConv, _norm
from registry import BOUNDARIES, Case, cases, matrix_of, weights_for

pytest.importorskip("dask.array")


@pytest.fixture(autouse=True)
def _small_windows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_norm, "_WINDOW", 36)


def agree(A: DaskConv, W: Any) -> None:
    norm = np.linalg.norm(W, 2) if W.any() else 0.0
    for operator in (A, A.T, A.H):
        found = operator_norm(operator)
        assert found.lower <= norm * (1 + 1e-12)
        assert found.upper >= norm * (1 - 1e-12)
        assert found.vector.shape == operator.input_shape
        vector = found.vector.compute()
        assert np.linalg.norm(vector) == pytest.approx(1)
        assert np.linalg.norm(operator(vector).compute()) >= found.lower * (1 - 1e-9)


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cases(max_size=1500), st.sampled_from(["float64", "complex64"]))
def test_the_norm_lies_between_for_random_geometries(case: Any, dtype: str) -> None:
    weight = weights_for(case, dtype)
    agree(DaskConv(weight, case.input_shape, **case.kwargs()), matrix_of(case, weight))


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("stride", [1, 2])
def test_the_norm_lies_between_where_a_window_stands_for_the_image(boundary: str, stride: int) -> None:
    case = Case("window", (3, 3), (20, 24), stride, "same", boundary=boundary)
    for weight in (weights_for(case), np.outer([1.0, 2.0, 1.0], [1.0, 3.0, 1.0])):
        A = DaskConv(weight, case.input_shape, **case.kwargs())
        assert "window" in operator_norm(A).route
        agree(A, matrix_of(case, weight))


def test_a_volume_beyond_all_memory_is_bounded_at_once() -> None:
    blur = np.ones((3, 3, 3)) / 27
    A = DaskConv(blur, (10**5,) * 3, padding="same", boundary="symmetric")
    tracemalloc.start()
    found = operator_norm(A)
    assert tracemalloc.get_traced_memory()[1] < 2**26
    tracemalloc.stop()
    assert 0.5 < found.lower <= 1 <= found.upper < 1 + 1e-9
    assert found.vector.shape == A.input_shape
