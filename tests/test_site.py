"""The built site: how it was built, what it asks of other hosts, whether its links lead somewhere."""

import gzip
import json
import re
import shutil
from urllib.parse import unquote, urlsplit

import execution
import nbformat
import pytest
import references
from markup import Tags
from screenshot import pages

from urep.site import kernel


def test_the_site_is_current_and_was_built_with_warnings_as_errors(site):
    from build_record import fingerprint

    record = json.loads((site / "build.json").read_text())
    assert record["execution_mode"] == "cache"
    assert record["raise_on_error"] is True
    assert record["warnings_are_errors"] is True
    assert record["nitpicky"] is True
    assert record["fingerprint"] == fingerprint(references.ROOT)
    executed = {p.relative_to(references.ROOT).with_suffix("").as_posix() for p in references.chapters()}
    assert set(record["seconds"]) == executed


def test_each_page_of_the_site_was_executed_with_what_it_is_made_from_now(site):
    out_of_date = [page.name for page in references.chapters() if execution.current(page) is None]
    assert not out_of_date


# --- formulas -------------------------------------------------------------------------------


def dollars(text):
    """How many formulas a text in Markdown has between dollars, outside of code."""
    text = re.sub(r"^(`{3,})(?:\{code-cell\}|[a-z]+\n).*?^\1$", "", text, flags=re.S | re.M)
    text = re.sub(r"^\s*(?:`{3,}|:{3,})(?:\{[\w:-]+\})?", "", text, flags=re.M)
    text = re.sub(r"(?<!`)(`+)(?!`)(?:(?!\n\n).)+?(?<!`)\1(?!`)", "code", text, flags=re.S)
    text, shown = re.subn(r"\$\$.+?\$\$", "", text, flags=re.S)
    return shown + len(re.findall(r"(?<![\\$\w])\$(?! )[^$]+?(?<! )\$", text))


def printed(cell):
    """How many formulas the outputs of a cell have."""
    if {"remove-cell", "remove-output"} & set(cell.metadata.get("tags", ())):
        return 0
    held = [output.data for output in cell.outputs if "data" in output]
    return sum(data["text/html"].count('class="math"') if "text/html" in data else "text/latex" in data
               for data in held)  # fmt: skip


def in_source(page):
    """How many formulas a page has by its source, what its cells printed included."""
    reference = references.ROOT / "tests" / "notebooks" / page.relative_to(references.ROOT / "book")
    if not reference.with_suffix(".ipynb").exists():
        return dollars(page.read_text(encoding="utf-8"))
    cells = nbformat.read(reference.with_suffix(".ipynb"), as_version=4).cells
    return sum(dollars(cell.source) if cell.cell_type == "markdown" else printed(cell) for cell in cells)


SOURCES = sorted((references.ROOT / "book").rglob("*.md"))


@pytest.mark.parametrize("page", SOURCES, ids=lambda p: p.stem)
def test_a_page_shows_the_formulas_of_its_source_and_each_is_typeset(site, page):
    built = (site / page.relative_to(references.ROOT).with_suffix(".html")).read_text(encoding="utf-8")
    article = built[built.index("<article") : built.index("</article>")]
    added = r'<script\b.*?</script>|<details class="urep-letters">.*?</details>'
    article = re.sub(added, "", article, flags=re.S)
    assert len(re.findall(r"<math\b", article)) == in_source(page)
    assert len(re.findall(r'class="(?:[^"]* )?math[ "]', article)) == in_source(page)


def test_no_page_holds_an_error_a_source_of_a_formula_or_a_script_that_typesets(site):
    for page in pages(site):
        text = page.read_text(encoding="utf-8")
        assert "<merror" not in text and "temml-error" not in text, page
        assert "mathjax" not in " ".join(re.findall(r"<script\b[^>]*>", text)).lower(), page
        body = text[text.find("<body") :]
        outside = re.sub(r"<(pre|code)\b.*?</\1>", "", body, flags=re.S)
        assert not re.search(r"\\\[|\\\(|\\tag|\\frac", outside), page


# --- what a page loads ----------------------------------------------------------------------


def loaded(site, page):
    """What a page names to be loaded with it: style sheets, and scripts with their attributes."""
    tags = Tags(page.read_text(encoding="utf-8")).tags
    sheets = [a["href"] for tag, a in tags if tag == "link" and a.get("rel") == "stylesheet"]
    scripts = {a["src"]: a for tag, a in tags if tag == "script" and "src" in a}
    here = {name: (page.parent / urlsplit(name).path).resolve() for name in (*sheets, *scripts)}
    return [here[name] for name in sheets], {here[name]: a for name, a in scripts.items()}


def packed(*paths):
    """Bytes of files as a server sends them."""
    return sum(len(gzip.compress(path.read_bytes(), 6)) for path in paths)


