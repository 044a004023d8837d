"""Convolution as a linear map: its sparse matrix, its operators, and the proof that they fit."""

from importlib.metadata import version as _version

from convops._versions import show_versions
from convops.adjoint import AdjointReport, check_adjoint
from convops.assembly import conv_matrix
from convops.geometry import ConvGeometry
from convops.inverse import (
    ConvergenceWarning,
    DampResult,
    TikhonovResult,
    choose_damp,
    difference,
    divergence,
    gradient,
    laplacian,
    tikhonov,
)
from convops.operators import (
    Conv,
    ConvTranspose,
    KernelOperator,
    block_diag,
    conv,
    conv_transpose,
    hstack,
    identity,
    selection,
    vstack,
)
from convops.probing import probe_colors, probe_matrix
from convops.reuse import ConvPattern
from convops.spectra import OperatorNorm, operator_norm, singular_values, spectral_route

__version__ = _version("convops")

__all__ = [
    "AdjointReport",
    "Conv",
    "ConvGeometry",
    "ConvPattern",
    "ConvTranspose",
    "ConvergenceWarning",
    "DampResult",
    "KernelOperator",
    "OperatorNorm",
    "TikhonovResult",
    "__version__",
    "block_diag",
    "check_adjoint",
    "choose_damp",
    "conv",
    "conv_matrix",
    "conv_transpose",
    "difference",
    "divergence",
    "gradient",
    "hstack",
    "identity",
    "laplacian",
    "operator_norm",
    "probe_colors",
    "probe_matrix",
    "selection",
    "show_versions",
    "singular_values",
    "spectral_route",
    "tikhonov",
    "vstack",
]
