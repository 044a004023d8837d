"""``convops deblur``: what it restores, in which form, and with which files it cannot run."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.ndimage import convolve, gaussian_filter

from commands.terminal import refused, run
from convops import Conv, choose_damp, tikhonov
from convops.commands import deblur

Image = pytest.importorskip("PIL.Image")
rows, columns = np.mgrid[:60, :72] / 60
GREY = 0.5 + 0.3 * np.sin(9 * rows**2) * np.cos(7 * columns) + 0.15 * (columns > rows)
COLOUR = np.stack([GREY, GREY[::-1], 1 - GREY], axis=-1)


def psnr(image: np.ndarray, reference: np.ndarray) -> float:
    return float(-10 * np.log10(np.mean((image - reference) ** 2)))


def saved(pixels: np.ndarray, path: Path) -> np.ndarray:
    """Write an image, and return its pixels."""
    Image.fromarray(pixels).save(path)
    return pixels


def loaded(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        pixels = np.asarray(image)
    return pixels.astype(np.uint16) if pixels.dtype == np.int32 else pixels  # grey of 16 bit in Pillow 10


def kernel(sigma: float) -> np.ndarray:
    along = np.exp(-0.5 * (np.arange(-6, 7) / sigma) ** 2)
    return np.outer(along, along) / along.sum() ** 2


def quantised(image: np.ndarray, kind: type) -> np.ndarray:
    return np.rint(np.clip(image, 0, 1) * np.iinfo(kind).max).astype(kind)


@pytest.mark.parametrize("kind", [np.uint8, np.uint16])
def test_a_grey_image_is_restored_as_tikhonov_does(
    kind: type, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    peak = np.iinfo(kind).max
    given, output = tmp_path / "given.png", tmp_path / "restored.png"
    noise = np.random.default_rng(0).normal(0, 0.002, GREY.shape)
    blurred = saved(quantised(gaussian_filter(GREY, 1.5) + noise, kind), given)
    assert run("deblur", given, "--psf", "gaussian:1.5", "--damp", "0.05", "-o", output) == 0
    A = Conv(kernel(1.5), GREY.shape, padding="same", boundary="symmetric")
    x = tikhonov(A, blurred / peak, 0.05, reg="gradient")
    found = loaded(output)
    assert found.dtype == kind
    assert abs(found - np.clip(x, 0, 1) * peak).max() < 0.51 + 1e-6 * peak
    assert psnr(found / peak, GREY) > psnr(blurred / peak, GREY) + 2.5
    printed = capsys.readouterr()
    assert printed.err == ""
    rms = np.sqrt(np.mean((A(x) - blurred / peak) ** 2))
    assert re.fullmatch(
        rf"image: {given}, 60 × 72 pixels, grey, {8 * blurred.itemsize} bit\n"
        r"psf: gaussian:1\.5, 13 × 13 taps, normalised to sum 1\n"
        r"damp: 0\.05, as given\n"
        r"route: dct, 0 iterations: every axis is diagonal: dct\n"
        rf"residual: A x - b has an rms of {rms:.3g}, {rms * peak:.3g} of {peak}\n"
        rf"wrote {output}, \d+\.\d\d s in all\n",
        printed.out,
    )


def test_every_channel_is_restored_with_the_same_kernel_and_the_alpha_stays(tmp_path: Path) -> None:
    given, output = tmp_path / "given.png", tmp_path / "restored.tif"
    blurred = gaussian_filter(COLOUR, (1.5, 1.5, 0))
    alpha = np.arange(GREY.size, dtype=np.uint8).reshape(*GREY.shape, 1)
    pixels = saved(np.concatenate([quantised(blurred, np.uint8), alpha], axis=-1), given)
    assert run("deblur", given, "--psf", "gaussian:1.5", "--damp", "0.05", "-o", output) == 0
    whole = loaded(output)
    np.testing.assert_array_equal(whole[..., 3:], alpha)
    assert psnr(whole[..., :3] / 255, COLOUR) > psnr(pixels[..., :3] / 255, COLOUR) + 4
    for channel in range(3):
        saved(pixels[..., channel], given)
        assert run("deblur", given, "--psf", "gaussian:1.5", "--damp", "0.05", "-o", output) == 0
        np.testing.assert_array_equal(loaded(output), whole[..., channel])


def test_the_kernel_is_that_of_a_convolution(tmp_path: Path) -> None:
    psf = np.zeros((4, 5))  # of an even number, SciPy too takes the upper of the two in the middle
    psf[0, 1], psf[2, 2], psf[2, 3] = 3, 2, 1
    np.save(tmp_path / "psf.npy", psf)
    given, output = tmp_path / "given.png", tmp_path / "restored.png"
    for mode, boundary in (("wrap", "wrap"), ("reflect", "symmetric"), ("nearest", "edge")):
        blurred = saved(quantised(convolve(GREY, psf / 6, mode=mode), np.uint8), given)
        options = ("--boundary", boundary, "--damp", "0.03", "-o", output)
        assert run("deblur", given, "--psf", tmp_path / "psf.npy", *options) == 0
        assert psnr(loaded(output) / 255, GREY) > psnr(blurred / 255, GREY) + 8


@pytest.mark.parametrize("reg", ["none", "gradient", "laplacian"])
def test_the_damp_of_a_periodic_image_is_that_of_choose_damp(
    reg: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = tmp_path / "given.png"
    noise = np.random.default_rng(0).normal(0, 0.01, COLOUR.shape)
    blurred = gaussian_filter(COLOUR, (1.5, 1.5, 0), mode="wrap") + noise
    pixels = saved(quantised(blurred, np.uint8), given)
    options = ("--reg", reg, "--boundary", "wrap", "-o", tmp_path / "restored.png")
    assert run("deblur", given, "--psf", "gaussian:1.5", *options) == 0
    A = Conv(kernel(1.5), GREY.shape, padding="same", boundary="wrap")
    damp = choose_damp(A, pixels[..., 1] / 255, reg=None if reg == "none" else reg)
    assert f"damp: {damp:.4g}, by generalised" in capsys.readouterr().out


@pytest.mark.parametrize("reg", ["gradient", "laplacian"])
@pytest.mark.parametrize("boundary", ["symmetric", "wrap"])
def test_the_damp_is_chosen_where_it_is_not_given(
    reg: str, boundary: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given, output = tmp_path / "given.png", tmp_path / "restored.png"
    noise = np.random.default_rng(0).normal(0, 0.005, COLOUR.shape)
    mode = {"symmetric": "reflect", "wrap": "wrap"}[boundary]
    pixels = saved(quantised(gaussian_filter(COLOUR, (1.5, 1.5, 0), mode=mode) + noise, np.uint8), given)
    options = ("--reg", reg, "--boundary", boundary, "--progress")
    assert run("deblur", given, "--psf", "gaussian:1.5", *options, "-o", output) == 0
    assert psnr(loaded(output) / 255, COLOUR) > psnr(pixels / 255, COLOUR) + 1.5
    printed = capsys.readouterr()
    assert re.search(
        r"^damp: 0\.\d+, by generalised cross-validation on channel 2 of 3 in \d+\.\d\d s$",
        printed.out,
        re.MULTILINE,
    )
    assert printed.err.startswith("choosing the damp on channel 2 of 3\n")


def test_a_residual_that_stays_large_is_told_on_stderr(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def hurried(*arguments: Any, **keywords: Any) -> Any:
        return tikhonov(*arguments, **keywords, method="cg", maxiter=1)

    monkeypatch.setattr(deblur, "tikhonov", hurried)
    given, output = tmp_path / "given.png", tmp_path / "restored.png"
    saved(quantised(GREY, np.uint8), given)
    options = ("--damp", "0.01", "--boundary", "zeros")
    assert run("deblur", given, "--psf", "gaussian:1.5", *options, "-o", output) == 0
    err = capsys.readouterr().err
    assert err.startswith("convops: tikhonov: route 'cg' ends after 1 iterations")
    assert err.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("", "the following arguments are required: IMAGE, --psf, -o/--output"),
        ("given.png -o new.png", "the following arguments are required: --psf"),
        ("missing.png --psf disk:1 -o new.png", "missing.png: there is no such file"),
        ("noise.png --psf disk:1 -o new.png", "noise.png: it is no image that can be read"),
        ("folder.png --psf disk:1 -o new.png", "folder.png: it is no image that can be read"),
        ("given.png --psf disk:1 -o folder.png", "the result cannot be written there"),
        ("given.png --psf disk:1 -o given.png/new.png", "the result cannot be written there"),
        ("given.png --psf disk:1 -o new.gif", "the result is a .png, .tif, .tiff, .jpg, .jpeg or .bmp file"),
        ("deep.png --psf disk:1 -o new.jpg", "a file of that kind cannot hold grey of 16 bit"),
        ("given.png --psf disc:1 -o new.png", "--psf disc:1: it must be gaussian:SIGMA"),
        ("given.png --psf disk:99 -o new.png", "no axis can have more taps than pixels"),
        ("given.png --psf noise.png -o new.png", "noise.png: it is no image that can be read"),
        ("given.png --psf disk:1 -o new.png --damp -1", "argument --damp: '-1' is neither auto nor"),
        ("given.png --psf disk:1 -o new.png --damp x", "argument --damp: 'x' is neither auto nor"),
        ("given.png --psf disk:1 -o new.png --damp inf", "argument --damp: 'inf' is neither auto nor"),
        ("given.png --psf disk:1 -o new.png --boundary mirror", "'mirror' is 'reflect' here"),
        ("given.png --psf disk:1 -o new.png --reg tv", "argument --reg: invalid choice: 'tv'"),
        ("black.png --psf disk:1 -o new.png", "b is 0 everywhere"),
    ],
)
def test_what_cannot_run_is_one_line_and_leaves_nothing(
    arguments: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    saved(quantised(GREY[:24, :24], np.uint8), tmp_path / "given.png")
    saved(quantised(GREY[:24, :24], np.uint16), tmp_path / "deep.png")
    saved(np.zeros((24, 24), np.uint8), tmp_path / "black.png")
    (tmp_path / "noise.png").write_bytes(np.random.default_rng(0).bytes(999))
    (tmp_path / "folder.png").mkdir()
    before = sorted(tmp_path.rglob("*"))
    assert message in refused(capsys, "deblur", *arguments.split())
    assert sorted(tmp_path.rglob("*")) == before


def test_too_little_memory_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def exhausted(*arguments: Any, **keywords: Any) -> Any:
        raise MemoryError

    monkeypatch.setattr(deblur, "tikhonov", exhausted)
    saved(quantised(GREY, np.uint8), tmp_path / "given.png")
    arguments = (tmp_path / "given.png", "--psf", "disk:1", "--damp", "1", "-o", tmp_path / "new.png")
    assert refused(capsys, "deblur", *arguments) == "convops: there is not enough memory\n"
    assert [path.name for path in tmp_path.iterdir()] == ["given.png"]
