"""The processor that is named is the one for which BLAS multiplies."""

import ctypes
import os
import platform
import subprocess
import sys
from collections.abc import Iterator

import pytest

from convops._blas import blas_core


@pytest.fixture
def anew() -> Iterator[None]:
    blas_core.cache_clear()
    yield
    blas_core.cache_clear()


def test_it_is_what_threadpoolctl_finds() -> None:
    threadpoolctl = pytest.importorskip("threadpoolctl")
    found = [each for each in threadpoolctl.threadpool_info() if "numpy" in each["filepath"]]
    if not found or found[0]["internal_api"] != "openblas":
        pytest.skip("numpy brought no OpenBLAS of its own")
    assert blas_core() == found[0]["architecture"]


@pytest.mark.skipif(
    not blas_core() or platform.machine() not in ("x86_64", "AMD64"), reason="no OpenBLAS for x86-64"
)
def test_it_is_what_the_environment_asks_openblas_for() -> None:
    command = [sys.executable, "-c", "from convops._blas import blas_core; print(blas_core())"]
    environment = os.environ | {"OPENBLAS_CORETYPE": "Nehalem"}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "Nehalem"


@pytest.mark.usefixtures("anew")
def test_another_blas_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda path: object())
    assert blas_core() == ""


@pytest.mark.usefixtures("anew")
def test_a_numpy_that_cannot_be_looked_into_has_no_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str) -> None:
        raise OSError(path)

    monkeypatch.setattr(ctypes, "CDLL", refuse)
    assert blas_core() == ""
