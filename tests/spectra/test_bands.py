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


@pytest.fixture(params=["sums", "chunks of 1", "chunks of 5", "chunks of 32"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the bands in one way, whichever is less work."""
    by_sums = request.param == "sums"
    monkeypatch.setattr(_bands, "_work_of_sums", lambda section: 0 if by_sums else inf)
    if not by_sums:
        monkeypatch.setattr(_bands, "_CHUNK", int(request.param.split()[-1]))


@pytest.mark.usefixtures("way")
@pytest.mark.parametrize("dtype", [float, complex])
@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_the_bands_are_those_of_the_gram_matrix(boundary: str, dtype: type) -> None:
    rng = np.random.default_rng(0)
    short, long = Axis(9, 3, 1, 1, 1, 1, boundary), Axis(23, 4, 3, 2, 3, 5, boundary)
    for axis in (short, long, Axis(40, 3, 25, 1, 0, 0, boundary)):
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
    for room in ("_ENTRIES_AT_ONCE", "_CHUNK_ENTRIES"):
        with monkeypatch.context() as patch:
            by_chunks = room == "_CHUNK_ENTRIES"
            patch.setattr(_bands, room, _bands._chunk_entries(part, 3, 2) if by_chunks else 1)
            patch.setattr(
                _bands, "_work_of_sums", lambda section, by_chunks=by_chunks: inf if by_chunks else 0
            )
            apart = list(grams(part, blocks))
        assert len(apart) == 5
        np.testing.assert_allclose(sum(dense(bands).sum() for bands in apart), dense(together).sum())


def test_nothing_read_makes_a_matrix_of_zeros() -> None:
    (bands,) = grams(section(Axis(3, 1, 9, 1, 4, 0, "zeros"), 0, 3), np.ones((1, 1, 2, 2)))
    np.testing.assert_array_equal(bands, np.zeros((1, 6)))


def test_more_channels_and_wider_kernels_are_more_work() -> None:
    narrow, wide = (section(Axis(30, kernel, 1, 1, 0, 0, "zeros"), 0, 30) for kernel in (2, 5))
    assert work(narrow, 1, 4, 4) < work(narrow, 1, 4, 8)
    assert work(narrow, 1, 8, 8) < work(wide, 1, 8, 8)
    assert 2 * work(wide, 5, 8, 8) > work(wide, 10, 8, 8) > work(wide, 5, 8, 8)


def test_what_folds_on_one_sample_is_work_where_it_is_added_up() -> None:
    for boundary in ("edge", "reflect"):
        end = section(Axis(600, 31, 1, 1, 30, 30, boundary), 0, 1).adjoint
        pairs = np.sum(np.bincount(end.output) ** 2)
        assert _bands._sums(end).sum() <= pairs == _bands._work_of_sums(end) / _bands._SUM_WORK


def test_what_would_not_fit_into_memory_is_added_up_or_left_alone() -> None:
    end = section(Axis(2000, 5, 1, 1, 400_000, 0, "edge"), 0, 9)
    assert _bands._work_of_chunks(end, 1, 2, 1) == inf
    assert 0 < work(end, 1, 2, 1) < inf
