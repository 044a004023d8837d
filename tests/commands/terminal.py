"""The command line run in this process, as the tests of the commands need it."""

import pytest

from convops import cli


def run(*arguments: object) -> int:
    """Return the exit status of ``convops`` with these arguments."""
    try:
        return cli.main([str(argument) for argument in arguments])
    except SystemExit as stopped:
        return int(stopped.code or 0)


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Return the one line that ``convops`` has for arguments with which it cannot run."""
    assert run(*arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("convops")
    assert printed.err.endswith("\n")
    assert printed.err.count("\n") == 1
    return printed.err
