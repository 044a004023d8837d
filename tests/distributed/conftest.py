"""What every test of an operator on Dask runs under."""

import importlib.util
from collections.abc import Iterator

import pytest


@pytest.fixture(autouse=True)
def _on_this_thread() -> Iterator[None]:
    """Run the tasks on the thread of the test: no pool is worth its start here."""
    if importlib.util.find_spec("dask") is None:
        yield
        return
    import dask

    with dask.config.set(scheduler="synchronous"):
        yield
