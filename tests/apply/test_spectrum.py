"""The spectrum of the weight, against numpy's transform of the taps placed on a circle."""

from math import prod

import numpy as np
import pytest

from convops import ConvGeometry
from convops.apply import _spectrum
from convops.apply._fft_plan import plan_of
from convops.apply._spectrum import spectrum_of
from convops.apply._tiles import positions_of
from registry import FLOATS

GEOMETRIES = [
    ConvGeometry((3, 3), (8, 9), padding=1),
    ConvGeometry((5,), (31,), stride=3, dilation=2, padding=4),
    ConvGeometry((8, 8, 3), (8, 20)),
    ConvGeometry((8, 16, 3, 2), (16, 9, 11), stride=(2, 1), padding=1),
    ConvGeometry((16, 8, 2, 3), (16, 12, 10), groups=2, dilation=2, padding=2, boundary="wrap"),
    ConvGeometry((4, 16, 4, 5, 3), (16, 5, 6, 7), stride=(3, 2, 1), padding=2),
    ConvGeometry((8, 8, 7, 9), (8, 4, 6), padding=3, boundary="wrap"),
]


@pytest.mark.parametrize("few", [0, 2, 32])
@pytest.mark.parametrize("dtype", FLOATS)
@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_the_spectrum_is_that_of_the_taps_on_a_circle(
    geometry: ConvGeometry, dtype: str, few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_spectrum, "_FEW_TAPS", few)
    monkeypatch.setattr(_spectrum, "small_product", lambda dtype: 40)
    plan = plan_of(geometry, np.dtype(dtype))
    rng = np.random.default_rng(0)
    groups, rows = geometry.groups, geometry.out_channels // geometry.groups
    columns = geometry.in_channels // groups
    weight = rng.standard_normal((groups, rows, columns, *geometry.kernel_size))
    if not plan.real:
        weight = weight + 1j * rng.standard_normal(weight.shape)
    weight = weight.astype(dtype)
    precision = np.result_type(dtype, np.complex64)
    found = spectrum_of(weight, plan, precision)
    lengths = [tile.length for tile in plan.tiles]
    phases = [len(line.phases) for line in plan.lines]
    placed = np.zeros((groups, rows, *phases, columns, *lengths), complex)
    positions = [positions_of(line, tile) for line, tile in zip(plan.lines, plan.tiles, strict=True)]
    for tap in np.ndindex(*geometry.kernel_size):
        phase = [line.phase_of[k] for line, k in zip(plan.lines, tap, strict=True)]
        place = [of_axis[k] for of_axis, k in zip(positions, tap, strict=True)]
        placed[(slice(None), slice(None), *phase, slice(None), *place)] += weight[(..., *tap)]
    axes = range(-len(lengths), 0)
    expected = np.fft.ifftn(placed, axes=tuple(axes)).reshape(groups, rows, -1, *lengths)
    expected = expected[(..., *[slice(size) for size in plan.frequencies])]
    if plan.matrices:
        expected = np.moveaxis(expected, axes, range(len(lengths)))
    assert found.dtype == precision
    assert found.flags.c_contiguous or not plan.matrices
    terms = prod(geometry.kernel_size)
    largest = abs(weight).max() * terms / prod(lengths)
    np.testing.assert_allclose(found, expected, rtol=0, atol=20 * np.finfo(precision).eps * largest)


def test_only_many_channels_of_few_taps_are_multiplied_by_roots_of_unity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = []
    by_roots = _spectrum._by_roots
    monkeypatch.setattr(_spectrum, "_by_roots", lambda *given: made.append(True) or by_roots(*given))
    for geometry, expected in [
        (GEOMETRIES[0], 0),
        (GEOMETRIES[2], 1),
        (ConvGeometry((8, 8, 33), (8, 40)), 0),
        (ConvGeometry((8, 8, 32), (8, 40)), 1),
        (ConvGeometry((8, 8, 3), (8, 200_000)), 1),
    ]:
        made.clear()
        plan = plan_of(geometry, np.dtype(np.float32))
        weight = np.ones((1, *geometry.weight_shape), np.float32)
        spectrum_of(
            weight.reshape(1, geometry.out_channels, -1, *geometry.kernel_size), plan, np.dtype("complex64")
        )
        assert len(made) == expected
