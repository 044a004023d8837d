"""What rounding may do is measured, by probes whose images are made once."""

from collections.abc import Callable
from itertools import combinations
from typing import Any
from zlib import crc32

import numpy as np
import pytest

from adjoint.pairs import COLUMNS, ROWS, Planted, matrix_of, pair_operator, samples_of, times
from convops import Conv, check_adjoint
from convops.adjoint.probes import LARGEST_INTEGER
from convops.adjoint.samples import SAFETY, Samples, difference, disagreement, multiple, sum_of
from registry import FLOATS

Array = np.ndarray


def u(dtype: Any) -> float:
    return 2.0**-24 if np.finfo(dtype).eps > 1e-10 else 2.0**-53


def noise_of(x: Array, size: float) -> Array:
    """Return an error of this size that x alone decides, and that no sum of x foretells."""
    rng = np.random.default_rng(crc32(np.ascontiguousarray(x).tobytes()))
    noise = rng.standard_normal(x.size)
    if x.dtype.kind == "c":
        noise = (noise + 1j * rng.standard_normal(x.size)) / 2**0.5
    return (size * noise).astype(x.dtype)


def noisy(size: float) -> Callable[[Array], Array]:
    return lambda x: x + noise_of(x, size)


def identities(forward: float, adjoint: float, dtype: Any, n: int = 3000, seed: int = 0) -> Samples:
    return samples_of(
        noisy(forward), noisy(adjoint), seed=seed, input_shape=n, output_shape=n, dtype=np.dtype(dtype)
    )


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_noise_that_is_measured_is_that_of_a_known_error(dtype: str) -> None:
    size = 100 * u(dtype)
    for seed in range(5):
        half = identities(size, 0, dtype, seed=seed).forward
        x1, x2 = half.probes[:2]
        error = noise_of(x1 + x2, size) - noise_of(x1, size) - noise_of(x2, size)
        # Half of it, per entry; what comes on top is the rounding of an addition.
        expected = np.linalg.norm(error.astype(complex)) / 2 / 3000**0.5
        assert half.error_per_entry(np.ones(3000)) == pytest.approx(expected, rel=0.02)
        # Three errors of this size make it, each by itself, halved.
        assert expected == pytest.approx(size * 3**0.5 / 2, rel=0.1)


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_tolerance_is_eight_deviations_of_both_errors(dtype: str) -> None:
    one, two = 100 * u(dtype), 170 * u(dtype)
    x, y = np.full(3000, 0.75, dtype), np.full(3000, 0.6, dtype)
    for forward, adjoint in ((one, 0), (0, two), (one, two)):
        samples = identities(forward, adjoint, dtype)
        deviation = np.hypot(forward * 0.6, adjoint * 0.75) * 3**0.5 / 2 * 3000**0.5
        assert samples.tolerance(x, y) == pytest.approx(SAFETY * deviation, rel=0.1)


@pytest.mark.parametrize("dtype", FLOATS)
def test_without_noise_the_tolerance_is_half_a_roundoff_of_each_entry(dtype: str) -> None:
    """Of maps that round nothing, both sides may be off as if each entry had been rounded once."""
    samples = identities(0, 0, dtype)
    x, y = samples.forward.probes[0], samples.adjoint.probes[1]
    sizes = [max(np.sqrt(np.mean(np.abs(v) ** 2)) for v in h.probes) for h in samples.halves]
    least = np.hypot(sizes[0] * np.linalg.norm(y), sizes[1] * np.linalg.norm(x))
    assert samples.tolerance(x, y) == pytest.approx(SAFETY * u(dtype) / 2 * least, rel=1e-3)


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_sides_of_a_correct_operator_stay_far_within_the_tolerance_and_near_it(dtype: str) -> None:
    """Eight deviations are never reached in a thousand trials; they are not a hundred either."""
    W = matrix_of(dtype, 150, 120)
    ratios = []
    for seed in range(60):
        samples = samples_of(pair_operator(W, W.conj().T), seed=seed)
        for x, of_x in zip(samples.forward.probes, samples.forward.images, strict=True):
            for y, of_y in zip(samples.adjoint.probes, samples.adjoint.images, strict=True):
                apart = np.vdot(of_x.astype(complex), y) - np.vdot(x, of_y.astype(complex))
                ratios.append(abs(apart) / samples.tolerance(x, y))
    assert max(ratios) < 0.75
    assert np.sqrt(np.mean(np.square(ratios))) > 1 / 40


