"""What the commands have in common: how they end without a result, and how they read their options."""

import argparse
import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn


class CannotRun(Exception):
    """A command lacks something; the message says what."""


def without_plot(what: str, error: ImportError) -> CannotRun:
    """Return the error for what a package of the extra 'plot' is needed for, and which."""
    return CannotRun(
        f"{what}, which is not here ({error}). Install the extra 'plot': in the checkout, pip install -e "
        "'.[plot]'"
    )


class Parser(argparse.ArgumentParser):
    """A parser that tells what is wrong in one line, and leaves the usage to ``--help``."""

    def error(self, message: str) -> NoReturn:
        """Tell what is wrong with the arguments and exit with status 2."""
        self.exit(2, f"{self.prog}: {in_one_line(message)} (see {self.prog} --help)\n")


def in_one_line(message: object) -> str:
    """Return a message without its line breaks."""
    return " ".join(str(message).split())


@contextlib.contextmanager
def refusals(what: str = "") -> Iterator[None]:
    """Turn what convops refuses within into `CannotRun`; `what` comes first in the message."""
    try:
        yield
    except (TypeError, ValueError, OverflowError, MemoryError) as error:
        said = in_one_line(error) or "there is not enough memory"
        raise CannotRun(f"{what}: {said}" if what else said) from error


def whole_number(text: str, minimum: int) -> int:
    """Return the number that an option gives in text."""
    if not (text.isascii() and text.isdecimal() and int(text) >= minimum):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least {minimum}")
    return int(text)


def refuse_unwritable(option: str, output: str, what: str) -> None:
    """Find out before the work whether a file can be written.

    Raises
    ------
    CannotRun
        If it cannot.
    """
    path = Path(output)
    try:
        existed = path.exists()
        path.open("ab").close()
        if not existed:
            path.unlink()
    except OSError as error:
        raise CannotRun(f"{option} {output}: {what} cannot be written there ({error.strerror}).") from error
