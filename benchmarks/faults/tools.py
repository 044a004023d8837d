"""Decision rules: convops' check, and those of other packages, restated with their probes and tolerances.

Each rule takes a pair and a seed and says whether the pair passes. Probes of integers are the integer parts
of Gaussian values, which is what PyLops makes of them.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks.faults._pair import Array, Ints, Pair
from convops import check_adjoint

Rule = Callable[[Pair, int], bool]


def convops(pair: Pair, seed: int) -> bool:
    return bool(
        check_adjoint(
            pair.forward,
            pair.adjoint,
            pair.input_shape,
            pair.output_shape,
            pair.dtype,
            seed=seed,
            witnesses=0,
        )
    )


def pylops(pair: Pair, seed: int) -> bool:
    """pylops.utils.dottest, 2.8.0: both products by numpy.isclose, rtol=1e-6, atol=1e-21; complexflag=3."""
    u, v, forward, adjoint = applied(pair, seed)
    return bool(np.isclose(np.vdot(u, adjoint), np.vdot(forward, v), 1e-6, 1e-21))


def scico(pair: Pair, seed: int) -> bool:
    """scico.linop.valid_adjoint, 0.0.7: the difference over the larger of the two, below eps=1e-7."""
    x, y, forward, adjoint = applied(pair, seed)
    left, right = np.vdot(y, forward), np.vdot(adjoint, x)
    return bool(abs(left - right) / max(abs(left), abs(right)) < 1e-7)


def deepinv(pair: Pair, seed: int) -> bool:
    """deepinv.physics.LinearPhysics.adjointness_test, 0.5.0: the difference over one of the two, one sample.

    Below 1e-5, as its example "Creating your own forward operator" has it.
    """
    u, v, forward, adjoint = applied(pair, seed)
    left, right = np.vdot(v, forward), np.vdot(u, adjoint)
    return bool(abs(np.conj(left) - right) / abs(left) < 1e-5)


def sigpy(pair: Pair, seed: int) -> bool:
    """check_linop_linear and check_linop_adjoint of sigpy's tests/test_linop.py: atol=1e-5, rtol=1e-5.

    The tests there call both for nearly every operator.
    """
    rng = np.random.default_rng(seed)
    a = gaussian(rng, (1,), pair.dtype)
    x, y = (gaussian(rng, pair.input_shape, pair.dtype) for _ in range(2))
    linear = np.allclose(
        pair.forward(a * x + y), a * pair.forward(x) + pair.forward(y), rtol=1e-5, atol=1e-5, equal_nan=True
    )
    x, y, forward, adjoint = applied(pair, seed)
    left, right = np.vdot(forward, y), np.vdot(x, adjoint)
    return linear and bool(np.isclose(left, right, rtol=1e-5, atol=1e-5, equal_nan=True))


def odl(pair: Pair, seed: int) -> bool:
    """odl.diagnostics.OperatorTest.run_tests, 1.0.0: linearity and adjoint over ‖A‖ ‖x‖ ‖y‖, tol=1e-5.

    ‖A‖ is estimated by a step of the power method, and the examples of a space are the same in every run: a
    ramp, Gaussian and uniform noise. A(0) is printed there, and fails nothing.
    """
    rng = np.random.default_rng(1337)
    xs, ys = odl_examples(rng, pair.input_shape, pair.dtype), odl_examples(rng, pair.output_shape, pair.dtype)
    images, adjoints = [pair.forward(x) for x in xs], [pair.adjoint(y) for y in ys]
    norm = max(np.sqrt(size(pair.adjoint(pair.forward(x / size(x)))) if size(x) else 0) for x in xs)
    scalars = (-1, 0.5, 2j, 0.01, 1 + 1j, 1j) if pair.dtype.kind == "c" else (-1, 0.5, 0.01)
    errors = [
        (size(pair.forward(scalar(c, x) * x) - scalar(c, x) * ax), norm * abs(c) * size(x))
        for x, ax in zip(xs, images, strict=True)
        for c in scalars
    ]
    for x, ax in zip(xs, images, strict=True):
        errors += [
            (size(pair.forward(x + other) - ax - image), norm * (size(x) + size(other)))
            for other, image in zip(xs, images, strict=True)
        ]
        errors += [
            (abs(np.vdot(y, ax) - np.vdot(by, x)), norm * size(x) * size(y))
            for y, by in zip(ys, adjoints, strict=True)
        ]
    return not any(bound and error / bound > 1e-5 for error, bound in errors)


TOOLS: dict[str, Rule] = {
    "convops": convops,
    "PyLops": pylops,
    "SCICO": scico,
    "deepinv": deepinv,
    "SigPy": sigpy,
    "ODL": odl,
}


def passes(rule: Rule, pair: Pair, seed: int) -> bool:
    """Return whether a pair passes; one that a rule refuses, as for the dtype of its results, does not."""
    try:
        return rule(pair, seed)
    except (TypeError, ValueError):
        return False


def applied(pair: Pair, seed: int) -> tuple[Array, Array, Array, Array]:
    """Return Gaussian x and y, A x and Aᴴ y, in this order."""
    rng = np.random.default_rng(seed)
    x, y = (gaussian(rng, shape, pair.dtype) for shape in (pair.input_shape, pair.output_shape))
    return x, y, pair.forward(x), pair.adjoint(y)


def gaussian(rng: np.random.Generator, shape: Ints, dtype: np.dtype[Any]) -> Array:
    x = rng.standard_normal(shape)
    return (x + 1j * rng.standard_normal(shape) if dtype.kind == "c" else x).astype(dtype)


def odl_examples(rng: np.random.Generator, shape: Ints, dtype: np.dtype[Any]) -> list[Array]:
    """Return the examples of a space; of a complex one, only the last has imaginary parts."""
    uniform = rng.uniform(size=shape) + (1j * rng.uniform(size=shape) if dtype.kind == "c" else 0)
    ramp = np.linspace(0, 1, int(np.prod(shape))).reshape(shape)
    return [example.astype(dtype) for example in (ramp, rng.standard_normal(shape), uniform)]


def scalar(value: complex, x: Array) -> Any:
    return x.dtype.type(value)


def size(x: Array) -> float:
    return float(np.linalg.norm(x))
