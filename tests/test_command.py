"""What the commands have in common."""

import argparse
from pathlib import Path

import pytest

from convops._command import CannotRun, refuse_unwritable, whole_number


@pytest.mark.parametrize(("text", "minimum", "number"), [("0", 0, 0), ("1", 1, 1), ("007", 1, 7)])
def test_a_whole_number_is_read(text: str, minimum: int, number: int) -> None:
    assert whole_number(text, minimum) == number


@pytest.mark.parametrize(
    ("text", "minimum"), [("0", 1), ("-1", 0), ("1.0", 0), ("", 0), ("one", 0), ("²", 0)]
)
def test_what_is_no_whole_number_is_told(text: str, minimum: int) -> None:
    with pytest.raises(
        argparse.ArgumentTypeError, match=rf"^'{text}' is not a whole number of at least {minimum}$"
    ):
        whole_number(text, minimum)


def test_a_file_that_can_be_written_is_left_as_it_is(tmp_path: Path) -> None:
    there, new = tmp_path / "there", tmp_path / "new"
    there.write_text("text")
    for path in (there, new):
        refuse_unwritable("--option", str(path), "it")
    assert there.read_text() == "text"
    assert not new.exists()


def test_a_file_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "missing" / "file"):
        with pytest.raises(CannotRun, match=r"^--option .*: the reports cannot be written there \(.+\)\.$"):
            refuse_unwritable("--option", str(path), "the reports")
