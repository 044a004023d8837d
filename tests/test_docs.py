"""The pages and the docstrings do what they say: code runs, output is as stated, links lead somewhere.

In a page, the ``python`` blocks run from top to bottom in one namespace. A block in ``>>>`` form is checked
by doctest; of any other, the printed output is compared with the ``text`` block that follows it directly,
if one does. An ``sh`` block of calls of ``convops`` runs, too, where a ``text`` block follows it directly:
what the commands print, on either stream. In all, runs of white space are equal and ``...`` matches
anything.
"""

import ast
import contextlib
import doctest
import functools
import importlib
import importlib.util
import io
import itertools
import pkgutil
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import convops
from commands.terminal import run as run_command

ROOT = Path(__file__).resolve().parents[1]
EXECUTED = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
PAGES = [*EXECUTED, ROOT / "CHANGELOG.md"]
OPTIONS = doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS
OPTIONAL = {
    "cvxpy",
    "dask",
    "distributed",
    "h5py",
    "pylops",
    "sigpy",
    "skimage",
    "sklearn",
    "tifffile",
    "torch",
    "zarr",
}  # a block that imports one is skipped where it is missing
LANGUAGES = {"python", "text", "sh", "toml"}  # a block in a language outside this set could escape execution


def name_of(page: Path) -> str:
    return page.relative_to(ROOT).as_posix()


# ---------------------------------------------------------------------------------------------- code in pages


@dataclass(frozen=True)
class Block:
    """A fenced block; `line` is the number of its first line of code."""

    language: str
    code: str
    line: int
    end: int


def blocks_of(page: Path) -> list[Block]:
    """Return the fenced blocks of a page, in order."""
    blocks = []
    lines = page.read_text(encoding="utf-8").splitlines()
    number = 0
    while number < len(lines):
        opening = re.match(r"( *)(`{3,}|~{3,})\s*([^\s`]*)", lines[number])
        number += 1
        if opening is None:
            continue
        indent, fence, language = opening.groups()
        body = []
        first = number + 1
        while number < len(lines) and not re.fullmatch(rf" *{fence[0]}{{{len(fence)},}} *", lines[number]):
            body.append(lines[number].removeprefix(indent))
            number += 1
        if number == len(lines):
            raise AssertionError(f"{page.name}:{first - 1}: the block is never closed.")
        number += 1
        blocks.append(Block(language, "".join(line + "\n" for line in body), first, number))
    return blocks


def stated_output(page: Path, block: Block, following: Block | None) -> str | None:
    """Return the text block directly below `block`, or None."""
    if following is None or following.language != "text":
        return None
    between = page.read_text(encoding="utf-8").splitlines()[block.end : following.line - 2]
    return following.code if not "".join(between).strip() else None


def run_session(page: Path, block: Block, namespace: dict[str, Any]) -> None:
    """Run a block in ``>>>`` form."""
    session = doctest.DocTestParser().get_doctest(block.code, namespace, page.name, str(page), block.line - 1)
    report = io.StringIO()
    runner = doctest.DocTestRunner(verbose=False, optionflags=OPTIONS)
    failed, _ = runner.run(session, out=report.write, clear_globs=False)
    namespace.update(session.globs)
    if failed:
        raise AssertionError(
            f"{page.name}:{block.line}: the block does not print what it says.\n{report.getvalue()}"
        )


def run_program(page: Path, block: Block, namespace: dict[str, Any], stated: str | None) -> None:
    """Run a plain block and compare what it prints with `stated`."""
    printed = io.StringIO()
    try:
        # The empty lines in front give a traceback the line numbers of the page.
        code = compile("\n" * (block.line - 1) + block.code, str(page), "exec")
        with contextlib.redirect_stdout(printed):
            exec(code, namespace)
    except Exception as error:
        raise AssertionError(f"{page.name}:{block.line}: the block raises {error!r}.") from error
    if stated is not None:
        compare(page, block, stated, printed.getvalue())


