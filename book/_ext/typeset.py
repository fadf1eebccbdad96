r"""Sphinx extension: formulas are typeset when the site is built, as MathML that browsers draw and say.

A page holds its formulas as TeX between \( \) or \[ \] in elements of the class `math`, wherever they come
from: Markdown, what a cell printed, tables that `urep` writes, previews of links. Once all pages are written
they are typeset at once, and one that cannot be stops the build.
"""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import from_npm
import math_font
import mathml
from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util.math import get_node_equation_number

SCRIPT = Path(__file__).resolve().parent / "typeset.mjs"
FONT = "math-font.css"
"""The style sheet that holds the font, made of the signs that the site shows."""

HELD = re.compile(
    r'(?P<open><(?P<tag>span|div)\b[^>]*\bclass="(?:[^"]* )?math(?: [^"]*)?"[^>]*>(?:(?!</?(?P=tag)\b).)*?)'
    r"(?:\\\((?P<inline>.*?)\\\)|\\\[(?P<display>.*?)\\\])(?=\s*</(?P=tag)>)",
    flags=re.S,
)
"""An element that holds a formula, up to the formula's end; before it there may be a number."""

FORGOTTEN = re.compile(r'\bclass="(?:[^"]* )?math(?: [^"]*)?"[^>]*>[^<]*(?:\\[(\[]|\\begin)[^<]*')
"""An element that holds a formula in a way that HELD does not know."""

PREVIEWS = re.compile(r'(<script type="application/json" id="urep-previews">)(.*?)(?=</script>)', flags=re.S)
NUMBERED = re.compile(r"\\(begin|end)\{(equation|align|alignat|gather|multline)\}")


class Formula(NamedTuple):
    """What is to be typeset: TeX, and whether on a line of its own."""

    tex: str
    display: bool


def replaced(page: str, typeset: Callable[[Formula], str]) -> str:
    """A page, its previews included, with what `typeset` makes of each formula in its place."""

    def element(match):
        display = match["display"] is not None
        tex = html.unescape(match["display"] if display else match["inline"])
        return match["open"] + typeset(Formula(tex.strip(), display))

    def previews(match):
        held = {key: HELD.sub(element, value) for key, value in json.loads(match[2]).items()}
        # "</" would end the element that holds it.
        return match[1] + json.dumps(held, ensure_ascii=False).replace("</", "<\\/")

    return PREVIEWS.sub(previews, HELD.sub(element, page))


def formulas(page: str) -> list[Formula]:
    """All formulas of a page in order, those of its previews last."""
    found: list[Formula] = []
    replaced(page, lambda formula: found.append(formula) or "")
    return found


def typeset(wanted: Iterable[Formula]) -> dict[Formula, str]:
    """Each formula as HTML; ValueError holds the TeX of those that cannot be typeset, and why."""
    wanted = list(dict.fromkeys(wanted))
    parts = [mathml.numbered(formula.tex) if formula.display else (formula.tex, "") for formula in wanted]
    asked = [
        {"tex": tex, "display": formula.display} for (tex, _), formula in zip(parts, wanted, strict=True)
    ]
    answers = json.loads(
        from_npm.run(SCRIPT, str(from_npm.package("temml") / "package.json"), text=json.dumps(asked))
    )
    done, failed = {}, {}
    for formula, (_, number), answer in zip(wanted, parts, answers, strict=True):
        if isinstance(answer, dict):
            failed[formula] = answer["error"]
        else:
            done[formula] = _placed(mathml.breakable(answer), number, formula.display)
    if failed:
        raise Untypeset(failed)
    return done


class Untypeset(ValueError):
    """Some formulas cannot be typeset; `why` says of each what is wrong."""

    def __init__(self, why: dict[Formula, str]):
        super().__init__("\n".join(f"{formula.tex}\n  {said.strip()}" for formula, said in why.items()))
        self.why = why


def _placed(formula: str, number: str, display: bool) -> str:
    """A formula on its own line in a box that scrolls where it is too narrow, its number beside that box."""
    beside = f'<span class="eqno">({html.escape(number)})</span>' if number else ""
    return f'{beside}<div class="urep-formula">{formula}</div>' if display else formula


# --- what a page holds before ---------------------------------------------------------------


def _inline(self, node):
    self.body.append(self.starttag(node, "span", "", CLASS="math notranslate nohighlight"))
    self.body.append(rf"\({self.encode(node.astext())}\)</span>")
    raise nodes.SkipNode


def _display(self, node):
    self.body.append(self.starttag(node, "div", "", CLASS="math notranslate nohighlight"))
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append(rf"\[{self.encode(_rows(node.astext(), node['nowrap']))}\]</div>{chr(10)}")
    raise nodes.SkipNode


def _rows(tex: str, whole: bool) -> str:
    r"""TeX as one formula: a `whole` environment without its own numbers; else blank lines part equations."""
    if whole:
        return NUMBERED.sub(r"\\\1{\2*}", tex)
    parts = [part for part in tex.split("\n\n") if part.strip()]
    parts = [rf"\begin{{split}}{part}\end{{split}}" if r"\\" in part else part for part in parts]
    return parts[0] if len(parts) == 1 else r"\begin{gathered}" + r"\\".join(parts) + r"\end{gathered}"


# --- the site -------------------------------------------------------------------------------


def finish(out: Path) -> None:
    """Typeset a site that has been written; ValueError names pages and TeX of what cannot be."""
    paths = [path for path in out.rglob("*.html") if "_static" not in path.relative_to(out).parts]
    pages = {path: path.read_text(encoding="utf-8") for path in sorted(paths)}
    held = {path: formulas(page) for path, page in pages.items()}
    try:
        done = typeset(formula for found in held.values() for formula in found)
    except Untypeset as failure:
        lines = [
            f"{path.relative_to(out)}: {formula.tex}\n    {failure.why[formula].strip()}"
            for path, found in held.items()
            for formula in dict.fromkeys(found)
            if formula in failure.why
        ]
        raise ValueError("formulas that cannot be typeset:\n" + "\n".join(lines)) from failure
    version = math_font.write(out / "_static" / FONT, done.values())
    for path, page in pages.items():
        if left := FORGOTTEN.search(page := replaced(page, done.__getitem__)):
            raise ValueError(f"{path.relative_to(out)}: a formula was not typeset: {left[0][:300]}")
        if held[path]:
            up = "../" * (len(path.relative_to(out).parts) - 1)
            sheet = f'<link rel="stylesheet" href="{up}_static/{FONT}?v={version}">'
            head = f"{sheet}\n{math_font.AHEAD}\n</head>"
            path.write_text(page.replace("</head>", head, 1), encoding="utf-8")


def _finish(app, exception):
    if exception is None and app.builder.format == "html":
        try:
            finish(Path(app.outdir))
        except ValueError as failure:
            raise ExtensionError(str(failure)) from failure


def setup(app):
    """Register with Sphinx."""
    app.add_html_math_renderer("mathml", (_inline, None), (_display, None))
    app.connect("build-finished", _finish, priority=600)
    return {"parallel_read_safe": True}
