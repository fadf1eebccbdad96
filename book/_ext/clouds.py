"""Sphinx extension: pages with points in space get the script that turns them, the site its library.

Plotly comes from its Python package, so that no page asks another host, and lies beside the pages; the
script fetches it when a reader first asks for it.
"""

import shutil
from importlib.util import find_spec
from pathlib import Path

MARK = 'class="urep-clouds"'
"""What `urep.figures.clouds` leaves in a page."""


def _add_script(app, pagename, templatename, context, doctree):
    if MARK in context.get("body", ""):
        app.add_js_file("clouds.js", loading_method="defer")


def _copy_library(app, exception):
    if exception is not None or app.builder.name != "html":
        return
    library = Path(find_spec("plotly").origin).parent / "package_data" / "plotly.min.js"
    shutil.copyfile(library, Path(app.outdir) / "_static" / library.name)


def setup(app):
    """Register with Sphinx."""
    app.connect("html-page-context", _add_script)
    app.connect("build-finished", _copy_library)
    return {"parallel_read_safe": True}
