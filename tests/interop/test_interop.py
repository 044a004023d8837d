"""Importing the bridges imports no other package."""

import subprocess
import sys
from pathlib import Path

import convops.interop


def test_the_bridges_are_these() -> None:
    names = ["from_keras", "from_onnx", "from_scipy", "from_torch", "to_pylops", "to_torch"]
    assert convops.interop.__all__ == names


def test_nothing_is_imported_until_it_is_used(tmp_path: Path) -> None:
    others = {"torch", "onnx", "keras", "pylops", "tensorflow"}
    code = f"import sys, convops.interop; print(sorted({others} & set(sys.modules)))"
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert printed == "[]\n"
