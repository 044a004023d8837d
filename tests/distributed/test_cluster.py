"""Processes are killed in the middle of a solve, and the answer is the same to the last bit."""

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convops.distributed import DaskConv, tikhonov
from oracles import Array

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
pytest.importorskip("zarr")
pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="signals of POSIX"),
    pytest.mark.filterwarnings("ignore::convops.ConvergenceWarning"),
]

KERNEL = np.outer([1.0, 2.0, 1.0], [1.0, 2.0, 1.0]) / 16
B = np.random.default_rng(0).standard_normal((40, 40))
EVERY = 3

# What is run both here and in a process that is killed.
CODE = """
import os, signal, sys
import numpy as np, dask, dask.array as da
from convops.distributed import DaskConv, tikhonov

def callback(iteration, residual):
    if iteration == 5:
        os.kill(os.getpid(), signal.SIGKILL)

kernel = np.outer([1.0, 2.0, 1.0], [1.0, 2.0, 1.0]) / 16
A = DaskConv(kernel, (40, 40), padding="same", boundary="reflect")
b = da.from_array(np.random.default_rng(0).standard_normal((40, 40)), chunks=20)
with dask.config.set(scheduler="synchronous"):
    tikhonov(A, b, 0.05, checkpoint=sys.argv[1], checkpoint_every=3, maxiter=7, callback=callback)
"""


def solved(folder: Path, **more: Any) -> Array:
    A = DaskConv(KERNEL, (40, 40), padding="same", boundary="reflect")
    b = da.from_array(B, chunks=20)
    x = tikhonov(A, b, 0.05, maxiter=7, checkpoint=folder, checkpoint_every=EVERY, **more)
    found: Array = x.compute()
    return found


def test_a_process_that_is_killed_goes_on_from_its_checkpoint(tmp_path: Path) -> None:
    killed = subprocess.run([sys.executable, "-c", CODE, str(tmp_path / "a")], check=False)
    assert killed.returncode == -signal.SIGKILL
    assert [path.name for path in (tmp_path / "a").iterdir()] == ["iteration_00000003"]
    seen: list[int] = []
    resumed = solved(tmp_path / "a", callback=lambda iteration, _: seen.append(iteration))
    assert seen == [4, 5, 6, 7]
    assert resumed.tobytes() == solved(tmp_path / "b").tobytes()


def test_a_worker_that_is_killed_is_made_good_for(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    here = solved(tmp_path / "here")
    pids: list[int] = []

    def kill_one(iteration: int, _: float) -> None:
        if iteration == EVERY + 1:
            pids.extend(client.run(os.getpid).values())
            os.kill(pids[0], signal.SIGKILL)

    with (
        dask.config.set(scheduler=None),
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        there = solved(tmp_path / "there", callback=kill_one)
        assert len(pids) == 2
        assert set(client.run(os.getpid).values()) != set(pids)
    assert there.tobytes() == here.tobytes()
