"""The same operators on Dask, for images and volumes beyond the memory of one machine."""

from convops.distributed.operator import DaskConv
from convops.distributed.solve import tikhonov

__all__ = ["DaskConv", "tikhonov"]
