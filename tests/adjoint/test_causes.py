"""Each usual fault is named for what it is, on operators of every dtype; what is none of them is not."""

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import pytest

from adjoint.pairs import IMAGE, matrix_of, pair_operator, samples_of, times
from convops import AdjointReport, check_adjoint, conv_matrix
from convops.adjoint.causes import likely_causes
from registry import FLOATS

ALL = (*FLOATS, "int64")
COMPLEX = ("complex64", "complex128")
DOUBLE = ("float64", "complex128")

MANY = 24

Array = np.ndarray
Shape = tuple[int, ...]

CROPPED = (
    "the adjoint leaves these entries out: it crops where the boundary condition folds back, or drops a tap"
)
PADDED = "the adjoint has entries that the forward map has not: it pads where it should crop"
BORDER = "something at the border: the boundary condition, the padding, or the last step of a stride"
ROUNDED = "entries agree to float32: one of the maps keeps its coefficients in single precision"


def kernel(dtype: str, seed: int, shape: Shape = (3, 3)) -> Array:
    """Return a kernel without zeros and without symmetry."""
    rng = np.random.default_rng(seed)
    if dtype == "int64":
        size = prod(shape)
        return (rng.permutation(np.arange(1, size + 1)) * rng.choice([-1, 1], size)).reshape(shape)
    values = (0.5 + rng.random(shape)) * rng.choice([-1.0, 1.0], shape)
    return (values * np.exp(2j * rng.random(shape)) if np.dtype(dtype).kind == "c" else values).astype(dtype)


def same(weight: Array, boundary: str = "zeros", **arguments: Any) -> Array:
    """Return the matrix of a convolution of `IMAGE`."""
    return conv_matrix(weight, IMAGE, padding="same", boundary=boundary, **arguments).toarray()


def report_of(
    W: Array, B: Array, seed: int = 0, before: Any = IMAGE, after: Any = IMAGE, witnesses: int = 1
) -> AdjointReport:
    """Return the report of a pair that fails; few witnesses do where the products tell the cause."""
    report = check_adjoint(
        pair_operator(W, B), input_shape=before, output_shape=after, seed=seed, witnesses=witnesses
    )
    assert report.failed == ("exact" if W.dtype.kind == "i" else "adjoint",), report
    return report


@pytest.mark.parametrize("dtype", COMPLEX)
def test_a_missing_conjugate_is_named(dtype: str) -> None:
    for seed in range(2):
        for W in (matrix_of(dtype, 72, 66, seed), matrix_of(dtype, 4, 3, seed)):
            report = report_of(W, W.T, seed, W.shape[1], W.shape[0])
            assert report.causes == ("a conjugate is missing: the adjoint is the transpose",)


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize("shape", [(72, 66), (5, 7), (1, 20)])
@pytest.mark.parametrize(
    ("factor", "text"), [(2, "0.5"), (-4, "-0.25"), (3, "0.333333"), (-1, "-1: its sign is wrong")]
)
def test_a_constant_factor_is_named_with_its_size(factor: int, text: str, shape: Shape, dtype: str) -> None:
    for seed in range(2):
        W = matrix_of(dtype, *shape, seed)
        report = report_of(W, W.conj().T * W.dtype.type(factor), seed, shape[1], shape[0])
        (cause,) = report.causes
        start = "the adjoint lacks a constant factor of "
        value, _, meaning = cause.removeprefix(start).partition(": ")
        assert complex(value) == pytest.approx(1 / factor, rel=1e-5)
        assert meaning == text.partition(": ")[2]
        if dtype == "int64":
            assert cause == start + text


@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize(
    ("factor", "meaning"),
    [
        (lambda m, n: n, "the number of columns: a transform that is not normalised"),
        (lambda m, n: m, "the number of rows: a transform that is not normalised"),
        (lambda m, n: n**0.5, "the square root of the number of columns: a transform that is not normalised"),
        (lambda m, n: 1 / n, "one over the number of columns: a transform that is normalised twice"),
        (
            lambda m, n: m**-0.5,
            "one over the square root of the number of rows: a transform that is normalised twice",
        ),
    ],
    ids=["N", "M", "root N", "1/N", "1/root M"],
)
def test_a_transform_of_another_normalisation_is_named(
    factor: Callable[[int, int], float], meaning: str, dtype: str
) -> None:
    for seed in range(2):
        W = matrix_of(dtype, 72, 66, seed)
        B = W.conj().T / W.dtype.type(factor(72, 66))
        (cause,) = report_of(W, B, seed, 66, 72).causes
        assert cause.startswith("the adjoint lacks a constant factor of ")
        assert cause.endswith(f", {meaning}")


