"""`convops.testing` can be imported without pytest and hypothesis; what needs them says how to get them."""

import subprocess
import sys
from pathlib import Path

import pytest

import convops.testing
from convops.testing import strategies


def run(code: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True)


def test_the_strategies_are_there_when_they_are_asked_for(tmp_path: Path) -> None:
    code = "import sys, convops.testing; {}; print(*sorted({{'hypothesis', 'pytest'}} & set(sys.modules)))"
    assert run(code.format("dir(convops.testing)"), tmp_path).stdout == "\n"
    assert "hypothesis" in run(code.format("convops.testing.strategies"), tmp_path).stdout
    assert convops.testing.strategies is strategies
    assert "strategies" in dir(convops.testing)


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(AttributeError, match=r"^module 'convops\.testing' has no attribute 'strategy'$"):
        convops.testing.strategy  # noqa: B018


@pytest.mark.parametrize("statement", ["import convops.testing.strategies", "convops.testing.strategies"])
def test_without_hypothesis_the_strategies_name_the_extra(statement: str, tmp_path: Path) -> None:
    code = f"import sys, convops.testing; sys.modules['hypothesis'] = None; {statement}"
    error = run(code, tmp_path).stderr.splitlines()[-1]
    assert error.startswith("ImportError: convops.testing.strategies needs hypothesis, which is not here (")
    assert error.endswith("Install the extra 'test': in the checkout, pip install -e '.[test]'")
