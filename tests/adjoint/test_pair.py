"""Every way to give two maps, and what is noticed of what they do."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from adjoint.pairs import plain_pair, samples_of
from convops import Conv
from convops.adjoint.pair import BrokenContract, Pair, Side, Tally, aligned_copy, forward_pair, pair_of

W = np.arange(1.0, 13).reshape(3, 4)


class Duck:
    """An operator with nothing but what the check asks for."""

    shape = (3, 4)
    dtype = np.float32

    def __init__(self, **attributes: Any) -> None:
        self.__dict__.update(attributes)

    def matvec(self, x: np.ndarray) -> np.ndarray:
        return W @ x

    def rmatvec(self, y: np.ndarray) -> np.ndarray:
        return W.T @ y


def side(
    function: Callable[[Any], Any], before: tuple[int, ...] = (4,), after: tuple[int, ...] = (4,)
) -> Side:
    return Side("map", function, before, after, Tally())


def gives_w(pair: Pair) -> None:
    for k in range(4):
        np.testing.assert_array_equal(pair.forward(np.eye(4)[k]), W[:, k])
    for k in range(3):
        np.testing.assert_array_equal(pair.adjoint(np.eye(3)[k]), W[k])
    assert (pair.rows, pair.columns, pair.applications) == (3, 4, 7)


def test_a_linear_operator_of_scipy() -> None:
    pair = plain_pair(aslinearoperator(W))
    gives_w(pair)
    assert (pair.input_dtype, pair.output_dtype, pair.exact) == (np.float64, np.float64, False)
    assert (pair.input_shape, pair.output_shape) == ((4,), (3,))
    assert (pair.forward.label, pair.adjoint.label) == ("matvec", "rmatvec")
    assert pair.name == "<3x4 MatrixLinearOperator with dtype=float64>"


def test_an_operator_of_ours_tells_the_shapes_of_its_arrays_and_its_gain() -> None:
    pair = plain_pair(Conv(np.ones((2, 2)), (3, 4)))
    assert (pair.input_shape, pair.output_shape) == ((3, 4), (2, 3))
    assert pair.gain == pytest.approx(4, rel=1e-8)
    assert pair.gain >= 4


def test_a_class_that_looks_like_an_operator_is_one() -> None:
    pair = plain_pair(Duck())
    gives_w(pair)
    assert (pair.output_dtype, pair.gain) == (np.float32, 0)
    assert plain_pair(Duck(dtype=None)).input_dtype == np.float64
    assert plain_pair(SimpleNamespace(shape=(3, 4), matvec=abs, rmatvec=abs)).input_dtype == np.float64
    assert plain_pair(Duck(), dtype="complex64").output_dtype == np.complex64
    assert plain_pair(Duck(_convops_gain=float("inf"))).gain == 0


@pytest.mark.parametrize(
    ("before", "after"), [("dims", "dimsd"), ("ishape", "oshape"), ("input_shape", "output_shape")]
)
def test_the_shapes_of_arrays_are_read_from_operators_of_other_packages(before: str, after: str) -> None:
    for kind in (tuple, list):
        pair = plain_pair(Duck(**{before: kind((2, 2)), after: kind((3, 1))}))
        assert (pair.input_shape, pair.output_shape) == ((2, 2), (3, 1))
    gives_w(pair)
    # Shapes of something else, and one without the other, are left alone.
    for attributes in ({before: (2, 2), after: (5, 1)}, {before: (2, 2)}, {before: 4, after: 3}):
        assert plain_pair(Duck(**attributes)).input_shape == (4,)


def test_given_shapes_come_before_those_the_operator_tells() -> None:
    pair = plain_pair(Duck(dims=(2, 2), dimsd=(3, 1)), input_shape=(1, 4), output_shape=3)
    assert (pair.input_shape, pair.output_shape) == ((1, 4), (3,))


def test_functions_are_given_arrays_of_their_shapes() -> None:
    def forward(x: np.ndarray) -> np.ndarray:
        assert x.shape == (2, 2)
        return (W @ x.reshape(-1))[:, None]

    def adjoint(y: np.ndarray) -> np.ndarray:
        assert y.shape == (3, 1)
        return (W.T @ y.reshape(-1)).reshape(2, 2)

    pair = plain_pair(forward, adjoint, (2, 2), (3, 1))
    gives_w(pair)
    assert pair.op is None
    assert pair.input_dtype == np.float64
    assert (pair.forward.label, pair.adjoint.label) == ("forward", "adjoint")
    assert pair.name.endswith("forward and " + adjoint.__qualname__)


def test_functions_without_a_name_go_by_their_type() -> None:
    assert plain_pair(np.diff, SimpleNamespace(__call__=abs).__call__, 2, 2).name == "diff and abs"

    class Map:
        def __call__(self, x: np.ndarray) -> np.ndarray:
            return x

    assert plain_pair(Map(), Map(), 2, 2).name == "Map and Map"


def test_of_two_operators_both_forward_products_are_taken() -> None:
    wrong = aslinearoperator(W * 2)
    pair = plain_pair(LinearOperator((3, 4), dtype=float, matvec=lambda x: W @ x, rmatvec=abs), wrong.H)
    np.testing.assert_array_equal(pair.forward(np.ones(4)), W.sum(axis=1))
    np.testing.assert_array_equal(pair.adjoint(np.ones(3)), 2 * W.sum(axis=0))
    assert pair.op is None
    assert pair.applications == 2
    assert (pair.forward.label, pair.adjoint.label) == ("op.matvec", "adjoint.matvec")
    # The adjoint of an operator needs no product with its own adjoint.
    gives_w(plain_pair(Duck(), SimpleNamespace(shape=(4, 3), matvec=lambda y: W.T @ y)))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((W,), TypeError, r"op=array.*: an operator has matvec, rmatvec, this has not\. Wrap it with scipy"),
        ((abs,), TypeError, r"an operator has shape, matvec, rmatvec, .* Give both functions"),
        ((Duck(shape=(3, 4, 5)),), ValueError, r"op.shape=\(3, 4, 5\): an operator has two sizes"),
        ((Duck(), aslinearoperator(W)), ValueError, r"adjoint.shape=\(3, 4\): .* has shape \(4, 3\)"),
        ((abs, 3, 4, 4), TypeError, r"adjoint=3: forward and adjoint must both be functions .* got int"),
        ((abs, abs, 4), TypeError, r"output_shape is missing: .* Give both"),
        ((abs, abs, None, 4), TypeError, r"input_shape is missing"),
        ((Duck(), None, (2, 3)), ValueError, r"input_shape=\(2, 3\): it has 6 entries, and .* takes 4"),
        ((Duck(), None, None, 4), ValueError, r"output_shape=4: it has 4 entries, and .* returns 3"),
        ((abs, abs, 4, 4, "float16"), TypeError, r"dtype='float16': operators work in"),
        ((Duck(dtype=object),), TypeError, r"op.dtype=.*object.*: operators work in"),
    ],
)
def test_what_is_no_pair_is_refused_with_the_rule_and_the_fix(
    arguments: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        pair_of(*arguments, *[None] * (5 - len(arguments)))


@pytest.mark.parametrize("dtype", ["int8", "uint32", "int64"])
def test_integer_maps_are_exact_and_given_int64(dtype: str) -> None:
    assert plain_pair(Duck(dtype=np.dtype(dtype))).exact
    half = samples_of(Duck(dtype=np.dtype(dtype))).forward
    assert {half.zeros().dtype, half.probes[0].dtype, half.unit(0).dtype} == {np.dtype(np.int64)}


def test_products_of_both_maps_are_counted_together() -> None:
    pair = plain_pair(Duck())
    assert pair.applications == 0
    pair.forward(np.ones(4))
    pair.adjoint(np.ones(3))
    pair.forward.like("another", lambda x: W @ x)(np.ones(4))
    assert pair.applications == 3


@pytest.mark.parametrize("dtype", ["float32", "complex128", "int64", "uint8"])
@pytest.mark.parametrize("shape", [(1,), (17,), (3, 5), (2, 1, 7)])
def test_copies_begin_at_a_round_address(shape: tuple[int, ...], dtype: str) -> None:
    kept = []
    for _ in range(20):
        x = np.arange(np.prod(shape)).reshape(shape).astype(dtype)
        copy = aligned_copy(x)
        kept.append(copy)
        assert copy.ctypes.data % 64 == 0
        assert copy.flags.c_contiguous
        assert not np.shares_memory(copy, x)
        np.testing.assert_array_equal(copy, x, strict=True)
    np.testing.assert_array_equal(aligned_copy(x[..., ::-1]), x[..., ::-1], strict=True)


def test_every_call_is_given_a_copy_at_a_round_address() -> None:
    given = []
    map_ = side(lambda x: given.append(x) or x)
    x = np.arange(5.0)[1:]
    for _ in range(20):
        map_(x)
    assert all(one.ctypes.data % 64 == 0 and not np.shares_memory(one, x) for one in given)


def test_writing_to_the_argument_is_noticed_and_harms_nobody() -> None:
    def writes(x: np.ndarray) -> np.ndarray:
        x[1] += 1
        return x

    x = np.arange(4.0)
    map_ = side(writes)
    np.testing.assert_array_equal(map_(x), [0, 2, 2, 3])
    assert map_.mutated
    assert not map_.overwritten
    np.testing.assert_array_equal(x, np.arange(4))


def test_a_map_that_returns_its_argument_writes_nothing() -> None:
    map_ = side(lambda x: x)
    for value in range(3):
        map_(np.full(4, float(value)))
    assert not map_.mutated
    assert not map_.overwritten


@pytest.mark.parametrize(
    "view",
    [lambda a: a, lambda a: a[::-1], lambda a: a.T, lambda a: a[:, ::-1].T],
    ids=["asis", "rows", "T", "both"],
)
def test_a_buffer_that_is_handed_out_twice_is_noticed(view: Callable[[np.ndarray], np.ndarray]) -> None:
    buffer = np.zeros((4, 4))

    def reuses(x: np.ndarray) -> np.ndarray:
        view(buffer)[...] = x
        return view(buffer)

    map_ = side(reuses, (4, 4), (4, 4))
    first = map_(np.ones(16))
    assert not map_.overwritten
    map_(np.ones(16))
    assert not map_.overwritten
    map_(np.arange(16.0))
    assert map_.overwritten
    np.testing.assert_array_equal(first, 1)


def test_nan_that_stays_is_no_change() -> None:
    map_ = side(lambda x: x * np.nan)
    map_(np.ones(4))
    map_(np.ones(4))
    assert not map_.overwritten


def test_dtypes_are_kept_once_each_as_they_were_returned() -> None:
    returned = iter([np.float16, np.complex64, np.float16, bool, int])
    map_ = side(lambda x: x.astype(next(returned)))
    images = [map_(np.ones(4)) for _ in range(5)]
    assert map_.dtypes == [np.float16, np.complex64, bool, int]
    assert [image.dtype for image in images] == ["float32", "complex64", "float32", "int8", "int64"]


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (np.zeros(5), r"map returned shape \(5,\) for x of shape \(2, 2\): it must be \(4, 1\)"),
        (np.zeros((1, 4)), r"returned shape \(1, 4\) .* must be \(4, 1\)"),
        (np.zeros((2, 2)), r"returned shape \(2, 2\) .* must be \(4, 1\)"),
        (np.zeros(4), r"returned shape \(4,\) .* must be \(4, 1\)"),
        (3.0, r"returned shape \(\) "),
        (None, r"map returned no array of numbers: .*dtype object"),
        ([[1, 2], [3]], r"map returned no array of numbers: .*inhomogeneous"),
        (["a", "b", "c", "d"], r"map returned no array of numbers: .*dtype <U1"),
        (np.zeros((4, 1), "M8[s]"), r"map returned no array of numbers: .*dtype datetime64"),
        (np.zeros((4, 1), np.longdouble), r"map returned no array of numbers: .*dtype float128"),
    ],
)
def test_what_is_no_image_breaks_the_contract(returned: Any, message: str) -> None:
    if "float128" in message and np.dtype(np.longdouble) == np.float64:
        pytest.skip("long double is double here")
    with pytest.raises(BrokenContract, match=message):
        side(lambda x: returned, (2, 2), (4, 1))(np.ones(4))


def test_of_vectors_only_the_size_counts() -> None:
    for shape in ((4,), (4, 1), (1, 4), (2, 2)):
        assert side(lambda x, shape=shape: x.reshape(shape))(np.ones(4)).shape == (4,)
    np.testing.assert_array_equal(side(list)(np.arange(4.0)), np.arange(4))


def test_an_image_is_in_memory_of_our_own() -> None:
    buffer = np.arange(4.0)
    image = side(lambda x: buffer)(np.ones(4))
    buffer[:] = 9
    np.testing.assert_array_equal(image, np.arange(4))


def test_a_product_that_is_not_implemented_is_named() -> None:
    class Half(LinearOperator):
        def _matvec(self, x: np.ndarray) -> np.ndarray:
            return x

    pair = plain_pair(Half(float, (4, 4)))
    pair.forward(np.ones(4))
    with pytest.raises(TypeError, match="rmatvec is not implemented, and its products are needed"):
        pair.adjoint(np.ones(4))


def test_one_map_needs_no_adjoint_and_tells_its_shapes_before_those_that_are_likely() -> None:
    likely = (2, 2), (3, 1)
    plain = SimpleNamespace(shape=(3, 4), matvec=lambda x: W @ x)
    for op, given, shapes in [
        (plain, (None, None), likely),
        (plain, ((1, 4), 3), ((1, 4), (3,))),
        (SimpleNamespace(**vars(plain), dims=(4, 1), dimsd=(1, 3)), (None, None), ((4, 1), (1, 3))),
        (SimpleNamespace(**vars(plain), dims=(5,), dimsd=(1, 3)), (None, None), ((4,), (3,))),
    ]:
        pair = forward_pair(op, *given, None, likely)
        assert (pair.input_shape, pair.output_shape) == shapes
        np.testing.assert_array_equal(pair.forward(np.eye(4)[1]), W[:, 1])
        with pytest.raises(TypeError, match="rmatvec is not implemented"):
            pair.adjoint(np.ones(3))


def test_one_function_is_given_arrays_of_its_shape() -> None:
    def function(x: np.ndarray) -> np.ndarray:
        assert x.shape == (2, 2)
        return (W @ x.ravel())[:, None]

    pair = forward_pair(function, None, None, np.float32, ((2, 2), (3, 1)))
    np.testing.assert_array_equal(pair.forward(np.eye(4)[1]), W[:, 1])
    assert (pair.name, pair.output_dtype) == (function.__qualname__, np.float32)
    with pytest.raises(
        TypeError, match=r"op=3: it must have shape and matvec, or be a function of one array"
    ):
        forward_pair(3, None, None, None, ((4,), (3,)))
