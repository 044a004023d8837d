"""Small images as chains of products against the loops."""

import numpy as np
import pytest

from convops import Conv
from convops.apply import FFTEngine, _chain
from oracles import Array, assert_within_rounding
from registry import CASES, Case, inputs_for, magnitude_of, matrix_of, outputs_for, weights_for
from tilings import geometry_of


def engine_of(case: Case, dtype: str) -> FFTEngine:
    axes = tuple(range(-len(case.kernel), 0))
    weight = weights_for(case, dtype)
    return FFTEngine(geometry_of(case), np.flip(weight, axes) if case.flip else weight)


MORE = (
    Case("1d circle", (4,), (15,), padding="same", boundary="wrap"),
    Case("1d circle, kernel longer than the period", (7,), (3,), padding="same", boundary="wrap"),
    Case("1d, nothing beyond the ends", (6,), (9,)),
    Case("2d circle on one axis", (3, 3), (5, 7), padding="same", boundary=("wrap", "zeros")),
    Case("2d far beyond the ends", (2, 3), (6, 7), padding=((1, 9), (8, 2))),
    Case("2d turned round", (3, 2), (6, 7), padding="full", flip=True),
)
SMALL = [case for case in (*CASES, *MORE) if engine_of(case, "float64")._chain is not None]


def assert_chain_is(case: Case, found: Array, W: Array, magnitude: Array, x: Array) -> None:
    """A transform is exact relative to the largest value."""
    bound = np.full(len(W), (magnitude @ abs(x)).max(initial=0))
    assert_within_rounding(found.ravel(), W @ x, bound, max(W.shape))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("case", SMALL, ids=str)
def test_chains_are_the_matrix_and_its_transpose(case: Case, dtype: str) -> None:
    engine, weight = engine_of(case, dtype), weights_for(case, dtype)
    W, magnitude = matrix_of(case, weight), magnitude_of(case, weight)[0]
    x, y = inputs_for(case, dtype), outputs_for(case, dtype)
    there, back = engine._chain, engine._adjoint_chain
    assert there is not None
    assert back is not None
    found = there(x.reshape(case.input_shape[-len(case.kernel) :]))
    assert found.dtype == dtype
    assert_chain_is(case, found, W, magnitude, x.ravel())
    found = back(y.reshape(case.output_shape[-len(case.kernel) :]))
    assert found.dtype == dtype
    assert_chain_is(case, found, W.T, magnitude.T, y.ravel())


def test_there_are_chains_of_every_kind() -> None:
    assert {len(case.kernel) for case in SMALL} == {1, 2}
    assert {case.boundary for case in SMALL} >= {"zeros", "wrap"}
    assert any(case.flip for case in SMALL)
    assert any(case.dilation != 1 for case in SMALL)


@pytest.mark.parametrize(
    "case",
    [
        Case("channels", (2, 3, 3), (3, 8)),
        Case("groups", (2, 1, 3), (2, 8), groups=2),
        Case("stride", (3, 3), (8, 8), stride=2),
        Case("three axes", (2, 2, 2), (4, 4, 4)),
        Case("a border that is written out", (3, 3), (8, 8), padding="same", boundary="reflect"),
        Case("large", (3, 3), (40, 40)),
    ],
    ids=str,
)
def test_there_are_none_of_anything_else(case: Case) -> None:
    engine = engine_of(case, "float64")
    assert engine._chain is None
    assert engine._adjoint_chain is None


def test_one_array_goes_by_the_chain_and_a_batch_or_another_dtype_does_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    used: list[int] = []
    apply = _chain.Chain.__call__
    monkeypatch.setattr(_chain.Chain, "__call__", lambda self, x: used.append(1) or apply(self, x))
    A = Conv(np.ones((3, 3)), (6, 7), padding="same", method="fft")
    x = np.arange(42.0).reshape(6, 7)
    y = A(x)
    assert used == [1]
    for other in (np.stack([x, x])[1:2].repeat(2, 0), x + 0j, x.astype(np.float32)):
        np.testing.assert_allclose(A(other).reshape(-1, 6, 7)[0], y, rtol=1e-5)
    assert used == [1]
    A.H(x)
    assert used == [1, 1]


def test_a_chain_leaves_its_operand_as_it_was_and_takes_any_layout() -> None:
    A = Conv(np.arange(9.0).reshape(3, 3), (6, 8), padding="same", method="fft")
    x = np.random.default_rng(0).standard_normal((6, 8))
    y = A(x)
    for same in (np.asfortranarray(x), np.repeat(x, 2, axis=1)[:, ::2], x[::-1].copy()[::-1]):
        same.flags.writeable = False
        np.testing.assert_array_equal(A(same), y)


def test_nan_goes_where_the_matrix_takes_it() -> None:
    A = Conv(np.ones((3, 3)), (6, 6), padding="same", method="fft")
    x = np.ones((6, 6))
    x[0, 0] = np.nan
    assert np.isnan(A(x)).sum() == 4
