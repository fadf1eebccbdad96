"""What is seen in a figure: `alt` in the metadata of its cell, written into the figure that the cell drew.

A reader of the page sees the code that draws, not the text for those who do not see the drawing.
"""

from __future__ import annotations

import html
import re

FIGURE = "urep-figure"
LABEL = re.compile(r'(<(?:svg|div)\b[^>]*\brole="(?:img|group)" aria-label=")([^"]*)')
AUTOMATIC = "Figure: "
"""How the label of a figure begins that has nothing but its axes to say; `urep.figures.UNSEEN`."""

SHORTEST = 20


class Undescribed(Exception):
    """A figure without a text that says what is seen, or a text without a figure."""


def describe(cell) -> None:
    """Write the `alt` of an executed code cell into its one figure; raises Undescribed."""
    alt = cell.metadata.get("alt")
    drawn = [output.data for output in cell.outputs if FIGURE in output.get("data", {}).get("text/html", "")]
    if alt is None:
        if any(_label(data).startswith(AUTOMATIC) for data in drawn):
            raise Undescribed("draws a figure; its metadata must have `alt`, a sentence on what is seen")
        return
    if not isinstance(alt, str) or len(alt) < SHORTEST:
        raise Undescribed(f"has alt {alt!r}; it must be a sentence on what is seen")
    if len(drawn) != 1:
        raise Undescribed(f"has an `alt` and draws {len(drawn)} figures; it must draw one")
    written = html.escape(" ".join(alt.split()), quote=True)
    drawn[0]["text/html"] = LABEL.sub(lambda found: found[1] + written, drawn[0]["text/html"], count=1)


def _label(data) -> str:
    found = LABEL.search(data["text/html"])
    return html.unescape(found[2]) if found else ""
