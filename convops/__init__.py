"""Convolution as a linear map: its sparse matrix, its operators, and the proof that they fit."""

from importlib.metadata import version as _version

from convops.adjoint import AdjointReport, check_adjoint
from convops.assembly import conv_matrix
from convops.geometry import ConvGeometry
from convops.operators import Conv, ConvTranspose, conv, conv_transpose
from convops.spectra import OperatorNorm, operator_norm, singular_values, spectral_route

__version__ = _version("convops")

__all__ = [
    "AdjointReport",
    "Conv",
    "ConvGeometry",
    "ConvTranspose",
    "OperatorNorm",
    "__version__",
    "check_adjoint",
    "conv",
    "conv_matrix",
    "conv_transpose",
    "operator_norm",
    "singular_values",
    "spectral_route",
]
