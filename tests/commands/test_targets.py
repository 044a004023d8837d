"""MODULE:NAME finds operators of any form, and says in one line what is wrong where it does not."""

import itertools
import sys
from pathlib import Path
from typing import Any

import pytest

from convops import Conv
from convops.commands._command import CannotRun
from convops.commands._targets import arguments_at, calling

MODULE = """
import sys
from types import SimpleNamespace
import numpy as np
from convops import Conv

def double(x):
    return 2 * x

A = Conv([1.0, 2.0], 9)
pair = (double, double, 5, 5)
typed = (double, double, 5, 5, "float32")
inside = SimpleNamespace(deeper=SimpleNamespace(A=A))

def make():
    return A

def make_pair(size=5):
    return (double, double, size, size)

class Own:
    shape = (3, 3)

    def matvec(self, x):
        return x

    rmatvec = matvec

class Lazy:
    @property
    def A(self):
        raise RuntimeError("not yet")

lazy = Lazy()
short = (double,)

def broken():
    return 1 / 0

def misused():
    return Conv([1.0], 0)

def inside_numpy():
    return np.zeros(3) @ np.zeros(4)

def leave():
    sys.exit(3)
"""
numbers = itertools.count()


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of a module in the current folder."""
    name = f"own_operators_{next(numbers)}"
    folder = tmp_path / "package"
    folder.mkdir()
    (tmp_path / f"{name}.py").write_text(MODULE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    return name


def test_an_operator(module: str) -> None:
    (A,) = arguments_at(f"{module}:A")
    assert isinstance(A, Conv)
    assert arguments_at(f"{module}:inside.deeper.A") == (A,)
    assert arguments_at(f"{module}:make") == (A,)


def test_a_pair_of_functions(module: str) -> None:
    double = sys.modules.get(module) or arguments_at(f"{module}:pair")[0]
    assert arguments_at(f"{module}:pair") == (double, double, 5, 5)
    assert arguments_at(f"{module}:typed") == (double, double, 5, 5, "float32")
    assert arguments_at(f"{module}:make_pair") == (double, double, 5, 5)


def test_a_class_makes_an_operator(module: str) -> None:
    (own,) = arguments_at(f"{module}:Own")
    assert type(own).__name__ == "Own"


def test_a_module_of_a_package(module: str, tmp_path: Path) -> None:
    (tmp_path / f"pack_{module}").mkdir()
    (tmp_path / f"pack_{module}" / "blurs.py").write_text(MODULE)
    assert len(arguments_at(f"pack_{module}.blurs:A")) == 1


def test_the_current_folder_comes_first(module: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / f"{module}.py").write_text("A = None")
    sys.path.insert(0, str(other))
    assert isinstance(arguments_at(f"{module}:A")[0], Conv)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("{module}", r"it must be MODULE:NAME, as in mypackage\.blurs:motion_blur\."),
        ("{module}:", r"it must be MODULE:NAME, .*"),
        (":A", r"it must be MODULE:NAME, .*"),
        (".{module}:A", r"it must be MODULE:NAME, .*"),
        ("{module}:inside..A", r"it must be MODULE:NAME, .*"),
        ("folder/{module}:A", r"it must be MODULE:NAME, .*"),
        (
            "{module}.py:A",
            r"it must name a module as import does, and {module}\.py is a file\. Write {module}:A\.",
        ),
        ("missing:A", r"there is no module 'missing' in {folder}, nor where Python looks\."),
        ("missing.sub:A", r"there is no module 'missing' in .*"),
        ("{module}.sub:A", r"there is no module '{module}\.sub' in .*"),
        ("{module}:mak", r"{module} has no 'mak'\. Did you mean 'make'\?"),
        ("{module}:inside.qqq", r"{module} has no 'qqq'\."),
        (
            "{module}:double",
            r"double needs x\. It must be an operator, or a tuple \(.*; or a function without .*",
        ),
        (
            "{module}:short",
            r"operator=\(.*: it must be an operator, or a tuple .*; got a tuple of 1 item\(s\)\.",
        ),
        ("{module}:lazy.A", r"reading lazy\.A raised RuntimeError at {module}\.py:\d+ in A: not yet"),
        (
            "{module}:broken",
            r"calling broken\(\) raised ZeroDivisionError at {module}\.py:\d+ in broken: division.*",
        ),
        (
            "{module}:misused",
            r"calling misused\(\) raised ValueError at {module}\.py:\d+ in misused: input_shape=0: .*",
        ),
        (
            "{module}:inside_numpy",
            r"calling inside_numpy\(\) raised ValueError at {module}\.py:\d+ in inside_numpy: .*",
        ),
        ("{module}:leave", r"calling leave\(\) raised SystemExit at {module}\.py:\d+ in leave: 3"),
    ],
)
def test_what_cannot_be_found_or_made_is_told(target: str, message: str, module: str) -> None:
    with pytest.raises(CannotRun) as stopped:
        arguments_at(target.replace("{module}", module))
    expected = message.replace("{module}", module).replace("{folder}", str(Path.cwd()))
    stopped.match(rf"\A{expected}\Z")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (
            "import missing_too",
            r"raised ModuleNotFoundError at {name}\.py:1 in <module>: No module named 'missing_too'",
        ),
        ("x = = 1", r"raised SyntaxError: invalid syntax \({name}\.py, line 1\)"),
        ("\n1 / 0", r"raised ZeroDivisionError at {name}\.py:2 in <module>: division by zero"),
        ("import sys; sys.exit()", r"raised SystemExit at {name}\.py:1 in <module>"),
    ],
)
def test_a_module_that_cannot_be_imported_is_told(source: str, message: str, module: str) -> None:
    name = f"broken_{module}"
    Path(f"{name}.py").write_text(source)
    with pytest.raises(CannotRun) as stopped:
        arguments_at(f"{name}:A")
    stopped.match(rf"\Aimporting {name} {message.replace('{name}', name)}\Z")


def test_a_message_of_several_lines_becomes_one_and_keeps_its_cause() -> None:
    def broken() -> Any:
        raise RuntimeError("one\n  two")

    with pytest.raises(
        CannotRun, match=r"^the check raised RuntimeError at .*test_targets\.py:\d+ in broken: one two$"
    ) as stopped:
        calling("the check", broken)
    assert isinstance(stopped.value.__cause__, RuntimeError)


def test_an_interruption_is_not_held_up() -> None:
    def interrupted() -> Any:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        calling("the check", interrupted)
