"""The geometry of a convolution as it is typed on a command line."""

import argparse
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from convops import Conv, ConvGeometry, ConvTranspose
from convops.commands._command import CannotRun
from convops.commands._geometry_options import (
    add_geometry_options,
    boundary,
    geometry_of,
    operator_of,
    padding,
    per_axis,
    shape,
    steps,
)


@pytest.mark.parametrize(
    ("read", "text", "value"),
    [
        (shape, "3,224,224", (3, 224, 224)),
        (shape, "3x224x224", (3, 224, 224)),
        (shape, "3×224×224", (3, 224, 224)),
        (shape, "(3, 224, 224)", (3, 224, 224)),
        (shape, "(8,)", (8,)),
        (shape, "8", (8,)),
        (steps, "2", 2),
        (steps, "2,1", (2, 1)),
        (per_axis, "0,1", (0, 1)),
        (padding, "1", 1),
        (padding, "1,2", (1, 2)),
        (padding, "1:0,2:2", ((1, 0), (2, 2))),
        (padding, "1:0,2", ((1, 0), (2, 2))),
        (padding, "same_lower", "same_lower"),
        (boundary, "wrap", "wrap"),
        (boundary, "zeros, wrap", ["zeros", "wrap"]),
    ],
)
def test_a_text_is_read(read: Callable[[str], Any], text: str, value: object) -> None:
    assert read(text) == value


@pytest.mark.parametrize(
    ("read", "text", "part"),
    [
        (shape, "3,a", "'a'"),
        (shape, "3,,4", "''"),
        (shape, "", "''"),
        (shape, "3,0", "'0'"),
        (shape, "3.5", "'3.5'"),
        (steps, "0", "'0'"),
        (steps, "-1", "'-1'"),
        (per_axis, "1,", "''"),
        (padding, "1:", "''"),
        (padding, "1:2:3", "'2:3'"),
        (padding, "-1", "'-1'"),
    ],
)
def test_what_cannot_be_read_is_told(read: Callable[[str], Any], text: str, part: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match=rf"^'{text}': {part} is not a whole number of at"):
        read(text)


def parsed(text: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    add_geometry_options(parser)
    return parser.parse_args(text.split())


def test_left_out_options_are_the_defaults_of_the_geometry() -> None:
    assert geometry_of(parsed("--input-shape 8,8"), (3, 3)) == ConvGeometry((3, 3), (8, 8))


def test_all_options_reach_the_geometry() -> None:
    options = parsed(
        "--input-shape 4,9,8 --stride 2,1 --padding 1:0,2 --dilation 1,2 --groups 2 --boundary edge,wrap"
    )
    expected = ConvGeometry(
        (6, 2, 3, 3),
        (4, 9, 8),
        stride=(2, 1),
        padding=[(1, 0), (2, 2)],
        dilation=(1, 2),
        groups=2,
        boundary=("edge", "wrap"),
    )
    assert geometry_of(options, (6, 2, 3, 3)) == expected
    A = operator_of(options, np.ones((6, 2, 3, 3)))
    assert (type(A), A.geometry) == (Conv, expected)


def test_a_transpose_reads_the_input_shape() -> None:
    options = parsed("--input-shape 4,4 --stride 2 --padding 1 --transposed --output-padding 1")
    assert geometry_of(options, (3, 3)).input_shape == (8, 8)
    A = operator_of(options, np.ones((3, 3)))
    assert (type(A), A.input_shape, A.output_shape) == (ConvTranspose, (4, 4), (8, 8))


def test_output_padding_alone_is_refused() -> None:
    with pytest.raises(CannotRun, match=r"^--output-padding: .* Give --transposed too"):
        geometry_of(parsed("--input-shape 4,4 --output-padding 1"), (3, 3))
