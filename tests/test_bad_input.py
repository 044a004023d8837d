"""Every bad argument of every public callable: what is typed, and what the error must say.

A row is tried on each of its callers with the bad argument in the place of a good one. The error must be
of the given type, name every fragment (the argument as typed, the rule, the numbers, the fix), and be
raised by convops itself: an error from inside numpy or scipy names none of these.
"""

import importlib.util
import signal
import traceback
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import FrozenInstanceError, dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse import coo_array, csr_array
from scipy.sparse.linalg import LinearOperator, aslinearoperator

import convops
from convops import (
    Conv,
    ConvGeometry,
    ConvPattern,
    ConvTranspose,
    KernelOperator,
    block_diag,
    check_adjoint,
    choose_damp,
    conv,
    conv_matrix,
    conv_transpose,
    divergence,
    gradient,
    hstack,
    identity,
    iter_row_blocks,
    laplacian,
    operator_norm,
    plot,
    probe_colors,
    probe_matrix,
    selection,
    singular_values,
    spectral_route,
    tikhonov,
    vstack,
)
from convops.adjoint import CHECKS
from convops.distributed import DaskConv

WEIGHT = [[1, 2], [3, 4]]
ONES = np.ones((5, 5))
SMALL = np.ones((2, 2))
A = Conv(WEIGHT, (3, 3))  # 4 × 9
K = KernelOperator(ONES, (2, 2))  # 16 × 4
PATTERN = ConvPattern(A.geometry)
EDGES = Conv([[1.0, -1.0]], (5, 5), padding="same", boundary="wrap")
BLUR = Conv(np.ones((3, 3)) / 9, (5, 5), padding="same", boundary="wrap")
OF_DIFFERENCES = ConvGeometry(2, 5)
HOME = Path(convops.__file__).parent


def difference(x: Any) -> Any:
    return x[1:] - x[:-1]


def transposed_difference(y: Any) -> Any:
    return np.append(-y, 0) + np.append(0, y)


def _read_only(W: csr_array) -> csr_array:
    W.data.flags.writeable = False
    return W


# What can be called; every argument has a good value, and a row replaces some.
CALLERS: dict[str, Callable[..., Any]] = {
    "ConvGeometry": lambda weight_shape=(2, 2), input_shape=(5, 5), **more: ConvGeometry(
        weight_shape, input_shape, **more
    ),
    "ConvGeometry.transposed": lambda weight_shape=(2, 2), input_shape=(5, 5), **more: (
        ConvGeometry.transposed(weight_shape, input_shape, **more)
    ),
    "ConvGeometry.nbytes": lambda dtype: ConvGeometry((2, 2), (5, 5)).nbytes(dtype),
    "conv_matrix": lambda weight=WEIGHT, input_shape=(5, 5), **more: conv_matrix(weight, input_shape, **more),
    "iter_row_blocks": lambda weight=WEIGHT, input_shape=(5, 5), **more: iter_row_blocks(
        weight, input_shape, **more
    ),
    "Conv": lambda weight=WEIGHT, input_shape=(5, 5), **more: Conv(weight, input_shape, **more),
    "ConvTranspose": lambda weight=WEIGHT, input_shape=(5, 5), **more: ConvTranspose(
        weight, input_shape, **more
    ),
    "conv": lambda x=ONES, weight=WEIGHT, **more: conv(x, weight, **more),
    "KernelOperator": lambda x=ONES, weight_shape=(2, 2), **more: KernelOperator(x, weight_shape, **more),
    "K(w)": lambda x: K(x),
    "K.H(y)": lambda x: K.H(x),
    "K @ w": lambda x: K @ x,
    "conv_transpose": lambda x=ONES, weight=WEIGHT, **more: conv_transpose(x, weight, **more),
    "check_adjoint": lambda op=A, *more, **named: check_adjoint(op, *more, **named),
    "check_adjoint of functions": lambda op=difference, adjoint=transposed_difference, **more: check_adjoint(
        op, adjoint, **({"input_shape": 5, "output_shape": 4} | more)
    ),
    "identity": lambda shape=(5, 5), **more: identity(shape, **more),
    "selection": lambda mask=(True, False), **more: selection(mask, **more),
    "vstack": lambda operators=(A, A): vstack(operators),
    "hstack": lambda operators=(A, A): hstack(operators),
    "block_diag": lambda operators=(A, A): block_diag(operators),
    "c * A": lambda scalar: scalar * A,
    "probe_matrix": lambda op=A, pattern=A.geometry, **more: probe_matrix(op, pattern, **more),
    "probe_matrix of a function": lambda op=difference, pattern=OF_DIFFERENCES, **more: probe_matrix(
        op, pattern, **more
    ),
    "probe_colors": lambda pattern: probe_colors(pattern),
    "ConvPattern": lambda geometry=A.geometry, **more: ConvPattern(geometry, **more),
    "pattern.matrix": lambda weight=WEIGHT, **more: PATTERN.matrix(weight, **more),
    "A(x)": lambda x: A(x),
    "A.H(x)": lambda x: A.H(x),
    "DaskConv": lambda weight=WEIGHT, input_shape=(5, 5), **more: DaskConv(weight, input_shape, **more),
    "DaskConv(x)": lambda x: DaskConv(WEIGHT, (5, 5))(x),
    "DaskConv @ x": lambda x: DaskConv(WEIGHT, (5, 5)) @ x,
    "x @ DaskConv": lambda x: x @ DaskConv(WEIGHT, (5, 5)),
    "Conv(x), x on Dask": lambda x: Conv(WEIGHT, (5, 5))(x),
    "DaskConv.from_operator": lambda A: DaskConv.from_operator(A),
    "A @ x": lambda x: A @ x,
    "A.dot(x)": lambda x: A.dot(x),
    "A.matvec(x)": lambda x: A.matvec(x),
    "A.rmatvec(x)": lambda x: A.rmatvec(x),
    "A.matmat(X)": lambda x: A.matmat(x),
    "A.rmatmat(X)": lambda x: A.rmatmat(x),
    "A.norm": lambda ord: A.norm(ord),
    "singular_values": lambda op=A, **more: singular_values(op, **more),
    "operator_norm": lambda op=A: operator_norm(op),
    "spectral_route": lambda op=A, **more: spectral_route(op, **more),
    "tikhonov": lambda op=BLUR, b=ONES, damp=0.1, **more: tikhonov(op, b, damp, **more),
    "choose_damp": lambda op=BLUR, b=ONES, **more: choose_damp(op, b, **more),
    "difference": lambda input_shape=(5, 5), axis=0, **more: convops.difference(input_shape, axis, **more),
    "gradient": lambda input_shape=(5, 5), **more: gradient(input_shape, **more),
    "divergence": lambda input_shape=(5, 5), **more: divergence(input_shape, **more),
    "laplacian": lambda input_shape=(5, 5), **more: laplacian(input_shape, **more),
    "spy": lambda op=A, **more: plot.spy(op, **more),
    "plot_geometry": lambda op=A, **more: plot.plot_geometry(op, **more),
    "animate_geometry": lambda op=A, **more: plot.animate_geometry(op, **more),
    "plot_transpose": lambda x=SMALL, weight=WEIGHT, **more: plot.plot_transpose(x, weight, **more),
    "plot_spectrum": lambda op=A, **more: plot.plot_spectrum(op, **more),
    "plot_adjoint_report": lambda report: plot.plot_adjoint_report(report),
}
FORWARD = ("ConvGeometry", "conv_matrix", "iter_row_blocks", "Conv", "conv", "KernelOperator")
BACKWARD = ("ConvGeometry.transposed", "ConvTranspose", "conv_transpose")
GEOMETRY = (*FORWARD, *BACKWARD)
WEIGHTED = ("conv_matrix", "iter_row_blocks", "Conv", "ConvTranspose", "conv", "conv_transpose")
SHAPED = (
    "ConvGeometry",
    "ConvGeometry.transposed",
    "conv_matrix",
    "iter_row_blocks",
    "Conv",
    "ConvTranspose",
)
STACKS = ("vstack", "hstack", "block_diag")
ON_ARRAYS = ("conv", "conv_transpose", "KernelOperator")
PRODUCTS = (
    "A(x)",
    "A @ x",
    "A.dot(x)",
    "A.matvec(x)",
    "A.rmatvec(x)",
    "A.matmat(X)",
    "A.rmatmat(X)",
    *ON_ARRAYS,
)


@dataclass(frozen=True)
class Row:
    """One bad input and what the error must say, in this order or any other."""

    callers: tuple[str, ...]
    bad: dict[str, Any]
    error: type[Exception]
    says: tuple[str, ...]
    name: str

    def tests(self) -> Iterator[Any]:
        for caller in self.callers:
            yield pytest.param(caller, self, id=f"{caller}-{self.name}")


def row(
    callers: str | tuple[str, ...], bad: dict[str, Any], error: type[Exception], *says: str, name: str = ""
) -> Row:
    callers = (callers,) if isinstance(callers, str) else callers
    typed = [
        f"{key} of shape {value.shape}"
        if isinstance(value, np.ndarray)
        else f"{key}={getattr(value, '__name__', repr(value))}"
        for key, value in bad.items()
    ]
    return Row(callers, bad, error, says, name or ", ".join(typed)[:80])


def ints_per_axis(argument: str, minimum: int) -> Iterator[Row]:
    """One int, or one per axis: stride, dilation, and (from 0) padding and output_padding."""
    callers = BACKWARD if argument == "output_padding" else GEOMETRY
    least, below = f"at least {minimum}", minimum - 1
    for value, kind in [
        (True, "bool"),
        (2.0, "float"),
        (np.float64(2), "float64"),
        (1j, "complex"),
        (float("nan"), "float"),
        (None, "NoneType"),
        (b"2", "bytes"),
        ({1: 2}, "dict"),
        ({1, 2}, "set"),
        (int, "type"),
    ]:
        yield row(callers, {argument: value}, TypeError, f"{argument}={value!r}: ", least, kind)
    if argument != "padding":
        yield row(callers, {argument: "2"}, TypeError, f"{argument}='2': ", least, "str")
    yield row(
        callers, {argument: iter([1, 1])}, TypeError, f"{argument}=", least, name=f"{argument}=iterator"
    )
    yield row(callers, {argument: below}, ValueError, f"{argument}={below}: ", least, f"got {below}")
    yield row(callers, {argument: -7}, ValueError, f"{argument}=-7: ", least, "got -7")
    yield row(callers, {argument: 2**63}, ValueError, f"{argument}={2**63}: ", "at most 2**63 - 1")
    yield row(callers, {argument: 10**30}, ValueError, f"{argument}=", "at most 2**63 - 1")
    for value in ((), [], (1,), (1, 1, 1), np.array([1, 1, 1])):
        count = f"got {len(value)}"
        yield row(
            callers, {argument: value}, ValueError, f"{argument}={value!r}: ", "per spatial axis", "2", count
        )
    for value, kind in [((1, True), "bool"), ((1, 2.0), "float"), ((1, None), "NoneType"), ((1, "2"), "str")]:
        yield row(callers, {argument: value}, TypeError, f"{argument}={value!r}: ", "axis 1 ", least, kind)
    yield row(callers, {argument: (1, below)}, ValueError, f"{argument}=(1, {below}): ", "axis 1 ", least)
    yield row(
        callers, {argument: [2**63, 1]}, ValueError, f"{argument}=[{2**63}, 1]: ", "axis 0 ", "2**63 - 1"
    )
    if argument != "padding":
        yield row(
            callers, {argument: [[1], [1, 2]]}, TypeError, f"{argument}=[[1], [1, 2]]: ", "axis 0 ", least
        )
        yield row(callers, {argument: [[1, 1]]}, ValueError, f"{argument}=[[1, 1]]: ", "2 of them", "got 1")


