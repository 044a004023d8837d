"""A Sphinx extension: the pages, as they stand in the repository, become pages of the site.

They are written to be read on GitHub too, so nothing in them is Sphinx's own.

- A page that stands outside docs/ (`MIRRORED`) is copied to docs/repository/ for the build, and links to it
  are led there.
- The list below ``<!-- contents -->`` is the menu of a section: the pages that its items begin with.
- A script of examples/ whose docstring has no title gets one: its first words. One that is not run shows
  the picture that docs/images/ may have of it.
"""

import inspect
import os
import re
from pathlib import Path
from typing import Any

import convops

DOCS = Path(__file__).resolve().parent
ROOT = DOCS.parent
MIRRORED = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "benchmarks/README.md")
GALLERY_HEADER = """\
Examples
========

Programs to run as they are, from the root of a checkout. The tests run each of them, and each ends by
asserting what it claims.
"""


def mirrored(file: Path) -> Path:
    """Return where a file of the repository stands for the build; a script, the page that shows it."""
    if file == ROOT / "examples":
        return DOCS / "examples" / "index.rst"
    if file.parent == ROOT / "examples" and file.suffix == ".py":
        return DOCS / "examples" / f"{file.stem}.rst"
    path = file.relative_to(ROOT).as_posix() if file.is_relative_to(ROOT) else ""
    return DOCS / "repository" / path if path in MIRRORED else file


def original(docname: str) -> Path:
    """Return the file that the repository has for a page of the site."""
    page = f"{docname}.md"
    outside = page.removeprefix("repository/")
    return ROOT / outside if outside != page and outside in MIRRORED else DOCS / page


def led(target: str, file: Path) -> str:
    """Return where a link of `file` leads on the site, relative to the page that shows it."""
    path, mark, anchor = target.partition("#")
    if not path or re.match(r"[a-z]+:", target):
        return target
    place = mirrored((file.parent / path).resolve())
    return Path(os.path.relpath(place, mirrored(file).parent)).as_posix() + mark + anchor


def relinked(text: str, file: Path) -> str:
    """Return the text of a page with its links led to the pages of the site, code left as it is."""
    lines, fence = text.splitlines(keepends=True), ""
    for number, line in enumerate(lines):
        marks = re.match(r" *(`{3,}|~{3,})", line)
        if marks and (not fence or marks[1].startswith(fence)):
            fence = "" if fence else marks[1]
        elif not fence:
            lines[number] = re.sub(
                r"(\]\()([^)\s]+)(?=\))", lambda found: found[1] + led(found[2], file), line
            )
    return "".join(lines)


def items(text: str) -> list[tuple[str, str]]:
    """Return what the items below ``<!-- contents -->`` begin with: text and target of a link."""
    found = []
    for part in re.split(r"^<!-- contents -->\n+", text, flags=re.MULTILINE)[1:]:
        listed = re.split(r"\n\n(?![- ])", part)[0]
        found += re.findall(r"^- \[([^\]]*)\]\(([^)#]+)\)", listed, flags=re.MULTILINE)
    return found


def contents(text: str) -> list[str]:
    """Return the targets of `items`."""
    return [target for _, target in items(text)]


def with_menu(text: str) -> str:
    """Return the text of a page with a toctree, which shows nothing, of the pages that it lists."""
    entries = [f"{title} <{target.rpartition('.')[0]}>" for title, target in items(text)]
    if not entries:
        return text
    return "\n".join([text, "```{toctree}", ":hidden:", "", *entries, "```", ""])


def titled(script: str) -> str:
    """Return a script whose docstring begins with an underlined title, if need be its first words."""
    opening = re.match(r'"""\s*(.+)\n?(.*)', script)
    if opening is None or re.fullmatch(r"([=\-~#*])\1{2,}", opening[2].strip()):
        return script
    title = re.split(r'[:.]|"""', opening[1])[0].strip()
    return f'"""\n{title}\n{"=" * len(title)}\n\n{script[3:].lstrip()}'


def pictured(script: str, picture: str) -> str:
    """Return a script whose docstring ends in a picture, which stands for it in the gallery too."""
    end = script.index('"""', 3)
    shown = (
        f"{script[:end].rstrip()}\n\n.. image:: /{picture}\n   :alt: What the script draws\n{script[end:]}"
    )
    return f"{shown}\n# sphinx_gallery_thumbnail_path = '{picture}'\n"


def drawn(block: Any, variables: Any, config: Any) -> str:
    """Return, for sphinx-gallery, the pictures that a script has written beside itself; take them away."""
    from sphinx_gallery.scrapers import figure_rst

    taken = []
    for picture in sorted((DOCS / "_scripts").glob("*.png")):
        place = Path(next(variables["image_path_iterator"]))
        picture.replace(place)
        taken.append(str(place))
    return str(figure_rst(taken, config["src_dir"]))


def _get_sg_image_scraper() -> Any:
    return drawn


def write(file: Path, text: str) -> None:
    """Write a file unless it says so already: Sphinx reads again what is newer than its last build."""
    if not file.exists() or file.read_text(encoding="utf-8") != text:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def prepare(app: Any, config: Any) -> None:
    """Write the pages and the scripts that the build reads from elsewhere than where they stand."""
    for path in MIRRORED:
        write(mirrored(ROOT / path), (ROOT / path).read_text(encoding="utf-8"))
    scripts = sorted((ROOT / "examples").glob("*.py"))
    for stale in set((DOCS / "_scripts").glob("*.py")) - {DOCS / "_scripts" / path.name for path in scripts}:
        stale.unlink()
    run = str(config.sphinx_gallery_conf["plot_gallery"]) == "True"
    for script in scripts:
        text, picture = titled(script.read_text(encoding="utf-8")), f"images/{script.stem}.png"
        if not run and (DOCS / picture).exists():
            text = pictured(text, picture)
        write(DOCS / "_scripts" / script.name, text)
    write(DOCS / "_scripts" / "GALLERY_HEADER.rst", GALLERY_HEADER)


def read(app: Any, docname: str, source: list[str]) -> None:
    """Turn the source of a page into what MyST shall read."""
    file = original(docname)
    if file.exists():
        source[0] = with_menu(relinked(source[0], file))


def signature(app: Any, what: str, name: str, thing: Any, options: Any, arguments: Any, returned: Any) -> Any:
    """Return the signature of an operator's class, for which SciPy's ``__new__`` has another one."""
    if what != "class" or "__init__" not in vars(thing):
        return None
    of_init = inspect.signature(thing.__init__)
    shown = [
        parameter.replace(annotation=inspect.Parameter.empty)
        for parameter in list(of_init.parameters.values())[1:]
    ]
    return str(of_init.replace(parameters=shown, return_annotation=inspect.Signature.empty)), None


def resolved(app: Any, env: Any, node: Any, shown: Any) -> Any:
    """Return what a name in single backquotes becomes that is not found where it stands.

    It may be a public name of convops, which any module mentions without its prefix; a name of another
    package, or of an argument, is shown as it is. One that says that it is of convops has to be there.
    """
    target = node["reftarget"]
    if node.get("refdomain") != "py" or node["reftype"] != "obj" or target.startswith("convops."):
        return None
    if target.partition(".")[0] in convops.__all__:
        domain = env.domains["py"]
        return domain.resolve_xref(env, node["refdoc"], app.builder, "obj", f"convops.{target}", node, shown)
    return shown


def setup(app: Any) -> dict[str, bool]:
    """Connect all of it."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("config-inited", prepare)
    app.connect("source-read", read)
    app.connect("autodoc-process-signature", signature)
    app.connect("missing-reference", resolved)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
