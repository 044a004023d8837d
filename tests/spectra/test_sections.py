"""A section holds what the extension of numpy.pad gives to its samples, tap by tap."""

import numpy as np
import pytest

import oracles
from convops._axis import Axis
from convops.spectra._sections import section
from registry import BOUNDARIES


@pytest.mark.parametrize("boundary", sorted({*BOUNDARIES} - {"wrap"}))
def test_a_section_has_all_that_its_samples_give(boundary: str) -> None:
    axis = Axis(20, 3, 2, 2, 3, 4, boundary)
    E = oracles.extension(20, 3, 4, boundary)
    whole = np.stack([E[2 * tap : 2 * tap + 2 * axis.out_size : 2][: axis.out_size] for tap in range(3)])
    for start, stop in ((0, 20), (0, 8), (12, 20)):
        part = section(axis, start, stop).toarray()
        of_samples = whole[:, :, start:stop]
        assert part.shape[1] >= of_samples.any(axis=(0, 2)).sum()
        gram = np.einsum("kpm,lpn->klmn", part, part)
        np.testing.assert_array_equal(gram, np.einsum("kpm,lpn->klmn", of_samples, of_samples))


@pytest.mark.parametrize("boundary", BOUNDARIES)
def test_the_adjoint_and_the_reach_are_those_of_the_matrices(boundary: str) -> None:
    part = section(Axis(11, 3, 1, 2, 2, 3, boundary), 0, 11)
    matrices = part.toarray()
    np.testing.assert_array_equal(part.adjoint.toarray(), matrices.swapaxes(1, 2))
    for side, reads in ((part, matrices.any(axis=0)), (part.adjoint, matrices.any(axis=0).T)):
        assert side.reach == max(np.ptp(np.flatnonzero(row)) for row in reads if row.any())


def test_what_reads_nothing_reaches_nowhere() -> None:
    assert section(Axis(3, 1, 9, 1, 4, 0, "zeros"), 0, 3).reach == 0
