"""Convolutions as SciPy linear operators, and the operators that are made of them."""

from convops.operators.algebra.identity import identity
from convops.operators.algebra.selection import selection
from convops.operators.algebra.stacks import block_diag, hstack, vstack
from convops.operators.conv import Conv, ConvTranspose
from convops.operators.functions import conv, conv_transpose
from convops.operators.kernel import KernelOperator

__all__ = [
    "Conv",
    "ConvTranspose",
    "KernelOperator",
    "block_diag",
    "conv",
    "conv_transpose",
    "hstack",
    "identity",
    "selection",
    "vstack",
]
