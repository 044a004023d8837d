"""Dask where it is needed, and the arrays that it brings, checked at the door before any task runs."""

from math import isnan
from typing import Any

import numpy as np

from convops._arguments import shown
from convops._arrays import INEXACT, SUPPORTED, dense


def dask_array(needing: str) -> Any:
    """Return the module `dask.array`; `needing` names what cannot do without it."""
    try:
        import dask.array
        import dask.task_spec
    except ImportError as error:
        raise ImportError(
            f"{needing} needs Dask, which is not here ({error}). Install the extra 'dask': "
            'pip install "convops[dask]"'
        ) from error
    return dask.array


def persisted(*values: Any) -> tuple[Any, ...]:
    """Return dask arrays computed in one graph, their chunks where they were computed."""
    import dask.base

    persist: Any = dask.base.persist
    found: tuple[Any, ...] = persist(*values)
    return found


def lazy(needing: str, x: Any, name: str = "x") -> Any:
    """Return x as a dask array of a supported dtype and of known chunks; nothing is computed."""
    da = dask_array(needing)
    if not hasattr(x, "__dask_graph__"):
        x = dense(name, x)
        return da.from_array(x, chunks="auto")
    if type(x).__module__.startswith("dask.array._array_expr"):
        raise TypeError(
            f"{name} is a {type(x).__module__}.{type(x).__name__}, which is planned by queries: convops "
            "writes a graph of tasks. Call dask.config.set({'array.query-planning': False}) before "
            "dask.array is imported."
        )
    if not isinstance(x, da.Array):
        raise TypeError(
            f"{shown(name, x)}: it must be a dask array; got {type(x).__name__}. A dataframe has "
            "to_dask_array(lengths=True); for a delayed value call dask.array.from_delayed."
        )
    if any(isnan(size) for sizes in x.chunks for size in sizes):
        raise ValueError(
            f"{name} has shape {x.shape}: the sizes of its chunks are unknown (nan), and what a chunk reads "
            f"follows from them. Call {name}.compute_chunk_sizes() first."
        )
    if not isinstance(x._meta, np.ndarray) or isinstance(x._meta, np.ma.MaskedArray):
        raise TypeError(
            f"{name} has chunks of type {type(x._meta).__module__}.{type(x._meta).__name__}: chunks must be "
            f"numpy arrays. Convert them, as in {name}.map_blocks(np.asarray)."
        )
    return _supported(x, name)


def _supported(x: Any, name: str) -> Any:
    if x.dtype.kind == "b":
        return x.astype(np.int8)
    native = x.dtype.newbyteorder("=")
    if not (native in INEXACT or native.kind in "iu"):
        wider = " Convert it with astype(np.float32)." if x.dtype == np.float16 else ""
        raise TypeError(f"{name} has dtype {x.dtype}: convops works in {SUPPORTED}.{wider}")
    return x if x.dtype.isnative else x.astype(native)
