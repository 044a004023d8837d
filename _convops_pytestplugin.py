"""The pytest plugin of convops: the fixture ``adjoint_check`` and the option ``--adjoint-seed``.

It stands outside the package so that pytest, which imports it whenever it starts, does not import convops,
numpy and scipy with it: only tests that use the fixture do.
"""

import argparse
import functools
import shlex
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from convops import AdjointReport


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--adjoint-seed``."""
    parser.getgroup("convops").addoption(
        "--adjoint-seed",
        type=_seed,
        metavar="N",
        help="seed of the random probes of adjoint_check (default: one for each test, from its node id)",
    )


@pytest.fixture
def adjoint_check(request: pytest.FixtureRequest) -> "Callable[..., AdjointReport]":
    """Return convops.testing.assert_adjoint with a seed of this test.

    The seed is that of --adjoint-seed, or comes from the node id: the same in every run, another in every
    test. Where a check fails, the error says how to repeat it.
    """
    from convops.testing import assert_adjoint

    seed = request.config.getoption("adjoint_seed")
    if seed is None:
        seed = zlib.crc32(request.node.nodeid.encode())

    @functools.wraps(assert_adjoint)
    def check(*arguments: Any, **options: Any) -> "AdjointReport":
        __tracebackhide__ = True
        try:
            return assert_adjoint(*arguments, **{"seed": seed, **options})
        except AssertionError as error:
            error.add_note(f"again: pytest {shlex.quote(request.node.nodeid)} --adjoint-seed {seed}")
            raise

    return check


def _seed(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of at least 0")
    return int(text)
