"""Probes are what the bounds of the checks take them for."""

from collections.abc import Iterator
from fractions import Fraction
from itertools import combinations

import numpy as np
import pytest

from convops.adjoint.probes import FEW, LARGEST_INTEGER, SHORT, dense_probes, faint, integer_probes, strata
from registry import FLOATS

SIZES = (1, 2, 3, 17, FEW - 1, FEW, 500)
HALF = {"float32": np.float16, "float64": np.float32, "complex64": np.float16, "complex128": np.float32}


def rngs(count: int = 20) -> Iterator[np.random.Generator]:
    return (np.random.default_rng(seed) for seed in range(count))


def parts(x: np.ndarray) -> tuple[np.ndarray, ...]:
    return (x.real, x.imag) if x.dtype.kind == "c" else (x,)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dtype", FLOATS)
def test_every_part_of_an_entry_is_between_a_half_and_one_in_size(dtype: str, size: int) -> None:
    sizes = []
    for rng in rngs():
        for probe in dense_probes(rng, 3, size, np.dtype(dtype)):
            assert (probe.dtype, probe.shape) == (dtype, (size,))
            for part in parts(probe):
                assert ((np.abs(part) >= 0.5) & (np.abs(part) <= 1)).all()
                np.testing.assert_array_equal(part * 2**11 % 1, 0)
                sizes.append(np.abs(part))
    assert abs(np.mean(np.concatenate(sizes)) - 0.75) < 5 * 0.145 / np.sqrt(sum(map(len, sizes)))


@pytest.mark.parametrize("dtype", FLOATS)
def test_sums_of_two_probes_are_exact(dtype: str) -> None:
    for rng in rngs():
        one, two = dense_probes(rng, 2, 200, np.dtype(dtype))
        for a, b, total in zip(parts(one), parts(two), parts(one + two), strict=True):
            exact = [Fraction(float(u)) + Fraction(float(v)) for u, v in zip(a, b, strict=True)]
            assert [Fraction(float(value)) for value in total] == exact


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_faint_probe_is_lost_in_half_the_digits_and_exact_in_all(dtype: str) -> None:
    for rng in rngs():
        (probe,) = dense_probes(rng, 1, 500, np.dtype(dtype))
        f = faint(rng, 500, np.dtype(dtype))
        assert f.dtype == dtype
        for a, b, total in zip(parts(probe), parts(f), parts(probe + f), strict=True):
            exact = [Fraction(float(u)) + Fraction(float(v)) for u, v in zip(a, b, strict=True)]
            assert [Fraction(float(value)) for value in total] == exact
            # At 1/2 the steps of the dtype change, and the largest of f is a tie.
            inside = (np.abs(a) > 0.5) & (np.abs(b) < np.abs(b).max())
            np.testing.assert_array_equal(total.astype(HALF[dtype])[inside], a[inside])
            assert inside.mean() > 0.98
            assert (b != 0).all()


def test_there_are_no_dense_probes_of_integers() -> None:
    with pytest.raises(TypeError, match="integer_probes"):
        dense_probes(np.random.default_rng(0), 1, 3, np.dtype(int))


@pytest.mark.parametrize("largest", [1, 2, LARGEST_INTEGER])
def test_integer_probes_are_within_their_bound_and_never_zero(largest: int) -> None:
    seen = set()
    for rng in rngs():
        for probe in integer_probes(rng, 3, 400, largest):
            assert (probe.dtype, probe.shape) == (np.int64, (400,))
            seen |= set(probe.tolist())
    assert seen == set(range(-largest, largest + 1)) - {0}


@pytest.mark.parametrize("size", range(2, FEW))
def test_the_signs_of_few_entries_agree_in_some_places_and_differ_in_others(size: int) -> None:
    for rng in rngs(5):
        signs = np.sign(dense_probes(rng, 5, size, np.dtype(float)))
        relations = {tuple(one * two) for one, two in combinations(signs, 2)}
        varied = [relation for relation in relations if len(set(relation)) == 2]
        assert varied
        if size & (size - 1) == 0 and size > 4:
            assert {sum(relation) for relation in relations} == {0}


def test_two_signs_never_both_cancel() -> None:
    # x₁ and x₂ have the same sign in one probe and opposite signs in another, in "quick" and in "default".
    for count in (2, 3, 5):
        for rng in rngs(50):
            probes = dense_probes(rng, count, 2, np.dtype(float))
            assert {float(np.sign(probe).prod()) for probe in probes} == {-1.0, 1.0}


def test_many_entries_have_signs_of_their_own() -> None:
    for rng in rngs():
        for one, two in combinations(dense_probes(rng, 3, 4000, np.dtype(complex)), 2):
            for a, b in ((one.real, two.real), (one.imag, two.imag), (one.real, one.imag)):
                assert abs(np.sign(a * b).sum()) < 6 * np.sqrt(4000)


@pytest.mark.parametrize("size", [n for n in SIZES if n > 2])
def test_no_two_probes_are_the_same(size: int) -> None:
    for rng in rngs():
        for one, two in combinations(dense_probes(rng, 5, size, np.dtype(float)), 2):
            assert not np.array_equal(np.abs(one), np.abs(two))


@pytest.mark.parametrize("shape", [(), (5,), (FEW - 1,), (7, 7, 7), (7, 9), (3, 4, 5)])
def test_shapes_without_an_inside_have_no_strata(shape: tuple[int, ...]) -> None:
    assert strata(shape, np.random.default_rng(0)) == []


def test_along_one_axis_the_strata_are_the_ends_and_a_phase() -> None:
    phases = set()
    for rng in rngs():
        border, phase = strata((FEW + 1,), rng)
        assert np.flatnonzero(border).tolist() == [0, 1, FEW - 1, FEW]
        (first,) = set(np.flatnonzero(phase) % 2)
        np.testing.assert_array_equal(np.flatnonzero(phase), np.arange(first, FEW + 1, 2))
        phases.add(first)
    assert phases == {0, 1}


def test_along_two_axes_the_strata_are_border_corners_and_a_phase() -> None:
    phases = set()
    for rng in rngs(40):
        border, corner, phase = (mask.reshape(9, 12) for mask in strata((9, 12), rng))
        assert border.sum() == 9 * 12 - 5 * 8
        assert not border[2:-2, 2:-2].any()
        assert corner.sum() == 16
        assert all(corner[i, j] for i in (0, 1, 7, 8) for j in (0, 1, 10, 11))
        rows, columns = np.nonzero(phase)
        ((row, column),) = {(i % 2, j % 2) for i, j in zip(rows, columns, strict=True)}
        np.testing.assert_array_equal(phase[row::2, column::2], True)
        phases.add((row, column))
    assert len(phases) == 4


def test_a_short_axis_is_one_of_channels() -> None:
    channels = set()
    for rng in rngs(40):
        border, corner, phase = (mask.reshape(3, 8, SHORT) for mask in strata((3, 8, SHORT), rng))
        np.testing.assert_array_equal(border[0], border[2])
        assert border.sum() == 3 * (64 - 16)
        assert corner.sum() == 3 * 16
        (channel,) = set(np.nonzero(phase)[0].tolist())
        assert phase.sum() == 16
        channels.add(channel)
    assert channels == {0, 1, 2}


def test_one_long_axis_among_channels_has_no_corners() -> None:
    border, phase = strata((4, 20), np.random.default_rng(0))
    assert border.reshape(4, 20).sum(axis=1).tolist() == [4] * 4
    assert phase.sum() == 10
