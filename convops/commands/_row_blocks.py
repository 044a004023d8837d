"""W on disk in blocks of rows: a folder of .npz files, and an index of which rows are where."""

import json
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from scipy.sparse import csr_array, save_npz

from convops.commands._command import CannotRun
from convops.geometry import ConvGeometry

INDEX = "index.json"
_SECONDS = 0.5


def write_row_blocks(
    folder: Path, geometry: ConvGeometry, blocks: Iterator[csr_array], progress: bool
) -> dict[str, Any]:
    """Write blocks as they come, then the index of them, and return it.

    Raises
    ------
    CannotRun
        Before anything is written, if the disk has not as much room as W takes.
    """
    rows = entries = 0
    files: list[dict[str, Any]] = []
    told = time.monotonic()
    index: dict[str, Any] = {}
    for number, block in enumerate(blocks):
        if not number:
            _refuse_full_disk(folder, geometry, block)
            index = {"dtype": str(block.dtype), "index_dtype": str(block.indices.dtype)}
        name = f"block_{number:05}.npz"
        save_npz(folder / name, block, compressed=False)
        files.append({"file": name, "rows": [rows, rows + block.shape[0]], "nnz": block.nnz})
        rows, entries = rows + block.shape[0], entries + block.nnz
        if progress and (now := time.monotonic()) - told >= _SECONDS:
            told = now
            share = 100 * rows // geometry.shape[0]
            print(
                f"matrix: block {number}, {share} % of {geometry.shape[0]} rows", file=sys.stderr, flush=True
            )
    index = {"shape": geometry.shape, "nnz": entries, **index, "blocks": files}
    (folder / INDEX).write_text(json.dumps(index, indent=1) + "\n")
    return index


def _refuse_full_disk(folder: Path, geometry: ConvGeometry, block: csr_array) -> None:
    width = block.indices.itemsize
    needed = geometry.nnz * (block.data.itemsize + width) + geometry.shape[0] * width
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise CannotRun(
            f"the blocks of W take {needed} bytes ({needed / 2**30:.1f} GiB), and the disk of "
            f"{folder.parent} has {free / 2**30:.1f} GiB free. Give --dtype float32, or go through them "
            "without writing them: convops.iter_row_blocks."
        )
