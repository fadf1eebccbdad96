"""Sphinx extension: a page loads the scripts that it uses, and none before its text is there.

The theme loads the same scripts in each page: an index of all words for a search while one types, which this
site does not have, and what other pages need. Most of them keep a browser from showing what it already has.
"""

import re
from pathlib import Path

SCRIPT = re.compile(r"[ \t]*<script\b([^>]*)>(.*?)</script>[ \t]*\n?", flags=re.S)
SOURCE = re.compile(r'\bsrc="([^"?]+)')
AHEAD = re.compile(r'[ \t]*<link rel="preload" as="script"[^>]*>[ \t]*\n?')
"""Scripts that are fetched before the style sheets, though nothing waits for them."""

USED_BY = {
    "searchtools.js": 'id="search-results"',
    "language_data.js": 'id="search-results"',
    "searchindex.js": 'id="search-results"',
    "clipboard.min.js": 'class="highlight"',
    "copybutton.js": 'class="highlight"',
    "design-tabs.js": "sd-tab-set",
    "togglebutton.js": re.compile(
        r'class="(?:[^"]* )?(?:toggle|admonition (?:[^"]* )?dropdown|dropdown (?:[^"]* )?admonition)[ "]'
    ),
    "fontawesome.js": None,
}
"""What must stand in a page that loads a script; None for one that no page loads."""

INDEX = "searchindex.js"
ASKED = (
    '    <script type="module">if (new URLSearchParams(location.search).get("q")?.trim()) '
    "Search.loadIndex(%r);</script>\n"
)
"""The index of all words is fetched when somebody searches, not when the page of the search is opened."""

THEME = 'localStorage.getItem("theme") || "auto"'
SEEN = (
    '["light", "dark"].find((kind) => kind === localStorage.getItem("mode"))'
    ' ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")'
)
"""What the theme's first script sets, and what its last one will: all styles need not be found twice."""

UNUSED = ("x-thebe-config", "kernelName =")
"""Words of scripts inside a page that nothing reads: sphinx-thebe leaves them."""


def lean(page: str, options: str) -> str:
    """A page with the scripts that it uses, all deferred; the options that they read are inside it."""

    def kept(match):
        attributes, inside = match[1], match[2]
        source = SOURCE.search(attributes)
        if source is None:
            return "" if any(word in attributes + inside for word in UNUSED) else match[0]
        name = source[1].rsplit("/", 1)[-1]
        if name == "documentation_options.js":
            return f"    <script>{options}</script>\n"
        if name in USED_BY and not _has(page, USED_BY[name]):
            return ""
        if name == INDEX:
            return ASKED % source[1]
        waits = attributes if re.search(r"\bdefer\b", attributes) else f" defer{attributes}"
        return f"    <script{waits}></script>\n"

    return SCRIPT.sub(kept, AHEAD.sub("", page)).replace(THEME, SEEN)


def _has(page: str, wanted) -> bool:
    if wanted is None:
        return False
    return wanted in page if isinstance(wanted, str) else wanted.search(page) is not None


def _slim(app, exception):
    if exception is not None or app.builder.name != "html":
        return
    out = Path(app.outdir)
    options = (out / "_static" / "documentation_options.js").read_text(encoding="utf-8")
    for path in out.rglob("*.html"):
        if "_static" not in path.relative_to(out).parts:
            page = path.read_text(encoding="utf-8")
            path.write_text(lean(page, " ".join(options.split())), encoding="utf-8")


def setup(app):
    """Register with Sphinx."""
    app.connect("build-finished", _slim, priority=620)
    return {"parallel_read_safe": True}
