"""The public names are these, each is documented, and importing them costs numpy and scipy only."""

import importlib.metadata
import importlib.resources
import inspect
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import cached_property
from operator import attrgetter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import convops
import convops.distributed
import convops.interop
import convops.plot
import convops.testing

NAMES = [
    "AdjointReport",
    "Conv",
    "ConvGeometry",
    "ConvPattern",
    "ConvTranspose",
    "ConvergenceWarning",
    "DampResult",
    "KernelOperator",
    "OperatorNorm",
    "TikhonovResult",
    "__version__",
    "block_diag",
    "check_adjoint",
    "choose_damp",
    "conv",
    "conv_matrix",
    "conv_transpose",
    "difference",
    "divergence",
    "gradient",
    "hstack",
    "identity",
    "iter_row_blocks",
    "laplacian",
    "operator_norm",
    "probe_colors",
    "probe_matrix",
    "selection",
    "show_versions",
    "singular_values",
    "spectral_route",
    "tikhonov",
    "vstack",
]
RETURNED_ONLY = {
    "AdjointReport",
    "ConvergenceWarning",
    "DampResult",
    "OperatorNorm",
    "TikhonovResult",
}  # users read it, they do not make it: no Parameters, no Raises
PUBLIC = [name for name in NAMES if callable(getattr(convops, name, None))]
CLASSES = [name for name in PUBLIC if inspect.isclass(getattr(convops, name))]
OF_TESTS = ["assert_adjoint", "assert_linear", "assert_matches_matrix", "parametrize_with_checks"]
STRATEGIES = ["geometries", "operators", "weights"]
DOCUMENTED = [
    *PUBLIC,
    *(f"distributed.{name}" for name in convops.distributed.__all__),
    *(f"interop.{name}" for name in convops.interop.__all__),
    *(f"plot.{name}" for name in convops.plot.__all__),
    *(f"testing.{name}" for name in OF_TESTS),
    *(f"testing.strategies.{name}" for name in STRATEGIES),
]


def test_all_is_what_is_meant() -> None:
    assert convops.__all__ == NAMES == sorted(NAMES)


def test_all_is_what_is_there() -> None:
    there = {
        name
        for name in dir(convops)
        if name[0] not in "_@" and not isinstance(getattr(convops, name), ModuleType)
    }
    assert there | {"__version__"} == set(convops.__all__)


def test_all_of_the_tests_of_operators_is_what_is_meant() -> None:
    assert convops.testing.__all__ == OF_TESTS == sorted(OF_TESTS)
    assert convops.testing.strategies.__all__ == STRATEGIES == sorted(STRATEGIES)
    # Names with @ are those of pytest, which rewrites the assertions of an installed plugin.
    public = {name for name in vars(convops.testing) if name[0] not in "_@"}
    assert public == {*OF_TESTS, "strategies"}


def test_no_foreign_module_shows_through() -> None:
    foreign = []
    for name, value in vars(convops).items():
        shows = name[0] not in "_@" and isinstance(value, ModuleType)
        if shows and value.__name__.partition(".")[0] != "convops":
            foreign.append(name)
    assert not foreign


def test_rooms_are_imported_when_they_are_asked_for() -> None:
    code = (
        "import sys, convops; before = set(sys.modules); convops.tikhonov; "
        "print('convops.inverse' in before, 'convops.adjoint' in before, 'convops.inverse' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False", "True"]
    with pytest.raises(AttributeError, match="has no attribute 'tikhonof'"):
        convops.tikhonof  # type: ignore[attr-defined]  # noqa: B018


def test_the_version_is_that_of_the_distribution() -> None:
    assert convops.__version__ == importlib.metadata.version("convops")


def test_the_package_says_that_it_is_typed() -> None:
    assert (importlib.resources.files(convops) / "py.typed").is_file()


# ----------------------------------------------------------------------------------------------------- import

FOREIGN_MODULES = """
import re, sys
before = set(sys.modules)
import convops
for name in sorted(set(sys.modules) - before):
    top = name.partition(".")[0]
    if top in {"convops", "numpy", "scipy", *sys.stdlib_module_names} or top.startswith("_sysconfigdata"):
        continue
    # numpy.f2py, which SciPy imports with all of numpy, takes it where it is installed.
    if top == "charset_normalizer":
        continue
    # Compiled parts of numpy and scipy register helpers under names of their own.
    file = getattr(sys.modules[name], "__file__", None)
    if file and not re.search(r"[/\\\\](numpy|scipy)[/\\\\]", file):
        print(name, file)
"""


