"""The library gives the values and gradients of torch and ONNX that data/make_reference.py stored."""

import json
from dataclasses import dataclass
from functools import cache
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import convops
import oracles
from oracles import Array, assert_within_rounding


@dataclass(frozen=True)
class Record:
    """Arrays with a batch axis first, and the arguments in convops' words."""

    name: str
    transposed: bool
    exact: bool
    kwargs: dict[str, Any]
    arrays: dict[str, Array]

    def __str__(self) -> str:
        return self.name

    def __getattr__(self, name: str) -> Array:
        try:
            return self.arrays[name]
        except KeyError:
            raise AttributeError(name) from None

    def apply(self, x: Array, weight: Array) -> Array:
        """One-shot function on the batch."""
        function = convops.conv_transpose if self.transposed else convops.conv
        return function(x, weight, batch_dims=1, **self.kwargs)

    def operator(self, method: str = "auto") -> Any:
        """Operator on one item of the batch."""
        kind = convops.ConvTranspose if self.transposed else convops.Conv
        return kind(self.weight, self.x.shape[1:], method=method, **self.kwargs)

    def matrix(self) -> Any:
        """What takes x to y, from conv_matrix: W, or the transpose of the W of the other direction."""
        if not self.transposed:
            return convops.conv_matrix(self.weight, self.x.shape[1:], **self.kwargs)
        settings = {k: v for k, v in self.kwargs.items() if k not in ("output_padding", "output_shape")}
        return convops.conv_matrix(self.weight, self.y.shape[1:], **settings).T

    def bound(self) -> tuple[Array, int]:
        """(M, terms) for rounding bounds, from the loops; M has the shape of what takes x to y."""
        spatial = (self.y if self.transposed else self.x).shape[2:]
        stride, dilation = self.kwargs["stride"], self.kwargs["dilation"]
        magnitude, terms = oracles.magnitude_loops(
            self.weight,
            spatial,
            stride=stride,
            padding=oracles.resolve_padding(
                self.kwargs["padding"], spatial, self.weight.shape[2:], stride, dilation
            ),
            dilation=dilation,
            groups=self.kwargs["groups"],
            boundary=[self.kwargs.get("boundary", "zeros")] * len(spatial),
        )
        return (magnitude.T if self.transposed else magnitude), terms


@cache
def records() -> tuple[Record, ...]:
    """Cut the flat arrays of the file into records."""
    with np.load(Path(__file__).parent / "data" / "reference.npz", allow_pickle=False) as file:
        flat = {name: file[name] for name in file.files}
    described = json.loads(str(flat.pop("text")))["records"]
    at = dict.fromkeys(flat, 0)
    made = []
    for item in described:
        dtype, arrays = item.pop("dtype"), {}
        for name, shape in item.pop("shapes").items():
            arrays[name] = flat[dtype][at[dtype] : at[dtype] + prod(shape)].reshape(shape)
            arrays[name].flags.writeable = False
            at[dtype] += prod(shape)
        made.append(Record(**item, arrays=arrays))
    assert at == {name: values.size for name, values in flat.items()}
    return tuple(made)


every_record = pytest.mark.parametrize("record", records(), ids=str)
every_record_with_gradients = pytest.mark.parametrize(
    "record", [record for record in records() if "output_gradient" in record.arrays], ids=str
)


def compare(record: Record, actual: Array, expected: Array, magnitude: Array, terms: int) -> None:
    """Same dtype; equal where every sum is exact in any order, else equal within rounding."""
    assert actual.dtype == expected.dtype
    if record.exact:
        np.testing.assert_array_equal(actual, expected)
    else:
        assert_within_rounding(actual, expected, magnitude, terms)


@every_record
def test_the_function_gives_the_stored_values(record: Record) -> None:
    magnitude, terms = record.bound()
    y = record.apply(record.x, record.weight)
    bounds = np.stack([(magnitude @ abs(x.ravel())).reshape(y.shape[1:]) for x in record.x])
    compare(record, y, record.y, bounds, terms)


