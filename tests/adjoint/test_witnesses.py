"""Bisection finds the entries in which two maps differ, and no others, in few products."""

from math import log2

import numpy as np
import pytest

from adjoint.pairs import COLUMNS, ROWS, Array, matrix_of, pair_operator, samples_of
from convops.adjoint.products import telling_sides
from convops.adjoint.witnesses import Witness, find_witnesses
from registry import FLOATS


def wrong_at(W: Array, places: list[tuple[int, int]]) -> Array:
    """Return Wᴴ with other entries for these rows and columns of W."""
    B = W.conj().T.copy()
    for row, column in places:
        B[column, row] += 3
    return B


def found_by(W: Array, B: Array, most: int = 24, seed: int = 0) -> tuple[tuple[Witness, ...], int]:
    """Return the witnesses, and how many products they took."""
    samples = samples_of(pair_operator(W, B), seed=seed)
    sides = telling_sides(samples)
    before = samples.pair.applications
    return find_witnesses(samples, sides.x, sides.y, most), samples.pair.applications - before


@pytest.mark.parametrize("dtype", [*FLOATS, "int64"])
@pytest.mark.parametrize("count", [1, 2, 5])
def test_all_of_few_wrong_entries_are_found_and_quoted(count: int, dtype: str) -> None:
    W = matrix_of(dtype)
    for seed in range(10):
        rng = np.random.default_rng(seed)
        rows, columns = rng.choice(ROWS, count, False), rng.choice(COLUMNS, count, False)
        places = sorted(zip(rows.tolist(), columns.tolist(), strict=True))
        B = wrong_at(W, places)
        witnesses, _ = found_by(W, B, seed=seed)
        assert [(w.output_index[0], w.input_index[0]) for w in witnesses] == places
        for witness, (row, column) in zip(witnesses, places, strict=True):
            assert (witness.forward, witness.adjoint) == (W[row, column], B[column, row])


@pytest.mark.parametrize("dtype", ["float64", "int64"])
def test_one_entry_takes_few_products(dtype: str) -> None:
    W = matrix_of(dtype)
    witnesses, products = found_by(W, wrong_at(W, [(50, 7)]))
    assert len(witnesses) == 1
    assert products <= 2 * (log2(ROWS) + log2(COLUMNS)) + 8


@pytest.mark.parametrize("dtype", ["float32", "complex128", "int64"])
@pytest.mark.parametrize("most", [1, 2, 7, 24])
def test_where_all_entries_are_wrong_as_many_as_asked_are_spread_over_the_rows(most: int, dtype: str) -> None:
    W = matrix_of(dtype)
    witnesses, _ = found_by(W, 2 * W.conj().T, most)
    assert 1 <= len(witnesses) <= most
    for witness in witnesses:
        (row,), (column,) = witness.output_index, witness.input_index
        assert (witness.forward, np.conj(witness.adjoint)) == (W[row, column], 2 * W[row, column])
    rows = {witness.output_index for witness in witnesses}
    assert len(rows) >= min(most // 2, 8)


@pytest.mark.parametrize("dtype", [*FLOATS, "int64"])
def test_a_correct_pair_has_none(dtype: str) -> None:
    W = matrix_of(dtype)
    for seed in range(20):
        assert found_by(W, W.conj().T, seed=seed)[0] == ()


def test_places_are_indices_of_the_arrays() -> None:
    W = matrix_of("float64", 24, 30)
    op = pair_operator(W, wrong_at(W, [(13, 17)]))
    samples = samples_of(op, input_shape=(5, 6), output_shape=(2, 3, 4))
    sides = telling_sides(samples)
    (witness,) = find_witnesses(samples, sides.x, sides.y, 24)
    assert witness.output_index == np.unravel_index(13, (2, 3, 4))
    assert witness.input_index == np.unravel_index(17, (5, 6))
    assert str(witness).startswith("A[(1, 0, 1), (2, 5)] = ")


def test_entries_that_look_alike_say_how_far_apart_they_are() -> None:
    assert str(Witness((3,), (4,), 1.0, 1.0 + 2.0**-30)) == "A[3, 4] = 1, B[4, 3] = 1, apart by 9.31e-10"
    assert str(Witness((3,), (4,), 1 + 1j, 1 + 1j)) == "A[3, 4] = 1+1j, B[4, 3] = 1+1j"
    assert str(Witness((3,), (4,), 5, -5)) == "A[3, 4] = 5, B[4, 3] = -5"
