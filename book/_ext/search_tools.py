"""Sphinx extension: only the page that searches loads the index of all words.

The theme lets each page load it, for a search while one types that this site does not have: it was the
largest script of every page.
"""

from pathlib import Path

SCRIPTS = ("_static/searchtools.js", "_static/language_data.js", "searchindex.js")
"""What the theme adds to each page for its inline search."""


def _drop_from_pages(app, exception):
    if exception is not None or app.builder.name != "html":
        return
    for page in Path(app.outdir).rglob("*.html"):
        if page.name == "search.html" or "_static" in page.relative_to(app.outdir).parts:
            continue
        lines = page.read_text(encoding="utf-8").splitlines(keepends=True)
        kept = [line for line in lines if not _loads_search(line)]
        if len(kept) < len(lines):
            page.write_text("".join(kept), encoding="utf-8")


def _loads_search(line: str) -> bool:
    return line.strip().startswith("<script src=") and any(f'{name}">' in line for name in SCRIPTS)


def setup(app):
    """Register with Sphinx."""
    app.connect("build-finished", _drop_from_pages)
    return {"parallel_read_safe": True}
