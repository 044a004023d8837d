"""A report reads as text and as plain values."""

import json

import numpy as np
import pytest

from convops import ConvTranspose, check_adjoint


@pytest.mark.parametrize("dtype", ["float64", "complex128", "int64"])
def test_a_report_reads_as_text_and_as_json(dtype: str) -> None:
    A = ConvTranspose(np.ones(3, dtype), 9)
    report = check_adjoint(A)
    lines = str(report).splitlines()
    assert lines[0] == f"adjoint check of {A!r}: passed (seed 0)"
    assert len(lines) == 1 + len(report.checks)
    for line in lines[1:]:
        assert all(word in line for word in ("ok", "difference", "bound"))
    assert json.loads(json.dumps(report.as_dict()))["passed"] is True


def test_a_failed_report_says_so() -> None:
    report = check_adjoint(lambda x: x, lambda y: 2 * y, 3, 3)
    assert not report
    assert "FAILED" in str(report).splitlines()[0]
    assert "adjoint   FAILED" in str(report)
