"""Values and gradients equal those of the torch that is installed, over random geometries."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import convops
from oracles import Array, assert_within_rounding, spans

pytestmark = pytest.mark.torch

PADDING_MODES = {"zeros": "zeros", "wrap": "circular", "reflect": "reflect", "edge": "replicate"}


@pytest.fixture(scope="module")
def torch() -> ModuleType:
    return pytest.importorskip("torch")


@dataclass(frozen=True)
class Layer:
    """A convolution as torch's modules take it: symmetric padding, one boundary for all axes."""

    transposed: bool
    channels: tuple[int, int]
    kernel: tuple[int, ...]
    sizes: tuple[int, ...]
    stride: tuple[int, ...]
    padding: str | tuple[int, ...]
    dilation: tuple[int, ...]
    groups: int
    boundary: str = "zeros"
    output_padding: tuple[int, ...] | None = None
    batch: int = 1

    def kwargs(self) -> dict[str, Any]:
        """Keyword arguments of conv or conv_transpose."""
        names = ("stride", "padding", "dilation", "groups", "boundary", "output_padding")
        return {name: getattr(self, name) for name in names if getattr(self, name) is not None}

    @property
    def input_shape(self) -> tuple[int, ...]:
        return (self.channels[0], *self.sizes)

    @property
    def weight_shape(self) -> tuple[int, ...]:
        c_in, c_out = self.channels
        first, second = (c_in, c_out) if self.transposed else (c_out, c_in)
        return (first, second // self.groups, *self.kernel)

    def apply(self, x: Array, weight: Array) -> Array:
        """Apply convops to the batch."""
        function = convops.conv_transpose if self.transposed else convops.conv
        return function(x, weight, batch_dims=1, **self.kwargs())

    def operator(self, weight: Array) -> Any:
        """Return convops' operator on one item of the batch."""
        kind = convops.ConvTranspose if self.transposed else convops.Conv
        return kind(weight, self.input_shape, **self.kwargs())

    def gradient_of_weight(self, x: Array, g: Array) -> Array:
        """Return the gradient of the weight that the gradient g of the batch's output gives."""
        words = self.kwargs()
        words.pop("output_padding", None)
        if self.transposed:  # <g, Wᵀ x> = <W g, x>, in which g is what is convolved
            return convops.KernelOperator(g, self.weight_shape, batch_dims=1, **words).T(x.conj())
        return convops.KernelOperator(x, self.weight_shape, batch_dims=1, **words).H(g)


@st.composite
def layers(draw: Callable[[st.SearchStrategy[Any]], Any], *, transposed: bool) -> Layer:
    """Random layers that torch accepts; examples shrink to one axis, one channel, kernel 1, stride 1."""
    axes = draw(st.integers(1, 3))

    def per_axis(low: int, high: int) -> tuple[int, ...]:
        return draw(st.tuples(*[st.integers(low, high)] * axes))

    groups = draw(st.integers(1, 3))
    channels = (groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2)))
    kernel, stride, dilation = per_axis(1, 5 - axes), per_axis(1, 3), per_axis(1, 3)
    effective = spans(kernel, dilation)
    batch = draw(st.integers(1, 2))
    if transposed:
        sizes = per_axis(1, 6 - axes)
        extra = tuple(draw(st.integers(0, s - 1)) for s in stride)
        widest = [
            ((n - 1) * s + span + o - 1) // 2
            for n, s, span, o in zip(sizes, stride, effective, extra, strict=True)
        ]
        padding: Any = tuple(draw(st.integers(0, min(w, 4))) for w in widest)
        return Layer(
            True,
            channels,
            kernel,
            sizes,
            stride,
            padding,
            dilation,
            groups,
            output_padding=extra,
            batch=batch,
        )
    boundary = draw(st.sampled_from(list(PADDING_MODES)))
    if draw(st.booleans()):
        padding, stride, widths = "same", (1,) * axes, tuple(span // 2 for span in effective)
    else:
        padding = widths = per_axis(0, 3)
    # torch reflects at most once and wraps at most once.
    least = [max(span - 2 * w, w + 1) for span, w in zip(effective, widths, strict=True)]
    sizes = tuple(n + draw(st.integers(0, 4 - axes)) for n in least)
    return Layer(False, channels, kernel, sizes, stride, padding, dilation, groups, boundary, None, batch)


def torch_products(torch: ModuleType, layer: Layer, x: Array, weight: Array, g: Array | None) -> list[Array]:
    """[output, gradient of the input, gradient of the weight] of the output gradient g, or ones."""
    name = f"Conv{'Transpose' if layer.transposed else ''}{len(layer.kernel)}d"
    words = layer.kwargs()
    words["padding_mode"] = PADDING_MODES[words.pop("boundary")]
    module = getattr(torch.nn, name)(*layer.channels, layer.kernel, bias=False, **words)
    module.weight = torch.nn.Parameter(torch.from_numpy(weight.copy()))
    leaf = torch.from_numpy(x.copy()).requires_grad_()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Using padding='same'")
        y = module(leaf)
    y.backward(torch.ones_like(y) if g is None else torch.from_numpy(g))
    return [y.detach().numpy(), leaf.grad.numpy(), module.weight.grad.numpy()]


def random_array(rng: np.random.Generator, shape: tuple[int, ...], dtype: str) -> Array:
    values = rng.standard_normal(shape)
    if np.dtype(dtype).kind == "c":
        values = values + 1j * rng.standard_normal(shape)
    return values.astype(dtype)


def check(torch: ModuleType, layer: Layer, dtype: str, seed: int) -> None:
    """Compare output and gradients; torch works in double precision, convops in dtype."""
    rng = np.random.default_rng(seed)
    x = random_array(rng, (layer.batch, *layer.input_shape), dtype)
    weight = random_array(rng, layer.weight_shape, dtype)
    wide = np.result_type(dtype, np.float64)
    counts = torch_products(torch, layer, np.ones(x.shape), np.ones(weight.shape), None)
    g = random_array(rng, counts[0].shape, dtype)
    expected = torch_products(torch, layer, x.astype(wide), weight.astype(wide), g.astype(wide))
    sizes = torch_products(torch, layer, *(abs(a).astype(np.float64) for a in (x, weight, g)))
    terms = [int(count.max()) for count in counts]

    y = layer.apply(x, weight)
    assert y.dtype == x.dtype
    assert_within_rounding(y, expected[0], sizes[0], terms[0])

    operator = layer.operator(weight)
    for row, output, gradient, g_row, size, g_size in zip(
        x, expected[0], expected[1], g, sizes[0], sizes[1], strict=True
    ):
        assert_within_rounding(operator @ row.ravel(), output.ravel(), size.ravel(), terms[0])
        assert_within_rounding(operator.rmatvec(g_row.ravel()), gradient.ravel(), g_size.ravel(), terms[1])
        assert_within_rounding(operator.H(g_row), gradient, g_size, terms[1])

    of_weight = layer.gradient_of_weight(x, g)
    assert of_weight.dtype == x.dtype
    assert_within_rounding(of_weight, expected[2], sizes[2], terms[2])


dtypes = st.sampled_from(["float64", "float32", "complex128"])
seeds = st.integers(0, 2**32 - 1)


@settings(max_examples=150, deadline=None)
@given(layer=layers(transposed=False), dtype=dtypes, seed=seeds)
def test_a_convolution_and_its_gradients_are_torchs(
    torch: ModuleType, layer: Layer, dtype: str, seed: int
) -> None:
    check(torch, layer, dtype, seed)


@settings(max_examples=150, deadline=None)
@given(layer=layers(transposed=True), dtype=dtypes, seed=seeds)
def test_a_transposed_convolution_and_its_gradients_are_torchs(
    torch: ModuleType, layer: Layer, dtype: str, seed: int
) -> None:
    check(torch, layer, dtype, seed)


@settings(max_examples=50, deadline=None)
@given(layer=layers(transposed=False), seed=seeds)
def test_the_matrix_is_torchs_jacobian(torch: ModuleType, layer: Layer, seed: int) -> None:
    """torch applied to every unit vector gives W column by column; integer values are exact."""
    weight = np.random.default_rng(seed).integers(-8, 9, layer.weight_shape).astype(float)
    matrix = convops.conv_matrix(weight, layer.input_shape, **layer.kwargs())
    units = np.eye(matrix.shape[1]).reshape(-1, *layer.input_shape)
    columns, _, _ = torch_products(torch, layer, units, weight, None)
    np.testing.assert_array_equal(matrix.toarray(), columns.reshape(len(units), -1).T)


def test_a_layer_is_read_off_as_many_products_as_its_kernel_has_taps(torch: ModuleType) -> None:
    made = {"stride": 2, "dilation": 2}
    layer = torch.nn.Conv2d(3, 4, 3, bias=False, dtype=torch.float64, **made)
    products = []

    def forward(x: Array) -> Array:
        products.append(x)
        with torch.no_grad():
            return layer(torch.from_numpy(x)[None])[0].numpy()

    geometry = convops.ConvGeometry((4, 3, 3, 3), (3, 33, 31), **made)
    W = convops.probe_matrix(forward, geometry)
    assert convops.probe_colors(geometry) == 27
    assert len(products) == 27 + 3
    weight = layer.weight.detach().numpy()
    np.testing.assert_array_equal(W.toarray(), convops.conv_matrix(weight, (3, 33, 31), **made).toarray())
    with pytest.raises(ValueError, match="does not cover"):
        convops.probe_matrix(lambda x: forward(x) + 1e-6 * x.flat[0], geometry)
    layer.bias = torch.nn.Parameter(torch.ones(4, dtype=torch.float64))
    with pytest.raises(ValueError, match="something is added, such as a bias"):
        convops.probe_matrix(forward, geometry)
