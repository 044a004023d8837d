"""What is known of the singular values of a convolution."""

from convops.spectra.values import singular_values, spectral_route

__all__ = ["singular_values", "spectral_route"]
