"""What the commands have in common."""

import argparse
from pathlib import Path

import pytest

from convops.commands._command import CannotRun, Parser, refusals, refuse_unwritable, whole_number


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


def test_a_parser_tells_what_is_wrong_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    parser = Parser(prog="convops try")
    parser.add_argument("--number", type=int)
    with pytest.raises(SystemExit) as stopped:
        parser.parse_args(["--number", "a\nb"])
    assert stopped.value.code == 2
    told = "convops try: argument --number: invalid int value: 'a\\nb' (see convops try --help)\n"
    assert capsys.readouterr() == ("", told)


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (ValueError("a=1: two\n  lines"), "a=1: two lines"),
        (TypeError("of this type"), "of this type"),
        (OverflowError("beyond"), "beyond"),
        (MemoryError("12 GiB"), "12 GiB"),
        (MemoryError(), "there is not enough memory"),
    ],
)
def test_what_is_refused_cannot_run(error: Exception, message: str) -> None:
    for what, start in (("", ""), ("--option x", "--option x: ")):
        with pytest.raises(CannotRun, match=f"^{start}{message}$"), refusals(what):
            raise error


def test_other_errors_are_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError, match="of my own"), refusals():
        raise ZeroDivisionError("of my own")
