"""Sphinx extension: drop the scripts of sphinx-thebe, which Jupyter Book 1 loads whether asked or not.

They name another host on every page and, declared twice, raise an error in the console.
"""


def _drop(app, pagename, templatename, context, doctree):
    context["script_files"] = [
        script
        for script in context.get("script_files", ())
        if "thebe" not in f"{getattr(script, 'filename', script)} {getattr(script, 'attributes', '')}".lower()
    ]


def setup(app):
    """Register with Sphinx, after everything that adds scripts."""
    app.connect("html-page-context", _drop, priority=900)
    return {"parallel_read_safe": True}
