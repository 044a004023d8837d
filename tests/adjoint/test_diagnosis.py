"""What is behind failed checks is sought where maps have entries; a first cause stands for what follows."""

import numpy as np
import pytest

from adjoint.pairs import convolution, matrix_of, pair_operator, samples_of
from convops.adjoint.diagnosis import diagnosis

WRONG = pair_operator(matrix_of("float64"), 2 * matrix_of("float64").T)


def test_nothing_is_sought_where_nothing_failed_or_none_are_asked_for() -> None:
    samples = samples_of(WRONG)
    assert diagnosis(samples, set(), 24) == {}
    assert diagnosis(samples, {"adjoint"}, 0) == {}
    assert samples.pair.applications == 0


def test_witnesses_what_they_share_and_a_cause_are_found() -> None:
    found = diagnosis(samples_of(WRONG), {"adjoint"}, 5)
    assert 1 <= len(found["witnesses"]) <= 5
    assert found["causes"] == ("the adjoint lacks a constant factor of 0.5",)
    assert found["smallest"] == ""


@pytest.mark.parametrize("earlier", ["contract", "homogeneity", "additivity"])
def test_a_map_that_is_not_linear_has_no_entries_to_compare(earlier: str) -> None:
    samples = samples_of(WRONG)
    assert diagnosis(samples, {"adjoint", earlier}, 24) == {}
    assert samples.pair.applications == 0


def test_a_map_that_changes_from_call_to_call_explains_what_else_failed() -> None:
    samples = samples_of(WRONG)
    (cause,) = diagnosis(samples, {"adjoint", "homogeneity", "purity"}, 24)["causes"]
    assert "not a function of x alone" in cause
    assert diagnosis(samples, {"purity"}, 24) == {}


def test_fewer_digits_explain_an_adjoint_that_does_not_fit() -> None:
    (cause,) = diagnosis(samples_of(WRONG), {"adjoint", "precision"}, 24)["causes"]
    assert "fewer digits" in cause
    assert diagnosis(samples_of(WRONG), {"precision"}, 24) == {}


def test_between_real_and_complex_vectors_no_entries_are_compared() -> None:
    samples = samples_of(np.fft.rfft, np.fft.irfft, input_shape=20, output_shape=11, dtype=(float, complex))
    assert diagnosis(samples, {"adjoint"}, 24) == {}


def test_a_fault_that_integers_alone_show_is_sought_in_integers() -> None:
    samples = samples_of(convolution(method="gemm"))
    found = diagnosis(samples, {"exact"}, 24)
    assert found["witnesses"] == ()
    assert samples.pair.applications > 0
