"""The preconditioner is positive definite, and makes the normal equations of other boundaries easy."""

import numpy as np
import pytest

from convops import Conv, gradient, selection
from convops.inverse._surrogate import neighbour, preconditioner
from oracles import Array

LINE = np.exp(-0.5 * (np.arange(-4, 5) / 1.5) ** 2)
KERNEL = np.outer(LINE, LINE) / LINE.sum() ** 2


def spread(values: Array) -> float:
    low, high = np.quantile(values, [0.1, 0.9])
    return float(high / low)


@pytest.mark.parametrize(
    ("kernel", "boundary", "stride", "reg"),
    [
        ("symmetric", "zeros", 1, False),
        ("symmetric", "reflect", 1, True),
        ("symmetric", "edge", 2, False),
        ("symmetric", "zeros", 2, True),
        ("one-sided", "zeros", 1, True),
        ("one-sided", "reflect", 2, False),
        ("one-sided", "edge", 1, False),
        ("one-sided", "zeros", 2, False),
    ],
)
def test_the_condition_of_the_normal_equations_falls(
    kernel: str, boundary: str, stride: int, reg: bool
) -> None:
    weight = KERNEL if kernel == "symmetric" else np.triu(KERNEL)
    A = Conv(weight, (14, 12), padding="same", stride=stride, boundary=boundary)
    L, damp = (gradient(A.input_shape, boundary=boundary) if reg else None), 0.02
    apply = preconditioner(A, L, damp, True)
    assert apply is not None
    W, D = A.toarray(), np.eye(A.shape[1]) if L is None else L.toarray()
    normal = W.T @ W + damp**2 * D.T @ D
    inverse = np.stack([apply(column) for column in np.eye(len(normal))], axis=1)
    assert inverse == pytest.approx(inverse.T, rel=1e-9, abs=1e-9 * np.abs(inverse).max())
    root = np.linalg.cholesky((inverse + inverse.T) / 2)
    before, after = np.linalg.eigvalsh(normal), np.linalg.eigvalsh(root.T @ normal @ root)
    # What happens at the border is left to conjugate gradients: few values, far from the others.
    assert spread(after) < 0.5 * spread(before)
    if boundary == "zeros":
        assert after[-1] / after[0] < 0.3 * before[-1] / before[0]


def test_a_multiple_has_the_neighbour_of_what_is_multiplied() -> None:
    A = Conv(KERNEL, (20, 18), padding="same")
    plain, multiple = neighbour(A, None, True), neighbour(-3 * (2 * A), None, True)
    assert plain is not None
    assert multiple is not None
    assert (plain[1], multiple[1]) == (1, 6)
    v = np.random.default_rng(0).standard_normal(A.shape[1])
    one, other = preconditioner(A, None, 0.1, True), preconditioner(6 * A, None, 0.6, True)
    assert one is not None
    assert other is not None
    assert other(v) == pytest.approx(one(v) / 36)


def test_without_a_damp_or_a_convolution_there_is_none() -> None:
    A = Conv(KERNEL, (20, 18), padding="same")
    assert preconditioner(A, None, 0.0, True) is None
    assert preconditioner(selection(np.ones(A.output_shape, bool)) @ A, None, 0.1, True) is None
    assert preconditioner(0 * A, None, 0.1, True) is None


def test_single_precision_stays_so() -> None:
    A = Conv(KERNEL.astype(np.float32), (20, 18), padding="same")
    apply = preconditioner(A, None, 0.1, True)
    assert apply is not None
    assert apply(np.ones(A.shape[1], np.float32)).dtype == np.float32
