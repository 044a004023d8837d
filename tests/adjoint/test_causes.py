"""The usual faults are named where they explain the products, and a random fault is not blamed on them."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from adjoint.pairs import IMAGE, Array, convolution, matrix_of, pair_operator
from convops import Conv, check_adjoint
from registry import FLOATS

Fault = Callable[[Array], Array]
N = IMAGE[0] * IMAGE[1]
PLACES = np.arange(N).reshape(IMAGE)
F_ORDER = PLACES.ravel(order="F")


def causes_of(W: Array, B: Array, seed: int = 0) -> str:
    report = check_adjoint(pair_operator(W, B), seed=seed, input_shape=IMAGE, output_shape=IMAGE)
    assert not report
    return "; ".join(report.causes)


def image_matrix(dtype: Any) -> Array:
    return matrix_of(dtype, N, N)


@pytest.mark.parametrize("dtype", [*FLOATS, "int64"])
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        (lambda B: 0 * B, "the adjoint returns zeros"),
        (lambda B: -B, "a constant factor of -1: its sign is wrong"),
        (lambda B: 2 * B, "a constant factor of 0.5"),
        (lambda B: N * B, "one over the number of columns: a transform that is normalised twice"),
        (
            lambda B: B[np.argsort(PLACES.ravel(order="F"))],
            "the adjoint's result is raveled in Fortran order",
        ),
        (lambda B: B[:, F_ORDER], "the forward map's result is raveled in Fortran order"),
        (lambda B: B[::-1], "the adjoint's result is reversed along every axis"),
        (lambda B: B[PLACES[:, ::-1].ravel()], "the adjoint's result is reversed along axis 1"),
        (lambda B: B[np.roll(PLACES, (1, 0), (0, 1)).ravel()], "the adjoint's result is moved by (1, 0)"),
        (lambda B: B[np.roll(PLACES, (-2, 1), (0, 1)).ravel()], "the adjoint's result is moved by (-2, 1)"),
        (lambda B: B.conj().T, "the adjoint is the forward map itself"),
    ],
    ids=[
        "zeros",
        "sign",
        "half",
        "N",
        "F of B",
        "F of A",
        "reversed",
        "axis 1",
        "moved",
        "moved 2",
        "itself",
    ],
)
def test_a_fault_that_explains_all_products_is_named(fault: Fault, words: str, dtype: str) -> None:
    W = image_matrix(dtype)
    for seed in range(3):
        assert words in causes_of(W, fault(W.conj().T), seed)


@pytest.mark.parametrize("dtype", ["complex64", "complex128"])
def test_a_missing_conjugate_and_a_scalar_that_is_not_conjugated_are_named(dtype: str) -> None:
    W = image_matrix(dtype)
    turn = W.dtype.type(np.exp(0.3j))
    for seed in range(3):
        assert causes_of(W, W.T, seed) == "a conjugate is missing: the adjoint is the transpose"
        assert "a scalar that is not conjugated" in causes_of(turn * W, turn * W.conj().T, seed)


@pytest.mark.parametrize("factor", [N, 1 / N, N**0.5, N**-0.5])
def test_factors_of_transforms_are_named(factor: float) -> None:
    words = causes_of(image_matrix("float64"), factor * image_matrix("float64").T)
    assert ("square root of the " in words) == (abs(np.log(factor)) < 4)
    assert ("normalised twice" in words) == (factor > 1)


@pytest.mark.parametrize("dtype", [*FLOATS, "int64"])
def test_a_flipped_kernel_is_named(dtype: str) -> None:
    weight = np.arange(1, 13).reshape(4, 3).astype(dtype) * 2 - 5
    W = Conv(weight, IMAGE, padding="same", boundary="wrap").toarray()
    for turned, words in ((weight[:, ::-1], "flipped along axis 1"), (weight[::-1], "flipped along axis 0")):
        # Of an even kernel the flipped one is centred elsewhere.
        padding = "same" if turned is not weight[::-1] and words.endswith("1") else "same_lower"
        B = Conv(turned, IMAGE, padding=padding, boundary="wrap").toarray().conj().T
        assert words in causes_of(W, B)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_an_inverse_is_named(dtype: str) -> None:
    W = np.eye(N, dtype=dtype) + matrix_of(dtype, N, N) / 50
    assert "the adjoint is an inverse" in causes_of(W, np.linalg.inv(W))


def test_single_precision_coefficients_are_named() -> None:
    W = image_matrix("complex128")
    assert "single precision" in causes_of(W, W.conj().T.astype(np.complex64).astype(complex))
    assert "single precision" in causes_of(W.astype(np.complex64).astype(complex), W.conj().T)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda entry: 0 * entry, "leaves these entries out"),
        (lambda entry: 2 * entry, "counts these entries twice"),
        (lambda entry: entry / 2, "counts these entries half"),
    ],
    ids=["out", "twice", "half"],
)
def test_what_happens_to_single_entries_is_told(change: Fault, words: str) -> None:
    W = convolution(boundary="wrap").toarray()
    B = W.T.copy()
    B[::7] = change(B[::7])
    assert words in causes_of(W, B)


def test_entries_that_the_forward_map_has_not_are_told() -> None:
    W = convolution().toarray()
    B = W.T.copy()
    B[60, 100] = B[30, 5] = 1
    assert (
        causes_of(W, B)
        == "the adjoint has entries that the forward map has not: it pads where it should crop"
    )


@pytest.mark.parametrize("boundary", ["wrap", "reflect", "symmetric", "edge", "antireflect"])
def test_a_border_that_is_not_folded_is_told(boundary: str) -> None:
    weight, image = np.random.default_rng(5).standard_normal((4, 3)), (30, 28)
    A, cropped = (Conv(weight, image, padding="same", boundary=name) for name in (boundary, "zeros"))
    report = check_adjoint(pair_operator(A.toarray(), cropped.toarray().T), None, image, image)
    assert report.causes[0].startswith("something at the border")


@pytest.mark.parametrize("dtype", [*FLOATS, "int64"])
def test_random_wrong_entries_are_blamed_on_none(dtype: str) -> None:
    W = image_matrix(dtype)
    for seed in range(15):
        rng = np.random.default_rng(seed)
        B = W.conj().T.copy()
        places = rng.integers(20, 110, (2, 6))
        B[tuple(places)] += np.arange(3, 9).astype(dtype)
        assert causes_of(W, B, seed) == ""
