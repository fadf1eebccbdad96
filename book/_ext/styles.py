"""Sphinx extension: one style sheet for all pages, without the rules that no page uses.

The theme and its extensions bring twelve, 670 kB together, and a browser shows nothing until all have come.
A rule stays if each class and id that it names stands in some page or script of the site; `book.css` stays
whole.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import tinycss2
from fontTools.subset import Options, Subsetter, load_font, save_font

LINK = re.compile(r'[ \t]*<link (?=[^>]*\brel="stylesheet")[^>]*\bhref="([^"?]+)[^"]*"[^>]*>[ \t]*\n?')
SHEET = "styles/site.css"
WHOLE = "book.css"
OWN = ("math-font.css",)
"""What is not of all pages, and stays a sheet of its own."""

MADE = re.compile(r"bs-|tooltip|popover|dropdown|modal|collaps|fade|show|active|disabled|pst-|tb-|toggle")
"""Beginnings of names that scripts put together, where no search finds them."""

WORD = re.compile(r"-?[A-Za-z_][\w-]*")
NAME = re.compile(r"[.#](-?[A-Za-z_](?:\\.|[\w-])*)")
IMPORT = re.compile(r"""@import (?:url\()?["']([^"']+)["']\)?;""")
GROUPS = ("media", "supports", "layer", "container")


def lean(sheet: str, known: set[str]) -> str:
    """A style sheet without rules for names that are not known; licences stay."""
    return _written(tinycss2.parse_stylesheet(sheet), known)


def _written(nodes: Iterable, known: set[str]) -> str:
    return "".join(filter(None, (_rule(node, known) for node in nodes)))


def _rule(node, known: set[str]) -> str:
    if node.type == "comment":
        return f"/*{node.value}*/\n" if node.value.startswith("!") else ""
    if node.type == "at-rule" and node.lower_at_keyword in GROUPS and node.content is not None:
        inside = _written(tinycss2.parse_rule_list(node.content), known)
        return f"@{node.at_keyword}{tinycss2.serialize(node.prelude)}{{{inside}}}\n" if inside else ""
    if node.type == "at-rule":
        return "" if node.lower_at_keyword == "charset" else node.serialize() + "\n"
    if node.type == "qualified-rule":
        selectors = [part for part in _parts(node.prelude) if _used(part, known)]
        body = _plain(node.content)
        return f"{','.join(selectors)}{{{body}}}\n" if selectors and body else ""
    if node.type == "error":
        raise ValueError(f"a style sheet of the theme cannot be read: {node.message}")
    return ""


def _parts(prelude: list) -> list[str]:
    """The selectors of a rule."""
    parts: list[list] = [[]]
    for token in prelude:
        if token.type == "literal" and token.value == ",":
            parts.append([])
        elif token.type != "comment":
            parts[-1].append(token)
    return [tinycss2.serialize(part).strip() for part in parts]


def _used(selector: str, known: set[str]) -> bool:
    """Whether some page may have what is selected; what stands in brackets is taken to be there."""
    bare = re.sub(r"\[[^\]]*\]", "", selector)
    while "(" in bare:
        bare, before = re.sub(r"\([^()]*\)", "", bare), bare
        if bare == before:
            return True
    return all(name in known or MADE.match(name) for name in NAME.findall(bare))


def _plain(content: list) -> str:
    """Declarations without comments and the blanks around them."""
    text = tinycss2.serialize([token for token in content if token.type != "comment"])
    return re.sub(r"\s*\n\s*", " ", text).strip()


def words(pages: Iterable[str], scripts: Iterable[str]) -> set[str]:
    """All names that a page gives or a script may give."""
    found = set()
    for page in pages:
        for value in re.findall(r'\b(?:class|id)="([^"]*)"', page):
            found |= set(value.split())
        for script in re.findall(r"<script\b[^>]*>(.*?)</script>", page, flags=re.S):
            found |= set(WORD.findall(script))
    return found.union(*(WORD.findall(script) for script in scripts))


def icons(font: Path, sheet: str) -> None:
    """Leave in the font of icons those that the style sheet shows before or after other things."""
    signs = {sign for sign in sheet if "\ue000" <= sign <= "\uf8ff"}
    signs |= {chr(int(code, 16)) for code in re.findall(r"\\([ef][0-9a-f]{3})\b", sheet)}
    options = Options(flavor="woff2", hinting=False)
    with load_font(str(font), options) as held:
        subsetter = Subsetter(options)
        subsetter.populate(text="".join(signs))
        subsetter.subset(held)
        save_font(held, str(font), options)


def finish(out: Path) -> None:
    """Put the sheets of all pages of a site that has been written into one, and link that."""
    static = out / "_static"
    paths = [path for path in out.rglob("*.html") if "_static" not in path.relative_to(out).parts]
    pages = {path: path.read_text(encoding="utf-8") for path in paths}
    linked = {path: [_name(link) for link in LINK.findall(page)] for path, page in pages.items()}
    several = [names for names in linked.values() if names]
    common = [name for name in several[0] if all(name in names for names in several) and name not in OWN]
    loaded = {
        name for page in pages.values() for name in re.findall(r'src="[^"]*?_static/([^"?]+\.js)', page)
    }
    known = words(pages.values(), _with_later_ones(static, loaded).values())
    sheets = {name: text for name in common for name, text in _with_imports(static, name)}
    sheet = "".join(
        _moved(text if name == WHOLE else lean(text, known), name) for name, text in sheets.items()
    )
    sheet = re.sub(r"@font-face\{[^}]*Font Awesome[^}]*\}", _only_solid, sheet)
    (static / SHEET).write_text(sheet, encoding="utf-8")
    icons(static / "vendor" / "fontawesome" / "webfonts" / "fa-solid-900.woff2", sheet)
    version = hashlib.sha256(sheet.encode()).hexdigest()[:8]
    for path, page in pages.items():
        if linked[path]:
            up = "../" * (len(path.relative_to(out).parts) - 1)
            one = f'<link rel="stylesheet" href="{up}_static/{SHEET}?v={version}">\n'
            path.write_text(_linked(page, set(common), one), encoding="utf-8")


def _with_later_ones(static: Path, scripts: set[str]) -> dict[str, str]:
    """The text of these scripts, and of those that they name to load them later."""
    found, left = {}, set(scripts)
    while left:
        name = left.pop()
        found[name] = (static / name).read_text(encoding="utf-8")
        named = re.findall(r'"([\w./-]+\.js)"', found[name])
        left |= {other for other in named if (static / other).exists()} - set(found)
    return found


def _with_imports(static: Path, name: str) -> Iterator[tuple[str, str]]:
    """A sheet of this name, and before it those that it imports."""
    text = (static / name).read_text(encoding="utf-8")
    for other in IMPORT.findall(text):
        yield from _with_imports(static, os.path.normpath(Path(name).parent / other))
    yield name, IMPORT.sub("", text)


def _name(link: str) -> str:
    return link.rsplit("_static/", 1)[-1]


def _moved(sheet: str, name: str) -> str:
    """A sheet whose neighbours are where those of the one sheet are."""
    if "/" in name:
        return sheet
    return re.sub(r"""url\((?!["']?(?:data:|#|/))(["']?)""", r"url(\1../", sheet)


def _only_solid(rule: re.Match) -> str:
    """Of the fonts of icons the one that the theme shows, in the form that all browsers read."""
    if "fa-solid-900" not in rule[0]:
        return ""
    return re.sub(r",\s*url\([^)]*\.ttf\)\s*format\([^)]*\)", "", rule[0])


def _linked(page: str, common: set[str], one: str) -> str:
    """The page with the one sheet where the first of the others was."""
    first = [one]

    def kept(match):
        if _name(match[1]) not in common:
            return match[0]
        return first.pop() if first else ""

    return LINK.sub(kept, page)


def _finish(app, exception):
    if exception is None and app.builder.name == "html":
        finish(Path(app.outdir))


def setup(app):
    """Register with Sphinx, after what changes pages and adds sheets."""
    app.connect("build-finished", _finish, priority=630)
    return {"parallel_read_safe": True}
