"""The executed references in tests/notebooks: made one way, from the chapters' sources.

    make references                                   all of them
    make references ARGS=book/theory/identical_outputs.md   one, and the pages that count verdicts

Byte-identical when nothing changed: fixed cell ids, no timing, no drawings (nbval does not compare
them, and they are large). Nothing is written unless every cell of a chapter ran.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

import nbformat

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "book" / "_ext"))
import execution  # noqa: E402 - an extension of the book, which is no package
import notebooks  # noqa: E402

REFERENCES = ROOT / "tests" / "notebooks"
COUNTING = (
    "book/index.md",
    "book/paper_map.md",
    "book/graph.md",
    "book/sentences.md",
    "book/claims.md",
    "book/errata.md",
    "book/open_questions.md",
    "book/beyond/index.md",
)
"""Pages made from the records in the other references: executed after them."""

OPTIONS = re.compile(r"\A(?:---\n.*?^---\n|(?:^:[^\n]*\n)+)", flags=re.M | re.S)
"""What stands above the code of a cell: its metadata."""

OVERVIEWS = ("book/zoo/zoo.md",)
"""Pages made from records that earn verdicts of their own: executed before those that count."""


def chapters() -> list[Path]:
    """The executable pages of the table of contents, those that count verdicts last."""
    return sorted(notebooks.chapters(), key=lambda page: page.relative_to(ROOT).as_posix() in COUNTING)


def reference(page: Path) -> Path:
    """Where the executed reference of a page lies."""
    return REFERENCES / page.relative_to(ROOT / "book").with_suffix(".ipynb")


def source(page: Path) -> nbformat.NotebookNode:
    """The page as an unexecuted notebook with the ids its reference has."""
    return _with_ids(execution.source(page), page)


def execute(page: Path) -> nbformat.NotebookNode:
    """The page as its reference has it, executed in a fresh kernel; raises when a cell does."""
    return cleaned(execution.execute(page), page)


def cleaned(notebook: nbformat.NotebookNode, page: Path) -> nbformat.NotebookNode:
    """An executed page without what differs from one execution to the next, and without drawings."""
    notebook.metadata = {"kernelspec": notebook.metadata["kernelspec"]}
    for cell in notebook.cells:
        for output in cell.get("outputs", ()):
            markup = output.get("data", {}).get("text/html")
            if markup:
                output.data["text/html"] = re.sub(r"<svg.*?</svg>", "<svg></svg>", markup, flags=re.S)
    return _with_ids(notebook, page)


def _with_ids(notebook, page: Path):
    name = re.sub(r"[^a-z0-9]+", "-", page.stem.lower())
    for number, cell in enumerate(notebook.cells):
        cell.id = f"{name}-{number:03d}"
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    return notebook


def write(page: Path) -> bool:
    """Replace the reference of an executed page at once; True when that changed anything."""
    text = nbformat.writes(cleaned(_with_prose(execution.last(page), page), page)) + "\n"
    path = reference(page)
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.read_text(encoding="utf-8") == text:
        return False
    draft = path.with_suffix(".tmp")
    draft.write_text(text, encoding="utf-8")
    os.replace(draft, path)
    return True


def _with_prose(executed, page: Path):
    """The executed page with the prose of its source, a change of which executes nothing again.

    What was executed is known by its code, so that cells of prose may also have come, gone or moved.
    """
    cells = execution.source(page).cells
    ran = [cell for cell in executed.cells if cell.cell_type == "code"]
    places = [number for number, cell in enumerate(cells) if cell.cell_type == "code"]
    for place, cell in zip(places, ran, strict=True):
        cells[place] = cell
    executed.cells = cells
    return executed


def main(names: list[str]) -> None:
    """Write the references of the named pages, or of all, and say which changed."""
    pages = chapters()
    wanted = {(ROOT / name).resolve() for name in names}
    unknown = wanted - set(pages)
    if unknown:
        sys.exit(f"not an executable page of _toc.yml: {', '.join(map(str, unknown))}")
    counting = [page for page in pages if page.relative_to(ROOT).as_posix() in COUNTING]
    chosen = [page for page in pages if page not in counting and (not wanted or page in wanted)]
    overviews = [page for page in chosen if page.relative_to(ROOT).as_posix() in OVERVIEWS]
    others = [page for page in chosen if page not in overviews]
    for together in (others, overviews, counting):
        try:
            execution.refresh(together)
        except execution.PageFailed as failure:
            sys.exit(f"no reference of these is written:\n\n{failure}")
        for page in together:
            word = "changed  " if write(page) else "unchanged"
            print(f"{word}  {reference(page).relative_to(ROOT)}")
    if not wanted:
        for stray in set(REFERENCES.rglob("*.ipynb")) - set(map(reference, pages)):
            stray.unlink()
            print(f"removed    {stray.relative_to(ROOT)}")


if __name__ == "__main__":
    main(sys.argv[1:])
