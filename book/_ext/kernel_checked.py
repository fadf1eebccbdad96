"""Sphinx extension: verdicts of Coq's kernel, where Coq checked the theorems in this build.

Before pages are read, `tests/proofs/check.py` has the theorems checked, unless that was done before; a proof
that Coq refuses stops the build. Where Coq is not installed, each of these places says so.

- {kernel-checked} with the names of theorems shows a verdict for each.
- {kernel-theorems} is the table of all, {kernel-counts} what the front page counts.

The rows of the map and of the graph get a sign where a theorem checks their equation.
"""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache

import origin
from docutils import nodes
from sphinx.errors import ExtensionError
from sphinx.util.docutils import SphinxDirective
from sphinx.util.osutil import relative_uri

CHECK = origin.ROOT / "tests" / "proofs" / "check.py"
ROW = re.compile(r'(<tbody id="eq-(?P<label>[^"]+)"[^>]*><tr>.*?)(</td></tr>)', flags=re.S)


@cache
def record() -> dict | None:
    """What Coq checked of the theorems as they are; None where it is not installed."""
    from urep.site import kernel

    return kernel.record()


def _have_checked(app):
    if app.builder.format != "html":
        return
    done = subprocess.run([sys.executable, str(CHECK), "--if-needed"], cwd=origin.ROOT, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)  # fmt: skip
    print(done.stdout, end="", flush=True)
    if done.returncode:
        raise ExtensionError(f"tests/proofs/check.py ended with {done.returncode}: {done.stdout}")


class _Shown(SphinxDirective):
    """A directive that leaves markup."""

    def run(self):
        """The markup as one node."""
        return [nodes.raw("", self.markup(), format="html")]


class Verdicts(_Shown):
    """{kernel-checked}: the verdict of each theorem that is named."""

    has_content = True

    def markup(self) -> str:
        """One verdict below another."""
        from urep.site import kernel

        known, wanted = kernel.every(), " ".join(self.content).split()
        unknown = [name for name in wanted if name not in known]
        if unknown or not wanted:
            raise self.error(f"kernel-checked must name theorems of tests/proofs, got {unknown or 'none'}")
        builder = self.env.app.builder
        where = relative_uri(builder.get_target_uri(self.env.docname), builder.get_target_uri(kernel.PAGE))
        return "\n".join(kernel.verdict(known[name], record(), where) for name in wanted)


class Theorems(_Shown):
    """{kernel-theorems}: the table of all."""

    def markup(self) -> str:
        """The table."""
        from urep.site import kernel

        return kernel.table(record())


class Counts(_Shown):
    """{kernel-counts}: how many theorems were checked."""

    def markup(self) -> str:
        """The cards."""
        from urep.site import kernel

        return kernel.counts(record())


def _mark_rows(app, pagename, templatename, context, doctree):
    if '<tbody id="eq-' not in context.get("body", ""):
        return
    from urep.site import kernel

    uri = app.builder.get_target_uri
    where = relative_uri(uri(pagename), uri(kernel.PAGE))

    def marked(found):
        return found[1] + kernel.mark(found["label"], record(), where) + found[3]

    context["body"] = ROW.sub(marked, context["body"])


def setup(app):
    """Register with Sphinx."""
    for name, directive in {"checked": Verdicts, "theorems": Theorems, "counts": Counts}.items():
        app.add_directive(f"kernel-{name}", directive)
    app.connect("builder-inited", _have_checked, priority=50)
    app.connect("html-page-context", _mark_rows)
    return {"parallel_read_safe": True}
