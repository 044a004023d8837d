"""The arguments for a name of SciPy make the operator do what SciPy's function does."""

from typing import Any

import numpy as np
import pytest
from scipy import ndimage, signal

from convops import conv
from convops.interop import from_scipy

SIGNAL = [(mode, boundary) for mode in ("full", "same", "valid") for boundary in ("fill", "wrap", "symm")]
NDIMAGE = ["reflect", "grid-mirror", "constant", "grid-constant", "nearest", "mirror", "grid-wrap", "wrap"]
KERNELS = [(1, 1), (2, 3), (3, 2), (4, 4), (5, 3)]
rng = np.random.default_rng(0)
X = rng.standard_normal((7, 8))


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize(("mode", "boundary"), SIGNAL)
def test_the_modes_of_signal_are_these(mode: str, boundary: str, kernel: tuple[int, int]) -> None:
    w = rng.standard_normal(kernel)
    for flip, function in ((False, signal.correlate2d), (True, signal.convolve2d)):
        expected = function(X, w, mode, boundary)
        np.testing.assert_allclose(conv(X, w, **from_scipy(mode, boundary, flip=flip)), expected, atol=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("mode", NDIMAGE)
def test_the_modes_of_ndimage_are_these(mode: str, kernel: tuple[int, int]) -> None:
    w = rng.standard_normal(kernel)
    for flip, function in ((False, ndimage.correlate), (True, ndimage.convolve)):
        expected = function(X, w, mode=mode)
        np.testing.assert_allclose(conv(X, w, **from_scipy(mode, flip=flip)), expected, atol=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_the_functions_of_signal_without_boundary_are_these(mode: str, kernel: tuple[int, int]) -> None:
    w = rng.standard_normal(kernel)
    for function in (signal.convolve, signal.fftconvolve, signal.oaconvolve):
        expected = function(X, w, mode)
        np.testing.assert_allclose(conv(X, w, **from_scipy(mode, flip=True)), expected, atol=1e-12)
    expected = signal.correlate(X, w, mode)
    np.testing.assert_allclose(conv(X, w, **from_scipy(mode)), expected, atol=1e-12)


@pytest.mark.parametrize(
    ("given", "error", "says"),
    [
        (("symm",), ValueError, "mode='symm': scipy.signal and scipy.ndimage have 'full'"),
        ((None,), TypeError, "mode=None: it must be a str"),
        (("same", "reflect"), ValueError, "boundary='reflect': scipy.signal has 'fill', 'wrap', 'symm'"),
        (("nearest", "fill"), ValueError, "boundary='fill': 'nearest' is a mode of scipy.ndimage"),
    ],
)
def test_other_names_are_refused_in_words(given: Any, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        from_scipy(*given)
    with pytest.raises(TypeError, match="flip=1: "):
        from_scipy("same", flip=1)  # type: ignore[arg-type]
