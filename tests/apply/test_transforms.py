"""The transforms are those of the definition, by SciPy and by matrices alike."""

from typing import Any

import numpy as np
import pytest

from convops.apply import _transforms
from convops.apply._transforms import COMPLEX, COMPLEX_CONJUGATE, REAL, REAL_CONJUGATE, Transforms
from oracles import Array

WAYS = pytest.mark.parametrize("short", [0, 10**9], ids=["by SciPy", "by matrices"])
PRECISIONS = [("float32", "complex64", 1e-5), ("float64", "complex128", 1e-13)]


def waves(length: int, sign: int) -> Array:
    """Return the matrix of the transform that divides by nothing, from its definition."""
    places = np.arange(length)
    return np.exp(sign * 2j * np.pi * np.outer(places, places) / length)


def along(matrix: Array, x: Array, axis: int) -> Array:
    """Return the product of a matrix with one axis."""
    return np.moveaxis(np.tensordot(matrix, x, (1, axis)), 0, axis)


def values(shape: tuple[int, ...], dtype: Any) -> Array:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(shape)
    return (x + 1j * rng.standard_normal(shape) if np.dtype(dtype).kind == "c" else x).astype(dtype)


def assert_close(found: Array, expected: Array, dtype: str, rounding: float) -> None:
    assert found.dtype == dtype
    np.testing.assert_allclose(found, expected, rtol=0, atol=rounding * abs(expected).max())


@WAYS
@pytest.mark.parametrize(("real", "complex_", "rounding"), PRECISIONS)
@pytest.mark.parametrize("length", [1, 2, 5, 8])
@pytest.mark.parametrize(("transforms", "sign"), [(REAL, -1), (REAL_CONJUGATE, 1)])
def test_real_lines_become_half_a_spectrum_and_real_again(
    transforms: Transforms,
    sign: int,
    length: int,
    real: str,
    complex_: str,
    rounding: float,
    short: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_transforms, "SHORT", short)
    for size in range(1, length + 1):
        x = values((2, 3, size), real)
        padded = np.zeros((2, 3, length))
        padded[..., :size] = x
        spectrum = transforms.line_in(x, length, 2, overwrite_x=False, workers=1)
        whole = along(waves(length, sign), padded, 2)
        assert_close(spectrum, whole[..., : length // 2 + 1], complex_, rounding)
        back = transforms.line_out(spectrum, length, 2, overwrite_x=True, workers=1)
        assert_close(back, padded * length, real, rounding)


@WAYS
@pytest.mark.parametrize(("_", "dtype", "rounding"), PRECISIONS)
@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize(("transforms", "sign"), [(COMPLEX, -1), (COMPLEX_CONJUGATE, 1), (REAL, -1)])
def test_complex_lines_of_any_axis_become_spectra_and_come_back(
    transforms: Transforms,
    sign: int,
    axis: int,
    _: str,
    dtype: str,
    rounding: float,
    short: int,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(_transforms, "SHORT", short)
    x = values((3, 4, 5), dtype)
    before = x.copy()
    for length in (x.shape[axis], 7):
        padded = np.zeros([length if number == axis else size for number, size in enumerate(x.shape)], dtype)
        padded[tuple(map(slice, x.shape))] = x
        spectrum = transforms.others_in(x, length, axis)
        assert_close(spectrum, along(waves(length, sign), padded, axis), dtype, rounding)
        assert_close(transforms.others_out(spectrum, None, axis), padded * length, dtype, rounding)
    np.testing.assert_array_equal(x, before)
