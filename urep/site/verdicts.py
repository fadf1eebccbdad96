"""Verdicts, read from the executed references of the chapters that earned them, never typed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..checks import MEANING, MIME
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
    """All verdicts in the executed references below `folder`: page by page, each in its own order."""
    folder = folder or references_folder()
    found = []
    for path in sorted(folder.rglob("*.ipynb")):
        page = path.relative_to(folder).with_suffix("").as_posix()
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", ()):
                if MIME in output.get("metadata", {}):
                    found.append(Record(page, output["metadata"][MIME]))
    return found


def about(item: Item, found: Iterable[Record]) -> list[Record]:
    """Records about an item: proofs first, then numbers, networks, controls, what does not hold."""
    own = [record for record in found if record.fields["item"] == item.key]
    return sorted(own, key=lambda record: list(MEANING).index(record.fields["kind"]))


def status(found: list[Record]) -> str:
    """One word for all that was said of an item: planned, proved, checked, or in part refuted."""
    kinds = {record.fields["kind"] for record in found}
    if not kinds:
        return "planned"
    if "refuted" in kinds:
        return "holds in part" if kinds & {"symbolic", "numerical", "empirical"} else "does not hold"
    return "proved" if "symbolic" in kinds else "checked"
