"""Sphinx extension: numbers of the paper lead to their rows in the map, with previews, and can be searched.

"(10)", "(E3)", "Figure 5" and "Table 1" in running text become links to their rows in `paper_map`. A page
carries the previews of what it links to, so that they need neither a server nor another page. Equations,
figures and tables are objects of the search, under what they say. The role {try} links to the explorer.
"""

import html
import json
import platform
import re
from importlib.metadata import version

import notebooks
import origin
from docutils import nodes
from sphinx.domains import Domain, ObjType
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxRole

from urep.checks import in_words

MAP, EXPLORER = "book/paper_map", "book/explorer"
NUMBER = re.compile(
    r"\((?P<eq>[1-9]\d?|E\d{1,2}[+-]?)(?P<to>[-–](?:[1-9]\d?|E\d{1,2}))?\)"
    r"|(?P<kind>Figure|Table) (?P<number>[1-9]\d?)\b"
)
HANDS_OFF = (nodes.literal, nodes.literal_block, nodes.math, nodes.math_block, nodes.reference, nodes.title,
             nodes.raw, nodes.comment, nodes.target, nodes.citation)  # fmt: skip


def _keys() -> dict[str, str]:
    """What each row of the map says, by its id."""
    from urep import equations
    from urep.site.items import ITEMS

    keys = {item.key.replace(" ", "-"): item.says for item in ITEMS}
    return keys | {f"eq-{label}": "the book's own" for label in equations.book}


class LinkNumbers(SphinxPostTransform):
    """Turns the paper's numbers in running text into links to the map."""

    default_priority = 5  # before links are resolved, so that these are no different

    def run(self, **kwargs):
        """Do so on one page; the map itself has its rows at hand."""
        if self.env.docname == MAP or self.app.builder.format != "html":
            return
        known = _keys()
        for text in list(self.document.findall(nodes.Text)):
            ancestor = text.parent
            while ancestor is not None and not isinstance(ancestor, HANDS_OFF):
                ancestor = ancestor.parent
            if ancestor is None and NUMBER.search(text):
                text.parent.replace(text, list(self._linked(str(text), known)))

    def _linked(self, text, known):
        end = 0
        for match in NUMBER.finditer(text):
            key = f"eq-{match['eq']}" if match["eq"] else f"{match['kind'][:3].lower()}-{match['number']}"
            key = key.replace("tab-", "table-")
            if key not in known:
                continue
            yield nodes.Text(text[end : match.start()])
            uri = self.app.builder.get_relative_uri(self.env.docname, MAP) + f"#{key}"
            yield nodes.reference("", match[0], refuri=uri, internal=True, classes=["urep-number"])
            end = match.end()
        yield nodes.Text(text[end:])


class Try(SphinxRole):
    """{try}`words <tau_h=100&epochs=fit>`: a link to the explorer with its sliders set so."""

    def run(self):
        """One link, in the words given."""
        found = re.fullmatch(r"([^<>]+?)\s*<([^<>]*)>", self.text)
        if found is None:
            message = f"{{try}} wants words and a query, like `words <tau_h=100>`, got {self.text!r}"
            error = self.inliner.reporter.error(message, line=self.lineno)
            return [self.inliner.problematic(self.rawtext, self.rawtext, error)], [error]
        words, query = found.groups()
        uri = self.env.app.builder.get_relative_uri(self.env.docname, EXPLORER)
        link = nodes.reference("", words, refuri=f"{uri}?{query}", internal=True, classes=["urep-try"])
        return [link], []


class PaperDomain(Domain):
    """The numbered things of the paper, for the search."""

    name, label = "paper", "the paper"
    object_types = {"item": ObjType("in the paper")}  # noqa: RUF012 - how Sphinx has it

    def get_objects(self):
        """All of them, each with the row of the map that it leads to."""
        from urep.site.items import ITEMS

        for item in ITEMS:
            name = f"{in_words(item.key)}: {item.says}".replace(".", "")
            yield name, name, "item", MAP, item.key.replace(" ", "-"), 1

    def merge_domaindata(self, docnames, otherdata):
        """Nothing is kept by page."""


def _previews(app, pagename, templatename, context, doctree):
    """What a page links to, inside it: formulas, sentences of the map, titles of the bibliography."""
    body = context.get("body", "")
    # A list may hold only list items; the entries of the bibliography have a role of their own.
    body = context["body"] = body.replace(
        '<div role="list" class="citation-list">', '<div class="citation-list">'
    )
    wanted = set(re.findall(r'href="[^"]*paper_map\.html#([\w+-]+)"', body))
    shown = {} if pagename == MAP else {key: _preview(key) for key in sorted(wanted)}
    cited = re.findall(r'href="[^"]*bibliography\.html#(id\d+)"', body)
    if cited:
        domain = app.env.get_domain("cite")
        known = notebooks.entries()
        for citation in domain.citations:
            if citation.citation_id in cited:
                e = known[citation.key]
                shown[citation.citation_id] = html.escape(f"{e['who']} ({e['year']}): {e['title']}")
    if shown:
        app.add_js_file("previews.js", loading_method="defer")
        # "</" would end the element that holds it.
        held = json.dumps(shown, ensure_ascii=False).replace("</", "<\\/")
        context["body"] = f'{body}<script type="application/json" id="urep-previews">{held}</script>'
    if 'class="urep-map urep-filtered' in body:
        app.add_js_file("filter.js", loading_method="defer")
        app.add_js_file("sort.js", loading_method="defer")


def _preview(key: str) -> str:
    from urep.site import pages

    kind, number = key.split("-", 1)
    says = html.escape(_keys().get(key, ""))
    if kind != "eq":
        return f"{in_words(f'{kind} {number}')}: {says}"
    equation = pages.registered(number)
    formula = rf'<div class="math">\[{html.escape(equation.latex())}\]</div>' if equation else ""
    return f"<strong>({html.escape(number)})</strong> {says}{formula}"


PACKAGES = ("urep", "numpy", "scipy", "sympy", "torch", "numba", "scikit-learn", "matplotlib", "plotly",
            "joblib", "jupyter-book", "myst-nb", "sphinx", "jupytext", "nbval")  # fmt: skip


def _versions() -> str:
    """What the book was built with, as a table in Markdown."""
    rows = [("Python", platform.python_version()), ("machine", platform.machine())]
    rows += [(name, version(name)) for name in PACKAGES]
    return "\n".join(["| package | version |", "| --- | --- |", *(f"| {a} | {b} |" for a, b in rows)])


def _stamp(app, config):
    """What the front page says of the build, as substitutions."""
    from urep import __version__

    short = origin.commit()
    known = origin.repository()
    words = f"`{short[:10]}{'+' if short.endswith('+') else ''}`"
    if known and short:
        words = f"[{words}](https://github.com/{known}/commit/{short.rstrip('+')})"
    config.myst_substitutions["version"] = __version__
    config.myst_substitutions["commit"] = f"commit {words}" if short else "an unknown commit"
    config.myst_substitutions["date"] = origin.today()
    config.myst_substitutions["versions"] = _versions()


def setup(app):
    """Register with Sphinx."""
    app.add_domain(PaperDomain)
    app.add_role("try", Try())
    app.add_post_transform(LinkNumbers)
    app.connect("config-inited", _stamp, priority=100)
    app.connect("html-page-context", _previews)
    return {"parallel_read_safe": True}