def shapes(argument: str, callers: tuple[str, ...]) -> Iterator[Row]:
    rule = "a shape is an int or a sequence of ints"
    for value in (True, 2.0, None, "55", {5: 5}, {5}):
        yield row(
            callers, {argument: value}, TypeError, f"{argument}={value!r}: ", rule, type(value).__name__
        )
    for value, kind in [
        ((5, 5.0), "float"),
        ((5, True), "bool"),
        ((5, None), "NoneType"),
        ((5, (5,)), "tuple"),
    ]:
        yield row(callers, {argument: value}, TypeError, f"{argument}={value!r}: ", "axis 1 ", kind)
    yield row(
        callers, {argument: (5, 0)}, ValueError, f"{argument}=(5, 0): ", "axis 1 ", "at least 1", "got 0"
    )
    yield row(callers, {argument: (-5, 5)}, ValueError, f"{argument}=(-5, 5): ", "axis 0 ", "at least 1")
    yield row(callers, {argument: 0}, ValueError, f"{argument}=0: ", "at least 1")
    yield row(callers, {argument: (5, 2**63)}, ValueError, f"{argument}=(5, {2**63}): ", "at most 2**63 - 1")


def other_names() -> Iterator[Row]:
    """Boundary conditions under the names of numpy, scipy, torch, Keras, MATLAB, PyWavelets."""
    for theirs, ours in {
        "circular": "wrap",
        "periodic": "wrap",
        "grid-wrap": "wrap",
        "CIRCULAR": "wrap",
        "replicate": "edge",
        "nearest": "edge",
        "mirror": "reflect",
        "symm": "symmetric",
        "grid-mirror": "symmetric",
        "fill": "zeros",
        "constant": "zeros",
        "zero": "zeros",
        "grid-constant": "zeros",
        "odd": "antireflect",
    }.items():
        bad = {"boundary": theirs}
        yield row(
            GEOMETRY, bad, ValueError, f"boundary={theirs!r}: ", "'zeros', 'wrap', ", f"is {ours!r} here"
        )


def dtypes(argument: str, callers: tuple[str, ...]) -> Iterator[Row]:
    supported = "float32, float64, complex64, complex128 and the integers"
    for value in ("nope", 3, "2", [1, 2], {"a": 1}):
        yield row(callers, {argument: value}, TypeError, f"{argument}={value!r}: ", supported)
    for value in ("float16", "O", "U3", "M8[s]", "bool", "longdouble", "clongdouble", "i8,f4", object):
        yield row(callers, {argument: value}, TypeError, f"{argument}={value!r}: ", supported)


def arrays(argument: str, callers: tuple[str, ...]) -> Iterator[Row]:
    """What is no array of numbers, given as a weight or as an operand."""
    supported = "float32, float64, complex64, complex128 and the integers"
    ones = np.ones((2, 2))

    def bad(name: str, value: Any, error: type[Exception], *says: str) -> Row:
        return row(callers, {argument: value}, error, *says, name=f"{argument} is {name}")

    for dtype in ("float16", "object", "datetime64[s]", "timedelta64[s]", "longdouble", "clongdouble"):
        yield bad(dtype, ones.astype(np.int64).astype(dtype), TypeError, str(np.dtype(dtype)), supported)
    yield bad("float16, and how to go on", ones.astype("float16"), TypeError, "astype(np.float32)")
    yield bad("an array of str", np.array([["a"]]), TypeError, "<U1", supported)
    yield bad("a list of str", [["1", "2"]], TypeError, "<U1", supported)
    yield bad("structured", np.zeros((2, 2), "i4,f4"), TypeError, supported)
    yield bad("masked", np.ma.array(ones, mask=[[1, 0], [0, 0]]), TypeError, "masked array", ".filled(0)")
    yield bad("masked, nothing hidden", np.ma.array(ones), TypeError, "masked array", ".filled(0)")
    yield bad("sparse", csr_array(ones), TypeError, "sparse csr_array", "dense", ".toarray()")
    yield bad("ragged", [[1, 2], [3]], ValueError, "=[[1, 2], [3]]", "all rows have one length")
    yield bad("None", None, ValueError, "=None", "an array of numbers")
    yield bad("a dict", {0: 1}, ValueError, "={0: 1}", "an array of numbers")
    yield bad("a set", {1}, ValueError, "={1}", "an array of numbers")
    yield bad("a generator", (i for i in range(4)), ValueError, "=<generator", "an array of numbers")
    yield bad("a list of Decimal", [Decimal(1)], ValueError, "Decimal('1')", "an array of numbers")
    yield bad("a date", date(2000, 1, 1), ValueError, "datetime.date(2000, 1, 1)", "an array of numbers")
    yield bad("too deep", eval("[" * 70 + "1" + "]" * 70), ValueError, "an array of numbers", "64")
    if argument == "weight":
        beyond = np.array([[2**63]], np.uint64)
        yield bad("uint64 beyond int64", beyond, OverflowError, str(2**63), "int64", "floats")


def of_dask() -> Iterator[Row]:
    """What an operator on dask arrays refuses before any task runs; nothing where Dask is missing."""
    if importlib.util.find_spec("dask") is None:
        return
    import dask
    import dask.array as da

    for value, kind in [(2.0, "float"), (None, "NoneType"), ("64MiB", "str"), ({0: 2}, "dict")]:
        yield row("DaskConv", {"chunks": value}, TypeError, f"chunks={value!r}: ", "-1 for one chunk", kind)
        yield row("DaskConv", {"chunks": (2, value)}, TypeError, "chunks=(2, ", "axis 1", kind)
    yield row("DaskConv", {"chunks": True}, TypeError, "chunks=True: ", "at least 1", "bool")
    for number in (0, -2):
        yield row("DaskConv", {"chunks": number}, ValueError, f"chunks={number}: ", "at least 1")
        yield row("DaskConv", {"chunks": ((2, 2), (4, number))}, ValueError, "axis 1", f"got {number}")
    for chunks, total in [(((2, 2), (2, 1)), 3), (((2, 2), (4, 1)), 5), ((2, ()), 0)]:
        says = (f"chunks={chunks}: ", "must cover", "axis 1", f"up to {total}", "4")
        yield row("DaskConv", {"chunks": chunks}, ValueError, *says)
    for chunks in [(), (2,), (2, 2, 2), [2, 2, 2]]:
        says = (f"chunks={chunks}: ", "per spatial axis", "2 of them", f"got {len(chunks)}")
        yield row("DaskConv", {"chunks": chunks}, ValueError, *says)
    of_channels = {"weight": np.ones((4, 3, 2, 2)), "input_shape": (3, 5, 5)}
    says = ("chunks=(2, 4, 4): ", "channel axis stays whole", "-1", "4")
    yield row("DaskConv", {**of_channels, "chunks": (2, 4, 4)}, ValueError, *says, name="channels cut")
    says = ("chunks=(4,): ", "2 of them", "output_shape (4, 4, 4)", "got 1")
    yield row("DaskConv", {**of_channels, "chunks": (4,)}, ValueError, *says, name="chunks of channels alone")
    yield row("DaskConv", {"weight": None}, ValueError, "weight=None", "array of numbers")
    yield row("DaskConv", {"method": "direct"}, ValueError, "method='direct'", "'gemm'")
    yield row("DaskConv", {"padding": "same ", "stride": 0}, ValueError, "stride=0: ", "at least 1")

    ones = da.ones((5, 5), chunks=3)
    called = ("DaskConv(x)", "Conv(x), x on Dask")
    unknown = ones[ones.sum(axis=1) > 0]
    for name, x, error, says in [
        ("unknown chunks", unknown, ValueError, ("unknown (nan)", "x.compute_chunk_sizes()")),
        ("float16", ones.astype("float16"), TypeError, ("float16", "astype(np.float32)")),
        ("objects", ones.astype(object), TypeError, ("dtype object", "float32, float64")),
        ("dates", ones.astype("datetime64[s]"), TypeError, ("datetime64", "float32, float64")),
        ("masked", da.ma.masked_array(ones, mask=ones > 0), TypeError, ("MaskedArray", "numpy arrays")),
        ("of another shape", da.ones((5, 4)), ValueError, ("(5, 4)", "input_shape (5, 5)")),
        ("of the output's shape", da.ones((4, 4)), ValueError, ("(4, 4)", "did you mean A.H(x)?")),
        ("delayed", dask.delayed(1), TypeError, ("x=Delayed(", "must be a dask array", "from_delayed")),
    ]:
        yield row(called, {"x": x}, error, *says, name=f"x is {name}")
    yield row("DaskConv(x)", {"x": None}, ValueError, "x=None", "array of numbers")
    for x in (ONES.ravel(), ones, 2.0):
        yield row(("DaskConv @ x", "x @ DaskConv"), {"x": x}, TypeError, "(5, 5)", "A(x)", "tears")
    yield row("DaskConv @ x", {"x": A}, TypeError, "x=<4x9 Conv", "A(B(x))")
    yield row("DaskConv.from_operator", {"A": K}, TypeError, "A=<16x4 Kernel", "Conv", "KernelOperator")
    yield row("DaskConv.from_operator", {"A": A + A}, TypeError, "A=", "Conv", "apply the parts")


