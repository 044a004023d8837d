"""Kernels that are passes along the axes: found to rounding and never beyond, applied as the loops do."""

from functools import reduce
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convops import Conv, ConvGeometry
from convops.apply import SeparableEngine, gemm, separable
from convops.apply.separable import Term, largest_rank, pass_geometries, rank_one, terms
from oracles import Array, assert_within_rounding
from registry import (
    BOUNDARIES,
    FLOATS,
    PADDINGS,
    Case,
    cases,
    inputs_for,
    magnitude_of,
    matrix_of,
    outputs_for,
    weights_for,
)
from tilings import block_of, geometry_of

# One geometry a line; each is tested with every boundary.
PLAIN = (
    Case("2d same", (3, 5), (6, 7), padding="same"),
    Case("2d strides, dilations, pairs", (3, 2), (7, 8), (2, 3), ((1, 0), (0, 2)), (1, 2)),
    Case("2d full, flipped", (4, 2), (3, 6), padding="full", flip=True),
    Case("2d row kernel", (1, 4), (3, 6), padding=(0, 2)),
    Case("2d depthwise", (3, 1, 3, 3), (3, 5, 4), padding=1, groups=3),
    Case("2d depthwise, stride 2, flipped", (2, 1, 3, 2), (2, 5, 7), 2, "same_lower", groups=2, flip=True),
    Case("3d", (2, 3, 2), (4, 4, 3), padding=(0, 1, 1)),
    Case("3d depthwise, strides", (2, 1, 3, 2, 3), (2, 4, 3, 5), (2, 1, 3), "same", groups=2),
    Case("4d", (2, 1, 2, 3), (3, 2, 3, 3), (1, 1, 2, 1), ((1, 0), (0, 0), (1, 1), (1, 1))),
)
BORDERED = [
    Case(
        f"{case.name}, {name}",
        case.weight_shape,
        case.input_shape,
        case.stride,
        case.padding,
        case.dilation,
        case.groups,
        name,
        case.flip,
    )
    for case in PLAIN
    for name in BOUNDARIES
]
LARGE = Case("2d sum of few", (7, 8), (9, 10), padding=2, boundary="reflect")
LARGE_DEPTHWISE = Case("2d sums of few", (3, 1, 7, 8), (3, 9, 10), (2, 1), "same", groups=3)
LARGE_3D = Case("3d sum of few", (5, 5, 5), (6, 5, 7), (1, 2, 1), "same", boundary="symmetric")


def correlated(case: Case, weight: Array) -> Array:
    return np.flip(weight, tuple(range(-len(case.kernel), 0))) if case.flip else weight


def terms_of(case: Case, weight: Array) -> list[Term] | str:
    return terms(geometry_of(case), weight)


def product_of(term: Term) -> Array:
    """Return the outer product of the lines of each channel."""
    channels = range(len(term[0]))
    return np.stack([reduce(np.multiply.outer, [line[channel] for line in term]) for channel in channels])


def sum_of(case: Case, count: int, dtype: Any = "float64") -> Array:
    """Return a weight that is the sum of that many separable ones per channel."""
    return np.sum([weights_for(case, dtype, seed, "separable") for seed in range(count)], axis=0)


def assert_is_the_matrix(case: Case, weight: Array, sums: bool = False) -> None:
    """Compare both directions with the loops.

    A sum of several terms is exact relative to the largest tap of each channel.
    """
    engine, W = SeparableEngine(geometry_of(case), correlated(case, weight)), matrix_of(case, weight)
    bound = weight
    if sums:
        kernels = abs(weight).reshape(-1, *case.kernel)
        largest = kernels.max(axis=tuple(range(1, kernels.ndim)), keepdims=True)
        bound = np.broadcast_to(4 * largest, kernels.shape).reshape(weight.shape)
    magnitude, count = magnitude_of(case, bound)
    x, y = ([make(case, weight.dtype, seed) for seed in (0, 1)] for make in (inputs_for, outputs_for))
    there, back = engine.forward(block_of(case, x)), engine.adjoint(block_of(case, y))
    assert there.dtype == back.dtype == weight.dtype
    for item, one in zip(there, x, strict=True):
        assert_within_rounding(item.ravel(), W @ one.ravel(), magnitude @ abs(one.ravel()), count)
    for item, one in zip(back, y, strict=True):
        assert_within_rounding(item.ravel(), W.conj().T @ one.ravel(), magnitude.T @ abs(one.ravel()), count)


