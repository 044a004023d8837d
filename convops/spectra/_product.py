"""W as the Kronecker product of one W for each axis, where the kernel is a product of one for each axis.

With ``W₁ = U₁ Σ₁ V₁ᴴ`` and ``W₂ = U₂ Σ₂ V₂ᴴ``, ``W₁ ⊗ W₂`` is ``(U₁ ⊗ U₂) (Σ₁ ⊗ Σ₂) (V₁ ⊗ V₂)ᴴ``, and the
outer ones are unitary: the norms are multiplied, and so are the vectors that attain them.
"""

from functools import reduce
from typing import NamedTuple

import numpy as np

from convops._arrays import Array
from convops.geometry import ConvGeometry
from convops.spectra._symbol import norm_of_sizes

_NEGLIGIBLE = 2.0**-44
"""Of the sizes of all taps, what the product may lack: it is added to the bound."""


class Factors(NamedTuple):
    """What W is a Kronecker product of, and how far it is from it."""

    factors: list[tuple[ConvGeometry, Array]]
    rest: float
    """A bound of the norm of what the product lacks of W."""


def factors_of(geometry: ConvGeometry, weight: Array) -> Factors | None:
    """Return the factors of W, None where the kernel is no product, up to rounding, or mixes channels.

    Examples
    --------
    >>> geometry = ConvGeometry((2, 3), (4, 9), padding="same", boundary="edge")
    >>> found = factors_of(geometry, np.array([[1.0, 2.0, 1.0], [-1.0, -2.0, -1.0]]))
    >>> [(part.input_shape, factor.tolist()) for part, factor in found.factors], found.rest
    ([((4,), [1.0, -1.0]), ((9,), [1.0, 2.0, 1.0])], 0.0)
    """
    if len(geometry.axes) == 1 or geometry.in_channels != 1 or geometry.out_channels != 1:
        return None
    kernel = weight.reshape(geometry.kernel_size)
    top = np.unravel_index(int(np.abs(kernel).argmax()), kernel.shape)
    lines = [np.moveaxis(kernel, axis, 0)[(..., *np.delete(top, axis))] for axis in range(kernel.ndim)]
    lines[:-1] = [line / kernel[top] for line in lines[:-1]]
    rest = norm_of_sizes(geometry, weight - reduce(np.multiply.outer, lines).reshape(weight.shape))
    if rest > _NEGLIGIBLE * norm_of_sizes(geometry, weight):
        return None
    parts = [
        ConvGeometry(
            (axis.kernel,),
            (axis.size,),
            stride=axis.stride,
            padding=((axis.before, axis.after),),
            dilation=axis.dilation,
            boundary=axis.boundary,
        )
        for axis in geometry.axes
    ]
    return Factors(list(zip(parts, lines, strict=True)), rest)
