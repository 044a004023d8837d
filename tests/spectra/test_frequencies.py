"""At each frequency the block is what W does to the modes there, and there are as many as the axis has."""

from typing import Any

import numpy as np
import pytest

from convops import Conv
from convops.assembly import oriented
from convops.spectra._frequencies import frequencies_of

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
        mode = line.modes(point)[0]
        assert A @ mode == pytest.approx(value * mode)


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
