"""A report: its text, its plain values, and the call that makes it again."""

import json
from math import inf, nan
from typing import Any

import numpy as np
import pytest

from adjoint.pairs import pair_operator
from convops import AdjointReport, check_adjoint
from convops.adjoint import LEVELS, AdjointCheck, Witness

OK = AdjointCheck("contract", True, "as declared")
BAD = AdjointCheck("adjoint", False, "apart", {"difference": inf, "left": complex(nan, 2), "bound": 0.5})
WORSE = AdjointCheck("purity", False, "it writes")


def report(*checks: AdjointCheck, **more: Any) -> AdjointReport:
    return AdjointReport("A", 7, "default", checks, **more)


def test_a_report_is_true_where_every_check_passed() -> None:
    for checks, failed in (((), ()), ((OK,), ()), ((OK, BAD), ("adjoint",)), ((BAD, OK, WORSE), None)):
        found = report(*checks)
        failed = ("adjoint", "purity") if failed is None else failed
        assert found.failed == failed
        assert found.passed is bool(found) is (not failed)


def test_the_text_tells_all_there_is() -> None:
    witnesses = tuple(Witness((row,), (0, row), 1.0, 2j) for row in range(8))
    text = str(
        report(
            OK,
            BAD,
            not_made={"matmat": "it has none", "exact": "it rounds"},
            applications=36,
            witnesses=witnesses,
            shared=("the output index is odd",),
            causes=("this", "that"),
            smallest="Conv of one tap",
        )
    )
    assert text.splitlines() == [
        "adjoint check of A: FAILED (adjoint)",
        "  level default, seed 7, 36 products",
        "  contract    ok     as declared",
        "  adjoint     FAILED apart",
        "  not made: matmat (it has none); exact (it rounds)",
        "  witnesses, where the adjoint's entry is not the conjugate of the forward map's:",
        *(f"    A[{row}, (0, {row})] = 1, B[(0, {row}), {row}] = 0+2j" for row in range(6)),
        "    and 2 more in report.witnesses",
        "  in common: the output index is odd",
        "  likely cause: this",
        "  likely cause: that",
        "  smallest that fails: Conv of one tap",
        "  again: check_adjoint(op, seed=7, only='adjoint')",
    ]


def test_the_text_of_what_passed_is_short() -> None:
    assert str(report(OK)) == (
        "adjoint check of A: passed\n  level default, seed 7, 0 products\n  contract    ok     as declared"
    )


def test_plain_values_are_what_json_can_hold() -> None:
    found = report(OK, BAD, witnesses=(Witness((1, 2), (3,), 1 + 2j, 5),), not_made={"exact": "it rounds"})
    plain = json.loads(json.dumps(found.as_dict(), allow_nan=False))
    assert plain["checks"][1]["figures"] == {"difference": "inf", "left": ["nan", 2.0], "bound": 0.5}
    assert plain["witnesses"] == [
        {"output_index": [1, 2], "input_index": [3], "forward": [1.0, 2.0], "adjoint": 5}
    ]
    assert (plain["passed"], plain["seed"], plain["level"]) == (False, 7, "default")
    assert plain["not_made"] == {"exact": "it rounds"}
    assert plain["reproduce"] == found.reproduce


def test_plain_values_name_every_attribute() -> None:
    assert set(report(OK).as_dict()) == {*AdjointReport.__dataclass_fields__, "passed", "reproduce"}


@pytest.mark.parametrize("value", [-inf, nan, inf])
def test_numbers_that_json_has_not_are_text(value: float) -> None:
    check = AdjointCheck("adjoint", False, "", {"left": value})
    assert report(check).as_dict()["checks"][0]["figures"]["left"] == str(value)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("seed", [0, 11])
def test_the_call_that_is_named_makes_the_failed_checks_again(level: str, seed: int) -> None:
    W = np.random.default_rng(0).standard_normal((9, 8)) + 2j
    for B in (W.T, W.conj().T * 3, W.conj().T + np.eye(8, 9)):
        A = pair_operator(W, B)
        found = check_adjoint(A, seed=seed, level=level)
        assert found.failed
        again = eval(found.reproduce, {"check_adjoint": check_adjoint, "op": A})
        assert again.checks == tuple(check for check in found.checks if not check.passed)
        assert (again.witnesses, again.causes) == (found.witnesses, found.causes)


def test_the_call_of_functions_is_the_line_to_paste() -> None:
    def forward(x: np.ndarray) -> np.ndarray:
        return x[:, 1:] + 0.0

    def adjoint(y: np.ndarray) -> np.ndarray:
        return np.pad(y, ((0, 0), (0, 1)))

    found = check_adjoint(forward, adjoint, (4, 5), (4, 4), np.float32, seed=3)
    assert found.reproduce == (
        "check_adjoint(forward, adjoint, input_shape=(4, 5), output_shape=(4, 4), dtype='float32', seed=3, "
        "only='adjoint')"
    )
    again = eval(found.reproduce, {"check_adjoint": check_adjoint, "forward": forward, "adjoint": adjoint})
    assert again.witnesses == found.witnesses


def test_what_passed_needs_no_call_to_make_it_again() -> None:
    assert report(OK).reproduce == ""
    assert report(BAD, WORSE).reproduce == "check_adjoint(op, seed=7, only=('adjoint', 'purity'))"
