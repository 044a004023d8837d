"""The Gram matrix of W along one axis, in the bands that LAPACK factorises.

With T[k] the matrix of tap k of that axis and B[k] what the tap is along all others, a block,
``W = Σ T[k] ⊗ B[k]`` and ``WᴴW = Σ T[k]ᵀT[l] ⊗ B[k]ᴴB[l]``. T is sparse and made of few different rows, so
that the products of the blocks are taken once, and then added up where they stand.
"""

from collections.abc import Iterator

import numpy as np
from numpy.lib.stride_tricks import as_strided
from scipy.sparse import csr_array

from convops._arrays import Array
from convops.spectra._sections import Section

_ENTRIES_AT_ONCE = 2**22


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
    samples, columns, apart = section.shape[2], blocks.shape[3], section.reach + 1
    sums = _sums(section, apart)
    step = max(_ENTRIES_AT_ONCE // (apart * samples * columns**2), 1)
    for start in range(0, len(blocks), step):
        some = blocks[start : start + step]
        products = _products(some)
        values = (sums @ products).reshape(apart, samples, len(some), columns, columns)
        yield _in_bands(values)


def work(section: Section, batch: int, columns: int) -> int:
    """Return about how many operations it takes to factorise `grams`, and to make them."""
    length, width = section.shape[2] * columns, section.reach * columns + columns // 2 + 1
    taps, outputs, _ = section.shape
    return batch * length * width * (width + 16) + 1024 * outputs * taps**2


def _sums(section: Section, apart: int) -> csr_array:
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
    return csr_array((pairs.data[below], (row, column)), (apart * samples, taps**2))


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
    filled = np.flatnonzero(bands.any(axis=0))
    return bands[:, : filled[-1] + 1 if filled.size else 1].T
