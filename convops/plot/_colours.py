"""Colours that can be told apart, on white and on black."""

from typing import Any

import numpy as np

from convops._arrays import Array

INK = "#1f2a33"
"""For text on cells that are filled with `pastel` colours, whatever the style."""


def ramp(count: int, lightness: tuple[float, float] = (0.54, 0.80), chroma: float = 0.135) -> Array:
    """Return colours from violet over blue and green to orange, each lighter than the one before.

    Hue and lightness both rise evenly, for those who see only one of them, and stay clear of black and of
    white.

    Returns
    -------
    ndarray, shape ``(count, 3)``
        Red, green and blue, in [0, 1].

    References
    ----------
    Ottosson, "A perceptual color space for image processing" (2020), for OKLab.

    Examples
    --------
    >>> ramp(2).round(2).tolist()
    [[0.44, 0.37, 0.72], [0.98, 0.67, 0.34]]
    """
    place = np.linspace(0, 1, count) if count > 1 else np.full(count, 0.35)
    light = lightness[0] + (lightness[1] - lightness[0]) * place
    hue = np.deg2rad(290 - 225 * place)
    return _srgb(np.stack([light, chroma * np.cos(hue), chroma * np.sin(hue)]))


def pastel(count: int) -> Array:
    """Return colours, in the order of `ramp`, that `INK` can be read on."""
    return ramp(count, lightness=(0.76, 0.86), chroma=0.09)


def _srgb(oklab: Array) -> Array:
    """Return colours ``(3, count)`` of OKLab in sRGB, clipped to what a screen can show."""
    long, middle, short = (_TO_LMS @ oklab) ** 3
    linear = np.clip(_TO_RGB @ np.stack([long, middle, short]), 0, 1)
    encoded = np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    return np.ascontiguousarray(encoded.T)


_TO_LMS: Any = np.array(
    [
        [1, 0.3963377774, 0.2158037573],
        [1, -0.1055613458, -0.0638541728],
        [1, -0.0894841775, -1.2914855480],
    ]
)
_TO_RGB: Any = np.array(
    [
        [4.0767416621, -3.3077115913, 0.2309699292],
        [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ]
)
