"""Each chapter as an ordinary notebook with plain Markdown, for Colab, Binder and a reader's own Jupyter.

    python book/_ext/notebooks.py FOLDER     write all of them below FOLDER

As a Sphinx extension it writes them beside the pages of the site, and gives each page its buttons: a
download always, Colab and Binder where the repository is known.
"""

import os
import re
import sys
import tomllib
from functools import cache
from pathlib import Path

import jupytext
import nbformat
import yaml

sys.path.insert(0, str(Path(__file__).parent))
import origin

ROOT = origin.ROOT
BRANCH = "notebooks"
"""Branch of the repository where the workflow puts the notebooks: Colab opens only what is on GitHub."""

TITLES = {"exercise": "Exercise", "margin": "", "epigraph": "", "note": "Note"}
"""Directives that become quotations, with what stands above them; others have a title of their own."""


@cache  # asked for at every link, and all pages are read for it
def chapters() -> tuple[Path, ...]:
    """The pages of the book that have code, in its order."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    files = [toc["root"], *(c["file"] for part in toc["parts"] for c in part["chapters"])]
    pages = [ROOT / f"{file}.md" for file in files]
    return tuple(page for page in pages if "{code-cell}" in page.read_text(encoding="utf-8"))


def name(page: Path) -> str:
    """Where the notebook of a page lies, below the folder of all."""
    return page.relative_to(ROOT / "book").with_suffix(".ipynb").as_posix()


def notebook(page: Path) -> nbformat.NotebookNode:
    """A page as a notebook that any Jupyter shows and runs: plain Markdown, and a cell that installs."""
    book = jupytext.read(page, fmt="md:myst")
    for number, cell in enumerate(book.cells):
        cell.id = f"{page.stem.replace('_', '-')}-{number:03d}"
        if cell.cell_type == "markdown":
            cell.source = plain(cell.source, page)
    install = nbformat.v4.new_code_cell(_install(page), id="install")
    book.cells.insert(1 if book.cells[0].cell_type == "markdown" else 0, install)
    book.metadata = {"kernelspec": book.metadata["kernelspec"]}
    book.nbformat, book.nbformat_minor = 4, 5
    nbformat.validate(book)
    return book


def _install(page: Path) -> str:
    """Python that fetches what a chapter needs, where it is not there: on Colab, say."""
    known = origin.repository()
    if known is None:
        return (
            "# This notebook needs the book's helper: run it in a checkout of the book after `make setup`,\n"
            "# or in any environment after `pip install -e` of that checkout.\n"
            "import urep"
        )
    # What a hosted notebook has, in versions of its own, is left alone: torch, above all.
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    wanted = [package for package in wanted if not package.startswith("torch")]
    folder = page.parent.relative_to(ROOT).as_posix()
    return (
        "# Does nothing where the book's helper is installed.\n"
        "try:\n"
        "    import urep\n"
        "except ModuleNotFoundError:\n"
        f"    !git clone --quiet --depth 1 https://github.com/{known} urep-book\n"
        f"    %pip install --quiet {' '.join(repr(package) for package in wanted)}\n"
        f"    %cd urep-book/{folder}\n"
        "    import sys\n\n"
        f"    sys.path.insert(0, {'/'.join('..' for _ in Path(folder).parts)!r})\n"
        "    import urep"
    )


# --- MyST to plain Markdown -----------------------------------------------------------------


def plain(text: str, page: Path) -> str:
    """MyST Markdown without directives and roles, as every Jupyter shows it."""
    lines, out = text.splitlines(), []
    while lines:
        line = lines.pop(0)
        fence = re.match(r"^(`{3,}|:{3,})\{([a-z:-]+)\}\s*(.*)$", line)
        if not fence:
            out.append(line)
            continue
        body = []
        while lines and lines[0].rstrip() != fence[1]:
            body.append(lines.pop(0))
        lines[:1] = []
        out += _block(fence[2], fence[3], body, page)
    return _roles("\n".join(out), page).strip()


def _block(kind: str, argument: str, body: list[str], page: Path) -> list[str]:
    """A directive: a quotation with its title in bold."""
    while body and re.match(r"^:[\w-]+:", body[0]):
        body = body[1:]
    if kind == "solution-start":
        return ["**Solution**"]
    if kind == "solution-end":
        return []
    if kind.startswith("kernel-"):
        return [f"> **On the book's site**: what Coq's kernel checked. {' '.join(body)}".rstrip(), ""]
    if kind.startswith("prf:"):
        title = kind.removeprefix("prf:").capitalize() + (f" ({argument})" if argument else "")
    else:
        title = TITLES.get(kind, argument)
    inside = plain("\n".join(body), page).splitlines()
    head = [f"> **{title}**", ">"] if title else []
    return [*head, *(f"> {line}".rstrip() for line in inside), ""]


def _roles(text: str, page: Path) -> str:
    text = re.sub(r"\{cite:([pt])\}`([^`]+)`", lambda m: _cited(m[2], brackets=m[1] == "p"), text)
    return re.sub(r"\{(doc|try|prf:ref)\}`(?:([^`<]+?)\s*<)?([^`>]+)>?`", lambda m: _linked(m, page), text)


def _linked(match: re.Match, page: Path) -> str:
    kind, words, target = match.groups()
    if kind == "try":
        return f"{words} (the explorer, on the book's site)"
    if kind == "prf:ref":
        return words or "the theorem"
    path = (page.parent / target).resolve().with_suffix(".md")
    if not path.exists():
        raise ValueError(f"{page.name} links to {target}, which is no page")
    words = words or re.search(r"^# (.+)$", path.read_text(encoding="utf-8"), flags=re.M)[1]
    if path not in chapters():
        return f"*{words}*"
    return f"[{words}]({os.path.relpath(ROOT / 'book' / name(path), page.parent)})"


@cache
def entries() -> dict[str, dict[str, str]]:
    """The bibliography: authors' last names, year and title of each key."""
    from pybtex.database import parse_file

    found = {}
    files = sorted((ROOT / "book").glob("*.bib"))
    listed = [item for file in files for item in parse_file(str(file)).entries.items()]
    for key, entry in listed:
        who = [" ".join(p.prelast_names + p.last_names) for p in entry.persons["author"]]
        who = [re.sub(r"\\['`^\"]|[{}]", "", last) if "\\" in last else last for last in who]
        found[key] = {
            "who": f"{who[0]} et al." if len(who) > 2 or "others" in who else " and ".join(who),
            "year": entry.fields["year"],
            "title": entry.fields["title"].replace("{", "").replace("}", ""),
        }
    return found


