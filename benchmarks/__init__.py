"""Measurements of convops; ``python -m benchmarks`` runs them."""
