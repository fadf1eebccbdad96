"""Sphinx extension: the letters of a formula say what they mean, as `urep.equations` has it.

Once formulas are MathML, a letter in them is marked with its Python name. A sign of several parts, τ_h say,
is the same letter wherever it stands; a plain one, like w, only where the registry says that it is: in a
registered equation. A page ends with a table of the letters that it shows, which `letters.js` reads as well.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import NamedTuple
from xml.etree.ElementTree import Element, fromstring, tostring

import typeset
from typeset import Formula

from urep.equations import NOTATION, book, paper

MATH = re.compile(r"<math\b.*?</math>", flags=re.S)
SCRIPT = re.compile(r"(<script\b.*?</script>)", flags=re.S)
"""What is no text of the page, though it may hold formulas: of previews, as JSON."""

ARTICLE_END = "</article>"
MARK = "data-letter"

Shape = tuple
"""What a tree is but for its attributes: tag, text, shapes of its children."""


def shape(tree: Element) -> Shape:
    """The tree without attributes."""
    return tree.tag, (tree.text or "").strip(), tuple(map(shape, tree))


class Meaning(NamedTuple):
    """A line of the table: TeX, what it means, unit."""

    tex: str
    says: str
    unit: str


ROOT = "**0.5"
"""What a Python name ends with where a squared norm is printed without its square."""


def meanings() -> dict[str, Meaning]:
    """Each letter by its Python name; of a squared norm also the norm."""
    found = {q.name: Meaning(q.latex, q.meaning, q.unit) for q in NOTATION}
    norms = [q for q in NOTATION if q.norm]
    roots = {q.name + ROOT: Meaning(q.norm, f"root of: {q.meaning}", q.unit.replace("²", "")) for q in norms}
    return found | roots


def drawings() -> dict[str, str]:
    """Each letter as it is typeset in a line."""
    asked = {name: Formula(meaning.tex, False) for name, meaning in meanings().items()}
    done = typeset.typeset(asked.values())
    return {name: done[formula] for name, formula in asked.items()}


def signs(drawn: Mapping[str, str]) -> dict[str, tuple[Shape, ...]]:
    """Of each letter the row of elements that it is typeset as."""
    return {name: tuple(map(shape, _row(fromstring(formula)))) for name, formula in drawn.items()}


def plain(sign: Sequence[Shape]) -> bool:
    """Whether a sign is one sign and nothing else, which other texts use for other things."""
    return len(sign) == 1 and not sign[0][2]


def registered() -> dict[str, frozenset[str]]:
    """The letters of each registered equation, by the formula that it is typeset as."""
    names = {quantity.symbol: quantity.name for quantity in NOTATION}
    found = {}
    for equation in (*paper.values(), *book.values()):
        atoms = {atom for relation in equation.relations for atom in relation.atoms(*map(type, names))}
        found[Formula(equation.latex(), True)] = frozenset(names[atom] for atom in atoms & set(names))
    done = typeset.typeset(found)
    return {MATH.search(done[formula])[0]: letters for formula, letters in found.items()}


def marked(formula: str, letters: Mapping[str, tuple[Shape, ...]]) -> str:
    """The MathML of a formula with these letters marked, the longest sign first."""
    math = fromstring(formula)
    by_length = sorted(letters.items(), key=lambda known: (-len(known[1]), known[0]))
    _mark(math, by_length)
    return tostring(math, encoding="unicode", short_empty_elements=False)


def _mark(tree: Element, letters: Sequence[tuple[str, tuple[Shape, ...]]]) -> None:
    """Mark letters among the children of a tree, then inside those that are none."""
    shapes, children, start = list(map(shape, tree)), list(tree), 0
    tree[:] = []
    while start < len(children):
        found = _first(shapes[start:], letters)
        if found is None:
            _mark(children[start], letters)
            tree.append(children[start])
            start += 1
            continue
        name, sign = found
        tree.append(_one(children[start : start + len(sign)], name))
        start += len(sign)


def _first(shapes: Sequence[Shape], letters: Sequence[tuple[str, tuple[Shape, ...]]]):
    """The letter that a row begins with, or one with an index that has an exponent here; None if neither."""
    base = _without_exponent(shapes[0])
    whole = (one for one in letters if tuple(shapes[: len(one[1])]) == one[1])
    raised = (one for one in letters if one[1] == (base,))
    return next(whole, None) or next(raised, None)


def _without_exponent(one: Shape) -> Shape:
    tag, text, children = one
    return ("msub", text, children[:2]) if tag == "msubsup" else one


def _one(parts: Sequence[Element], name: str) -> Element:
    """Some elements as one that is marked."""
    if len(parts) == 1:
        one = deepcopy(parts[0])
    else:
        one = Element("mrow")
        one.extend(parts)
    one.set(MARK, name)
    return one


def _row(math: Element) -> list[Element]:
    """The children of a formula, which may lie in one row inside it."""
    return list(math[0]) if len(math) == 1 and math[0].tag == "mrow" else list(math)


def table(names: Sequence[str], drawn: Mapping[str, str]) -> str:
    """What some letters mean, as HTML that shows itself when asked."""
    known = meanings()
    rows = "".join(_line(name, known[name], drawn[name]) for name in names)
    head = "".join(f'<th scope="col">{word}</th>' for word in ("Sign", "Meaning", "Unit", "Python"))
    return (
        '<details class="urep-letters"><summary>Letters on this page</summary><div class="urep-wide" '
        f'tabindex="0"><table class="urep-map"><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>'
        "</div></details>"
    )


def _line(name: str, meaning: Meaning, drawn: str) -> str:
    cells = html.escape(meaning.says), html.escape(meaning.unit), f"<code>{name}</code>"
    said = "".join(f"<td>{cell}</td>" for cell in cells)
    return f'<tr data-letter-row="{name}"><td>{drawn}</td>{said}</tr>'


def marker(known: Mapping[str, tuple[Shape, ...]], equations: Mapping) -> Callable[[str], str]:
    """What marks a formula of the site; one that stands in many places is looked through once."""
    composite = {name: sign for name, sign in known.items() if not plain(sign)}

    @cache
    def mark(formula):
        return marked(formula, composite | {name: known[name] for name in equations.get(formula, ())})

    return mark


def explained(page: str, mark: Callable[[str], str]) -> tuple[str, list[str]]:
    """A page with its letters marked, and the names of those, in the order in which they come."""
    parts = SCRIPT.split(page)
    parts[::2] = [MATH.sub(lambda match: mark(match[0]), part) for part in parts[::2]]
    page = "".join(parts)
    return page, list(dict.fromkeys(re.findall(rf'{MARK}="([^"]+)"', page)))


def finish(out: Path) -> None:
    """Mark the letters of a site whose formulas are typeset."""
    drawn = drawings()
    mark = marker(signs(drawn), registered())
    for path in sorted(out.rglob("*.html")):
        if "_static" in path.relative_to(out).parts:
            continue
        text = path.read_text(encoding="utf-8")
        page, names = explained(text, mark)
        if names:
            end = page.rindex(ARTICLE_END)
            path.write_text(page[:end] + table(names, drawn) + page[end:], encoding="utf-8")


def _finish(app, exception):
    if exception is None and app.builder.format == "html":
        finish(Path(app.outdir))


def setup(app):
    """Register with Sphinx: after `typeset`, which makes the formulas, before what slims pages and styles."""
    app.connect("build-finished", _finish, priority=605)
    return {"parallel_read_safe": True}
