"""Closed forms of residual, seminorm and trace are those of the dense problem, at every damp."""

from typing import Any

import numpy as np
import pytest

from convops import Conv, difference, identity, vstack
from convops.inverse._filters import filters_of
from convops.inverse._problem import arrays_of
from convops.inverse._regulariser import regulariser
from convops.inverse._routes import spectrum_of_problem
from convops.inverse.tikhonov import problem_of
from inverse.dense import measured

RNG = np.random.default_rng(0)
PLAIN = RNG.standard_normal((3, 5))
HALF = PLAIN + PLAIN[::-1]
SYMMETRIC = HALF + HALF[:, ::-1]

CASES: dict[str, tuple[Any, Any]] = {
    "wrap": (Conv(PLAIN, (5, 6), padding="same", boundary="wrap"), None),
    "wrap, complex": (Conv(PLAIN + 1j * SYMMETRIC, (4, 6), padding="same", boundary="wrap"), None),
    "wrap, gradient": (Conv(PLAIN, (5, 6), padding="same", boundary="wrap"), "gradient"),
    "mirrored, laplacian": (Conv(SYMMETRIC, (5, 6), padding="same", boundary="symmetric"), "laplacian"),
    "mixed": (Conv(SYMMETRIC, (4, 7), padding="same", boundary=("symmetric", "wrap")), "gradient"),
    "stride": (Conv(PLAIN, (6, 8), padding="same", stride=2, boundary="wrap"), None),
    "stride, gradient": (Conv(PLAIN, (6, 8), padding="same", stride=2, boundary="wrap"), "gradient"),
    "copies": (Conv([1.0, 2, -1], 4, stride=3, padding=[(10, 10)], boundary="wrap"), None),
    "adjoint": (Conv(PLAIN, (6, 8), padding="same", stride=2, boundary="wrap").H, None),
    "wide": (Conv(RNG.standard_normal((2, 3, 3, 3)), (3, 4, 5), padding="same", boundary="wrap"), "gradient"),
    "tall": (Conv(RNG.standard_normal((3, 2, 3, 3)), (2, 4, 5), padding="same", boundary="wrap"), "gradient"),
    "groups": (Conv(RNG.standard_normal((4, 1, 3)), (2, 6), padding="same", boundary="wrap", groups=2), None),
    "singular": (Conv([1.0, 1.0], 6, padding="same", boundary="wrap"), None),
    "nothing at 0": (Conv([1.0, -1.0], 6, padding="same", boundary="wrap"), "gradient"),
}


@pytest.mark.parametrize("case", CASES)
def test_a_damp_leaves_what_the_dense_problem_says(case: str) -> None:
    A, reg = CASES[case]
    b = np.random.default_rng(1).standard_normal((2, *A.output_shape))
    problem, _ = problem_of(A, b, 0.0, reg)
    spectrum = spectrum_of_problem(problem)
    assert spectrum is not None
    filters = filters_of(spectrum, arrays_of(problem))
    L = None if reg is None else regulariser(reg, A).toarray()
    for damp in (1e-2, 0.3, 20.0):
        assert filters.measures(damp) == pytest.approx(measured(A, L, problem.b, damp), rel=1e-9, abs=1e-11)


def test_unknowns_that_the_penalty_does_not_see_are_kept_whole() -> None:
    A = Conv(RNG.standard_normal((2, 2, 3)), (2, 6), padding="same", boundary="wrap")
    # Sees the first channel alone: LᴴL is diagonal, and 0 for half of each block.
    L = Conv(np.array([1.0, 0.0]).reshape(2, 1, 1), (2, 6), groups=2)
    problem, _ = problem_of(A, RNG.standard_normal(A.output_shape), 0.0, L)
    spectrum = spectrum_of_problem(problem)
    assert spectrum is not None
    found = filters_of(spectrum, arrays_of(problem)).measures(0.7)
    assert found == pytest.approx(measured(A, L.toarray(), problem.b, 0.7), rel=1e-9)


def test_the_ends_hold_the_generalised_singular_values() -> None:
    A = Conv(SYMMETRIC, (5, 6), padding="same", boundary="symmetric")
    L = vstack([identity(A.input_shape), difference(A.input_shape, 0)])
    problem, _ = problem_of(A, RNG.standard_normal(A.output_shape), 0.0, L)
    spectrum = spectrum_of_problem(problem)
    assert spectrum is not None
    root = np.linalg.cholesky((L.H @ L).toarray())
    values = np.linalg.svd(A.toarray() @ np.linalg.inv(root).T, compute_uv=False)
    assert filters_of(spectrum, arrays_of(problem)).ends() == pytest.approx((values[-1], values[0]))
