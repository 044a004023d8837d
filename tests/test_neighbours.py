"""What the README says of other packages, held against them where they are installed."""

import inspect

import numpy as np
import pytest
import scipy
import scipy.linalg
import scipy.ndimage
import scipy.signal
from scipy.sparse import csr_array

import convops
from convops import Conv, check_adjoint, conv_matrix
from convops._axis import BOUNDARIES


def test_convops_has_six_boundaries_mixed_per_axis_each_with_its_transpose() -> None:
    assert len(BOUNDARIES) == 6
    for first in BOUNDARIES:
        for second in BOUNDARIES:
            A = Conv(np.ones((3, 3)), (6, 5), stride=2, padding="same", boundary=(first, second))
            assert check_adjoint(A)
    assert type(conv_matrix(np.ones((2, 2)), (3, 3))) is csr_array


def test_scipy_has_a_dense_matrix_of_one_axis() -> None:
    W = scipy.linalg.convolution_matrix(np.array([1.0, 2, 3]), 5, mode="valid")
    assert type(W) is np.ndarray
    np.testing.assert_array_equal(W, conv_matrix([1.0, 2, 3], 5, flip=True).toarray())


def test_scipy_has_five_boundaries_in_ndimage_and_three_in_signal() -> None:
    x, weight = np.arange(30.0).reshape(5, 6), np.arange(9.0).reshape(3, 3)
    in_ndimage = {
        "constant": "zeros",
        "wrap": "wrap",
        "mirror": "reflect",
        "reflect": "symmetric",
        "nearest": "edge",
    }
    for theirs, ours in in_ndimage.items():
        A = Conv(weight, x.shape, padding="same", boundary=ours)
        np.testing.assert_allclose(scipy.ndimage.correlate(x, weight, mode=theirs), A(x))
    for theirs, ours in {"fill": "zeros", "wrap": "wrap", "symm": "symmetric"}.items():
        A = Conv(weight, x.shape, padding="same", boundary=ours, flip=True)
        np.testing.assert_allclose(scipy.signal.convolve2d(x, weight, "same", theirs), A(x))
    for function in (scipy.ndimage.correlate, scipy.signal.convolve2d):
        assert not {"stride", "dilation", "groups"} & set(inspect.signature(function).parameters)


@pytest.mark.torch
def test_torch_has_four_boundaries_and_zeros_for_the_transpose() -> None:
    import torch

    for name in ("zeros", "reflect", "circular", "replicate"):
        torch.nn.Conv2d(1, 1, 3, padding=1, padding_mode=name)
    with pytest.raises(ValueError, match="padding_mode must be one of"):
        torch.nn.Conv2d(1, 1, 3, padding=1, padding_mode="symmetric")
    with pytest.raises(ValueError, match='Only "zeros" padding mode'):
        torch.nn.ConvTranspose2d(1, 1, 3, padding_mode="circular")


@pytest.mark.torch
def test_torch_refuses_same_with_a_stride() -> None:
    import torch

    with pytest.raises(ValueError, match="not supported for strided convolutions"):
        torch.nn.Conv2d(1, 1, 3, stride=2, padding="same")
    assert convops.Conv(np.ones((3, 3)), (5, 4), stride=2, padding="same").output_shape == (3, 2)


def test_pylops_has_zeros_at_the_border_and_neither_stride_nor_dilation_nor_groups() -> None:
    pylops = pytest.importorskip("pylops")
    weight = np.arange(9.0).reshape(3, 3)
    theirs = pylops.signalprocessing.Convolve2D((5, 6), h=weight, offset=(1, 1))
    ours = Conv(weight, (5, 6), padding="same", flip=True)
    x = np.random.default_rng(0).standard_normal(30)
    np.testing.assert_allclose(theirs @ x, ours @ x, atol=1e-12)
    np.testing.assert_allclose(theirs.H @ x, ours.H @ x, atol=1e-12)
    known = set(inspect.signature(pylops.signalprocessing.ConvolveND).parameters)
    assert not {"stride", "dilation", "groups", "boundary", "mode", "padding"} & known
    assert check_adjoint(theirs)


def test_pylops_makes_its_matrix_column_by_column() -> None:
    pylops = pytest.importorskip("pylops")
    products = []

    class Counted(pylops.LinearOperator):  # type: ignore[misc, name-defined]
        def _matvec(self, x: np.ndarray) -> np.ndarray:
            products.append(x)
            return 2 * x

    sparse = Counted(dtype="float64", shape=(7, 7)).tosparse()
    np.testing.assert_array_equal(sparse.toarray(), 2 * np.eye(7))
    assert len(products) >= 7
