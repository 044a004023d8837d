"""Each check of what operators promise passes those that keep it, and fails what breaks that alone."""

import ctypes
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy.sparse.linalg import LinearOperator, aslinearoperator

from adjoint.pairs import COLUMNS, ROWS, Planted, after, after_adjoint, in_dtype, matrix_of, samples_of, times
from convops import Conv, check_adjoint
from convops.adjoint.interface import contract, involution, layout, matmat, purity
from registry import FLOATS

ALL = (*FLOATS, "int64")
REAL = ("float32", "float64")
COMPLEX = ("complex64", "complex128")
DOUBLE = ("float64", "complex128")

Array = np.ndarray
Apply = Callable[[Array], Array]


def planted(**replaced: Callable[[Planted], Any]) -> Callable[[str], Planted]:
    """Return how to make an operator with parts that are made from the correct one."""

    def make(dtype: str) -> Planted:
        right = Planted(matrix_of(dtype))
        return Planted(right.W, **{name: part(right) for name, part in replaced.items()})

    return make


def spoilt(y: Array) -> Array:
    """Return y with a nan where nothing else looks: the first entry."""
    y[0] = np.nan
    return y


def any_length(A: Planted) -> Apply:
    return lambda x: times(A.W, np.resize(x, COLUMNS))


def with_one_wrong(product: Apply, place: tuple[int, ...] = (3,)) -> Apply:
    def wrong(x: Array) -> Array:
        y = product(x)
        y[place] += 1
        return y

    return wrong


def memory_from(x: Array) -> Array:
    """Read memory from the lowest address of x, as code does that takes a pointer and forgets the strides."""
    low, _ = np.lib.array_utils.byte_bounds(x)
    return np.frombuffer((ctypes.c_char * x.nbytes).from_address(low), x.dtype)


def unless_writeable(x: Array) -> Array:
    return x if x.flags.writeable else np.zeros_like(x)


def writing(product: Apply) -> Apply:
    """Turn the sign of the argument where it stands, and that of the result back."""

    def impure(x: Array) -> Array:
        x *= -1
        return -product(x)

    return impure


def one_buffer(product: Apply, view: Apply = lambda y: y) -> Apply:
    buffers: dict[int, Array] = {}

    def impure(x: Array) -> Array:
        y = product(x)
        buffer = buffers.setdefault(y.size, np.zeros_like(y))
        view(buffer)[...] = y
        return view(buffer)

    return impure


def memoised(product: Apply) -> Apply:
    """Hand out the array that is kept for the next call with the same x."""
    kept: dict[bytes, Array] = {}

    def impure(x: Array) -> Array:
        key = x.tobytes()
        if key not in kept:
            kept[key] = product(x)
        return kept[key]

    return impure


def zeros_shared(product: Apply) -> Apply:
    shared: list[Array] = []

    def impure(x: Array) -> Array:
        if x.any():
            return product(x)
        if not shared:
            shared.append(product(x))
        return shared[0]

    return impure


def last_bit_of_calls(product: Apply) -> Apply:
    """Change the last bit of an entry in every other call with the same x."""
    seen: set[bytes] = set()

    def impure(x: Array) -> Array:
        y = product(x)
        if x.tobytes() in seen:
            y[5] = (
                np.nextafter(y[5].real, 9) + 1j * y[5].imag if y.dtype.kind == "c" else np.nextafter(y[5], 9)
            )
        seen.add(x.tobytes())
        return y

    return impure