def test_importing_convops_imports_numpy_scipy_and_the_standard_library_only(tmp_path: Path) -> None:
    printed = subprocess.run(
        [sys.executable, "-c", FOREIGN_MODULES], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert printed == ""


def test_importing_convops_leaves_the_slow_and_optional_packages_alone(tmp_path: Path) -> None:
    optional = {
        "dask",
        "hypothesis",
        "keras",
        "matplotlib",
        "onnx",
        "PIL",
        "pylops",
        "pytest",
        "torch",
        "tqdm",
    }
    code = f"import sys, convops; print(sorted({optional} & set(sys.modules)))"
    printed = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    ).stdout
    assert printed == "[]\n"


# ------------------------------------------------------------------------------------------------- docstrings


def sections_of(docstring: str) -> dict[str, str]:
    """Return the sections of a numpydoc docstring by their headings."""
    parts = re.split(r"^([A-Z][A-Za-z ]*)\n-{3,}$", docstring, flags=re.MULTILINE)
    headings = re.findall(r"^([A-Z][A-Za-z ]*)\n(-{3,})$", docstring, flags=re.MULTILINE)
    uneven = [heading for heading, rule in headings if len(heading) != len(rule)]
    assert not uneven, f"the rule below {uneven} is not as long as the heading"
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def documented_in(section: str) -> list[str]:
    """Return the names that a section describes, in order (``a, b : int`` describes two)."""
    described = re.findall(r"^(\*{0,2}\w[\w, *]*?)(?: *:.*)?$", section, re.MULTILINE)
    return [name.strip().lstrip("*") for group in described for name in group.split(",")]


def parameters_of(thing: Callable[..., Any]) -> list[str]:
    # The signature of a class would be that of SciPy's __new__ where it has one.
    function = thing.__init__ if inspect.isclass(thing) else thing
    return [name for name in inspect.signature(function).parameters if name not in {"self", "cls"}]


def docstring_of(thing: object) -> str:
    docstring = inspect.getdoc(thing)
    assert docstring, f"{thing!r} has no docstring"
    return docstring


def own_members() -> Iterator[Any]:
    """Yield the public methods and properties that convops itself defines."""
    for name in CLASSES:
        for base in inspect.getmro(getattr(convops, name)):
            if base.__module__.partition(".")[0] != "convops":
                continue
            for member, value in vars(base).items():
                thing = value.__func__ if isinstance(value, classmethod | staticmethod) else value
                if member[0] != "_" and (
                    inspect.isfunction(thing) or isinstance(thing, property | cached_property)
                ):
                    yield pytest.param(thing, id=f"{name}.{member}")


def test_all_functions_and_classes_are_looked_at() -> None:
    assert set(PUBLIC) == set(NAMES) - {"__version__"}


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_public_name_starts_with_one_line_and_shows_an_example(name: str) -> None:
    docstring = docstring_of(attrgetter(name)(convops))
    summary, _, rest = docstring.partition("\n")
    assert summary.endswith(".")
    assert rest.startswith("\n")
    assert ">>> " in sections_of(docstring).get("Examples", "")


@pytest.mark.parametrize("name", DOCUMENTED)
def test_a_public_name_describes_its_parameters_and_errors(name: str) -> None:
    thing = attrgetter(name)(convops)
    sections = sections_of(docstring_of(thing))
    if name in RETURNED_ONLY:
        assert documented_in(sections.get("Attributes", ""))
        return
    assert documented_in(sections.get("Parameters", "")) == parameters_of(thing)
    if parameters_of(thing):
        assert re.search(r"^\w+(Error|Warning)\b", sections.get("Raises", ""), re.MULTILINE)
    if name not in CLASSES and inspect.signature(thing).return_annotation is not None:
        assert sections.get("Returns", "").strip()


@pytest.mark.parametrize("member", list(own_members()))
def test_a_public_member_of_a_class_is_described(member: Any) -> None:
    docstring = docstring_of(member)
    assert docstring.partition("\n\n")[0].endswith(".")
    if not inspect.isfunction(member):
        return
    section = sections_of(docstring).get("Parameters")
    if section is None:  # a short docstring may speak of its parameters in a sentence
        assert [name for name in parameters_of(member) if not re.search(rf"\b{name}\b", docstring)] == []
    else:
        assert documented_in(section) == parameters_of(member)
