"""Operators in the hands of others: odd arrays, threads, pickles, SciPy's algebra, units of any size."""

import copy
import operator as operators
import pickle
import threading
import tracemalloc
from collections.abc import Callable
from itertools import product
from typing import Any

import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator

from convops import Conv, ConvGeometry, ConvTranspose, check_adjoint, conv, conv_matrix, conv_transpose

METHODS = ("sparse", "gemm")
FLOATS = ("float32", "float64", "complex64", "complex128")
INTEGERS = ("int8", "int16", "int32", "int64", "uint8", "uint16", "uint32")


def values(shape: tuple[int, ...], dtype: Any, seed: int = 0) -> Any:
    """Small integers in any dtype, so that every product below is exact."""
    dtype, rng = np.dtype(dtype), np.random.default_rng(seed)
    parts = rng.integers(0 if dtype.kind in "bu" else -4, 5, (2, *shape))
    return (parts[0] + 1j * parts[1] if dtype.kind == "c" else parts[0]).astype(dtype)


def channels(method: str, dtype: Any = "float64", **more: Any) -> Conv:
    options = {"padding": 1, "stride": (1, 2), "groups": 2, "boundary": "antireflect"} | more
    return Conv(values((4, 2, 3, 2), dtype), (4, 4, 5), dtype=dtype, method=method, **options)


# Where an engine might hand through what it was given: nothing to pad, one tap, one output, one channel.
MAPS: dict[str, Callable[..., Conv]] = {
    "channels": channels,
    "unpadded": lambda method, dtype="float64": Conv(
        values((2, 2), dtype), (3, 4), method=method, dtype=dtype
    ),
    "identity": lambda method, dtype="float64": Conv(
        np.ones((1, 1), dtype), (3, 4), method=method, dtype=dtype
    ),
    "identity of channels": lambda method, dtype="float64": Conv(
        np.eye(3).astype(dtype)[..., None], (3, 4), method=method, dtype=dtype
    ),
    "one sample": lambda method, dtype="float64": Conv(np.ones(1, dtype), 1, method=method, dtype=dtype),
    "one output": lambda method, dtype="float64": Conv(
        values((3, 4), dtype), (3, 4), method=method, dtype=dtype
    ),
}


@pytest.fixture(params=list(product(MAPS, METHODS, ("float64", "complex64"))), ids=lambda p: "-".join(p))
def any_operator(request: pytest.FixtureRequest) -> Conv:
    name, method, dtype = request.param
    return MAPS[name](method, dtype)


def uses(op: Any) -> list[tuple[Callable[[Any], Any], Any]]:
    """Every way to apply an operator, each with a fitting operand."""
    rows, columns = op.shape
    dtype = op.dtype
    return [
        (op, values((2, *op.input_shape), dtype)),
        (op, values(op.input_shape, dtype)),
        (op.matvec, values((columns,), dtype)),
        (op.rmatvec, values((rows,), dtype)),
        (op.matmat, values((columns, 3), dtype)),
        (op.rmatmat, values((rows, 3), dtype)),
        (op.dot, values((columns,), dtype)),
        (lambda x: op @ x, values((columns, 3), dtype)),
        (lambda x: x @ op, values((3, rows), dtype)),
        (op.T, values(op.output_shape, dtype)),
        (op.H, values((2, *op.output_shape), dtype)),
    ]


# ----------------------------------------------------------------------------------------------------- purity


def test_an_operand_is_never_written(any_operator: Conv) -> None:
    for apply, x in uses(any_operator):
        before = x.copy()
        x.flags.writeable = False
        apply(x)
        np.testing.assert_array_equal(x, before)


def test_results_are_the_callers_own(any_operator: Conv) -> None:
    op = any_operator
    for apply, x in uses(op):
        first = apply(x)
        expected = first.copy()
        assert not np.shares_memory(first, x)
        assert not np.shares_memory(first, op.weight)
        first[...] = 99  # must be writable, and change nothing
        np.testing.assert_array_equal(apply(x), expected)


def test_a_matrix_is_the_callers_own(any_operator: Conv) -> None:
    for op in (any_operator, any_operator.T, any_operator.H):
        expected = op.toarray()
        W, dense = op.tosparse(), op.toarray()
        W.data[...], W.indices[...], dense[...] = 99, 0, 99
        np.testing.assert_array_equal(op.toarray(), expected)
        x = values((op.shape[1],), op.dtype)
        np.testing.assert_array_equal(op @ x, expected @ x)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("build", [Conv, ConvTranspose])
