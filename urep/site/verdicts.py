"""Verdicts, read from the executed references of the chapters that earned them, never typed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..checks import MEANING, MIME, outcome
from .items import Item


@dataclass(frozen=True)
class Record:
    """One verdict found in an executed reference: the page that earned it, and what it says."""

    page: str
    fields: dict

    @property
    def link(self) -> str:
        """Address of the verdict, relative to the book's front page."""
        return f"{self.page}.html#{self.fields['anchor']}"

    @property
    def judgement(self) -> dict | None:
        """What the registry says of the claim, and its numbers; None for a claim that is not in it."""
        return self.fields.get("judgement")

    @property
    def stage(self) -> str | None:
        """Whether fresh runs judge the claim; None for a claim that is not about networks."""
        return self.judgement and self.judgement["stage"]

    @property
    def whose(self) -> str:
        """Whose claim it is; what algebra and solvers say of a numbered item is said of the paper's own."""
        if self.judgement:
            return self.judgement["whose"]
        return "book" if self.fields["item"].startswith("book ") else "paper"

    @property
    def outcome(self) -> str:
        """The outcome in words."""
        return outcome(self.fields["kind"], self.stage, self.whose)


def references_folder(start: Path | None = None) -> Path:
    """`tests/notebooks` of the checkout that holds `start` (default: the working directory).

    Raises FileNotFoundError when there is none above it.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "_toc.yml").exists() and (folder / "tests" / "notebooks").is_dir():
            return folder / "tests" / "notebooks"
    raise FileNotFoundError(f"no tests/notebooks above {start}: run inside a checkout of the book")


def records(folder: Path | None = None) -> list[Record]:
    """All verdicts in the executed references below `folder`, in the book's order.

    Pages that its table of contents does not name come last.
    """
    folder = folder or references_folder()
    paths = {path.relative_to(folder).with_suffix("").as_posix(): path for path in folder.rglob("*.ipynb")}
    chapters = _chapters(folder.parents[1] / "_toc.yml")
    place = {page: chapters.index(page) if page in chapters else len(chapters) for page in paths}
    found = []
    for page, path in sorted(paths.items(), key=lambda item: (place[item[0]], item[0])):
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", ()):
                if MIME in output.get("metadata", {}):
                    found.append(Record(page, output["metadata"][MIME]))
    return found


def _chapters(toc: Path) -> list[str]:
    """The pages that a table of contents names, in its order; none where there is no such file."""
    return re.findall(r"\bbook/(\S+)", toc.read_text(encoding="utf-8")) if toc.is_file() else []


def about(item: Item, found: Iterable[Record]) -> list[Record]:
    """Records about an item: proofs first, then numbers, networks, controls, what does not hold."""
    own = [record for record in found if record.fields["item"] == item.key]
    return sorted(own, key=lambda record: list(MEANING).index(record.fields["kind"]))


STATUS = {
    "symbolic": "proved",
    "verification": "proved",
    "confirmed": "confirmed",
    "numerical": "checked",
    "seen": "seen",
    "described": "described",
    "definition": "defined",
}
"""The status of an item by the best kind that was said of it, where nothing speaks against it."""

SIGNS = {
    "proved": "✓",
    "confirmed": "✓",
    "checked": "✓",
    "seen": "✓",
    "described": "✓",
    "defined": "≡",
    "unskilled in part": "✓○",
    "unskilled": "○",
    "assumption violated": "≠",
    "holds in part": "✓✗",
    "does not hold": "✗",
    "discussed": "…",
    "planned": "·",
}
"""The sign of each status."""


def status(found: list[Record]) -> str:
    """One of `SIGNS` for all that was said of an item: of the paper's claims, its assumptions, its algebra.

    Claims of the book and of the authors' code count neither for the paper nor against it, and a control is
    about the check before it.
    """
    if not found:
        return "planned"
    kinds = {r.fields["kind"] for r in found if r.whose in ("paper", "assumption")} - {"control"}
    if not kinds:
        return "discussed"
    if "refuted" in kinds:
        return "holds in part" if kinds & set(STATUS) else "does not hold"
    if "violated" in kinds:
        return "assumption violated"
    if "unskilled" in kinds:
        more = kinds & set(STATUS) - {"described", "definition"}
        return "unskilled in part" if more else "unskilled"
    return next(word for kind, word in STATUS.items() if kind in kinds)
