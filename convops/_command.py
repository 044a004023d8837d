"""What the commands have in common: how they end without a result, and how they read their options."""

import argparse
from pathlib import Path


class CannotRun(Exception):
    """A command lacks something; the message says what."""


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
    existed = path.exists()
    try:
        path.open("ab").close()
        if not existed:
            path.unlink()
    except OSError as error:
        raise CannotRun(f"{option} {output}: {what} cannot be written there ({error.strerror}).") from error