@pytest.mark.parametrize("case", BORDERED, ids=str)
def test_passes_are_the_matrix_with_every_boundary_forward_and_adjoint(case: Case) -> None:
    assert_is_the_matrix(case, weights_for(case, method="separable"))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("case", BORDERED[::5], ids=str)
def test_passes_are_the_matrix_in_every_precision_and_keep_it(case: Case, dtype: str) -> None:
    assert_is_the_matrix(case, weights_for(case, dtype, method="separable"))


@pytest.mark.parametrize("padding", PADDINGS)
@pytest.mark.parametrize("flip", [False, True])
def test_passes_are_the_matrix_with_every_padding(padding: str, flip: bool) -> None:
    case = Case("paddings", (4, 3), (6, 5), (1, 2), padding, (1, 2), boundary=("wrap", "edge"), flip=flip)
    assert_is_the_matrix(case, weights_for(case, method="separable"))


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("case", "count"), [(LARGE, 2), (LARGE, 3), (LARGE_DEPTHWISE, 2), (LARGE_3D, 2)], ids=str
)
def test_a_sum_of_few_terms_is_the_matrix(case: Case, count: int, dtype: str) -> None:
    weight = sum_of(case, count, dtype)
    found = terms_of(case, correlated(case, weight))
    assert len(found) == count if len(case.kernel) == 2 else len(found) >= count
    assert_is_the_matrix(case, weight, sums=True)


def test_channels_may_be_sums_of_different_lengths() -> None:
    weight = sum_of(LARGE_DEPTHWISE, 2)
    weight[1] = weights_for(LARGE_DEPTHWISE, seed=5, method="separable")[1]
    weight[2] = 0
    assert len(terms_of(LARGE_DEPTHWISE, weight)) == 2
    assert_is_the_matrix(LARGE_DEPTHWISE, weight, sums=True)


@pytest.mark.parametrize(("dtype", "scale"), [("float64", 1e20), ("float32", 1e9), ("complex128", 1e-20)])
def test_a_channel_of_small_taps_beside_one_of_large_taps_keeps_its_terms(dtype: str, scale: float) -> None:
    """No output of a depthwise convolution mixes two channels, so neither may their rounding."""
    weight = sum_of(LARGE_DEPTHWISE, 2, dtype)
    weight[0] = weights_for(LARGE_DEPTHWISE, dtype, method="separable")[0]
    weight[0] *= scale
    assert_is_the_matrix(LARGE_DEPTHWISE, weight, sums=True)


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_kernel_of_zeros_is_a_product_of_zeros(dtype: str) -> None:
    for case in (PLAIN[0], PLAIN[4]):
        assert len(terms_of(case, np.zeros(case.weight_shape, dtype))) == 1
        assert_is_the_matrix(case, np.zeros(case.weight_shape, dtype))


lines = st.lists(st.floats(0.01, 100) | st.floats(-100, -0.01) | st.just(0.0), min_size=1, max_size=5)


@given(st.lists(lines, min_size=2, max_size=3), st.sampled_from(["float32", "float64"]))
def test_an_outer_product_is_found_and_each_tap_keeps_its_own_precision(
    axes: list[list[float]], dtype: str
) -> None:
    kernel = reduce(np.multiply.outer, [np.array(line, dtype) for line in axes])
    term = rank_one(kernel[None])
    assert term is not None
    assert [line.shape for line in term] == [(1, len(line)) for line in axes]
    assert {line.dtype for line in term} == {np.dtype(dtype)}
    exact = reduce(np.multiply.outer, [line[0].astype("longdouble") for line in term])
    assert (abs(exact - kernel) <= 2 * len(axes) * np.finfo(dtype).eps * abs(kernel)).all()


def test_taps_far_below_the_largest_are_kept_as_they_are() -> None:
    """A singular value decomposition would lose them: they are below the rounding of the largest."""
    line = np.exp(-(np.linspace(-9, 9, 13) ** 2))
    kernel = np.outer(line, line)
    assert kernel.min() < 1e-60
    (term,) = terms(ConvGeometry(kernel.shape, (20, 20)), kernel)
    np.testing.assert_allclose(product_of(term)[0], kernel, rtol=1e-15)
    delta = np.zeros((20, 20))
    delta[10, 10] = 1
    blurred = Conv(kernel, (20, 20), padding="same", method="separable")(delta)
    np.testing.assert_allclose(blurred[4:17, 4:17], kernel, rtol=1e-14)


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("place", [(0, 0), (1, 2), (2, 1)])
def test_a_kernel_that_is_nearly_an_outer_product_is_not_taken_for_one(
    dtype: str, place: tuple[int, int]
) -> None:
    kernel = np.outer([1, 2, 3], [2, 1, 5]).astype(dtype)
    assert rank_one(kernel[None]) is not None
    kernel[place] *= 1 + 64 * np.finfo(dtype).eps
    assert rank_one(kernel[None]) is None
    refused = r"of rank 1 at most; the rank found is 2, which is 2 \* 6 taps in place of 9"
    with pytest.raises(ValueError, match=refused):
        Conv(kernel, (5, 5), method="separable")


