"""A checkpoint leaves off where the iteration was, to the last bit, and is whole whenever it is read."""

import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convops import ConvergenceWarning
from convops.distributed import DaskConv, _checkpoint, tikhonov
from oracles import Array

da = pytest.importorskip("dask.array")
dask = pytest.importorskip("dask")
pytest.importorskip("zarr")

RNG = np.random.default_rng(0)
KERNEL = RNG.random((3, 3))
A = DaskConv(KERNEL, (9, 8), padding="same", boundary="reflect")
B = RNG.standard_normal((9, 8))


class Stopped(Exception):
    """What ends a run in the middle."""


def stopping_at(last: int) -> Any:
    def callback(iteration: int, _: float) -> None:
        if iteration == last:
            raise Stopped

    return callback


def solved(folder: Path, b: Array = B, op: Any = A, chunks: int = 5, **more: Any) -> Array:
    more = {"rtol": 1e-14, "maxiter": 7, "checkpoint_every": 3, **more}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        x = tikhonov(op, da.from_array(b, chunks=chunks), 0.1, checkpoint=folder, **more)
    found: Array = x.compute()
    return found


def stopped(folder: Path, last: int) -> None:
    with pytest.raises(Stopped):
        solved(folder, callback=stopping_at(last))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory) -> Array:
    """Return the answer of a run that nothing stops."""
    folder = tmp_path_factory.mktemp("straight") / "made" / "here"
    with dask.config.set(scheduler="synchronous"):
        found = solved(folder)
    assert names(folder) == ["iteration_00000006"]
    return found


@pytest.fixture(scope="module")
def left_off(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a run that was stopped."""
    folder = tmp_path_factory.mktemp("left") / "off"
    with dask.config.set(scheduler="synchronous"):
        stopped(folder, 3)
    return folder


def test_a_run_that_was_stopped_goes_on_and_ends_with_the_same_bits(straight: Array, tmp_path: Path) -> None:
    stopped(tmp_path / "a", 5)
    assert names(tmp_path / "a") == ["iteration_00000003"]
    seen: list[int] = []
    resumed = solved(tmp_path / "a", callback=lambda iteration, _: seen.append(iteration))
    assert seen == [4, 5, 6, 7]
    assert resumed.tobytes() == straight.tobytes()
    plain = solved(tmp_path / "none", checkpoint_every=1000)
    assert plain.tobytes() == straight.tobytes()


def test_a_run_killed_while_it_writes_leaves_the_last_state(
    straight: Array, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "a"
    stopped(folder, 3)
    assert names(folder) == ["iteration_00000003"]
    store = da.store

    def half(sources: Any, targets: Any, **more: Any) -> None:
        store(sources[:2], targets[:2], **more)
        raise Stopped

    with monkeypatch.context() as patched:
        patched.setattr(da, "store", half)
        with pytest.raises(Stopped):
            solved(folder)
    assert [name for name in names(folder) if name.startswith("iteration")] == ["iteration_00000003"]
    assert len(names(folder)) == 2
    assert solved(folder).tobytes() == straight.tobytes()
    assert names(folder) == ["iteration_00000006"]


@pytest.mark.parametrize(
    ("more", "differs"),
    [
        ({"b": 2 * B}, r"the norm of b is [\d.]+ there and [\d.]+ here"),
        ({"reg": "gradient"}, "reg is .* there and .* here"),
        ({"op": DaskConv(2 * KERNEL, (9, 8), padding="same", boundary="reflect")}, "A .its weight, geometry"),
        ({"op": DaskConv(KERNEL, (9, 8), padding="same")}, "A .its weight, geometry"),
        (
            {"op": DaskConv(KERNEL, (11, 10))},
            r"input_shape is \[9, 8\] there and \[11, 10\] here",
        ),
        ({"b": np.stack([B, B])}, r"the batch of b is \[\] there and \[2\] here"),
    ],
)
def test_the_state_of_another_problem_is_refused(more: dict[str, Any], differs: str, left_off: Path) -> None:
    with pytest.raises(ValueError, match=rf"checkpoint=.*: it is of another problem: .*{differs}"):
        solved(left_off, **more)


def test_other_chunks_go_on_from_the_same_state(straight: Array, tmp_path: Path) -> None:
    stopped(tmp_path / "a", 5)
    np.testing.assert_allclose(solved(tmp_path / "a", chunks=9), straight, rtol=1e-8)


def test_what_is_no_checkpoint_is_refused(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("data")
    with pytest.raises(ValueError, match="the folder holds what is no checkpoint: mine"):
        tikhonov(A, B, 0.1, checkpoint=tmp_path)
    with pytest.raises(ValueError, match="it must be a folder, and that is a file"):
        tikhonov(A, B, 0.1, checkpoint=tmp_path / "mine")


def test_irregular_chunks_and_zeros_come_back_as_they_were(tmp_path: Path) -> None:
    b = np.zeros((2, 9, 8))
    b[0] = B
    straight = solved(tmp_path / "a", b=b)
    with pytest.raises(Stopped):
        solved(tmp_path / "b", b=b, callback=stopping_at(4))
    assert solved(tmp_path / "b", b=b).tobytes() == straight.tobytes()
    assert not straight[1].any()


def test_operators_that_cannot_be_told_apart_have_no_checkpoints(tmp_path: Path) -> None:
    class Untold:
        input_shape, output_shape, dtype = A.input_shape, A.output_shape, A.dtype
        H = A.H

        def __init__(self) -> None:
            self.lock = (lambda: (yield))()

        def __call__(self, x: Any) -> Any:
            return A(x)

    with pytest.raises(TypeError, match=r"checkpoint: .* has no __dask_tokenize__"):
        tikhonov(Untold(), B, 0.1, checkpoint=tmp_path / "a")


def test_without_zarr_the_extra_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "zarr", None)
    with pytest.raises(ImportError, match=r"checkpoint needs zarr.*convops\[dask\]"):
        _checkpoint.Checkpoint(tmp_path, {})
