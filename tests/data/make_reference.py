"""Make reference.npz: values and gradients of convolutions as torch and ONNX define them. Run by hand.

    pip install torch==2.13.0 onnx==1.23.2
    python tests/data/make_reference.py

The file holds one flat array per dtype and a JSON text that says how to cut it: for each record its name,
the arguments in convops' words, and the shapes of its arrays, which follow one another in the flat array.
Nothing is written that two sources do not agree on: every value is compared with loops from the definition,
and the ONNX values, from ONNX's own test cases and its reference evaluator, with torch. The ONNX rules are
restated here from the text of the standard (https://onnx.ai/onnx/operators/onnx__Conv.html and
onnx__ConvTranspose.html).

Most inputs are small multiples of 1/8, so that the results are exact in any order of summation.
"""

import json
import sys
import warnings
from math import ceil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.backend.test.case.node as node_cases
import torch
from onnx.reference import ReferenceEvaluator
from torch.nn import functional

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent))

import oracles  # noqa: E402

PADDING_MODES = {"zeros": "zeros", "wrap": "circular", "reflect": "reflect", "edge": "replicate"}
TORCH = {"float32": torch.float32, "float64": torch.float64, "complex128": torch.complex128}
AUTO_PAD = {"SAME_UPPER": "same", "SAME_LOWER": "same_lower", "VALID": "valid"}

Array = np.ndarray[Any, np.dtype[Any]]
Record = dict[str, Any]


def main() -> None:
    """Make all records, compare them, write them."""
    warnings.filterwarnings("ignore", message="Using padding='same'")
    records = [torch_record(number) for number in range(64)]
    records += onnx_node_records() + onnx_evaluator_records()
    flat: dict[str, list[Array]] = {}
    described = []
    for record in records:
        check_with_loops(record)
        arrays = record.pop("arrays")
        dtype = str(arrays["x"].dtype)
        flat.setdefault(dtype, []).extend(a.ravel() for a in arrays.values())
        described.append({**record, "dtype": dtype, "shapes": {name: a.shape for name, a in arrays.items()}})
    text = json.dumps(
        {"torch": torch.__version__.partition("+")[0], "onnx": onnx.__version__, "records": described},
        separators=(",", ":"),
    )
    target = HERE / "reference.npz"
    np.savez_compressed(target, text=np.array(text), **{d: np.concatenate(a) for d, a in flat.items()})
    print(f"{len(records)} records, {target.stat().st_size} bytes in {target.name}")


def numbers(rng: np.random.Generator, shape: tuple[int, ...], dtype: str, exact: bool) -> Array:
    """Multiples of 1/8 in [-2, 2], or standard normal values; complex where the dtype is."""

    def real() -> Array:
        return rng.integers(-16, 17, size=shape) / 8 if exact else rng.standard_normal(shape)

    return (real() + 1j * real() if dtype.startswith("complex") else real()).astype(dtype)


# ---------------------------------------------------------------------------------------------------- torch


