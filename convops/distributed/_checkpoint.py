"""The state of an iteration on disk: a folder that a run killed at any time leaves usable.

A state is written to a new zarr group beside the last one, under a name that nobody reads, and takes its
name when all of it is there; only then the last one goes. The arrays are read from there again: the graph of
all that comes later begins at the file, and no longer at the first iteration.
"""

import os
import re
import secrets
import shutil
from pathlib import Path
from typing import Any

import numpy as np

from convops._arguments import shown
from convops.distributed._cgls import LeastSquares, State
from convops.distributed._dask import dask_array

_WHOLE = re.compile(r"iteration_(\d{8})")
_ARRAYS = ("x", "r", "p")
_NUMBERS = ("gamma", "slope", "reference", "verified", "best")


class Checkpoint:
    """The folder of one problem; `facts` tell it from others, each under the words that an error uses."""

    def __init__(self, path: Any, facts: dict[str, Any]) -> None:
        if not isinstance(path, str | os.PathLike) or not os.fspath(path) or "://" in os.fspath(path):
            raise TypeError(
                f"{shown('checkpoint', path)}: it must be the name of a folder that all workers see. A "
                "folder is put in place by renaming it, which stores behind a URL cannot do."
            )
        self._typed = path
        self._folder = Path(path).absolute()
        self._facts = facts
        _zarr()
        if self._folder.exists() and not self._folder.is_dir():
            raise ValueError(f"{self._said()} it must be a folder, and that is a file. Give another name.")
        if self._folder.is_dir():
            foreign = [one.name for one in self._folder.iterdir() if not _ours(one.name)]
            if foreign:
                raise ValueError(
                    f"{self._said()} the folder holds what is no checkpoint: {sorted(foreign)[0]}. Give a "
                    "folder of its own."
                )

    def load(self, problem: LeastSquares) -> State | None:
        """Return the last state that was written whole, None where there is none.

        Raises
        ------
        ValueError
            If it is that of another problem; the message says what differs.
        """
        found = self._whole()
        if not found:
            return None
        zarr = _zarr()
        group = zarr.open_group(found[-1], mode="r")
        told = dict(group.attrs)
        self._refuse_another(told["facts"])
        da = dask_array("tikhonov")
        chunks = {"x": problem.chunks, "r": problem.b.chunks, "p": problem.chunks}
        # A name of its own: another run in this session may have had the same path.
        x, r, p = [
            da.from_zarr(group[name], name=f"checkpoint-{secrets.token_hex(8)}").rechunk(chunks[name])
            for name in _ARRAYS
        ]
        gamma, slope, reference, verified, best = [
            np.array(told[name], str).astype(np.float64) for name in _NUMBERS
        ]
        counted = told["iteration"], told["best_at"]
        return State(counted[0], x, r, p, gamma, slope, reference, float(verified), float(best), counted[1])

    def save(self, state: State) -> None:
        """Write a state, computed, and remove those before it."""
        da = dask_array("tikhonov")
        before = self._whole()
        self._folder.mkdir(parents=True, exist_ok=True)
        for stale in self._folder.glob("writing-*"):
            shutil.rmtree(stale, ignore_errors=True)
        beside = self._folder / f"writing-{secrets.token_hex(8)}"
        group = _zarr().open_group(beside, mode="w-")
        sources, targets = [], []
        for name in _ARRAYS:
            array = _regular(getattr(state, name))
            target = group.create_array(
                name,
                shape=array.shape,
                chunks=tuple(max(sizes) for sizes in array.chunks),
                dtype=array.dtype,
                # Noise in the last bits leaves nothing to compress; chunks of zeros are written as others.
                compressors=None,
                config={"write_empty_chunks": True},
            )
            sources.append(array)
            targets.append(target)
        da.store(sources, targets, lock=False)
        group.attrs.update(
            facts=self._facts,
            iteration=state.iteration,
            best_at=state.best_at,
            # As texts, for JSON has no infinity; they tell the last bit.
            **{name: np.asarray(getattr(state, name)).astype(str).tolist() for name in _NUMBERS},
        )
        beside.replace(self._folder / f"iteration_{state.iteration:08}")
        for old in before:
            shutil.rmtree(old, ignore_errors=True)

    def _whole(self) -> list[Path]:
        """Return the states that are there whole, the last at the end."""
        if not self._folder.is_dir():
            return []
        return sorted(one for one in self._folder.iterdir() if _WHOLE.fullmatch(one.name))

    def _refuse_another(self, facts: dict[str, Any]) -> None:
        differing = [
            f"{name} is {facts.get(name)} there and {value} here"
            for name, value in self._facts.items()
            if not _same(facts.get(name), value)
        ]
        if differing:
            raise ValueError(
                f"{self._said()} it is of another problem: {'; '.join(differing)}. Give another folder, or "
                "remove this one to begin anew."
            )

    def _said(self) -> str:
        return f"{shown('checkpoint', self._typed)}:"


def _zarr() -> Any:
    try:
        import zarr
    except ImportError as error:
        raise ImportError(
            f"checkpoint needs zarr, which is not here ({error}). Install the extra 'dask': "
            'pip install "convops[dask]"'
        ) from error
    return zarr


def _ours(name: str) -> bool:
    return bool(_WHOLE.fullmatch(name)) or name.startswith("writing-")


def _regular(array: Any) -> Any:
    """Return an array in chunks of one size but for the last, such as zarr has."""
    sizes = tuple(max(sizes) for sizes in array.chunks)
    return array.rechunk(sizes)


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        # A norm, whose last bits depend on the chunks.
        return bool(np.isclose(one, other, rtol=1e-9, atol=0.0))
    return bool(one == other)