@pytest.mark.parametrize("n", [16, 90])
def test_a_transform_with_its_inverse_lacks_the_number_of_columns(n: int) -> None:
    report = check_adjoint(np.fft.fft, np.fft.ifft, n, n, complex)
    (cause,) = report.causes
    assert cause.endswith(", the number of columns: a transform that is not normalised")


@pytest.mark.parametrize("dtype", COMPLEX)
def test_a_scalar_that_is_not_conjugated_is_named(dtype: str) -> None:
    for seed in range(2):
        W, scalar = matrix_of(dtype, 72, 66, seed), np.dtype(dtype).type(3 + 4j)
        (cause,) = report_of(scalar * W, scalar * W.conj().T, seed, 66, 72).causes
        assert cause.endswith(": a scalar that is not conjugated")
        # One that is off in size too is a factor.
        (cause,) = report_of(scalar * W, 2 * scalar * W.conj().T, seed, 66, 72).causes
        assert cause.startswith("the adjoint lacks a constant factor of ")
        assert "conjugated" not in cause


@pytest.mark.parametrize("dtype", ALL)
def test_an_adjoint_of_zeros_is_named(dtype: str) -> None:
    W = matrix_of(dtype)
    assert report_of(W, 0 * W.T, before=66, after=72).causes == ("the adjoint returns zeros",)


@pytest.mark.parametrize("dtype", ALL)
def test_the_forward_map_in_place_of_the_adjoint_is_named(dtype: str) -> None:
    for seed in range(2):
        for W in (same(kernel(dtype, seed)), matrix_of(dtype, 132, 132, seed)):
            assert report_of(W, W, seed).causes == (
                "the adjoint is the forward map itself; of a convolution, the kernel has to be flipped",
            )


def fortran(shape: Shape) -> Array:
    """Return the matrix that takes the vector of an array in C order to that in Fortran order."""
    order = np.arange(prod(shape)).reshape(shape).ravel(order="F")
    return np.eye(prod(shape), dtype=int)[order]


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize("back", [False, True])
def test_results_in_fortran_order_are_named(back: bool, dtype: str) -> None:
    before, after = (8, 9), (4, 3, 6)
    for seed in range(2):
        W = matrix_of(dtype, 72, 72, seed)
        P, Q = fortran(before), fortran(after)
        P, Q = (P.T, Q.T) if back else (P, Q)
        tail = "result is raveled in Fortran order where C is meant, or the reverse"
        B = (P @ W.conj().T).astype(dtype)
        assert report_of(W, B, seed, before, after).causes == (f"the adjoint's {tail}",)
        A = (Q @ W).astype(dtype)
        assert report_of(A, W.conj().T, seed, before, after).causes == (f"the forward map's {tail}",)


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize(
    ("axes", "text"),
    [((0,), "axis 0"), ((1,), "axis 1"), ((0, 2), "axes 0, 2"), ((0, 1, 2), "every axis")],
)
def test_a_result_that_is_reversed_is_named_with_its_axes(axes: Shape, text: str, dtype: str) -> None:
    shape = (4, 3, 6)
    for seed in range(2):
        W = matrix_of(dtype, 80, 72, seed)
        B = np.flip(W.conj().T.reshape(*shape, 80), axes).reshape(72, 80)
        assert report_of(W, B, seed, shape, 80).causes == (f"the adjoint's result is reversed along {text}",)


def test_a_vector_that_is_reversed_has_one_axis() -> None:
    W = matrix_of("float64")
    assert report_of(W, W.T[::-1], before=66, after=72).causes == (
        "the adjoint's result is reversed along its axis",
    )


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize("offset", [(1, 0), (0, -1), (-2, 1), (2, 2)])
def test_a_result_that_is_moved_is_named_with_its_offset(offset: Shape, dtype: str) -> None:
    for seed in range(2):
        W = same(kernel(dtype, seed, (3, 2)))
        B = np.roll(W.conj().T.reshape(*IMAGE, -1), offset, (0, 1)).reshape(W.shape)
        (cause,) = report_of(W, B, seed).causes
        assert cause.startswith(f"the adjoint's result is moved by {offset}: paddings before and after ")
        # What leaves the array at the border is not needed to tell.
        lost = np.zeros((*IMAGE, W.shape[0]), W.dtype)
        kept = tuple(
            slice(max(step, 0), size + min(step, 0)) for step, size in zip(offset, IMAGE, strict=True)
        )
        lost[kept] = B.reshape(lost.shape)[kept]
        assert report_of(W, lost.reshape(W.shape), seed).causes == (cause,)