PAGES = [page.relative_to(references.ROOT).with_suffix(".html").as_posix() for page in SOURCES]
LARGEST = {"html": 220_000, "sheets": 70_000, "scripts": 50_000}
"""Bytes, packed, that a page may have; what it holds, what it waits for, and what comes after it is shown."""

MORE = {
    "book/explorer.html": {"scripts": 60_000},
    "book/experiments/feature_collapse.html": {"html": 130_000},
}
"""What some pages may have beyond that: a theory that is evaluated, thousands of points in space."""


@pytest.mark.parametrize("name", [*PAGES, "search.html"])
def test_a_page_is_light_and_no_script_keeps_it_from_being_shown(site, name):
    sheets, scripts = loaded(site, site / name)
    assert 1 <= len(sheets) <= 3
    assert all("defer" in attributes or "async" in attributes for attributes in scripts.values())
    most = {kind: size + MORE.get(name, {}).get(kind, 0) for kind, size in LARGEST.items()}
    assert packed(site / name) < most["html"]
    assert packed(*sheets) < most["sheets"]
    if name != "search.html":
        assert packed(*scripts) < most["scripts"]
        assert not [path.name for path in scripts if path.name in ("searchindex.js", "searchtools.js")]


def test_no_page_waits_for_an_icon(site):
    for page in pages(site):
        text = page.read_text(encoding="utf-8")
        assert "fontawesome" not in text, page
        assert not re.search(r'<(?:i|span) class="[^"]*\bfa-[a-z]', text), page
        for path in re.findall(
            r'<svg class="svg-inline--fa[^>]*><path fill="currentColor" d="([^"]*)"', text
        ):
            assert len(path) > 20


# --- links ----------------------------------------------------------------------------------


def test_no_page_names_a_resource_on_another_host(site):
    for page in pages(site):
        for tag, attributes in Tags(page.read_text(encoding="utf-8")).tags:
            if tag == "a" or (tag == "link" and attributes.get("rel") in ("canonical", "search")):
                continue  # followed by a reader, not fetched by the page
            for name in ("src", "href", "srcset", "data", "poster", "action"):
                host = urlsplit(attributes.get(name) or "").netloc
                assert not host, f"{page.relative_to(site)}: <{tag} {name}> asks {host}"


def test_no_style_sheet_names_a_resource_on_another_host(site):
    for sheet in site.rglob("*.css"):
        text = sheet.read_text(encoding="utf-8", errors="replace")
        for address in re.findall(r"(?:url\(|@import)\s*['\"]?([^'\")\s]+)", text):
            assert not urlsplit(address).netloc, f"{sheet.relative_to(site)} asks {address}"


def test_every_link_inside_the_site_leads_somewhere(site):
    ids = {p: {a["id"] for _, a in Tags(p.read_text("utf-8")).tags if a.get("id")} for p in pages(site)}
    checked = 0
    for page in ids:
        for tag, attributes in Tags(page.read_text(encoding="utf-8")).tags:
            parts = urlsplit(attributes.get("href") or attributes.get("src") or "")
            if parts.scheme or parts.netloc or not (parts.path or parts.fragment):
                continue
            target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
            assert target.exists(), f"{page.relative_to(site)}: <{tag}> leads to {parts.path}"
            if parts.fragment and target in ids and tag == "a":
                assert unquote(parts.fragment) in ids[target] | {"top"}, (
                    f"{page.relative_to(site)} leads to {parts.path}#{parts.fragment}"
                )
                checked += 1
    assert checked > 20


def test_every_figure_says_what_is_to_be_seen(site):
    figures = 0
    for page in pages(site):
        for tag, attributes in Tags(page.read_text(encoding="utf-8")).tags:
            if tag == "svg" and attributes.get("role") == "img":
                figures += 1
                assert len(attributes["aria-label"]) > 40
            if tag == "img":
                assert attributes.get("alt")
    assert figures >= 3


def test_a_kernels_verdict_is_shown_exactly_where_coq_checked_it(site):
    kept = json.loads((site / "verdicts.json").read_text(encoding="utf-8"))["kernel"]
    assert (kept is None) == (shutil.which("coqc") is None)
    texts = [path.read_text(encoding="utf-8") for path in pages(site / "book")]
    shown = re.findall(r'class="urep-verdict urep-(kernel|skipped)"', "".join(texts))
    sources = [path.read_text(encoding="utf-8") for path in kernel.ROOT.glob("book/**/*.md")]
    named = re.findall(r"```\{kernel-checked\}\n(.*?)```", "".join(sources), flags=re.S)
    assert len(shown) == sum(len(block.split()) for block in named) > 20
    assert set(shown) == {"kernel" if kept else "skipped"}
    table = (site / f"{kernel.PAGE}.html").read_text(encoding="utf-8")
    assert table.count('<tbody id="theorem-') == len(kernel.every())
    front = (site / "book" / "index.html").read_text(encoding="utf-8")
    assert ("kernel-checked</span>" in front) == (kept is not None)
