"""Reports as JSON and as JUnit, for any text that is in them."""

import json
from dataclasses import replace
from xml.etree import ElementTree

import pytest

import convops
from convops import Conv, check_adjoint
from convops.commands._outcomes import Outcome, as_json, as_junit

PASSED = check_adjoint(Conv([1.0, 2.0], 9))
FAILED = check_adjoint(lambda x: 2 * x, lambda y: 3 * y, 5, 5)
OUTCOMES = [
    Outcome("own:right", PASSED, seconds=1.25),
    Outcome("own:wrong", FAILED),
    Outcome("own:missing", None, "there is none"),
]


def test_json_holds_the_version_the_reports_and_the_errors() -> None:
    assert json.loads(as_json(OUTCOMES)) == {
        "convops": convops.__version__,
        "reports": [
            {"target": "own:right", **PASSED.as_dict()},
            {"target": "own:wrong", **FAILED.as_dict()},
        ],
        "errors": [{"target": "own:missing", "error": "there is none"}],
    }


def test_junit_has_a_suite_for_each_operator_and_a_case_for_each_check() -> None:
    root = ElementTree.fromstring(as_junit(OUTCOMES))
    right, wrong, missing = root
    counts = ("name", "tests", "failures", "errors", "skipped")
    assert [right.get(name) for name in counts] == ["own:right", str(len(PASSED.checks)), "0", "0", "0"]
    assert right.get("time") == "1.250"
    assert [case.get("name") for case in right] == [check.name for check in PASSED.checks]
    assert not any(len(case) for case in right)
    assert [wrong.get(name) for name in counts] == ["own:wrong", str(len(FAILED.checks)), "1", "0", "0"]
    (case,) = (case for case in wrong if len(case))
    assert (case.get("classname"), case.get("name")) == ("own:wrong", "adjoint")
    (failure,) = case
    assert failure.tag == "failure"
    assert failure.text == str(FAILED)
    assert failure.get("message") in str(FAILED)
    assert [missing.get(name) for name in counts] == ["own:missing", "1", "0", "1", "0"]
    assert [element.tag for element in missing.iter()] == ["testsuite", "testcase", "error"]
    assert missing[0][0].get("message") == "there is none"


def structure(root: ElementTree.Element) -> set[tuple[str, str, str]]:
    """Return each element below another, with each of its attributes."""
    return {
        (parent.tag, child.tag, attribute)
        for parent in root.iter()
        for child in parent
        for attribute in child.attrib
    }


def test_junit_has_no_element_or_attribute_that_pytest_does_not_write(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        "import pytest\n"
        "@pytest.fixture\n"
        "def broken(): raise ValueError\n"
        "def test_fails(): assert False\n"
        "def test_errs(broken): pass\n"
    )
    pytester.runpytest_subprocess("--junitxml=theirs.xml")
    theirs = ElementTree.parse(pytester.path / "theirs.xml").getroot()
    ours = ElementTree.fromstring(as_junit(OUTCOMES))
    assert ours.tag == theirs.tag == "testsuites"
    assert structure(ours) <= structure(theirs)


@pytest.mark.parametrize(
    "text", ["\x1b[31mred\x1b[0m", "\x00\x08\x0b\x7f", "\ud800 \ufffe", "<&>\"'", "⟨Ax, y⟩ 𝔸 é"]
)
def test_any_text_makes_valid_xml_and_json(text: str) -> None:
    outcomes = [
        Outcome(text, replace(FAILED, operator=text), text),
        Outcome(text, None, text),
    ]
    root = ElementTree.fromstring(as_junit(outcomes).encode("utf-8"))
    assert len(root) == 2
    assert json.loads(as_json(outcomes).encode("utf-8"))["errors"][0]["target"] == text
    if text[0] in "<⟨":
        assert root[0].get("name") == root[1][0][0].text == text
    assert all(ord(letter) >= 32 or letter == "\n" for letter in as_junit(outcomes))


def test_a_control_character_is_written_as_pytest_writes_it() -> None:
    root = ElementTree.fromstring(as_junit([Outcome("own:red", None, "\x1b[31mred")]))
    assert root[0][0][0].get("message") == "#x1B[31mred"