@pytest.mark.parametrize("dtype", FLOATS)
def test_errors_at_the_border_count_for_probes_of_the_border(dtype: str) -> None:
    size = 100 * u(dtype)

    def at_the_ends(x: Array) -> Array:
        y = x.copy()
        y[[0, 1, -2, -1]] += noise_of(x, size)[:4]
        return y

    samples = samples_of(at_the_ends, np.copy, input_shape=3000, output_shape=3000, dtype=dtype)
    ends = np.zeros(3000)
    ends[[0, 1, -2, -1]] = 1
    x1, x2 = samples.forward.probes[:2]
    error = noise_of(x1 + x2, size)[:4] - noise_of(x1, size)[:4] - noise_of(x2, size)[:4]
    expected = np.sqrt(np.mean(np.abs(error.astype(complex)) ** 2)) / 2
    assert samples.forward.error_per_entry(ends) == pytest.approx(expected, rel=0.1)
    assert samples.forward.error_per_entry(np.ones(3000)) < expected / 10
    # Where the errors are below those of the whole, the whole counts.
    assert samples.forward.error_per_entry(1 - ends) == samples.forward.error_per_entry(np.ones(3000))


def test_images_that_are_larger_at_the_border_may_round_more_there() -> None:
    def uneven(x: Array) -> Array:
        return x * np.r_[10.0, np.ones(2999)]

    samples = samples_of(uneven, uneven, input_shape=3000, output_shape=3000)
    first = np.r_[1.0, np.zeros(2999)]
    largest = max(abs(image[0]) for image in samples.forward.images)
    assert samples.forward.roundoff_per_entry(first) == pytest.approx(largest * 2**-54, rel=1e-9)
    assert samples.forward.roundoff_per_entry(np.ones(3000)) < largest * 2**-54 / 5


@pytest.mark.parametrize("dtype", FLOATS)
def test_what_is_not_additive_has_no_noise_to_allow_for(dtype: str) -> None:
    for change in (np.abs, lambda x: np.where(x.real > 0.8, 0, x), lambda x: x * np.nan):
        samples = samples_of(
            lambda x, change=change: change(x).astype(dtype),
            np.copy,
            input_shape=100,
            output_shape=100,
            dtype=dtype,
        )
        assert samples.forward.error_per_entry(np.ones(100)) == 0
    # Nor has what is noisier than its dtype: the bound is not widened for it.
    half = identities(3000 * u(dtype), 0, dtype).forward
    assert half.largest_sum_error > half.largest_noise
    assert half.error_per_entry(np.ones(3000)) == 0


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_noise_that_is_accepted_is_that_of_the_longest_sums(dtype: str) -> None:
    samples = identities(0, 0, dtype)
    entries = 6000
    growth = max(128 * np.log2(entries) ** 0.5, 4 * entries**0.5)
    size = max(np.linalg.norm(x.astype(complex)) for x in samples.forward.probes)
    assert samples.forward.largest_noise == pytest.approx(growth * u(dtype) * 2 * size, rel=1e-3)


def test_what_is_summed_inside_counts_as_noise_where_the_operator_tells() -> None:
    W = matrix_of("float64")
    plain, loud = samples_of(Planted(W)), samples_of(Planted(W, _convops_gain=1e6))
    assert loud.forward.largest_noise > 1e4 * plain.forward.largest_noise
    assert Conv(np.ones((3, 3)), (9, 9))._convops_gain >= 9


