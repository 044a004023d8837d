"""Files of commands: arrays read without running anything, outputs written whole or not at all."""

import contextlib
import secrets
import shutil
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np

from convops._arrays import Array
from convops.commands._command import CannotRun, in_one_line, refuse_unwritable


def read_array(name: str) -> Array:
    """Return the array in a .npy file; one of pickled objects is refused.

    Raises
    ------
    CannotRun
        If there is none.
    """
    try:
        with Path(name).open("rb") as file:
            return np.asarray(np.lib.format.read_array(file, allow_pickle=False))
    except OSError as error:
        raise CannotRun(f"{name}: it cannot be read ({error.strerror}).") from error
    except (ValueError, EOFError, MemoryError) as error:
        raise CannotRun(
            f"{name}: it is no .npy file that can be read ({in_one_line(error)[:200]})."
        ) from error


def refuse_output(option: str, output: str, what: str, endings: Collection[str]) -> None:
    """Find out before the work whether a file can be written whole: its ending, its folder, itself.

    Raises
    ------
    CannotRun
        If it cannot.
    """
    path = Path(output)
    if path.suffix.lower() not in endings:
        *others, last = endings
        raise CannotRun(f"{option} {output}: {what} is a {', '.join(others)} or {last} file.")
    with _told(option, output, what):
        if path.exists() and not (path.is_file() or path.is_dir()):
            raise CannotRun(f"{option} {output}: {what} is a file, and that is something else.")
    refuse_unwritable(option, output, what)
    with _told(option, output, what):
        beside = _beside(path.resolve())
        beside.touch()
        beside.unlink()


@contextlib.contextmanager
def written_whole(option: str, output: str, what: str) -> Iterator[Path]:
    """Yield the name of a new file beside `output`, of the same ending, that takes its place at the end.

    Where the writing fails or is interrupted, the new file is removed and an old one stays as it was.

    Raises
    ------
    CannotRun
        If the file cannot be written.
    """
    with _told(option, output, what):
        target = Path(output).resolve()
        beside = _beside(target)
        try:
            yield beside
            if target.exists():
                shutil.copymode(target, beside)
            beside.replace(target)
        finally:
            with contextlib.suppress(OSError):
                beside.unlink(missing_ok=True)


@contextlib.contextmanager
def folder_written_whole(option: str, output: str, what: str) -> Iterator[Path]:
    """Yield a new folder beside `output` that takes its place at the end; else it is removed.

    Raises
    ------
    CannotRun
        If there is something of that name already, an empty folder apart, or it cannot be written.
    """
    with _told(option, output, what):
        target = Path(output).resolve()
        if target.exists() and not (target.is_dir() and not any(target.iterdir())):
            raise CannotRun(
                f"{option} {output}: {what} goes to a new folder, and that is there already. Give another "
                "name, or remove it."
            )
        beside = _beside(target)
        beside.mkdir()
        try:
            yield beside
            if target.exists():
                target.rmdir()  # beyond POSIX, a folder is not moved onto an empty one
            beside.replace(target)
        finally:
            shutil.rmtree(beside, ignore_errors=True)


def _beside(target: Path) -> Path:
    return target.with_name(f".{secrets.token_hex(8)}{target.suffix}")


@contextlib.contextmanager
def _told(option: str, output: str, what: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = in_one_line(error.strerror or error)
        raise CannotRun(f"{option} {output}: {what} cannot be written there ({reason}).") from error
