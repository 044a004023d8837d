"""An image larger than a worker, on a cluster of two: blurred, checked, restored, and written.

Everything is on zarr in a temporary folder: the image, what is seen of it, and what is made of that. Each
worker has one thread and a limit on its memory, above which Dask would kill it.
"""

import contextlib
import os
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._harness import against_target, table
from convops import Conv, ConvergenceWarning, check_adjoint

WORKERS, LIMIT = 2, "768MiB"
SIZE, FITS, CHUNK, LARGE_CHUNK = 16_384, 6144, 2048, 3072
ITERATIONS = 10
TARGET = 1.5
MALLOC = {"MALLOC_TRIM_THRESHOLD_": 2**24, "MALLOC_MMAP_THRESHOLD_": 2**22}
"""Dask's workers give all memory back as it is freed, and the system clears it for the next array. These keep
what the tiles of a transform take; what a chunk takes goes back at once, or else it would fill the limit."""
OPTIONS = {"padding": "same", "boundary": "symmetric"}


def main(quick: bool, size: int) -> None:
    """Print what each step takes, the peak of each worker, and the time per pixel beside that in memory."""
    if not all(map(find_spec, ("dask", "distributed", "zarr"))):
        print("Left out: it needs the extra 'dask'.")
        return
    side, fits, chunk = (256, 256, 128) if quick else (size or SIZE, min(size or SIZE, FITS), CHUNK)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), _cluster(folder) as client:
        # So many iterations are asked for, not a residual.
        warnings.simplefilter("ignore", ConvergenceWarning)
        before = client.run(os.getpid)
        per_pixel(client, fits, LARGE_CHUNK)
        whole(client, Path(folder), side, chunk)
        assert client.run(os.getpid) == before, "a worker was killed"
    print(f"no worker was killed: the limit of each is {LIMIT}")


@contextlib.contextmanager
def _cluster(folder: str) -> Iterator[Any]:
    import dask

    from distributed import Client, LocalCluster

    name = "distributed.nanny.pre-spawn-environ"
    with (
        dask.config.set({name: {**dask.config.get(name), **MALLOC}}),
        LocalCluster(
            n_workers=WORKERS,
            threads_per_worker=1,
            memory_limit=LIMIT,
            local_directory=folder,
            dashboard_address=":0",
        ) as cluster,
        Client(cluster) as client,
    ):
        yield client


def whole(client: Any, folder: Path, side: int, chunk: int) -> None:
    """Blur an image, check the adjoint, restore the image, and write it."""
    import dask.array as da
    import zarr

    from convops.distributed import DaskConv, tikhonov

    A = DaskConv(disk(7).astype("float32"), (side, side), **OPTIONS)
    rng = da.random.default_rng(0)
    image = rng.random((side, side), chunks=chunk, dtype="float32")

    def written(name: str, array: Any) -> Any:
        target = zarr.create_array(
            folder / name, shape=array.shape, chunks=(chunk, chunk), dtype="float32", compressors=None
        )
        da.store(array.rechunk(chunk), target, lock=False)
        return da.from_zarr(target)

    rows: list[list[str]] = []

    def step(what: str, call: Callable[[], Any]) -> Any:
        client.run(peak_bytes)
        start = time.perf_counter()
        found = call()
        seconds = time.perf_counter() - start
        peaks = ", ".join(f"{peak / 2**20:.0f}" for peak in client.run(peak_bytes).values())
        rows.append([what, f"{seconds:.1f}", f"{1e9 * seconds / side**2:.1f}", peaks])
        print(f"{what}: {seconds:.1f} s, peaks of {peaks} MiB", flush=True)
        return found

    truth = step("the image to zarr", lambda: written("image", image))
    seen = step("blur, from zarr to zarr", lambda: written("seen", A(truth)))
    report = step("check_adjoint", lambda: check_adjoint(A))
    assert report, report
    times = [time.perf_counter()]
    x, result = step(
        f"tikhonov, {ITERATIONS} iterations",
        lambda: tikhonov(
            A,
            seen,
            1e-2,
            rtol=1e-12,
            maxiter=ITERATIONS,
            callback=lambda *_: times.append(time.perf_counter()),
            full_output=True,
        ),
    )
    step("the result to zarr", lambda: written("restored", x))
    error, scale = (float(da.linalg.norm(each).compute()) for each in (x - truth, seen - truth))
    print(
        table(["", "s", "ns per pixel", "peak of each worker, MiB"], rows),
        f"{side}² float32, {side**2 * 4 / 2**30:.3g} GiB, 15×15 taps, chunks of {chunk}²; an iteration takes "
        f"{np.median(np.diff(times)):.1f} s, and leaves {result.normal_residual:.2g} of the residual",
        f"‖x − image‖ / ‖seen − image‖ = {error / scale:.3f}",
        sep="\n",
    )


def per_pixel(client: Any, side: int, chunk: int) -> None:
    """Print the time per pixel of one thread, in memory and on a worker."""
    import dask.array as da

    from convops.distributed import DaskConv
    from distributed import wait

    first = [next(iter(client.scheduler_info()["workers"]))]
    x = np.random.default_rng(0).random((side, side), np.float32)
    chunk = min(chunk, side // 2)
    image = client.persist(
        da.random.default_rng(0).random(x.shape, chunks=chunk, dtype="float32"), workers=first
    )
    wait(image)
    rows, ratios = [], []
    for name, kernel in (("disk", disk(7)), ("Gaussian", gaussian(7))):
        weight = kernel.astype("float32")
        here, there = Conv(weight, x.shape, **OPTIONS), DaskConv(weight, x.shape, **OPTIONS)
        for direction, one, other in (("A(x)", here, there), ("A.H(y)", here.H, there.H)):
            alone = partial(one, x)
            shared = partial(_computed, client, other, image, first)
            turns = [(_seconds(alone), _seconds(shared)) for _ in range(8)]
            memory, worker = np.median(turns[2:], axis=0) * (1e9 / side**2)
            ratios.append(worker / memory)
            figures = f"{memory:.1f}", f"{worker:.1f}", f"{ratios[-1]:.2f}"
            rows.append([f"{name}, {direction}", here.method, *figures])
    print(f"ns per pixel, one thread, {side}² float32, 15×15 taps, chunks of {chunk}²")
    print(table(["", "method", "in memory", "on a worker", "ratio"], rows))
    print(against_target("on a worker / in memory, worst", max(ratios), TARGET))


def _computed(client: Any, A: Any, x: Any, workers: list[str]) -> None:
    from distributed import wait

    wait(client.persist(A(x), workers=workers))


def _seconds(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def disk(radius: int) -> Any:
    """Return what a lens out of focus makes of a point: no product of two profiles."""
    row, column = np.mgrid[-radius : radius + 1, -radius : radius + 1]
    inside = (row**2 + column**2 <= (radius + 0.3) ** 2).astype(float)
    return inside / inside.sum()


def gaussian(radius: int) -> Any:
    """Return a product of two profiles."""
    profile = np.exp(-0.5 * (np.arange(-radius, radius + 1) / 2.5) ** 2)
    return np.outer(profile, profile) / profile.sum() ** 2


def peak_bytes() -> int:
    """Return the largest resident set of this process since the last call, 0 where Linux does not tell."""
    if not Path("/proc/self/clear_refs").exists():
        return 0
    lines = Path("/proc/self/status").read_text().splitlines()
    Path("/proc/self/clear_refs").write_text("5")
    return max([1024 * int(line.split()[1]) for line in lines if line.startswith("VmHWM:")], default=0)
