"""MathML as Temml writes it, made fit for a page: its number beside it, lines that may break.

A browser breaks no line inside a formula. So a long row becomes several, each from one relation or sum to the
next, which the style sheet lets flow like words. Every function takes and returns trees, and changes none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from xml.etree.ElementTree import Element, fromstring, tostring

RELATIONS = frozenset("=≈≠≡≤≥<>≪≫∝→←∼≔")
SUMS = frozenset("+−±∓")
OPEN, CLOSE, BAR = frozenset("([{⟨⌊⌈"), frozenset(")]}⟩⌋⌉"), frozenset("|‖∥")
SPACE = 1.0
"""Em of space between two formulas (a quad; a qquad has two) that may become the end of a line."""

SHORT = 24
"""Signs in a row that fit on any screen, and are not broken."""

TAG = re.compile(r"\\tag\{([\w+−–-]+)\}\s*$")


def numbered(tex: str) -> tuple[str, str]:
    r"""The formula without the \tag at its end, and what that says."""
    found = TAG.search(tex)
    return (tex[: found.start()], found[1]) if found else (tex, "")


def breakable(source: str) -> str:
    """The MathML of one formula with rows that may break where they are long."""
    math = _flat(fromstring(source))
    changed = False
    for holder in [math, *math.iter("mtd")]:
        row = holder[0] if len(holder) == 1 and holder[0].tag == "mrow" else None
        if row is None or signs(row) <= SHORT:
            continue
        parts = list(pieces(row))
        if len(parts) == 1:
            continue
        changed = True
        if holder is math:
            math[:] = parts
        else:
            row[:] = parts
            row.set("class", "urep-breaks")
    if changed and math[0].tag == "mrow" and len(math) > 1:
        math.set("class", f"{math.get('class', '')} urep-breaks".strip())
    math.attrib.pop("style", None)  # the style sheet says it, and may change it
    return tostring(math, encoding="unicode", short_empty_elements=False)


def _flat(math: Element) -> Element:
    """A copy in which a table of one row is that row: nothing else is there to be aligned with."""
    math = deepcopy(math)
    while len(math) == 1:
        (only,) = math
        rows = list(only) if only.tag == "mtable" and only.get("class") == "tml-jot" else []
        if only.tag == "mrow" and len(only) == 1 and only[0].tag in ("mtable", "mrow"):
            math[:] = list(only)
        elif len(rows) == 1:
            row = Element("mrow")
            for cell in rows[0]:
                row.extend(cell[0] if len(cell) == 1 and cell[0].tag == "mrow" else cell)
            math[:] = [row]
        else:
            break
    return math


def signs(tree: Element) -> int:
    """How many letters and signs a tree sets side by side, about: of a fraction the wider half."""
    if tree.tag in ("mfrac", "munder", "mover", "munderover"):
        return max(map(signs, tree), default=0)
    if tree.tag == "mspace":
        return 1
    return len((tree.text or "").strip()) + sum(map(signs, tree))


def pieces(row: Element) -> Iterator[Element]:
    """The row in pieces, each an mrow: before relations and sums, after wide spaces, never in brackets."""
    depth, bars, piece = 0, 0, Element("mrow")
    before = None
    for child in row:
        sign = _sign(child)
        outside = depth == 0 and bars % 2 == 0
        infix = child.tag == "mo" and child.get("form") != "prefix"
        starts = infix and sign in RELATIONS | SUMS and _sign(before) not in RELATIONS
        wide = before is not None and before.tag == "mspace" and _em(before) >= SPACE
        if before is not None and outside and (starts or (wide and child.tag != "mspace")):
            if starts:
                child = deepcopy(child)
                child.set("form", "infix")  # at the beginning of a row it would be taken for a sign
            yield piece
            piece = Element("mrow")
        depth += (sign in OPEN) - (sign in CLOSE)
        bars += sign in BAR
        piece.append(child)
        before = child
    yield piece


def _sign(tree: Element | None) -> str:
    """The sign that a bracket, bar or operator shows, also with an exponent."""
    while tree is not None and tree.tag in ("msup", "msub", "msubsup"):
        tree = tree[0]
    return (tree.text or "").strip() if tree is not None and tree.tag in ("mo", "mi") else ""


def _em(space: Element) -> float:
    return float(space.get("width", "0").removesuffix("em"))
