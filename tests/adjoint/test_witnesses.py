"""Bisection finds entries that are wrong, only such, all of a few and some of many, in few products."""

from collections.abc import Callable
from math import ceil, log2

import numpy as np
import pytest
from scipy.sparse import csr_array

from adjoint.pairs import ROWS, Planted, matrix_of, pair_operator, samples_of, times
from convops import check_adjoint
from convops.adjoint.products import telling_sides
from convops.adjoint.samples import Samples
from convops.adjoint.witnesses import Witness, find_witnesses
from registry import FLOATS

ALL = (*FLOATS, "int64")

Array = np.ndarray
Place = tuple[int, int]


def found(samples: Samples, most: int = 24) -> tuple[Witness, ...]:
    sides = telling_sides(samples)
    return find_witnesses(samples, sides.x, sides.y, most)


def places(witnesses: tuple[Witness, ...]) -> list[Place]:
    """Row and column of witnesses of vectors."""
    return [(w.output_index[0], w.input_index[0]) for w in witnesses]


def with_wrong(W: Array, wrong: list[Place], off: complex = 1) -> Array:
    B = W.conj().T.copy()
    for row, column in wrong:
        B[column, row] += off
    return B


def random_places(rng: np.random.Generator, count: int, shape: tuple[int, int]) -> list[Place]:
    flat = rng.choice(shape[0] * shape[1], count, replace=False)
    return sorted((int(row), int(column)) for row, column in zip(*np.unravel_index(flat, shape), strict=True))


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize("count", [1, 2, 5])
@pytest.mark.parametrize("shape", [(72, 66), (5, 90), (64, 128), (1, 33)])
def test_a_few_wrong_entries_are_found_exactly(shape: tuple[int, int], count: int, dtype: str) -> None:
    rng = np.random.default_rng(count)
    W = matrix_of(dtype, *shape)
    for seed in range(4):
        wrong = random_places(rng, count, shape)
        B = with_wrong(W, wrong)
        witnesses = found(samples_of(pair_operator(W, B), seed=seed))
        assert places(witnesses) == wrong
        assert [w.forward for w in witnesses] == [W[place] for place in wrong]
        assert [w.adjoint for w in witnesses] == [B[column, row] for row, column in wrong]


@pytest.mark.parametrize("dtype", FLOATS)
def test_entries_that_differ_little_are_found(dtype: str) -> None:
    rng = np.random.default_rng(0)
    W = matrix_of(dtype)
    for seed in range(10):
        wrong = random_places(rng, 1, W.shape)
        B = with_wrong(W, wrong, 300 * float(np.finfo(dtype).eps) * 8)
        assert places(found(samples_of(pair_operator(W, B), seed=seed))) == wrong


def test_integers_that_differ_by_one_among_large_ones_are_found() -> None:
    rng = np.random.default_rng(0)
    W = matrix_of("int64") * 10**12
    for seed in range(10):
        wrong = random_places(rng, 2, W.shape)
        witnesses = found(samples_of(pair_operator(W, with_wrong(W, wrong)), seed=seed))
        assert places(witnesses) == wrong
        for witness in witnesses:
            assert type(witness.forward) is type(witness.adjoint) is int
            assert witness.adjoint - witness.forward == 1


@pytest.mark.parametrize("shape", [(72, 66), (64, 1024), (1000, 100)])
@pytest.mark.parametrize("dtype", ALL)
def test_one_entry_takes_a_product_for_each_half(shape: tuple[int, int], dtype: str) -> None:
    W = np.zeros(shape, dtype)
    W[np.arange(min(shape)), np.arange(min(shape))] = 1
    rng = np.random.default_rng(1)
    for seed in range(3):
        wrong = random_places(rng, 1, shape)
        B = csr_array(with_wrong(W, wrong))
        samples = samples_of(pair_operator(csr_array(W), B), seed=seed)
        telling_sides(samples)
        samples.tolerance(samples.forward.probes[0], samples.adjoint.probes[0])
        before = samples.pair.applications
        assert places(found(samples)) == wrong
        halvings = ceil(log2(shape[0])) + ceil(log2(shape[1]))
        # On top: the image of x, and the row and the column of the entry.
        assert samples.pair.applications - before <= 2 * halvings + 3


@pytest.mark.parametrize("dtype", ALL)
def test_of_many_wrong_entries_some_are_found_all_over_the_rows(dtype: str) -> None:
    W = matrix_of(dtype)
    for seed in range(5):
        samples = samples_of(pair_operator(W, W.conj().T * 3), seed=seed)
        witnesses = found(samples, 24)
        assert 12 <= len(witnesses) <= 24
        rows = [row for row, _ in places(witnesses)]
        assert min(rows) < ROWS // 4
        assert max(rows) >= 3 * ROWS // 4
        assert len(set(rows)) >= 6


