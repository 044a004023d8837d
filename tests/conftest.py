"""What every test runs under: a hypothesis profile, and torch only where it is installed."""

import importlib.util
import os

import hypothesis
import pytest

pytest_plugins = ["pytester"]

# Before anything imports matplotlib: figures are written to files, never shown.
os.environ["MPLBACKEND"] = "Agg"
# Before anything imports numpy: workers that run beside each other have a core each.
if "PYTEST_XDIST_WORKER" in os.environ:
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        os.environ.setdefault(variable, "1")

hypothesis.settings.register_profile("ci", derandomize=True, deadline=None, print_blob=True)
hypothesis.settings.register_profile("local", deadline=None, print_blob=True)
hypothesis.settings.load_profile("ci" if os.environ.get("CI") else "local")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests marked ``torch`` where torch is absent, unless the environment demands them."""
    if importlib.util.find_spec("torch") is not None:
        return
    if os.environ.get("CONVOPS_REQUIRE_TORCH"):
        raise pytest.UsageError("CONVOPS_REQUIRE_TORCH is set, but torch is not installed.")
    skip = pytest.mark.skip(reason="torch is not installed")
    for item in items:
        if item.get_closest_marker("torch") is not None:
            item.add_marker(skip)
