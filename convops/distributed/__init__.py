"""The same operators on Dask, for images and volumes beyond the memory of one machine."""

from convops.distributed.operator import DaskConv

__all__ = ["DaskConv"]
