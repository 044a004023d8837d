"""Bridges to and from other packages, none of which is imported before it is used."""

from convops.interop.from_keras import from_keras
from convops.interop.from_onnx import from_onnx
from convops.interop.from_scipy import from_scipy
from convops.interop.from_torch import from_torch
from convops.interop.to_pylops import to_pylops
from convops.interop.to_torch import to_torch

__all__ = ["from_keras", "from_onnx", "from_scipy", "from_torch", "to_pylops", "to_torch"]
