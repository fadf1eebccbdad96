"""Sphinx extension: the explorer's page gets the script that loads it, the site the solution it evaluates.

The theories are printed from the registered equations when the site is built; no copy of them lies in the
repository.
"""

import hashlib
from pathlib import Path

MARK = 'class="urep-explorer"'
"""What `urep.figures.explorer` leaves in a page."""

STATIC = Path(__file__).resolve().parent.parent / "_static"


def _add_script(app, pagename, templatename, context, doctree):
    """What loads the others, once the explorer is in sight; with a version, so that no old ones are kept."""
    if MARK in context.get("body", ""):
        app.add_js_file("start.js", loading_method="defer", **{"data-version": app.explorer_version})


def _version(printed):
    """A name for the scripts as they are."""
    parts = [*sorted(STATIC.glob("*.js")), *sorted(STATIC.glob("*.css")), *sorted(printed.glob("*.js"))]
    return hashlib.sha256(b"".join(part.read_bytes() for part in parts)).hexdigest()[:8]


def _print_solution(app):
    from urep.site import explorer

    folder = Path(app.doctreedir).parent / "printed"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "solution.js").write_text(explorer.source(), encoding="utf-8")
    # The package is written for Node: what it exports gets a name that a page can use.
    package = (Path(app.srcdir) / "book" / "_static" / "odex" / "odex.js").read_text(encoding="utf-8")
    script = f"const urepOdex = (() => {{\nconst exports = {{}};\n{package}\nreturn exports;\n}})();\n"
    (folder / "odex.js").write_text(script, encoding="utf-8")
    app.config.html_static_path.append(str(folder))
    app.explorer_version = _version(folder)


def setup(app):
    """Register with Sphinx."""
    app.connect("builder-inited", _print_solution)
    app.connect("html-page-context", _add_script)
    return {"parallel_read_safe": True}