def torch_record(number: int) -> Record:
    """A random geometry with torch's output and both gradients, for the output gradient stored with them."""
    rng = np.random.default_rng([2024, number])

    def draw(low: int, high: int, size: int | None = None) -> Any:
        return rng.integers(low, high + 1, size=size).tolist()

    axes = 1 + number % 3
    transposed = bool(number // 3 % 2)
    exact = number % 5 != 4
    dtype = ("float64", "float64", "float32", "complex128")[number // 6 % 4]
    boundary = (
        "zeros" if transposed else ("zeros", "wrap", "reflect", "edge")[(number // 6 + number // 24) % 4]
    )
    same = not transposed and number % 7 == 0
    kernel, stride, dilation = draw(1 + same, (5, 4, 2)[axes - 1], axes), draw(1, 3, axes), draw(1, 2, axes)
    groups = draw(1, 3) if number % 2 else 1
    channels = [groups * draw(1, 2), groups * draw(1, 2)]
    spans = oracles.spans(kernel, dilation)
    batch = 1 + number % 2
    settings: dict[str, Any] = {"stride": stride, "dilation": dilation, "groups": groups}
    if transposed:
        sizes = draw(2, (6, 4, 2)[axes - 1], axes)
        output_padding = [draw(0, s - 1) for s in stride]
        least = [
            (n - 1) * s + span + o for n, s, span, o in zip(sizes, stride, spans, output_padding, strict=True)
        ]
        padding = [draw(0, min(2, (n - 1) // 2)) for n in least]
        settings |= {"padding": padding, "output_padding": output_padding}
        weight_shape = (channels[0], channels[1] // groups, *kernel)
    else:
        padding = draw(0, 2, axes)
        least = [max(span - 2 * p, p + 1, 2) for span, p in zip(spans, padding, strict=True)]
        sizes = [n + draw(0, (5, 3, 1)[axes - 1]) for n in least]
        if same:
            padding, settings["stride"] = "same", [1] * axes
            sizes = [n + span for n, span in zip(sizes, spans, strict=True)]  # torch reflects once at most
        settings |= {"padding": padding, "boundary": boundary}
        weight_shape = (channels[1], channels[0] // groups, *kernel)
    x = numbers(rng, (batch, channels[0], *sizes), dtype, exact)
    weight = numbers(rng, weight_shape, dtype, exact)
    layer_type = getattr(torch.nn, f"Conv{'Transpose' if transposed else ''}{axes}d")
    words = {k: tuple(v) if isinstance(v, list) else v for k, v in settings.items() if k != "boundary"}
    layer = layer_type(*channels, kernel, bias=False, padding_mode=PADDING_MODES[boundary], **words)
    layer.weight = torch.nn.Parameter(torch.from_numpy(weight.copy()))
    x_leaf = torch.from_numpy(x.copy()).requires_grad_()
    y = layer(x_leaf)
    output_gradient = numbers(rng, tuple(y.shape), dtype, exact)
    y.backward(torch.from_numpy(output_gradient))
    assert x_leaf.grad is not None
    return {
        "name": f"torch {layer_type.__name__} {number}",
        "transposed": transposed,
        "exact": exact,
        "kwargs": settings,
        "arrays": {
            "x": x,
            "weight": weight,
            "y": y.detach().numpy(),
            "output_gradient": output_gradient,
            "x_gradient": x_leaf.grad.numpy(),
            "weight_gradient": layer.weight.grad.numpy(),
        },
    }


def torch_forward(
    x: Array, weight: Array, transposed: bool, pads: list[tuple[int, int]], **settings: Any
) -> Array:
    """torch's result for pads that may differ before and after: the input padded, or the output cropped."""
    axes = x.ndim - 2
    if not transposed:
        reversed_pads = [width for pair in reversed(pads) for width in pair]
        padded = functional.pad(torch.from_numpy(x), reversed_pads)
        return getattr(functional, f"conv{axes}d")(padded, torch.from_numpy(weight), **settings).numpy()
    extra = settings.pop("output_padding", (0,) * axes)
    y = getattr(functional, f"conv_transpose{axes}d")(
        torch.from_numpy(x), torch.from_numpy(weight), **settings
    )
    y = functional.pad(y, [width for more in reversed(extra) for width in (0, more)]).numpy()
    for axis, (before, after) in enumerate(pads, start=2):
        y = np.take(y, range(before, y.shape[axis] - after), axis=axis)
    return y


# ----------------------------------------------------------------------------------------------------- onnx


def onnx_node_records() -> list[Record]:
    """ONNX's own written test cases of Conv and ConvTranspose, apart from those with a bias."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # of the other operators' cases
        found = node_cases.collect_testcases()
    records = {}
    for case in found:
        if case.model is None or case.model.graph.node[0].op_type not in ("Conv", "ConvTranspose"):
            continue
        node = case.model.graph.node[0]
        inputs, outputs = case.data_sets[0]
        if len(inputs) == 2:
            attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
            records[case.name] = onnx_record(
                case.name, node.op_type == "ConvTranspose", *inputs, outputs[0], attributes
            )
    return [record for record in records.values() if record]


def onnx_evaluator_records() -> list[Record]:
    """Values of ONNX's reference evaluator where the conventions are easily got wrong."""
    records = []
    for number in range(60):
        rng = np.random.default_rng([1905, number])

        def draw(low: int, high: int, size: int | None = None, rng: np.random.Generator = rng) -> Any:
            return rng.integers(low, high + 1, size=size).tolist()

        axes, transposed = 1 + number % 2, number % 4 >= 2
        kernel, strides, dilations = draw(1, 4, axes), draw(1, 3, axes), draw(1, 2, axes)
        spans = oracles.spans(kernel, dilations)
        # The evaluator mixes up the channels of a grouped ConvTranspose; torch's vectors have them.
        group = 1 if transposed else draw(1, 2)
        c_in, c_out = group * draw(1, 2), group * draw(1, 2)
        form = ("SAME_UPPER", "SAME_LOWER", "pads", "VALID", "output_shape", "output_padding")[
            number // 4 % 6
        ]
        if not transposed and form.startswith("output"):
            form = "SAME_LOWER" if form == "output_shape" else "SAME_UPPER"
        if transposed and form.startswith("SAME"):  # beyond, there is less than nothing to remove
            strides = [min(s, span) for s, span in zip(strides, spans, strict=True)]
        attributes: dict[str, Any] = {"strides": strides, "dilations": dilations, "group": group}
        sizes = draw(1, 6, axes) if form.startswith("SAME") or transposed else [n + draw(0, 5) for n in spans]
        if form.startswith("SAME") or form == "VALID":
            attributes["auto_pad"] = form
        elif form == "pads":
            attributes["pads"] = draw(0, 1, axes) + draw(0, 2, axes)
        full = [s * (n - 1) + span for s, n, span in zip(strides, sizes, spans, strict=True)]
        if transposed and form == "pads":
            attributes["pads"] = [
                min(p, (n - 1) // 2) for p, n in zip(attributes["pads"], full * 2, strict=True)
            ]
        if form == "output_shape":
            attributes["auto_pad"] = ("SAME_UPPER", "SAME_LOWER")[draw(0, 1)]
            attributes["output_shape"] = [max(1, n - draw(0, 3)) for n in full]
        if form == "output_padding":
            attributes["output_padding"] = [draw(0, s - 1) for s in strides]
        x = numbers(rng, (1 + draw(0, 1), c_in, *sizes), "float32", True)
        weight_shape = (c_in, c_out // group) if transposed else (c_out, c_in // group)
        weight = numbers(rng, (*weight_shape, *kernel), "float32", True)
        name = "ConvTranspose" if transposed else "Conv"
        node = onnx.helper.make_node(name, ["x", "w"], ["y"], kernel_shape=kernel, **attributes)
        kind = onnx.TensorProto.FLOAT
        graph = onnx.helper.make_graph(
            [node],
            "graph",
            [onnx.helper.make_tensor_value_info(label, kind, None) for label in "xw"],
            [onnx.helper.make_tensor_value_info("y", kind, None)],
        )
        model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 22)])
        try:
            (y,) = ReferenceEvaluator(model).run(None, {"x": x, "w": weight})
        except (ValueError, IndexError, RuntimeError) as error:
            print(f"left out: {name} {number} {attributes}: the evaluator fails: {error}")
            continue
        label = f"onnx evaluator {name} {number} {form}"
        record = onnx_record(label, transposed, x, weight, y, {**attributes, "kernel_shape": kernel})
        if record:
            records.append(record)
    return records


def onnx_record(
    name: str, transposed: bool, x: Array, weight: Array, y: Array, attributes: dict[str, Any]
) -> Record | None:
    """The case in convops' words; None, with a line that says so, where torch does not confirm it."""
    axes = x.ndim - 2
    stride = list(attributes.get("strides", [1] * axes))
    dilation = list(attributes.get("dilations", [1] * axes))
    groups = attributes.get("group", 1)
    auto_pad = attributes.get("auto_pad", "NOTSET")
    auto_pad = auto_pad.decode() if isinstance(auto_pad, bytes) else auto_pad
    spans = oracles.spans(weight.shape[2:], dilation)
    output_padding = list(attributes.get("output_padding", [0] * axes))
    wanted = attributes.get("output_shape")
    lower = auto_pad == "SAME_LOWER"

    def halves(total: int) -> tuple[int, int]:
        return (total - total // 2, total // 2) if lower else (total // 2, total - total // 2)

    if auto_pad.startswith("SAME") or wanted:
        pads = []
        for axis, (n, s, span) in enumerate(zip(x.shape[2:], stride, spans, strict=True)):
            if transposed:
                total = s * (n - 1) + output_padding[axis] + span - (wanted[axis] if wanted else n * s)
                if total < 0:  # nothing to remove: the rest is added after
                    output_padding[axis], total = output_padding[axis] - total, 0
            else:
                total = max((ceil(n / s) - 1) * s + span - n, 0)
            pads.append(halves(total))
    else:
        widths = attributes.get("pads", [0] * 2 * axes)
        pads = list(zip(widths[:axes], widths[axes:], strict=True))
    confirmed = torch_forward(
        x,
        weight,
        transposed,
        pads,
        stride=stride,
        dilation=dilation,
        groups=groups,
        **({"output_padding": output_padding} if transposed else {}),
    )
    if y.shape != confirmed.shape or not np.array_equal(y, confirmed):
        print(f"left out: {name} {attributes}: torch gives {confirmed.shape}, ONNX {y.shape}")
        return None
    if any(o >= s for o, s in zip(output_padding, stride, strict=True)):
        print(f"left out: {name} {attributes}: not the transpose of a convolution")
        return None
    kwargs: dict[str, Any] = {"stride": stride, "dilation": dilation, "groups": groups}
    if wanted:
        kwargs |= {"padding": pads, "output_shape": list(y.shape[2:])}
    elif auto_pad in AUTO_PAD:
        kwargs["padding"] = AUTO_PAD[auto_pad]
    else:
        kwargs["padding"] = pads
        if any(output_padding):
            kwargs["output_padding"] = output_padding
    arrays = {"x": x, "weight": weight, "y": y}
    return {"name": name, "transposed": transposed, "exact": True, "kwargs": kwargs, "arrays": arrays}


# ---------------------------------------------------------------------------------------------------- loops


def check_with_loops(record: Record) -> None:
    """Compare every array with the loops, the gradients by the chain rule written for the loops."""
    arrays, kwargs = record["arrays"], record["kwargs"]
    x, weight, y = (arrays[name] for name in ("x", "weight", "y"))
    axes = weight.ndim - 2
    inside = y if record["transposed"] else x  # what the convolution reads
    padding = kwargs["padding"]
    if isinstance(padding, list):
        padding = [tuple(item) if isinstance(item, (list, tuple)) else item for item in padding]
    geometry = {
        "stride": kwargs["stride"],
        "dilation": kwargs["dilation"],
        "groups": kwargs["groups"],
        "boundary": [kwargs.get("boundary", "zeros")] * axes,
        "padding": oracles.resolve_padding(
            padding, inside.shape[2:], weight.shape[2:], kwargs["stride"], kwargs["dilation"]
        ),
    }
    spatial = inside.shape[2:]
    matrix = oracles.matrix_loops(weight, spatial, **geometry)
    magnitude, terms = oracles.magnitude_loops(weight, spatial, **geometry)
    if record["transposed"]:
        matrix, magnitude = matrix.T, magnitude.T
    for number in range(len(x)):
        close(
            y[number].ravel(), matrix @ x[number].ravel(), magnitude @ abs(x[number].ravel()), terms, record
        )
        loops = (
            oracles.conv_transpose_loops(x[number], weight, spatial, **geometry)
            if record["transposed"]
            else oracles.conv_loops(x[number], weight, **geometry)
        )
        close(y[number].ravel(), loops.ravel(), magnitude @ abs(x[number].ravel()), terms, record)
        if "x_gradient" in arrays:
            g = arrays["output_gradient"][number].ravel()
            expected = matrix.conj().T @ g
            close(arrays["x_gradient"][number].ravel(), expected, magnitude.T @ abs(g), terms, record)
    if "weight_gradient" in arrays:
        units = np.eye(weight.size).reshape(weight.size, *weight.shape)
        for unit, gradient in zip(units, arrays["weight_gradient"].ravel(), strict=True):
            matrix = oracles.matrix_loops(unit, spatial, **geometry)
            matrix = matrix.T if record["transposed"] else matrix
            pairs = [
                (matrix @ a.ravel(), g.ravel()) for a, g in zip(x, arrays["output_gradient"], strict=True)
            ]
            expected = sum(np.vdot(out, g) for out, g in pairs)
            bound = sum(np.vdot(abs(out), abs(g)) for out, g in pairs)
            close(np.array(gradient), np.array(expected), np.array(bound), arrays["y"].size * terms, record)


def close(actual: Array, expected: Array, magnitude: Array, terms: int, record: Record) -> None:
    """Equal within rounding; equal where the numbers are exact."""
    if record["exact"]:
        assert np.array_equal(actual, expected), record["name"]
    oracles.assert_within_rounding(actual, expected, magnitude, terms)


if __name__ == "__main__":
    main()
