"""The strategies draw what is valid, all of it, and nothing else; what they draw shrinks to the trivial."""

import ast
import inspect
from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from convops import Conv, ConvGeometry, ConvTranspose
from convops.testing import strategies
from convops.testing.strategies import DTYPES, geometries, operators, weights
from oracles import resolve_padding
from registry import BOUNDARIES, INTEGERS, METHODS, PADDINGS, Case, matrix_of

TRIVIAL = ConvGeometry(1, 1)


def simplest(strategy: st.SearchStrategy[Any], condition: Callable[[Any], bool] = lambda _: True) -> Any:
    """Return the simplest example that meets a condition."""
    return find(strategy, condition, settings=settings(database=None))


def reached(strategy: st.SearchStrategy[Any], condition: Callable[[Any], bool]) -> Any:
    """Return the first example that meets a condition."""
    once = settings(database=None, max_examples=4000, phases=[Phase.generate])
    return find(strategy, condition, settings=once)


def line(geometry: ConvGeometry) -> Any:
    """Return the first axis."""
    return geometry.axes[0]


def named_pads(padding: str, geometry: ConvGeometry) -> Any:
    """Return the pairs that a padding of this name stands for."""
    return tuple(
        resolve_padding(
            padding, geometry.spatial_shape, geometry.kernel_size, geometry.stride, geometry.dilation
        )
    )


def case_of(geometry: ConvGeometry, flip: bool = False) -> Case:
    return Case(
        "drawn",
        geometry.weight_shape,
        geometry.input_shape,
        geometry.stride,
        geometry.padding,
        geometry.dilation,
        geometry.groups,
        geometry.boundary,
        flip,
    )


# ------------------------------------------------------------------------------------------------- geometries


@given(geometries())
@settings(max_examples=200)
def test_a_geometry_is_one_that_could_have_been_typed(geometry: ConvGeometry) -> None:
    typed = ConvGeometry(geometry.weight_shape, geometry.input_shape, **case_of(geometry).geometry())
    assert typed == geometry
    assert min(geometry.output_shape) >= 1


@given(
    st.data(),
    st.integers(1, 4),
    st.integers(1, 9),
    st.integers(1, 2000),
    st.lists(st.sampled_from(BOUNDARIES), min_size=1),
    st.booleans(),
)
@settings(max_examples=200)
def test_a_geometry_keeps_to_its_options(
    data: st.DataObject, axes: int, side: int, entries: int, boundaries: list[str], channels: bool
) -> None:
    geometry = data.draw(
        geometries(
            max_axes=axes, max_side=side, boundaries=boundaries, channels=channels, max_entries=entries
        )
    )
    rows, columns = geometry.shape
    assert rows * columns <= entries
    assert len(geometry.axes) <= axes
    assert max(geometry.spatial_shape) <= side
    assert set(geometry.boundary) <= set(boundaries)
    assert channels or not geometry.has_channels


OPTIONS: dict[str, Callable[[ConvGeometry], bool]] = {
    "three axes": lambda geometry: len(geometry.axes) == 3,
    "channels": lambda geometry: geometry.has_channels,
    "three groups": lambda geometry: geometry.groups == 3,
    "channels in and out differ": lambda geometry: geometry.in_channels != geometry.out_channels,
    "groups of several channels": lambda geometry: geometry.in_channels > geometry.groups > 1,
    "longest axis": lambda geometry: line(geometry).size == 12,
    "longest kernel": lambda geometry: line(geometry).kernel == 4,
    "largest stride": lambda geometry: line(geometry).stride == 4,
    "largest dilation": lambda geometry: line(geometry).dilation == 3,
    "kernel longer than the input": lambda geometry: line(geometry).effective > line(geometry).size,
    "stride beyond the kernel": lambda geometry: line(geometry).stride > line(geometry).effective,
    "twice round before": lambda geometry: line(geometry).before > 2 * line(geometry).size > 2,
    "twice round after": lambda geometry: line(geometry).after > 2 * line(geometry).size > 2,
    "more before": lambda geometry: line(geometry).before > line(geometry).after > 0,
    "more after": lambda geometry: line(geometry).after > line(geometry).before > 0,
    "output longer": lambda geometry: line(geometry).out_size > 2 * line(geometry).size > 2,
    "boundaries differ": lambda geometry: len(set(geometry.boundary)) == 3,
    "strides differ": lambda geometry: len(set(geometry.stride)) == 3,
    "large matrix": lambda geometry: prod(geometry.shape) > 10_000,
}


@pytest.mark.parametrize("option", OPTIONS)
def test_every_option_is_reached(option: str) -> None:
    assert OPTIONS[option](reached(geometries(), OPTIONS[option]))


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_every_boundary_is_reached(boundary: str) -> None:
    assert reached(geometries(), lambda geometry: geometry.boundary[0] == boundary)


@pytest.mark.parametrize("padding", PADDINGS)
def test_every_padding_that_has_a_name_is_reached(padding: str) -> None:
    assert reached(
        geometries(max_axes=1),
        lambda geometry: line(geometry).kernel > 2 and geometry.padding == named_pads(padding, geometry),
    )


def test_a_geometry_shrinks_to_the_trivial_one() -> None:
    assert simplest(geometries()) == TRIVIAL
    assert simplest(geometries(max_axes=1, channels=False)) == TRIVIAL


