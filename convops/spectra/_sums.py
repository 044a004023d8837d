"""A bound of the norm of W from the sums of its moduli: ``ρ(WᴴW) <= ‖WᴴW‖₁ <= ‖W‖∞ ‖W‖₁``."""

from math import prod, sqrt

from convops._arrays import Array
from convops.geometry import ConvGeometry
from convops.operators.closed_forms import largest_absolute_sum
from convops.spectra._symbol import work_of_product

_BORDER_WORK = 40
"""Operations that an entry of the border of one axis counts as."""
_SUMS = 4
"""Operations for sums, per operation of a product, that take no longer than some hundred products."""
_SUMS_WORK = 2**20
"""Operations for sums that are always taken."""


def norm_of_sums(geometry: ConvGeometry, weight: Array) -> float | None:
    """Return a bound of ``‖W‖``, None where the sums would take longer than some hundred products."""
    if not _are_fast(geometry):
        return None
    return sqrt(prod([largest_absolute_sum(geometry, weight, of_rows) for of_rows in (True, False)]))


def _are_fast(geometry: ConvGeometry) -> bool:
    """Return whether all sums of rows and columns take no longer than some hundred products."""
    at_border = [axis.out_size - stop + start for axis in geometry.axes for start, stop in [axis.interior]]
    entries = [outputs * kernel for outputs, kernel in zip(at_border, geometry.kernel_size, strict=True)]
    channels = geometry.out_channels * geometry.in_channels // geometry.groups
    classes = prod([of_axis + kernel for of_axis, kernel in zip(entries, geometry.kernel_size, strict=True)])
    work = _BORDER_WORK * sum(entries) + channels * classes
    return work <= max(_SUMS * work_of_product(geometry), _SUMS_WORK)
