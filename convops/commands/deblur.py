"""``convops deblur``: an image file restored by regularised least squares."""

import argparse
import sys
import time
import warnings
from math import isfinite
from typing import Any

import numpy as np

from convops._arrays import Array
from convops.commands._command import in_one_line, refusals
from convops.commands._files import refuse_output, written_whole
from convops.commands._geometry_options import boundary
from convops.commands._image_damp import REGULARISERS, damp_for_image
from convops.commands._image_file import FORMATS, Picture, read_picture, refuse_format, write_picture
from convops.commands._psf import FORMS, point_spread
from convops.inverse import tikhonov
from convops.operators import Conv

_DESCRIPTION = """\
Restore a blurred image whose point spread (PSF) is known: the x that minimises
|A x - b|^2 + damp^2 |L x|^2, with A the convolution with the PSF, b the image,
and L what --reg names. Grey of 8 or 16 bit, colour of 8; the result has the
form of the image. Needs the extra 'plot'.
"""
_EPILOG = """\
point spreads:

  gaussian:SIGMA       sigma in pixels, as gaussian:2.5
  motion:LENGTH,ANGLE  a straight line: its pixels, its degrees, from the
                       right towards the top
  disk:RADIUS          out of focus: the radius in pixels
  FILE                 a .npy array with two axes, or an image of a point;
                       colour is averaged

examples:

  convops deblur blurred.png --psf gaussian:2.5 -o restored.png
  convops deblur shaken.jpg --psf motion:15,30 --damp 0.05 -o restored.png
"""


def add_deblur_parser(commands: Any) -> None:
    """Add the command to those of a parser."""
    parser: argparse.ArgumentParser = commands.add_parser(
        "deblur",
        help="restore a blurred image file",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("image", metavar="IMAGE", help="the blurred image: any file that Pillow reads")
    parser.add_argument("--psf", required=True, metavar="PSF", help=f"how a point was blurred: {FORMS}")
    parser.add_argument(
        "--boundary",
        type=boundary,
        default="symmetric",
        metavar="NAME[,NAME]",
        help="what lies outside the picture: zeros, wrap, reflect, symmetric, edge or antireflect "
        "(default: %(default)s)",
    )
    parser.add_argument(
        "--damp",
        type=_damp,
        default="auto",
        metavar="NUMBER",
        help="how much to smooth, or auto: by cross-validation (default: %(default)s)",
    )
    parser.add_argument(
        "--reg",
        choices=tuple(REGULARISERS),
        default="gradient",
        help="what is kept small: the image itself, its gradient or its laplacian (default: %(default)s)",
    )
    parser.add_argument("--progress", action="store_true", help="show on stderr where the work is")
    parser.add_argument(
        "-o",
        "--output",
        required=True,
        metavar="FILE",
        help="where the result goes: a .png, .tif, .jpg or .bmp file",
    )
    parser.set_defaults(run=run_deblur)


def run_deblur(options: argparse.Namespace) -> int:
    """Restore the image, write it, print how, and return the exit status.

    Raises
    ------
    CannotRun
        If the image or the point spread cannot be read, or the result not be written.
    """
    start = time.perf_counter()
    refuse_output("--output", options.output, "the result", FORMATS)
    picture = read_picture(options.image)
    refuse_format("--output", options.output, picture.mode)
    psf, about = point_spread(options.psf, picture.channels.shape[1:])
    lines = [f"image: {options.image}, {picture}", about]
    with refusals(), warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        A = Conv(psf, picture.channels.shape[1:], padding="same", boundary=options.boundary, flip=True)
        damp, how = _chosen_damp(options, A, psf, picture)
        reg = None if options.reg == "none" else options.reg
        restored, result = tikhonov(
            A, picture.channels, damp, reg=reg, progress=options.progress, full_output=True
        )
    with (
        refusals(f"--output {options.output}"),
        written_whole("--output", options.output, "the result") as file,
    ):
        write_picture(picture, restored, file)
    rms = float(np.sqrt(np.mean(np.square(result.residual)) / A.shape[0]))
    lines += [
        f"damp: {damp:.4g}{how}",
        f"route: {result.route}, {result.iterations} iterations: {result.why}",
        f"residual: A x - b has an rms of {rms:.3g}, {rms * picture.peak:.3g} of {picture.peak}",
        f"wrote {options.output}, {time.perf_counter() - start:.2f} s in all",
    ]
    for warning in caught:
        print(f"convops: {in_one_line(warning.message)}", file=sys.stderr)
    print("\n".join(lines))
    return 0


def _chosen_damp(options: argparse.Namespace, A: Conv, psf: Array, picture: Picture) -> tuple[float, str]:
    if options.damp != "auto":
        return options.damp, ", as given"
    start = time.perf_counter()
    count = len(picture.channels)
    channel = count // 2
    where = f" on channel {channel + 1} of {count}" if count > 1 else ""
    if options.progress:
        print(f"choosing the damp{where}", file=sys.stderr, flush=True)
    damp, chosen = damp_for_image(A, psf, picture.channels[channel], options.reg, picture.peak)
    return damp, f", {chosen}{where} in {time.perf_counter() - start:.2f} s"


def _damp(text: str) -> str | float:
    """Return "auto", or the number in a text."""
    if text == "auto":
        return text
    try:
        damp = float(text)
    except ValueError:
        damp = -1.0
    if damp < 0 or not isfinite(damp):
        raise argparse.ArgumentTypeError(f"{text!r} is neither auto nor a finite number of at least 0")
    return damp
