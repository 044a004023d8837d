"""The operator of a layer of torch gives the layer's values, for every kind of layer and padding."""

import warnings
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convops import Conv, ConvTranspose
from convops.interop import from_torch

pytestmark = pytest.mark.torch
MODES = ["zeros", "reflect", "replicate", "circular"]


@pytest.fixture(scope="module")
def torch() -> ModuleType:
    return pytest.importorskip("torch")


@st.composite
def layers(draw: Any) -> tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...]]:
    """Class, arguments, keywords and sizes of a random layer; not all are layers that torch accepts."""
    axes, transposed = draw(st.integers(1, 3)), draw(st.booleans())

    def per_axis(low: int, high: int) -> tuple[int, ...]:
        return draw(st.tuples(*[st.integers(low, high)] * axes))

    groups = draw(st.integers(1, 2))
    channels = groups * draw(st.integers(1, 2)), groups * draw(st.integers(1, 2))
    kernel, stride, dilation = per_axis(1, 5 - axes), per_axis(1, 3), per_axis(1, 2)
    words: dict[str, Any] = {"stride": stride, "dilation": dilation, "groups": groups}
    words["bias"] = draw(st.booleans())
    if transposed:
        words["output_padding"] = tuple(
            draw(st.integers(0, max(pair) - 1)) for pair in zip(stride, dilation, strict=True)
        )
        words["padding"] = per_axis(0, 2)
    else:
        words["padding_mode"] = draw(st.sampled_from(MODES))
        words["padding"] = draw(st.sampled_from(["same", "valid"]) | st.just(per_axis(0, 2)))
        if words["padding"] == "same":
            words["stride"] = 1
    sizes = tuple(
        apart * (taps - 1) + 1 + more
        for taps, apart, more in zip(kernel, dilation, per_axis(1, 4), strict=True)
    )
    kind = f"Conv{'Transpose' if transposed else ''}{axes}d"
    return kind, (*channels, kernel), words, (channels[0], *sizes)


@settings(max_examples=300, deadline=None)
@given(layers())
def test_any_layer_is_its_operator(torch: ModuleType, made: Any) -> None:
    kind, arguments, words, shape = made
    layer = getattr(torch.nn, kind)(*arguments, dtype=torch.float64, **words)
    x = np.random.default_rng(0).standard_normal((2, *shape))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Using padding='same'")
        try:
            with torch.no_grad():
                y = layer(torch.from_numpy(x))
        except RuntimeError:  # an output without places, or a border wider than torch can write
            assume(False)
    if layer.bias is not None:
        y = y - layer.bias.detach().reshape(-1, *[1] * (len(shape) - 1))
    A = from_torch(layer, shape, drop_bias=words["bias"])
    np.testing.assert_allclose(A(x), y.numpy(), atol=1e-12)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("axes", [1, 2, 3])
def test_every_padding_mode_of_every_kind_passes(torch: ModuleType, axes: int, mode: str) -> None:
    layer = getattr(torch.nn, f"Conv{axes}d")(2, 3, 3, padding=2, padding_mode=mode, bias=False)
    shape = (2, *[5] * axes)
    A = from_torch(layer, shape)
    assert A.dtype == np.float32
    x = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    np.testing.assert_allclose(A(x), layer(torch.from_numpy(x)[None])[0].detach().numpy(), atol=1e-5)


def test_the_transposed_layer_is_the_transpose(torch: ModuleType) -> None:
    layer = torch.nn.ConvTranspose2d(4, 2, 3, stride=2, padding=1, output_padding=1, bias=False)
    B = from_torch(layer, (4, 5, 6))
    assert isinstance(B, ConvTranspose)
    assert isinstance(B.T, Conv)
    assert B.output_shape == (2, 10, 12)


def test_the_weight_is_a_copy_as_it_was(torch: ModuleType) -> None:
    layer = torch.nn.Conv1d(1, 1, 2, bias=False, dtype=torch.complex64)
    A = from_torch(layer, (1, 4))
    before = layer.weight.detach().numpy().copy()
    with torch.no_grad():
        layer.weight.zero_()
    np.testing.assert_array_equal(A.weight, before)


def test_what_is_no_operator_is_refused_in_words(torch: ModuleType) -> None:
    with pytest.raises(
        TypeError, match=r"layer=Linear\(.*must be a torch.nn.Conv1d.*got Linear.*probe_matrix"
    ):
        from_torch(torch.nn.Linear(3, 3), (1, 3))
    with pytest.raises(ValueError, match=r"bias, which is affine.*drop_bias=True"):
        from_torch(torch.nn.Conv1d(1, 1, 3), (1, 9))
    with pytest.raises(ValueError, match=r"drop_bias=True"):
        from_torch(torch.nn.Conv1d(1, 1, 3), (1, 9), drop_bias=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"bfloat16.*layer.float\(\)"):
        from_torch(torch.nn.Conv1d(1, 1, 3, bias=False, dtype=torch.bfloat16), (1, 9))
    with pytest.raises(ValueError, match=r"input_shape=\(2, 1, 9\): .*without the batch axis; got 3"):
        from_torch(torch.nn.Conv1d(1, 1, 3, bias=False), (2, 1, 9))
    with pytest.raises(ValueError, match=r"input_shape=\(2, 9\): the input must have C_in = 1"):
        from_torch(torch.nn.Conv1d(1, 1, 3, bias=False), (2, 9))
    with pytest.raises(ValueError, match=r"lazy layer"):
        from_torch(torch.nn.LazyConv1d(1, 3, bias=False), (1, 9))


def test_a_layer_is_known_by_its_attributes() -> None:
    layer = SimpleNamespace(
        weight=np.array([[[1, 2]]]),
        bias=None,
        stride=(1,),
        padding=(0,),
        dilation=(1,),
        groups=1,
        padding_mode="zeros",
        transposed=True,
        output_padding=(0,),
    )
    assert from_torch(layer, (1, 2)).toarray().tolist() == [[1, 0], [2, 1], [0, 2]]
