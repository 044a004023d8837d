"""The geometry of a convolution as options: how they are typed, and the geometry or operator they make."""

import argparse
import functools
import re
from collections.abc import Iterator
from typing import Any

from scipy.sparse import csr_array

from convops.commands._command import CannotRun, whole_number
from convops.geometry import ConvGeometry
from convops.operators import Conv, ConvTranspose
from convops.row_blocks import iter_row_blocks

_SIZES = "C,H,W"


def add_geometry_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that `ConvGeometry` has as arguments, but for the shape of the weight."""
    parser.add_argument(
        "--input-shape",
        type=shape,
        required=True,
        metavar=_SIZES,
        help="channels and spatial sizes of what is read, as 3,224,224 or 3x224x224; sizes alone where "
        "the weight has as many axes",
    )
    parser.add_argument(
        "--stride", type=steps, default=1, metavar="N[,N]", help="step between outputs (default: 1)"
    )
    parser.add_argument(
        "--padding",
        type=padding,
        default=0,
        metavar="P",
        help="positions added around the input: a number, one per axis as 1,2, a before:after pair per "
        "axis as 1:0,2:2, or valid, same, same_lower, full, causal (default: 0)",
    )
    parser.add_argument(
        "--dilation", type=steps, default=1, metavar="N[,N]", help="step between taps (default: 1)"
    )
    parser.add_argument(
        "--groups",
        type=functools.partial(whole_number, minimum=1),
        default=1,
        metavar="N",
        help="groups of channels that do not mix (default: 1)",
    )
    parser.add_argument(
        "--boundary",
        type=boundary,
        default="zeros",
        metavar="NAME[,NAME]",
        help="what the padding holds: zeros, wrap, reflect, symmetric, edge or antireflect, for all axes "
        "or one per axis (default: zeros)",
    )
    parser.add_argument(
        "--transposed",
        action="store_true",
        help="the transposed convolution: the input shape is that of what the transpose reads",
    )
    parser.add_argument(
        "--output-padding",
        type=per_axis,
        default=None,
        metavar="N[,N]",
        help="with --transposed and a stride: how much larger than the smallest possible the output is "
        "(default: 0)",
    )


def geometry_of(options: argparse.Namespace, weight_shape: tuple[int, ...]) -> ConvGeometry:
    """Return the geometry that the options describe; of the convolution, also where it is transposed."""
    make = ConvGeometry.transposed if options.transposed else ConvGeometry
    return make(weight_shape, options.input_shape, **_arguments(options))


def operator_of(options: argparse.Namespace, weight: Any, **others: Any) -> Conv | ConvTranspose:
    """Return the operator that the options describe, with a weight."""
    make = ConvTranspose if options.transposed else Conv
    return make(weight, options.input_shape, **_arguments(options), **others)


def row_blocks_of(options: argparse.Namespace, weight: Any, **others: Any) -> Iterator[csr_array]:
    """Return the blocks of rows of the matrix that the options describe, with a weight."""
    arguments = _arguments(options)
    if options.transposed:
        raise CannotRun(
            "--transposed: the blocks are of rows of W. Leave it out, and take the transpose of each block: "
            "these are the columns of the transposed convolution."
        )
    return iter_row_blocks(weight, options.input_shape, **arguments, **others)


def _arguments(options: argparse.Namespace) -> dict[str, Any]:
    names = ("stride", "padding", "dilation", "groups", "boundary")
    found = {name: getattr(options, name) for name in names}
    if options.output_padding is None:
        return found
    if not options.transposed:
        raise CannotRun(
            "--output-padding: it chooses the size that a transposed convolution returns. Give --transposed "
            "too, or leave it out."
        )
    return found | {"output_padding": options.output_padding}


def shape(text: str) -> tuple[int, ...]:
    """Return the sizes in a text such as "3,224,224", "3x224x224" or "(3, 224, 224)"."""
    sizes = text.strip().strip("()").removesuffix(",")
    return tuple([_number(part, text, 1) for part in re.split("," if "," in sizes else "[x×]", sizes)])


def steps(text: str) -> int | tuple[int, ...]:
    """Return the step, or the steps one per axis, in a text such as "2" or "2,1"."""
    return per_axis(text, 1)


def per_axis(text: str, minimum: int = 0) -> int | tuple[int, ...]:
    """Return the number, or the numbers one per axis, in a text such as "2" or "2,1"."""
    numbers = tuple([_number(part, text, minimum) for part in text.split(",")])
    return numbers if len(numbers) > 1 else numbers[0]


def padding(text: str) -> str | int | tuple[int, ...] | tuple[tuple[int, int], ...]:
    """Return the padding in a text such as "1", "1,2", "1:0,2:2" or "same"."""
    if re.fullmatch(r"[A-Za-z_]+", text):
        return text
    if ":" not in text:
        return per_axis(text)
    pairs = []
    for item in text.split(","):
        before, colon, after = item.partition(":")
        pairs.append((_number(before, text), _number(after if colon else before, text)))
    return tuple(pairs)


def boundary(text: str) -> str | list[str]:
    """Return the boundary, or the boundaries one per axis, in a text such as "zeros,wrap"."""
    names = [name.strip() for name in text.split(",")]
    return names if len(names) > 1 else names[0]


def _number(part: str, text: str, minimum: int = 0) -> int:
    try:
        return whole_number(part.strip(), minimum)
    except argparse.ArgumentTypeError:
        raise argparse.ArgumentTypeError(
            f"{text!r}: {part.strip()!r} is not a whole number of at least {minimum}"
        ) from None
