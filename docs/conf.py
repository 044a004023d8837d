"""Sphinx's configuration. ``python docs/build.py`` builds the site."""

import sys
from pathlib import Path

import convops

sys.path.insert(0, str(Path(__file__).parent))  # for _pages

project = "convops"
author = "the convops developers"
copyright = author
version = release = convops.__version__

extensions = [
    "_pages",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_gallery.gen_gallery",
]
exclude_patterns = ["_build", "_scripts"]
templates_path = ["_templates"]
nitpicky = True
smartquotes = False  # "gemm" is what one types
default_role = "py:obj"

# The anchors that GitHub gives headings, so that a link with one leads to the same place there and here.
myst_heading_anchors = 4
# What stands in a page is what GitHub shows: of the extensions of Markdown those alone that it has too.
myst_enable_extensions = ["tasklist"]

# By name: left to itself it looks at the pages of the last build, and misses a new one.
autosummary_generate = [
    f"reference/{page.name}" for page in sorted(Path(__file__).parent.glob("reference/*.rst"))
]
autodoc_typehints = "none"  # numpydoc's sections have the types
autodoc_default_options = {"member-order": "groupwise"}
toc_object_entries_show_parents = "hide"
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

# The scripts are run where docs/build.py is asked to; the tests run each of them anyway.
sphinx_gallery_conf = {
    "examples_dirs": "_scripts",
    "gallery_dirs": "examples",
    "plot_gallery": "False",
    "filename_pattern": ".",
    "image_scrapers": ("_pages",),
    "default_thumb_file": str(Path(__file__).with_name("_static") / "logo.svg"),
    "thumbnail_size": (480, 180),
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
    "remove_config_comments": True,
}

html_theme = "pydata_sphinx_theme"
html_title = "convops"
html_favicon = "_static/logo.svg"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "convops", "image_light": "_static/logo.svg", "image_dark": "_static/logo.svg"},
    "header_links_before_dropdown": 8,
    "navbar_align": "left",
    "navbar_persistent": ["search-button"],
    "navigation_with_keys": False,
    "show_toc_level": 2,
    "footer_start": ["copyright"],
    "footer_end": [],
}
# Pages without a section of their own have nothing to show at the left.
html_sidebars = {"index": [], "tutorial": [], "performance": []}
