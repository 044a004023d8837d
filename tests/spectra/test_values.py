"""Singular values are those that numpy finds in the dense matrix, by whichever route."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given

from convops import Conv, ConvTranspose, singular_values, spectral_route
from convops.spectra import _frequencies, values
from oracles import Array
from registry import BOUNDARIES, CASES, FLOATS, Case, cases, matrix_of, weights_for


def conv_of(case: Case, dtype: str) -> Conv:
    return Conv(weights_for(case, dtype), case.input_shape, **case.kwargs())


def assert_singular_values(A: Any, W: Array) -> None:
    """Hold the values of A against numpy's of W; both are off by a multiple of u of the largest."""
    found = singular_values(A)
    expected = np.linalg.svd(W.astype(np.result_type(W.dtype, float)), compute_uv=False)
    assert found.shape == expected.shape
    assert found.dtype == (np.float64 if A.dtype.kind == "i" else np.zeros(0, A.dtype).real.dtype)
    assert (np.diff(found) <= 0).all()
    assert (found >= 0).all()
    # W may sum taps that cancel: what is rounded is as large as their moduli.
    size = np.linalg.norm(np.abs(A.weight).astype(float))
    bound = 8 * max(W.shape) * np.finfo(found.dtype).eps * max(expected[0], size)
    assert (np.abs(found - expected) <= bound).all()


