"""`assert_adjoint` is `check_adjoint` with an exception for what fails."""

import inspect
import pickle
from typing import Any

import numpy as np
import pytest

from convops import AdjointReport, Conv, check_adjoint
from convops.testing import assert_adjoint


def double(x: np.ndarray) -> np.ndarray:
    return 2 * x


def triple(x: np.ndarray) -> np.ndarray:
    return 3 * x


def test_what_passes_is_returned_as_check_adjoint_reports_it() -> None:
    A = Conv([1.0, 2.0], 30)
    assert assert_adjoint(A, seed=4) == check_adjoint(A, seed=4)
    assert assert_adjoint(double, double, 5, 5, "float32") == check_adjoint(double, double, 5, 5, "float32")


def test_what_fails_raises_the_printed_report_and_holds_it() -> None:
    with pytest.raises(AssertionError) as failure:
        assert_adjoint(double, triple, 5, 5, seed=7)
    report: Any = failure.value.report  # type: ignore[attr-defined]
    assert isinstance(report, AdjointReport)
    assert not report
    assert report.seed == 7
    assert str(failure.value) == str(report) == str(check_adjoint(double, triple, 5, 5, seed=7))


def test_the_failure_passes_from_one_process_to_another() -> None:
    with pytest.raises(AssertionError) as failure:
        assert_adjoint(double, triple, 5, 5)
    again = pickle.loads(pickle.dumps(failure.value))
    assert str(again) == str(failure.value)
    assert again.report == failure.value.report  # type: ignore[attr-defined]


def test_the_options_are_those_of_check_adjoint() -> None:
    assert_adjoint(double, triple, 5, 5, skip="adjoint")
    assert [check.name for check in assert_adjoint(double, double, 5, 5, only="layout").checks] == ["layout"]
    with pytest.raises(ValueError, match=r"^level='deep': it must be one of 'quick', 'default', 'complete'"):
        assert_adjoint(double, double, 5, 5, level="deep")
    ours, theirs = inspect.signature(assert_adjoint), inspect.signature(check_adjoint)
    assert ours.parameters == theirs.parameters
