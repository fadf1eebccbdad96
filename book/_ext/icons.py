"""Sphinx extension: icons are drawings inside the page, put there when the site is built.

The theme brings Font Awesome as one script of 1.5 MB, which looks for icons in each page and draws them.
"""

import re
from functools import cache
from pathlib import Path

from sphinx.errors import ExtensionError

ENTRY = re.compile(r'(?:"([a-z0-9-]+)"|\b([a-z0-9]+)):\[(\d+),(\d+),\[([^\]]*)\],"[0-9a-f]+","([^"]*)"\]')
PLACE = re.compile(r'<(i|span) class="((?:[^"]* )?fa-[a-z][^"]*)"([^>]*)></\1>')
FONT = {"fa-solid", "fas"}
"""Classes of an icon that is a letter of a font, which a drawing is not."""

SIZES = {"fa-lg", "fa-fw"}


@cache
def drawings(script: str) -> dict[str, tuple[int, int, str]]:
    """Width, height and path of each icon by its names; of those that come in two styles the solid one."""
    found = {}
    for own, short, width, height, others, path in ENTRY.findall(script):
        for name in (own or short, *re.findall(r'"([a-z0-9-]+)"', others)):
            found[name] = int(width), int(height), path  # solid icons come last
    return found


def drawn(page: str, known: dict[str, tuple[int, int, str]]) -> str:
    """The page with each place for an icon replaced by its drawing; KeyError names one that is not known."""

    def drawing(match):
        classes = [c for c in match[2].split() if c not in FONT]
        (name,) = [c.removeprefix("fa-") for c in classes if c.startswith("fa-") and c not in SIZES]
        width, height, path = known[name]
        mode = re.search(r'data-mode="\w+"', match[3])
        return (
            f'<svg class="svg-inline--fa {" ".join(classes)}" data-icon="{name}" {mode[0] if mode else ""} '
            f'aria-hidden="true" focusable="false" viewBox="0 0 {width} {height}">'
            f'<path fill="currentColor" d="{path}"/></svg>'
        )

    return PLACE.sub(drawing, page)


def _draw(app, exception):
    if exception is not None or app.builder.name != "html":
        return
    out = Path(app.outdir)
    script = out / "_static" / "scripts" / "fontawesome.js"
    known = drawings(script.read_text(encoding="utf-8"))
    for path in out.rglob("*.html"):
        if "_static" in path.relative_to(out).parts:
            continue
        page = path.read_text(encoding="utf-8")
        try:
            path.write_text(drawn(page, known), encoding="utf-8")
        except KeyError as lacking:
            raise ExtensionError(f"{path.relative_to(out)}: Font Awesome has no icon {lacking}") from lacking
    script.unlink()


def setup(app):
    """Register with Sphinx."""
    app.connect("build-finished", _draw, priority=610)
    return {"parallel_read_safe": True}
