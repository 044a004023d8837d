"""`probe_matrix` against the loops and other packages' operators, and the number of products it makes."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import sparse
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from convops import Conv, ConvGeometry, ConvTranspose, probe_colors, probe_matrix, probing
from oracles import Array, assert_within_rounding
from registry import CASES, FLOATS, METHODS, Case, cases, magnitude_of, matrix_of, weights_for

VERIFY = 3


class Counted(LinearOperator):
    """A dense matrix that counts its products, made one by one or many at once."""

    def __init__(self, matrix: Array, by_columns: bool = False) -> None:
        self.matrix, self.products, self.calls = matrix, 0, 0
        self.by_columns = by_columns
        super().__init__(matrix.dtype, matrix.shape)

    def _matvec(self, x: Array) -> Array:
        self.products += 1
        self.calls += 1
        return self.matrix @ x

    def _matmat(self, X: Array) -> Array:
        self.products += X.shape[1]
        self.calls += 1
        return self.matrix @ X


def geometry_of(case: Case) -> ConvGeometry:
    return ConvGeometry(case.weight_shape, case.input_shape, **case.geometry())


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_matrix_of_a_geometry_is_that_of_the_loops_in_as_many_products_as_colors(case: Case) -> None:
    geometry = geometry_of(case)
    for dtype in (*FLOATS, "int64", "int8"):
        weight = weights_for(case, dtype)
        expected = matrix_of(case, weight).astype(dtype)
        op = Counted(expected)
        W = probe_matrix(op, geometry)
        assert op.products == probe_colors(geometry) + VERIFY
        assert type(W) is sparse.csr_array
        assert W.dtype == dtype
        assert W.nnz == geometry.nnz
        fresh = sparse.csr_array((W.data, W.indices, W.indptr), shape=W.shape)
        fresh.check_format(full_check=True)
        assert fresh.has_canonical_format
        np.testing.assert_array_equal(W.toarray(), expected)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_has_the_matrix_of_the_loops(method: str) -> None:
    for case in CASES:
        if not case.suits(method):
            continue
        weight = weights_for(case, method=method)
        A = Conv(weight, case.input_shape, method=method, **case.kwargs())
        W = probe_matrix(A, geometry_of(case))
        size, terms = magnitude_of(case, weight)
        assert_within_rounding(W.toarray(), matrix_of(case, weight), np.full_like(size, size.sum()), terms)


@given(cases(), st.booleans())
@settings(max_examples=60)
def test_any_geometry_gives_the_matrix_of_the_loops(case: Case, as_matrix: bool) -> None:
    expected = matrix_of(case, weights_for(case, "int64"))
    geometry = geometry_of(case)
    mask = magnitude_of(case, np.ones(case.weight_shape, int))[0] != 0
    pattern = sparse.csr_array(mask) if as_matrix else geometry
    op = Counted(expected)
    np.testing.assert_array_equal(probe_matrix(op, pattern).toarray(), expected)
    assert op.products == probe_colors(pattern) + VERIFY


@given(st.integers(1, 15), st.integers(1, 15), st.floats(0, 1), st.integers(0, 2**32 - 1))
def test_a_sparse_pattern_gives_back_the_matrix(rows: int, columns: int, density: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((rows, columns)) < density
    matrix = np.where(mask, rng.standard_normal(mask.shape), 0)
    for form in (sparse.csr_array, sparse.csc_matrix, sparse.coo_array, sparse.lil_array):
        op = Counted(matrix)
        W = probe_matrix(op, form(mask))
        np.testing.assert_array_equal(W.toarray(), matrix)
        assert W.nnz == mask.sum()
        assert op.products == probe_colors(form(mask)) + VERIFY


def test_stored_zeros_of_the_pattern_are_entries_and_duplicates_are_one() -> None:
    stored = sparse.coo_array((np.zeros(4), ([0, 1, 1, 1], [0, 1, 1, 0])), shape=(2, 2))
    W = probe_matrix(aslinearoperator(np.array([[1.0, 0], [0, 2]])), stored)
    assert W.nnz == 3
    W.eliminate_zeros()
    assert W.nnz == 2
    np.testing.assert_array_equal(W.toarray(), [[1, 0], [0, 2]])


def test_the_pattern_and_the_matrix_share_no_memory() -> None:
    pattern = sparse.csr_array(np.eye(5))
    W = probe_matrix(aslinearoperator(2 * np.eye(5)), pattern)
    W.indices[:] = 0
    W.data[:] = 0
    np.testing.assert_array_equal(pattern.toarray(), np.eye(5))


def test_products_are_made_in_blocks_of_bounded_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    geometry = ConvGeometry((3, 3), (6, 6), padding=1)
    matrix = Conv(np.arange(9.0).reshape(3, 3), (6, 6), padding=1).toarray()
    for at_once, calls in ((1, 9), (2, 5), (9, 1), (100, 1)):
        monkeypatch.setattr(probing, "_BYTES_AT_ONCE", at_once * 72 * 8)
        op = Counted(matrix)
        np.testing.assert_array_equal(probe_matrix(op, geometry).toarray(), matrix)
        assert (op.calls, op.products) == (calls + VERIFY, 9 + VERIFY)


def test_a_matrix_without_entries_takes_no_product_but_those_that_verify_it() -> None:
    op = Counted(np.zeros((3, 4)))
    assert probe_matrix(op, sparse.csr_array((3, 4))).nnz == 0
    assert op.products == VERIFY


def test_a_transpose_is_probed_by_the_pattern_of_its_matrix() -> None:
    B = ConvTranspose(np.arange(1.0, 10).reshape(3, 3), (4, 5), stride=2)
    W = probe_matrix(B, B.tosparse())
    np.testing.assert_array_equal(W.toarray(), B.toarray())


def test_a_function_of_arrays_takes_the_shapes_of_the_geometry_or_those_given() -> None:
    def down(x: Array) -> Array:
        assert x.shape == (4, 6)
        return x[:-1:2, ::3] + 2 * x[1::2, ::3]

    expected = Conv([[1.0], [2.0]], (4, 6), stride=(2, 3)).toarray()
    geometry = ConvGeometry((2, 1), (4, 6), stride=(2, 3))
    np.testing.assert_array_equal(probe_matrix(down, geometry).toarray(), expected)
    pattern = sparse.csr_array(expected)
    np.testing.assert_array_equal(probe_matrix(down, pattern, (4, 6), (2, 2)).toarray(), expected)
    flat = probe_matrix(lambda x: down(x.reshape(4, 6)).ravel(), pattern)
    np.testing.assert_array_equal(flat.toarray(), expected)


def test_the_dtype_follows_the_operator() -> None:
    geometry = ConvGeometry(2, 4)

    def mean(x: Array) -> Array:
        return (x[1:] + x[:-1]) * x.dtype.type(0.5)

    for dtype in (*FLOATS, None):
        assert probe_matrix(mean, geometry, dtype=dtype).dtype == (dtype or "float64")
    twisted = probe_matrix(lambda x: 1j * mean(x), geometry, dtype=(np.float32, np.complex64))
    assert twisted.dtype == np.complex64
    np.testing.assert_array_equal(twisted.toarray(), 1j * probe_matrix(mean, geometry).toarray())


def test_the_same_seed_probes_alike_and_progress_is_written_where_asked(
    capsys: pytest.CaptureFixture[str],
) -> None:
    seen: list[Array] = []

    def recorded(x: Array) -> Array:
        seen.append(x.copy())
        return x

    geometry = ConvGeometry(1, 70)
    for seed in (3, 3, 4):
        probe_matrix(recorded, geometry, seed=seed, progress=seed == 4)
    first, second, other = (seen[number * 4 + 1] for number in range(3))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(first, other)
    assert capsys.readouterr().err == "probe_matrix: 0 of 1 products, and 3 to verify\n"


# ------------------------------------------------------------------------------------------ of other packages


@pytest.mark.parametrize("mode", ["constant", "wrap", "mirror", "reflect", "nearest"])
def test_a_filter_of_ndimage_has_the_matrix_of_its_boundary(mode: str) -> None:
    ours = {
        "constant": "zeros",
        "wrap": "wrap",
        "mirror": "reflect",
        "reflect": "symmetric",
        "nearest": "edge",
    }
    weight = np.random.default_rng(0).standard_normal((3, 5))
    geometry = ConvGeometry((3, 5), (12, 15), padding="same", boundary=ours[mode])
    W = probe_matrix(lambda x: scipy.ndimage.correlate(x, weight, mode=mode), geometry)
    expected = Conv(weight, (12, 15), padding="same", boundary=ours[mode])
    np.testing.assert_allclose(W.toarray(), expected.toarray(), rtol=1e-14)


def test_a_gaussian_filter_has_a_matrix() -> None:
    blur: Callable[[Any], Any] = lambda x: scipy.ndimage.gaussian_filter(x, 1.0, truncate=2.0)  # noqa: E731
    geometry = ConvGeometry((5, 5), (20, 30), padding=2, boundary="symmetric")
    assert probe_colors(geometry) == 25
    W = probe_matrix(blur, geometry)
    x = np.random.default_rng(0).random((20, 30))
    np.testing.assert_allclose(W @ x.ravel(), blur(x).ravel(), rtol=1e-13)
    np.testing.assert_allclose(W.sum(axis=1), 1, rtol=1e-13)


def test_an_operator_of_pylops_has_the_matrix_that_its_own_column_by_column_loop_finds() -> None:
    pylops = pytest.importorskip("pylops")
    weight = np.arange(9.0).reshape(3, 3)
    theirs = pylops.signalprocessing.Convolve2D((9, 8), h=weight, offset=(1, 1))
    geometry = ConvGeometry((3, 3), (9, 8), padding=1)
    W = probe_matrix(theirs, geometry)
    np.testing.assert_allclose(W.toarray(), theirs.todense(), atol=1e-13)
    derivative = pylops.SecondDerivative((9, 8), axis=0, edge=True)
    by_rows = ConvGeometry((5, 1), (9, 8), padding=((2, 2), (0, 0)))
    np.testing.assert_allclose(probe_matrix(derivative, by_rows).toarray(), derivative.todense())
