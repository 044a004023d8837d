"""Convolutions as SciPy linear operators."""

from convops.operators.conv import Conv, ConvTranspose
from convops.operators.functions import conv, conv_transpose

__all__ = ["Conv", "ConvTranspose", "conv", "conv_transpose"]
