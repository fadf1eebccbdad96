"""Sphinx extension: the name of a button is what stands on it.

Another name hides its words from those who hear the page, and from those who speak to it.
"""

import re
from pathlib import Path

OWN_WORDS = re.compile(
    r'(<summary\b[^>]*?|<button\b[^>]*\bclass="[^"]*\bsearch-button-field\b[^>]*?)'
    r' (?:aria-label|title)="[^"]*"'
)
"""Things with words on them, up to the name that hides these."""


def plain(page: str) -> str:
    """The page without such names."""
    while (fewer := OWN_WORDS.sub(r"\1", page)) != page:
        page = fewer
    return page


def _name(app, exception):
    if exception is not None or app.builder.name != "html":
        return
    out = Path(app.outdir)
    for path in out.rglob("*.html"):
        if "_static" not in path.relative_to(out).parts:
            path.write_text(plain(path.read_text(encoding="utf-8")), encoding="utf-8")


def setup(app):
    """Register with Sphinx."""
    app.connect("build-finished", _name, priority=615)
    return {"parallel_read_safe": True}
