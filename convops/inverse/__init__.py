"""From data back to what they came from: least squares with operators, and what regularises it."""

from convops.inverse.damp import DampResult, choose_damp
from convops.inverse.differences import difference, divergence, gradient, laplacian
from convops.inverse.tikhonov import ConvergenceWarning, TikhonovResult, tikhonov

__all__ = [
    "ConvergenceWarning",
    "DampResult",
    "TikhonovResult",
    "choose_damp",
    "difference",
    "divergence",
    "gradient",
    "laplacian",
    "tikhonov",
]
