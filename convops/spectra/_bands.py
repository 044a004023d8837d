"""The Gram matrix of W along one axis, in the bands that LAPACK factorises.

With T[k] the matrix of tap k of that axis and B[k] what the tap is along all others, a block,
``W = Σ T[k] ⊗ B[k]`` and ``WᴴW = Σ T[k]ᵀT[l] ⊗ B[k]ᴴB[l]``. Where the blocks are many or large, their
products are taken once, and then added up where they stand: T is sparse and made of few different rows.
Where they are few and small, it is less work to multiply parts of W itself.
"""

from collections.abc import Iterator
from math import inf

import numpy as np
from numpy.lib.stride_tricks import as_strided
from scipy.sparse import csr_array

from convops._arrays import Array
from convops.spectra._sections import Section

_ENTRIES_AT_ONCE = 2**22
_CHUNK = 32
"""The fewest samples that are multiplied at once."""
_CHUNK_ENTRIES = 2**24
"""The most entries of W that are multiplied at once, were all outputs to read a chunk."""
_CHUNK_WORK = 2**21
_ENTRY_WORK = 2**13
"""Operations that stand for finding what reads a chunk, and for each entry of it."""
_SUM_WORK = 2**10
"""Operations for a pair of taps that is added up: it is found once, and takes far fewer for each block."""


