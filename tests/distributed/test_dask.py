"""Dask at the door: who needs it is told how to get it, and arrays are taken as they are, or not at all."""

import sys

import numpy as np
import pytest

from convops import Conv
from convops.distributed import DaskConv
from convops.distributed._dask import lazy

da = pytest.importorskip("dask.array")


def test_who_has_no_dask_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    x = da.ones((9, 9))
    monkeypatch.setitem(sys.modules, "dask.array", None)
    for call in (lambda: DaskConv([[1.0]], (9, 9)), lambda: Conv([[1.0]], (9, 9))(x)):
        with pytest.raises(ImportError, match=r'DaskConv needs Dask.* pip install "convops\[dask\]"'):
            call()


def test_an_array_in_memory_is_cut_as_dask_does() -> None:
    x = np.ones((5, 6))
    assert lazy("DaskConv", x).chunks == da.from_array(x).chunks
    assert lazy("DaskConv", [[1, 2]]).dtype == np.int64


def test_truth_values_are_small_integers_and_foreign_byte_order_is_turned() -> None:
    x = da.from_array(np.array([True, False]))
    assert lazy("DaskConv", x).dtype == np.int8
    swapped = da.from_array(np.array([1.0, 2.0]).astype(np.dtype(float).newbyteorder()))
    assert lazy("DaskConv", swapped).dtype.isnative
    assert DaskConv([3.0], 2)(swapped).compute().tolist() == [3.0, 6.0]
