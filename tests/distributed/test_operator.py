"""`DaskConv` against the loops and against `Conv`: every geometry, any chunks, both directions."""

import pickle
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convops import Conv, ConvTranspose, check_adjoint, conv, conv_transpose, operator_norm
from convops.distributed import DaskConv
from cuts import cuts, sizes
from oracles import assert_within_rounding
from registry import (
    BOUNDARIES,
    CASES,
    FLOATS,
    Case,
    cases,
    inputs_for,
    magnitude_of,
    matrix_of,
    outputs_for,
    weights_for,
)

da = pytest.importorskip("dask.array")
dask = pytest.importorskip("dask")


def dask_conv(case: Case, weight: Any, **more: Any) -> DaskConv:
    return DaskConv(weight, case.input_shape, **case.kwargs(), **more)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_integers_are_those_of_the_loops_in_any_chunks(case: Case) -> None:
    rng = np.random.default_rng(len(case.name))
    weight, x, y = (make(case, "int64") for make in (weights_for, inputs_for, outputs_for))
    A, W = dask_conv(case, weight), matrix_of(case, weight)
    for _ in range(3):
        image = A(da.from_array(x, chunks=cuts(rng, x.shape)))
        back = A.H(da.from_array(y, chunks=cuts(rng, y.shape)))
        for lazy, expected in ((image, W @ x.ravel()), (back, W.T @ y.ravel())):
            found = lazy.compute()
            assert lazy.dtype == found.dtype == np.int64
            np.testing.assert_array_equal(found.ravel(), expected)


@settings(max_examples=25)
@given(st.data())
def test_products_are_those_of_the_matrix_for_random_geometries_and_chunks(data: st.DataObject) -> None:
    case = data.draw(cases(max_size=1500))
    dtype, method = data.draw(st.sampled_from(FLOATS)), data.draw(st.sampled_from(["gemm", "fft"]))
    weight, x, y = (make(case, dtype) for make in (weights_for, inputs_for, outputs_for))
    chunks = "auto"
    if data.draw(st.booleans()):
        chunks = tuple(data.draw(sizes(size)) for size in case.output_shape[case.has_channels :])
    A, W = dask_conv(case, weight, chunks=chunks, method=method), matrix_of(case, weight)
    magnitude, terms = magnitude_of(case, weight)
    for operator, v, matrix, by_entry in (
        (A, x, W, magnitude @ abs(x.ravel())),
        (A.H, y, W.conj().T, magnitude.T @ abs(y.ravel())),
        (A.T, y, W.T, magnitude.T @ abs(y.ravel())),
    ):
        given_ = da.from_array(v, chunks=tuple(data.draw(sizes(size)) for size in v.shape))
        lazy = operator(given_)
        assert (lazy.shape, lazy.dtype) == (operator.output_shape, np.dtype(dtype))
        # A transform mixes what taps make of samples, and of none.
        by_chunk = abs(v).sum() * abs(weight).sum() * np.ones_like(by_entry)
        reach = by_chunk if method == "fft" else by_entry
        assert_within_rounding(lazy.compute().ravel(), matrix @ v.ravel(), reach, terms)
    if chunks != "auto":
        assert A(da.from_array(x)).chunks[case.has_channels :] == chunks


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_batch_axes_keep_their_chunks(boundary: str) -> None:
    A = DaskConv(np.ones((2, 3, 3, 3), int), (3, 8, 9), padding=2, boundary=boundary)
    x = np.random.default_rng(0).integers(-9, 9, (3, 5, *A.input_shape))
    y = A(da.from_array(x, chunks=((1, 2), 2, 1, (2, 6), 4)))
    assert y.chunks[:3] == ((1, 2), (2, 2, 1), (2,))
    np.testing.assert_array_equal(y, Conv(A.weight, (3, 8, 9), padding=2, boundary=boundary)(x))
    assert A(da.zeros((0, *A.input_shape))).compute().shape == (0, *A.output_shape)


def test_operators_of_convops_take_dask_arrays_as_they_are() -> None:
    rng = np.random.default_rng(0)
    weight = rng.integers(-9, 9, (4, 3, 3, 2)) + 1j * rng.integers(-9, 9, (4, 3, 3, 2))
    A = Conv(weight, (3, 20, 21), stride=2, boundary="wrap", padding=1, method="gemm")
    B = ConvTranspose(weight, (4, 6, 7), stride=3, output_padding=1, method="gemm")
    for operator in (A, A.T, A.H, B, B.H, B.T):
        x = rng.integers(-9, 9, operator.input_shape) + 0j
        lazy = operator(da.from_array(x, chunks=5))
        assert isinstance(lazy, da.Array)
        np.testing.assert_array_equal(lazy, operator(x))
        np.testing.assert_array_equal(DaskConv.from_operator(operator)(x), operator(x))
    x, y = rng.integers(-9, 9, (2, 3, 8, 9)), rng.integers(-9, 9, (2, 4, 8, 9))
    taps = weight.real.astype(int)
    np.testing.assert_array_equal(conv(da.from_array(x), taps, batch_dims=1), conv(x, taps, batch_dims=1))
    transposed = conv_transpose(da.from_array(y), taps, batch_dims=1, stride=2)
    assert isinstance(transposed, da.Array)
    np.testing.assert_array_equal(transposed, conv_transpose(y, taps, batch_dims=1, stride=2))