@pytest.mark.parametrize("dtype", [*FLOATS, "int64"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_singular_values_are_those_of_the_dense_matrix(case: Case, dtype: str) -> None:
    A, W = conv_of(case, dtype), matrix_of(case, weights_for(case, dtype))
    for operator in (A, A.T, A.H):
        assert_singular_values(operator, W)


@given(cases(max_size=5000))
def test_singular_values_are_those_of_any_dense_matrix(case: Case) -> None:
    for dtype in ("float64", "complex128"):
        assert_singular_values(conv_of(case, dtype), matrix_of(case, weights_for(case, dtype)))


@given(cases(max_size=5000, boundaries=("wrap", "symmetric")))
def test_kernels_made_symmetric_have_the_values_of_the_dense_matrix(case: Case) -> None:
    weight = weights_for(case)
    for axis in range(-len(case.kernel), 0):
        weight = weight + np.flip(weight, axis)
    A = Conv(weight, case.input_shape, **case.kwargs())
    assert_singular_values(A, matrix_of(case, weight))


def symmetric(shape: tuple[int, ...], axes: int = 2) -> Array:
    weight = np.random.default_rng(0).standard_normal(shape)
    for axis in range(-axes, 0):
        weight = weight + np.flip(weight, axis)
    return weight


STRUCTURED: dict[str, tuple[tuple[int, ...], tuple[int, ...], dict[str, Any], str]] = {
    "wrap": ((4, 3, 3, 3), (3, 6, 5), {"boundary": "wrap"}, "6 × 5 blocks of 4 × 3"),
    "symmetric": ((4, 3, 3, 5), (3, 6, 5), {"boundary": "symmetric"}, "6 × 5 blocks of 4 × 3"),
    "one axis each": ((3, 5), (6, 8), {"boundary": ("wrap", "symmetric")}, "6 × 8 blocks of 1 × 1"),
    "dilated": ((3, 3), (8, 7), {"boundary": "symmetric", "dilation": 2}, "8 × 7 blocks of 1 × 1"),
    "stride 2": (
        (4, 3, 3, 3),
        (3, 6, 8),
        {"boundary": "wrap", "stride": 2},
        "3 × 4 blocks of 4 × 12",
    ),
    "stride 3 of 9, 2 of 4": (
        (3, 4),
        (9, 4),
        {"boundary": "wrap", "stride": (3, 2)},
        "3 × 2 blocks of 1 × 6",
    ),
    "groups": (
        (4, 1, 3, 3),
        (2, 6, 5),
        {"boundary": "wrap", "groups": 2},
        "6 × 5 blocks of 2 × 1 in each of 2 groups",
    ),
    "kernel longer than the axis": ((9,), (4,), {"boundary": "wrap"}, "4 blocks of 1 × 1"),
    "stride coprime to the size, all round": (
        (3,),
        (5,),
        {"boundary": "wrap", "stride": 3, "padding": ((0, 12),)},
        "5 blocks of 1 × 1",
    ),
    "twice round": ((3,), (6,), {"boundary": "wrap", "stride": 2, "padding": ((1, 7),)}, "3 blocks of 1 × 2"),
    "one sample": ((3,), (1,), {"boundary": "edge", "padding": 4}, "1 blocks of 1 × 1"),
    "kernel 1, zeros": ((2, 3, 1, 1), (3, 4, 6), {"stride": (1, 3)}, "4 × 2 blocks of 2 × 9"),
}


@pytest.mark.parametrize("complex_too", [False, True])
@pytest.mark.parametrize("name", STRUCTURED)
def test_structure_is_found_and_tells_the_values(name: str, complex_too: bool) -> None:
    shape, input_shape, more, route = STRUCTURED[name]
    weight = symmetric(shape, len(shape) - 2 if len(shape) > len(input_shape) else len(shape))
    if complex_too:
        weight = weight * (1 - 2j) + np.abs(weight) * 1j
    A = Conv(weight, input_shape, **({"padding": "same"} | more))
    assert spectral_route(A) == spectral_route(A.T) == f"per frequency: {route}"
    assert_singular_values(A, A.toarray())


@pytest.mark.parametrize(
    ("shape", "input_shape", "more"),
    [
        ((3,), 7, {"stride": 2, "boundary": "wrap", "padding": "same"}),
        ((3,), 7, {"boundary": "wrap"}),
        ((3,), 7, {"boundary": "symmetric", "padding": ((2, 0),)}),
        ((4,), 7, {"boundary": "symmetric", "padding": "same"}),
        ((3,), 8, {"boundary": "symmetric", "padding": "same", "stride": 2}),
        ((3,), 3, {"boundary": "symmetric", "padding": 2, "stride": 2}),
        ((3,), 7, {"boundary": "reflect", "padding": "same"}),
        ((3,), 7, {"padding": "same"}),
    ],
)
def test_what_has_no_structure_is_made_dense(shape: Any, input_shape: int, more: Any) -> None:
    A = Conv(symmetric(shape, 1), input_shape, **more)
    assert spectral_route(A).startswith("dense: ")
    assert_singular_values(A, A.toarray())


def test_a_kernel_that_is_not_symmetric_is_not_taken_for_one() -> None:
    A = Conv([1.0, 2.0, 4.0], 9, padding="same", boundary="symmetric")
    assert spectral_route(A) == "dense: a matrix of 9 × 9"
    assert_singular_values(A, A.toarray())


def test_boxes_of_frequencies_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    A = Conv(symmetric((4, 3, 3, 3)), (3, 6, 8), padding="same", boundary="wrap", stride=(1, 2))
    whole = singular_values(A)
    monkeypatch.setattr(_frequencies, "_BYTES_AT_ONCE", 2000)
    np.testing.assert_allclose(singular_values(A), whole, rtol=0, atol=1e-13 * whole[0])


def test_real_weights_are_looked_at_at_half_of_the_frequencies(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    of_blocks = values._of_blocks
    monkeypatch.setattr(values, "_of_blocks", lambda blocks: seen.append(blocks.shape) or of_blocks(blocks))
    for dtype in (float, complex):
        A = Conv(symmetric((2, 2, 3, 3)).astype(dtype), (2, 6, 8), padding="same", boundary="wrap")
        assert singular_values(A).size == 96
    assert seen == [(1, 6 * 5, 2, 2), (1, 6 * 8, 2, 2)]


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("dtype", ["float32", "complex128", "int64"])
def test_lanczos_finds_the_largest(boundary: str, dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    weight = (10 * np.random.default_rng(1).standard_normal((2, 1, 3, 4))).astype(dtype)
    A = Conv(weight, (1, 9, 10), padding=2, boundary=boundary, stride=(1, 2), flip=True)
    expected = np.linalg.svd(A.toarray(), compute_uv=False)[:6]
    assert spectral_route(A).startswith("dense") or boundary == "wrap"
    monkeypatch.setattr(values, "_DENSE_BYTES", 0)
    monkeypatch.setattr(values, "frequencies_of", lambda *_: None)
    for operator in (A, A.H):
        assert spectral_route(operator, k=6) == "Lanczos: the 6 largest"
        found = singular_values(operator, k=6)
        np.testing.assert_allclose(found, expected, rtol=1e-5 if dtype == "float32" else 1e-11)


def test_k_cuts_the_largest_off_on_every_route() -> None:
    for boundary in ("wrap", "zeros"):
        A = ConvTranspose(np.arange(9.0).reshape(3, 3), (5, 6), padding=1, boundary=boundary)
        whole = singular_values(A)
        for k in (1, 7, min(A.shape)):
            np.testing.assert_array_equal(singular_values(A, k=k), whole[:k])


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_values_at_the_ends_of_the_range_are_right(scale: float) -> None:
    for boundary in ("wrap", "zeros"):
        A, B = (Conv(np.array([3.0, 4.0]) * c, 5, padding="same", boundary=boundary) for c in (1, scale))
        np.testing.assert_allclose(singular_values(B), singular_values(A) * scale, rtol=1e-13)


def test_values_beyond_the_dtype_are_refused() -> None:
    A = Conv(np.float32([3e38, 3e38]), 5, padding="same", boundary="wrap")
    with pytest.raises(OverflowError, match="leaves the range of float32"):
        singular_values(A)


def test_lanczos_that_does_not_converge_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def give_up(*_: Any, **__: Any) -> None:
        raise values.ArpackNoConvergence("no", np.ones(2), np.ones((2, 2)))

    monkeypatch.setattr(values, "svds", give_up)
    monkeypatch.setattr(values, "_DENSE_BYTES", 0)
    with pytest.raises(RuntimeError, match=r"k=4: Lanczos gave up with 2 of these found"):
        singular_values(Conv([1.0, 2.0], 9), k=4)


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("weight", [np.arange(1.0, 10).reshape(3, 3), np.arange(54.0).reshape(2, 3, 3, 3)])
def test_the_layout_of_the_channels_changes_no_value(weight: Array, axis: int) -> None:
    shape = ((3, 6, 5), (6, 3, 5), (6, 5, 3))[axis]
    for boundary in ("zeros", "wrap"):
        A = Conv(weight, shape, padding="same", boundary=boundary, channel_axis=axis)
        expected = np.linalg.svd(A.toarray(), compute_uv=False)
        np.testing.assert_allclose(singular_values(A), expected, atol=1e-11)
        np.testing.assert_allclose(singular_values(A.T, 4), expected[:4], atol=1e-11)
    assert ("for each of 3 channels" in spectral_route(A)) == (weight.ndim == 2)
