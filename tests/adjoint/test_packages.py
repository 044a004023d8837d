"""`check_adjoint` takes operators of other packages as they are, passes the right and names the wrong."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.linalg import LaplacianNd, LinearOperator, aslinearoperator

from convops import Conv, check_adjoint
from registry import FLOATS

Make = Callable[[Any, np.dtype[Any]], LinearOperator]


def values(shape: tuple[int, ...], dtype: Any) -> Any:
    rng = np.random.default_rng(len(shape))
    real = rng.standard_normal(shape)
    imaginary = rng.standard_normal(shape) if np.dtype(dtype).kind == "c" else 0
    return (real + 1j * imaginary if np.dtype(dtype).kind == "c" else real).astype(dtype)


@pytest.mark.parametrize("dtype", FLOATS)
def test_the_composites_of_scipy_pass(dtype: str) -> None:
    A, B = aslinearoperator(values((20, 20), dtype)), aslinearoperator(csr_array(values((20, 20), dtype).T))
    C, D = (Conv(values((3,), dtype), 20, padding="same", method=method) for method in ("sparse", "fft"))
    for operator in (
        A,
        B,
        A @ B,
        A + B,
        2 * A,
        A * 0.5,
        A - B,
        A**3,
        A.H,
        A.T,
        C @ A,
        C @ D,
        C + D,
        D.H @ D,
        -C,
    ):
        report = check_adjoint(operator)
        assert report, report
    if np.dtype(dtype).kind == "f":
        assert check_adjoint(LaplacianNd((5, 4), dtype=dtype))


OF_PYLOPS: dict[str, Make] = {
    "Diagonal": lambda p, dtype: p.Diagonal(np.arange(1, 51).astype(dtype), dtype=dtype),
    "MatrixMult": lambda p, dtype: p.MatrixMult(values((30, 20), dtype), dtype=dtype),
    "Transpose": lambda p, dtype: p.Transpose((6, 7, 8), (2, 0, 1), dtype=dtype),
    "Roll": lambda p, dtype: p.Roll(50, shift=3, dtype=dtype),
    "Pad": lambda p, dtype: p.Pad((10, 12), ((1, 2), (3, 0)), dtype=dtype),
    "Restriction": lambda p, dtype: p.Restriction(50, [1, 5, 9], dtype=dtype),
    "FirstDerivative": lambda p, dtype: p.FirstDerivative((20, 21), axis=1, edge=True, dtype=dtype),
    "its adjoint": lambda p, dtype: p.FirstDerivative(50, dtype=dtype).H,
    "Laplacian": lambda p, dtype: p.Laplacian((20, 21), dtype=dtype),
    "Gradient": lambda p, dtype: p.Gradient((20, 21), dtype=dtype),
    "CausalIntegration": lambda p, dtype: p.CausalIntegration((30,), dtype=dtype),
    "Convolve2D": lambda p, dtype: p.signalprocessing.Convolve2D(
        (20, 21), values((3, 4), dtype), offset=(1, 1), dtype=dtype
    ),
    "ConvolveND": lambda p, dtype: p.signalprocessing.ConvolveND(
        (20, 21), values((3, 4), dtype), offset=(1, 1), dtype=dtype
    ),
    "VStack": lambda p, dtype: p.VStack([p.Identity(50, dtype=dtype), p.Roll(50, dtype=dtype)], dtype=dtype),
    "product": lambda p, dtype: p.FirstDerivative(50, dtype=dtype) @ p.Roll(50, dtype=dtype),
}


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("name", OF_PYLOPS)
def test_operators_of_pylops_pass(name: str, dtype: str) -> None:
    pylops = pytest.importorskip("pylops")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of theirs
        report = check_adjoint(OF_PYLOPS[name](pylops, np.dtype(dtype)))
    assert report, report


def test_the_real_transform_of_pylops_passes_with_two_dtypes() -> None:
    pylops = pytest.importorskip("pylops")
    operator = pylops.signalprocessing.FFT(60, real=True, dtype="float64")
    report = check_adjoint(operator, dtype=(float, complex))
    assert report, report
    assert "say so with dtype=(float64, complex128)" in str(check_adjoint(operator))


@pytest.mark.parametrize("seed", range(5))
def test_a_complex_filter_of_pylops_that_is_not_conjugated_is_named(seed: int) -> None:
    pylops = pytest.importorskip("pylops")
    operator = pylops.signalprocessing.Convolve1D(60, values((5,), complex), offset=2, dtype="complex128")
    report = check_adjoint(operator, seed=seed)
    if report:
        pytest.skip("this PyLops conjugates")
    assert report.failed == ("adjoint",)
    assert report.causes == ("a conjugate is missing: the adjoint is the transpose",)


@pytest.mark.torch
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_pair_of_torch_functions_passes_and_a_wrong_one_does_not(dtype: str) -> None:
    import torch
    from torch.nn.functional import conv2d, conv_transpose2d

    weight = torch.from_numpy(values((4, 3, 3, 3), dtype))

    def forward(x: Any) -> Any:
        return conv2d(torch.from_numpy(x.copy())[None], weight, stride=2, padding=1)[0]

    def adjoint(y: Any) -> Any:
        y = torch.from_numpy(y.copy())[None]
        return conv_transpose2d(y, weight, stride=2, padding=1, output_padding=1)[0]

    def turned(y: Any) -> Any:
        y = torch.from_numpy(y.copy())[None]
        return conv_transpose2d(y, weight.flip(2, 3), stride=2, padding=1, output_padding=1)[0]

    for seed in range(3):
        report = check_adjoint(forward, adjoint, (3, 16, 16), (4, 8, 8), dtype, seed=seed)
        assert report, report
    assert check_adjoint(forward, turned, (3, 16, 16), (4, 8, 8), dtype).failed == ("adjoint",)