FAULTS: dict[str, tuple[Callable[[str], Planted], tuple[str, ...], tuple[str, ...]]] = {
    "nan": (after(spoilt), FLOATS, ("contract", "homogeneity", "additivity", "adjoint")),
    "complex for real": (after(lambda y: y + 0j), ("float64", "int64"), ("contract",)),
    "complex64 for float32": (after(lambda y: y.astype("complex64")), ("float32",), ("contract",)),
    "upcast": (after(lambda y: y.astype("float64")), ("float32", "int64"), ("contract",)),
    "upcast in the adjoint": (after_adjoint(lambda x: x.astype("complex128")), ("complex64",), ("contract",)),
    "float32 for float64": (
        after(lambda y: y.astype("float32")),
        ("float64",),
        ("contract", "precision", "adjoint"),
    ),
    "complex64 for complex128": (
        after_adjoint(lambda x: x.astype("complex64")),
        ("complex128",),
        ("contract", "precision", "adjoint"),
    ),
    "any length": (planted(matvec=any_length), ALL, ("contract",)),
    "any length of the adjoint": (
        planted(rmatvec=lambda A: lambda y: times(A.W.conj().T, np.resize(y, ROWS))),
        ALL,
        ("contract",),
    ),
    "A.H is A": (
        lambda dtype: Planted(matrix_of(dtype, 70, 70), H=Planted(matrix_of(dtype, 70, 70))),
        ALL,
        ("involution",),
    ),
    "A.H has an adjoint of its own": (
        planted(H=lambda A: Planted(A.W.conj().T, matvec=A.rmatvec, rmatvec=with_one_wrong(A.matvec))),
        ALL,
        ("involution",),
    ),
    "A.H.H": (
        planted(
            H=lambda A: Planted(
                A.W.conj().T,
                matvec=A.rmatvec,
                rmatvec=A.matvec,
                H=Planted(A.W, matvec=with_one_wrong(A.matvec)),
            )
        ),
        ALL,
        ("involution",),
    ),
    "A.T is A.H": (planted(T=lambda A: Planted(A.W.conj().T)), COMPLEX, ("involution",)),
    "A.T of another sign": (planted(T=lambda A: Planted(-A.W.T)), ALL, ("involution",)),
    "A.T back": (
        planted(T=lambda A: Planted(A.W.T, rmatvec=with_one_wrong(lambda x: times(A.W.conj(), x)))),
        ALL,
        ("involution",),
    ),
    "second column": (planted(matmat=lambda A: with_one_wrong(A.matmat, (7, 1))), ALL, ("matmat",)),
    "columns swapped": (planted(rmatmat=lambda A: lambda Y: A.rmatmat(Y)[:, ::-1]), ALL, ("matmat",)),
    "transposed result": (planted(rmatmat=lambda A: lambda Y: A.rmatmat(Y).T), ALL, ("matmat",)),
    "no result": (planted(matmat=lambda A: lambda X: None), ALL, ("matmat",)),
    "strides forgotten": (planted(matvec=lambda A: lambda x: times(A.W, memory_from(x))), ALL, ("layout",)),
    "strides forgotten in the adjoint": (
        planted(rmatvec=lambda A: lambda y: times(A.W.conj().T, memory_from(y))),
        ALL,
        ("layout",),
    ),
    "direction forgotten": (
        planted(matvec=lambda A: lambda x: times(A.W, x[::-1] if x.strides[0] < 0 else x)),
        ALL,
        ("layout",),
    ),
    "read-only taken for empty": (
        planted(rmatvec=lambda A: lambda y: times(A.W.conj().T, unless_writeable(y))),
        ALL,
        ("layout",),
    ),
    "writes to its argument": (planted(matvec=lambda A: writing(A.matvec)), ALL, ("purity",)),
    "the adjoint writes": (planted(rmatvec=lambda A: writing(A.rmatvec)), ALL, ("purity",)),
    "one buffer": (planted(matvec=lambda A: one_buffer(A.matvec)), ALL, ("purity",)),
    "one buffer of the adjoint": (planted(rmatvec=lambda A: one_buffer(A.rmatvec)), ALL, ("purity",)),
    "one buffer, reversed": (
        planted(matvec=lambda A: one_buffer(A.matvec, lambda y: y[::-1])),
        ALL,
        ("purity",),
    ),
    "kept result handed out": (planted(matvec=lambda A: memoised(A.matvec)), ALL, ("purity",)),
    "kept result of the adjoint": (planted(rmatvec=lambda A: memoised(A.rmatvec)), ALL, ("purity",)),
    "zeros shared": (planted(rmatvec=lambda A: zeros_shared(A.rmatvec)), ALL, ("purity",)),
    "another last bit": (planted(matvec=lambda A: last_bit_of_calls(A.matvec)), FLOATS, ("purity",)),
}


@pytest.mark.parametrize(
    ("name", "dtype"), [(name, dtype) for name, (_, dtypes, _) in FAULTS.items() for dtype in dtypes]
)
def test_a_fault_fails_its_check_and_what_follows_from_it(name: str, dtype: str) -> None:
    make, _, expected = FAULTS[name]
    for seed in range(2):
        report = check_adjoint(make(dtype), seed=seed)
        assert report.failed == in_dtype(expected, dtype), report


@pytest.mark.parametrize("dtype", ALL)
def test_what_keeps_its_promises_passes(dtype: str) -> None:
    for rows, columns in ((ROWS, COLUMNS), (3, 5), (1, 1)):
        for seed in range(5):
            samples = samples_of(Planted(matrix_of(dtype, rows, columns)), seed=seed)
            checks = [check(samples) for check in (contract, involution, matmat, layout, purity)]
            assert [check.name for check in checks if not check.passed] == []


