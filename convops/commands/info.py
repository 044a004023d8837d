"""``convops info``: the sizes of a geometry, its matrix in numbers, and which method applies it."""

import argparse
from math import prod
from typing import Any

import numpy as np

from convops._arrays import Array, operator_dtype
from convops.commands._command import refusals
from convops.commands._geometry_options import add_geometry_options, geometry_of, operator_of, shape
from convops.geometry import ConvGeometry

LARGEST_WEIGHT = 2**25
"""Taps of a weight up to which it is worth making one at random."""

_DESCRIPTION = """\
Print the arithmetic of a convolution's sizes, how many entries its matrix W
has and how many bytes they take, and which method the operator would use, why,
and what the others would cost. No matrix is built.
"""
_EPILOG = """\
examples:

  convops info --weight-shape 64,3,7,7 --input-shape 3,224,224 --stride 2
  convops info --weight-shape 5x5 --input-shape 512x512 --padding same
  convops info --weight-shape 3,3 --input-shape 4,4 --stride 2 --transposed
"""


def add_info_parser(commands: Any) -> None:
    """Add the command to those of a parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "info",
        help="print the sizes of a convolution, its matrix in numbers, and the method for it",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--weight-shape",
        type=shape,
        required=True,
        metavar="O,I,KH,KW",
        help="shape of the weight: channels out, channels in per group, kernel; or the kernel alone",
    )
    add_geometry_options(parser)
    parser.add_argument(
        "--dtype", default="float64", help="of the entries, such as float32 or int64 (default: %(default)s)"
    )
    parser.set_defaults(run=run_info)


def run_info(options: argparse.Namespace) -> int:
    """Print what is known of a geometry, and return the exit status.

    Raises
    ------
    CannotRun
        If the geometry does not fit.
    """
    with refusals():
        dtype = operator_dtype(options.dtype)
        geometry = geometry_of(options, options.weight_shape)
        lines = []
        if options.transposed:
            lines.append(
                f"transposed convolution: input_shape {geometry.output_shape} -> output_shape "
                f"{geometry.input_shape}, the transpose of this:"
            )
        lines.append(geometry.explain())
        lines.append(f"bytes of W in {dtype}: {geometry.nbytes(dtype)}, {_in_units(geometry.nbytes(dtype))}")
        lines.append(_methods(options, geometry, dtype))
    print("\n".join(lines))
    return 0


def _methods(options: argparse.Namespace, geometry: ConvGeometry, dtype: np.dtype[Any]) -> str:
    taps = prod(geometry.weight_shape)
    if taps > LARGEST_WEIGHT:
        return (
            f"method: not told, because it takes a weight to choose one, and this one has {taps} taps; "
            f"up to {LARGEST_WEIGHT} are made."
        )
    A = operator_of(options, _random(geometry.weight_shape, dtype), dtype=dtype)
    lines = [f"for a weight of random numbers in {dtype}:", A.explain()]
    smooth = operator_of(options, np.ones(geometry.weight_shape, dtype), dtype=dtype).method
    if smooth != A.method:
        lines.append(f'for a kernel of rank 1, as a box or a Gaussian is: method "{smooth}"')
    return "\n".join(lines)


def _random(shape: tuple[int, ...], dtype: np.dtype[Any]) -> Array:
    rng = np.random.default_rng(0)
    if dtype.kind in "iu":
        return rng.integers(0, 100, shape).astype(dtype)
    weight = rng.standard_normal(shape, np.float32).astype(dtype)
    return weight + 1j * weight[..., ::-1] if dtype.kind == "c" else weight


def _in_units(nbytes: int) -> str:
    units = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB")
    power = min(max(nbytes.bit_length() - 1, 0) // 10, len(units) - 1)
    return f"{nbytes / 1024**power:.4g} {units[power]}"
