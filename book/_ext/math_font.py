"""The font of formulas: of STIX Two Math, the signs that the site shows, in a style sheet of its own.

Without a font that knows mathematics a browser draws neither roots nor large brackets, and a phone has none.
It lies in the style sheet itself, and is read before the page is, so that formulas do not move later.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterable
from pathlib import Path
from xml.etree.ElementTree import fromstring

import from_npm
from fontTools.subset import Options, Subsetter, load_font, save_font

PUBLISHED = "files/stix-two-math-latin-400-normal.woff"
FAMILY = "STIX Two Math of this site"

# Browsers read a font, even one that has come, only once some text is laid out: the first paint lacks it.
AHEAD = f"<script>document.fonts.load('1em \"{FAMILY}\"');</script>"

ITALIC = {
    "A": range(0x1D434, 0x1D434 + 26), "a": range(0x1D44E, 0x1D44E + 26),
    "Α": range(0x1D6E2, 0x1D6E2 + 25), "α": range(0x1D6FC, 0x1D6FC + 25),
}  # fmt: skip
"""Where the italic letters of an alphabet lie, by its first letter."""

SINGLE = dict(zip("h∂ϵϑϰϕϱϖ", "ℎ𝜕𝜖𝜗𝜘𝜙𝜚𝜛", strict=True))

INVISIBLE = set("\u2061\u2062\u2063\u2064")
"""Signs that are said and not drawn: of a function applied, of a product."""


def shown(letter: str) -> str:
    """The letter that a browser draws for a variable of this name."""
    if letter in SINGLE:
        return SINGLE[letter]
    for first, italic in ITALIC.items():
        place = ord(letter) - ord(first)
        if 0 <= place < len(italic):
            return chr(italic[place])
    return letter


def signs(formulas: Iterable[str]) -> set[str]:
    """All signs that these formulas show, those that have no text of their own included."""
    found = set()
    for formula in formulas:
        for tree in fromstring(f"<div>{formula}</div>").iter():
            text = (tree.text or "").strip()
            found |= set(text)
            if tree.tag == "mi" and len(text) == 1 and tree.get("mathvariant") != "normal":
                found.add(shown(text))
            if tree.tag in ("msqrt", "mroot"):
                found.add("√")
    return found


def subset(wanted: set[str]) -> bytes:
    """The font with these signs and all their sizes, as WOFF2; ValueError names signs that it lacks."""
    options = Options(flavor="woff2", layout_features=["ssty"], hinting=False)
    options.name_IDs += [13, 14]  # its licence goes where it goes
    held = io.BytesIO()
    with load_font(str(from_npm.package("@fontsource/stix-two-math") / PUBLISHED), options) as font:
        lacking = {sign for sign in wanted if ord(sign) not in font.getBestCmap()} - INVISIBLE
        if lacking:
            raise ValueError(f"the font of formulas has no {' '.join(sorted(lacking))}; write TeX's letters")
        subsetter = Subsetter(options)
        subsetter.populate(text="".join(wanted))
        subsetter.subset(font)
        save_font(font, held, options)
    return held.getvalue()


def write(path: Path, formulas: Iterable[str]) -> str:
    """Write the style sheet with the font for these formulas; returns what changes when it does."""
    held = base64.b64encode(subset(signs(formulas))).decode()
    source = f'url(data:font/woff2;base64,{held}) format("woff2")'
    sheet = f'@font-face {{ font-family: "{FAMILY}"; src: {source}; }}\n'
    path.write_text(sheet, encoding="utf-8")
    return hashlib.sha256(sheet.encode()).hexdigest()[:8]
