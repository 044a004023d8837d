"""The plugin gives tests a check with a seed of their own, and costs those that do not use it nothing."""

import importlib.metadata
import inspect
import re
import zlib
from collections.abc import Callable
from typing import Any

import pytest

from convops import AdjointReport, Conv
from convops.testing import assert_adjoint

FAILING = """
def test_wrong(adjoint_check):
    adjoint_check(lambda x: 2 * x, lambda y: 3 * y, 5, 5)
"""
SEEING = """
import pytest

@pytest.mark.parametrize("number", [1, 2])
def test_right(adjoint_check, number):
    print("seed", adjoint_check(lambda x: x, lambda y: y, 5, 5).seed)
    print("seed", adjoint_check(lambda x: x, lambda y: y, 5, 5, seed=9).seed)
"""


def seeds(result: pytest.RunResult) -> list[str]:
    return re.findall(r"seed \d+", result.stdout.str())


def test_the_plugin_is_that_of_the_distribution() -> None:
    (entry,) = (
        entry
        for entry in importlib.metadata.entry_points(group="pytest11")
        if entry.value == "_convops_pytestplugin"
    )
    assert entry.name == "convops"


def test_the_fixture_is_assert_adjoint(adjoint_check: Callable[..., AdjointReport]) -> None:
    assert inspect.signature(adjoint_check) == inspect.signature(assert_adjoint)
    assert adjoint_check(Conv([1.0, 2.0], 9), only="adjoint").checks[0].name == "adjoint"


def test_the_seed_comes_from_the_node_id(
    adjoint_check: Callable[..., AdjointReport], request: pytest.FixtureRequest
) -> None:
    if request.config.getoption("adjoint_seed") is not None:
        pytest.skip("the seed was given")
    assert adjoint_check(Conv([1.0, 2.0], 9)).seed == zlib.crc32(request.node.nodeid.encode())


def test_each_test_has_its_seed_and_one_that_is_given_counts(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_seen=SEEING)
    ids = [f"test_seen.py::test_right[{number}]" for number in (1, 2)]
    own = [zlib.crc32(name.encode()) for name in ids]
    expected = [f"seed {own[0]}", "seed 9", f"seed {own[1]}", "seed 9"]
    assert seeds(pytester.runpytest_inprocess("-s", "-q")) == expected
    given = pytester.runpytest_inprocess("-s", "-q", "--adjoint-seed", "5")
    assert seeds(given) == ["seed 5", "seed 9"] * 2


def test_a_failure_shows_the_report_and_how_to_repeat_it(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_seen=FAILING)
    seed = zlib.crc32(b"test_seen.py::test_wrong")
    result = pytester.runpytest_inprocess()
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*adjoint check of test_wrong.<locals>.<lambda> and *: FAILED (adjoint)",
            f"E*seed {seed}, *",
            f"E*again: pytest test_seen.py::test_wrong --adjoint-seed {seed}",
        ]
    )
    assert "convops/testing" not in result.stdout.str().replace("\\", "/")


@pytest.mark.parametrize("seed", ["-1", "one", "²", ""])
def test_a_seed_that_is_none_is_refused(seed: str, pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess(f"--adjoint-seed={seed}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"*--adjoint-seed: '{seed}' is not a whole number of at least 0"])


def modules(pytester: pytest.Pytester, test: str) -> Any:
    """Return which of some modules a session of pytest has imported in the end."""
    pytester.makeconftest(
        "import sys\n"
        "def pytest_unconfigure():\n"
        "    names = {'_convops_pytestplugin', 'convops', 'numpy', 'scipy'}\n"
        "    print('imported', *sorted(names & set(sys.modules)))\n"
    )
    pytester.makepyfile(test)
    # zarr has a plugin, too, which imports numpy.
    result = pytester.runpytest_subprocess("-p", "no:zarr")
    result.assert_outcomes(passed=1)
    (line,) = (line for line in result.outlines if line.startswith("imported"))
    return line.split()[1:]


def test_a_session_that_does_not_use_it_imports_nothing_through_it(pytester: pytest.Pytester) -> None:
    assert modules(pytester, "def test_nothing(): pass") == ["_convops_pytestplugin"]


def test_a_session_that_uses_it_imports_convops(pytester: pytest.Pytester) -> None:
    used = modules(pytester, "def test_right(adjoint_check): adjoint_check(lambda x: x, lambda y: y, 5, 5)")
    assert used == ["_convops_pytestplugin", "convops", "numpy", "scipy"]


def test_the_help_names_the_option_and_the_fixture(pytester: pytest.Pytester) -> None:
    pytester.runpytest_subprocess("--help").stdout.fnmatch_lines(["convops:", "*--adjoint-seed=N*"])
    pytester.makepyfile("def test_nothing(): pass")
    fixtures = pytester.runpytest_subprocess("--fixtures")
    fixtures.stdout.fnmatch_lines(["adjoint_check*", "*Return convops.testing.assert_adjoint with a seed*"])
