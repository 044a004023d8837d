"""What became of each operator that was to be checked, in forms that other programs read: JSON and JUnit."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from xml.etree import ElementTree

import convops
from convops.adjoint import AdjointReport

# Beside tab and line feed; "\r" would come back as a line feed.
_NOT_IN_XML = re.compile("[^\t\n\u0020-\u007e\u0080-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Outcome:
    """The report on one target, or why there is none."""

    target: str
    report: AdjointReport | None
    error: str = ""
    seconds: float = 0.0
    started: datetime = field(default_factory=lambda: datetime.now(UTC))


def as_json(outcomes: Sequence[Outcome]) -> str:
    """Return the version, the reports and, where there are none, the errors."""
    reports = [{"target": one.target, **one.report.as_dict()} for one in outcomes if one.report is not None]
    errors = [{"target": one.target, "error": one.error} for one in outcomes if one.report is None]
    whole = {"convops": convops.__version__, "reports": reports, "errors": errors}
    return json.dumps(whole, indent=2, allow_nan=False) + "\n"


def as_junit(outcomes: Sequence[Outcome]) -> str:
    """Return XML as pytest writes it: a suite for each target, a case for each check."""
    root = ElementTree.Element("testsuites", name="convops check")
    for outcome in outcomes:
        root.append(_suite(outcome))
    ElementTree.indent(root)
    xml: str = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{xml}\n'


def _suite(outcome: Outcome) -> ElementTree.Element:
    report, name = outcome.report, _escaped(outcome.target)
    suite = ElementTree.Element(
        "testsuite",
        name=name,
        errors=str(int(report is None)),
        failures=str(len(report.failed) if report is not None else 0),
        skipped="0",
        tests=str(len(report.checks) if report is not None else 1),
        time=f"{outcome.seconds:.3f}",
        timestamp=outcome.started.isoformat(),
    )
    if report is None:
        case = ElementTree.SubElement(suite, "testcase", classname=name, name="check")
        ElementTree.SubElement(case, "error", message=_escaped(outcome.error)).text = _escaped(outcome.error)
        return suite
    for check in report.checks:
        case = ElementTree.SubElement(suite, "testcase", classname=name, name=check.name)
        if not check.passed:
            failure = ElementTree.SubElement(case, "failure", message=_escaped(str(check)))
            failure.text = _escaped(str(report))
    return suite


def _escaped(text: str) -> str:
    """Return a text without the characters that XML cannot hold, written as pytest writes them."""
    return _NOT_IN_XML.sub(lambda found: f"#x{ord(found[0]):02X}", text)