@pytest.mark.parametrize(
    ("name", "dtype", "detail"),
    [
        ("nan", "float64", "matvec returned nan at 0 for a finite x"),
        ("complex for real", "float64", "matvec returned complex128 for x of dtype float64"),
        ("upcast", "float32", "matvec returned float64 for x of dtype float32: a silent upcast"),
        (
            "upcast",
            "int64",
            "matvec returned float64 for x of dtype int64: if it works on floats, say so with dtype=float",
        ),
        ("float32 for float64", "float64", "matvec returned float32 for x of dtype float64"),
        ("any length", "float64", "matvec accepts a vector of length 67 where it takes 66"),
        ("any length of the adjoint", "int64", "rmatvec accepts a vector of length 73 where it takes 72"),
        ("A.H is A", "float64", "A.H.matvec(v) is not what rmatvec returned: entry "),
        (
            "A.H has an adjoint of its own",
            "float64",
            "A.H.rmatvec(v) is not what matvec returned: entry 3 is ",
        ),
        ("A.H.H", "int64", "A.H.H.matvec(v) is not what matvec returned: entry 3 is "),
        ("A.T is A.H", "complex64", "A.T.matvec(v) is not what rmatvec returned: entry "),
        ("A.T back", "complex128", "A.T.rmatvec(v) is not what matvec returned: entry 3 is "),
        ("second column", "float64", "column 1 of matmat is not what matvec returned: entry 7 is "),
        ("columns swapped", "int64", "column 0 of rmatmat is not what rmatvec returned: entry "),
        (
            "transposed result",
            "float64",
            "rmatmat returned shape (2, 66) for X of shape (72, 2): it must be (66, 2)",
        ),
        ("strides forgotten", "float64", "matvec of a reversed x is not what matvec returned: entry "),
        (
            "read-only taken for empty",
            "int64",
            "rmatvec of a read-only x is not what rmatvec returned: entry ",
        ),
        ("writes to its argument", "float64", "matvec writes to its argument"),
        (
            "one buffer of the adjoint",
            "float64",
            "what rmatvec returned was changed by a later call: it hands out a buffer that it uses again",
        ),
        (
            "kept result handed out",
            "float64",
            "writing to what matvec returned changes its next result: entry ",
        ),
        ("another last bit", "float64", "matvec gives another result for the same x: entry 5 is "),
    ],
)
def test_a_failure_says_what_broke(name: str, dtype: str, detail: str) -> None:
    report = check_adjoint(FAULTS[name][0](dtype))
    (failed,) = [check for check in report.checks if check.name == FAULTS[name][2][0]]
    assert failed.detail.startswith(detail)


@pytest.mark.parametrize("kind", [bool, np.int8, np.uint8, np.int32])
def test_integer_maps_may_return_any_integers(kind: Any) -> None:
    def units(x: Array) -> Array:
        return (x > 0).astype(kind)

    assert contract(samples_of(units, units, input_shape=9, output_shape=9, dtype=int)).passed


def test_the_length_that_functions_take_is_theirs() -> None:
    def any_size(x: Array) -> Array:
        return x[:5]

    assert contract(samples_of(any_size, np.copy, input_shape=5, output_shape=5)).passed


def test_nan_is_found_at_its_place_in_the_array() -> None:
    def forward(x: Array) -> Array:
        y = x.copy()
        y[2, 3] = np.inf
        return y

    check = contract(samples_of(forward, np.copy, input_shape=(4, 5), output_shape=(4, 5)))
    assert check.detail == "forward returned inf at (2, 3) for a finite x"


def test_what_is_no_image_ends_the_check() -> None:
    for returned in (None, np.zeros(4), "text"):
        report = check_adjoint(lambda x, returned=returned: returned, np.copy, 5, 5)
        assert report.failed == ("contract",)
        assert len(report.checks) == 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_infinite_images_do_not_hide_that_products_differ(value: float) -> None:
    A = Planted(matrix_of("float64"), matmat=lambda X: np.zeros((ROWS, 2)))
    A.matvec = lambda x: np.append(times(A.W, x)[1:], value)
    assert check_adjoint(A, only="matmat").failed == ("matmat",)


def test_two_functions_have_no_partners_to_compare() -> None:
    report = check_adjoint(np.copy, np.copy, 5, 5)
    assert {"involution", "matmat"} <= set(report.not_made)


def test_an_operator_without_partners_passes_without_them() -> None:
    class Bare:
        shape, dtype = (5, 5), float

        def matvec(self, x: Array) -> Array:
            return (x + np.zeros(5)).copy()

        rmatvec = matvec

    report = check_adjoint(Bare())
    assert report, report
    assert report.not_made["involution"] == "it has no H"
    assert report.not_made["matmat"] == "it has no matmat"


