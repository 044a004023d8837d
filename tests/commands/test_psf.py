"""The kernels that a camera makes, by name and from files."""

from pathlib import Path

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from convops.commands._command import CannotRun
from convops.commands._psf import disk, gaussian, motion, point_spread


@pytest.mark.parametrize("sigma", [0.1, 0.6, 2.5])
def test_a_gaussian_is_that_of_scipy(sigma: float) -> None:
    taps = gaussian(sigma)
    point = np.zeros(taps.shape)
    point[tuple(size // 2 for size in taps.shape)] = 1
    np.testing.assert_allclose(taps / taps.sum(), gaussian_filter(point, sigma, mode="constant"), atol=1e-9)


def test_a_motion_along_an_axis_is_a_line_of_equal_taps() -> None:
    np.testing.assert_array_equal(motion(3, 0), np.full((1, 3), motion(3, 0).sum() / 3))
    np.testing.assert_array_equal(motion(5, 90), np.full((5, 1), motion(5, 90).sum() / 5))
    np.testing.assert_array_equal(motion(5, 90), motion(5, -90))
    assert motion(0.5, 0).shape == (1, 1)
    # Half a pixel at either end.
    np.testing.assert_allclose(motion(2, 0) / motion(2, 0).sum(), [[0.25, 0.5, 0.25]])


def test_a_motion_at_an_angle_rises_to_the_right() -> None:
    taps = motion(9, 45)
    np.testing.assert_array_equal(taps > 0, np.eye(len(taps))[::-1])
    steep = motion(20, 60)
    rows, columns = np.nonzero(steep)
    assert np.polyfit(columns, rows, 1)[0] < -1
    assert steep.shape == (2 * 9 + 1, 2 * 5 + 1)  # 10 sin 60° = 8.7 and 10 cos 60° = 5 to either side
    np.testing.assert_array_equal(steep, steep[::-1, ::-1])


@pytest.mark.parametrize("radius", [0.3, 0.5, 1.0, 3.7])
def test_a_disk_has_its_area_and_reach(radius: float) -> None:
    taps = disk(radius)
    assert taps.sum() == pytest.approx(np.pi * radius**2, rel=0.02)
    np.testing.assert_array_equal(taps, taps.T)
    np.testing.assert_array_equal(taps, taps[::-1])
    assert taps[0].any()
    assert len(taps) == 2 * np.ceil(max(radius - 0.5, 0)) + 1


def test_a_kernel_has_sum_one_and_a_line_about_it(tmp_path: Path) -> None:
    given = np.array([[0, 2], [3, 5]])
    np.save(tmp_path / "psf.npy", given)
    taps, line = point_spread(str(tmp_path / "psf.npy"), (9, 9))
    np.testing.assert_allclose(taps, given / 10)
    assert line == f"psf: {tmp_path / 'psf.npy'}, 2 × 2 taps, normalised to sum 1 (it was 10)"
    taps, line = point_spread("disk:2", (9, 9))
    assert taps.sum() == pytest.approx(1)
    assert line == "psf: disk:2, 5 × 5 taps, normalised to sum 1"


def test_an_image_is_a_kernel_and_colour_is_averaged(tmp_path: Path) -> None:
    Image = pytest.importorskip("PIL.Image")
    pixels = np.zeros((3, 5, 3), np.uint8)
    pixels[1, 2], pixels[0, 4] = (90, 60, 30), (20, 20, 20)
    Image.fromarray(pixels).save(tmp_path / "psf.png")
    taps, _ = point_spread(str(tmp_path / "psf.png"), (9, 9))
    expected = np.zeros((3, 5))
    expected[1, 2], expected[0, 4] = 0.75, 0.25
    np.testing.assert_allclose(taps, expected)


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("gauss:2", "it must be gaussian:SIGMA, .* there is no file of that name"),
        ("gaussian", "there is no file of that name"),
        ("gaussian:", "it takes a standard deviation in pixels, above 0, as gaussian:2.5 does"),
        ("gaussian:0", "above 0"),
        ("gaussian:nan", "above 0"),
        ("gaussian:1,2", "above 0"),
        ("motion:5", "a length in pixels, above 0, and an angle in degrees, as motion:15,30 does"),
        ("motion:5,inf", "an angle in degrees"),
        ("disk:x", "a radius in pixels, above 0, as disk:4 does"),
        ("gaussian:3", r"it has 25 × 25 taps, and the image 20 × 30 pixels"),
        ("gaussian:1e300", "Give a smaller one"),
        ("motion:1e12,5", "Give a smaller one"),
        ("disk:1e12", "Give a smaller one"),
        ("line.npy", r"two axes; this one has shape \(5,\)"),
        ("complex.npy", "real numbers"),
        ("nan.npy", "its taps are finite"),
        ("negative.npy", "the sum of a point spread is above 0"),
        ("empty.npy", "two axes"),
        ("text.npy", "real numbers"),
    ],
)
def test_what_is_no_kernel_is_told(
    typed: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, array in {
        "line": np.ones(5),
        "complex": np.ones((3, 3), complex),
        "nan": np.full((3, 3), np.nan),
        "negative": -np.ones((3, 3)),
        "empty": np.ones((0, 3)),
        "text": np.array([["a"]]),
    }.items():
        np.save(f"{name}.npy", array)
    with pytest.raises(CannotRun, match=rf"^--psf {typed}: .*{message}"):
        point_spread(typed, (20, 30))
