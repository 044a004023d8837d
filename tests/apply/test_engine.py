"""The laws of the seam: whatever engine applies it, the map is W of the loops."""

import pickle
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convops import Conv
from convops.apply import METHODS as NAMES
from convops.apply import Engine
from convops.operators import map as map_module
from convops.operators.map import ENGINES
from oracles import Array, assert_within_rounding
from registry import (
    CASES,
    FLOATS,
    METHODS,
    Case,
    cases,
    inputs_for,
    magnitude_of,
    matrix_of,
    outputs_for,
    reach_of,
    weights_for,
)
from tilings import geometry_of

EXACT = ("sparse", "gemm")
ROUNDING = ("fft", "separable")
PAIRS = [(method, case) for method in METHODS for case in CASES if case.suits(method)]
SOME = PAIRS[::7]
every_engine = pytest.mark.parametrize(("method", "case"), PAIRS, ids=str)
some_engines = pytest.mark.parametrize(("method", "case"), SOME, ids=str)
# Of the weight and of the block.
MIXED = [("float32", "float64"), ("float64", "float32"), ("float32", "complex64"), ("complex64", "float64")]


class Truth:
    """W of the loops and its adjoint, and what bounds the rounding of a product with either."""

    def __init__(self, case: Case, weight: Array, method: str) -> None:
        W, (magnitude, self._terms) = matrix_of(case, weight), magnitude_of(case, weight)
        self._matrices = {"forward": (W, magnitude), "adjoint": (W.conj().T, magnitude.T)}
        self._method, self._size = method, np.linalg.norm(weight)

    def check(self, side: str, result: Array, block: Array) -> None:
        """Compare every item of a result with W x, or Wᴴ x, of that item of the block."""
        matrix, magnitude = self._matrices[side]
        assert len(result) == len(block)
        for y, x in zip(result, block, strict=True):
            reach = reach_of(self._method, magnitude @ abs(x.ravel()))
            if self._method == "fft":  # a transform also mixes in what W does not read
                reach += self._size * np.linalg.norm(x)
            assert_within_rounding(y.ravel(), matrix @ x.ravel(), reach, self._terms)


def engine_of(case: Case, weight: Array, method: str) -> Engine:
    axes = tuple(range(-len(case.kernel), 0))
    return ENGINES[method](geometry_of(case), np.flip(weight, axes) if case.flip else weight)


def conv_of(case: Case, weight: Array, method: str) -> Conv:
    return Conv(weight, case.input_shape, **case.kwargs(), method=method)


def sides(case: Case, engine: Engine, dtype: Any, items: int = 2) -> list[tuple[str, Any, Array, Any]]:
    """Return name, function, block and the shape of an item of the result, for W and for Wᴴ."""
    x, y = (
        np.stack([make(case, dtype, seed) for seed in range(items)]) for make in (inputs_for, outputs_for)
    )
    if not case.has_channels:
        x, y = x[:, None], y[:, None]
    return [
        ("forward", engine.forward, x, y.shape[1:]),
        ("adjoint", engine.adjoint, y, x.shape[1:]),
    ]


def whole_numbers(case: Case, method: str, make: Callable[..., Array], seed: int = 0) -> Array:
    """Return integers as float64, whose products are exact in any order."""
    more = {"method": method} if make is weights_for else {}
    return make(case, "int64", seed, **more).astype(float)


@cache
def known(case: Case, dtype: str, method: str) -> tuple[Array, Truth]:
    weight = weights_for(case, dtype, method=method)
    weight.flags.writeable = False
    return weight, Truth(case, weight, method)


def test_the_table_of_engines_is_what_a_method_may_be() -> None:
    assert tuple(ENGINES) == METHODS == NAMES[1:]
    taken = [method for method, _ in PAIRS]
    assert taken.count("sparse") == taken.count("gemm") == taken.count("fft") == len(CASES)
    assert taken.count("separable") > 15


@every_engine
def test_every_engine_is_the_matrix_on_every_geometry_in_every_precision(method: str, case: Case) -> None:
    for dtype in FLOATS:
        weight, truth = known(case, dtype, method)
        for side, apply, block, shape in sides(case, engine_of(case, weight, method), dtype):
            result = apply(block)
            assert result.dtype == dtype
            assert result.shape == (len(block), *shape)
            truth.check(side, result, block)


@pytest.mark.parametrize("method", ["sparse", "gemm", "fft"])
@pytest.mark.parametrize(
    "case",
    [
        Case("one output of two taps", (2,), (1,), stride=2, padding=((2, 0),)),
        Case("two outputs", (2,), (1,), stride=2, padding=((4, 0),)),
        Case("one output of three taps", (3,), (2,), stride=4, padding=((3, 0),)),
        Case("taps on both sides of the input", (1, 2), (1, 2), padding=1, dilation=3),
    ],
    ids=str,
)
def test_outputs_that_read_the_padding_alone_are_zero(method: str, case: Case) -> None:
    weight, truth = known(case, "float64", method)
    for side, apply, block, _ in sides(case, engine_of(case, weight, method), "float64"):
        truth.check(side, apply(block), block)


