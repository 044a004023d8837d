"""The demo restores a photograph, and says what it lacks."""

import builtins
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from convops.commands import demo


def test_the_small_example_prints_the_matrix_and_passes(capsys: pytest.CaptureFixture[str]) -> None:
    assert demo.small_example() == 0
    printed = capsys.readouterr().out
    for line in ("[[1 2 0 3 4 0 0 0 0]", " [0 0 0 0 1 2 0 3 4]]", "[27 37 57 67]", ": passed\n  level"):
        assert line in printed


def test_a_photograph_is_restored_and_drawn(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("matplotlib")
    photograph = demo.load_photograph()
    assert photograph.shape == (600, 512)
    assert (photograph.min() >= 0, photograph.max() <= 1) == (True, True)
    picture = tmp_path / "picture.png"
    assert demo.deblur(photograph[180:300, 150:290], str(picture), 30) == 0
    printed = capsys.readouterr().out
    before, after = (float(line.split()[2]) for line in printed.splitlines() if line.startswith("PSNR"))
    assert after > before + 2
    assert "iteration 20 of 30" in printed
    header = picture.read_bytes()[:24]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    assert min(struct.unpack(">II", header[16:24])) > 300


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    original = builtins.__import__

    def without(name: str, *arguments: Any, **keywords: Any) -> Any:
        if name.startswith("matplotlib"):
            raise ImportError("No module named 'matplotlib'")
        return original(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(demo.CannotRun, match=r"the extra 'plot': .*pip install -e '\.\[plot\]'"):
        demo.load_photograph()


def test_the_gaussian_is_a_symmetric_average() -> None:
    kernel = demo.gaussian(11, 2.0)
    assert kernel.sum() == pytest.approx(1)
    np.testing.assert_array_equal(kernel, kernel[::-1, ::-1])
    assert kernel[5, 5] / kernel[5, 7] == pytest.approx(np.exp(0.5))


def test_psnr_of_a_known_error() -> None:
    assert demo.psnr(np.full((4, 4), 0.1), np.zeros((4, 4))) == pytest.approx(20)
