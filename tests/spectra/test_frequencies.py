"""At each frequency the block is what W does to the modes there, and there are as many as the axis has."""

from typing import Any

import numpy as np
import pytest

from convops import Conv
from convops._axis import Axis
from convops.assembly import oriented
from convops.spectra import _frequencies
from convops.spectra._frequencies import FrequencyAxis, frequencies_of
from convops.spectra._rounding import UNIT

RNG = np.random.default_rng(0)


def found_of(A: Conv) -> Any:
    return frequencies_of(A.geometry, oriented(A.weight, A.geometry, A.flip))


@pytest.mark.parametrize("stride", [1, 2, 4])
@pytest.mark.parametrize("size", [8, 9])
def test_of_a_periodic_axis_the_blocks_are_numpys_transform(size: int, stride: int) -> None:
    taps = RNG.standard_normal(3)
    A = Conv(taps, size, padding="same", stride=stride, boundary="wrap")
    frequencies = found_of(A)
    if size % stride:
        assert frequencies is None
        return
    (line,) = frequencies.axes
    assert (line.points, line.aliases, line.copies) == (size // stride, stride, 1)
    whole = np.zeros(size)
    whole[np.arange(3) - 1] = taps
    # W correlates: the transform of the kernel is conjugated.
    spectrum = np.abs(np.fft.fft(whole)).reshape(stride, -1)
    blocks = frequencies.blocks([np.arange(line.points)])
    assert np.abs(blocks[0, :, 0]) == pytest.approx(spectrum.T / np.sqrt(stride))


def test_of_a_mirrored_axis_the_modes_are_eigenvectors() -> None:
    A = Conv([1.0, 3, 1], 7, padding="same", boundary="symmetric")
    frequencies = found_of(A)
    (line,) = frequencies.axes
    assert line.cosine
    blocks = frequencies.blocks([np.arange(7)])[0, :, 0, 0]
    for point, value in enumerate(blocks):
        (mode,) = line.wave(point, np.ones((1, 1)))
        assert A @ mode == pytest.approx(value * mode)


@pytest.mark.parametrize("stride", [1, 2, 4])
def test_of_a_periodic_axis_the_block_is_what_w_does_to_the_modes(stride: int) -> None:
    A = Conv(RNG.standard_normal((3, 2, 5)), (2, 12), padding="same", stride=stride, boundary="wrap")
    frequencies = found_of(A)
    (line,) = frequencies.axes
    for point, block in enumerate(frequencies.blocks([np.arange(line.points)])[0]):
        values = RNG.standard_normal((2, stride)) + 1j * RNG.standard_normal((2, stride))
        image = A(line.wave(point, values))
        outputs = np.exp(2j * np.pi / line.points * point * np.arange(line.points))
        expected = np.sqrt(stride) * np.outer(block @ values.ravel(), outputs)
        np.testing.assert_allclose(image, expected, atol=1e-12)


def test_the_modes_of_many_aliases_take_no_more_memory_than_the_input() -> None:
    line = FrequencyAxis(Axis(2**20, 1, 2**16, 1, 0, 0, "wrap"), 2**4, 2**16, 1, False)
    (wave,) = line.wave(3, np.eye(1, 2**16, 5))
    n = np.arange(2**20)
    np.testing.assert_allclose(wave, np.exp(2j * np.pi * ((3 + 5 * 2**4) * n % 2**20) / 2**20), atol=1e-12)


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
def test_every_frequency_is_counted_once(dtype: str) -> None:
    A = Conv(RNG.standard_normal((2, 3, 3, 3)).astype(dtype), (3, 6, 5), padding="same", boundary="wrap")
    frequencies = found_of(A)
    count = values = 0.0
    for part in frequencies.parts():
        times = frequencies.times(part)
        blocks = frequencies.blocks(part)
        assert blocks.shape == (1, times.size, *frequencies.block_shape) == (1, times.size, 2, 3)
        count += times.sum()
        values += float((np.abs(blocks) ** 2).sum(axis=(0, 2, 3)) @ times)
    assert count == 30
    assert values == pytest.approx(np.linalg.norm(A.toarray()) ** 2)


@pytest.mark.parametrize(
    "options",
    [
        {"padding": "same"},
        {"padding": "same", "boundary": "reflect"},
        {"padding": "same", "boundary": "symmetric", "stride": 2},
        {"padding": 2, "boundary": "wrap"},
    ],
)
def test_where_nothing_is_diagonal_there_are_none(options: dict[str, Any]) -> None:
    assert found_of(Conv([1.0, 3, 1], 8, **options)) is None


LONG = [
    FrequencyAxis(Axis(97, 70, 1, 1, 12, 57, "wrap"), 97, 1, 1, False),
    FrequencyAxis(Axis(40, 70, 1, 3, 100, 107, "wrap"), 40, 1, 1, False),
    FrequencyAxis(Axis(90, 64, 3, 2, 60, 66, "wrap"), 30, 3, 1, False),
    FrequencyAxis(Axis(80, 71, 1, 1, 35, 35, "symmetric"), 80, 1, 1, True),
]


@pytest.mark.parametrize("dtype", ["float64", "complex128"])
@pytest.mark.parametrize("line", LONG, ids=["prime", "folded", "strided", "cosine"])
def test_a_long_kernel_is_transformed_to_what_the_matrix_of_its_taps_makes_of_it(
    line: FrequencyAxis, dtype: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    taps = RNG.standard_normal((2, line.axis.kernel, 3)).astype(dtype)
    if dtype == "complex128":
        taps = taps + 1j * RNG.standard_normal(taps.shape)
    scale = np.abs(taps).sum()
    for points in (np.arange(line.points), np.array([0, 3, 17, line.points - 1])):
        expected = np.einsum("apk,ikj->iapj", line.matrix(points), taps)
        for is_fast in (True, False):
            monkeypatch.setattr(FrequencyAxis, "_is_fast", lambda *_, is_fast=is_fast: is_fast)
            found = line.transformed(points, taps)
            assert found.dtype == expected.dtype
            np.testing.assert_allclose(found, expected, atol=1e-14 * scale)


@pytest.mark.parametrize("size", [97, 120, 255, 997, 1024, 65_537])
def test_a_transform_is_off_by_less_than_is_reckoned(size: int) -> None:
    line = FrequencyAxis(Axis(size, 90, 1, 1, 30, 59, "wrap"), size, 1, 1, False)
    taps = RNG.standard_normal(90) * 10.0 ** RNG.integers(-8, 1, 90)
    points = np.arange(size)[:: max(size // 500, 1)]
    turn = 2 * np.arccos(np.longdouble(-1)) / size
    angles = turn * (points[:, None] * (np.arange(90) - 30) % size)
    true = (np.cos(angles) + 1j * np.sin(angles)) @ taps.astype(np.longdouble)
    found = line._by_fft(taps[None, :, None])[0, points, 0]
    reckoned = 8 * UNIT * line.roundings * np.abs(taps).sum()
    assert 1e-6 * reckoned < float(np.abs(found - true).max()) <= reckoned


def test_a_matrix_of_taps_is_made_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    line = LONG[2]
    taps, points = RNG.standard_normal((2, line.axis.kernel, 3)), np.arange(7, 29)
    together = line.transformed(points, taps)
    monkeypatch.setattr(_frequencies, "_BYTES_AT_ONCE", 16 * 3 * 64 * 5)
    monkeypatch.setattr(
        _frequencies, "_along", lambda matrix, taps: (sizes.append(len(matrix)), matrix @ taps)[1]
    )
    sizes: list[int] = []
    np.testing.assert_allclose(line.transformed(points, taps), together, atol=1e-12)
    assert sizes == [15, 15, 15, 15, 6]


def test_a_kernel_of_thousands_of_taps_needs_no_matrix_of_its_frequencies(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(FrequencyAxis, "matrix")
    taps = RNG.standard_normal(20_001)
    A = Conv(taps, 300_000, padding="same", boundary="wrap")
    frequencies = found_of(A)
    (part,) = frequencies.parts()
    values = np.abs(frequencies.blocks(part)).ravel()
    np.testing.assert_allclose(values, np.abs(np.fft.rfft(taps, 300_000)), atol=1e-10)