@given(cases(max_size=6000), st.sampled_from(FLOATS), st.integers(0, 99), st.integers(1, 4))
@settings(max_examples=80)
def test_every_engine_is_the_matrix_on_any_geometry(case: Case, dtype: str, seed: int, items: int) -> None:
    for method in METHODS:
        if case.suits(method, dtype):
            weight = weights_for(case, dtype, seed, method)
            truth = Truth(case, weight, method)
            for side, apply, block, _ in sides(case, engine_of(case, weight, method), dtype, items):
                truth.check(side, apply(block), block)


@some_engines
@pytest.mark.parametrize("items", [1, 3, 17])
def test_a_batch_in_one_piece_is_its_items_one_by_one(method: str, case: Case, items: int) -> None:
    weight = whole_numbers(case, method, weights_for)
    truth, engine = Truth(case, weight, method), engine_of(case, weight, method)
    for side, apply, block, _ in sides(case, engine, "int64", items):
        block = block.astype(float)
        result = apply(block)
        one_by_one = np.concatenate([apply(item[None]) for item in block])
        if method in EXACT:
            np.testing.assert_array_equal(result, one_by_one)
        truth.check(side, result, block)
        truth.check(side, one_by_one, block)


@some_engines
def test_an_operand_is_read_alone_and_a_result_is_new_memory(method: str, case: Case) -> None:
    for dtype in ("float64", "complex64"):
        weight = weights_for(case, dtype, method=method)
        kept = weight.copy()
        for _, apply, block, _ in sides(case, engine_of(case, weight, method), dtype):
            before = block.copy()
            block.flags.writeable = False
            first = apply(block)
            expected = first.copy()
            assert first.flags.writeable
            for other in (block, weight, apply(block)):
                assert not np.shares_memory(first, other)
            first[...] = 99  # changes nothing of the engine's
            np.testing.assert_array_equal(apply(block), expected)
            np.testing.assert_array_equal(block, before)
        np.testing.assert_array_equal(weight, kept)


@some_engines
def test_the_layout_of_a_block_does_not_matter(method: str, case: Case) -> None:
    weight, truth = known(case, "complex128", method)
    for side, apply, block, _ in sides(case, engine_of(case, weight, method), "complex128", 3):
        for laid_out in (np.asfortranarray(block), np.flip(np.flip(block).copy()), block[::2], block.real):
            truth.check(side, apply(laid_out), laid_out)


@some_engines
def test_weight_and_block_of_two_dtypes_give_that_of_numpy(method: str, case: Case) -> None:
    for own, other in MIXED:
        weight, truth = known(case, own, method)
        engine = engine_of(case, weight, method)
        for side, apply, block, _ in sides(case, engine, other):
            result = apply(block)
            assert result.dtype == np.result_type(own, other)
            if np.finfo(own).bits == 32 and method in ("sparse", "separable"):
                result = result.astype("complex64")  # what is made of the weight is rounded to it
            truth.check(side, result, block)


@pytest.mark.parametrize("method", METHODS)
def test_an_engine_may_run_in_several_threads_from_its_first_use(method: str) -> None:
    case = next(case for case in CASES if case.name == "2d depthwise")
    weight, truth = known(case, "float64", method)
    for side in ("forward", "adjoint"):
        for _ in range(5):
            engine = engine_of(case, weight, method)
            _, apply, block, _ = next(item for item in sides(case, engine, "float64", 16) if item[0] == side)
            with ThreadPoolExecutor(8) as pool:
                truth.check(side, np.concatenate(list(pool.map(apply, block[:, None]))), block)


@pytest.mark.parametrize("method", EXACT)
@given(case=cases(), seed=st.integers(0, 99))
@settings(max_examples=50)
def test_the_adjoint_of_integers_holds_bit_for_bit_on_any_geometry(
    method: str, case: Case, seed: int
) -> None:
    assert_adjoint_in_integers(method, case, seed)


