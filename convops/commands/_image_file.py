"""Pictures in files, grey or in colour, of 8 or 16 bits: read as numbers, written in the form they had."""

import io
import warnings
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from convops._arrays import Array
from convops.commands._command import CannotRun, in_one_line, without_plot

FORMATS = {".png": "PNG", ".tif": "TIFF", ".tiff": "TIFF", ".jpg": "JPEG", ".jpeg": "JPEG", ".bmp": "BMP"}
_MODES = {"L": "grey", "LA": "grey with alpha", "RGB": "colour", "RGBA": "colour with alpha", "I;16": "grey"}
_QUALITY = {"JPEG": {"quality": 95, "subsampling": 0}}


class Picture(NamedTuple):
    """A picture as numbers, and what it takes to write one of the same form."""

    channels: Array
    """``(C, H, W)``, float64 from 0 to 1; one channel or three, without alpha."""
    alpha: Array | None
    """``(H, W)``, as stored."""
    mode: str
    """Pillow's."""
    profile: bytes | None
    """The ICC profile: what the colours mean."""

    @property
    def bits(self) -> int:
        """Of a channel, 8 or 16."""
        return 16 if self.mode == "I;16" else 8

    @property
    def peak(self) -> int:
        """The number that stands for 1."""
        return int(2**self.bits - 1)

    def __str__(self) -> str:
        _, rows, columns = self.channels.shape
        return f"{rows} × {columns} pixels, {_MODES[self.mode]}, {self.bits} bit"


def read_picture(name: str) -> Picture:
    """Return the picture in a file; of several, the first, turned as it is to be seen.

    Raises
    ------
    CannotRun
        If there is none, or of no form that can be written again without loss.
    """
    Image, ImageOps = _pillow()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of large images, and of tags that do not matter
            with Image.open(name) as image:
                _refuse_lossy(name, image)
                image.load()
                form, profile = image.format, image.info.get("icc_profile")
                return _as_picture(name, ImageOps.exif_transpose(image), form, profile)
    except CannotRun:
        raise
    except FileNotFoundError as error:
        raise CannotRun(f"{name}: there is no such file.") from error
    except Exception as error:  # what the decoders raise on a damaged file is not foreseeable
        reason = getattr(error, "strerror", None) or in_one_line(error)[:200]
        raise CannotRun(f"{name}: it is no image that can be read ({reason}).") from error


def refuse_format(option: str, output: str, mode: str) -> None:
    """Refuse a file whose format cannot hold pictures of a mode.

    Raises
    ------
    CannotRun
        If it is so.
    """
    Image, _ = _pillow()
    try:
        Image.new(mode, (1, 1)).save(io.BytesIO(), FORMATS[Path(output).suffix.lower()])
    except (OSError, KeyError, ValueError) as error:
        bits = "16 bit" if mode == "I;16" else "8 bit"
        raise CannotRun(
            f"{option} {output}: a file of that kind cannot hold {_MODES[mode]} of {bits}. Name a .png or "
            ".tif file."
        ) from error


def write_picture(picture: Picture, channels: Array, file: Path) -> None:
    """Write other channels in the form of a picture: cut to 0 to 1, rounded to its bits, with its alpha."""
    Image, _ = _pillow()
    numbers = np.rint(np.clip(channels, 0, 1) * picture.peak).astype(f"uint{picture.bits}")
    planes = [*numbers, *([] if picture.alpha is None else [picture.alpha])]
    pixels = np.stack(planes, axis=-1) if len(planes) > 1 else planes[0]
    kind = FORMATS[file.suffix.lower()]
    others: dict[str, Any] = dict(_QUALITY.get(kind, {}))
    if picture.profile:
        others["icc_profile"] = picture.profile
    Image.fromarray(pixels).save(file, kind, **others)


def _refuse_lossy(name: str, image: Any) -> None:
    """Refuse colour of 16 bit, which Pillow reads as 8."""
    for tile in getattr(image, "tile", ()):
        raw = tile[3][0] if isinstance(tile[3], tuple) and tile[3] else tile[3]
        if ";16" in str(raw) and not image.mode.startswith("I"):
            raise CannotRun(
                f"{name}: colour, or grey with alpha, of 16 bit is read as 8 bit by Pillow, which would lose "
                "the rest. Give each channel as a grey file of 16 bit, or convert the file to 8 bit."
            )


def _as_picture(name: str, image: Any, form: str | None, profile: bytes | None) -> Picture:
    if image.mode in ("P", "PA"):
        image = image.convert("RGBA" if image.mode == "PA" or "transparency" in image.info else "RGB")
    mode = image.mode
    if mode.startswith("I;16") or (mode == "I" and form == "PNG"):  # the latter before Pillow 11
        mode = "I;16"
    if mode not in _MODES:
        raise CannotRun(
            f"{name}: an image of Pillow's mode {image.mode!r} cannot be taken; grey of 8 or 16 bit can, and "
            "colour of 8 bit. Convert it."
        )
    pixels = np.asarray(image)
    alpha = pixels[..., -1] if mode in ("LA", "RGBA") else None
    planes = np.atleast_3d(pixels if alpha is None else pixels[..., :-1])
    peak = 65535 if mode == "I;16" else 255
    channels = np.ascontiguousarray(np.moveaxis(planes, -1, 0)) / peak
    return Picture(channels, alpha, mode, profile)


def _pillow() -> tuple[Any, Any]:
    try:
        from PIL import Image, ImageOps
    except ImportError as error:
        raise without_plot("images need Pillow", error) from error
    return Image, ImageOps
