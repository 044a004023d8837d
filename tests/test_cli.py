"""The command: what it prints, where, and its exit status."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import convops
from convops import cli, demo


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