@pytest.mark.parametrize("method", EXACT)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_adjoint_of_integers_holds_bit_for_bit(method: str, case: Case) -> None:
    assert_adjoint_in_integers(method, case, 0)
    reach = int(5 * max(conv_of(case, weights_for(case, "int64"), method)._map.gains))
    # Beyond the integers of float64, within those of int64.
    assert_adjoint_in_integers(method, case, 0, scale=2 ** ((60 - reach.bit_length()) // 2))


def assert_adjoint_in_integers(method: str, case: Case, seed: int, scale: int = 1) -> None:
    """<W x, y> and <x, Wᵀ y> are the same integer, in Python's integers, which have no end."""
    weight, x, y = (make(case, "int64", seed) * scale for make in (weights_for, inputs_for, outputs_for))
    weight, x, y = weight + 1, x + 1, y - 1  # odd where scaled: no trailing zeros hide a rounding
    A = conv_of(case, weight, method)
    there, back = A @ x.ravel(), A.H @ y.ravel()
    assert there.dtype == back.dtype == np.int64
    assert inner(there, y) == inner(x, back)


def inner(left: Array, right: Array) -> int:
    return sum(a * b for a, b in zip(left.ravel().tolist(), right.ravel().tolist(), strict=True))


@pytest.mark.parametrize(("method", "case"), [pair for pair in PAIRS if pair[0] in ROUNDING], ids=str)
def test_an_operator_and_its_three_views_are_the_matrix_also_where_the_method_rounds(
    method: str, case: Case
) -> None:
    """As test_conv says of the methods that do not."""
    weight, truth = known(case, "complex128", method)
    A = conv_of(case, weight, method)
    assert A.method == method
    x, y = inputs_for(case, "complex128"), outputs_for(case, "complex128")
    for side, result, operand in [
        ("forward", A @ x.ravel(), x),
        ("adjoint", A.H @ y.ravel(), y),
        ("adjoint", (A.T @ y.ravel().conj()).conj(), y),
        ("forward", (A.T.H @ x.ravel().conj()).conj(), x),
        ("forward", A(x), x),
        ("adjoint", A.H(y), y),
        ("adjoint", A.rmatvec(y.ravel()), y),
    ]:
        truth.check(side, result[None], operand[None])


@some_engines
@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_single_precision_is_kept_by_every_method(method: str, case: Case, dtype: str) -> None:
    A = conv_of(case, weights_for(case, dtype, method=method), method)
    x, y = inputs_for(case, dtype), outputs_for(case, dtype)
    for result in (A(x), A @ x.ravel(), A.matmat(np.stack([x.ravel()] * 2, axis=1)), A.H(y), A.T(y)):
        assert result.dtype == dtype


class Spy:
    """An engine that counts what it is asked."""

    calls: list[tuple[str, tuple[int, ...]]]

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def forward(self, x: Array) -> Array:
        self.calls.append(("forward", x.shape))
        return self._engine.forward(x)

    def adjoint(self, y: Array) -> Array:
        self.calls.append(("adjoint", y.shape))
        return self._engine.adjoint(y)

    def sound(self, result: Array, transposed: bool) -> bool:
        return self._engine.sound(result, transposed)


@pytest.mark.parametrize("dtype", ["float32", "complex128"])
@pytest.mark.parametrize("method", METHODS)
def test_columns_go_through_the_engine_in_one_call(
    monkeypatch: pytest.MonkeyPatch, method: str, dtype: str
) -> None:
    case = next(case for case in CASES if case.name == "2d depthwise")
    weight, truth = known(case, dtype, method)
    plain = ENGINES[method]
    monkeypatch.setitem(map_module.ENGINES, method, lambda *arguments: Spy(plain(*arguments)))
    A = conv_of(case, weight, method)
    x, y = (np.stack([make(case, dtype, seed) for seed in range(5)]) for make in (inputs_for, outputs_for))
    into, out_of = (5, *case.input_shape), (5, *case.output_shape)
    rows, columns = (a.reshape(5, -1) for a in (y, x))
    for use, expected, side, operand in [
        (lambda: A.matmat(columns.T).T, ("forward", into), "forward", x),
        (lambda: (A @ columns.T).T, ("forward", into), "forward", x),
        (lambda: A(x), ("forward", into), "forward", x),
        (lambda: A.matvec(columns), ("forward", into), "forward", x),
        (lambda: A.H.rmatmat(columns.T).T, ("forward", into), "forward", x),
        (lambda: A.rmatmat(rows.T).T, ("adjoint", out_of), "adjoint", y),
        (lambda: (A.H @ rows.T).T, ("adjoint", out_of), "adjoint", y),
        (lambda: A.H(y), ("adjoint", out_of), "adjoint", y),
    ]:
        Spy.calls = []
        result = use()
        assert Spy.calls == [expected]
        truth.check(side, result, operand)


@pytest.mark.parametrize("method", METHODS)
def test_a_pickled_operator_applies_the_same_method(method: str) -> None:
    case = next(case for case in CASES if case.name == "2d depthwise")
    weight, truth = known(case, "float64", method)
    A = conv_of(case, weight, method)
    x = inputs_for(case)
    A(x)
    again = pickle.loads(pickle.dumps(A))
    assert again.method == method
    truth.check("forward", again(x)[None], x[None])
    assert len(pickle.dumps(A)) == len(pickle.dumps(conv_of(case, weight, method)))


@some_engines
def test_what_is_not_finite_stays_where_the_matrix_puts_it(method: str, case: Case) -> None:
    weight = weights_for(case, method=method)
    A, W = conv_of(case, weight, method), conv_of(case, weight, "sparse").tosparse()
    for product, matrix, operand in ((A.matvec, W, inputs_for(case)), (A.rmatvec, W.T, outputs_for(case))):
        for bad in (np.nan, np.inf):
            x = operand.ravel().copy()
            x[len(x) // 2] = bad
            with np.errstate(invalid="ignore"):
                expected = matrix @ x
            np.testing.assert_array_equal(np.isfinite(product(x)), np.isfinite(expected))