def test_a_small_tap_that_does_not_fit_is_seen_beside_large_ones() -> None:
    kernel = np.outer([1.0, 2, 1e-9], [3.0, 1, 1e-9])
    assert rank_one(kernel[None]) is not None
    kernel[2, 2] *= 2  # 1e-18, which the rounding of the largest tap hides
    assert rank_one(kernel[None]) is None
    assert rank_one(np.stack([np.ones((3, 3)), kernel])) is None


def test_one_channel_of_higher_rank_is_enough() -> None:
    kernels = np.ones((3, 4, 4))
    assert rank_one(kernels) is not None
    kernels[1, 2, 3] = 2
    assert rank_one(kernels) is None


@given(
    st.sampled_from([(7, 8), (2, 5, 5), (1, 1, 4, 4), (6, 6, 3)]), st.integers(1, 3), st.integers(0, 10**6)
)
def test_terms_sum_up_to_the_weight_to_rounding_or_are_refused(
    shape: tuple[int, ...], count: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    scales = 10.0 ** rng.integers(-12, 1, count)
    kernel = sum(
        scale * reduce(np.multiply.outer, [rng.standard_normal(taps) for taps in shape]) for scale in scales
    )
    found = terms(ConvGeometry(shape, [2 * taps for taps in shape]), kernel)
    if isinstance(found, str):
        assert f"must be of rank {largest_rank(shape)} at most" in found
        return
    total = np.sum([product_of(term) for term in found], axis=0)
    assert len(found) <= largest_rank(shape)
    np.testing.assert_allclose(total[0], kernel, rtol=0, atol=1e-14 * prod(shape) ** 0.5 * abs(kernel).max())


@pytest.mark.parametrize("shape", [(1, 4), (2, 2), (3, 3), (4, 5), (15, 15), (2, 2, 2), (5, 5, 5)], ids=str)
def test_the_largest_rank_has_fewer_taps_than_the_kernel_and_one_is_always_allowed(
    shape: tuple[int, ...],
) -> None:
    rank = largest_rank(shape)
    assert rank == 1 or rank * sum(shape) < prod(shape)
    assert (rank + 1) * sum(shape) >= prod(shape)


def test_rank_1_but_for_the_last_bits_of_a_small_kernel_is_taken_by_name() -> None:
    kernel = np.outer([1.0, 2.0], [3.0, 1.0])
    kernel[1, 1] *= 1 + 2**-49
    assert rank_one(kernel[None]) is None
    assert len(terms(ConvGeometry((2, 2), (8, 8)), kernel)) == 1


@given(cases(max_size=4000), st.sampled_from(FLOATS))
@settings(max_examples=40)
def test_random_kernels_are_the_matrix_or_refused_in_words(case: Case, dtype: str) -> None:
    weight = weights_for(case, dtype)
    found = terms_of(case, correlated(case, weight))
    if isinstance(found, str):
        assert found.endswith(".")
    else:
        assert case.suits("separable", dtype)
        assert_is_the_matrix(case, weight, sums=len(found) > 1)


ONES = np.ones((3, 3))
REFUSED: dict[str, tuple[Array, Any, int, str]] = {
    "mixing channels": (
        np.ones((2, 3, 3, 3)),
        (3, 8, 8),
        1,
        r"channels that mix, 3 in, 2 out, 1 group\(s\), are not separable\. Give one kernel per channel, "
        r"groups=C, or use method='gemm'\.",
    ),
    "two outputs per channel": (
        np.ones((6, 1, 3, 3)),
        (3, 8, 8),
        3,
        r"channels that mix, 3 in, 6 out, 3 group\(s\), are not separable",
    ),
    "groups of two": (np.ones((4, 2, 3, 3)), (4, 8, 8), 2, r"4 in, 4 out, 2 group\(s\)"),
    "integers": (
        np.ones((3, 3), int),
        (8, 8),
        1,
        r"the factors of a kernel are rounded, and integers are kept exact\. Use method='gemm' or 'sparse', "
        r"or a float dtype\.",
    ),
    "one axis": (np.ones(3), 8, 1, r"one axis, so there is nothing to separate\. Use method='gemm' or 'fft'"),
    "NaN": (ONES * np.nan, (8, 8), 1, r"the weight is not finite\. Use method='sparse'\."),
    "inf": (np.array([[1, np.inf], [1, 1]]), (8, 8), 1, r"the weight is not finite"),
    "full rank": (
        np.eye(3),
        (8, 8),
        1,
        r"a kernel of shape \(3, 3\) must be of rank 1 at most; the rank found is 3, which is 3 \* 6 taps in "
        r"place of 9\. Use method='gemm' or 'fft'\.",
    ),
}


@pytest.mark.parametrize(("weight", "shape", "groups", "message"), REFUSED.values(), ids=REFUSED.keys())
def test_what_is_not_separable_is_refused_in_words(
    weight: Array, shape: Any, groups: int, message: str
) -> None:
    message = f"method='separable': .*{message}"
    if np.isfinite(weight).all():  # else no operator takes it
        with pytest.raises(ValueError, match=message):
            Conv(weight, shape, groups=groups, method="separable")
    with pytest.raises(ValueError, match=message):
        SeparableEngine(ConvGeometry(weight.shape, shape, groups=groups), weight)


def test_integers_with_a_dtype_are_taken() -> None:
    x = np.arange(64.0).reshape(8, 8)
    A = Conv(np.ones((3, 3), int), (8, 8), dtype="float64", method="separable")
    assert A.method == "separable"
    np.testing.assert_array_equal(A(x), Conv(np.ones((3, 3)), (8, 8), method="sparse")(x))


@pytest.mark.parametrize("case", [*PLAIN, LARGE_3D], ids=str)
def test_each_pass_reads_what_the_one_before_it_writes(case: Case) -> None:
    geometry = geometry_of(case)
    passes = pass_geometries(geometry)
    assert sorted(axis for axis, _ in passes) == list(range(len(case.kernel)))
    shape = (geometry.in_channels, *case.spatial)
    for axis, line in passes:
        assert line.input_shape == shape
        assert line.weight_shape[2 + axis] == prod(line.weight_shape[1:]) == case.kernel[axis]
        assert line.groups == line.in_channels == line.out_channels == geometry.in_channels
        shape = line.output_shape
    assert shape == (geometry.out_channels, *case.output_shape[case.has_channels :])


def test_the_axis_that_shrinks_the_most_comes_first_and_one_that_grows_last() -> None:
    for stride, padding, order in [
        ((1, 1, 1), 0, [0, 1, 2]),
        ((1, 4, 2), 0, [1, 2, 0]),
        ((1, 1, 3), ((6, 6), (0, 0), (0, 0)), [2, 1, 0]),
        (1, ((0, 0), (2, 2), (1, 1)), [0, 2, 1]),
    ]:
        geometry = ConvGeometry((3, 3, 3), (12, 12, 12), stride=stride, padding=padding)
        assert [axis for axis, _ in pass_geometries(geometry)] == order


def test_the_adjoint_goes_through_the_passes_backwards(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, ...]] = []

    class Seeing(gemm.GemmEngine):
        def forward(self, x: Array) -> Array:
            seen.append(x.shape)
            return super().forward(x)

        def adjoint(self, y: Array) -> Array:
            seen.append(y.shape)
            return super().adjoint(y)

    monkeypatch.setattr(separable, "GemmEngine", Seeing)
    engine = SeparableEngine(ConvGeometry((3, 3), (12, 12), stride=(1, 4)), np.ones((3, 3)))
    engine.forward(np.ones((1, 1, 12, 12)))
    engine.adjoint(np.ones((1, 1, 10, 3)))
    assert seen == [(1, 1, 12, 12), (1, 1, 12, 3), (1, 1, 10, 3), (1, 1, 12, 3)]


def test_the_estimate_is_that_of_the_passes_times_the_terms() -> None:
    geometry = ConvGeometry((9, 7), (40, 30), stride=(2, 1), padding="same", boundary="reflect")
    for dtype in map(np.dtype, FLOATS):
        parts = [gemm.estimate(line, dtype) for _, line in pass_geometries(geometry)]
        for rank in (1, 3):
            expected = [rank * sum(figures) for figures in zip(*parts, strict=True)]
            assert separable.estimate(geometry, dtype, rank) == pytest.approx(expected)
