"""An image made periodic: its middle as it was, its rim fit to wrap round."""

import numpy as np

from convops import Conv, choose_damp, tikhonov
from convops.commands._edge_taper import periodic
from convops.commands._psf import gaussian


def test_the_middle_stays_and_the_rim_is_the_blur() -> None:
    rng = np.random.default_rng(0)
    image, psf = rng.random((20, 30)), rng.random((5, 3))
    psf /= psf.sum()
    A, tapered = periodic(image, psf)
    np.testing.assert_array_equal(tapered[5:-5, 3:-3], image[5:-5, 3:-3])
    wrapped = np.pad(image, ((2, 2), (1, 1)), mode="wrap")
    corner = (wrapped[:5, :3] * psf[::-1, ::-1]).sum()
    np.testing.assert_allclose(tapered[0, 0], corner)
    np.testing.assert_allclose(A(image)[0, 0], corner)


def test_a_kernel_as_large_as_the_image_and_one_of_one_tap_are_taken() -> None:
    image = np.random.default_rng(0).random((4, 5))
    assert np.isfinite(periodic(image, np.full((4, 5), 0.05))[1]).all()
    np.testing.assert_allclose(periodic(image, np.ones((1, 1)))[1], image)
    np.testing.assert_allclose(periodic(np.ones((1, 1)), np.ones((1, 1)))[1], 1)


def test_the_damp_chosen_so_restores_what_the_rim_would_spoil() -> None:
    rows, columns = np.mgrid[:120, :120] / 100
    wide = 0.5 + 0.3 * np.sin(9 * rows**2) * np.cos(7 * columns) + 0.2 * (columns > rows)
    psf = gaussian(2) / gaussian(2).sum()
    blurred = np.rint(Conv(psf, wide.shape)(wide) * 255) / 255  # of a scene that goes on beyond it
    scene = wide[8:-8, 8:-8]

    S = Conv(psf, scene.shape, padding="same", boundary="symmetric")

    def error(damp: float) -> float:
        return float(np.linalg.norm(tikhonov(S, blurred, damp, reg="gradient") - scene))

    A, tapered = periodic(blurred, psf)
    best = min(map(error, np.geomspace(0.01, 0.5, 8)))
    found = error(choose_damp(A, tapered, reg="gradient"))
    assert found < 1.3 * best
    assert found < 0.95 * np.linalg.norm(blurred - scene)
    assert found < 0.7 * error(choose_damp(S, blurred, reg="gradient"))
