"""Blur a volume that stays on disk: from zarr to zarr, chunk by chunk, with Dask.

The volume is written, blurred and read in chunks; at no time is all of it in memory. The result is held
against the operator in memory, on a corner; the probes of the adjoint check stay in chunks as well.

Run: ``python examples/blur_a_stored_volume.py [SIDE]``
"""

import sys
import tempfile
from pathlib import Path

import dask.array as da
import numpy as np

from convops import Conv, check_adjoint
from convops.distributed import DaskConv

SIDE = int(sys.argv[1]) if len(sys.argv) > 1 else 96
CHUNK = max(SIDE // 3, 16)
SIZE = 16

line = np.exp(-(np.arange(-2, 3) ** 2) / 2).astype(np.float32)
blur = line[:, None, None] * line[:, None] * line / line.sum() ** 3

with tempfile.TemporaryDirectory() as folder:
    before, after = Path(folder, "volume.zarr"), Path(folder, "blurred.zarr")
    noise = da.random.default_rng(0).standard_normal((SIDE, SIDE, SIDE), chunks=CHUNK, dtype=np.float32)
    noise.to_zarr(before)

    volume = da.from_zarr(before)
    A = DaskConv(blur, volume.shape, padding="same", boundary="symmetric")
    print(A)
    A(volume).to_zarr(after)

    blurred = da.from_zarr(after)
    deviations = [float(array.std().compute()) for array in (volume, blurred)]
    print(f"{volume.nbytes / 2**20:.1f} MiB in {volume.npartitions} chunks")
    print(f"standard deviation {deviations[0]:.3f} before, {deviations[1]:.3f} after")

    # A corner of the result depends on a corner of the volume that is larger by the reach of the kernel.
    corner = volume[: SIZE + 2, : SIZE + 2, : SIZE + 2].compute()
    expected = Conv(blur, corner.shape, padding="same", boundary="symmetric")(corner)
    difference = np.abs(blurred[:SIZE, :SIZE, :SIZE].compute() - expected[:SIZE, :SIZE, :SIZE]).max()

report = check_adjoint(A)
print(report)
print(f"largest difference from the operator in memory, on a corner: {difference:.1e}")
assert report
assert difference < 1e-6
