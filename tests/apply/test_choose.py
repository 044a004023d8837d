"""What "auto" stands for, and what it says about it."""

import pickle
import sys
from importlib import import_module
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from convops import Conv, ConvGeometry, ConvTranspose
from convops.apply import (
    METHODS,
    Choice,
    GemmEngine,
    batches_by_gemm,
    choose,
    fft,
    gemm,
    refusal,
    separable,
    with_rank,
    worth_no_thought,
)
from convops.apply.cost import Cost
from convops.operators import map as map_module
from convops.operators.map import ENGINES
from oracles import Array
from registry import CASES, FLOATS, INTEGERS, Case, cases, inputs_for, weights_for
from tilings import geometry_of

# The package has a function of that name, too.
choose_module = import_module("convops.apply.choose")
REAL_METHODS = METHODS[1:]
LINE = np.exp(-(np.linspace(-2, 2, 31) ** 2))
RANDOM = np.random.default_rng(0).standard_normal((63, 63))


def operator(side: int = 40, **more: Any) -> Conv:
    """Return an operator too large for W to be used without thought."""
    return Conv(RANDOM[:9, :9], (side, side), **{"padding": "same", **more})


@pytest.fixture
def little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choose_module, "available_bytes", lambda: 2**16)


def refuse_to_think(*_: object) -> Choice:
    raise AssertionError("it was asked what the methods cost")


def assert_cheapest(choice: Choice) -> None:
    assert set(choice.costs) | set(choice.refusals) == set(REAL_METHODS)
    assert not set(choice.costs) & set(choice.refusals)
    assert "gemm" in choice.costs
    least = min(cost.seconds for cost in choice.costs.values())
    assert choice.costs[choice.method].seconds == least
    assert all(min(cost) >= 0 < cost.seconds for cost in choice.costs.values())
    for reason in choice.refusals.values():
        assert " " in reason


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_choice_is_the_cheapest_of_what_is_not_refused(case: Case) -> None:
    for dtype in (*FLOATS, "int64"):
        for method in ("", "separable"):
            weight = weights_for(case, dtype, method=method)
            assert_cheapest(choose(geometry_of(case), weight))


@given(cases(), st.sampled_from((*FLOATS, *INTEGERS)))
@settings(max_examples=50)
def test_the_choice_is_the_cheapest_on_any_geometry(case: Case, dtype: str) -> None:
    assert_cheapest(choose(geometry_of(case), weights_for(case, dtype)))


@pytest.mark.parametrize("method", REAL_METHODS)
def test_whatever_costs_least_is_chosen(monkeypatch: pytest.MonkeyPatch, method: str) -> None:
    places = {
        "sparse": (choose_module, "sparse_estimate"),
        "gemm": (gemm, "estimate"),
        "fft": (fft, "estimate"),
        "separable": (separable, "estimate"),
    }
    for name, (module, function) in places.items():
        cost = Cost(1.0, 1.0, 1.0 if name == method else 2.0)
        monkeypatch.setattr(module, function, lambda *_, cost=cost: cost)
    A = Conv(np.ones((9, 9)), (40, 40))
    assert choose(A.geometry, A.weight).method == A.method == method
    assert type(A._map.engine) is ENGINES[method]
    assert f'method "{method}": cheapest' in A.explain()


@pytest.mark.parametrize(
    ("weight", "shape", "method"),
    [
        (RANDOM[:3, :3], (300, 300), "gemm"),
        (np.ones((16, 16, 3, 3)), (16, 56, 56), "gemm"),
        (RANDOM, (256, 256), "fft"),
        (np.ones(5000), (100_000,), "fft"),
        (np.outer(LINE, LINE), (512, 512), "separable"),
        (np.ones((3, 3)), (5, 5), "sparse"),
    ],
)
def test_auto_is_what_one_would_take(weight: Array, shape: tuple[int, ...], method: str) -> None:
    A = Conv(weight, shape, padding="same")
    assert A.method == method
    assert A.explain().startswith(f'method "{method}": ')
    if method != "sparse":
        assert choose(A.geometry, A.weight).method == method


def test_an_operator_its_views_and_its_transpose_make_one_choice() -> None:
    A = operator()
    assert A.method == A.T.method == A.H.method == A._map.choice.method
    B = ConvTranspose(RANDOM[:9, :9], (40, 40), padding=4)
    assert B.method == A.method
    assert_cheapest(B._map.choice)


def test_a_method_that_was_asked_for_is_taken_without_thought(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_module, "choose", refuse_to_think)
    monkeypatch.setattr(map_module, "worth_no_thought", refuse_to_think)
    for method in REAL_METHODS:
        A = Conv(np.ones((9, 9)), (40, 40), method=method)
        assert A.method == method
        A(np.ones((40, 40)))


