"""Build the site and open it: ``python docs/build.py``. With ``--no-open`` it is only built.

A warning of Sphinx is an error, and so is a link inside the site that leads nowhere. Needs the extra "docs".
"""

import argparse
import subprocess
import sys
import webbrowser
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

DOCS = Path(__file__).resolve().parent


class Page(HTMLParser):
    """What a page can be linked at, and where its links lead, each with its line."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[tuple[int, str]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            if value is None:
                continue
            if name == "id" or (tag == "a" and name == "name"):
                self.anchors.add(value)
            elif name in ("href", "src"):
                self.links.append((self.getpos()[0], value))


def broken_links(site: Path) -> list[str]:
    """Return, as messages, the links from the pages of a site into it that lead nowhere."""
    site = site.resolve()
    # What the theme keeps beside its scripts are templates.
    files = sorted(file for file in site.rglob("*.html") if "_static" not in file.parts)
    pages = {file: Page(file.read_text(encoding="utf-8")) for file in files}
    broken = []
    for file, page in pages.items():
        for line, link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                continue
            place = (file.parent / unquote(parts.path)).resolve() if parts.path else file
            place = place / "index.html" if place.is_dir() else place
            where = f"{file.relative_to(site).as_posix()}:{line}: {link}"
            if not place.is_file() or not place.is_relative_to(site):
                broken.append(f"{where}: no such file in the site.")
            elif parts.fragment and place in pages and unquote(parts.fragment) not in pages[place].anchors:
                broken.append(f"{where}: no such anchor.")
    return broken


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="Build the site from docs/, and open it.")
    parser.add_argument("--no-open", action="store_true", help="only build it")
    parser.add_argument("--run-examples", action="store_true", help="and show what they print and draw")
    parser.add_argument("--out", type=Path, default=DOCS / "_build" / "html", help="where it is written")
    options = parser.parse_args(arguments)
    strict = ["--fail-on-warning", "--keep-going", "--nitpicky", "--quiet"]
    if options.run_examples:
        strict += ["--define", "sphinx_gallery_conf.plot_gallery=True"]
    built = subprocess.run([sys.executable, "-m", "sphinx", *strict, str(DOCS), str(options.out)])
    if built.returncode:
        return built.returncode
    broken = broken_links(options.out)
    print(*broken, sep="\n", end="\n" if broken else "")
    if broken:
        return 1
    start = options.out.resolve() / "index.html"
    print(f"The site is {start}")
    if not options.no_open:
        webbrowser.open(start.as_uri())
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
