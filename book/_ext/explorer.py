"""Sphinx extension: the page with the explorer gets its scripts, the site the solution they evaluate.

The theories are printed from the registered equations when the site is built; no copy of them lies in the
repository.
"""

from pathlib import Path

MARK = 'class="urep-explorer"'
"""What `urep.figures.explorer` leaves in a page."""


def _add_scripts(app, pagename, templatename, context, doctree):
    if MARK in context.get("body", ""):
        app.add_css_file("uplot/uPlot.min.css")
        for script in ("uplot/uPlot.iife.min.js", "odex.js", "solution.js", "explorer.js"):
            app.add_js_file(script, loading_method="defer")


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


def setup(app):
    """Register with Sphinx."""
    app.connect("builder-inited", _print_solution)
    app.connect("html-page-context", _add_scripts)
    return {"parallel_read_safe": True}
