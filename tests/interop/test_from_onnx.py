"""Nodes of ONNX give the values that ONNX's own cases, its reference implementation and its models give."""

import importlib
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convops import ConvTranspose
from convops.interop import from_onnx
from oracles import Array


@pytest.fixture(scope="module")
def onnx() -> ModuleType:
    pytest.importorskip("onnx.reference")
    return pytest.importorskip("onnx")


def node_cases() -> list[Any]:
    """Cases of the two operators; importing their modules makes them."""
    from onnx.backend.test.case import node

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for name in ("conv", "convtranspose"):
            importlib.import_module(f"{node.__name__}.{name}")
    return [case for case in node._NodeTestCases if "conv" in case.name]


def apply(node: Any, inputs: list[Array]) -> Array:
    """Apply the operator of a node to the batch, and add the bias."""
    x, weight, *bias = inputs
    y = from_onnx(node, weight, x.shape[1:], drop_bias=bool(bias))(x)
    return y + bias[0].reshape(-1, *[1] * (x.ndim - 2)) if bias else y


def test_the_cases_of_both_operators_pass(onnx: ModuleType) -> None:
    kinds = []
    for case in node_cases():
        (node,) = case.model.graph.node
        kinds.append(node.op_type)
        for inputs, outputs in case.data_sets:
            np.testing.assert_allclose(apply(node, inputs), outputs[0], rtol=1e-5, atol=1e-5)
    assert kinds.count("Conv") >= 6
    assert kinds.count("ConvTranspose") >= 10


