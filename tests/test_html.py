"""What a notebook shows is well-formed, in the page's own colours, true, and quick at any size."""

import re
import time
import xml.etree.ElementTree as ElementTree
from typing import Any

import numpy as np
import pytest

from convops import Conv, ConvGeometry, ConvTranspose, KernelOperator
from convops._html import pattern, reads_of
from pictures import cells_of

GEOMETRIES: list[ConvGeometry] = [
    ConvGeometry((3, 3), (5, 5), stride=2, padding=1),
    ConvGeometry((3, 2, 3), (2, 8), padding="same", boundary="edge"),
    ConvGeometry((4, 1, 2), (2, 6), groups=2, dilation=2, boundary="wrap"),
    ConvGeometry(3, 5, padding=4, boundary="antireflect"),
    ConvGeometry(4, 3, padding=3, boundary="reflect"),
]
LARGE: list[Any] = [
    ConvGeometry((20, 10, 5, 5), (10, 160, 160), dilation=2, boundary="antireflect", padding=400),
    ConvGeometry((2,) * 60, (2,) * 60),
    ConvGeometry(3, 5, padding=2**40, boundary="reflect"),
    ConvGeometry((1, 1), (2**31, 2**31), dilation=2**62),
    ConvGeometry(2**14, 2**21, padding="same", dilation=3, boundary="symmetric"),
    ConvGeometry(3, 2**62, padding="same", stride=2**61),
    ConvGeometry((64, 64, 3, 3), (64, 512, 512), padding=1),
    Conv(np.ones((3,) * 6), (9,) * 6),
    Conv(np.ones((3, 3)), (2**20, 2**20), padding=1, boundary="symmetric"),
    ConvTranspose(np.ones((3, 3)), (2**20, 2**20), stride=7),
    KernelOperator(np.ones(100_000), 1000),
]


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_the_cells_are_the_entries_of_the_matrix(geometry: ConvGeometry) -> None:
    weight = np.random.default_rng(0).uniform(1, 2, geometry.weight_shape)
    more = {name: getattr(geometry, name) for name in ("stride", "padding", "dilation", "groups", "boundary")}
    A = Conv(weight, geometry.input_shape, **more)
    K = KernelOperator(
        np.random.default_rng(0).uniform(1, 2, (2, *geometry.input_shape)), weight.shape, batch_dims=1, **more
    )
    for thing, matrix in ((geometry, A), (A, A), (A.T, A.T), (K, K), (K.T, K.T)):
        expected = set(zip(*(index.tolist() for index in matrix.toarray().nonzero()), strict=True))
        assert set(cells_of(thing._repr_html_())) == expected


def test_taps_that_meet_are_grey() -> None:
    cells = cells_of(ConvGeometry(3, 4, padding=1, boundary="edge")._repr_html_())
    assert [place for place, fill in cells.items() if fill == "hsl(0,0%,55%)"] == [(0, 0), (3, 3)]


@pytest.mark.parametrize("thing", [*GEOMETRIES, *LARGE], ids=lambda thing: repr(thing)[:60])
def test_it_is_well_formed_in_the_colours_of_the_page_and_quick(thing: Any) -> None:
    html, spent = "", []
    for _ in range(3):
        start = time.perf_counter()
        html = thing._repr_html_()
        spent.append(time.perf_counter() - start)
    assert min(spent) < 0.02
    assert len(html) < 60_000
    ElementTree.fromstring(html)
    assert not re.search(r"background|color: (?!inherit)|#[0-9a-f]{3}", html)


def test_the_arithmetic_is_that_of_explain() -> None:
    geometry = ConvGeometry((20, 10, 5, 5), (10, 16, 16), stride=3, padding=2)
    html = geometry._repr_html_()
    texts = list(ElementTree.fromstring(html).itertext())
    assert "ConvGeometry: input_shape (10, 16, 16) -> output_shape (20, 6, 6)" in texts
    assert texts.count("(16 + 2 + 2 − 5) // 3 + 1 = 6") == 2
    assert "shape (720, 2560), nnz = 135200" in texts
    assert "10 in, 20 out, 1 group" in texts
    assert "<svg" not in html
    dilated = list(ElementTree.fromstring(ConvGeometry(3, 9, dilation=2)._repr_html_()).itertext())
    assert "2 · (3 − 1) + 1 = 5" in dilated


def test_of_many_axes_the_first_are_listed() -> None:
    html = ConvGeometry((1,) * 11, (2,) * 11)._repr_html_()
    assert html.count("// 1 + 1 = 2") == 8
    assert "and 3 more" in html


def test_what_takes_long_to_count_is_bounded() -> None:
    geometry = ConvGeometry(3, 50_000, padding=20_000, boundary="reflect")
    assert f"nnz at most {geometry.most_entries}" in geometry._repr_html_()
    assert geometry.most_entries >= geometry.nnz


def test_text_is_escaped() -> None:
    assert "&lt;4x9 Conv: input_shape (3, 3) -&gt; output_shape (2, 2), int64&gt;" in (
        Conv([[1, 2], [3, 4]], (3, 3))._repr_html_()
    )
    assert "<title>a &lt;b&gt;</title>" in pattern((1, 1), [(0, 0, 0)], 1, "a <b>")


def test_more_reads_than_a_small_picture_holds_are_not_listed() -> None:
    assert reads_of(ConvGeometry(2, 2049)) is not None
    assert reads_of(ConvGeometry(2, 2050)) is None
    assert pattern((97, 3), [(0, 0, 0)], 1, "W") == ""
