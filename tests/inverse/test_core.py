"""A problem in another layout has the answer of its dense matrix, by the routes of the core."""

from typing import Any

import numpy as np
import pytest

from convops import Conv, choose_damp, gradient, identity, selection, tikhonov, vstack
from convops.inverse._core import core_of
from convops.inverse._regulariser import regulariser
from convops.inverse.tikhonov import problem_of
from oracles import Array

RNG = np.random.default_rng(0)
SHAPES = [((7, 6, 3), -1), ((3, 7, 6), 0), ((7, 3, 6), 1)]
WEIGHTS = {
    "shared": RNG.standard_normal((3, 3)),
    "shared, symmetric": np.outer([1, 2, 1], [1, 3, 1.0]),
    "mixed": RNG.standard_normal((4, 3, 3, 3)),
}
REGS = {
    "identity": lambda A: None,
    "gradient": lambda A: "gradient",
    "laplacian": lambda A: "laplacian",
    "multiple of the identity": lambda A: 3 * identity(A.input_shape),
    "like A": lambda A: Conv(WEIGHTS["shared"], A.input_shape, channel_axis=A.channel_axis, padding="same"),
    "gradient by hand": lambda A: gradient(
        A.input_shape, axes=[axis for axis in range(3) if axis != A.channel_axis]
    ),
    "across channels": lambda A: gradient(A.input_shape),
    "of no layout": lambda A: vstack([identity(A.input_shape), selection(np.ones(A.input_shape, bool))]),
}


def by_least_squares(A: Any, b: Array, damp: float, L: Any) -> Array:
    P = np.eye(A.shape[1]) if L is None else L.toarray()
    stacked = np.vstack([A.toarray(), damp * P])
    return np.linalg.lstsq(stacked, np.concatenate([b.ravel(), np.zeros(len(P))]), rcond=None)[0]


@pytest.mark.parametrize("reg", REGS)
@pytest.mark.parametrize("boundary", ["zeros", "wrap", "symmetric"])
@pytest.mark.parametrize("name", WEIGHTS)
@pytest.mark.parametrize(("shape", "axis"), SHAPES)
def test_the_answer_is_that_of_the_dense_problem(
    shape: tuple[int, ...], axis: int, name: str, boundary: str, reg: str
) -> None:
    A = 2 * Conv(WEIGHTS[name], shape, channel_axis=axis, padding="same", boundary=boundary)
    b = np.random.default_rng(1).standard_normal((2, *A.output_shape))
    given = REGS[reg](A.parts[0])
    x = tikhonov(A, b, 0.7, reg=given, rtol=1e-9)
    assert x.shape == (2, *shape)
    L = regulariser(given, A)
    for found, data in zip(x, b, strict=True):
        np.testing.assert_allclose(found.ravel(), by_least_squares(A, data, 0.7, L), atol=1e-6)


def test_one_kernel_for_all_channels_is_solved_channel_by_channel() -> None:
    image = RNG.standard_normal((40, 50, 3))
    A = Conv(np.ones((3, 3)) / 9, image.shape, channel_axis=-1, padding="same", boundary="wrap")
    one = Conv(np.ones((3, 3)) / 9, (40, 50), padding="same", boundary="wrap")
    for reg in (None, "gradient", "laplacian"):
        x, how = tikhonov(A, image, 0.1, reg=reg, full_output=True)
        for colour in range(3):
            np.testing.assert_allclose(x[..., colour], tikhonov(one, image[..., colour], 0.1, reg=reg))
        assert how.route == "fft"
        assert how.residual == pytest.approx(np.linalg.norm(A(x) - image))
    damp, seen = choose_damp(A, image, full_output=True)
    together, each = choose_damp(one, np.moveaxis(image, -1, 0), full_output=True)
    assert damp == pytest.approx(together)
    np.testing.assert_allclose(seen.freedom, 3 * each.freedom)
    np.testing.assert_allclose(seen.gcv, each.gcv / 9)


def test_a_start_is_moved_with_the_data() -> None:
    A = Conv(WEIGHTS["mixed"], (30, 31, 3), channel_axis=-1, padding="same")
    x = RNG.standard_normal((30, 31, 3))
    _, how = tikhonov(A, A(x), 1e-9, x0=x, method="cg", rtol=1e-5, full_output=True)
    assert how.iterations == 0


def test_what_joins_the_channels_keeps_them_together() -> None:
    A = Conv(WEIGHTS["shared"], (7, 6, 3), channel_axis=-1, padding="same")
    problem, _ = problem_of(A, np.ones((7, 6, 3)), 1.0, gradient((7, 6, 3)))
    assert core_of(problem, gradient((7, 6, 3))).problem is problem
    assert core_of(problem, "gradient").copies == 3