def compare(page: Path, block: Block, stated: str, printed: str) -> None:
    """Fail if a block does not print what its page says."""
    if not doctest.OutputChecker().check_output(stated, printed, OPTIONS):
        raise AssertionError(
            f"{page.name}:{block.line}: the block does not print what it says.\n"
            f"Stated:\n{stated}\nPrinted:\n{printed}"
        )


def run_commands(page: Path, block: Block, stated: str) -> None:
    """Run the lines of a block, each a call of ``convops``, and compare what they print with `stated`."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        for line in block.code.splitlines():
            command, *arguments = shlex.split(line, comments=True)
            if command != "convops":
                raise AssertionError(f"{page.name}:{block.line}: {line!r} is no call of convops.")
            run_command(*arguments)
    compare(page, block, stated, printed.getvalue())


def run_page(page: Path) -> None:
    """Run the python blocks of a page, in order, in one namespace, and the commands between them."""
    namespace: dict[str, Any] = {"__name__": "__page__"}
    blocks = blocks_of(page)
    for block, following in itertools.pairwise([*blocks, None]):
        stated = stated_output(page, block, following)
        if block.language == "sh" and block.code.startswith("convops ") and stated is not None:
            run_commands(page, block, stated)
        if block.language != "python" or _lacks_a_package(block):
            continue
        if re.search(r"^ *>>> ", block.code, re.MULTILINE):
            run_session(page, block, namespace)
        else:
            run_program(page, block, namespace, stated)


def _lacks_a_package(block: Block) -> bool:
    """Whether a block imports a package that is not installed, and that not all tests need."""
    imported = re.findall(r"^(?:import|from) (\w+)", block.code, re.MULTILINE)
    return any(name in OPTIONAL and importlib.util.find_spec(name) is None for name in imported)


@pytest.mark.parametrize("page", EXECUTED, ids=name_of)
def test_the_code_of_a_page_runs_and_prints_what_it_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    code = "".join(block.code for block in blocks_of(page) if block.language == "python")
    draws = "matplotlib" in code or "convops.plot" in code
    if draws and importlib.util.find_spec("matplotlib") is None:
        pytest.skip("the page draws, and matplotlib is not installed")
    for package in ("dask", "zarr"):
        if "convops.distributed" in code and importlib.util.find_spec(package) is None:
            pytest.skip(f"the page computes on Dask, and {package} is not installed")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")  # of a terminal, to which the help of a command is fitted
    images = tmp_path / "images"
    images.mkdir()
    run_page(page)
    shown = re.findall(r"\]\(images/([^)]+)\)", page.read_text(encoding="utf-8"))
    assert {picture.name for picture in images.iterdir()} <= set(shown)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_block_of_a_page_names_a_known_language(page: Path) -> None:
    unknown = [
        f"{page.name}:{block.line}: {block.language!r} is not one of {sorted(LANGUAGES)}."
        for block in blocks_of(page)
        if block.language not in LANGUAGES
    ]
    assert not unknown, "\n".join(unknown)


@pytest.mark.parametrize("name", ["demo", "test"])
def test_the_readme_marks_its_two_commands(name: str) -> None:
    # CI runs these lines as they stand.
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    found = re.findall(rf"^<!-- command: {name} -->\n+```sh\n(.*)\n```$", page, re.MULTILINE)
    assert len(found) == 1, f"README.md must have one line in a sh block below <!-- command: {name} -->."


# ------------------------------------------------------------------------------------------------- docstrings


def modules() -> Iterator[ModuleType]:
    yield convops
    for found in pkgutil.walk_packages(convops.__path__, "convops."):
        if not found.name.endswith("__main__"):  # importing it would run the program
            yield importlib.import_module(found.name)


def run_docstrings(module: ModuleType) -> str:
    """Run the examples in all docstrings of a module and return the report of what failed.

    The docstrings are read from the source: doctest's own finder misses those of cached properties.
    """
    file = Path(str(module.__file__))
    report = io.StringIO()
    runner = doctest.DocTestRunner(verbose=False, optionflags=OPTIONS)
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        docstring = ast.get_docstring(node, clean=False)
        if docstring is None or ">>>" not in docstring:
            continue
        name = f"{module.__name__}: {getattr(node, 'name', 'module')}"
        line = node.body[0].lineno - 1
        examples = doctest.DocTestParser().get_doctest(docstring, vars(module), name, str(file), line)
        runner.run(examples, out=report.write)
    return report.getvalue()


@pytest.mark.parametrize("module", list(modules()), ids=lambda module: module.__name__)
def test_the_examples_of_docstrings_print_what_they_say(
    module: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    if module.__name__.startswith("convops.plot.") and importlib.util.find_spec("matplotlib") is None:
        pytest.skip("the examples draw, and matplotlib is not installed")
    if module.__name__.startswith("convops.distributed.") and importlib.util.find_spec("dask") is None:
        pytest.skip("the examples are of dask arrays, and Dask is not installed")
    report = run_docstrings(module)
    assert not report, report


# ------------------------------------------------------------------------------------------------------ links


@functools.cache
def prose_of(page: Path) -> list[str]:
    """Return the lines of a page, those inside fenced blocks and comments emptied."""
    text = page.read_text(encoding="utf-8")
    lines = re.sub(
        r"<!--.*?-->", lambda found: "\n" * found[0].count("\n"), text, flags=re.DOTALL
    ).splitlines()
    for block in blocks_of(page):
        lines[block.line - 2 : block.end] = [""] * (block.end - block.line + 2)
    return [re.sub(r"(`+).+?\1", "", line) if not line.startswith("#") else line for line in lines]


def anchors_of(page: Path) -> set[str]:
    """Return the anchors that the headings of a page get where it is rendered."""
    anchors: set[str] = set()
    for line in prose_of(page):
        heading = re.match(r"#{1,6} +(.*?)[ #]*$", line)
        if heading is not None:
            shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading[1])
            slug = re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")
            repeats = (f"{slug}-{count}" for count in range(1, len(anchors) + 1))
            anchors.add(
                slug if slug not in anchors else next(name for name in repeats if name not in anchors)
            )
    return anchors


def broken_links(page: Path, root: Path) -> list[str]:
    """Return, as messages, the relative links of a page that lead nowhere."""
    broken = []
    for number, line in enumerate(prose_of(page), start=1):
        targets = re.findall(r"\]\(<?([^)\s>]+)", line) + re.findall(r"^ *\[[^\]]+\]: *<?([^\s>]+)", line)
        for target in targets + re.findall(r"(?:href|src)=\"([^\"]+)\"", line):
            if re.match(r"[a-z]+:", target):
                continue
            path, _, anchor = target.partition("#")
            file = (page.parent / path).resolve() if path else page
            if not file.exists() or not file.is_relative_to(root):
                broken.append(f"{page.name}:{number}: {target}: no such file in this repository.")
            elif anchor and file.suffix == ".md" and anchor not in anchors_of(file):
                broken.append(f"{page.name}:{number}: {target}: no such heading.")
    return broken


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_links_of_a_page_lead_somewhere(page: Path) -> None:
    broken = broken_links(page, ROOT)
    assert not broken, "\n".join(broken)


# ------------------------------------------------------------------------------ the tests above can also fail


def written(folder: Path, text: str) -> Path:
    page = folder / "page.md"
    page.write_text(text, encoding="utf-8")
    return page


def test_a_page_whose_blocks_share_names_passes(tmp_path: Path) -> None:
    run_page(
        written(
            tmp_path,
            "```python\nx = 2\nprint([x,\n       x])\n```\n\n```text\n[2, 2]\n```\n"
            "```python\n>>> y = x + 1\n>>> y\n3\n```\n~~~python\nassert y == 3\n~~~\n",
        )
    )


def test_commands_run_between_the_blocks_where_their_output_is_stated(tmp_path: Path) -> None:
    run_page(
        written(
            tmp_path,
            "```python\nx = '[1,2]'\n```\n```sh\nconvops matrix '[1, 2]' --input-shape 3  # a remark\n"
            "convops info\n```\n\n```text\n[[1 2 0]\n [0 1 2]]\nconvops info: the following ...\n```\n"
            "```sh\nconvops deblur absent.png\n```\n\nnot run\n\n```sh\nls\n```\n```text\nnor this\n```\n",
        )
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Title\n\n```python\nprint(1)\n```\n\n```text\n2\n```\n", r"page\.md:4: .* not print what it says"),
        ("```python\nx = 1\n```\n\n```python\n>>> x\n2\n```\n", r"page\.md:6: .* not print what it says"),
        ("```python\n>>> 1\n1\n\n>>> unknown\n1\n```\n", r"page\.md:2: .* not print what it says"),
        ("```python\nraise ValueError('no')\n```\n", r"page\.md:2: the block raises ValueError\('no'\)"),
        ("```python\nx = = 1\n```\n", r"page\.md:2: the block raises SyntaxError"),
        ("```sh\nconvops --version\n```\n\n```text\nno\n```\n", r"page\.md:2: .* not print what it says"),
        ("```sh\nconvops --version\nls\n```\n\n```text\n...\n```\n", r"page\.md:2: 'ls' is no call of con"),
        ("```python\nx = 1\n", r"page\.md:1: the block is never closed"),
    ],
    ids=["printed", "shown", "raised-in-session", "raised", "syntax", "command", "other-command", "unclosed"],
)
def test_a_page_that_says_something_wrong_fails(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        run_page(written(tmp_path, text))


def test_a_docstring_that_says_something_wrong_is_reported(tmp_path: Path) -> None:
    source = (
        "import functools\n\n\nclass Plain:\n    @functools.cached_property\n    def size(self):\n"
        '        """The size.\n\n        >>> 1 + 1\n        {}\n        """\n'
    )
    for stated, lines in (("2", []), ("3", ["9"])):
        file = tmp_path / f"says_{stated}.py"
        file.write_text(source.format(stated), encoding="utf-8")
        module = ModuleType(file.stem)
        module.__file__ = str(file)
        assert re.findall(r"line (\d+), in says_3: size", run_docstrings(module)) == lines


def test_broken_links_are_found(tmp_path: Path) -> None:
    page = written(
        tmp_path,
        "# The `one` title: W and Wᵀ\n\n## again\n\n## again\n\n"
        "[good](page.md#the-one-title-w-and-wᵀ) [good](#again-1) [good](https://example.org/x) `[no](link)`\n"
        "[bad](absent.md) ![bad](absent.png)\n[bad](#again-2)\n[bad]: ../outside.md\n"
        '<img src="absent.svg">\n\n```text\n[no](link)\n```\n',
    )
    found = [message.split(": ")[:2] for message in broken_links(page, tmp_path)]
    assert found == [
        ["page.md:8", "absent.md"],
        ["page.md:8", "absent.png"],
        ["page.md:9", "#again-2"],
        ["page.md:10", "../outside.md"],
        ["page.md:11", "absent.svg"],
    ]


def test_the_tests_of_the_page_on_adjoints_pass_as_tests(pytester: pytest.Pytester) -> None:
    page = ROOT / "docs" / "adjoint_testing.md"
    code = "\n".join(block.code for block in blocks_of(page) if block.language == "python")
    pytester.makepyfile(code)
    outcomes = pytester.runpytest_subprocess("-p", "no:cacheprovider").parseoutcomes()
    assert outcomes["xfailed"] == 3
    assert set(outcomes) == {"passed", "xfailed"}