def grams(section: Section, blocks: Array) -> Iterator[Array]:
    """Yield WᴴW in lower bands, ``bands[i - j, j]`` for the entry (i, j), for some of the blocks at once.

    Several matrices stand one after another on the diagonal of one.

    Parameters
    ----------
    section : Section
        The axis, with K taps and n samples.
    blocks : ndarray, shape (batch, K, rows, columns)
        What each tap is along all other axes.

    Yields
    ------
    ndarray, shape (b + 1, some of the batch * n * columns)
        In Fortran order.
    """
    batch, _, rows, columns = blocks.shape
    by_chunks = _work_of_chunks(section, batch, rows, columns) < _work_of_sums(section)
    step = _ENTRIES_AT_ONCE // ((section.reach + 1) * section.shape[2] * columns**2)
    if by_chunks:
        step = min(step, _CHUNK_ENTRIES // _chunk_entries(section, rows, columns))
    sums = None if by_chunks else _sums(section)
    for start in range(0, batch, max(step, 1)):
        some = blocks[start : start + max(step, 1)]
        yield _from_chunks(section, some) if sums is None else _from_sums(section, sums, some)


def work(section: Section, batch: int, rows: int, columns: int) -> float:
    """Return about how many operations it takes to factorise `grams`, and to make them."""
    length, width = section.shape[2] * columns, section.reach * columns + columns // 2 + 1
    making = min(_work_of_sums(section), _work_of_chunks(section, batch, rows, columns))
    return batch * length * width * (width + 16) + making


def _work_of_sums(section: Section) -> int:
    return _SUM_WORK * section.pairs


def _work_of_chunks(section: Section, batch: int, rows: int, columns: int) -> float:
    entries = _chunk_entries(section, rows, columns)
    if entries > _CHUNK_ENTRIES:
        return inf
    chunk, _ = _chunk(section)
    finding = _CHUNK_WORK * -(-section.shape[2] // chunk) + _ENTRY_WORK * section.tap.size
    return 2 * batch * entries * chunk * columns + finding


def _chunk_entries(section: Section, rows: int, columns: int) -> int:
    """Return how many entries W has where all outputs meet all that a chunk is multiplied with."""
    return section.shape[1] * rows * _chunk(section)[1] * columns


def _chunk(section: Section) -> tuple[int, int]:
    """Return how many samples a chunk has, and how many from its first on may share an output with it."""
    chunk = max(section.reach, _CHUNK)
    return chunk, chunk + section.reach + 1


def _from_chunks(section: Section, blocks: Array) -> Array:
    """Return the bands from products of W at some samples and W at these and the next."""
    batch, taps, rows, columns = blocks.shape
    samples, width = section.shape[2], (section.reach + 1) * columns
    chunk, read = _chunk(section)
    bands = np.empty((batch, samples * columns, width), np.result_type(blocks, np.float64))
    beside = blocks.swapaxes(0, 1).reshape(taps, -1)
    order = np.argsort(section.sample)
    entries = section.tap, section.output, section.sample, section.coefficient
    tap, output, sample, coefficient = [values[order] for values in entries]
    for start in range(0, samples, chunk):
        first, middle, last = np.searchsorted(sample, [start, start + chunk, start + read])
        outputs, near = np.unique(output[first:middle]), slice(first, last)
        shared = np.isin(output[near], outputs)
        row, column = np.searchsorted(outputs, output[near][shared]), sample[near][shared] - start
        T = csr_array(
            (coefficient[near][shared].astype(np.float64), (row * read + column, tap[near][shared])),
            (outputs.size * read, taps),
        )
        W = (T @ beside).reshape(outputs.size, read, batch, rows, columns).transpose(2, 0, 3, 1, 4)
        W = W.reshape(batch, outputs.size * rows, read * columns)
        products = np.ascontiguousarray(W[..., : chunk * columns].swapaxes(1, 2) @ W.conj())
        # From the diagonal on, each row is one sample further to the right.
        steps = products.strides[0], products.strides[1] + products.itemsize, products.itemsize
        below = as_strided(products, (batch, chunk * columns, width), steps)
        at = slice(start * columns, min(start + chunk, samples) * columns)
        bands[:, at] = below[:, : at.stop - at.start]
    return _filled(bands.reshape(-1, width))


def _from_sums(section: Section, sums: csr_array, blocks: Array) -> Array:
    """Return the bands from the products of all blocks, added up."""
    batch, columns = len(blocks), blocks.shape[3]
    values = sums @ _products(blocks)
    return _in_bands(values.reshape(section.reach + 1, section.shape[2], batch, columns, columns))


def _sums(section: Section) -> csr_array:
    """Return which products of taps an entry ``T[k]ᵀT[l]`` adds to, a sparse matrix.

    Its rows are the distances i - j of two samples and j, its columns k and l; from the diagonal on down.
    """
    taps, outputs, samples = section.shape
    place = section.sample * taps + section.tap
    rows = csr_array(
        (section.coefficient.astype(np.float64), (section.output, place)), (outputs, samples * taps)
    )
    pairs = (rows.T @ rows).tocoo()
    (i, left), (j, right) = np.divmod(pairs.row, taps), np.divmod(pairs.col, taps)
    below = i >= j
    row, column = ((i - j) * samples + j)[below], (left * taps + right)[below]
    return csr_array((pairs.data[below], (row, column)), ((section.reach + 1) * samples, taps**2))


def _products(blocks: Array) -> Array:
    """Return the transposes of ``B[k]ᴴB[l]``, ``(K * K, batch * columns * columns)``."""
    batch, taps, rows, columns = blocks.shape
    beside = blocks.transpose(0, 2, 1, 3).reshape(batch, rows, taps * columns)
    products = beside.swapaxes(1, 2) @ beside.conj()
    products = products.reshape(batch, taps, columns, taps, columns).transpose(3, 1, 0, 2, 4)
    return np.ascontiguousarray(products).reshape(taps * taps, -1)


def _in_bands(values: Array) -> Array:
    """Return bands from blocks: the transposes of those d below the diagonal, ``(d, j, batch, C, C)``."""
    apart, samples, batch, columns = values.shape[:4]
    width = apart * columns
    bands = np.zeros((batch * samples * columns, width + 1), values.dtype)
    # An entry (r, c) is bands[c, r - c], which lies at width * c + r: linear in r and c, as in any matrix.
    item = bands.itemsize
    steps = (samples * columns * (width + 1), columns * (width + 1), width, 1)
    for distance in range(apart):
        block = values[distance, : samples - distance].swapaxes(0, 1)
        # Above the diagonal are places of other entries, which come later.
        block = block if distance else np.triu(block)
        shape = batch, samples - distance, columns, columns
        start = bands.reshape(-1)[distance * columns :]
        as_strided(start, shape, [item * step for step in steps])[...] = block
    return _filled(bands)


def _filled(bands: Array) -> Array:
    """Return bands that stand in columns as rows, without trailing ones of zeros."""
    filled = np.flatnonzero(bands.any(axis=0))
    return bands[:, : filled[-1] + 1 if filled.size else 1].T