def test_the_models_converted_from_pytorch_pass(onnx: ModuleType) -> None:
    folder = Path(onnx.__file__).parent / "backend" / "test" / "data" / "pytorch-converted"
    models = sorted(folder.glob("test_Conv*"))
    assert len(models) >= 20
    for model_of in models:
        model = onnx.load(model_of / "model.onnx")
        (node,) = model.graph.node
        constants = {tensor.name: onnx.numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
        x, expected = (
            onnx.numpy_helper.to_array(onnx.load_tensor(model_of / "test_data_set_0" / name))
            for name in ("input_0.pb", "output_0.pb")
        )
        y = apply(node, [x, *[constants[name] for name in node.input[1:]]])
        np.testing.assert_allclose(y, expected, rtol=1e-4, atol=1e-4)


def reference(onnx: ModuleType, node: Any, x: Array, weight: Array) -> Array:
    """What ONNX's reference implementation gives; raises where it refuses."""
    from onnx import TensorProto, helper

    graph = helper.make_graph(
        [node],
        "graph",
        [
            helper.make_tensor_value_info(name, TensorProto.DOUBLE, array.shape)
            for name, array in (("x", x), ("w", weight))
        ],
        [helper.make_tensor_value_info("y", TensorProto.DOUBLE, None)],
    )
    evaluator = onnx.reference.ReferenceEvaluator(helper.make_model(graph))
    found: Array = evaluator.run(None, {"x": x, "w": weight})[0]
    return found


@st.composite
def nodes(draw: Any, kind: str) -> tuple[dict[str, Any], tuple[int, ...], tuple[int, ...]]:
    """Attributes of a node, the shape of its weight and that of its input."""
    axes = draw(st.integers(1, 2))

    def per_axis(low: int, high: int) -> list[int]:
        return draw(st.lists(st.integers(low, high), min_size=axes, max_size=axes))

    groups, rows, columns = (draw(st.integers(1, 2)) for _ in range(3))
    kernel, strides, dilations = per_axis(1, 3), per_axis(1, 3), per_axis(1, 2)
    sizes = [
        dilation * (taps - 1) + 1 + more
        for taps, dilation, more in zip(kernel, dilations, per_axis(0, 3), strict=True)
    ]
    attributes: dict[str, Any] = {"strides": strides, "dilations": dilations, "group": groups}
    how = draw(st.sampled_from(["pads", "SAME_UPPER", "SAME_LOWER", "VALID"]))
    if how == "pads":
        attributes["pads"] = per_axis(0, 2) + per_axis(0, 2)
    else:
        attributes["auto_pad"] = how
    if kind == "ConvTranspose":
        attributes["output_padding"] = [draw(st.integers(0, stride - 1)) for stride in strides]
        if how.startswith("SAME") and draw(st.booleans()):
            attributes["output_shape"] = [
                max(stride * (size - 1) + dilation * (taps - 1) + 1 + draw(st.integers(-2, 3)), 1)
                for size, taps, stride, dilation in zip(sizes, kernel, strides, dilations, strict=True)
            ]
    return (
        attributes,
        (groups * rows, columns, *kernel),
        (groups * (columns if kind == "Conv" else rows), *sizes),
    )


@pytest.mark.parametrize("kind", ["Conv", "ConvTranspose"])
@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_any_node_gives_what_the_reference_implementation_gives(
    onnx: ModuleType, kind: str, data: st.DataObject
) -> None:
    attributes, weight_shape, input_shape = data.draw(nodes(kind))
    rng = np.random.default_rng(0)
    x, weight = rng.standard_normal((1, *input_shape)), rng.standard_normal(weight_shape)
    node = onnx.helper.make_node(kind, ["x", "w"], ["y"], **attributes)
    try:
        expected = reference(onnx, node, x, weight)
    except (RuntimeError, ValueError):
        assume(False)
    assume(expected.size and min(expected.shape) > 0)
    y = from_onnx(node, weight, input_shape)(x)
    np.testing.assert_allclose(y, expected, atol=1e-12)


def test_a_tensor_of_onnx_is_a_weight(onnx: ModuleType) -> None:
    weight = np.arange(6.0).reshape(1, 2, 3)
    node = onnx.helper.make_node("Conv", ["x", "w"], ["y"], kernel_shape=[3])
    A = from_onnx(node, onnx.numpy_helper.from_array(weight), (2, 5))
    np.testing.assert_array_equal(A.weight, weight)


class Fields:
    """What is read of a node or an attribute, without onnx."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


def made(kind: str, *inputs: str, **attributes: Any) -> Fields:
    kinds: dict[type, tuple[int, str]] = {int: (2, "i"), bytes: (3, "s"), list: (7, "ints"), float: (1, "f")}
    fields = [
        Fields(name=name, type=kinds[type(value)][0], **{kinds[type(value)][1]: value})
        for name, value in attributes.items()
    ]
    return Fields(op_type=kind, input=inputs or ("x", "w"), attribute=fields)


def test_places_beyond_the_kernels_reach_are_zeros() -> None:
    node = made("ConvTranspose", strides=[2], output_shape=[9], auto_pad=b"SAME_LOWER")
    B = from_onnx(node, [[[1.0, 10.0]]], (1, 3))
    np.testing.assert_array_equal(B([[1.0, 2.0, 3.0]]), [[0, 1, 10, 2, 20, 3, 30, 0, 0]])
    assert B.H(np.ones((1, 9))).tolist() == [[11, 11, 11]]
    assert isinstance(from_onnx(made("ConvTranspose"), [[[1.0, 10.0]]], (1, 3)), ConvTranspose)


@pytest.mark.parametrize(
    ("node", "more", "error", "says"),
    [
        (made("Gemm"), {}, TypeError, "must be a node of type Conv or ConvTranspose of ONNX"),
        (3, {}, TypeError, "node=3: it must be a node"),
        (made("Conv", "x", "w", "b"), {}, ValueError, "drop_bias=True"),
        (made("Conv", kernel_shape=[4]), {}, ValueError, r"kernel_shape=\[4\]: .* kernel of \(3,\)"),
        (
            made("Conv", pads=[1, 1], auto_pad=b"VALID"),
            {},
            ValueError,
            r"pads=\[1, 1\] beside auto_pad='VALID'",
        ),
        (made("Conv", group=2.0), {}, TypeError, "attribute 'group' .* type 1"),
        (
            made("Conv"),
            {"input_shape": (1, 1, 5)},
            ValueError,
            r"takes \(C_in, \*spatial\) of 2 axes, .*; got 3",
        ),
        (made("Conv"), {"weight": np.ones((2, 2))}, ValueError, r"weight of shape \(2, 2\)"),
        (made("Conv"), {"input_shape": (2, 5)}, ValueError, r"input_shape=\(2, 5\)"),
    ],
)
def test_what_is_no_convolution_is_refused_in_words(
    node: Any, more: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        from_onnx(node, **({"weight": np.ones((1, 1, 3)), "input_shape": (1, 5)} | more))