@pytest.mark.parametrize(
    ("of_operator", "of_x"), [("float32", "complex64"), ("int8", "bool"), ("int64", "float32")]
)
def test_dtypes_are_those_of_the_product_in_memory(of_operator: str, of_x: str) -> None:
    weight, x = np.ones((3, 3), of_operator), np.ones((9, 9), of_x)
    expected = Conv(weight, (9, 9))(x)
    lazy = DaskConv(weight, (9, 9))(da.from_array(x, chunks=4))
    found = lazy.compute()
    assert lazy.dtype == found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected)


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_integers_that_could_leave_int64_are_refused_as_in_memory(boundary: str) -> None:
    A = DaskConv(np.full((3, 3), 2), (12, 12), padding=5, boundary=boundary)
    with pytest.raises(OverflowError, match="integers up to"):
        A(da.full((12, 12), 2**62, chunks=4)).compute()


@pytest.mark.parametrize("method", ["sparse", "gemm", "fft"])
def test_nan_and_infinity_stay_where_the_matrix_puts_them(method: str) -> None:
    x = np.ones((24, 24))
    x[10, 3], x[23, 0] = np.nan, np.inf
    expected = Conv(np.ones((3, 3)), (24, 24), padding=1, method="sparse")
    for operator, reference in ((expected, expected), (expected.H, expected.H)):
        A = DaskConv.from_operator(operator._by(method))
        np.testing.assert_allclose(A(da.from_array(x, chunks=8)), reference(x))


def test_the_adjoint_of_the_adjoint_is_the_operator() -> None:
    A = DaskConv([[1j, 2], [3, 4]], (9, 9), padding=1, chunks=4)
    assert A.H.H == A == A.T.T
    assert hash(A.H.H) == hash(A)
    assert A.H != A.T != A
    assert (A.H.input_shape, A.H.output_shape) == (A.output_shape, A.input_shape) == ((10, 10), (9, 9))
    assert (A.H.shape, A.chunks, A.H.chunks) == ((81, 100), ((4, 4, 2), (4, 4, 2)), ("auto", "auto"))
    np.testing.assert_array_equal(A.H.weight, A.weight.conj())
    real = DaskConv([1.0, 2.0], 9)
    assert real.H == real.T
    assert repr(real.T) == "<9x8 DaskConv, transposed: input_shape (8,) -> output_shape (9,), float64>"


def test_operators_and_what_they_return_can_be_pickled() -> None:
    A = DaskConv(np.ones((3, 3), np.float32), (30, 30), padding="same", boundary="reflect", chunks=(-1, 10))
    again = pickle.loads(pickle.dumps(A.H))
    assert again == A.H
    assert (again.dtype, again.method, again.flip) == (np.float32, "auto", False)
    y = A(da.ones((30, 30), chunks=7, dtype=np.float32))
    np.testing.assert_array_equal(pickle.loads(pickle.dumps(y)), y)


def test_an_operator_is_frozen() -> None:
    A = DaskConv([1.0, 2.0], 9)
    with pytest.raises(AttributeError, match="operators are frozen"):
        A.method = "fft"  # type: ignore[misc]
    with pytest.raises(AttributeError, match="operators are frozen"):
        del A._map


def test_the_same_product_has_the_same_name() -> None:
    # So that Dask computes it once, and finds it again on a cluster.
    A, x = DaskConv([1.0, 2.0], 9), da.ones(9, chunks=4)
    assert A(x).name == DaskConv([1.0, 2.0], 9)(x).name
    assert len({A(x).name, A.T(da.ones(8)).name, DaskConv([1.0, 3.0], 9)(x).name, A(x + 1).name}) == 4


def test_nothing_is_computed_before_it_is_asked_for() -> None:
    def fail(block: Any) -> Any:
        raise AssertionError("computed")

    x = da.ones((40, 40), chunks=10).map_blocks(fail, meta=np.empty((0, 0)))
    lazy = DaskConv(np.ones((3, 3)), (40, 40), padding=1)(x)
    assert prod(lazy.numblocks) == 16
    with pytest.raises(AssertionError, match="computed"):
        lazy.compute()


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("shape", [(3, 3), (4, 3, 3, 3)])
def test_channels_may_be_anywhere(shape: tuple[int, ...], axis: int) -> None:
    rng = np.random.default_rng(0)
    weight = rng.integers(-5, 6, shape)
    sizes_ = [9, 8]
    sizes_.insert(axis, 3)
    words: dict[str, Any] = {"padding": "same", "boundary": "reflect", "stride": 2, "channel_axis": axis}
    A, D = Conv(weight, sizes_, **words), DaskConv(weight, sizes_, **words)
    assert (D.input_shape, D.output_shape, D.channel_axis) == (A.input_shape, A.output_shape, axis)
    assert np.array_equal(D.weight, weight)
    x, y = (rng.integers(-9, 10, (2, *side)) for side in (A.input_shape, A.output_shape))
    X, Y = (da.from_array(array, chunks=cuts(rng, array.shape)) for array in (x, y))
    for op in (D, A):
        np.testing.assert_array_equal(op(X), A(x))
        np.testing.assert_array_equal(op.H(Y), A.H(y))
    assert pickle.loads(pickle.dumps(D)) == D.H.H == D
    assert DaskConv(np.ones(shape), (3, 3, 3), channel_axis=0) != DaskConv(
        np.ones(shape), (3, 3, 3), channel_axis=2
    )
    assert check_adjoint(D)
    found = operator_norm(D)
    assert found.lower <= np.linalg.norm(A.toarray(), 2) <= found.upper
    assert np.linalg.norm(A(np.asarray(found.vector))) >= found.lower * (1 - 1e-9)
