"""Sphinx extension: what a link to a page shows elsewhere, its first sentences and no formula after them."""

import origin
from docutils import nodes


def _first_paragraph(app, pagename, templatename, context, doctree):
    if doctree is None:
        return
    sections = doctree.findall(nodes.section)
    own = next((node for node in next(sections, ()) if isinstance(node, nodes.paragraph)), None)
    if own is not None:
        context["meta"] = {
            **(context.get("meta") or {}),
            "ogp_description_length": str(len(own.astext()) + 4),
        }


def _address(app, config):
    config.ogp_site_url = origin.site() or ""


def setup(app):
    """Register with Sphinx, before the cards are made."""
    app.connect("config-inited", _address)
    app.connect("html-page-context", _first_paragraph, priority=100)
    return {"parallel_read_safe": True}