def test_a_weight_may_change_after_the_operator_is_built(build: Any, method: str) -> None:
    weight = values((2, 2), "float64")
    op = build(weight, (4, 4), method=method)
    expected, kept = op.toarray(), weight.copy()
    weight[...] = 99
    np.testing.assert_array_equal(op.weight, kept)
    np.testing.assert_array_equal(op @ np.eye(16), expected)


def test_one_shot_functions_write_nothing_and_share_nothing() -> None:
    x, weight = values((4, 4), "float64"), np.ones((1, 1))
    x.flags.writeable = weight.flags.writeable = False
    for function in (conv, conv_transpose):
        y = function(x, weight)
        np.testing.assert_array_equal(y, x)
        assert not np.shares_memory(y, x)
        assert y.flags.writeable


# ---------------------------------------------------------------------------------------------------- layouts


class Subclass(np.ndarray):
    """An array of somebody else's."""


LAYOUTS: dict[str, Callable[[Any], Any]] = {
    "Fortran order": np.asfortranarray,
    "negative strides": lambda x: np.flip(np.flip(x).copy()),
    "every other": lambda x: np.repeat(x, 2, axis=-1)[..., ::2],
    "axes moved": lambda x: np.moveaxis(np.ascontiguousarray(np.moveaxis(x, 0, -1)), -1, 0),
    "byte-swapped": lambda x: x.astype(x.dtype.newbyteorder()),
    "read-only": lambda x: np.broadcast_to(x, x.shape),
    "list": lambda x: x.tolist(),
    "tuple of arrays": tuple,
    "memoryview": lambda x: memoryview(np.ascontiguousarray(x)),
    "subclass": lambda x: x.view(Subclass),
    "unaligned": lambda x: np.frombuffer(b"." + x.tobytes(), x.dtype, offset=1).reshape(x.shape),
}


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", ["float64", "complex128", "int64"])
def test_the_layout_of_an_array_does_not_matter(
    layout: Callable[[Any], Any], method: str, dtype: str
) -> None:
    op = channels(method, dtype)
    cases = [
        (op, values((3, *op.input_shape), dtype)),
        (op.H, values((3, *op.output_shape), dtype)),
        (op.matmat, values((op.shape[1], 3), dtype)),
        (op.rmatmat, values((op.shape[0], 3), dtype)),
        (op.matvec, values((op.shape[1],), dtype)),
        (op.rmatvec, values((op.shape[0],), dtype)),
        (op.dot, values((op.shape[1], 3), dtype)),
        (lambda x: op @ x, values((op.shape[1],), dtype)),
        (lambda w: conv_matrix(w, (4, 4, 5), groups=2).toarray(), op.weight),
        (lambda w: Conv(w, (4, 4, 5), groups=2, method=method) @ np.ones(80), op.weight),
    ]
    for apply, x in cases:
        y = apply(layout(x))
        assert type(y) is np.ndarray
        assert y.dtype == apply(x).dtype
        np.testing.assert_array_equal(y, apply(x))


@pytest.mark.filterwarnings("ignore:the matrix subclass:PendingDeprecationWarning")
def test_a_matrix_of_the_old_class_is_an_array_of_two_axes() -> None:
    op = Conv([[1.0, 2], [3, 4]], (3, 3))
    column = values((9, 1), "float64")
    for y in (op @ np.matrix(column), op.matvec(np.matrix(column)), op.matmat(np.matrix(column))):
        assert type(y) is np.ndarray
        np.testing.assert_array_equal(y, op.toarray() @ column)


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS])
@pytest.mark.parametrize("method", METHODS)
def test_an_empty_batch_gives_an_empty_batch_of_the_same_dtype(method: str, dtype: str) -> None:
    op = channels(method, dtype, boundary="edge")  # "antireflect" folds to entries below zero
    rows, columns = op.shape
    one = op(values(op.input_shape, dtype)).dtype
    for y, shape in [
        (op(np.zeros((0, *op.input_shape), dtype)), (0, *op.output_shape)),
        (op(np.zeros((2, 0, *op.input_shape), dtype)), (2, 0, *op.output_shape)),
        (op.H(np.zeros((0, *op.output_shape), dtype)), (0, *op.input_shape)),
        (op.matmat(np.zeros((columns, 0), dtype)), (rows, 0)),
        (op.rmatmat(np.zeros((rows, 0), dtype)), (columns, 0)),
        (op.matvec(np.zeros((0, columns), dtype)), (0, rows)),
    ]:
        assert (y.shape, y.dtype) == (shape, one)


# ----------------------------------------------------------------------------------------------------- dtypes


