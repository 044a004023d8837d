"""The versions that are shown are those that are installed."""

import importlib.metadata
import platform

import numpy as np
import pytest

from convops import show_versions
from convops._blas import blas_core


def test_every_version_is_shown_on_a_line_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    show_versions()
    lines = dict(line.split(None, 1) for line in capsys.readouterr().out.splitlines())
    assert lines["convops"] == importlib.metadata.version("convops")
    assert lines["numpy"] == np.__version__
    assert lines["python"].startswith(platform.python_version())
    assert lines["platform"] == platform.platform()
    assert int(lines["cores"]) >= 1
    assert lines["blas"] == (f"OpenBLAS, kernels for {blas_core()}" if blas_core() else "not OpenBLAS")


def test_what_is_missing_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def missing(package: str) -> str:
        raise importlib.metadata.PackageNotFoundError(package)

    monkeypatch.setattr("convops._versions.version", missing)
    show_versions()
    assert "torch        not installed" in capsys.readouterr().out