def _cited(keys: str, *, brackets: bool) -> str:
    known = entries()
    each = [known[key.strip()] for key in keys.split(",")]
    if brackets:
        return "(" + "; ".join(f"{e['who']} {e['year']}" for e in each) + ")"
    return " and ".join(f"{e['who']} ({e['year']})" for e in each)


def write(folder: Path) -> list[Path]:
    """Write the notebook of every chapter below a folder."""
    written = []
    for page in chapters():
        path = folder / name(page)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(nbformat.writes(notebook(page)) + "\n", encoding="utf-8")
        written.append(path)
    return written


# --- the site -------------------------------------------------------------------------------


def _write_all(app, exception):
    if exception is None and app.builder.name == "html":
        write(Path(app.outdir) / "notebooks")


def _buttons(app, pagename, templatename, context, doctree):
    page = ROOT / f"{pagename}.md"
    if "header_buttons" not in context or not page.exists() or page not in chapters():
        return
    path, known = name(page), origin.repository()
    for group in context["header_buttons"]:  # Colab cannot read the source that the theme offers
        for button in group.get("buttons", ()):
            if button.get("label") == "download-source-button":
                button["text"] += " (MyST)"
    there = context["pathto"](f"notebooks/{path}", 1)
    download = {
        "type": "link", "url": there, "text": ".ipynb", "icon": "fas fa-code",
        "tooltip": "Download as a notebook with plain Markdown", "label": "download-notebook-button",
    }  # fmt: skip
    for group in context["header_buttons"]:
        if group.get("label") == "download-buttons":
            group["buttons"].insert(0, download)
    if known is None:
        return
    launch = [
        ("Colab", f"https://colab.research.google.com/github/{known}/blob/{BRANCH}/{path}"),
        ("Binder", f"https://mybinder.org/v2/gh/{known}/main?labpath=notebooks/{path}"),
    ]
    context["header_buttons"].insert(0, {
        "type": "group", "tooltip": "Run this chapter", "icon": "fas fa-rocket", "label": "launch-buttons",
        "buttons": [
            {"type": "link", "text": text, "url": url, "tooltip": f"Open this chapter in {text}",
             "icon": "fas fa-play", "label": f"launch-{text.lower()}"}
            for text, url in launch
        ],
    })  # fmt: skip


def setup(app):
    """Register with Sphinx, after the theme has made its buttons."""
    app.connect("build-finished", _write_all)
    app.connect("html-page-context", _buttons, priority=800)
    return {"parallel_read_safe": True}


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for made in write(Path(sys.argv[1])):
        print(made)
