"""The Gram matrices of a piece that is all of W have its singular values, squared, for eigenvalues."""

from math import inf

import numpy as np
import pytest

from convops import Conv
from convops.spectra import _piece
from convops.spectra._bands import work
from convops.spectra._frequencies import by_group, frequency_axis
from convops.spectra._piece import Piece, piece_of
from convops.spectra._sections import section
from oracles import Array


def whole(A: Conv, *, by_frequency: tuple[bool, ...]) -> Piece:
    """Return all of W, by frequency along some axes."""
    weight = by_group(A.geometry, A._map.correlated)
    lines = [frequency_axis(axis, weight[0], number) for number, axis in enumerate(A.geometry.axes, start=2)]
    parts = [
        line if wanted and line is not None else section(axis, 0, axis.size)
        for axis, line, wanted in zip(A.geometry.axes, lines, by_frequency, strict=True)
    ]
    found = piece_of(weight, parts)
    assert found is not None
    return found


def largest(piece: Piece) -> float:
    tops = []
    for bands in piece.grams():
        below = sum(np.diag(row[: len(row) - d], -d) for d, row in enumerate(bands))
        gram: Array = below + np.tril(below, -1).conj().T
        tops.append(np.linalg.eigvalsh(gram)[-1])
    return float(np.sqrt(max(tops)))


@pytest.mark.parametrize("weight_dtype", [float, complex])
@pytest.mark.parametrize(
    ("shape", "kwargs"),
    [
        ((3, 3), {"boundary": ("reflect", "edge"), "stride": (1, 2)}),
        ((3, 2), {"boundary": ("antireflect", "wrap")}),
        ((3, 4), {"boundary": ("wrap", "zeros"), "stride": 2, "dilation": (1, 2)}),
        ((4, 3, 3, 2), {"boundary": ("edge", "symmetric")}),
        ((2, 3, 2, 3), {"boundary": ("wrap", "reflect"), "groups": 2}),
        ((3, 2, 2), {"boundary": ("edge", "wrap", "zeros")}),
    ],
)
def test_the_largest_eigenvalue_is_that_of_the_dense_matrix(
    shape: tuple[int, ...], kwargs: dict[str, object], weight_dtype: type
) -> None:
    rng = np.random.default_rng(0)
    weight = rng.standard_normal(shape).astype(weight_dtype)
    if weight_dtype is complex:
        weight = weight + 1j * rng.standard_normal(shape)
    channels = () if len(shape) < 4 else (shape[1] * kwargs.get("groups", 1),)  # type: ignore[operator]
    sizes = (8, 6) if len(shape) != 3 else (4, 6, 5)
    A = Conv(weight, (*channels, *sizes), padding="same", **kwargs)  # type: ignore[arg-type]
    true = np.linalg.norm(A.toarray(), 2)
    for by_frequency in ((False,) * len(sizes), (True,) * len(sizes)):
        assert largest(whole(A, by_frequency=by_frequency)) == pytest.approx(true, rel=1e-12)


def test_frequencies_alone_are_no_piece_with_bands() -> None:
    A = Conv(np.ones((3, 3)), (5, 6), padding="same", boundary="wrap")
    weight = by_group(A.geometry, A.weight)
    lines = [frequency_axis(axis, weight[0], number) for number, axis in enumerate(A.geometry.axes, start=2)]
    assert None not in lines
    assert piece_of(weight, lines) is None  # type: ignore[arg-type]


def test_what_does_not_fit_into_memory_is_endless_work(monkeypatch: pytest.MonkeyPatch) -> None:
    A = Conv(np.ones((3, 3)), (9, 9), padding="same", boundary="edge")
    piece = whole(A, by_frequency=(False, False))
    assert 0 < piece.work() < inf
    monkeypatch.setattr(_piece, "_ENTRIES", 1000)
    assert piece.work() == inf


def test_half_of_all_frequencies_are_work_and_complex_products_are_four() -> None:
    weight = np.random.default_rng(0).standard_normal((3, 3, 3))
    lines, works = ("edge", "wrap", "wrap"), []
    for kernel in (weight, weight.astype(complex)):
        A = Conv(kernel, (40, 12, 10), padding="same", boundary=lines)
        works.append(whole(A, by_frequency=(False, True, True)).work())
    axis, points = A.geometry.axes[0], 12 * 10
    assert works == [work(section(axis, 0, axis.size), times * points, 1, 1) for times in (2, 4)]
