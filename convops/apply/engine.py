"""The seam at which ways to apply a convolution plug in."""

from typing import Protocol

from convops._arrays import Array


class Engine(Protocol):
    """W and Wᴴ on blocks of arrays, built from a geometry and the weight of a cross-correlation.

    Both return a new array, leave their argument as it was, and may run in several threads at once.
    Block and weight may differ in dtype: the result has that of `numpy.result_type`.
    """

    def forward(self, x: Array) -> Array:
        """Return W x for a block of shape ``(batch, C_in, *spatial)``: ``(batch, C_out, *out)``."""

    def adjoint(self, y: Array) -> Array:
        """Return Wᴴ y for a block of shape ``(batch, C_out, *out)``: ``(batch, C_in, *spatial)``."""

    def sound(self, result: Array, transposed: bool) -> bool:
        """Return whether NaN and inf are sure to be only where W puts them in a result of the engine.

        Zeros that pad a tile, and a transform, carry them further. False costs time, not the result.
        """
