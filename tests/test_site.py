"""The site lists what is public, its menu what is written, and what turns pages into a site does so."""

import importlib
import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
MODULES = [
    "convops",
    "convops.distributed",
    "convops.interop",
    "convops.plot",
    "convops.testing",
    "convops.testing.strategies",
]


def tool(name: str) -> ModuleType:
    """Return a module of docs/, which is no package."""
    spec = importlib.util.spec_from_file_location(name, DOCS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


build, pages = tool("build"), tool("_pages")


# ---------------------------------------------------------------------------------- what the site consists of


def listed(text: str) -> list[str]:
    """Return the names in the autosummaries of a page, each with its module."""
    (module,) = re.findall(r"^\.\. currentmodule:: (\S+)$", text, re.MULTILINE)
    tables = re.findall(r"^\.\. autosummary::\n(?:   :.*\n)*\n((?:   .+\n)+)", text, re.MULTILINE)
    return [f"{module}.{name}" for table in tables for name in table.split()]


@pytest.mark.parametrize("module", MODULES)
def test_the_reference_lists_every_public_name_once(module: str) -> None:
    found = [
        name
        for page in (DOCS / "reference").glob("*.rst")
        if page.stem != "index"
        for name in listed(page.read_text(encoding="utf-8"))
    ]
    public = [f"{module}.{name}" for name in importlib.import_module(module).__all__ if name[0] != "_"]
    assert sorted(name for name in found if name.rpartition(".")[0] == module) == sorted(public)


def test_the_reference_lists_no_other_module() -> None:
    texts = [page.read_text(encoding="utf-8") for page in (DOCS / "reference").glob("*.rst")]
    named = [module for text in texts for module in re.findall(r"currentmodule:: (\S+)", text)]
    assert sorted(named) == sorted(MODULES)


def test_every_page_is_in_one_menu() -> None:
    places = []
    for page in DOCS.glob("*.md"):
        places += [
            (page.parent / target).resolve() for target in pages.contents(page.read_text(encoding="utf-8"))
        ]
    reference = (DOCS / "reference" / "index.rst").read_text(encoding="utf-8")
    places += [DOCS / f"{name}.md" for name in re.findall(r"^   /(\w+)$", reference, re.MULTILINE)]
    assert len(places) == len(set(places))
    assert set(DOCS.glob("*.md")) - {DOCS / "index.md"} <= set(places)
    assert {ROOT / path for path in pages.MIRRORED} <= set(places)


# --------------------------------------------------------------------------------------- from pages to a site


@pytest.mark.parametrize(
    ("page", "target", "there"),
    [
        ("docs/structure.md", "index.md#words", "index.md#words"),
        ("docs/structure.md", "#words", "#words"),
        ("docs/structure.md", "https://example.org/a.md", "https://example.org/a.md"),
        ("docs/structure.md", "../README.md", "repository/README.md"),
        ("docs/structure.md", "../benchmarks/README.md#the-norm", "repository/benchmarks/README.md#the-norm"),
        ("docs/structure.md", "../tests/test_docs.py", "../tests/test_docs.py"),
        ("docs/structure.md", "../examples", "examples/index.rst"),
        ("docs/structure.md", "../examples/deconvolve_signal.py", "examples/deconvolve_signal.rst"),
        ("README.md", "docs/images/demo.png", "../images/demo.png"),
        ("README.md", "CONTRIBUTING.md", "CONTRIBUTING.md"),
        ("README.md", "tests/test_docs.py", "../../tests/test_docs.py"),
        ("benchmarks/README.md", "../docs/performance.md", "../../performance.md"),
    ],
)
def test_a_link_is_led_to_where_the_site_has_its_target(page: str, target: str, there: str) -> None:
    assert pages.led(target, ROOT / page) == there
    text = f"see [it]({target}) and `[it]`\n"
    assert pages.relinked(text, ROOT / page) == text.replace(target, there)


def test_code_is_left_as_it_is() -> None:
    text = "````text\n[it](../README.md)\n```\n[it](../README.md)\n````\n[it](../README.md)\n"
    assert pages.relinked(text, DOCS / "page.md") == text.removesuffix("[it](../README.md)\n") + (
        "[it](repository/README.md)\n"
    )


def test_the_page_of_a_file_is_found_again() -> None:
    for path in (*pages.MIRRORED, "docs/structure.md"):
        place = pages.mirrored(ROOT / path).relative_to(DOCS)
        assert pages.original(place.with_suffix("").as_posix()) == ROOT / path


def test_the_list_below_the_mark_is_the_menu() -> None:
    text = (
        "# Title\n\n- [Not](not.md)\n\n<!-- contents -->\n\n- [One](one.md): about\n  [two](not.md).\n"
        "- [Two](a/two.rst)\n\nEnd. [Three](not.md)\n\n- [Four](not.md)\n"
    )
    assert pages.contents(text) == ["one.md", "a/two.rst"]
    assert "\n\nOne <one>\nTwo <a/two>\n" in pages.with_menu(text)
    assert pages.with_menu("# Title\n\n- [Not](not.md)\n") == "# Title\n\n- [Not](not.md)\n"


@pytest.mark.parametrize(
    ("docstring", "title"),
    [
        ('"""Recover spikes from a recording: twice.\n\nMore.\n"""\n', "Recover spikes from a recording"),
        ('"""\nRecover spikes\n==============\n\nMore.\n"""\n', "Recover spikes"),
        ('"""Recover spikes.\n"""\n', "Recover spikes"),
        ('"""Recover spikes."""\n', "Recover spikes"),
    ],
)
def test_a_script_has_a_title(docstring: str, title: str) -> None:
    script = pages.titled(docstring + "x = 1\n")
    assert script.startswith(f'"""\n{title}\n{"=" * len(title)}\n')
    assert script.endswith('"""\nx = 1\n')
    assert pages.titled(script) == script
    compile(script, "script", "exec")


def test_a_script_that_is_not_run_shows_a_picture() -> None:
    script = pages.pictured('"""\nA\n===\n\nText.\n\n"""\nx = """no"""\n', "images/a.png")
    assert script.startswith('"""\nA\n===\n\nText.\n\n.. image:: /images/a.png\n')
    assert script.endswith('"""\nx = """no"""\n\n# sphinx_gallery_thumbnail_path = \'images/a.png\'\n')


def test_broken_links_of_a_site_are_found(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "a.html").write_text(
        '<h1 id="top">A</h1>\n<a href="sub/b.html#there">b</a> <a href="sub/">sub</a> <a href="#top">t</a>\n'
        '<a href="https://example.org/x">out</a>\n<a href="sub/b.html#gone">b</a>\n<img src="gone.png">\n'
        '<a href="#gone">a</a>\n<a href="../outside.html">up</a>\n',
        encoding="utf-8",
    )
    (tmp_path / "sub" / "b.html").write_text('<a name="there" href="../a.html#top">a</a>', encoding="utf-8")
    (tmp_path / "sub" / "index.html").write_text("", encoding="utf-8")
    found = [message.split(": ")[:2] for message in build.broken_links(tmp_path)]
    assert found == [
        ["a.html:4", "sub/b.html#gone"],
        ["a.html:5", "gone.png"],
        ["a.html:6", "#gone"],
        ["a.html:7", "../outside.html"],
    ]
