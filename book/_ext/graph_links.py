"""Sphinx extension: verdicts about an equation lead to it in the graph, and all claims are exported.

A verdict's number, "(38)", leads to the part of the graph around that equation. Beside the pages lie
`verdicts.json`, all claims with what came out, and `verdicts.schema.json`, which says what it may hold.
"""

import html
import json
import re
from pathlib import Path

import kernel_checked
import origin
from sphinx.util.osutil import relative_uri

GRAPH = "book/graph"
ITEM = re.compile(r'<span class="urep-item">\(([^<()]+)\)</span>')


def _linked(app, pagename, templatename, context, doctree):
    """Make the numbers of a page's verdicts links; the page of the graph gets its script."""
    from urep.site import graph

    body, known = context.get("body", ""), graph.equations()
    if 'class="urep-graph"' in body:
        app.add_js_file("graph.js", loading_method="defer")
    if GRAPH not in app.env.found_docs:
        return
    up = relative_uri(app.builder.get_target_uri(pagename), app.builder.get_target_uri(GRAPH))

    def link(found):
        label = html.unescape(found[1])
        if label not in known:
            return found[0]
        address = up + graph.around(label).removeprefix("graph.html")
        title = html.escape(f"what ({label}) rests on, and what rests on it")
        return f'<a class="urep-item" href="{html.escape(address)}" title="{title}">({found[1]})</a>'

    context["body"] = ITEM.sub(link, body)


def _export(app, exception):
    """Write the claims and their schema into the folder of the site."""
    if exception is not None or app.builder.name != "html":
        return
    from urep.site import export

    claims = export.verdicts(commit=origin.commit(), date=origin.today(), checked=kernel_checked.record())
    for name, content in (("verdicts.json", claims), ("verdicts.schema.json", export.SCHEMA)):
        text = json.dumps(content, indent=1, ensure_ascii=False)
        (Path(app.outdir) / name).write_text(text + "\n", encoding="utf-8")


def setup(app):
    """Register with Sphinx."""
    app.connect("html-page-context", _linked)
    app.connect("build-finished", _export)
    return {"parallel_read_safe": True}
