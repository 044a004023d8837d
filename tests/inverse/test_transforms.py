"""The transforms are unitary, and make a convolution the product with its blocks."""

from typing import Any

import numpy as np
import pytest

from convops import Conv
from convops.inverse._spectral import columns, spectrum_of
from oracles import Array

RNG = np.random.default_rng(0)
PLAIN = RNG.standard_normal((3, 3))
SYMMETRIC = np.outer([1.0, 2, 1], [1.0, 3, 1])

CASES: dict[str, Any] = {
    "wrap": Conv(PLAIN, (6, 5), padding="same", boundary="wrap"),
    "wrap, complex": Conv(1j * PLAIN, (6, 5), padding="same", boundary="wrap"),
    "mirrored": Conv(SYMMETRIC, (6, 5), padding="same", boundary="symmetric"),
    "mixed": Conv(SYMMETRIC, (6, 5), padding="same", boundary=("wrap", "symmetric")),
    "stride": Conv(PLAIN, (6, 8), padding="same", stride=2, boundary="wrap"),
    "stride that goes round": Conv([1.0, 2, 3], 8, stride=3, padding=[(1, 15)], boundary="wrap"),
    "channels": Conv(RNG.standard_normal((2, 3, 3, 3)), (3, 6, 5), padding="same", boundary="wrap"),
    "groups": Conv(RNG.standard_normal((4, 1, 3)), (2, 6), padding="same", groups=2, boundary="wrap"),
}


@pytest.mark.parametrize("case", CASES)
def test_coefficients_of_the_output_are_blocks_times_those_of_the_input(case: str) -> None:
    A = CASES[case]
    spectrum = spectrum_of(A, None, A.dtype.kind != "c")
    assert spectrum is not None
    x = RNG.standard_normal((2, *A.input_shape))
    given, found = as_channels(x, A.geometry), as_channels(A(x), A.geometry)
    known, seen = spectrum.unknown.analyse(given), spectrum.data.analyse(found)
    assert spectrum.arrays(known) == pytest.approx(given)
    for part in spectrum.parts():
        expected = part.blocks @ columns(known, part.where)
        assert columns(seen, part.where) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("case", CASES)
def test_the_norm_is_kept(case: str) -> None:
    A = CASES[case]
    spectrum = spectrum_of(A, None, A.dtype.kind != "c")
    assert spectrum is not None
    x = as_channels(RNG.standard_normal((1, *A.input_shape)), A.geometry)
    coefficients = spectrum.unknown.analyse(x)
    energy = 0.0
    for part in spectrum.parts():
        box = columns(coefficients, part.where)
        energy += float((np.abs(box) ** 2 * part.times[:, None, None]).sum())
    assert energy == pytest.approx(float(np.linalg.norm(x)) ** 2)


def as_channels(x: Array, geometry: Any) -> Array:
    return x if geometry.has_channels else x[:, None]
