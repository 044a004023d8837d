"""Progress counts iterations, calls back, and shows a bar or lines on stderr."""

import builtins
import sys
from typing import Any

import pytest

from convops.inverse import _progress
from convops.inverse._progress import Progress


def test_it_counts_and_calls_back() -> None:
    seen: list[tuple[int, float]] = []
    with Progress(False, lambda *step: seen.append(step)) as progress:
        progress.step(0.5)
        progress.step(0.25, 3)
    assert progress.iterations == 4
    assert progress.watched
    assert seen == [(1, 0.5), (4, 0.25)]
    assert not Progress(False, None).watched


def test_without_tqdm_there_are_lines_now_and_then(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    imported = builtins.__import__

    def without_tqdm(name: str, *arguments: Any) -> Any:
        if name == "tqdm":
            raise ImportError(name)
        return imported(name, *arguments)

    monkeypatch.delitem(sys.modules, "tqdm", raising=False)
    monkeypatch.setattr(builtins, "__import__", without_tqdm)
    times = iter([1.0, 1.1, 2.0])
    monkeypatch.setattr(_progress.time, "monotonic", lambda: next(times))
    with Progress(True, None) as progress:
        for residual in (1e-1, 1e-2, 1e-3):
            progress.step(residual)
    captured = capsys.readouterr()
    assert captured.err == (
        "tikhonov: iteration 1, residual 1.00e-01\ntikhonov: iteration 3, residual 1.00e-03\n"
    )
    assert not captured.out


def test_with_tqdm_there_is_a_bar(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("tqdm")
    with Progress(True, None) as progress:
        progress.step(1e-3, 5)
    assert "tikhonov: 5it" in capsys.readouterr().err
