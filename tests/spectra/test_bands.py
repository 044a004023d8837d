"""The bands hold the Gram matrix that numpy makes of the Kronecker products."""

from math import inf

import numpy as np
import pytest

from convops._axis import Axis
from convops.spectra import _bands
from convops.spectra._bands import grams, work
from convops.spectra._sections import Section, section
from oracles import Array
from registry import BOUNDARIES


def dense(bands: Array) -> Array:
    """Return the lower triangle that bands hold."""
    matrix = sum(np.diag(row[: len(row) - below], -below) for below, row in enumerate(bands))
    return np.asarray(matrix)


def from_definition(part: Section, blocks: Array) -> Array:
    matrices = part.toarray()
    W = [sum(np.kron(T, B) for T, B in zip(matrices, some, strict=True)) for some in blocks]
    size = W[0].shape[1]
    gram = np.zeros((len(W) * size, len(W) * size), blocks.dtype)
    for place, one in enumerate(W):
        at = slice(place * size, (place + 1) * size)
        gram[at, at] = one.conj().T @ one
    return np.tril(gram)


@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_the_bands_are_those_of_the_gram_matrix(boundary: str, dtype: type) -> None:
    rng = np.random.default_rng(0)
    for axis in (Axis(9, 3, 1, 1, 1, 1, boundary), Axis(8, 4, 2, 2, 3, 5, boundary)):
        part = section(axis, 0, axis.size)
        for shape in ((1, 1), (2, 3), (5, 4)):
            blocks = rng.standard_normal((3, axis.kernel, *shape)).astype(dtype)
            if dtype is complex:
                blocks = blocks + 1j * rng.standard_normal(blocks.shape)
            flipped = blocks.conj().swapaxes(-1, -2)
            for side, taps in ((part, blocks), (part.adjoint, flipped)):
                (bands,) = grams(side, taps)
                expected = from_definition(side, taps)
                np.testing.assert_allclose(dense(bands), expected, atol=1e-12 * np.abs(expected).max())
                assert bands[-1].any()


def test_few_blocks_at_once_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    part = section(Axis(7, 2, 1, 1, 1, 0, "reflect"), 0, 7)
    blocks = np.random.default_rng(0).standard_normal((5, 2, 3, 2))
    (together,) = grams(part, blocks)
    monkeypatch.setattr(_bands, "_ENTRIES_AT_ONCE", 1)
    apart = list(grams(part, blocks))
    assert len(apart) == 5
    np.testing.assert_allclose(np.concatenate([dense(bands) for bands in apart]).sum(), dense(together).sum())


def test_nothing_read_makes_a_matrix_of_zeros() -> None:
    (bands,) = grams(section(Axis(3, 1, 9, 1, 4, 0, "zeros"), 0, 3), np.ones((1, 1, 2, 2)))
    np.testing.assert_array_equal(bands, np.zeros((1, 6)))


def test_more_channels_and_wider_kernels_are_more_work() -> None:
    narrow, wide = (section(Axis(30, kernel, 1, 1, 0, 0, "zeros"), 0, 30) for kernel in (2, 5))
    assert work(narrow, 1, 4, 4) < work(narrow, 1, 4, 8)
    assert work(narrow, 1, 8, 8) < work(wide, 1, 8, 8)
    assert 2 * work(wide, 5, 8, 8) > work(wide, 10, 8, 8) > work(wide, 5, 8, 8)


@pytest.mark.parametrize("boundary", BOUNDARIES)
@pytest.mark.parametrize("chunk", [1, 5, 32])
def test_both_ways_make_the_same_bands(boundary: str, chunk: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_bands, "_CHUNK", chunk)
    rng = np.random.default_rng(0)
    for axis in (Axis(47, 3, 1, 1, 1, 2, boundary), Axis(40, 4, 3, 2, 3, 5, boundary)):
        for part in (section(axis, 0, axis.size), section(axis, 0, axis.size).adjoint):
            blocks = rng.standard_normal((3, axis.kernel, 2, 3)) + 1j * rng.standard_normal(
                (axis.kernel, 2, 3)
            )
            by_sums = _bands._from_sums(part, _bands._sums(part), blocks)
            by_chunks = _bands._from_chunks(part, blocks)
            np.testing.assert_allclose(by_chunks, by_sums, atol=1e-12 * np.abs(by_sums).max())


def test_what_folds_on_one_sample_is_work_where_it_is_added_up() -> None:
    ends = [section(Axis(600, 31, 1, 1, 30, 30, boundary), 0, 1) for boundary in ("edge", "reflect")]
    edge, reflect = (_bands._work_of_sums(end.adjoint) for end in ends)
    assert edge == _bands._WORK_PER_SUM * ends[0].tap.size ** 2 > 100 * reflect
    assert work(ends[0].adjoint, 1, 1, 1) < edge / 10


def test_what_would_not_fit_into_memory_is_added_up_or_left_alone() -> None:
    end = section(Axis(2000, 5, 1, 1, 400_000, 0, "edge"), 0, 9)
    assert _bands._work_of_chunks(end, 1, 2, 1) == inf
    assert 0 < work(end, 1, 2, 1) < inf