def test_a_vector_that_is_moved_has_a_number_for_its_offset() -> None:
    W = conv_matrix([1.0, 2, 5], 90, padding="same").toarray()
    (cause,) = report_of(W, np.roll(W.T, 2, axis=0), before=90, after=90).causes
    assert cause.startswith("the adjoint's result is moved by 2: ")


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize(("axes", "text"), [((0,), "axis 0"), ((1,), "axis 1")])
def test_a_kernel_that_is_flipped_along_an_axis_is_named(axes: Shape, text: str, dtype: str) -> None:
    for seed in range(2):
        weight = kernel(dtype, seed)
        B = same(np.flip(weight, axes)).conj().T
        assert report_of(same(weight), B, seed).causes == (
            f"the adjoint has the kernel flipped along {text}",
        )


@pytest.mark.parametrize("dtype", ALL)
def test_a_kernel_that_is_flipped_along_every_axis_is_named_where_it_is_not_the_forward_map(
    dtype: str,
) -> None:
    for seed in range(2):
        weight = kernel(dtype, seed, (2, 2, 3, 3))
        shape = (2, 8, 9)
        W, V = (conv_matrix(w, shape, padding="same").toarray() for w in (weight, np.flip(weight, (2, 3))))
        assert report_of(W, V.conj().T, seed, shape, shape).causes == (
            "the adjoint has the kernel flipped along axes 1, 2",
        )


@pytest.mark.parametrize("dtype", FLOATS)
def test_an_inverse_in_place_of_the_adjoint_is_named(dtype: str) -> None:
    for seed in range(2):
        W = (np.eye(80) * 20 + matrix_of(dtype, 80, 80, seed)).astype(dtype)
        report = report_of(W, np.linalg.inv(W).astype(dtype), seed, 80, 80)
        assert report.causes == ("the adjoint is an inverse: it takes Ax back to x, which Aᴴ does not",)


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize("boundary", ["reflect", "symmetric", "edge"])
def test_a_border_that_is_treated_otherwise_is_told(boundary: str, dtype: str) -> None:
    shape = (24, 20)
    for seed in range(2):
        weight = kernel(dtype, seed)
        W, V = (
            conv_matrix(weight, shape, padding="same", boundary=name).tocsr() for name in (boundary, "zeros")
        )
        assert report_of(W, V.conj().T, seed, shape, shape, MANY).causes[0] == BORDER
        assert report_of(V, W.conj().T, seed, shape, shape, MANY).causes[0] == BORDER


@pytest.mark.parametrize("dtype", ALL)
def test_a_border_that_is_cropped_or_padded_is_told_by_which(dtype: str) -> None:
    shape = (24, 20)
    for seed in range(2):
        weight = kernel(dtype, seed)
        W, V = (
            conv_matrix(weight, shape, padding="same", boundary=name).tocsr() for name in ("wrap", "zeros")
        )
        assert report_of(W, V.conj().T, seed, shape, shape, MANY).causes == (BORDER, CROPPED)
        assert report_of(V, W.conj().T, seed, shape, shape, MANY).causes == (BORDER, PADDED)


@pytest.mark.parametrize("dtype", ALL)
def test_entries_that_are_left_out_or_added_within_are_told(dtype: str) -> None:
    for seed in range(2):
        rng = np.random.default_rng(seed)
        W = matrix_of(dtype)
        W[rng.random(W.shape) < 0.5] = 0
        B = W.conj().T.copy()
        ones, zeros = np.argwhere(B != 0), np.argwhere(B == 0)
        left_out, added = B.copy(), B.copy()
        left_out[tuple(rng.choice(ones, 9).T)] = 0
        added[tuple(rng.choice(zeros, 9).T)] = 2
        assert report_of(W, left_out, seed, 66, 72, MANY).causes == (CROPPED,)
        assert report_of(W, added, seed, 66, 72, MANY).causes == (PADDED,)


@pytest.mark.parametrize(("dtype", "single"), [("float64", "float32"), ("complex128", "complex64")])
def test_coefficients_in_single_precision_are_named(dtype: str, single: str) -> None:
    for seed in range(2):
        W = matrix_of(dtype, 72, 66, seed)
        rounded = W.astype(single).astype(dtype)
        assert report_of(W, rounded.conj().T, seed, 66, 72, MANY).causes == (ROUNDED,)
        assert report_of(rounded, W.conj().T, seed, 66, 72, MANY).causes == (ROUNDED,)