def test_a_geometry_shrinks_to_what_a_failure_needs_and_no_more() -> None:
    assert simplest(geometries(), lambda geometry: line(geometry).stride > 1) == ConvGeometry(1, 1, stride=2)
    assert simplest(geometries(), lambda geometry: geometry.boundary[0] == "wrap") == ConvGeometry(
        1, 1, boundary="wrap"
    )
    assert simplest(geometries(), lambda geometry: geometry.groups > 1) == ConvGeometry(
        (2, 1, 1), (2, 1), groups=2
    )
    assert simplest(geometries(), lambda geometry: len(geometry.axes) > 1) == ConvGeometry((1, 1), (1, 1))


def test_boundaries_shrink_to_the_first_that_is_given() -> None:
    assert simplest(geometries(boundaries=("edge", "zeros"))).boundary == ("edge",)
    assert simplest(geometries(boundaries="edge")).boundary == ("edge",)


# ---------------------------------------------------------------------------------------------------- weights


@given(st.data(), geometries(), st.sampled_from([*DTYPES, *INTEGERS]))
def test_weights_are_finite_and_of_moderate_size(
    data: st.DataObject, geometry: ConvGeometry, dtype: str
) -> None:
    weight = data.draw(weights(geometry, dtypes=dtype))
    assert weight.shape == geometry.weight_shape
    assert weight.dtype == dtype
    sizes = np.abs(np.stack([weight.real, weight.imag]).astype(float))
    assert (sizes[sizes > 0] >= 1 / 16).all()
    assert (sizes <= 16).all()


@pytest.mark.parametrize("dtype", DTYPES)
def test_every_dtype_is_drawn(dtype: str) -> None:
    assert reached(weights(TRIVIAL), lambda weight: weight.dtype == dtype).dtype == dtype


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("sign", [-1, 1])
def test_weights_have_either_sign(dtype: str, sign: int) -> None:
    assert reached(weights(TRIVIAL, dtypes=dtype), lambda weight: sign * weight.real[0] > 0).shape == (1,)


def test_weights_shrink_to_zeros() -> None:
    assert not simplest(weights(ConvGeometry((2, 2), (3, 3)))).any()


# -------------------------------------------------------------------------------------------------- operators


@given(operators())
@settings(max_examples=150)
def test_an_operator_is_the_matrix_of_the_loops(A: Conv | ConvTranspose) -> None:
    W = matrix_of(case_of(A.geometry, A.flip), A.weight)
    np.testing.assert_allclose(A.toarray(), W.T if isinstance(A, ConvTranspose) else W, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("kind", [Conv, ConvTranspose])
@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_drawn_both_ways(kind: type, method: str) -> None:
    A = reached(
        operators(geometry=geometries(max_entries=500), methods=method, dtypes="float64"),
        lambda A: isinstance(A, kind) and A.method == method and A.weight.any() and A.flip,
    )
    assert A.method == method


@given(operators(dtypes="int64", methods=("fft", "separable")))
@settings(max_examples=20)
def test_a_method_that_cannot_do_the_job_is_not_drawn(A: Conv | ConvTranspose) -> None:
    assert A.method == "sparse"


@given(operators(geometry=ConvGeometry((3, 2), (5, 5), padding="same")))
@settings(max_examples=20)
def test_the_geometry_can_be_chosen(A: Conv | ConvTranspose) -> None:
    assert A.geometry == ConvGeometry((3, 2), (5, 5), padding="same")


def test_an_operator_shrinks_to_the_trivial_one() -> None:
    A = simplest(operators())
    assert type(A) is Conv
    assert (A.geometry, A.flip) == (TRIVIAL, False)
    assert not A.weight.any()


# ------------------------------------------------------------------------------------------------ the options


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: geometries(max_axes=0), ValueError, r"^max_axes=0: it must be at least 1; got 0\.$"),
        (
            lambda: geometries(max_side=2.0),
            TypeError,
            r"^max_side=2\.0: it must be an int of at least 1; got 2\.0",
        ),
        (lambda: geometries(max_entries=0), ValueError, r"^max_entries=0: it must be at least 1; got 0\.$"),
        (lambda: geometries(channels=1), TypeError, r"^channels=1: it must be True or False; got int\.$"),
        (
            lambda: geometries(boundaries=()),
            ValueError,
            r"^boundaries=\(\): at least one is needed, as in 'zeros'",
        ),
        (lambda: geometries(boundaries="mirror"), ValueError, r"^boundaries='mirror'.*is 'reflect' here\.$"),
        (
            lambda: weights((2, 2)),
            TypeError,
            r"^geometry=\(2, 2\): weights belong to a ConvGeometry; got tuple",
        ),
        (
            lambda: weights(TRIVIAL, dtypes="float16"),
            TypeError,
            r"^dtypes='float16': operators work in float32",
        ),
        (
            lambda: weights(TRIVIAL, dtypes=[]),
            ValueError,
            r"^dtypes=\[\]: at least one is needed, as in 'float64'",
        ),
        (
            lambda: operators(geometry=3),
            TypeError,
            r"^geometry=3: it must be a ConvGeometry, or a strategy of them",
        ),
        (lambda: operators(methods="direct"), ValueError, r"^methods='direct'.*is 'gemm' here\.$"),
    ],
)
def test_a_wrong_option_is_told_where_it_is_given(
    call: Callable[[], object], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        call()


def test_nothing_that_is_drawn_is_thrown_away() -> None:
    tree = ast.parse(inspect.getsource(strategies))
    called = {node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    called |= {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
    assert not called & {"filter", "assume", "reject"}
