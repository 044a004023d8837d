"""The route is that of the structure, or the one that was asked for, with a reason."""

from typing import Any

import numpy as np
import pytest

from convops import Conv, KernelOperator, identity
from convops.inverse._progress import Progress
from convops.inverse._routes import NoUniqueSolution, route_of
from convops.inverse.tikhonov import problem_of

KERNEL = np.ones((3, 3)) / 9
LARGE = (120, 130)


def routed(A: Any, method: str = "auto", damp: float = 0.1, reg: Any = None) -> Any:
    return route_of(problem_of(A, np.ones(A.output_shape), damp, reg)[0], method)


@pytest.mark.parametrize(
    ("A", "damp", "name", "why"),
    [
        (Conv(KERNEL, LARGE, padding="same", boundary="wrap"), 0.1, "fft", "every axis is diagonal: fft"),
        (Conv(KERNEL, LARGE, padding="same", boundary="symmetric"), 0.1, "dct", "diagonal: dct"),
        (Conv(KERNEL, LARGE, padding="same", boundary=("wrap", "symmetric")), 0.1, "fft", "fft and dct"),
        (Conv(np.ones((2, 2, 3)), (2, 30), padding="same", boundary="wrap"), 0.1, "fft", "blocks of 2 × 2"),
        (Conv(KERNEL, (9, 9)), 0.1, "sparse", "the matrix is small"),
        (Conv(np.ones(9), 20_000), 0.1, "sparse", "the matrix is small"),
        (Conv(KERNEL, LARGE), 0.1, "cg", "no transform"),
        (Conv(KERNEL, LARGE), 0.0, "lsmr", "least norm"),
        (KernelOperator(np.ones(LARGE), (40, 40)), 0.1, "cg", "no small matrix"),
        (2 * Conv(KERNEL, LARGE, padding="same", boundary="wrap"), 0.1, "fft", "diagonal"),
        (identity(LARGE) @ Conv(KERNEL, LARGE, padding="same"), 0.1, "cg", "no transform"),
    ],
)
def test_the_structure_decides(A: Any, damp: float, name: str, why: str) -> None:
    route = routed(A, damp=damp)
    assert route.name == name
    assert why in route.why


@pytest.mark.parametrize("method", ["sparse", "cg", "lsmr"])
def test_a_route_by_name_is_taken(method: str) -> None:
    assert routed(Conv(KERNEL, (9, 9), padding="same", boundary="wrap"), method).name == method


@pytest.mark.parametrize(
    ("A", "method", "reg", "why"),
    [
        (Conv(KERNEL, (9, 9), padding="same", boundary="wrap"), "dct", None, "it is 'fft' that takes"),
        (Conv(KERNEL, (9, 9)), "fft", None, "every axis must wrap round"),
        (identity(9) @ Conv(np.ones(3), 9, padding="same"), "fft", None, "made of several operators"),
        (
            Conv(KERNEL, (9, 9), padding="same", boundary="wrap"),
            "fft",
            Conv(KERNEL, (9, 9)),
            "it takes A apart, and reg=",
        ),
    ],
)
def test_a_transform_that_cannot_says_why(A: Any, method: str, reg: Any, why: str) -> None:
    with pytest.raises(ValueError, match=f"method='{method}': .*{why}"):
        routed(A, method, reg=reg)


@pytest.mark.parametrize(("damp", "fix"), [(0.0, "a damp above 0"), (0.5, "a reg that sees what A does not")])
def test_equations_without_a_unique_answer_are_refused_with_a_fix(damp: float, fix: str) -> None:
    A = Conv(np.ones((1, 1)), (8, 9), stride=2)
    with pytest.raises(NoUniqueSolution, match=f"no unique solution.*{fix}.*lsmr"):
        routed(A, "sparse", damp, Conv([[1.0, 0, -1]], (8, 9))).solve(None, 1e-6, None, Progress(False, None))
