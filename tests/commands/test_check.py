"""``convops check``: what it prints and writes, and its exit status."""

import itertools
import json
import re
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

from convops import check_adjoint, cli

MODULE = """
import numpy as np
from convops import Conv

def forward(x):
    return x[1:] - x[:-1]

def adjoint(y):
    return np.append(0, y) - np.append(y, 0)

def crash(x):
    raise RuntimeError("of my own")

right = (forward, adjoint, 100, 99)
wrong = (forward, lambda y: -adjoint(y), 100, 99)
crashing = (crash, adjoint, 100, 99)
A = Conv([1.0, 2.0], 9)
"""
numbers = itertools.count()


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a module in the current folder."""
    name = f"own_checked_{next(numbers)}"
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return name


def run(*arguments: str) -> int:
    return cli.main(["check", *arguments])


def test_what_passes_is_status_zero_and_its_report_is_printed(
    own: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(f"{own}:A", "--seed", "4") == 0
    printed = capsys.readouterr()
    assert printed.out == f"{check_adjoint(sys.modules[own].A, seed=4)}\n"
    assert printed.err == ""


def test_what_fails_is_status_one_and_its_report_is_printed(
    own: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(f"{own}:wrong") == 1
    printed = capsys.readouterr()
    assert printed.out == f"{check_adjoint(*sys.modules[own].wrong)}\n"
    assert printed.err == ""


@pytest.mark.parametrize(
    ("names", "status", "summary"),
    [
        (["right", "A"], 0, "2 passed, 0 failed, 0 could not run"),
        (["right", "wrong", "A"], 1, "2 passed, 1 failed, 0 could not run"),
        (["wrong", "missing", "right"], 2, "1 passed, 1 failed, 1 could not run"),
        (["crashing", "right"], 2, "1 passed, 0 failed, 1 could not run"),
    ],
)
def test_several_are_all_checked_and_counted(
    names: list[str], status: int, summary: str, own: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*(f"{own}:{name}" for name in names)) == status
    assert capsys.readouterr().out.endswith(f"\n\n{summary}\n")


def test_what_cannot_run_is_status_two_and_one_line(own: str, capsys: pytest.CaptureFixture[str]) -> None:
    for name, message in (
        ("missing", f"{own} has no 'missing'."),
        ("np", "op=<module 'numpy' from"),
        ("crashing", f"the check raised RuntimeError at {own}.py:12 in crash: of my own"),
    ):
        assert run(f"{own}:{name}") == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        assert printed.err.startswith(f"convops: {own}:{name}: {message}")
        assert printed.err.count("\n") == 1


def test_the_traceback_is_shown_where_it_is_asked_for(own: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(f"{own}:crashing", "--traceback") == 2
    shown = capsys.readouterr().err
    assert shown.startswith("Traceback (most recent call last):\n")
    assert "\nRuntimeError: of my own\n" in shown
    assert shown.splitlines()[-1].startswith("convops: ")
    assert run(f"{own}:missing", "--traceback") == 2
    assert capsys.readouterr().err.startswith("convops: ")


def test_quiet_prints_what_failed_alone(own: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("-q", f"{own}:right", f"{own}:A") == 0
    assert capsys.readouterr().out == ""
    assert run("-q", f"{own}:right", f"{own}:wrong") == 1
    assert capsys.readouterr().out.startswith("adjoint check of forward and <lambda>: FAILED (adjoint)\n")


def made(printed: str) -> list[str]:
    return re.findall(r"^  (\w+) +(?:ok|FAILED) ", printed, re.MULTILINE)


def test_the_options_choose_the_checks(own: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(f"{own}:wrong", "--skip", "adjoint") == 0
    assert "adjoint" not in made(capsys.readouterr().out)
    assert run(f"{own}:A", "--only", "matmat,layout", "--only", "exact") == 0
    assert sorted(made(capsys.readouterr().out)) == ["exact", "layout", "matmat"]
    assert run(f"{own}:A", "--level", "quick") == 0
    assert len(made(capsys.readouterr().out)) == 5
    assert run(f"{own}:A", "--level", "complete") == 0
    assert "entries" in made(capsys.readouterr().out)
    assert run(f"{own}:right", "--only", "matmat") == 2
    assert "the check 'matmat' does not apply" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        ([], "the following arguments are required: MODULE:NAME"),
        (["a:b", "--level", "deep"], "argument --level: invalid choice: 'deep'"),
        (["a:b", "--only", "symmetry"], "argument --only: 'symmetry' is not one of contract, "),
        (["a:b", "--skip", "adjoint,"], "argument --skip: '' is not one of contract, "),
        (["a:b", "--seed", "-1"], "argument --seed: "),
        (["a:b", "--seed", "x"], "argument --seed: 'x' is not a whole number of at least 0"),
    ],
)
def test_wrong_arguments_are_told_on_stderr(
    arguments: list[str], complaint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(*arguments)
    assert stopped.value.code == 2
    assert complaint in capsys.readouterr().err


def test_the_reports_are_written(own: str, tmp_path: Path) -> None:
    targets = [f"{own}:{name}" for name in ("right", "wrong", "crashing")]
    assert run(*targets, "--json", "a.json", "--junit", "a.xml") == 2
    whole = json.loads((tmp_path / "a.json").read_bytes())
    assert [report["passed"] for report in whole["reports"]] == [True, False]
    assert [error["target"] for error in whole["errors"]] == [targets[2]]
    suites = ElementTree.parse(tmp_path / "a.xml").getroot()
    assert [suite.get("name") for suite in suites] == targets
    assert [(suite.get("failures"), suite.get("errors")) for suite in suites] == [
        ("0", "0"),
        ("1", "0"),
        ("0", "1"),
    ]


@pytest.mark.parametrize("option", ["--json", "--junit"])
def test_a_file_that_cannot_be_written_is_told_before_the_work(
    option: str, own: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(f"{own}:right", option, "missing/file") == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"convops: {option} missing/file: the reports cannot be written there (")
    assert own not in sys.modules


def test_a_module_that_changes_the_folder_does_not_move_the_reports(own: str, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / f"moving_{own}.py").write_text(f"import os; from {own} import A; os.chdir('elsewhere')")
    assert run(f"moving_{own}:A", "--json", "a.json") == 0
    assert (tmp_path / "a.json").exists()


def test_the_example_of_the_help_runs(own: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run("--help")
    assert stopped.value.code == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 110
    example = re.search(r"with a file (\w+)\.py .*:\n\n(.*?)\n  \$ convops check (\S+)\n", text, re.DOTALL)
    assert example is not None
    module, code, target = example.groups()
    lines = [line.removeprefix("  ") for line in code.splitlines()]
    (tmp_path / f"{module}_{own}.py").write_text("\n".join(lines))
    assert run(target.replace(f"{module}:", f"{module}_{own}:")) == 0
