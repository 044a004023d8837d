"""What a point of light becomes: the kernels that `convops deblur` knows by name, and those in files."""

from collections.abc import Callable
from math import ceil, cos, isfinite, radians, sin
from pathlib import Path
from typing import NamedTuple

import numpy as np

from convops._arrays import Array
from convops.commands._command import CannotRun
from convops.commands._files import read_array
from convops.commands._image_file import read_picture

FORMS = "gaussian:SIGMA, motion:LENGTH,ANGLE, disk:RADIUS, or a .npy or image file"
_POINTS = 32
"""Points along a tap that tell how much of it a shape covers."""


class Form(NamedTuple):
    """A kernel by name: what its numbers are, how far it reaches from its middle, and its taps."""

    rule: str
    example: tuple[float, ...]
    reach: Callable[..., float]
    taps: Callable[..., Array]


def point_spread(typed: str, spatial: tuple[int, ...]) -> tuple[Array, str]:
    """Return a kernel of sum 1 for images of a shape, and a line about it.

    Parameters
    ----------
    typed : str
        One of `FORMS`.
    spatial : tuple of int
        Rows and columns of the image; no kernel has more.

    Returns
    -------
    taps : ndarray, shape ``(kh, kw)``
        The picture of a point in the middle: the kernel of a convolution, not of a correlation.
    line : str
        What it is.

    Raises
    ------
    CannotRun
        If it is none of the forms, or does not fit.
    """
    name, colon, rest = typed.partition(":")
    if colon and name in FORMS_BY_NAME:
        taps = _by_name(typed, FORMS_BY_NAME[name], rest, spatial)
    else:
        taps = _from_file(typed)
    _refuse_larger(typed, taps.shape, spatial)
    if not np.isfinite(taps).all() or not isfinite(total := float(taps.sum())) or total <= 0:
        raise CannotRun(
            f"--psf {typed}: the sum of a point spread is above 0, and its taps are finite. It is divided by "
            f"that sum; here it is {taps.sum()}."
        )
    rows, columns = taps.shape
    was = "" if colon and name in FORMS_BY_NAME else f" (it was {total:.6g})"
    return taps / total, f"psf: {typed}, {rows} × {columns} taps, normalised to sum 1{was}"


def _by_name(typed: str, form: Form, rest: str, spatial: tuple[int, ...]) -> Array:
    try:
        numbers = [float(part) for part in rest.split(",")]
    except ValueError:
        numbers = []
    # The first number is a length; an angle may be any.
    if len(numbers) != len(form.example) or not all(map(isfinite, numbers)) or numbers[0] <= 0:
        example = ",".join(f"{number:g}" for number in form.example)
        raise CannotRun(f"--psf {typed}: it takes {form.rule}, as {typed.partition(':')[0]}:{example} does.")
    reach = form.reach(*numbers)
    if reach > max(spatial):
        _refuse_larger(typed, (2 * reach + 1,) * 2, spatial)
    return form.taps(*numbers)


def _refuse_larger(typed: str, shape: tuple[float, ...], spatial: tuple[int, ...]) -> None:
    if any(size > most for size, most in zip(shape, spatial, strict=True)):
        sizes = " × ".join(f"{size:.6g}" for size in shape)
        raise CannotRun(
            f"--psf {typed}: it has {sizes} taps, and the image {' × '.join(map(str, spatial))} pixels; no "
            "axis can have more taps than pixels. Give a smaller one."
        )


def gaussian(sigma: float) -> Array:
    """Return a Gaussian of a standard deviation in pixels, cut off at four of them."""
    reach = int(_gaussian_reach(sigma))
    along = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    return np.outer(along, along)


def motion(length: float, angle: float) -> Array:
    """Return a straight line of a length in pixels, at an angle in degrees from the right towards the top.

    A tap is the part of the line that lies in its pixel.
    """
    points = _POINTS * ceil(length) * 2
    along = (np.arange(points) + 0.5) * (length / points) - length / 2
    rows, columns = np.rint(-along * sin(radians(angle))), np.rint(along * cos(radians(angle)))
    down, right = (int(abs(line).max()) for line in (rows, columns))
    taps = np.zeros((2 * down + 1, 2 * right + 1))
    np.add.at(taps, (rows.astype(int) + down, columns.astype(int) + right), 1.0)
    return taps


def disk(radius: float) -> Array:
    """Return a disk of a radius in pixels: out of focus. A tap is how much of its pixel the disk covers."""
    reach = int(_disk_reach(radius))
    fine = (np.arange((2 * reach + 1) * _POINTS) + 0.5) / _POINTS - reach - 0.5
    inside = fine[:, None] ** 2 + fine**2 <= radius**2
    blocks = inside.reshape(2 * reach + 1, _POINTS, 2 * reach + 1, _POINTS)
    taps: Array = blocks.sum(axis=(1, 3)) / _POINTS**2
    return taps


def _gaussian_reach(sigma: float) -> float:
    return float(np.floor(4 * sigma + 0.5))


def _motion_reach(length: float, angle: float) -> float:
    return length / 2


def _disk_reach(radius: float) -> float:
    return float(np.ceil(max(radius - 0.5, 0)))


FORMS_BY_NAME = {
    "gaussian": Form("a standard deviation in pixels, above 0", (2.5,), _gaussian_reach, gaussian),
    "motion": Form("a length in pixels, above 0, and an angle in degrees", (15, 30), _motion_reach, motion),
    "disk": Form("a radius in pixels, above 0", (4,), _disk_reach, disk),
}


def _from_file(typed: str) -> Array:
    if not Path(typed).exists():
        raise CannotRun(f"--psf {typed}: it must be {FORMS}, and there is no file of that name.")
    if Path(typed).suffix.lower() != ".npy":
        grey: Array = read_picture(typed).channels.mean(axis=0)
        return grey
    taps = read_array(typed)
    if taps.ndim != 2 or taps.size == 0 or taps.dtype.kind not in "biuf":
        raise CannotRun(
            f"--psf {typed}: a point spread is an array of real numbers with two axes; this one has shape "
            f"{taps.shape} and dtype {taps.dtype}."
        )
    return taps.astype(np.float64)
