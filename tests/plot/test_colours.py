"""Colours can be told apart, and seen on white and on black."""

import numpy as np
import pytest

from convops.plot._colours import INK, pastel, ramp
from pictures import contrast

pytest.importorskip("matplotlib")


@pytest.mark.parametrize("count", [1, 2, 9, 256])
def test_colours_are_seen_on_white_and_on_black(count: int) -> None:
    colours = ramp(count)
    assert colours.shape == (count, 3)
    assert colours.min() >= 0
    assert colours.max() <= 1
    assert min(contrast(colour, "white") for colour in colours) > 1.8
    assert min(contrast(colour, "black") for colour in colours) > 3.5


def test_each_colour_is_lighter_than_the_one_before() -> None:
    brightness = [contrast(colour, "black") for colour in ramp(12)]
    assert brightness == sorted(brightness)
    apart = np.linalg.norm(np.diff(ramp(12), axis=0), axis=1)
    assert apart.min() > 0.06


def test_ink_is_read_on_pastel() -> None:
    assert min(contrast(colour, INK) for colour in pastel(16)) > 6


def test_white_would_not_be_read_on_pastel() -> None:
    assert max(contrast(colour, "white") for colour in pastel(16)) < 3
