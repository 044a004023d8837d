"""Convolution as a linear map: its sparse matrix, its operators, and the proof that they fit."""

from importlib import import_module as _import_module
from importlib.metadata import version as _version
from typing import TYPE_CHECKING as _TYPE_CHECKING

from convops.assembly import conv_matrix
from convops.geometry import ConvGeometry
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

if _TYPE_CHECKING:
    from convops._versions import show_versions
    from convops.adjoint import AdjointReport, check_adjoint
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
    from convops.probing import probe_colors, probe_matrix
    from convops.reuse import ConvPattern
    from convops.row_blocks import iter_row_blocks
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
    "iter_row_blocks",
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

_ROOMS = {
    "_versions": ("show_versions",),
    "adjoint": ("AdjointReport", "check_adjoint"),
    "inverse": (
        "ConvergenceWarning",
        "DampResult",
        "TikhonovResult",
        "choose_damp",
        "difference",
        "divergence",
        "gradient",
        "laplacian",
        "tikhonov",
    ),
    "probing": ("probe_colors", "probe_matrix"),
    "reuse": ("ConvPattern",),
    "row_blocks": ("iter_row_blocks",),
    "spectra": ("OperatorNorm", "operator_norm", "singular_values", "spectral_route"),
}
_ROOM_OF = {name: room for room, names in _ROOMS.items() for name in names}


def __getattr__(name: str) -> object:
    """Import what is asked for: half of the package is not needed by who only convolves."""
    if name not in _ROOM_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(_import_module(f"convops.{_ROOM_OF[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
