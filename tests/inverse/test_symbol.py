"""The penalty of a regulariser is LᴴL in the transform of A, or there is none."""

from typing import Any

import numpy as np
import pytest

from convops import Conv, difference, gradient, identity, laplacian, vstack
from convops.inverse._spectral import spectrum_of

SHAPE = (6, 5)
SYMMETRIC = np.outer([1.0, 2, 1], [1.0, 3, 1])
MIRRORED = Conv(SYMMETRIC, SHAPE, padding="same", boundary="symmetric")
WRAP = Conv(SYMMETRIC, SHAPE, padding="same", boundary="wrap")

DIAGONAL: dict[str, tuple[Any, Any]] = {
    "gradient, mirrored": (MIRRORED, gradient(SHAPE)),
    "gradient of the edge": (MIRRORED, gradient(SHAPE, boundary="edge")),
    "inner differences": (MIRRORED, Conv([[1.0], [-1.0]], SHAPE)),
    "laplacian, mirrored": (MIRRORED, laplacian(SHAPE)),
    "laplacian, wrap": (WRAP, laplacian(SHAPE, boundary="wrap")),
    "third difference, wrap": (WRAP, difference(SHAPE, 1, order=3, boundary="wrap")),
    "identity, wrap": (WRAP, 3 * identity(SHAPE)),
    "identity beside a gradient, wrap": (WRAP, vstack([identity(SHAPE), gradient(SHAPE, boundary="wrap")])),
    "identity, stride": (
        Conv(SYMMETRIC, SHAPE, padding="same", stride=(2, 1), boundary="wrap"),
        identity(SHAPE),
    ),
    "several": (MIRRORED, vstack([2 * gradient(SHAPE), 0.5 * identity(SHAPE)])),
}


@pytest.mark.parametrize("case", DIAGONAL)
def test_the_penalty_is_what_the_regulariser_does_to_each_mode(case: str) -> None:
    A, L = DIAGONAL[case]
    spectrum = spectrum_of(A, L, True)
    assert spectrum is not None
    assert spectrum.penalty is not None
    x = np.random.default_rng(0).standard_normal((1, 1, *SHAPE))
    once = spectrum.unknown.analyse(x)
    twice = spectrum.unknown.analyse((L.H @ L)(x))
    assert twice == pytest.approx(once * spectrum.penalty, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("A", "L"),
    [
        (MIRRORED, gradient(SHAPE, boundary="zeros")),
        (MIRRORED, gradient(SHAPE, boundary="wrap")),
        (MIRRORED, difference(SHAPE, 0, order=3)),
        (WRAP, gradient(SHAPE)),
        (WRAP, Conv(np.ones((2, 2)), SHAPE, stride=2, boundary="wrap")),
        (WRAP, gradient(SHAPE, boundary="wrap").gram()),
    ],
)
def test_what_the_transform_does_not_make_diagonal_has_no_penalty(A: Any, L: Any) -> None:
    assert spectrum_of(A, L, True) is None
