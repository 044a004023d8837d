"""Pictures in files: every form comes back as it was, and what would lose something is refused."""

import builtins
import struct
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convops.commands._command import CannotRun
from convops.commands._image_file import read_picture, refuse_format, write_picture

Image = pytest.importorskip("PIL.Image")
rng = np.random.default_rng(0)
PIXELS = {
    "L": rng.integers(0, 256, (5, 7), np.uint8),
    "LA": rng.integers(0, 256, (5, 7, 2), np.uint8),
    "RGB": rng.integers(0, 256, (5, 7, 3), np.uint8),
    "RGBA": rng.integers(0, 256, (5, 7, 4), np.uint8),
    "I;16": rng.integers(0, 65536, (5, 7), np.uint16),
}


@pytest.mark.parametrize("ending", [".png", ".tif"])
@pytest.mark.parametrize("mode", PIXELS)
def test_a_picture_that_is_not_changed_is_written_as_it_was(mode: str, ending: str, tmp_path: Path) -> None:
    pixels, peak = PIXELS[mode], 65535 if mode == "I;16" else 255
    given, written = tmp_path / f"given{ending}", tmp_path / f"written{ending}"
    Image.fromarray(pixels).save(given, icc_profile=b"a profile")
    picture = read_picture(str(given))
    colours = {"L": 1, "LA": 1, "RGB": 3, "RGBA": 3, "I;16": 1}[mode]
    expected = np.moveaxis(np.atleast_3d(pixels)[..., :colours], -1, 0) / peak
    np.testing.assert_array_equal(picture.channels, expected)
    assert (picture.peak, picture.mode) == (peak, mode)
    write_picture(picture, picture.channels, written)
    with Image.open(written) as found:
        assert found.mode in (mode, "I" if mode == "I;16" else mode)  # what Pillow 10 says of it
        assert found.info["icc_profile"] == b"a profile"
        np.testing.assert_array_equal(np.asarray(found), pixels)


def test_what_is_written_is_cut_rounded_and_keeps_its_alpha(tmp_path: Path) -> None:
    Image.fromarray(PIXELS["LA"]).save(tmp_path / "given.png")
    picture = read_picture(str(tmp_path / "given.png"))
    channels = np.full((1, 5, 7), 0.3)
    channels[0, 0, :4] = -0.2, 1.7, 0.5019, 0.5
    write_picture(picture, channels, tmp_path / "written.png")
    with Image.open(tmp_path / "written.png") as found:
        grey, alpha = np.moveaxis(np.asarray(found), -1, 0)
    assert grey[0, :4].tolist() == [0, 255, 128, 128]
    assert (grey[1:] == 76).all()  # 76.5 to the even one
    np.testing.assert_array_equal(alpha, PIXELS["LA"][..., 1])


def test_a_palette_is_colour_and_a_turned_photograph_upright(tmp_path: Path) -> None:
    Image.fromarray(PIXELS["RGB"]).quantize(4).save(tmp_path / "palette.png")
    assert read_picture(str(tmp_path / "palette.png")).mode == "RGB"
    tags = Image.Exif()
    tags[0x0112] = 6  # orientation: the first row is the right side
    Image.fromarray(PIXELS["L"]).save(tmp_path / "turned.png", exif=tags)
    upright = read_picture(str(tmp_path / "turned.png")).channels[0]
    np.testing.assert_array_equal(upright * 255, np.rot90(PIXELS["L"], -1))


def test_a_jpeg_is_written_nearly_as_it_was(tmp_path: Path) -> None:
    smooth = np.add.outer(np.arange(0, 200, 5), np.arange(0, 50, 2)).astype(np.uint8)
    Image.fromarray(smooth).save(tmp_path / "given.png")
    picture = read_picture(str(tmp_path / "given.png"))
    write_picture(picture, picture.channels, tmp_path / "written.jpg")
    assert abs(read_picture(str(tmp_path / "written.jpg")).channels - picture.channels).max() < 0.02


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(depth: int, colour: int, row: bytes) -> bytes:
    header = struct.pack(">IIBBBBB", 1, 1, depth, colour, 0, 0, 0)
    body = zlib.compress(b"\0" + row)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("colour", "channels"), [(2, 3), (4, 2), (6, 4)])
def test_colour_of_16_bit_is_refused(colour: int, channels: int, tmp_path: Path) -> None:
    (tmp_path / "deep.png").write_bytes(png(16, colour, bytes(2 * channels)))
    with pytest.raises(CannotRun, match="of 16 bit is read as 8 bit by Pillow"):
        read_picture(str(tmp_path / "deep.png"))


def test_what_is_no_picture_is_one_line(tmp_path: Path) -> None:
    whole = png(8, 0, b"\0")
    Image.new("CMYK", (2, 2)).save(tmp_path / "cmyk.jpg")
    Image.new("F", (2, 2)).save(tmp_path / "float.tif")
    (tmp_path / "noise.png").write_bytes(rng.bytes(999))
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "cut.png").write_bytes(whole[:45])
    (tmp_path / "damaged.png").write_bytes(whole[:20] + rng.bytes(40))
    for name, message in (
        ("cmyk.jpg", "Pillow's mode 'CMYK' cannot be taken"),
        ("float.tif", "Pillow's mode 'F' cannot be taken"),
        ("noise.png", "it is no image that can be read"),
        ("empty.png", "it is no image that can be read"),
        ("cut.png", "it is no image that can be read"),
        ("damaged.png", "it is no image that can be read"),
        (".", "it is no image that can be read"),
        ("missing.png", "there is no such file"),
    ):
        with pytest.raises(CannotRun, match=message) as told:
            read_picture(str(tmp_path / name))
        assert "\n" not in str(told.value)


def test_a_format_that_cannot_hold_the_mode_is_refused() -> None:
    for mode, output in (("RGBA", "a.jpg"), ("LA", "a.jpeg"), ("I;16", "a.jpg"), ("LA", "a.bmp")):
        with pytest.raises(
            CannotRun, match=rf"^-o {output}: a file of that kind cannot hold .* \.png or \.tif"
        ):
            refuse_format("-o", output, mode)
    refuse_format("-o", "a.JPG", "RGB")


def test_without_pillow_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def without(name: str, *arguments: Any, **keywords: Any) -> Any:
        if name.startswith("PIL"):
            raise ImportError("No module named 'PIL'")
        return original(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(CannotRun, match=r"the extra 'plot': .*pip install -e '\.\[plot\]'"):
        read_picture("a.png")