def test_without_a_transpose_only_the_adjoint_is_compared() -> None:
    class Halved(Planted):
        def __getattr__(self, name: str) -> Any:
            if name == "T":
                raise AttributeError(name)
            return super().__getattr__(name)

    check = involution(samples_of(Halved(matrix_of("float64"))))
    assert (check.passed, check.detail) == (True, "A.H and A.H.H agree with both products")


def test_without_rmatmat_only_matmat_is_compared() -> None:
    A = Planted(matrix_of("float64"), rmatmat=None)
    assert matmat(samples_of(A)).detail == "matmat agree with products column by column"


@pytest.mark.parametrize("dtype", ALL)
def test_a_loud_refusal_of_a_layout_passes_and_is_noted(dtype: str) -> None:
    def careful(A: Planted) -> Apply:
        def matvec(x: Array) -> Array:
            if not x.flags.c_contiguous:
                raise BufferError("not contiguous")
            return A.matvec(x)

        return matvec

    check = layout(samples_of(planted(matvec=careful)(dtype)))
    assert check.passed
    assert check.detail == (
        "matvec refuses a reversed x (BufferError); matvec refuses a spaced x (BufferError)"
    )


def test_a_map_that_cannot_take_read_only_arrays_passes_and_is_noted() -> None:
    A = planted(matvec=lambda A: writing(A.matvec))("float64")
    assert layout(samples_of(A)).detail == "matvec refuses a read-only x (ValueError)"


def test_the_axes_of_arrays_are_laid_out_in_other_orders() -> None:
    def in_memory_order(x: Array) -> Array:
        return x.ravel(order="K").reshape(x.shape)

    assert layout(samples_of(np.copy, np.copy, input_shape=(9, 8), output_shape=(9, 8))).passed
    check = layout(samples_of(in_memory_order, np.copy, input_shape=(9, 8), output_shape=(9, 8)))
    assert not check.passed


def test_what_was_written_into_a_result_is_put_back() -> None:
    inner = Planted(matrix_of("float64"))
    A = Planted(inner.W, matvec=memoised(inner.matvec), rmatvec=zeros_shared(inner.rmatvec))
    samples = samples_of(A)
    probes = [*samples.forward.probes, np.zeros(COLUMNS)]
    assert not purity(samples).passed
    for x in probes:
        np.testing.assert_array_equal(A.matvec(x), inner.matvec(x))
    A = Planted(inner.W, matvec=zeros_shared(inner.matvec))
    assert not purity(samples_of(A)).passed
    np.testing.assert_array_equal(A.matvec(np.zeros(COLUMNS)), 0)


def test_an_error_of_the_map_leaves_nothing_written() -> None:
    kept = np.arange(1.0, 6)
    calls = []

    def forward(x: Array) -> Array:
        calls.append(x)
        if not np.array_equal(kept, np.arange(1.0, 6)):
            raise RuntimeError("someone wrote")
        return kept

    with pytest.raises(RuntimeError, match="someone wrote"):
        check_adjoint(forward, np.copy, 5, 5, only="purity")
    np.testing.assert_array_equal(kept, np.arange(1.0, 6))


def test_results_that_cannot_be_written_to_pass() -> None:
    def frozen(x: Array) -> Array:
        y = np.broadcast_to(x, (1, x.size))[0]
        y.flags.writeable = False
        return y

    assert purity(samples_of(frozen, list, input_shape=9, output_shape=9)).passed


def test_state_is_told_before_what_follows_from_it() -> None:
    calls = []

    def growing(x: Array) -> Array:
        calls.append(1)
        return x * len(calls)

    report = check_adjoint(growing, np.copy, 70, 70)
    assert "purity" in report.failed
    assert len(report.failed) > 1
    assert report.causes == (
        "a map is not a function of x alone, see purity: the other failures may follow from it",
    )
    assert not report.witnesses


def test_at_level_quick_nothing_is_applied_again() -> None:
    samples = samples_of(planted(matvec=lambda A: memoised(A.matvec))("float64"), level="quick")
    assert purity(samples).passed
    assert samples.pair.applications == 4


def test_operators_of_scipy_and_ours_keep_their_promises() -> None:
    W = matrix_of("complex128", 9, 7)
    for A in (
        aslinearoperator(W),
        LinearOperator(W.shape, dtype=complex, matvec=lambda x: W @ x, rmatvec=lambda y: W.conj().T @ y),
        Conv(W, (11, 8), method="gemm"),
    ):
        samples = samples_of(A)
        for check in (contract, involution, matmat, layout, purity):
            assert check(samples).passed
