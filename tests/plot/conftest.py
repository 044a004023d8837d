"""Pictures are closed after the test that drew them."""

import importlib.util
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _closed_figures() -> Iterator[None]:
    yield
    if importlib.util.find_spec("matplotlib") is not None:
        from matplotlib import pyplot

        pyplot.close("all")
