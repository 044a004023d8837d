"""Every example runs, at a reduced size, and ends by asserting its figure of merit."""

import importlib.util
import runpy
import sys
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parent.parent / "examples").glob("*.py"))
SIZES = {
    "blind_deconvolution": 80,
    "deblur_a_photograph": 128,
    "identify_a_system": 3000,
    "missing_pixels": 96,
    "sharpen_a_volume": 40,
    "super_resolution": 96,
    "total_variation": 48,
}
DRAWING = {"checkerboards", *SIZES}


@pytest.mark.parametrize("script", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_runs_and_reaches_its_figure_of_merit(
    script: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    needed = {"matplotlib", "PIL"} if script.stem in DRAWING else set()
    needed |= {"dask", "zarr"} if script.stem == "blur_a_stored_volume" else set()
    needed |= {"pyproximal"} if script.stem == "total_variation" else set()
    for package in needed:
        if importlib.util.find_spec(package) is None:
            pytest.skip(f"{package} is not installed")
    monkeypatch.chdir(tmp_path)
    size = SIZES.get(script.stem)
    monkeypatch.setattr(sys, "argv", [script.name, *([] if size is None else [str(size)])])
    runpy.run_path(str(script), run_name="__main__")
    printed = capsys.readouterr()
    assert printed.out
    assert not printed.err
    drawn = [path.name for path in tmp_path.iterdir()]
    assert drawn == ([f"{script.stem}.png"] if script.stem in DRAWING else [])


def test_the_examples_that_draw_are_there() -> None:
    assert {path.stem for path in EXAMPLES} >= DRAWING