@pytest.mark.parametrize("dtype", ALL)
@pytest.mark.parametrize(("factor", "text"), [(2, "twice"), (0.5, "half")])
def test_entries_that_are_counted_twice_or_half_are_named(factor: float, text: str, dtype: str) -> None:
    for seed in range(2):
        W = matrix_of(dtype, 72, 66, seed) * 2
        B = W.conj().T.copy()
        places = np.random.default_rng(seed).integers(66, size=(2, 9))
        B[tuple(places)] = (B[tuple(places)] * factor).astype(dtype)
        assert report_of(W, B, seed, 66, 72, MANY).causes == (f"the adjoint counts these entries {text}",)


@pytest.mark.parametrize("dtype", ALL)
def test_a_wrong_entry_at_random_names_no_cause(dtype: str) -> None:
    rng = np.random.default_rng(0)
    for seed in range(24):
        square = seed % 2
        W = matrix_of(dtype, 72, 72 if square else 66, seed)
        B = W.conj().T.copy()
        B[rng.integers(B.shape[0]), rng.integers(72)] += 50
        before: Any = (8, 9) if square else (6, 11)
        assert report_of(W, B, seed, before, (8, 9)).causes == ()


@pytest.mark.parametrize("dtype", ALL)
def test_an_adjoint_of_something_else_names_no_cause(dtype: str) -> None:
    for seed in range(8):
        W, V = matrix_of(dtype, 72, 72, seed), matrix_of(dtype, 72, 72, seed + 100)
        assert report_of(W, V, seed, (8, 9), (8, 9), MANY).causes == ()
        small, other = matrix_of(dtype, 4, 6, seed), matrix_of(dtype, 6, 4, seed + 100)
        assert report_of(small, other, seed, (2, 3), (4,), MANY).causes == ()


@pytest.mark.parametrize("dtype", ALL)
def test_a_map_that_is_nearly_its_own_adjoint_or_inverse_is_not_taken_for_that(dtype: str) -> None:
    """An entry that is a little off makes neither the forward map nor an inverse of an adjoint."""
    off = 1 if dtype == "int64" else 1e-2 if dtype in ("float32", "complex64") else 1e-9
    for seed in range(2):
        rng = np.random.default_rng(seed)
        permutation = np.eye(72, dtype=dtype)[rng.permutation(72)]
        hermitian = matrix_of(dtype, 72, 72, seed)
        for W in (permutation, np.eye(72, dtype=dtype), hermitian + hermitian.conj().T):
            B = W.conj().T.copy()
            B[tuple(rng.integers(72, size=2))] += W.dtype.type(off)
            causes = report_of(W, B, seed, (8, 9), (8, 9), MANY).causes
            assert set(causes) <= {PADDED, "the adjoint counts these entries twice"}, causes


@pytest.mark.parametrize("dtype", ALL)
def test_an_entry_at_the_border_does_not_move_a_map_that_has_nothing_within(dtype: str) -> None:
    shape = (12, 11)
    ring = np.ones(shape, dtype)
    ring[2:-2, 2:-2] = 0
    constant = np.ones((132, 132), dtype)
    for W in (np.diag(ring.reshape(-1)), constant):
        B = W.copy()
        B[0, 0] += 2
        assert report_of(W, B, before=shape, after=shape).causes == ()


@pytest.mark.parametrize("dtype", ALL)
def test_a_forward_map_of_zeros_has_an_adjoint_that_pads(dtype: str) -> None:
    """Zeros are explained by every factor and every order, so by none."""
    B = matrix_of(dtype, 66, 72)
    assert report_of(0 * B.T, B, before=66, after=72).causes == (PADDED,)


def test_causes_are_sought_in_few_products() -> None:
    shape = (5, 6, 7)
    W = matrix_of("float64", 210, 210)
    B = matrix_of("float64", 210, 210, 1)

    def forward(x: Array) -> Array:
        return times(W, x.reshape(-1)).reshape(shape)

    def adjoint(y: Array) -> Array:
        return times(B, y.reshape(-1)).reshape(shape)

    samples = samples_of(forward, adjoint, input_shape=shape, output_shape=shape)
    _ = [samples.tolerance(x, y) for x, y in zip(*(half.probes for half in samples.halves), strict=True)]
    before = samples.pair.applications
    assert likely_causes(samples, ()) == ()
    # One for each set of axes, and one each for the forward map itself, an inverse and all the shifts.
    assert samples.pair.applications - before <= 7 + 3
