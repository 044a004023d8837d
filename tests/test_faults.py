"""The catalogues of `benchmarks.faults` hold what they say, by an oracle that is not `check_adjoint`.

A linear map is its columns. Every fault is one in the way that it says first: another matrix than the
conjugate transpose, or not linear, or not pure, or of another dtype. A correct pair is none of these.
`check_adjoint` has to agree: what is a fault fails by that name, what is correct passes.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import cycle
from math import prod
from typing import Any

import numpy as np
import pytest

from benchmarks.faults import CORRECT, FAULTS, TOOLS
from benchmarks.faults._pair import LIMIT, Apply, Array, Fault, Ints, Operator, Pair
from convops import AdjointReport, check_adjoint

SEEDS = range(2)
TINY = 1e-12


@pytest.fixture(autouse=True)
def _overflow_is_meant() -> Iterator[None]:
    with np.errstate(all="ignore"):
        yield


def eps(pair: Pair) -> float:
    return 0.0 if pair.dtype.kind == "i" else float(np.finfo(pair.dtype).eps)


def gaussian(shape: Ints, dtype: np.dtype, seed: int) -> Array:
    """A new array, which a map may change."""
    return _gaussian(shape, dtype, seed).copy()


@cache
def _gaussian(shape: Ints, dtype: np.dtype, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    x = rng.standard_normal(shape) + (1j * rng.standard_normal(shape) if dtype.kind == "c" else 0)
    return (10 * x if dtype.kind == "i" else x).astype(dtype)


def columns(apply: Apply, shape: Ints, dtype: np.dtype, count: int) -> Array:
    """The first columns of the matrix of a map."""
    size = prod(shape)
    units = np.eye(min(count, size), size, dtype=dtype).reshape(-1, *shape)
    return np.stack([apply(unit).reshape(-1) for unit in units], axis=1)


def mismatch(pair: Pair) -> float:
    """‖B − Aᴴ‖ over ‖A‖; of a very large matrix only its first rows and columns are compared."""
    count = 8 if prod(pair.input_shape) > 5000 else 5000
    A = columns(pair.forward, pair.input_shape, pair.dtype, count)
    B = columns(pair.adjoint, pair.output_shape, pair.dtype, count)
    A, B = A[: B.shape[1]], B[: A.shape[1]]
    return ratio(B - A.conj().T, size(pair.forward, pair.input_shape, pair.dtype))


def size(apply: Apply, shape: Ints, dtype: np.dtype) -> float:
    """The largest ‖Ax‖ of some Gaussian x, for which E‖Ax‖² = ‖A‖²."""
    return max(float(np.linalg.norm(apply(gaussian(shape, dtype, seed)))) for seed in range(3, 9))


def ratio(error: Array, size: float) -> float:
    norm = float(np.linalg.norm(error))
    return norm / size if norm and size else norm and np.inf


def nonlinearity(apply: Apply, shape: Ints, dtype: np.dtype) -> float:
    """The largest ‖A(ax) − aAx‖ over ‖aA‖, for a from tiny to huge, and ‖A(x + y) − Ax − Ay‖ over ‖A‖."""
    x, y = gaussian(shape, dtype, 1), gaussian(shape, dtype, 2)
    ax, ay = np.array(apply(x.copy())), np.array(apply(y.copy()))
    norm = size(apply, shape, dtype)
    scalars = [-3, 2**30] + [2.0**-30] * (dtype.kind != "i") + [1j] * (dtype.kind == "c")
    errors = [ratio(apply(x + y) - ax - ay, norm), ratio(apply(0 * x), 0)]
    errors += [ratio(apply(dtype.type(a) * x) - dtype.type(a) * ax, abs(a) * norm) for a in scalars]
    return float(np.max(np.nan_to_num(errors, nan=np.inf)))


def impure(apply: Apply, shape: Ints, dtype: np.dtype) -> bool:
    """Whether the map changes its input or what it returned, or returns another thing the second time."""
    for x in (gaussian(shape, dtype, 1), np.zeros(shape, dtype)):
        given = x.copy()
        first = apply(given)
        kept = np.array(first)
        apply(gaussian(shape, dtype, 2))
        if not (np.array_equal(given, x) and np.array_equal(first, kept)):
            return True
        first[...] = 7
        if not np.array_equal(apply(x.copy()), kept):
            return True
    return False


def sides(pair: Pair) -> list[tuple[Apply, Ints, np.dtype]]:
    return [
        (pair.forward, pair.input_shape, pair.dtype),
        (pair.adjoint, pair.output_shape, pair.dtype),
    ]


def wrong_dtype(pair: Pair) -> bool:
    return any(
        np.asarray(apply(np.zeros(shape, dtype))).dtype != dtype for apply, shape, dtype in sides(pair)
    )


def linear(pair: Pair) -> bool:
    return all(nonlinearity(*side) <= LIMIT * eps(pair) / 2 for side in sides(pair))


def pure(pair: Pair) -> bool:
    return not any(impure(*side) for side in sides(pair))


def seeded(kind: Operator) -> Iterator[tuple[int, str]]:
    """Yield every dtype with a seed of its own, and at least two seeds."""
    return zip(range(max(len(kind.dtypes), len(SEEDS))), cycle(kind.dtypes), strict=False)


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"{fault.family}: {fault.name}")
def test_every_fault_is_one(fault: Fault) -> None:
    assert fault.dtypes
    for seed, dtype in seeded(fault):
        pair = fault.pair(dtype, seed)
        match fault.expected[0]:
            case "adjoint":
                assert linear(pair), (dtype, seed)
                assert pure(pair), (dtype, seed)
                assert mismatch(pair) >= max(LIMIT * eps(pair), TINY), (dtype, seed)
            case "homogeneity" | "additivity" | "precision":
                assert not linear(pair), (dtype, seed)
            case "purity":
                assert not pure(pair), (dtype, seed)
            case "contract":
                assert wrong_dtype(pair), (dtype, seed)
            case other:
                pytest.fail(f"{other} is no check that names a fault")


@pytest.mark.parametrize("kind", CORRECT, ids=lambda kind: kind.name)
def test_every_correct_operator_is_correct(kind: Operator) -> None:
    for seed, dtype in seeded(kind):
        pair = kind.pair(dtype, seed)
        assert not wrong_dtype(pair), (dtype, seed)
        assert mismatch(pair) <= LIMIT * eps(pair) / 2, (dtype, seed)
        assert linear(pair), (dtype, seed)
        assert pure(pair), (dtype, seed)


def report_of(pair: Pair, seed: int) -> AdjointReport:
    """The report without witnesses, which `check_adjoint` has tests of."""
    arguments = pair.forward, pair.adjoint, pair.input_shape, pair.output_shape, pair.dtype
    return check_adjoint(*arguments, seed=seed, witnesses=0)


def in_turn(kinds: Sequence[Operator]) -> Any:
    """Parametrize by all kinds, each in one dtype: neighbours in the catalogue in different ones."""
    given = [(kind, kind.dtypes[at % len(kind.dtypes)]) for at, kind in enumerate(kinds)]
    return pytest.mark.parametrize(
        ("kind", "dtype"), given, ids=[f"{kind.name}, {dtype}" for kind, dtype in given]
    )


@in_turn(FAULTS)
def test_every_fault_fails_the_check_that_names_it(kind: Fault, dtype: str) -> None:
    name = "exact" if (kind.expected[0], dtype) == ("adjoint", "int64") else kind.expected[0]
    for seed in SEEDS:
        report = report_of(kind.pair(dtype, seed), seed)
        assert name in report.failed, report


@in_turn(CORRECT)
def test_every_correct_operator_passes(kind: Operator, dtype: str) -> None:
    report = report_of(kind.pair(dtype, 0), 0)
    assert report, report


def test_the_catalogues_are_as_large_as_they_say() -> None:
    assert len({fault.name for fault in FAULTS}) == len(FAULTS) >= 50
    assert len({kind.name for kind in CORRECT}) == len(CORRECT) >= 40


@pytest.mark.parametrize("tool", TOOLS)
def test_every_rule_tells_a_sign_from_a_correct_pair(tool: str) -> None:
    sign = next(fault for fault in FAULTS if fault.name == "sign wrong")
    right = next(kind for kind in CORRECT if kind.name == "dense, 60×45")
    for dtype in ("float64", "complex128"):
        assert not TOOLS[tool](sign.pair(dtype, 0), 0)
        assert TOOLS[tool](right.pair(dtype, 0), 0)