@pytest.mark.parametrize("dtype", FLOATS)
def test_operators_of_few_dimensions_may_round_like_the_longest_sum(dtype: str) -> None:
    n, v = 200, matrix_of(dtype, 1, 200)[0]
    full, flat = samples_of(Planted(matrix_of(dtype, n, n))), samples_of(Planted(np.outer(v, v.conj())))
    for samples, terms in ((full, 1), (flat, n)):
        for half in samples.halves:
            entry = max(np.sqrt(np.mean(np.abs(image) ** 2)) for image in half.images)
            expected = u(dtype) / 2 * terms**0.5 * entry
            assert half.roundoff_per_entry(np.ones(n)) == pytest.approx(expected, rel=1e-3)


def test_images_of_few_entries_may_round_like_the_longest_sum() -> None:
    for rows, terms in ((63, 100), (64, 1)):
        half = samples_of(Planted(matrix_of("float64", rows, 100))).forward
        entry = max(np.sqrt(np.mean(image**2)) for image in half.images)
        assert half.roundoff_per_entry(np.ones(rows)) == pytest.approx(2**-54 * terms**0.5 * entry, rel=1e-9)


def test_integers_are_allowed_nothing() -> None:
    samples = samples_of(Planted(matrix_of("int64")))
    x, y = samples.forward.probes[0], samples.adjoint.probes[0]
    assert samples.tolerance(x, y) == samples.forward.underflow == 0
    assert [error.any() for error in samples.forward.sum_errors] == [False]
    assert samples.forward.strata == []


@pytest.mark.parametrize(
    ("gain", "largest"),
    [(0.0, LARGEST_INTEGER), (1e3, LARGEST_INTEGER), (2.0**56, 63), (2.0**60, 3), (1e30, 1)],
)
def test_integer_probes_leave_room_for_the_sums_of_the_map(gain: float, largest: int) -> None:
    samples = samples_of(Planted(matrix_of("int64"), _convops_gain=gain))
    assert samples.forward.largest_integer == largest
    for probe in samples.forward.probes:
        assert np.abs(probe).max() <= largest
        assert largest == 1 or int(np.abs(probe).max()) * gain < 2.0**62


@pytest.mark.parametrize("scale", [1.0, 1e-30, 1e-38, 1e-41, 1.5e-45])
def test_products_that_underflow_are_no_fault(scale: float) -> None:
    rng = np.random.default_rng(0)
    for dtype, factor in (("float32", scale), ("float64", scale * 1e-278)):
        d = (rng.standard_normal(70) * factor).astype(dtype)
        W = np.diag(d)
        for seed in range(10):
            assert check_adjoint(Planted(W), seed=seed), (dtype, seed)


def test_the_room_for_underflow_is_a_few_of_the_smallest_numbers() -> None:
    for dtype, smallest in (("float32", 2.0**-149), ("complex128", 2.0**-1074)):
        samples = samples_of(Planted(matrix_of(dtype) * 0))
        assert samples.forward.underflow == 8 * (ROWS + COLUMNS) * smallest
        assert samples.tolerance(*(half.probes[0] for half in samples.halves)) == samples.forward.underflow


ASKED = ("probes", "images", "strata", "sum_errors", "faint_error", "size", "largest_noise")


@pytest.mark.parametrize("dtype", [*FLOATS, "int64"])
def test_the_same_seed_gives_the_same_samples_whichever_are_asked_first(dtype: str) -> None:
    names = [name for name in ASKED if dtype != "int64" or name not in ("faint_error", "largest_noise")]
    first, second = (samples_of(Planted(matrix_of(dtype)), seed=4) for _ in range(2))
    for name in names:
        for half in first.halves:
            getattr(half, name)
    for half in reversed(second.halves):
        for name in reversed(names):
            getattr(half, name)
    for one, two in zip(first.halves, second.halves, strict=True):
        for name in names:
            np.testing.assert_equal(getattr(one, name), getattr(two, name))


def test_no_two_seeds_and_no_two_maps_share_probes() -> None:
    probes = [
        probe
        for seed in range(4)
        for half in samples_of(Planted(matrix_of("float64", 70, 70)), seed=seed).halves
        for probe in half.probes
    ]
    for one, two in combinations(probes, 2):
        assert not np.array_equal(np.abs(one), np.abs(two))
        assert abs(np.sign(one * two).sum()) < 6 * 70**0.5


