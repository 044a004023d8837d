"""Each frame shows one output, and nothing of the others."""

from pathlib import Path
from typing import Any

import pytest

from convops import ConvGeometry
from convops.plot import animate_geometry, plot_geometry
from pictures import squares_of

pytest.importorskip("matplotlib")


@pytest.mark.parametrize("transposed", [False, True])
def test_the_frames_step_over_the_outputs_in_c_order(transposed: bool, tmp_path: Path) -> None:
    from matplotlib.animation import AbstractMovieWriter
    from matplotlib.figure import Figure

    geometry = ConvGeometry((2, 2), (3, 4), stride=(1, 2))
    seen = []

    class Watcher(AbstractMovieWriter):
        def setup(self, *_: Any, **__: Any) -> None:
            pass

        def grab_frame(self, **_: Any) -> None:
            seen.append((squares_of(ax, "read"), squares_of(ax, "output")))

        def finish(self) -> None:
            pass

    ax = Figure().subplots()
    steps = animate_geometry(geometry, ax, transposed=transposed)
    steps.save(str(tmp_path / "none.gif"), writer=Watcher())
    outputs = [(p, q) for p in range(3 if transposed else 2) for q in range(4 if transposed else 2)]
    expected = []
    for output in outputs:
        still = plot_geometry(geometry, Figure().subplots(), outputs=[output], transposed=transposed)
        expected.append((squares_of(still, "read"), squares_of(still, "output")))
    assert seen == expected


def test_an_animation_can_be_saved(tmp_path: Path) -> None:
    steps = animate_geometry(ConvGeometry(2, 4), interval=100)
    steps.save(str(tmp_path / "steps.gif"), writer="pillow")
    assert (tmp_path / "steps.gif").read_bytes()[:3] == b"GIF"