OF_CELLS = ("plot_geometry", "animate_geometry")
SPECTRAL = ("singular_values", "spectral_route")
TABLE: list[Row] = [
    *of_dask(),
    # -------------------------------------------------------------------------------------------- pictures
    *(
        row("spy", {"op": op}, TypeError, "must be an operator of convops", type(op).__name__, "probe_matrix")
        for op in (None, 3, ONES, aslinearoperator(ONES), "A", coo_array(np.ones(3)), Conv)
    ),
    *(row("spy", {name: 1}, TypeError, f"{name}=1: ", "True or False") for name in ("legend", "lines")),
    row("spy", {"op": ConvGeometry(3, 5, padding=2**61, stride=2)}, ValueError, f"{2**61}", "smaller"),
    *(
        row(
            OF_CELLS,
            {"op": op},
            TypeError,
            "geometry=",
            "ConvGeometry, a Conv",
            type(op).__name__,
            "A.geometry",
        )
        for op in (None, (3, 3), ONES, K, 2 * A)
    ),
    row(
        OF_CELLS, {"op": ConvGeometry((1, 1, 1), (2, 2, 2))}, ValueError, "1 or 2 spatial", "it has 3", "[:2]"
    ),
    row(OF_CELLS, {"op": ConvGeometry(3, 2501)}, ValueError, "2501 cells", "at most 2500", "smaller input"),
    row(
        OF_CELLS, {"op": ConvGeometry(3, 5, padding=2**60)}, ValueError, f"{2**61 + 5} cells", "at most 2500"
    ),
    row(OF_CELLS, {"op": ConvGeometry(1, 2**61, stride=2**60)}, ValueError, "at most 2500"),
    row(OF_CELLS, {"transposed": 1}, TypeError, "transposed=1: ", "True or False", "int"),
    *(
        row("plot_geometry", {"outputs": outputs}, error, f"outputs={outputs!r}: ", *says)
        for outputs, error, *says in (
            ((0, 2), ValueError, "axis 1 has 2 outputs", "from 0 to 1", "got 2"),
            ([(0, 0), (2, 0)], ValueError, "axis 0 has 2 outputs", "got 2"),
            ((0, -1), ValueError, "axis 1 ", "at least 0"),
            (0, ValueError, "2 number(s)", "(2, 2)", "got 1"),
            ([(0, 0, 0)], ValueError, "2 number(s)", "without the channel", "got 3"),
            ((0, 1.0), TypeError, "axis 1 ", "int", "float"),
            ("all", ValueError, "2 number(s)", "('all',)"),
        )
    ),
    row("animate_geometry", {"interval": 0}, ValueError, "interval=0: ", "at least 1"),
    row("animate_geometry", {"interval": 0.5}, TypeError, "interval=0.5: ", "int"),
    row("plot_transpose", {"x": np.ones((1, 2, 2))}, ValueError, "(1, 2, 2)", "1 or 2 axes", "x[i]"),
    row("plot_transpose", {"weight": np.ones((1, 1, 2, 2))}, ValueError, "(1, 1, 2, 2)", "weight[i, o]"),
    row("plot_transpose", {"x": np.ones((5, 4))}, ValueError, "20 entries", "1 to 16", "part of x"),
    row("plot_transpose", {"x": np.ones((0, 4))}, ValueError, "0 entries", "1 to 16"),
    row(
        "plot_transpose",
        {"stride": 30},
        ValueError,
        "(32, 32)",
        "1024 cells",
        "at most 400",
        "smaller stride",
    ),
    row("plot_transpose", {"stride": 0}, ValueError, "stride=0: ", "at least 1"),
    row("plot_transpose", {"x": [["a"]]}, TypeError, "<U1", "float32"),
    row("plot_spectrum", {"op": []}, ValueError, "A=[]: ", "one operator at least"),
    *(
        row("plot_spectrum", {"op": op}, TypeError, "takes a Conv or a ConvTranspose", "svds")
        for op in (None, ONES, 2 * A, [A, None])
    ),
    row("plot_spectrum", {"k": 5}, ValueError, "k=5: ", "has 4 singular values"),
    row("plot_spectrum", {"k": 0}, ValueError, "k=0: ", "at least 1"),
    row("plot_spectrum", {"labels": ["a", "b"]}, ValueError, "labels=['a', 'b']: ", "1 of them", "got 2"),
    row("plot_spectrum", {"labels": 3}, TypeError, "labels=3: ", "str"),
    *(
        row(
            "plot_adjoint_report",
            {"report": report},
            TypeError,
            "report=",
            "AdjointReport",
            type(report).__name__,
        )
        for report in (None, True, "passed", A)
    ),
    # ---------------------------------------------------------------------------------- what is known of W
    *(
        row("A.norm", {"ord": ord}, ValueError, f"ord={ord!r}: ", "'fro', 1 or numpy.inf")
        for ord in (2, -1, 0.5, None, True, "nuc", "1", [1], np.ones(2), ())
    ),
    *(
        row(
            SPECTRAL if isinstance(op, type(2 * A) | type(A + A)) else (*SPECTRAL, "operator_norm"),
            {"op": op},
            TypeError,
            "takes a Conv or a ConvTranspose",
            type(op).__name__,
            "svds",
        )
        for op in (None, 3, ONES, csr_array(ONES), aslinearoperator(ONES), 2 * A, A + A, "A")
    ),
    row(SPECTRAL, {"op": Conv}, TypeError, "takes a Conv or a ConvTranspose", "type"),
    row(SPECTRAL, {"k": 5}, ValueError, "k=5: ", "<4x9 Conv", "has 4 singular values", "at most"),
    *(row(SPECTRAL, {"k": k}, ValueError, f"k={k}: ", "at least 1") for k in (0, -1)),
    *(row(SPECTRAL, {"k": k}, TypeError, "k=", "must be an int") for k in (2.0, True, "2", [2], np.ones(2))),
    *(
        row(
            SPECTRAL,
            {"op": Conv(np.ones((3, 3)), (2000, 2000)), **more},
            ValueError,
            "no structure",
            "bytes",
            "Ask for the k largest",
            name=f"a large W, {more}",
        )
        for more in ({}, {"k": 1998 * 1998})
    ),
    # ------------------------------------------------------------------------------ stride, dilation, padding
    *ints_per_axis("stride", 1),
    *ints_per_axis("dilation", 1),
    *ints_per_axis("padding", 0),
    *ints_per_axis("output_padding", 0),
    *(
        row(
            GEOMETRY,
            {"padding": name},
            ValueError,
            f"padding={name!r}: ",
            "'valid', 'same', 'same_lower', 'full'",
        )
        for name in ("2", "", "Same", "reflect", "samesame")
    ),
    *(
        row(GEOMETRY, {"padding": theirs}, ValueError, f"padding={theirs!r}: ", f"is {ours!r} here")
        for theirs, ours in {"SAME_UPPER": "same", "same_upper": "same", "NOTSET": "valid"}.items()
    ),
    row(GEOMETRY, {"padding": ["same", "same"]}, TypeError, "padding=['same', 'same']: ", "axis 0 ", "str"),
    row(
        GEOMETRY,
        {"padding": (1, (1, 1))},
        ValueError,
        "padding=(1, (1, 1)): ",
        "(before, after)",
        "2 of them",
    ),
    row(
        GEOMETRY,
        {"padding": [(1, 1)]},
        ValueError,
        "padding=[(1, 1)]: ",
        "(before, after)",
        "2 of them",
        "got 1",
    ),
    row(GEOMETRY, {"padding": [[1], [1, 1]]}, ValueError, "padding=[[1], [1, 1]]: ", "(before, after)"),
    row(
        GEOMETRY,
        {"padding": [[1, 1, 1], [1, 1]]},
        ValueError,
        "padding=[[1, 1, 1], [1, 1]]: ",
        "(before, after)",
    ),
    row(GEOMETRY, {"padding": ((1, 1), (0, -1))}, ValueError, "axis 1, after", "at least 0", "got -1"),
    row(GEOMETRY, {"padding": ((1.0, 1), (0, 1))}, TypeError, "axis 0, before", "int", "float"),
    row(GEOMETRY, {"padding": ((0, 1), (True, 1))}, TypeError, "axis 1, before", "int", "bool"),
    row(GEOMETRY, {"padding": (1, 1, 1, 1)}, ValueError, "padding=(1, 1, 1, 1): ", "2 of them", "got 4"),
    # ------------------------------------------------------------------------------------ groups and channels
    *(
        row(
            GEOMETRY,
            {"groups": value},
            TypeError,
            f"groups={value!r}: ",
            "int of at least 1",
            type(value).__name__,
        )
        for value in (True, 2.0, np.float64(2), "2", None, (1,), [[1]], (), {1: 2}, {1})
    ),
    row(GEOMETRY, {"groups": 0}, ValueError, "groups=0: ", "at least 1"),
    row(GEOMETRY, {"groups": -1}, ValueError, "groups=-1: ", "at least 1"),
    row(GEOMETRY, {"groups": 2**63}, ValueError, f"groups={2**63}: ", "at most 2**63 - 1"),
    row(GEOMETRY, {"groups": 2}, ValueError, "groups=2: ", "no channel axis", "(C_in, *spatial)"),
    *(
        row(
            caller,
            {"weight_shape": (3, 2, 2), "input_shape": (4, 5), "groups": 2},
            ValueError,
            "groups=2: ",
            *says,
        )
        for caller, says in {
            "ConvGeometry": ("must divide 3", "(3, 2, 2)", "leaves 1"),
            "ConvGeometry.transposed": ("must divide 3", "(3, 2, 2)", "leaves 1"),
        }.items()
    ),
    row(
        "ConvGeometry",
        {"weight_shape": (3, 2, 2), "input_shape": (5, 8)},
        ValueError,
        "input_shape=(5, 8): ",
        "C_in = 2",
        "(3, 2, 2)",
        "got 5",
        "(C_out, C_in // groups, *kernel), and the input (C_in, *spatial).",
    ),
    *(
        row(
            callers,
            {shaped: value, "channel_axis": axis},
            error,
            *says,
            name=f"channel_axis={axis!r} of {len(np.shape(value)) if shaped == 'x' else len(value)} axes",
        )
        for callers, shaped, make in [
            (("conv_matrix", "Conv", "ConvTranspose"), "input_shape", tuple),
            (ON_ARRAYS, "x", np.ones),
        ]
        for value, axis, error, says in [
            (make((9, 8, 3)), 3, ValueError, ("channel_axis=3: ", "-3 to 2; got 3")),
            (make((9, 8, 3)), -4, ValueError, ("channel_axis=-4: ", "at least -3; got -4")),
            (make((9, 8, 3)), 1.0, TypeError, ("channel_axis=1.0: it must be an int",)),
            (make((9, 8, 3)), "last", TypeError, ("channel_axis='last': it must be an int",)),
            (make((9, 8)), -1, ValueError, ("channel_axis=-1: ", "(2, 2)", "have 1 (kernel alone", "or 3 (")),
            (make((9, 8, 7, 3)), -1, ValueError, ("have 3 (kernel alone", "or 5 (C_out")),
        ]
    ),
    row(
        ("conv_matrix", "Conv"),
        {"input_shape": (9, 1, 3), "channel_axis": -1},
        ValueError,
        "a weight of shape (2, 2): axis 1 of the kernel does not fit",
    ),
    row(
        ("conv_matrix", "Conv", "conv", "KernelOperator"),
        {"groups": 3, "channel_axis": -1},
        ValueError,
        "channel_axis=-1",
        name="channel_axis, groups of one kernel, two axes",
    ),
    *(
        row(
            caller,
            {argument: value, shaped: (64, 60, 3) if shaped == "input_shape" else np.ones((64, 60, 3))},
            ValueError,
            says,
            "got 64. ",
            "The last axis has 3: if it holds the channels, an operator takes channel_axis=-1",
            "a ConvGeometry the shape (3, 64, 60).",
            name="channels last",
        )
        for caller, argument, value, shaped, says in [
            ("ConvGeometry", "weight_shape", (8, 3, 3, 3), "input_shape", "C_in = 3 channels"),
            ("Conv", "weight", np.ones((8, 3, 3, 3)), "input_shape", "C_in = 3 channels"),
            ("conv", "weight", np.ones((8, 3, 3, 3)), "x", "C_in = 3 channels"),
            ("ConvTranspose", "weight", np.ones((3, 8, 3, 3)), "input_shape", "reads 3 channels"),
            ("conv_transpose", "weight", np.ones((3, 8, 3, 3)), "x", "reads 3 channels"),
        ]
    ),
    row(
        "ConvGeometry",
        {"weight_shape": (4, 2, 2), "input_shape": (2, 8), "groups": 2},
        ValueError,
        "input_shape=(2, 8): ",
        "C_in = 4",
        "2 in each of 2 group(s)",
        "got 2",
    ),
    row(
        "ConvGeometry.transposed",
        {"weight_shape": (3, 2, 2), "input_shape": (2, 8)},
        ValueError,
        "input_shape=(2, 8): ",
        "reads 3 channels",
        "(3, 2, 2)",
        "(C_in, C_out // groups, *kernel)",
        "got 2",
    ),
    row(
        "conv_matrix", {"weight": np.ones((3, 2, 2)), "input_shape": (5, 8)}, ValueError, "C_in = 2", "got 5"
    ),
    row("Conv", {"weight": np.ones((3, 2, 2)), "input_shape": (5, 8)}, ValueError, "C_in = 2", "got 5"),
    row(
        "ConvTranspose",
        {"weight": np.ones((3, 2, 2)), "input_shape": (2, 8)},
        ValueError,
        "3 channels",
        "got 2",
    ),
    row("conv", {"weight": np.ones((3, 2, 2)), "x": np.ones((5, 8))}, ValueError, "C_in = 2", "got 5"),
    row(
        "conv_transpose",
        {"weight": np.ones((3, 2, 2)), "x": np.ones((2, 8))},
        ValueError,
        "3 channels",
        "got 2",
    ),
    # ----------------------------------------------------------------------------------------------- boundary
    *other_names(),
    *(
        row(GEOMETRY, {"boundary": name}, ValueError, f"boundary={name!r}: ", "'zeros', 'wrap', 'reflect'")
        for name in ("unknown", "", "Zeros", "linear_ramp", "2")
    ),
    *(
        row(
            GEOMETRY, {"boundary": value}, TypeError, f"boundary={value!r}: ", "'zeros'", type(value).__name__
        )
        for value in (None, True, 0, 2.0, b"wrap", {"wrap": 1}, {"wrap"})
    ),
    row(GEOMETRY, {"boundary": ()}, ValueError, "boundary=(): ", "2 of them", "got 0"),
    row(
        GEOMETRY,
        {"boundary": ["wrap"]},
        ValueError,
        "boundary=['wrap']: ",
        "one name per spatial axis",
        "got 1",
    ),
    row(GEOMETRY, {"boundary": ("wrap",) * 3}, ValueError, "one name per spatial axis", "2 of them", "got 3"),
    row(GEOMETRY, {"boundary": ("wrap", "mirror")}, ValueError, "'mirror'", "is 'reflect' here"),
    row(GEOMETRY, {"boundary": ("wrap", None)}, TypeError, "boundary=", "None", "'zeros'", "NoneType"),
    row(GEOMETRY, {"boundary": (("wrap",), "edge")}, TypeError, "('wrap',)", "'zeros'", "tuple"),
    # ------------------------------------------------------------------------------------------------- shapes
    *shapes("weight_shape", ("ConvGeometry", "ConvGeometry.transposed")),
    *shapes("input_shape", SHAPED),
    *shapes("shape", ("identity",)),
    # ------------------------------------------------------------------------------------------------ algebra
    row(STACKS, {"operators": A}, TypeError, "operators=<4x9 Conv", "a list of operators", "got Conv"),
    row(STACKS, {"operators": []}, ValueError, "operators=[]: ", "at least one", "none"),
    row(STACKS, {"operators": "AB"}, TypeError, "operators='AB': ", "a list of operators", "got str"),
    row(STACKS, {"operators": None}, TypeError, "operators=None: ", "a list of operators", "got NoneType"),
    row(
        STACKS,
        {"operators": [A, 1]},
        TypeError,
        "operators[1] is a int",
        "linear operator",
        "aslinearoperator",
    ),
    row(STACKS, {"operators": [ONES]}, TypeError, "operators[0] is a ndarray", "aslinearoperator"),
    row(
        ("vstack", "hstack"),
        {"operators": [A, A.T]},
        ValueError,
        "stack([Conv[4x9], ConvTranspose[9x4]]): ",
        "must have one ",
        "(3, 3)",
        "(2, 2)",
        "elements",
    ),
    row("c * A", {"scalar": float("inf")}, ValueError, "scalar=inf: ", "finite entries"),
    row(
        "c * A", {"scalar": Decimal(1)}, TypeError, "scalar=Decimal('1'): ", "an int, a float", "got Decimal"
    ),
    row("c * A", {"scalar": 2**64}, OverflowError, f"scalar={2**64}: ", "2**63 - 1", "Give a float"),
    row("c * A", {"scalar": np.float16(1)}, TypeError, "scalar=", "float16", "float()"),
    *(each for each in shapes("output_shape", BACKWARD) if each.bad["output_shape"] is not None),
    row(SHAPED, {"input_shape": 5}, ValueError, "input_shape=", "(2, 2)", "2 axes", "which are 1"),
    row(SHAPED, {"input_shape": (5, 5, 5)}, ValueError, "input_shape=(5, 5, 5)", "(2, 2)", "which are 3"),
    row(SHAPED, {"input_shape": ()}, ValueError, "input_shape=()", "(2, 2)", "which are 0"),
    row(WEIGHTED, {"weight": [1, 2]}, ValueError, "(5, 5)", "a weight of shape (2,) has 1 axes"),
    row(WEIGHTED, {"weight": np.ones((1, 1, 1, 2, 2))}, ValueError, "(5, 5)", "has 5 axes", "which are 2"),
    row(
        ("conv_matrix", "Conv", "conv"),
        {"weight": np.ones((1, 1, 2))},
        ValueError,
        "(5, 5)",
        "C_in = 1",
        "got 5",
    ),
    row(
        "ConvGeometry",
        {"weight_shape": (2, 1), "input_shape": 5},
        ValueError,
        "(2, 1)",
        "at least one spatial axis",
    ),
    row(WEIGHTED, {"weight": 3.0}, ValueError, "weight has shape ()", "at least one axis"),
    row(WEIGHTED, {"weight": []}, ValueError, "weight has shape (0,)", "at least one tap"),
    row(WEIGHTED, {"weight": np.ones((2, 0))}, ValueError, "weight has shape (2, 0)", "at least one tap"),
    row(ON_ARRAYS, {"x": np.ones((5, 0))}, ValueError, "(5, 0)", "axis 1 must be at least 1"),
    row(ON_ARRAYS, {"x": 3.0}, ValueError, "x of shape ()", "at least one"),
    # ------------------------------------------------------------------ a kernel larger than the padded input
    row(
        ("conv_matrix", "Conv", "conv"),
        {"weight": np.ones((7, 2))},
        ValueError,
        "(7, 2)",
        "axis 0 of the kernel",
        "dilation * (kernel - 1) + 1 = 1 * (7 - 1) + 1 = 7 positions",
        "5 + 0 + 0 = 5",
        "Pad by at least 2 more",
    ),
    row(
        ("conv_matrix", "Conv", "conv"),
        {"dilation": (1, 6), "padding": ((0, 0), (0, 1))},
        ValueError,
        "axis 1",
        "6 * (2 - 1) + 1 = 7 positions",
        "5 + 0 + 1 = 6",
        "Pad by at least 1 more",
        "smaller kernel or dilation",
    ),
    row(
        "ConvGeometry",
        {"weight_shape": (2, 8), "padding": 1},
        ValueError,
        "a weight of shape (2, 8): ",
        "axis 1",
        "8 positions",
        "5 + 1 + 1 = 7",
        "Pad by at least 1 more",
    ),
    row(
        BACKWARD,
        {"padding": 4},
        ValueError,
        "padding=4: ",
        "axis 0 of the transpose",
        "size -2",
        "input size 5, kernel 2, stride 1, padding (4, 4)",
        "Remove less",
    ),
    row(
        BACKWARD,
        {"padding": np.array([[0, 0], [4, 4]])},
        ValueError,
        "padding=array(",
        "axis 1",
        "size -2",
        "Remove less",
    ),
    # ------------------------------------------------------------------------ output_padding and output_shape
    row(BACKWARD, {"output_padding": 1}, ValueError, "output_padding=1: ", "less than its stride 1", "got 1"),
    row(
        BACKWARD,
        {"output_padding": (0, 2), "stride": 2},
        ValueError,
        "output_padding=(0, 2): ",
        "axis 1",
        "stride 2",
    ),
    row(
        BACKWARD,
        {"output_padding": 1, "output_shape": (11, 11), "stride": 2},
        ValueError,
        "output_padding=1: ",
        "output_shape",
        "give one of them",
    ),
    row(
        BACKWARD,
        {"output_padding": 1, "padding": "same", "stride": 2},
        ValueError,
        "output_padding=1: ",
        "padding='same'",
        "(10, 10)",
        "output_shape",
    ),
    row(
        BACKWARD,
        {"output_shape": (10, 30), "stride": 2},
        ValueError,
        "output_shape=(10, 30): ",
        "axis 1 cannot be 30",
        "input size 5, kernel 2, stride 2, padding (0, 0)",
        "10 (output_padding=0) or 11 (output_padding=1)",
    ),
    row(
        BACKWARD,
        {"output_shape": (9, 8), "stride": 2, "padding": 1, "dilation": 2},
        ValueError,
        "(9, 8): ",
        "axis 1 cannot be 8",
        "dilation 2",
        "padding (1, 1)",
        "9 (output_padding=0) or 10 (output_padding=1)",
    ),
    row(
        BACKWARD,
        {"output_shape": (8, 30), "stride": 2, "padding": np.array([1, 1])},
        ValueError,
        "output_shape=(8, 30): ",
        "axis 1 cannot be 30",
        "8 (output_padding=0) or 9 (output_padding=1)",
    ),
    row(
        BACKWARD,
        {"output_shape": (10, 8), "stride": 2, "padding": "same"},
        ValueError,
        "(10, 8): ",
        "axis 1 cannot be 8",
        "padding 'same'",
        "9 to 10",
    ),
    row(BACKWARD, {"output_shape": 7, "stride": 2**60}, ValueError, "output_shape=7: ", "2 of them", "got 1"),
    row(
        BACKWARD,
        {"output_shape": (7, 1), "stride": 2**60},
        ValueError,
        "axis 0 cannot be 7",
        "(output_padding=0)",
        "so on to",
    ),
    row(BACKWARD, {"output_shape": ()}, ValueError, "output_shape=(): ", "2 of them", "got 0"),
    row(BACKWARD, {"output_shape": (1, 6, 6)}, ValueError, "output_shape=(1, 6, 6): ", "2 of them", "got 3"),
    row(
        "ConvTranspose",
        {"weight": np.ones((5, 3, 2)), "output_shape": (9, 6)},
        ValueError,
        "output_shape=(9, 6): ",
        "returns 3 channels",
        "got 9",
    ),
    # ----------------------------------------------------------------------------------------- dtype of sorts
    *dtypes("dtype", ("KernelOperator",)),
    *shapes("weight_shape", ("KernelOperator",)),
    *arrays("x", ("K(w)", "K.H(y)", "K @ w")),
    row(("KernelOperator",), {"weight_shape": 2}, ValueError, "(5, 5)", "shape (2,) has 1 axes"),
    row(("KernelOperator",), {"weight_shape": (1, 1, 1, 2, 2)}, ValueError, "(5, 5)", "has 5 axes"),
    row(
        ("KernelOperator",),
        {"weight_shape": (6, 2)},
        ValueError,
        "a weight of shape (6, 2)",
        "6 positions",
        "has 5",
    ),
    row(
        ("KernelOperator",),
        {"weight_shape": ONES},
        TypeError,
        "an array was given where its shape is asked for",
    ),
    row(
        ("KernelOperator",),
        {"x": [[1, np.nan]] * 2},
        ValueError,
        "x is not finite at 2",
        "x[0, 1] = nan",
        "nan_to_num(x)",
    ),
    row(
        ("KernelOperator",),
        {"x": ONES, "dtype": int},
        TypeError,
        "dtype=int64: x has dtype float64",
        "fractions",
        "convert x",
    ),
    row(
        ("KernelOperator",),
        {"x": [[1e300] * 2] * 2, "dtype": "f4"},
        OverflowError,
        "x[0, 0] = 1e+300",
        "float32",
    ),
    row(("KernelOperator",), {"x": [[300] * 2] * 2, "dtype": "i1"}, OverflowError, "dtype=int8: x holds 300"),
    row(
        ("KernelOperator",),
        {"x": np.ones((0, 5, 5)), "batch_dims": 1},
        ValueError,
        "(0, 5, 5)",
        "at least one item",
        "axis 0",
    ),
    row(
        ("KernelOperator",),
        {"x": [[2**62] * 2] * 2, "padding": 3, "boundary": "antireflect"},
        OverflowError,
        "extension",
        "int64",
    ),
    row(("KernelOperator",), {"method": "sparse"}, ValueError, "method='sparse': ", "'auto', 'gemm', 'fft'"),
    row(("KernelOperator",), {"method": "im2col"}, ValueError, "method='im2col': ", "is 'gemm' here"),
    row(("KernelOperator",), {"method": None}, TypeError, "Leave method out for 'auto'"),
    row(
        ("KernelOperator",),
        {"x": [[1] * 2] * 2, "method": "fft"},
        ValueError,
        "transforms round",
        "method='gemm'",
    ),
    row(("KernelOperator",), {"flip": 1}, TypeError, "flip=1: ", "True or False", "int"),
    row(("K(w)",), {"x": np.ones((4, 4))}, ValueError, "input_shape (2, 2)", "did you mean A.H(x)"),
    row(("K(w)",), {"x": np.ones(4)}, ValueError, "x.reshape(A.input_shape)"),
    row(("K.H(y)",), {"x": np.ones((2, 2))}, ValueError, "input_shape (4, 4)"),
    row(("K @ w",), {"x": np.ones((2, 2))}, ValueError, "x has shape (2, 2)", "length 4"),
    *dtypes("dtype", ("ConvGeometry.nbytes", *WEIGHTED, "check_adjoint of functions")),
    row("selection", {"mask": [1, 0]}, TypeError, "mask=[1, 0]", "array of bool", "int64", "!= 0"),
    row("selection", {"mask": True}, ValueError, "mask=True", "shape ()"),
    row("selection", {"mask": [False, False]}, ValueError, "True somewhere", "shape (2,)", "0 are True"),
    row("selection", {"mask": [[True], [True, False]]}, ValueError, "mask=[[True]", "array of bool"),
    *(each for each in dtypes("dtype", ("identity", "selection")) if each.bad["dtype"] is not None),
    row("ConvGeometry.nbytes", {"dtype": None}, TypeError, "dtype=None: ", "float32, float64"),
    *(
        row(
            ("conv_matrix", "iter_row_blocks"),
            {"index_dtype": value},
            TypeError,
            f"index_dtype={value!r}: ",
            "numpy.int32 or numpy.int64",
        )
        for value in ("int16", "uint32", float, "nope", 32, True, (), [1, 2], {1: 2})
    ),
    row(
        "conv_matrix",
        {"weight": [[1.0]], "input_shape": (46341, 46341), "index_dtype": np.int32},
        ValueError,
        "index_dtype=",
        "numpy.int32",
        str(46341**2),
        str(2**31 - 1),
        "numpy.int64",
    ),
    row(
        ("conv_matrix", "iter_row_blocks"),
        {"weight": [1.0], "input_shape": 2**31, "stride": 2**31, "index_dtype": np.int32},
        ValueError,
        "index_dtype=",
        str(2**31),
        "int32 ends at",
        "numpy.int64",
    ),
    row(
        WEIGHTED,
        {"weight": [[1j, 1]], "dtype": float},
        TypeError,
        "dtype=float64: ",
        "complex128",
        "imaginary parts",
    ),
    row(
        WEIGHTED,
        {"weight": [[1j, 1]], "dtype": int},
        TypeError,
        "dtype=int64: ",
        "complex128",
        "imaginary parts",
    ),
    row(WEIGHTED, {"weight": [[1.0, 2]], "dtype": int}, TypeError, "dtype=int64: ", "float64", "fractions"),
    row(
        WEIGHTED,
        {"weight": [[300, 1]], "dtype": np.int8},
        OverflowError,
        "dtype=int8: ",
        "300",
        "-128 and 127",
        "int64",
    ),
    row(
        WEIGHTED, {"weight": [[-1, 1]], "dtype": np.uint8}, OverflowError, "dtype=uint8: ", "-1", "0 and 255"
    ),
    row(
        WEIGHTED,
        {"weight": [[1, 1e300]], "dtype": "f4"},
        OverflowError,
        "dtype=float32: weight[0, 1] = 1e+300",
        "ends at 3.403e+38",
        "wider dtype",
    ),
    row(
        WEIGHTED, {"weight": [[1, 1e300]], "dtype": "c8"}, OverflowError, "weight[0, 1] = 1e+300", "complex64"
    ),
    # ------------------------------------------------------------------------------------- weight and operand
    *arrays("weight", WEIGHTED),
    *arrays("x", PRODUCTS),
    row(
        WEIGHTED,
        {"weight": [[1, np.nan], [np.nan, 1]]},
        ValueError,
        "not finite at 2 place(s)",
        "weight[0, 1] = nan",
        "nan_to_num",
    ),
    row(WEIGHTED, {"weight": [[1, -np.inf]]}, ValueError, "not finite at 1 place(s)", "weight[0, 1] = -inf"),
    row(
        WEIGHTED,
        {"weight": [[1, complex(0, np.nan)]]},
        ValueError,
        "not finite at 1 place(s)",
        "weight[0, 1]",
    ),
    *(
        row(WEIGHTED, {"flip": value}, TypeError, f"flip={value!r}: ", "True or False", type(value).__name__)
        for value in (None, 1, 0.0, "yes", "", [True], np.array(True), {})
    ),
    *(
        row(
            ("Conv", "ConvTranspose"),
            {"method": value},
            error,
            f"method={value!r}: ",
            "'auto', 'sparse', 'gemm'",
        )
        for value, error in [
            ("magic", ValueError),
            ("SPARSE", ValueError),
            ("", ValueError),
            (None, TypeError),
            (True, TypeError),
            (3, TypeError),
            (["gemm"], TypeError),
            (b"gemm", TypeError),
        ]
    ),
    row(("Conv", "ConvTranspose"), {"method": "direct"}, ValueError, "method='direct': ", "is 'gemm' here"),
    row(("Conv", "ConvTranspose"), {"method": "fftt"}, ValueError, "method='fftt': ", "Did you mean 'fft'?"),
    row(("Conv", "ConvTranspose"), {"method": None}, TypeError, "NoneType. Leave method out for 'auto'."),
    row(GEOMETRY, {"boundary": None}, TypeError, "NoneType. Leave boundary out for 'zeros'."),
    row(GEOMETRY, {"boundary": ("wrap", "symetric")}, ValueError, "Did you mean 'symmetric'?"),
    row(GEOMETRY, {"padding": "sam"}, ValueError, "padding='sam': ", "Did you mean 'same'?"),
    *(
        row(ON_ARRAYS, {"batch_dims": value}, TypeError, f"batch_dims={value!r}: ", "an int of at least 0")
        for value in (True, 1.0, None, "1", (1,), [])
    ),
    row(ON_ARRAYS, {"batch_dims": -1}, ValueError, "batch_dims=-1: ", "at least 0"),
    row(ON_ARRAYS, {"batch_dims": 2}, ValueError, "batch_dims=2: ", "(5, 5) has 2 axes", "at least one"),
    row(ON_ARRAYS, {"batch_dims": 2**63}, ValueError, f"batch_dims={2**63}: ", "at most 2**63 - 1"),
    row(ON_ARRAYS, {"batch_dims": 1}, ValueError, "(5,)", "(2, 2)", "2 axes", name="a batch axis too many"),
    row(
        ON_ARRAYS,
        {"x": np.ones((8, 5, 5))},
        ValueError,
        "(8, 5, 5)",
        "(2, 2)",
        "batch_dims",
        name="a batch forgotten",
    ),
    *(
        row(
            ON_ARRAYS,
            {"x": np.ones((*batch, 20, 30, colours)), "batch_dims": len(batch)},
            ValueError,
            "(2, 2)",
            f"If the last axis, of {colours}, holds the channels",
            "channel_axis=-1 has the kernel convolve each of them.",
            name=f"{colours} channels last, {len(batch)} batch axes",
        )
        for batch in ((), (7,))
        for colours in (2, 3, 4)
    ),
    row(
        ON_ARRAYS,
        {"x": np.ones((3, 20, 3))},
        ValueError,
        "One kernel for each channel of (C, *spatial) is batch_dims=1",
        name="three channels first, images of three columns",
    ),
    # ------------------------------------------------------------------------------------------ wrong lengths
    row(
        "A.matvec(x)",
        {"x": np.ones(4)},
        ValueError,
        "x has shape (4,)",
        "length 9",
        "input_shape (3, 3)",
        "length 4 is the output's",
        "did you mean rmatvec?",
    ),
    row(
        "A @ x",
        {"x": np.ones(4)},
        ValueError,
        "length 9",
        "length 4 is the output's",
        "did you mean rmatvec?",
    ),
    row(
        "A.dot(x)",
        {"x": np.ones(4)},
        ValueError,
        "length 9",
        "length 4 is the output's",
        "did you mean rmatvec?",
    ),
    row(
        "A.rmatvec(x)",
        {"x": np.ones(9)},
        ValueError,
        "x has shape (9,)",
        "length 4",
        "output_shape (2, 2)",
        "length 9 is the input's",
        "did you mean matvec?",
    ),
    row(
        "A.matmat(X)", {"x": np.ones((4, 2))}, ValueError, "shape (4, 2)", "length 9", "did you mean rmatmat?"
    ),
    row("A @ x", {"x": np.ones((4, 2))}, ValueError, "shape (4, 2)", "length 9", "did you mean rmatmat?"),
    row(
        "A.rmatmat(X)", {"x": np.ones((9, 2))}, ValueError, "shape (9, 2)", "length 4", "did you mean matmat?"
    ),
    row(("A.matvec(x)", "A @ x", "A.dot(x)"), {"x": np.ones(5)}, ValueError, "(5,)", "length 9", "got 5"),
    row(("A.matvec(x)", "A @ x"), {"x": np.ones(0)}, ValueError, "(0,)", "length 9", "got 0"),
    row(
        ("A.matvec(x)", "A @ x"),
        {"x": np.ones((3, 3))},
        ValueError,
        "(3, 3)",
        "length 9",
        "A(x)",
        "x.ravel()",
    ),
    row(("A.matvec(x)", "A.rmatvec(x)"), {"x": 3.0}, ValueError, "x has shape ()", "length"),
    row("A.matmat(X)", {"x": np.array(3.0)}, ValueError, "shape ()", "length 9"),
    row("A @ x", {"x": np.array(3.0)}, ValueError, "array(3.) is a scalar", "'*'"),
    row("A.matvec(x)", {"x": np.ones((9, 2))}, ValueError, "(9, 2)", "did you mean matmat?"),
    row("A.rmatvec(x)", {"x": np.ones((4, 2))}, ValueError, "(4, 2)", "did you mean rmatmat?"),
    row("A.matmat(X)", {"x": np.ones(9)}, ValueError, "(9,)", "did you mean matvec?"),
    row("A.rmatmat(X)", {"x": np.ones(4)}, ValueError, "(4,)", "did you mean rmatvec?"),
    row(
        "A(x)",
        {"x": np.ones((2, 2))},
        ValueError,
        "(2, 2)",
        "input_shape (3, 3)",
        "output's",
        "did you mean A.H(x)?",
    ),
    row("A.H(x)", {"x": np.ones((3, 3))}, ValueError, "(3, 3)", "input_shape (2, 2)", "did you mean A.H(x)?"),
    row(
        "A(x)", {"x": np.ones(9)}, ValueError, "(9,)", "input_shape (3, 3)", "reshape(A.input_shape)", "A @ x"
    ),
    row("A(x)", {"x": np.ones((3, 3, 2))}, ValueError, "(3, 3, 2)", "last axes must be input_shape (3, 3)"),
    row("A(x)", {"x": 3.0}, ValueError, "shape ()", "input_shape (3, 3)"),
    row(("A @ x", "A.dot(x)"), {"x": "abc"}, ValueError, "'abc'"),
    row("A @ x", {"x": 2}, ValueError, "2 is a scalar", "'*'"),
    row("A @ x", {"x": np.float32(2)}, ValueError, "is a scalar", "'*'"),
    # ------------------------------------------------------------------------------------- integers that grow
    row("conv", {"x": [2**62, 0], "weight": [3]}, OverflowError, str(2**62), "up to 3", "int64", "floats"),
    row("conv_transpose", {"x": [2**62, 0], "weight": [3]}, OverflowError, str(2**62), "int64", "floats"),
    *(
        row(caller, {"x": np.full(shape, -(2**61))}, OverflowError, str(2**61), "up to 10", "int64", "floats")
        for caller, shape in {
            "A(x)": (3, 3),
            "A @ x": 9,
            "A.matvec(x)": 9,
            "A.rmatvec(x)": 4,
            "A.matmat(X)": (9, 2),
            "A.rmatmat(X)": (4, 2),
        }.items()
    ),
    row(
        ("conv_matrix", "iter_row_blocks"),
        {"weight": [100] * 3, "input_shape": 1, "padding": 1, "boundary": "edge", "dtype": np.int8},
        OverflowError,
        "dtype=int8: ",
        "300",
        "127",
        name="int8 folded",
    ),
    row(
        ("conv_matrix", "iter_row_blocks"),
        {"weight": [2**62] * 3, "input_shape": 1, "padding": 1, "boundary": "wrap"},
        OverflowError,
        "int64",
        name="int64 folded",
    ),
    row(
        ("conv_matrix", "iter_row_blocks"),
        {"weight": [2**62] * 3, "input_shape": 3, "padding": 1, "boundary": "antireflect"},
        OverflowError,
        "int64",
        name="int64 doubled",
    ),
    row(
        ("conv_matrix", "iter_row_blocks"),
        {"weight": np.full(3, 3e38, np.float32), "input_shape": 1, "padding": 1, "boundary": "wrap"},
        OverflowError,
        "float32",
        name="float32 folded",
    ),
    # -------------------------------------------------------------------------------------------- W too large
    row(
        "conv_matrix",
        {"input_shape": (2**30, 2**31)},
        MemoryError,
        f"nnz = {4 * (2**30 - 1) * (2**31 - 1)}",
        "bytes",
        "GiB",
        "int64",
        "are available",
        'convops.Conv(weight, input_shape, method="gemm")',
    ),
    row(
        "conv_matrix",
        {"weight": [1], "input_shape": 5, "padding": 2**36},
        MemoryError,
        "nnz = 5 ",
        "bytes",
        "convops.Conv(",
    ),
    row(
        "conv_matrix",
        {"weight": [1, 1], "input_shape": 5, "padding": 2**40, "boundary": "wrap"},
        MemoryError,
        "bytes",
        "convops.Conv(",
    ),
    *(
        row(
            "iter_row_blocks",
            {"max_bytes": value},
            TypeError,
            f"max_bytes={value!r}: ",
            "an int of at least 1",
        )
        for value in (None, 1e6, "1M", True)
    ),
    row("iter_row_blocks", {"max_bytes": 0}, ValueError, "max_bytes=0: ", "at least 1"),
    row(
        "iter_row_blocks",
        {"max_bytes": 55},
        ValueError,
        "max_bytes=55: ",
        "one row of W at least",
        "4 * (8 + 4) + 2 * 4 = 56",
        "Give at least 56",
    ),
    row(
        "iter_row_blocks",
        {"input_shape": (2**30, 2**31), "max_bytes": 2**60},
        MemoryError,
        f"max_bytes={2**60}",
        "are available",
        "smaller max_bytes",
    ),
    row(
        "iter_row_blocks",
        {"weight": [1, 1], "input_shape": 5, "padding": 2**40, "boundary": "wrap"},
        MemoryError,
        "border",
        "less padding",
    ),
    row("ConvGeometry", {"weight_shape": (1, 1), "padding": 2**40}, ValueError, "output_shape=", "2**63 - 1"),
    row(
        "ConvGeometry",
        {"weight_shape": (1, 1), "input_shape": (2**32, 2**32)},
        ValueError,
        f"{2**64} elements",
    ),
    # ------------------------------------------------------------------------------------------ check_adjoint
    *(
        row("check_adjoint", {"op": value}, TypeError, "op=", "shape, matvec, rmatvec", "aslinearoperator")
        for value in (None, 3, "abc", [[1]])
    ),
    row("check_adjoint", {"op": np.eye(2)}, TypeError, "op=array(", "matvec, rmatvec", "aslinearoperator"),
    row(
        "check_adjoint",
        {"op": csr_array(np.eye(2))},
        TypeError,
        "op=",
        "rmatvec",
        "aslinearoperator",
        name="sparse",
    ),
    row(
        "check_adjoint",
        {"op": difference},
        TypeError,
        "op=<function difference",
        "check_adjoint(forward, adjoint",
    ),
    row("check_adjoint", {"input_shape": 8}, ValueError, "input_shape=8: ", "8 entries", "takes 9"),
    row("check_adjoint", {"output_shape": (3, 3)}, ValueError, "(3, 3): ", "9 entries", "returns 4"),
    *(
        row("check_adjoint", {name: value}, TypeError, f"{name}={value!r}: ", "int of at least 0")
        for name in ("seed", "witnesses")
        for value in (None, True, 1.0, "1", (1,), np.random.default_rng)
    ),
    row("check_adjoint", {"witnesses": -1}, ValueError, "witnesses=-1: ", "at least 0"),
    row("check_adjoint", {"level": "full"}, ValueError, "level='full': ", "'quick', 'default', 'complete'"),
    row("check_adjoint", {"only": ()}, ValueError, "only=(): ", "names no check"),
    row("check_adjoint", {"only": "dot"}, ValueError, "only='dot': ", "'contract'", "'purity'"),
    row("check_adjoint", {"only": ["exact", 3]}, TypeError, "only=3: ", "'contract'", "got int"),
    row("check_adjoint", {"only": "adjoint"}, ValueError, "only='adjoint': ", "works in integers"),
    row("check_adjoint", {"skip": CHECKS}, ValueError, "skip=(", "no check is left"),
    row("check_adjoint", {"seed": -1}, ValueError, "seed=-1: ", "at least 0"),
    row("check_adjoint", {"seed": 2**63}, ValueError, "seed=", "at most 2**63 - 1"),
    row(
        "check_adjoint",
        {"op": LinearOperator((2, 2), matvec=abs, dtype=float)},
        TypeError,
        "rmatvec",
        name="a LinearOperator without rmatvec",
    ),
    row(
        "check_adjoint",
        {"op": aslinearoperator(np.ones((2, 3), bool))},
        TypeError,
        "bool",
        "float32",
        name="bool",
    ),
    row(
        "check_adjoint",
        {"op": aslinearoperator(np.ones((2, 3), "g"))},
        TypeError,
        "float32",
        name="longdouble",
    ),
    row(
        "check_adjoint",
        {"op": aslinearoperator(np.zeros((0, 3)))},
        ValueError,
        "shape",
        "(0, 3)",
        name="no rows",
    ),
    row("check_adjoint of functions", {"op": 3}, TypeError, "op=3: ", "functions of one array", "int"),
    row(
        "check_adjoint of functions",
        {"adjoint": 3},
        TypeError,
        "adjoint=3: ",
        "functions of one array",
        "int",
    ),
    row(
        "check_adjoint of functions", {"input_shape": None}, TypeError, "input_shape is missing", "Give both"
    ),
    row(
        "check_adjoint of functions",
        {"output_shape": None},
        TypeError,
        "output_shape is missing",
        "Give both",
    ),
    *(
        each
        for each in shapes("input_shape", ("check_adjoint of functions",))
        if each.bad["input_shape"] is not None
    ),
    # ------------------------------------------------------------------------- probe_matrix, probe_colors
    *[
        row(
            ("probe_matrix", "probe_colors"),
            {"pattern": value},
            TypeError,
            "pattern=",
            "ConvGeometry(weight_shape, input_shape, ...)",
            "scipy.sparse.csr_array(mask)",
            kind,
            name=f"pattern is {kind}",
        )
        for value, kind in [
            (None, "NoneType"),
            (3, "int"),
            (np.ones((4, 9)), "ndarray"),
            ((2, 2), "tuple"),
            (coo_array(np.ones(9)), "coo_array"),
            (A, "Conv"),
        ]
    ],
    row(
        "probe_matrix",
        {"pattern": ConvGeometry((2, 2), (3, 4))},
        ValueError,
        "pattern=ConvGeometry(",
        "shape (6, 12)",
        "op takes 9 entries and returns 4",
        "Give the pattern of a matrix of shape (4, 9)",
    ),
    row(
        "probe_matrix",
        {"pattern": csr_array((9, 4))},
        ValueError,
        "shape (9, 4)",
        "a matrix of shape (4, 9)",
        name="a pattern of the transpose",
    ),
    row(
        "probe_matrix",
        {"pattern": csr_array(np.eye(4, 9))},
        ValueError,
        "it does not cover <4x9 Conv",
        "in 4 of 4 rows",
        "op[(1, 1), (",
        "Give a pattern with more entries",
        name="a pattern that does not cover",
    ),
    row(
        "probe_matrix",
        {"op": A.tosparse()},
        TypeError,
        "op=",
        "shape and matvec, or be a function",
        "csr_array",
        "aslinearoperator",
        name="no matvec",
    ),
    row("probe_matrix", {"op": "A"}, TypeError, "op='A'", "shape and matvec", "str"),
    row("probe_matrix", {"input_shape": (9, 2)}, ValueError, "input_shape=(9, 2)", "18 entries", "takes 9"),
    row("probe_matrix", {"output_shape": 5}, ValueError, "output_shape=5", "5 entries", "returns 4"),
    row(
        "probe_matrix",
        {"dtype": (complex, float)},
        ValueError,
        "dtype=",
        "from complex to real vectors has no matrix",
        name="complex to real",
    ),
    row("probe_matrix", {"seed": -1}, ValueError, "seed=-1", "at least 0"),
    row("probe_matrix", {"seed": 1.5}, TypeError, "seed=1.5", "int", "float"),
    row(
        "probe_matrix of a function",
        {"op": lambda x: x},
        ValueError,
        "returned shape (5,)",
        "it must be (4,)",
        name="a function that returns too many",
    ),
    row(
        "probe_matrix of a function",
        {"op": lambda x: "no"},
        ValueError,
        "returned no array of numbers",
        name="a function that returns text",
    ),
    row(
        "probe_matrix of a function",
        {"op": lambda x: difference(x) * np.nan},
        ValueError,
        "returned nan at 0",
        "finite",
        name="a function that returns NaN",
    ),
    row(
        "probe_matrix of a function",
        {"op": lambda x: 1j * difference(x)},
        ValueError,
        "returned complex128",
        "say dtype=(float64, complex128)",
        name="a function that turns out complex",
    ),
    row(
        "probe_matrix of a function",
        {"op": lambda x: 0.5 * difference(x), "dtype": int},
        ValueError,
        "returned float64",
        "say dtype=float",
        name="a function of integers that returns floats",
    ),
    row(
        "probe_matrix of a function",
        {"op": lambda x: 1000 * difference(x), "dtype": np.int8},
        OverflowError,
        "dtype=int8",
        "-1000",
        "dtype=np.int64",
        name="entries beyond the dtype",
    ),
    row(
        "probe_matrix of a function",
        {"input_shape": 6},
        ValueError,
        "matrix of shape (4, 5)",
        "op takes 6 entries",
    ),
    row(
        ("probe_matrix", "probe_colors"),
        {"pattern": ConvGeometry((101, 101), (10**5, 10**5), padding="same")},
        MemoryError,
        "are available",
        name="a pattern beyond memory",
    ),
    # ---------------------------------------------------------------------------------------- tikhonov
    row("tikhonov", {"op": np.eye(3)}, TypeError, "A=", "ndarray", "aslinearoperator", name="a matrix"),
    *[
        row(
            "tikhonov", {"b": ONES * value}, ValueError, "b is not finite at 25", "b[0, 0]", name=f"b {value}"
        )
        for value in (np.nan, np.inf)
    ],
    row("tikhonov", {"b": np.ones((5, 4))}, ValueError, "b has shape (5, 4)", "output_shape (5, 5)"),
    row("tikhonov", {"b": np.ones(25)}, ValueError, "(25,)", "b.reshape(A.output_shape)", name="b raveled"),
    row("tikhonov", {"op": A, "b": np.ones((3, 3))}, ValueError, "(2, 2)", "A.H?", name="b of the input"),
    *[
        row("tikhonov", {"damp": value}, ValueError, f"damp={value}: ", "at least 0", name=f"damp {value}")
        for value in (-1.0, np.nan, np.inf)
    ],
    row("tikhonov", {"damp": "a"}, TypeError, "damp='a'", "str"),
    row("tikhonov", {"damp": 1j}, TypeError, "damp=1j", "complex"),
    row(
        "tikhonov",
        {"damp": 0, "op": EDGES},
        ValueError,
        "damp=0.0",
        "no unique solution",
        "lsmr",
        name="damp 0",
    ),
    row("tikhonov", {"rtol": 0}, ValueError, "rtol=0", "above 0"),
    row("tikhonov", {"maxiter": 0}, ValueError, "maxiter=0", "at least 1"),
    row("tikhonov", {"method": "lu"}, ValueError, "method='lu'", "What you call 'lu' is 'sparse' here"),
    row("tikhonov", {"method": "dct"}, ValueError, "method='dct'", "'fft'", name="fft as dct"),
    row("tikhonov", {"method": "fft", "op": A, "b": [[1, 2], [3, 4]]}, ValueError, "wrap", name="no fft"),
    row("tikhonov", {"method": "cg", "damp": 0}, ValueError, "damp=0", "lsmr", name="cg without damp"),
    row("tikhonov", {"reg": "grad"}, ValueError, "reg='grad'", "'gradient'"),
    row("tikhonov", {"reg": 3}, TypeError, "reg=3", "'laplacian'", "int"),
    row("tikhonov", {"reg": gradient((4, 4))}, ValueError, "(5, 5)", "(4, 4)", name="reg of another shape"),
    row("tikhonov", {"x0": np.ones((4, 4))}, ValueError, "x0 has shape (4, 4)", "input_shape (5, 5)"),
    row("tikhonov", {"x0": ONES * 1j}, TypeError, "complex128", "x0.real", name="complex x0"),
    row("tikhonov", {"x0": np.ones((2, 5, 5))}, ValueError, "batch axes (2,)", name="x0 of another batch"),
    row("tikhonov", {"callback": 3}, TypeError, "callback=3", "(iteration, residual)"),
    row("tikhonov", {"progress": 1}, TypeError, "progress=1", "True or False"),
    row("choose_damp", {"rule": "morozov"}, ValueError, "rule='morozov'", "'discrepancy'"),
    row("choose_damp", {"rule": "discrepancy"}, TypeError, "noise=None", "standard deviation", "gcv"),
    row("choose_damp", {"rule": "discrepancy", "noise": 0}, ValueError, "noise=0", "above 0"),
    row("choose_damp", {"rule": "discrepancy", "noise": 9.0}, ValueError, "noise=9.0", "at most 4.95"),
    row("choose_damp", {"rule": "l-curve"}, ValueError, "rule='l-curve'", "'lcurve'"),
    row("choose_damp", {"rule": "lcurve"}, ValueError, "rule='lcurve'", "no corner", "gcv"),
    row("choose_damp", {"progress": 1}, TypeError, "progress=1", "True or False"),
    row("choose_damp", {"b": 0 * ONES}, ValueError, "b is 0 everywhere"),
    # ------------------------------------------------------------------------------------- differences
    row("difference", {"order": 0}, ValueError, "order=0", "at least 1"),
    row("difference", {"axis": 2}, ValueError, "axis=2", "2 axes"),
    row("difference", {"axis": 0.5}, TypeError, "axis=0.5", "int"),
    row(("gradient", "divergence", "laplacian"), {"axes": 1}, TypeError, "axes=1", "sequence"),
    row(("gradient", "divergence", "laplacian"), {"axes": (0, -2)}, ValueError, "axes=(0, -2)", "none twice"),
    row(("gradient", "divergence", "laplacian"), {"boundary": "mirror"}, ValueError, "'reflect'"),
    # ------------------------------------------------------------------------------------- ConvPattern
    *[
        row("ConvPattern", {"geometry": value}, TypeError, "geometry=", "ConvGeometry(weight.shape", kind)
        for value, kind in [(None, "NoneType"), ((2, 2), "tuple"), (A, "Conv")]
    ],
    row("ConvPattern", {"index_dtype": np.int16}, TypeError, "index_dtype=", "numpy.int32 or numpy.int64"),
    row(
        "ConvPattern",
        {"geometry": ConvGeometry((101, 101), (10**5, 10**5), padding="same")},
        MemoryError,
        "are available",
        name="beyond memory",
    ),
    row(
        "pattern.matrix",
        {"weight": [[1, 2, 3]]},
        ValueError,
        "weight has shape (1, 3)",
        "weights of shape (2, 2)",
        "ConvGeometry((1, 3), ...)",
    ),
    row("pattern.matrix", {"flip": 1}, TypeError, "flip=1: ", "True or False", "int"),
    *arrays("weight", ("pattern.matrix",)),
    *dtypes("dtype", ("pattern.matrix",)),
    *[
        row("pattern.matrix", {"out": value}, TypeError, "out=", "csr_array of this pattern", kind, name=kind)
        for value, kind in [(np.ones((4, 9)), "ndarray"), (A.tosparse().tocsc(), "csc_array"), (3, "int")]
    ],
    row(
        "pattern.matrix",
        {"out": conv_matrix(WEIGHT, (3, 4))},
        ValueError,
        "out has shape (6, 12)",
        "shape (4, 9) and 16 entries",
        "Give a matrix",
        name="out of another shape",
    ),
    row(
        "pattern.matrix",
        {"out": csr_array((4, 9))},
        ValueError,
        "out has shape (4, 9) and 0 entries",
        name="out without entries",
    ),
    row(
        "pattern.matrix",
        {"out": conv_matrix(WEIGHT, (3, 3)), "dtype": float},
        ValueError,
        "dtype=<class 'float'>",
        "stay in their dtype",
        "Leave dtype out",
        name="out of another dtype",
    ),
    row(
        "pattern.matrix",
        {"out": conv_matrix(WEIGHT, (3, 3)), "weight": np.ones((2, 2))},
        TypeError,
        "dtype=int64",
        "fractions would be lost",
        name="floats for integers",
    ),
    row(
        "pattern.matrix",
        {"out": conv_matrix(WEIGHT, (3, 3)).astype("longdouble")},
        TypeError,
        "out.dtype=",
        "float32, float64",
        name="out of longdouble",
    ),
    row(
        "pattern.matrix",
        {"out": _read_only(conv_matrix(WEIGHT, (3, 3)))},
        ValueError,
        "read-only",
        "out.copy()",
        name="out that cannot be written",
    ),
]


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Fail what takes longer, where the system has an alarm: refusing must not begin to work."""

    def stop(*_: object) -> None:
        pytest.fail(f"no answer within {seconds} s")

    if not hasattr(signal, "SIGALRM"):
        yield
        return
    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.parametrize(("caller", "line"), [test for line in TABLE for test in line.tests()])
def test_bad_input_is_refused_in_words(caller: str, line: Row) -> None:
    with deadline(2), pytest.raises(line.error) as caught:
        CALLERS[caller](**line.bad)
    message = str(caught.value)
    assert not [fragment for fragment in line.says if fragment not in message], message
    assert type(caught.value) is line.error
    raised_in = traceback.extract_tb(caught.value.__traceback__)[-1].filename
    assert Path(raised_in).is_relative_to(HOME), f"raised in {raised_in}"


@pytest.mark.parametrize("name", ["stride", "nnz", "axes", "shape", "more"])
def test_a_geometry_is_frozen(name: str) -> None:
    geometry = ConvGeometry(3, 8)
    with pytest.raises(FrozenInstanceError, match=name):
        setattr(geometry, name, 1)
    with pytest.raises(FrozenInstanceError, match=name):
        delattr(geometry, name)


@pytest.mark.parametrize("operator", [A, A.T, A.H, K, K.H], ids=["A", "A.T", "A.H", "K", "K.H"])
@pytest.mark.parametrize(
    "name", ["shape", "dtype", "weight", "geometry", "input_shape", "method", "T", "H", "ndim", "more"]
)
def test_an_operator_is_frozen(operator: Any, name: str) -> None:
    with pytest.raises(
        AttributeError,
        match=rf"^{name} of a (Conv|Kernel).* cannot be set: operators are frozen. Build a new",
    ):
        setattr(operator, name, 1)
    with pytest.raises(
        AttributeError, match=rf"^{name} of a (Conv|Kernel).* cannot be deleted: operators are frozen"
    ):
        delattr(operator, name)


def test_the_weight_of_an_operator_cannot_be_written() -> None:
    for operator in (A, A.T, Conv([[1j]], (2, 2)).H):
        with pytest.raises(ValueError, match="read-only"):
            operator.weight[0, 0] = 9


# What SciPy's LinearOperator brings along: its errors are its own, but no nonsense may come out.
INHERITED: dict[str, tuple[Callable[[], Any], type[Exception], str]] = {
    "2 @ A": (lambda: 2 @ A, ValueError, "[Ss]calar"),
    "A + 1": (lambda: A + 1, TypeError, r"\+ 1: .*not linear.*identity"),
    "A + dense": (lambda: A + np.ones((4, 9)), TypeError, "Conv"),
    "A + sparse": (lambda: A + csr_array(np.ones((4, 9))), TypeError, "Conv"),
    "A + B of another shape": (lambda: A + A.T, ValueError, r"one input_shape; got \(3, 3\) and \(2, 2\)"),
    "A @ B of another shape": (
        lambda: A @ A,
        ValueError,
        r"Conv\[4x9\] @ Conv\[4x9\].*\(3, 3\) and \(2, 2\)",
    ),
    "A ** 2, not square": (lambda: A**2, ValueError, "square"),
    "B ** -1": (lambda: Conv([1.0], 3) ** -1, ValueError, r"exponent=-1: .*at least 0"),
    "B ** 2.5": (lambda: Conv([1.0], 3) ** 2.5, TypeError, r"exponent=2.5: .*int"),
    "A / x": (lambda: A / np.ones(9), ValueError, "by a scalar"),
    "A / str": (lambda: A / "a", TypeError, "divided by a number"),
    "x @ A of the wrong length": (lambda: np.ones(9) @ A, ValueError, "4"),
    "sparse @ A": (lambda: csr_array(np.eye(4)) @ A, TypeError, "sparse"),
    "A * sparse": (lambda: A * csr_array(np.eye(9)), TypeError, "sparse"),
    "A * None": (lambda: A * None, ValueError, "None"),
    "A * str": (lambda: A * "a", ValueError, "'a'"),
    "np.matmul(A, x)": (lambda: np.matmul(A, np.ones(9)), TypeError, "Conv"),
    "A of positional stride": (lambda: Conv(WEIGHT, (3, 3), 2), TypeError, "positional"),
    "A of an unknown argument": (lambda: Conv(WEIGHT, (3, 3), strides=2), TypeError, "strides"),
    "conv with a bias": (lambda: conv(np.ones((3, 3)), WEIGHT, bias=1), TypeError, "bias"),
}


@pytest.mark.parametrize(("act", "error", "says"), INHERITED.values(), ids=INHERITED.keys())
def test_inherited_operations_refuse_too(act: Callable[[], Any], error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        act()


# Each would need terabytes, which no machine has; what the message names.
TOO_LARGE: dict[str, tuple[Callable[[], Any], tuple[str, ...]]] = {
    "conv_matrix": (lambda: conv_matrix(np.ones((5, 5)), (2**30, 2**31)), ("nnz", "bytes", "convops.Conv(")),
    "conv_matrix, rows": (
        lambda: conv_matrix([1.0], 5, padding=2**40),
        ("nnz = 5 ", "bytes", "convops.Conv("),
    ),
    "sparse A @ x": (
        lambda: Conv([1.0], 5, padding=2**40, method="sparse") @ np.ones(5),
        ("nnz = 5 ", "bytes", "gemm"),
    ),
    "tosparse of A": (lambda: Conv(np.ones((5, 5)), (2**30, 2**31)).tosparse(), ("nnz", "bytes", "gemm")),
    "tosparse of A.T": (lambda: Conv([1.0], 2**40, stride=2**39).T.tosparse(), ("nnz = 2 ", "bytes")),
    "K @ w": (lambda: KernelOperator([1.0], 1, padding=2**42) @ [1.0], ("(1,)", "bytes", "Pad less")),
    "tosparse of K": (lambda: KernelOperator([1.0], 1, padding=2**42).tosparse(), ("bytes", "Pad less")),
    "tosparse of K, entries": (
        lambda: KernelOperator(np.ones((1, 60, 60)), (2**16, 1, 30, 30)).tosparse(),
        ("nnz", "bytes", "Apply the operator"),
    ),
    "toarray of A": (lambda: Conv([1.0], 2**21).toarray(), (f"{2**21}x{2**21}", "bytes", "tosparse")),
}


@pytest.mark.parametrize(("act", "says"), TOO_LARGE.values(), ids=TOO_LARGE.keys())
def test_what_does_not_fit_is_refused_before_anything_is_allocated(
    act: Callable[[], Any], says: tuple[str, ...]
) -> None:
    tracemalloc.start()
    try:
        with deadline(2), pytest.raises(MemoryError) as caught:
            act()
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()
    message = str(caught.value)
    assert not [fragment for fragment in says if fragment not in message], message


def test_int32_forced_on_a_matrix_that_needs_int64_is_refused_before_anything_is_allocated() -> None:
    tracemalloc.start()
    try:
        with deadline(2), pytest.raises(ValueError, match=r"index_dtype.*int32 ends at 2147483647"):
            conv_matrix([[1.0]], (46341, 46341), index_dtype=np.int32)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


def test_a_message_is_one_paragraph_however_long_the_argument() -> None:
    for bad in (np.arange(1000), np.ones((40, 40)), np.ma.array([1.5, 2]), "same" * 1000, list(range(1000))):
        with pytest.raises((TypeError, ValueError)) as caught:
            ConvGeometry((2, 2), (5, 5), stride=bad)  # type: ignore[arg-type]
        assert len(str(caught.value)) < 600
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize("boundary", ["zeros", "wrap", "reflect", "symmetric", "edge", "antireflect"])
@pytest.mark.parametrize(
    ("shapes", "more"),
    [
        ((3, 2**40), {"padding": 1}),
        ((3, 2**40), {"stride": 2**39}),
        ((3, 2**62), {"stride": 2**61, "padding": "same"}),
        (((5, 5), (2**31, 2**31)), {"padding": "same", "stride": (1, 2**20)}),
        (((1, 1), (2**31, 2**31)), {"dilation": 2**62}),
        ((2**40, 2**41), {}),
        ((3, 2**41), {"dilation": 2**40 - 1}),
        ((3, 5), {"padding": 2**40}),
        ((2**14, 2**21), {"padding": "same"}),
        ((64, 2**21), {"padding": "same", "dilation": 3}),
    ],
    ids=str,
)
def test_arithmetic_on_sizes_that_no_machine_holds_is_instant(shapes: Any, more: Any, boundary: str) -> None:
    with deadline(0.5):
        geometry = ConvGeometry(*shapes, boundary=boundary, **more)
        assert geometry.nbytes() > geometry.nnz > 0
        assert f"nnz = {geometry.nnz}" in geometry.explain()