def expected_dtype(weight: Any, x: Any) -> Any:
    """That of the product in numpy; integers are computed in int64."""
    found = np.result_type(weight, x)
    return np.dtype(np.int64) if found.kind in "biu" or {weight.kind, x.kind} <= set("biu") else found


@pytest.mark.parametrize("dtype", [*FLOATS, *INTEGERS])
@pytest.mark.parametrize("method", METHODS)
def test_every_pair_of_dtypes_gives_the_promoted_dense_product(method: str, dtype: str) -> None:
    op = channels(method, dtype, boundary="wrap")  # keeps unsigned weights unsigned
    for of_x in (*FLOATS, *INTEGERS, "uint64", "bool"):
        for side in (op, op.T, op.H):
            dense = side.toarray()
            wanted = expected_dtype(op.dtype, np.dtype(of_x))
            x = values((side.shape[1], 2), of_x)
            exact = dense.astype(complex) @ x.astype(complex)
            for y, expected in [
                (side @ x, exact),
                (side.matvec(x[:, 0]), exact[:, 0]),
                (side(x.T.reshape(2, *side.input_shape)), exact.T.reshape(2, *side.output_shape)),
            ]:
                assert y.dtype == wanted, f"{dtype} times {of_x} gave {y.dtype}"
                np.testing.assert_array_equal(y, expected)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("boundary", ["zeros", "wrap", "antireflect"])
@pytest.mark.parametrize("dtype", ["float32", "complex64"])
def test_single_precision_is_kept_throughout(method: str, boundary: str, dtype: str) -> None:
    peaks = {}
    for width in (dtype, {"float32": "float64", "complex64": "complex128"}[dtype]):
        op = Conv(
            np.ones((3, 5, 5), width)[:, None], (1, 32, 32), padding=2, boundary=boundary, method=method
        )
        for side in (op, op.H):
            x = np.ones((4, *side.input_shape), width)
            side(x)
            tracemalloc.start()
            y = side(x)
            peaks[width, side is op] = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
            assert y.dtype == width
        assert op.tosparse().dtype == op.toarray().dtype == width
    for forward in (True, False):
        single, double = (peak for (_, side), peak in peaks.items() if side == forward)
        assert single < 0.6 * double, "something in between was of double width"


@pytest.mark.parametrize("method", METHODS)
def test_integers_beyond_those_of_floats_are_exact_or_refused(method: str) -> None:
    odd = 2**53 + 1
    for dtype in (None, np.int64, np.uint64):
        try:
            op = Conv([odd], 1, dtype=dtype, method=method)
        except (TypeError, OverflowError):
            continue
        assert (op @ [1]).tolist() == [odd]
        assert (op @ np.array([1], np.uint64)).tolist() == [odd]
        assert op.rmatvec([1]).tolist() == [odd]


def test_every_way_to_a_value_agrees_or_refuses_where_integers_leave_int64() -> None:
    """W folds 3 · 2**62 into one entry, which no int64 holds."""
    arguments = {"padding": 1, "boundary": "wrap"}
    for x in ([1], [1.0]):
        for find in (
            lambda x: conv([*x], [2**62] * 3, **arguments),
            lambda x: Conv([2**62] * 3, 1, method="gemm", **arguments) @ x,
            lambda x: Conv([2**62] * 3, 1, method="sparse", **arguments) @ x,
            lambda x: conv_matrix([2**62] * 3, 1, **arguments) @ np.array(x),
        ):
            try:
                assert find(x).tolist() == [3 * 2**62]
            except OverflowError as error:
                assert "int64" in str(error)  # noqa: PT017 - either is right


# ----------------------------------------------------------------------------------- threads, copies, pickles


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("side", ["forward", "adjoint", "both"])
def test_eight_threads_may_share_an_operator_from_its_first_use(method: str, side: str) -> None:
    rng = np.random.default_rng(0)
    weight = rng.standard_normal((7, 7))
    reference = Conv(weight, (40, 40), padding="same", boundary="reflect", method=method)
    xs = rng.standard_normal((8, 1600))
    forward, adjoint = [reference @ x for x in xs], [reference.H @ x for x in xs]
    shared = Conv(weight, (40, 40), padding="same", boundary="reflect", method=method)
    barrier, failures = threading.Barrier(8), []

    def work(number: int) -> None:
        barrier.wait()
        backwards = side == "adjoint" or (side == "both" and number % 2)
        for _ in range(5):
            y = shared.H @ xs[number] if backwards else shared @ xs[number]
            if not np.array_equal(y, (adjoint if backwards else forward)[number]):
                failures.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


