"""The command: what it prints, where, and its exit status."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

import convops
from commands.terminal import refused
from commands.terminal import run as run_here
from convops import cli
from convops.commands import demo


def run(*arguments: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "convops", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, "PYTHONIOENCODING": "utf-8", **environment},
    )


def test_version(tmp_path: Path) -> None:
    done = run("--version", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"convops {convops.__version__}\n")


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "the following arguments are required: COMMAND"),
        (["undo"], "invalid choice: 'undo'"),
        (["demo", "--iterations", "none"], "'none' is not a whole number of at least 1"),
        (["demo", "--iterations", "0"], "'0' is not a whole number of at least 1"),
    ],
)
def test_wrong_arguments_are_told_on_stderr(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(arguments)
    assert stopped.value.code == 2
    assert complaint in capsys.readouterr().err


def test_a_picture_that_cannot_be_written_is_told_before_the_work(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("matplotlib")
    for output in (tmp_path / "missing" / "a.png", tmp_path / "a.txt", tmp_path):
        assert cli.main(["demo", "-o", str(output)]) == 2
        printed = capsys.readouterr()
        assert printed.err.startswith(f"convops: --output {output}: the picture")
        assert printed.err.count("\n") == 1
        assert "Restored" not in printed.out


def test_without_a_command_one_line_names_them(capsys: pytest.CaptureFixture[str]) -> None:
    line = refused(capsys)
    assert line.startswith("convops: the following arguments are required: COMMAND, one of ")
    assert all(f" {name}" in line for name in cli.COMMANDS)
    refused(capsys, "undo")


def test_every_command_has_help_that_fits_a_terminal(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert run_here("--help") == 0
    text = capsys.readouterr().out
    assert re.findall(r"^    (\w+) ", text, re.MULTILINE) == list(cli.COMMANDS)
    for name in ("demo", "info", "matrix", "deblur"):
        assert run_here(name, "--help") == 0
        text += capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 80


def test_too_little_memory_is_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def exhausted() -> int:
        raise MemoryError("Unable to allocate 9 TiB")

    monkeypatch.setattr(demo, "small_example", exhausted)
    assert refused(capsys, "demo") == "convops: there is not enough memory. Unable to allocate 9 TiB\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no device that is always full")
def test_a_reader_that_leaves_and_a_full_disk_are_no_traceback(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    for out, told in (
        (writing, ""),
        (os.open("/dev/full", os.O_WRONLY), "convops: [Errno 28] No space left"),
    ):
        done = subprocess.run(
            [sys.executable, "-m", "convops", "matrix", "[1]", "--input-shape", "3"],
            stdout=out,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        os.close(out)
        assert done.returncode == 2
        assert done.stderr.startswith(told)
        assert done.stderr.count("\n") == bool(told)


@pytest.mark.parametrize("encoding", ["utf-8", "ascii"])
def test_operators_of_the_current_folder_are_checked_whatever_the_console_can_print(
    encoding: str, tmp_path: Path
) -> None:
    (tmp_path / "own.py").write_text("right = (lambda x: 2 * x, lambda y: 2 * y, 5, 5)\n")
    for target, status in (("own:right", 0), ("own:wrong", 2)):
        done = run("check", target, folder=tmp_path, PYTHONIOENCODING=encoding)
        assert done.returncode == status, done.stderr
    assert done.stderr == "convops: own:wrong: own has no 'wrong'.\n"


def test_an_interruption_ends_in_one_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(demo, "small_example", interrupted)
    assert cli.main(["demo"]) == 2
    assert capsys.readouterr().err == "\nconvops: interrupted\n"


def test_a_failed_check_is_status_one(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib")
    monkeypatch.setattr(demo, "small_example", lambda: 1)
    monkeypatch.setattr(demo, "deblur", lambda *_: 0)
    assert cli.main(["demo", "-o", str(tmp_path / "a.png")]) == 1
    assert not list(tmp_path.iterdir())
