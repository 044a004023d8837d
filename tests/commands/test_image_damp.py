"""How much to damp for an image: chosen by its noise, and not led astray by what files do to it."""

import io

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from convops import Conv, choose_damp, tikhonov
from convops.commands._edge_taper import periodic
from convops.commands._image_damp import damp_for_image
from convops.commands._psf import gaussian

rows, columns = np.mgrid[:120, :130] / 100
SCENE = 0.5 + 0.3 * np.sin(9 * rows**2) * np.cos(7 * columns) + 0.15 * (columns > rows)
PSF = gaussian(1.5) / gaussian(1.5).sum()
A = Conv(PSF, SCENE.shape, padding="same", boundary="symmetric")
BLURRED = gaussian_filter(SCENE, 1.5)


def error(blurred: np.ndarray, damp: float) -> float:
    return float(np.linalg.norm(tikhonov(A, blurred, damp, reg="gradient") - SCENE))


@pytest.mark.parametrize("reg", ["none", "gradient", "laplacian"])
def test_white_noise_is_left_to_cross_validation(reg: str) -> None:
    noisy = BLURRED + np.random.default_rng(0).normal(0, 0.01, SCENE.shape)
    damp, words = damp_for_image(A, PSF, noisy, reg, 255)
    assert damp == choose_damp(*periodic(noisy, PSF), reg=None if reg == "none" else reg)
    assert words == "by generalised cross-validation"


def test_a_compressed_image_is_not_taken_for_one_without_noise() -> None:
    Image = pytest.importorskip("PIL.Image")
    file = io.BytesIO()
    Image.fromarray(np.rint(BLURRED * 255).astype(np.uint8)).save(file, "JPEG", quality=95)
    with Image.open(file) as image:
        compressed = np.asarray(image) / 255
    damp, words = damp_for_image(A, PSF, compressed, "gradient", 255)
    assert words.startswith("by the rounding of the image (cross-validation: ")
    best = min(error(compressed, each) for each in np.geomspace(0.005, 0.5, 8))
    assert error(compressed, damp) < 1.5 * best
    assert error(compressed, damp) < 0.9 * np.linalg.norm(compressed - SCENE)
    assert error(compressed, choose_damp(A, compressed, reg="gradient")) > 2 * best


def test_the_least_damp_is_the_rounding_over_the_signal() -> None:
    coarse = np.rint(BLURRED * 7) / 7
    damp, words = damp_for_image(A, PSF, coarse, "gradient", 7)
    steps = np.concatenate([np.diff(coarse, axis=0).ravel(), np.diff(coarse, axis=1).ravel()])
    signal = np.sqrt(np.sum(steps**2) / coarse.size)
    assert damp == pytest.approx(1 / 7 / np.sqrt(12) / signal)
    assert words.startswith("by the rounding of the image")


def test_an_image_without_any_change_is_taken() -> None:
    damp, _ = damp_for_image(A, PSF, np.full(SCENE.shape, 0.5), "gradient", 255)
    assert np.isfinite(damp)
