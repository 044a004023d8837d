"""The operator of a layer of Keras gives the layer's values, channels last or first."""

import os
import warnings
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from convops import Conv
from convops.interop import from_keras


@pytest.fixture(scope="module")
def keras() -> ModuleType:
    pytest.importorskip("torch")
    os.environ.setdefault("KERAS_BACKEND", "torch")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return pytest.importorskip("keras")


@st.composite
def layers(draw: Any) -> tuple[str, tuple[Any, ...], dict[str, Any], tuple[int, ...]]:
    """Class, arguments, keywords and input shape of a random layer; not all are layers that Keras accepts."""
    axes = draw(st.integers(1, 3))
    kind = draw(st.sampled_from(["Conv", "Transpose", *(["Depthwise"] if axes < 3 else [])]))

    def per_axis(low: int, high: int) -> tuple[int, ...]:
        return draw(st.tuples(*[st.integers(low, high)] * axes))

    channels, filters, kernel = draw(st.integers(1, 3)), draw(st.integers(1, 3)), per_axis(1, 4)
    strides, dilations = per_axis(1, 3), (1,) * axes
    if draw(st.booleans()):
        strides, dilations = (1,) * axes, per_axis(1, 2)
    words: dict[str, Any] = {
        "strides": strides,
        "dilation_rate": dilations,
        "padding": draw(
            st.sampled_from(["valid", "same", *(["causal"] if (kind, axes) == ("Conv", 1) else [])])
        ),
        "data_format": draw(st.sampled_from(["channels_last", "channels_first"])),
        "use_bias": draw(st.booleans()),
    }
    if kind == "Depthwise":
        words["strides"] = (strides[0],) * axes
        words["depth_multiplier"] = filters
    elif kind == "Conv":
        channels = channels * (groups := draw(st.integers(1, 2)))
        filters = filters * groups
        words["groups"] = groups
    elif draw(st.booleans()):
        words["output_padding"] = tuple(draw(st.integers(0, stride - 1)) for stride in strides)
    sizes = tuple(
        apart * (taps - 1) + 1 + more
        for taps, apart, more in zip(kernel, dilations, per_axis(0, 3), strict=True)
    )
    shape = (*sizes, channels) if words["data_format"] == "channels_last" else (channels, *sizes)
    names = {
        "Conv": f"Conv{axes}D",
        "Transpose": f"Conv{axes}DTranspose",
        "Depthwise": f"DepthwiseConv{axes}D",
    }
    return names[kind], ((kernel,) if kind == "Depthwise" else (filters, kernel)), words, shape


@settings(max_examples=150, deadline=None)
@given(layers())
def test_any_layer_is_its_operator(keras: ModuleType, made: Any) -> None:
    kind, arguments, words, shape = made
    x = np.random.default_rng(0).standard_normal((2, *shape))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            layer = getattr(keras.layers, kind)(*arguments, dtype="float64", **words)
            y = layer(x).detach().numpy()
        except (ValueError, RuntimeError):  # Keras does not take all that can be written down
            assume(False)
    A = from_keras(layer, shape, drop_bias=words["use_bias"])
    np.testing.assert_allclose(A(x), y, atol=1e-12)  # Keras begins with a bias of zeros


def made_of(weight: Any, /, **more: Any) -> SimpleNamespace:
    fields = {
        "kernel": np.asarray(weight),
        "bias": None,
        "strides": (1,),
        "padding": "valid",
        "dilation_rate": (1,),
        "groups": 1,
        "data_format": "channels_last",
        "activation": None,
    }
    return SimpleNamespace(**(fields | more))


def test_channels_last_stay_last_in_the_matrix_and_the_adjoint() -> None:
    A = from_keras(made_of([[[1, 10]], [[2, 20]]]), (3, 1))
    assert (A.input_shape, A.output_shape) == ((3, 1), (2, 2))
    assert isinstance(A, Conv)
    assert A.toarray().tolist() == [[1, 2, 0], [10, 20, 0], [0, 1, 2], [0, 10, 20]]
    assert A.H([[1, 0], [0, 1]]).tolist() == [[1], [12], [20]]


def relu(x: Any) -> Any:
    return x


@pytest.mark.parametrize(
    ("layer", "shape", "error", "says"),
    [
        (3, (3, 1), TypeError, "layer=3: it must be a Conv1D"),
        (made_of([[[1.0]]], kernel=None), (3, 1), ValueError, "before it is built"),
        (made_of([[[1.0]]], activation=relu), (3, 1), ValueError, "activation 'relu' is not linear"),
        (made_of([[[1.0]]], bias=np.zeros(1)), (3, 1), ValueError, "drop_bias=True"),
        (made_of([[[1.0]]]), (2, 3, 1), ValueError, r"input_shape=\(2, 3, 1\): .*2 axes, .*; got 3"),
    ],
)
def test_what_is_no_operator_is_refused_in_words(
    layer: Any, shape: Any, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        from_keras(layer, shape)