@pytest.mark.parametrize("most", [1, 2, 3, 7, 24, 100])
@pytest.mark.parametrize(
    "fault",
    [lambda B: B * 2, lambda B: with_wrong(B.conj().T, [(3, column) for column in range(60)])],
    ids=["everywhere", "one row"],
)
def test_at_most_so_many_are_found_as_are_asked_for(fault: Callable[[Array], Array], most: int) -> None:
    W = matrix_of("float64")
    for seed in range(3):
        witnesses = found(samples_of(pair_operator(W, fault(W.T)), seed=seed), most)
        assert 1 <= len(witnesses) <= most
        assert len(check_adjoint(pair_operator(W, fault(W.T)), seed=seed, witnesses=most).witnesses) <= most


def test_no_more_products_are_made_than_the_witnesses_need() -> None:
    W = matrix_of("float64", 256, 256)
    samples = samples_of(pair_operator(W, -W.T))
    sides = telling_sides(samples)
    before = samples.pair.applications
    witnesses = find_witnesses(samples, sides.x, sides.y, 24)
    assert len(witnesses) > 12
    assert samples.pair.applications - before <= len(witnesses) * 2 * 16


@pytest.mark.parametrize("dtype", ALL)
def test_of_a_correct_pair_there_are_no_witnesses(dtype: str) -> None:
    for shape in ((72, 66), (3, 5), (1, 1), (130, 9)):
        W = matrix_of(dtype, *shape)
        for seed in range(5):
            samples = samples_of(pair_operator(W, W.conj().T), seed=seed)
            for x in samples.forward.probes[:2]:
                for y in samples.adjoint.probes[:2]:
                    assert find_witnesses(samples, x, y, 24) == ()


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_complex_witnesses_are_told_from_their_conjugates(dtype: str) -> None:
    W = matrix_of(dtype)
    B = W.conj().T.copy()
    B[7, 5] = W[5, 7]
    (witness,) = found(samples_of(pair_operator(W, B)))
    assert (witness.output_index, witness.input_index) == ((5,), (7,))
    assert witness.forward == witness.adjoint == complex(W[5, 7])
    assert type(witness.forward) is complex


@pytest.mark.parametrize("dtype", ALL)
def test_places_are_indices_of_the_arrays(dtype: str) -> None:
    W = matrix_of(dtype, 60, 84)
    before, after = (3, 4, 7), (12, 5)
    row, column = np.ravel_multi_index((9, 3), after), np.ravel_multi_index((2, 1, 6), before)
    B = with_wrong(W, [(int(row), int(column))])

    def forward(x: Array) -> Array:
        assert x.shape == before
        return times(W, x.reshape(-1)).reshape(after)

    def adjoint(y: Array) -> Array:
        assert y.shape == after
        return times(B, y.reshape(-1)).reshape(before)

    samples = samples_of(forward, adjoint, input_shape=before, output_shape=after, dtype=dtype)
    (witness,) = found(samples)
    assert (witness.output_index, witness.input_index) == ((9, 3), (2, 1, 6))
    assert {type(place) for place in witness.output_index + witness.input_index} == {int}
    assert str(witness).startswith("A[(9, 3), (2, 1, 6)] = ")


def test_witnesses_come_in_the_order_of_rows_and_columns() -> None:
    W = matrix_of("float64")
    wrong = [(60, 2), (3, 50), (3, 10), (30, 30), (60, 1)]
    assert places(found(samples_of(pair_operator(W, with_wrong(W, wrong))))) == sorted(wrong)


def test_noise_of_the_operator_is_no_witness() -> None:
    """Of a map that adds known noise, all that is found is the entry that is wrong."""
    W = matrix_of("float64", 128, 128)

    def noisy(x: Array) -> Array:
        y = times(W, x)
        return y + 1e-14 * np.linalg.norm(x) * np.cos(1e5 * y)

    B = with_wrong(W, [(77, 33)], 1e-6)
    for seed in range(10):
        A = Planted(W, matvec=noisy, rmatvec=lambda y: times(B, y))
        assert places(found(samples_of(A, seed=seed))) == [(77, 33)]


@pytest.mark.parametrize(
    ("witness", "text"),
    [
        (Witness((3,), (4,), 1.5, -2.0), "A[3, 4] = 1.5, B[4, 3] = -2"),
        (Witness((3, 1), (4,), 2, 3), "A[(3, 1), 4] = 2, B[4, (3, 1)] = 3"),
        (Witness((0,), (0,), 1 + 2j, 1 + 2j), "A[0, 0] = 1+2j, B[0, 0] = 1+2j"),
        (Witness((0,), (0,), 1.0, 1 + 1e-9), "A[0, 0] = 1, B[0, 0] = 1, apart by 1e-09"),
        (Witness((0,), (0,), 3 + 1j, 3 - 1.001j), "A[0, 0] = 3+1j, B[0, 0] = 3-1.001j, apart by 0.001"),
        (Witness((0,), (0,), 0.0, 1e-9), "A[0, 0] = 0, B[0, 0] = 1e-09"),
    ],
)
def test_the_text_of_a_witness_says_how_far_apart_what_looks_the_same_is(witness: Witness, text: str) -> None:
    assert str(witness) == text