@pytest.mark.parametrize("method", ["auto", "sparse", "gemm"])
@every_record
def test_the_operator_gives_the_stored_values(record: Record, method: str) -> None:
    magnitude, terms = record.bound()
    operator = record.operator(method)
    assert operator.input_shape == record.x.shape[1:]
    assert operator.output_shape == record.y.shape[1:]
    for x, y in zip(record.x, record.y, strict=True):
        bound = magnitude @ abs(x.ravel())
        compare(record, operator @ x.ravel(), y.ravel(), bound, terms)
        compare(record, operator(x), y, bound.reshape(y.shape), terms)
    columns, expected = (a.reshape(len(a), -1).T for a in (record.x, record.y))
    compare(record, operator @ columns, expected, magnitude @ abs(columns), terms)


@every_record
def test_the_matrix_gives_the_stored_values(record: Record) -> None:
    magnitude, terms = record.bound()
    matrix = record.matrix()
    for x, y in zip(record.x, record.y, strict=True):
        compare(record, matrix @ x.ravel(), y.ravel(), magnitude @ abs(x.ravel()), terms)


@every_record_with_gradients
def test_the_gradient_of_the_input_is_the_adjoint(record: Record) -> None:
    magnitude, terms = record.bound()
    operator, matrix = record.operator(), record.matrix()
    for g, gradient in zip(record.output_gradient, record.x_gradient, strict=True):
        bound = magnitude.T @ abs(g.ravel())
        for product in (
            operator.rmatvec(g.ravel()),
            operator.H @ g.ravel(),
            (operator.T @ g.ravel().conj()).conj(),
            operator.H(g).ravel(),
            matrix.conj().T @ g.ravel(),
        ):
            compare(record, product, gradient.ravel(), bound, terms)


@every_record_with_gradients
def test_the_gradient_of_the_input_is_the_function_of_the_other_direction(record: Record) -> None:
    magnitude, terms = record.bound()
    g, weight, kwargs = record.output_gradient, record.weight.conj(), record.kwargs
    if record.transposed:
        settings = {k: v for k, v in kwargs.items() if k not in ("output_padding", "output_shape")}
        product = convops.conv(g, weight, batch_dims=1, **settings)
    else:
        product = convops.conv_transpose(g, weight, batch_dims=1, output_shape=record.x.shape[2:], **kwargs)
    bounds = np.stack([(magnitude.T @ abs(row.ravel())).reshape(product.shape[1:]) for row in g])
    compare(record, product, record.x_gradient, bounds, terms)


@every_record_with_gradients
def test_the_gradient_of_the_weight_pairs_with_every_direction(record: Record) -> None:
    """<gradient, v> = <output_gradient, conv(x, v)>: the output is linear in the weight, too."""
    g, terms = record.output_gradient, 1 + record.y.size
    for tap in np.ndindex(record.weight.shape):
        direction = np.zeros_like(record.weight)
        direction[tap] = 1
        product = record.apply(record.x, direction)
        derivative = np.vdot(product, g)
        bound = np.vdot(abs(product), abs(g))
        compare(record, np.asarray(derivative), record.weight_gradient[tap], bound, terms)


def test_the_reference_covers_what_it_is_for() -> None:
    named = [record.name.split()[0] for record in records()]
    assert named.count("torch") >= 60
    assert named.count("onnx") >= 40
    assert sum(name.startswith("test_conv") for name in named) >= 12
    for transposed in (False, True):
        some = [record for record in records() if record.transposed == transposed]
        assert {len(record.kwargs["stride"]) for record in some} == {1, 2, 3}
        assert {record.kwargs["groups"] for record in some} >= {1, 2, 3}
        assert {str(record.x.dtype) for record in some} == {"float32", "float64", "complex128"}
        assert {max(record.kwargs["dilation"]) for record in some} >= {1, 2}
        assert {"same", "same_lower", "valid"} <= {str(record.kwargs["padding"]) for record in some}
    assert {record.kwargs.get("boundary") for record in records()} >= {"zeros", "wrap", "reflect", "edge"}
    assert any(any(record.kwargs.get("output_padding", ())) for record in records())
    assert any("output_shape" in record.kwargs for record in records())