def test_a_product_by_the_choice_is_that_of_the_matrix() -> None:
    for weight in (RANDOM[:3, :3], RANDOM[:15, :15], np.outer(LINE, LINE), np.ones((2, 2, 9, 9), int)):
        shape = (2, 60, 60) if weight.ndim == 4 else (60, 60)
        A, B = (Conv(weight, shape, padding="same", method=method) for method in ("auto", "sparse"))
        x = np.random.default_rng(1).standard_normal(shape)
        np.testing.assert_allclose(A(x), B(x), atol=1e-11)
        np.testing.assert_allclose(A.H(x), B.H(x), atol=1e-11)


@pytest.mark.parametrize("dtype", INTEGERS)
def test_integers_never_get_a_method_that_rounds(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (fft, separable):
        monkeypatch.setattr(module, "estimate", refuse_to_think)
    A = Conv(np.ones((31, 31), dtype), (100, 100), dtype=dtype)
    choice = choose(A.geometry, A.weight)
    for method, what in [("fft", "transforms round"), ("separable", "the factors of a kernel are rounded")]:
        text = f"{what}, and integers are kept exact. Use method='gemm' or 'sparse', or a float dtype."
        assert choice.refusals[method] == text
        with pytest.raises(ValueError, match=f"method='{method}': {text}"):
            Conv(np.ones((31, 31), dtype), (100, 100), dtype=dtype, method=method)
    assert A.method in ("sparse", "gemm")
    product = A(np.ones((100, 100), dtype))
    assert product.dtype == np.int64
    assert (product == 961).all()


def test_integers_with_a_dtype_get_any_method() -> None:
    ones = np.ones((31, 31), int)
    assert choose(ConvGeometry((31, 31), (100, 100)), ones).costs.keys() <= {"sparse", "gemm"}
    A = Conv(ones, (300, 300), dtype="float32")
    assert set(A._map.choice.costs) >= {"gemm", "fft", "separable"}
    assert Conv(ones, (100, 100), dtype="float64", method="fft").method == "fft"


def test_a_kernel_that_is_not_of_rank_1_is_separable_only_when_asked() -> None:
    weight = np.outer(LINE, LINE) + np.outer(LINE**2, LINE + 1)
    A = Conv(weight, (512, 512))
    assert A._map.choice.refusals["separable"] == "the kernel is not of rank 1"
    assert refusal("separable", A.geometry, weight) is None
    assert Conv(weight, (512, 512), method="separable").method == "separable"


@pytest.mark.parametrize("method", ["auto", "separable"])
@pytest.mark.parametrize("rank", [2, 3])
def test_a_sum_of_few_separable_kernels_is_explained_with_its_rank_and_what_that_costs(
    rank: int, method: str
) -> None:
    A = Conv(RANDOM[:31, :rank] @ RANDOM[:rank, :31], (512, 512), method=method)
    cost = separable.estimate(A.geometry, A.dtype, rank)
    (line,) = [line for line in A.explain().splitlines() if line.startswith("  separable: ")]
    assert f"separable: about {cost.seconds * 1e3:.3g} ms on one core, {cost.flops / 1e6:.3g} Mflop" in line
    assert f"the rank found is {rank}, the limit 15." in line
    assert '"auto" takes rank 1 alone' in line


def test_a_kernel_of_too_high_a_rank_is_explained_with_its_rank_and_the_limit() -> None:
    A = Conv(RANDOM[:9, :9], (40, 40))
    assert (
        "  separable: a kernel of shape (9, 9) must be of rank 4 at most; the rank found is 9, which is "
        "9 * 18 taps in place of 81. Use method='gemm' or 'fft'."
    ) in A.explain().splitlines()


def test_no_kernel_is_decomposed_to_choose(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(separable, "_low_rank", refuse_to_think)
    assert operator().method != "separable"


def test_a_weight_that_is_not_finite_is_transformed_by_nothing() -> None:
    geometry, weight = ConvGeometry((9, 9), (40, 40)), np.ones((9, 9))
    weight[3, 4] = np.inf
    choice = choose(geometry, weight)
    assert set(choice.costs) == {"sparse", "gemm"}
    assert choice.refusals["fft"] == (
        "the weight is not finite, and a transform would spread that. Use method='sparse'."
    )
    assert choice.refusals["separable"] == "the weight is not finite. Use method='sparse'."


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_is_refused_is_what_the_registry_says_does_not_suit(case: Case) -> None:
    for dtype in (*FLOATS, "int32"):
        for method in REAL_METHODS:
            weight = weights_for(case, dtype, method=method)
            assert (refusal(method, geometry_of(case), weight) is None) == case.suits(method, dtype)
        assert refusal("auto", geometry_of(case), weight) is None


def test_a_matrix_too_large_for_what_memory_there_is_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    geometry, dtype = ConvGeometry((9, 9), (400, 400)), np.dtype(np.float64)
    nbytes = geometry.nbytes(dtype)
    for available, fits in [(2 * nbytes + 1, True), (2 * nbytes - 2, False), (2**20, False)]:
        monkeypatch.setattr(choose_module, "available_bytes", lambda available=available: available)
        choice = choose(geometry, RANDOM[:9, :9])
        assert ("sparse" in choice.costs) == fits
    assert choice.refusals["sparse"] == (
        'W would take at least 0.6 MiB, and "auto" builds no W of more than 0.5 MiB: half of the free '
        "memory, or 1 GiB if that is less."
    )
    A = operator(400)
    assert A.method != "sparse"
    assert "sparse: W would take" in A.explain()


def test_a_matrix_of_more_than_a_gibibyte_is_refused_however_much_memory_there_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(choose_module, "available_bytes", lambda: 2**50)
    choice = choose(ConvGeometry((31, 31), (1000, 1000)), RANDOM[:31, :31])
    text = 'W would take at least {} GiB, and "auto" builds no W of more than 1.0 GiB'
    assert choice.refusals["sparse"].startswith(text.format(10.1))
    rows = choose(ConvGeometry(1, 2**30), np.ones(1))
    assert rows.refusals["sparse"].startswith(text.format(4.0))


def test_a_border_too_long_to_count_is_refused_at_once() -> None:
    geometry = ConvGeometry(3, 4, padding=2**40, boundary="wrap")
    assert not worth_no_thought(geometry, np.dtype(float))
    reason = choose(geometry, np.ones(3)).refusals["sparse"]
    assert reason == (
        'W has so many rows at its borders that "auto" does not take the time to count its entries.'
    )


@given(cases(), st.sampled_from((*FLOATS, *INTEGERS)))
def test_a_matrix_is_worth_no_thought_up_to_a_mebibyte(case: Case, dtype: str) -> None:
    geometry = geometry_of(case)
    nbytes = geometry.nnz * (np.dtype(dtype).itemsize + 8)
    assert worth_no_thought(geometry, np.dtype(dtype)) == (nbytes <= 2**20)


def test_the_border_of_what_is_worth_a_thought_is_at_a_mebibyte_of_entries() -> None:
    largest = 2**20 // (8 + 8)
    assert worth_no_thought(ConvGeometry(1, largest), np.dtype("float64"))
    assert not worth_no_thought(ConvGeometry(1, largest + 1), np.dtype("float64"))
    assert worth_no_thought(ConvGeometry(1, largest + 1), np.dtype("float32"))
    assert not worth_no_thought(ConvGeometry(1, largest), np.dtype("complex128"))


def test_a_small_matrix_is_used_without_thought(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(map_module, "choose", refuse_to_think)
    for case in CASES[::6]:
        for dtype in ("float64", "int64"):
            A = Conv(weights_for(case, dtype), case.input_shape, **case.kwargs())
            A(inputs_for(case, dtype))
            assert A.method == "sparse"


def test_a_large_matrix_is_thought_of_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(map_module, "choose", lambda *arguments: asked.append(1) or choose(*arguments))
    A = operator()
    assert not asked
    for use in (A, A, A.H, A.T):
        use(np.ones((40, 40)))
        use.explain()
    assert len(asked) == 1


def test_the_explanation_in_full() -> None:
    choice = Choice(
        "gemm",
        {"sparse": Cost(2e6, 3e7, 2.5), "gemm": Cost(4e6, 5e5, 1.25e-3), "fft": Cost(12345e6, 1e3, 7.5e-6)},
        {"separable": "it is not."},
    )
    assert choice.explain("gemm", auto=True).splitlines() == [
        'method "gemm": cheapest by the cost model',
        "  sparse: about 2.5 s on one core, 2 Mflop, 30 MB moved",
        "  gemm: about 1.25 ms on one core, 4 Mflop, 0.5 MB moved",
        "  fft: about 7.5 µs on one core, 1.23e+04 Mflop, 0.001 MB moved",
        "  separable: it is not.",
    ]
    for method, auto, first in [
        ("sparse", True, 'method "sparse": W is too small to think about'),
        ("fft", False, 'method "fft": as asked for'),
        ("gemm", False, 'method "gemm": as asked for'),
    ]:
        said = choice.explain(method, auto).splitlines()
        assert said[0] == first
        assert said[1:] == choice.explain("gemm", auto=True).splitlines()[1:]


@pytest.mark.parametrize("case", CASES[::4], ids=str)
def test_every_method_is_named_with_its_cost_or_why_not(case: Case) -> None:
    for dtype in ("float64", "int64"):
        for method in ("auto", "gemm"):
            A = Conv(weights_for(case, dtype), case.input_shape, **case.kwargs(), method=method)
            head, *body = A.explain().splitlines()
            batches = body.pop() if body[-1].startswith("batches") else None
            assert (batches is None) == (A._map.batches_by_gemm == sys.maxsize)
            assert head.startswith(f'method "{A.method}": ')
            assert head.endswith("as asked for") == (method != "auto")
            assert [line.split(":")[0] for line in body] == [f"  {name}" for name in REAL_METHODS]
            choice = with_rank(A._map.choice, A.geometry, A._map.correlated)
            for name, line in zip(REAL_METHODS, body, strict=True):
                costs = f"  {name}: about "
                assert line.startswith(
                    costs if name in choice.costs else f"  {name}: {choice.refusals[name]}"
                )


@pytest.mark.parametrize("weight", [RANDOM[:9, :9], RANDOM[:3, :3].astype("complex64"), np.ones((9, 9), int)])
def test_an_unpickled_operator_keeps_the_choice_and_does_not_think_again(
    weight: Array, monkeypatch: pytest.MonkeyPatch
) -> None:
    A = Conv(weight, (200, 200), padding="same")
    x = inputs_for(Case("pickled", weight.shape, (200, 200)), weight.dtype)
    expected, pickled = A(x), pickle.dumps(A)
    with monkeypatch.context() as patch:
        patch.setattr(map_module, "choose", refuse_to_think)
        again = pickle.loads(pickled)
        assert again.method == A.method
        np.testing.assert_array_equal(again(x), expected)
        assert again.H.method == A.method
    assert again.explain() == A.explain()


@pytest.mark.parametrize("dtype", FLOATS)
def test_a_batch_goes_by_gemm_from_where_columns_cost_more(
    dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = Case("batch", (3, 3), (64, 64), padding="same", boundary="wrap")
    A = Conv(weights_for(case, dtype), case.input_shape, **case.kwargs())
    least = batches_by_gemm(A.geometry, A.dtype)
    assert A.method == "sparse"
    assert 2 <= least < 16
    assert A.explain().splitlines()[-1] == f'batches of {least} arrays or more: "gemm"'
    x = np.stack([inputs_for(case, dtype, seed) for seed in range(least)])
    seen: list[int] = []
    forward = GemmEngine.forward
    monkeypatch.setattr(
        GemmEngine, "forward", lambda engine, block: seen.append(len(block)) or forward(engine, block)
    )
    y = A(x)
    assert seen == [least]
    A(x[1:])
    A(x[0])
    assert seen == [least]
    scale = np.finfo(dtype).eps * 100
    np.testing.assert_allclose(
        y.reshape(least, -1).T, A.tosparse() @ x.reshape(least, -1).T, rtol=0, atol=scale
    )


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_columns_that_are_laid_out_go_by_the_matrix(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case("columns", (3, 3), (64, 64), padding="same")
    A = Conv(weights_for(case, dtype), case.input_shape, padding="same")
    X = np.stack([inputs_for(case, dtype, seed).ravel() for seed in range(20)], axis=1)
    monkeypatch.delattr(GemmEngine, "forward")
    np.testing.assert_array_equal(A @ X, A.tosparse() @ X)


def test_a_method_by_name_and_integers_know_no_other_way_for_batches() -> None:
    case = Case("batch", (3, 3), (64, 64), padding="same")
    for dtype, method in [("float64", "sparse"), ("int64", "auto")]:
        A = Conv(weights_for(case, dtype), case.input_shape, padding="same", method=method)
        assert A._map.batches_by_gemm == sys.maxsize
        assert "batches" not in A.explain()


@pytest.mark.usefixtures("little_memory")
def test_the_choice_of_an_operator_is_kept_where_there_is_less_memory() -> None:
    small = Conv(np.ones((3, 3)), (5, 5))
    assert small.method == "sparse"
    assert operator().method != "sparse"
    again = pickle.loads(pickle.dumps(operator(method="sparse")))
    assert again.method == "sparse"
    assert again.explain().startswith('method "sparse": as asked for')
