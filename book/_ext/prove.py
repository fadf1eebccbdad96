"""Sphinx extension: beside each symbolic verdict a button that proves it again, in the reader's browser.

A page gets a JSON of the programs that lead to its verdicts, cut from its own cells (`slices`), and of the
answers to its exercises (`book/answers.toml`). The site gets Pyodide from npm, and SymPy, mpmath and the
modules of `urep` that need nothing else, as they are installed. Nothing of it is fetched before a reader asks
for it. A verdict whose program needs more than there is has no button (`light`).
"""

from __future__ import annotations

import html
import json
import re
import shutil
import tomllib
import zipfile
from functools import cache
from importlib import metadata
from pathlib import Path

import execution
import from_npm
import light
import notebooks
import slices

PYODIDE = ("pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json",
           "package.json")  # fmt: skip
"""Pyodide's core: what its loader asks for where no package is wanted, and its licence."""

WHEELS = ("sympy", "mpmath")
"""Pure packages that a proof needs, as this Python has them."""

READER = "urep.site.reader"
"""The module that the worker calls."""

ANSWERS = notebooks.ROOT / "book" / "answers.toml"

VERDICT = re.compile(
    r'(<div class="urep-verdict urep-(?P<kind>\w+)" id="(?P<anchor>[^"]+)")(?P<rest>.*?'
    r'<span class="urep-claim">(?P<claim>.*?)</span>)',
    flags=re.S,
)
SCRIPT = re.compile(r'<script\b[^>]*\bsrc="[^"]*/prove\.js[^"]*"')
EXERCISE = re.compile(r'(<div class="exercise[^"]*" id="(?P<label>[^"]+)")')


# --- programs -------------------------------------------------------------------------------


@cache
def statements(page: Path) -> list[slices.Statement]:
    """The statements of a page."""
    cells = execution.source(page).cells
    return slices.statements([cell.source for cell in cells if cell.cell_type == "code"])


def program(page: Path, kind: str, claim: str) -> str | None:
    """The program that leads to a symbolic verdict of a page; None if there is none that a browser runs."""
    places = [place for place, each in enumerate(statements(page)) if slices.claims(each, kind, claim)]
    found = slices.source(statements(page), places[0]) if places else ""
    return found if found and light.runs(found) else None


@cache
def answers() -> dict[str, dict]:
    """What exercises ask for, by their labels."""
    found = tomllib.loads(ANSWERS.read_text(encoding="utf-8"))
    for label, entry in found.items():
        if set(entry) != {"asks", "letters", "book"}:
            raise ValueError(f"{ANSWERS.name}: {label} must have asks, letters and book, got {sorted(entry)}")
    return found


def solution(page: Path, label: str) -> str:
    """The program that comes before the book's answer to an exercise: all that the answer reads."""
    wanted = slices.statements([answers()[label]["book"]])
    found = slices.source([*statements(page), *wanted], len(statements(page)))
    if not light.runs(found):
        raise ValueError(f"{ANSWERS.name}: the answer to {label} needs what a browser's Python lacks")
    return found.removesuffix(wanted[0].source + "\n")


# --- pages ----------------------------------------------------------------------------------


def marked(body: str, page: Path, where: str) -> tuple[str, dict]:
    """A page whose verdicts and exercises say where their programs are, and the programs."""
    programs, solutions = {}, {}

    def of_verdict(found: re.Match) -> str:
        claim = html.unescape(re.sub(r"<sub>(\w+)</sub>", r"_\1", found["claim"]))
        own = program(page, found["kind"], claim)
        if own is None:
            return found[0]
        programs[found["anchor"]] = own
        return f'{found[1]} data-prove="{where}"{found["rest"]}'

    def of_exercise(found: re.Match) -> str:
        if found["label"] not in answers():
            return found[0]
        entry = answers()[found["label"]]
        solutions[found["label"]] = {"program": solution(page, found["label"]), "book": entry["book"]}
        asks, letters = html.escape(entry["asks"]), " ".join(entry["letters"])
        return f'{found[1]} data-answer="{where}" data-asks="{asks}" data-letters="{letters}"'

    body = EXERCISE.sub(of_exercise, VERDICT.sub(of_verdict, body))
    return body, {"programs": programs, "solutions": solutions}


def _mark(app, pagename, templatename, context, doctree):
    page = notebooks.ROOT / f"{pagename}.md"
    if not page.exists() or page not in notebooks.chapters():
        return
    name = pagename.removeprefix("book/") + ".json"
    context["body"], found = marked(context["body"], page, name)
    if not any(found.values()):
        return
    path = Path(app.outdir) / "_static" / "proofs" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(found, ensure_ascii=False), encoding="utf-8")
    app.add_css_file("prove.css")
    app.add_js_file("prove.js", loading_method="defer")


# --- the site -------------------------------------------------------------------------------


def _provide(app, exception):
    if exception is None and app.builder.name == "html":
        megabytes = round(provide(Path(app.outdir) / "_static" / "pyodide") / 1e6)
        for path in Path(app.outdir).rglob("*.html"):
            text = path.read_text(encoding="utf-8")
            if SCRIPT.search(text):
                path.write_text(SCRIPT.sub(rf'\g<0> data-megabytes="{megabytes}"', text), encoding="utf-8")


def provide(folder: Path) -> int:
    """Write Python for a browser into a folder, and what it unpacks: `packages.json` names them.

    Returns how many bytes a reader fetches, which `prove.js` says before it is asked to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name in PYODIDE:
        shutil.copyfile(from_npm.package("pyodide") / name, folder / name)
    packages = {f"{name}-{metadata.version(name)}.zip": _distribution(name) for name in WHEELS}
    packages["urep.zip"] = _own()
    for name, files in packages.items():
        _write_zip(folder / name, files)
    total = sum((folder / name).stat().st_size for name in (*PYODIDE, *packages))
    (folder / "packages.json").write_text(json.dumps({"packages": [*packages], "bytes": total}))
    return total


def _distribution(name: str) -> dict[str, Path]:
    """The files of an installed package by their names, its tests left out; its licence is among them."""
    files = [file for file in metadata.files(name) if ".." not in file.parts]
    kept = [file for file in files if not {"tests", "__pycache__"} & {*file.parts}]
    return {file.as_posix(): Path(file.locate()) for file in kept}


def _own() -> dict[str, Path]:
    found = {module: light.path(module) for module in light.modules(READER)}
    return {path.relative_to(notebooks.ROOT).as_posix(): path for path in found.values()}


def _write_zip(path: Path, files: dict[str, Path]) -> None:
    """The same bytes for the same files, whenever they were written."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, file in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(name), file.read_bytes(), zipfile.ZIP_DEFLATED)


def setup(app):
    """Register with Sphinx."""
    app.connect("html-page-context", _mark)
    app.connect("build-finished", _provide)
    return {"parallel_read_safe": True}
