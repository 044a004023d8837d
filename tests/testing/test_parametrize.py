"""`parametrize_with_checks` makes a test of each operator and each check; an expected failure must fail."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy.sparse.linalg import aslinearoperator

from convops import Conv, check_adjoint
from convops.adjoint import CHECKS, applicable_checks
from convops.testing import parametrize_with_checks
from registry import BOUNDARIES

A = Conv([1.0, 2.0], 9)


def double(x: np.ndarray) -> np.ndarray:
    return 2 * x


def triple(x: np.ndarray) -> np.ndarray:
    return 3 * x


WRONG = (double, triple, 5, 5)


def fails_adjoint(operator: Any) -> dict[str, str]:
    return {"adjoint": "three is not two"} if operator is WRONG else {}


@parametrize_with_checks(
    [
        *(Conv(np.ones((3, 2)), (6, 7), padding=1, boundary=name) for name in BOUNDARIES),
        A.H,
        (double, double, (2, 3), (2, 3), "complex64"),
    ]
)
def test_operators_of_every_kind(operator: Any, check: Any) -> None:
    check(operator)


def cases(*arguments: Any, **options: Any) -> list[Any]:
    return parametrize_with_checks(*arguments, **options).args[1]


@pytest.mark.parametrize("level", ["quick", "default", "complete"])
def test_there_is_one_case_for_each_check_that_applies(level: str) -> None:
    operators = [A, aslinearoperator(np.eye(3)), Conv([1, 2], 5)]
    expected = [(op, name) for op in operators for name in applicable_checks(op, level=level)]
    assert [(case.values[0], str(case.values[1])) for case in cases(operators, level=level)] == expected


def test_the_ids_are_those_of_the_operator_and_the_check_and_differ() -> None:
    ids = [case.id for case in cases([A, A, WRONG], level="quick")]
    assert ids[0] == "Conv-9-to-8-contract"
    assert "Conv-9-to-8-2-contract" in ids
    assert "double-5-to-5-adjoint" in ids
    assert len(set(ids)) == len(ids)


def test_a_check_is_that_check_alone_with_the_seed_and_the_level() -> None:
    for case in cases([A], level="complete", seed=5):
        operator, check = case.values
        assert check(operator) == check_adjoint(A, level="complete", seed=5, only=str(check))


def test_a_check_that_fails_raises_the_report() -> None:
    check = next(case.values[1] for case in cases([WRONG]) if str(case.values[1]) == "adjoint")
    with pytest.raises(AssertionError, match=r"^adjoint check of double and triple: FAILED \(adjoint\)"):
        check(WRONG)


def test_what_is_expected_to_fail_is_marked_strictly() -> None:
    marks = {case.id: case.marks for case in cases([A, WRONG], expected_failed_checks=fails_adjoint)}
    (mark,) = marks.pop("double-5-to-5-adjoint")
    assert (mark.name, mark.kwargs) == ("xfail", {"strict": True, "reason": "three is not two"})
    assert not any(marks.values())


TESTS = """
from convops import Conv
from convops.testing import parametrize_with_checks

A, WRONG = Conv([1.0, 2.0], 9), (lambda x: 2 * x, lambda y: 3 * y, 5, 5)


@parametrize_with_checks([A, WRONG], level="quick", expected_failed_checks=lambda op: {EXPECTED})
def test_operators(operator, check):
    check(operator)
"""


@pytest.mark.parametrize(
    ("expected", "outcomes"),
    [
        ("{}", {"passed": 9, "failed": 1}),
        ("{'adjoint': 'known'} if op is WRONG else {}", {"passed": 9, "xfailed": 1}),
        ("{'adjoint': 'known'}", {"passed": 8, "xfailed": 1, "failed": 1}),
    ],
    ids=["none", "the one that fails", "one that passes too"],
)
def test_pytest_makes_the_tests(expected: str, outcomes: dict[str, int], pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TESTS.replace("{EXPECTED}", expected))
    pytester.runpytest_inprocess().assert_outcomes(**outcomes)


def test_pytest_does_not_collect_what_names_an_unknown_check(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(TESTS.replace("{EXPECTED}", "{'matmat': 'never made'}"))
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["E * ValueError: expected_failed_checks=*"])


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        (
            A,
            {},
            TypeError,
            r"^operators=.*: it must be a list, each item an operator, or a tuple .*\[operator\]\.$",
        ),
        (3, {}, TypeError, r"^operators=3: it must be a list"),
        ([], {}, ValueError, r"^operators=\[\]: there is no operator in it to check\. Give some\.$"),
        ([np.eye(3)], {}, TypeError, r"^op=array.*Wrap it with scipy\.sparse\.linalg\.aslinearoperator\.$"),
        ([(double, double)], {}, TypeError, r"^input_shape is missing"),
        ([A], {"level": "deep"}, ValueError, r"^level='deep': it must be one of"),
        ([A], {"seed": -1}, ValueError, r"^seed=-1: it must be at least 0"),
        (
            [A],
            {"expected_failed_checks": lambda op: {"entries": "x"}},
            ValueError,
            r"for Conv-9-to-8 it names 'entries'",
        ),
        (
            [A],
            {"expected_failed_checks": lambda op: {"symmetry": "x"}},
            ValueError,
            r"it names 'symmetry', .*'purity'\. ",
        ),
        (
            [A],
            {"expected_failed_checks": lambda op: "adjoint"},
            TypeError,
            r"it must return a dict .*; got str\.$",
        ),
    ],
)
def test_a_wrong_argument_is_told(
    arguments: Any, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        parametrize_with_checks(arguments, **options)


def test_without_pytest_it_names_the_extra(tmp_path: Path) -> None:
    code = "import sys, convops.testing as t; sys.modules['pytest'] = None; t.parametrize_with_checks([])"
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True)
    error = done.stderr.splitlines()[-1]
    assert error.startswith("ImportError: parametrize_with_checks needs pytest, which is not here (")
    assert error.endswith("Install the extra 'test': in the checkout, pip install -e '.[test]'")


def test_every_check_is_among_those_that_can_be_expected_to_fail() -> None:
    op = Conv([1.0, 2.0], 9)
    made = {str(case.values[1]) for case in cases([op, Conv([1, 2], 9)], level="complete")}
    assert made == set(CHECKS)