def test_every_product_is_made_once() -> None:
    samples = samples_of(Planted(matrix_of("float64")))
    counts = []
    for name in (*ASKED, *ASKED):
        for half in samples.halves:
            getattr(half, name)
        counts.append(samples.pair.applications)
    # 3 probes, 2 strata, 1 sum, and a faint probe with its sum, on both sides.
    assert counts == [0, 6, 10, 12, 16, 16, 16] + [16] * len(ASKED)


@pytest.mark.parametrize(
    ("shape", "level", "probes", "sums", "strata"),
    [
        ((72, 66), "quick", 2, 1, 0),
        ((72, 66), "default", 3, 1, 2),
        ((72, 66), "complete", 3, 1, 2),
        ((72, 10), "default", 5, 4, 0),
        ((72, 10), "quick", 2, 1, 0),
        ((63, 63), "complete", 5, 4, 0),
        ((64, 64), "default", 3, 1, 2),
    ],
)
def test_short_vectors_have_more_probes_and_long_ones_strata(
    shape: tuple[int, int], level: str, probes: int, sums: int, strata: int
) -> None:
    for half in samples_of(Planted(matrix_of("float64", *shape)), level=level).halves:
        assert (len(half.probes), len(half.sum_errors), len(half.strata)) == (probes, sums, strata)


def test_strata_are_images_of_probes_that_vanish_elsewhere() -> None:
    W = np.random.default_rng(0).standard_normal((99, 120))
    samples = samples_of(Planted(W), input_shape=(12, 10), output_shape=(9, 11))
    for half, M, shape in zip(samples.halves, (W, W.T), ((12, 10), (9, 11)), strict=True):
        assert len(half.strata) == 3
        border, corner, phase = (probe.reshape(shape) for probe, _ in half.strata)
        assert not border[2:-2, 2:-2].any()
        assert (border != 0).sum() == border.size - border[2:-2, 2:-2].size
        assert (corner != 0).sum() == 16
        assert 0 < (phase != 0).sum() <= -(-shape[0] // 2) * -(-shape[1] // 2)
        for probe, image in half.strata:
            np.testing.assert_array_equal(image, times(M, probe))


@pytest.mark.parametrize(("dtype", "narrow"), [("float64", "float32"), ("complex128", "complex64")])
def test_faint_digits_are_lost_where_they_are_narrowed(dtype: str, narrow: str) -> None:
    W = np.eye(100, dtype=dtype)
    right = samples_of(Planted(W)).forward
    assert not right.faint_error.any()
    lost = samples_of(Planted(W, matvec=lambda x: x.astype(narrow).astype(dtype))).forward
    assert (lost.faint_error != 0).mean() > 0.9
    assert not np.concatenate(lost.sum_errors).any()


def test_sums_of_integers_are_taken_in_int64_and_of_the_rest_quietly() -> None:
    a = np.array([100, -100], np.int8)
    for found, expected in (
        (sum_of(a, a), [200, -200]),
        (difference(a, -a), [200, -200]),
        (multiple(a, 2**40), [100 * 2**40, -100 * 2**40]),
    ):
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == np.int64
    spoilt = np.array([np.inf, np.nan, 1e308])
    np.testing.assert_array_equal(sum_of(spoilt, -spoilt), [np.nan, np.nan, 0])
    np.testing.assert_array_equal(difference(spoilt, spoilt), [np.nan, np.nan, 0])
    assert np.isinf(multiple(spoilt, 10)[2])
    assert np.isnan(multiple(spoilt, 1j)[:2]).all()


def test_what_is_not_finite_on_both_sides_does_not_disagree() -> None:
    found = np.array([np.nan, np.inf, np.inf, np.nan, 3.0, -np.inf])
    expected = np.array([np.nan, np.inf, -np.inf, 1.0, 1.0, 2.0])
    np.testing.assert_array_equal(disagreement(found, expected), [0, 0, np.inf, np.nan, 2, -np.inf])
    whole = disagreement(np.array([5, 7], np.int8), np.array([-128, 7], np.int8))
    np.testing.assert_array_equal(whole, [133, 0])
