"""What is known of the singular values of a convolution."""

from convops.spectra.norm import OperatorNorm, operator_norm
from convops.spectra.values import singular_values, spectral_route

__all__ = ["OperatorNorm", "operator_norm", "singular_values", "spectral_route"]