ROUND_TRIPS: dict[str, Callable[[Any], Any]] = {
    **{
        f"pickle {n}": lambda op, n=n: pickle.loads(pickle.dumps(op, n))
        for n in range(pickle.HIGHEST_PROTOCOL + 1)
    },
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.mark.parametrize("round_trip", ROUND_TRIPS.values(), ids=ROUND_TRIPS.keys())
def test_a_copy_is_as_good(any_operator: Conv, round_trip: Callable[[Any], Any]) -> None:
    for op in (any_operator, any_operator.T, any_operator.H, any_operator.T.H):
        op @ np.ones(op.shape[1])  # builds the engine
        again = round_trip(op)
        assert type(again) is type(op)
        assert repr(again) == repr(op)
        assert (again.geometry, again.method, again.flip) == (op.geometry, op.method, op.flip)
        np.testing.assert_array_equal(again.weight, op.weight)
        np.testing.assert_array_equal(again.toarray(), op.toarray())
        np.testing.assert_array_equal(again @ np.ones(op.shape[1]), op @ np.ones(op.shape[1]))
        with pytest.raises(AttributeError, match="frozen"):
            again.dtype = "float32"
        with pytest.raises(ValueError, match="read-only"):
            again.weight[...] = 0


def test_a_pickle_holds_the_weight_and_no_matrix() -> None:
    op = Conv(np.ones((9, 9)), (100, 100), method="sparse")
    fresh = len(pickle.dumps(op))
    op @ np.ones(10_000), op.H @ np.ones(92**2)
    for each in (op, op.T, op.H):
        assert len(pickle.dumps(each)) < fresh + 100 < 3000


def test_composites_can_be_pickled() -> None:
    op = Conv([[1.0, 2], [3, 4]], (3, 3))
    composite = 2 * op.H @ op
    again = pickle.loads(pickle.dumps(composite))
    np.testing.assert_array_equal(again @ np.ones(9), composite @ np.ones(9))


@pytest.mark.parametrize("round_trip", ROUND_TRIPS.values(), ids=ROUND_TRIPS.keys())
def test_a_geometry_survives_every_round_trip(round_trip: Callable[[Any], Any]) -> None:
    geometry = ConvGeometry((4, 2, 3, 2), (4, 4, 5), stride=2, padding="same", groups=2, boundary="wrap")
    for used in (False, True):
        if used:
            geometry.explain()
        again = round_trip(geometry)
        assert again == geometry
        assert hash(again) == hash(geometry)
        assert again.explain() == geometry.explain()


def test_a_geometry_is_plain_python_whatever_it_was_made_from() -> None:
    plain = ConvGeometry((3, 3), (8, 8), stride=(1, 2), padding=((1, 0), (0, 1)), boundary=("wrap", "edge"))
    other = ConvGeometry(
        np.array([3, 3], np.int8),
        np.array([8, 8], np.uint64),
        stride=np.array([1, 2]),
        padding=np.array([[1, 0], [0, 1]]),
        dilation=np.int16(1),
        groups=np.int64(1),
        boundary=np.array(["wrap", "edge"]),
    )
    assert other == plain
    assert hash(other) == hash(plain)
    assert repr(other) == repr(plain)
    assert pickle.dumps(other) == pickle.dumps(plain)


def test_geometries_compare_with_anything() -> None:
    geometry = ConvGeometry(3, 8)
    for other in (None, 1, "geometry", (3, 8), ConvGeometry(3, 9), ConvGeometry(3, 8, boundary="wrap")):
        assert geometry != other
    assert (
        len({geometry, ConvGeometry((3,), [8], padding=[(0, 0)]), ConvGeometry(3, 8, padding="valid")}) == 1
    )


# ------------------------------------------------------------------------------------------------- huge steps


@pytest.mark.parametrize("step", [2**31 - 1, 2**31, 2**40, 2**63 - 1])
@pytest.mark.parametrize("boundary", ["zeros", "wrap", "antireflect"])
@pytest.mark.parametrize("method", METHODS)
def test_a_step_beyond_the_input_leaves_one_output(method: str, boundary: str, step: int) -> None:
    weight, x = values((2, 2, 3, 3), "float64"), values((2, 10, 9), "float64")
    options: dict[str, Any] = {"padding": 1, "boundary": boundary, "method": method}
    strided = Conv(weight, (2, 10, 9), stride=step, **options)
    assert strided.output_shape == (2, 1, 1)
    expected = Conv(weight, (2, 10, 9), stride=50, **options)
    np.testing.assert_array_equal(strided(x), expected(x))
    np.testing.assert_array_equal(strided.toarray(), expected.toarray())
    np.testing.assert_array_equal(strided.H(np.ones((2, 1, 1))), expected.H(np.ones((2, 1, 1))))
    dilated = Conv(weight[..., :1, :1], (2, 10, 9), dilation=step, **options)
    np.testing.assert_array_equal(
        dilated.toarray(), Conv(weight[..., :1, :1], (2, 10, 9), **options).toarray()
    )


# ---------------------------------------------------------------------------------------------------- algebra


def test_transposing_or_conjugating_twice_gives_the_operator_itself(any_operator: Conv) -> None:
    op = any_operator
    assert op.H.H is op
    assert op.T.T is op
    np.testing.assert_array_equal(op.T.H.toarray(), op.toarray().conj())
    np.testing.assert_array_equal(op.T.H.T.H.toarray(), op.toarray())


@pytest.mark.parametrize("dtype", ["float64", "complex64"])
def test_so_it_does_for_what_was_transposed_or_conjugated_before(dtype: str) -> None:
    op = channels("gemm", dtype)
    for derived in (op.T, op.H, op.T.H, op.H.T):
        assert derived.H.H is derived
        assert derived.T.T is derived


def test_the_algebra_of_scipy_gives_the_dense_results() -> None:
    A = Conv(values((2, 2), "complex128"), (3, 3))
    S = Conv(values((3, 3), "float64"), (3, 3), padding="same")
    a, s = A.toarray(), S.toarray()
    x, y, X = values((9,), "complex128"), values((4,), "complex128"), values((3, 4), "complex128")
    for made, expected in [
        (A * 2, a * 2),
        (2 * A, a * 2),
        (A * 2j, a * 2j),
        (np.float64(2) * A, a * 2),
        (A * np.int64(3), a * 3),
        (A / 2, a / 2),
        (-A, -a),
        (A + A, a + a),
        (A - 3 * A, -2 * a),
        (A.dot(2), a * 2),
        (A @ A.H, a @ a.conj().T),
        (A.H @ A, a.conj().T @ a),
        (A.T * A, a.T @ a),
        (A @ S, a @ s),
        (S**0, np.eye(9)),
        (S**3, s @ s @ s),
    ]:
        assert isinstance(made, LinearOperator)
        assert made.shape == expected.shape
        np.testing.assert_allclose(
            made @ np.eye(9, dtype=complex)[:, : made.shape[1]][: made.shape[1]], expected
        )
        np.testing.assert_allclose(made.H @ np.eye(made.shape[0], dtype=complex), expected.conj().T)
    for made, expected in [
        (y @ A, y @ a),
        (X @ A, X @ a),
        (operators.matmul(y.tolist(), A), y @ a),
        (A * x, a @ x),
        (A @ x[:, None], a @ x[:, None]),
        (A.H @ y, a.conj().T @ y),
        (A.T @ y, a.T @ y),
    ]:
        np.testing.assert_allclose(made, expected)
        assert made.shape == expected.shape


# ------------------------------------------------------------------------------------------ the adjoint check


UNITS = {
    "float32": (1e-30, 1e-20, 1.0, 1e20, 1e30),
    "float64": (1e-290, 1e-200, 1e-30, 1.0, 1e30, 1e200, 1e290),
    "complex64": (1e-30, 1e-20, 1.0, 1e20, 1e30),
    "complex128": (1e-290, 1e-200, 1e-30, 1.0, 1e30, 1e200, 1e290),
}


@pytest.mark.parametrize(
    ("dtype", "unit"), [(dtype, unit) for dtype, units in UNITS.items() for unit in units]
)
def test_the_verdict_of_the_adjoint_check_does_not_depend_on_the_unit(dtype: str, unit: float) -> None:
    weight = (values((3, 3), dtype) * unit).astype(dtype)
    op = Conv(weight, (6, 6), padding=1)
    turned = Conv(weight.conj(), (6, 6), padding=1, flip=True)  # the adjoint, by another way
    described = {"input_shape": (6, 6), "output_shape": (6, 6), "dtype": dtype}
    assert check_adjoint(op)
    assert check_adjoint(op, turned, **described)
    assert not check_adjoint(op, op, **described)


def test_the_adjoint_check_takes_operators_of_large_integers() -> None:
    for weight in ([2**50, -(2**50)], [2**62], [-(2**62)]):
        assert check_adjoint(Conv(weight, 4))


def test_the_adjoint_check_sees_integers_wrap() -> None:
    least = np.iinfo(np.int64).min
    report = check_adjoint(lambda x: np.full(4, least), lambda y: np.zeros(4, np.int64), 4, 4, np.int64)
    assert not report
