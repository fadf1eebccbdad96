"""Sphinx extension: of the theme's two thousand icons, keep those that the pages and scripts use.

The theme brings Font Awesome as one script of 1.5 MB, more than all else on a page together. What is left
of it is as it was published, its licence included.
"""

import re
from pathlib import Path

ICON = re.compile(
    r'(?:"([a-z0-9-]+)"|\b([a-z0-9]+)):\[\d+,\d+,\[([^\]]*)\],"[0-9a-f]+",(?:"[^"]*"|\[(?:"[^"]*",?)*\])\],?'
)
NAME = re.compile(r"\bfa-([a-z0-9-]+)")


def kept(script: str, used: set[str]) -> str:
    """The script without the icons that are not used, by their names or by another name they have."""

    def entry(match):
        names = {match[1] or match[2], *re.findall(r'"([a-z0-9-]+)"', match[3])}
        return match[0] if names & used else ""

    return ICON.sub(entry, script)


def _slim(app, exception):
    if exception is not None or app.builder.name != "html":
        return
    out = Path(app.outdir)
    script = out / "_static" / "scripts" / "fontawesome.js"
    readers = [*out.rglob("*.html"), *(p for p in script.parent.glob("*.js") if p != script)]
    used = {name for path in readers for name in NAME.findall(path.read_text(encoding="utf-8"))}
    script.write_text(kept(script.read_text(encoding="utf-8"), used), encoding="utf-8")


def setup(app):
    """Register with Sphinx."""
    app.connect("build-finished", _slim)
    return {"parallel_read_safe": True}
