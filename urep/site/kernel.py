"""What Coq's kernel checked: the theorems of tests/proofs, and the verdicts that they come to in a build.

`tests/proofs/check.py` has Coq check them and leaves a record below `_build`. A record counts only for the
equations and proofs that it was made from; where there is none, for want of Coq, a theorem has no verdict.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

from ..checks import MEANING, escaped
from ..equations import Equation, book, paper
from ..shown import Page, Table, html_cards, html_table
from . import statements

ROOT = Path(__file__).resolve().parents[2]
PROOFS = ROOT / "tests" / "proofs"
"""Where the proofs are, written by hand."""

RECORD = ROOT / "_build" / "proofs" / "record.json"
"""What the last check left."""

MUTANTS = PROOFS / "mutants.json"
"""What became of wrong equations in the last complete run."""

PAGE = "book/theory/proved"
"""The chapter on what "proved" means, which has a row for each theorem."""

EQUATIONS = {statements.module(e.number): e for e in (*paper.values(), *book.values())}
"""Each registered equation by the Coq file that is printed of it."""

PRINTED = frozenset({"Letters", "Assumptions", "Definitions", *EQUATIONS})
"""The names of files that are printed, or may be."""


@dataclass(frozen=True)
class Theorem:
    """A theorem of a hand-written file: its name, what it says in words, which equations it checks."""

    name: str
    file: str
    says: str
    checks: tuple[str, ...]

    @property
    def anchor(self) -> str:
        """Its row in the table of all theorems."""
        return f"theorem-{self.name}"


# --- the hand-written files -----------------------------------------------------------------

_COMMENTED = re.compile(r"\(\*((?:(?!\*\)).)*)\*\)\s*Theorem\s+([\w']+)", re.S)
_CHECKS = re.compile(r"\s*Checks ((?:\([^)]+\)(?:, | and )?)+)\.\s*$")


@cache
def written() -> dict[str, str]:
    """The hand-written files by name, each after those that it requires.

    Raises ValueError for one that would take the place of a printed file, and so of an equation.
    """
    texts = {path.stem: path.read_text(encoding="utf-8") for path in sorted(PROOFS.glob("*.v"))}
    taken = sorted(set(texts) & PRINTED)
    if taken:
        raise ValueError(f"a file in {PROOFS} must not have the name of a printed one, got {taken}")
    order = TopologicalSorter({file: required(text) & set(texts) for file, text in texts.items()})
    return {file: texts[file] for file in order.static_order()}


def required(text: str) -> set[str]:
    """The files of this book that a file requires."""
    lines = re.findall(r"From Companion Require Import ([^.]*)\.", text)
    return {file for line in lines for file in line.split()}


def theorems(file: str, text: str) -> list[Theorem]:
    """The theorems of a file. Raises ValueError for one whose comment does not end in "Checks (7), (E1)."."""
    found = []
    for comment, name in _COMMENTED.findall(text):
        words = " ".join(comment.split())
        checks = _CHECKS.search(words)
        if checks is None:
            raise ValueError(f'the comment of {name} must end in "Checks (7), (E1).", got {words!r}')
        labels = tuple(re.findall(r"\(([^)]+)\)", checks[1]))
        found.append(Theorem(name, file, words[: checks.start()].strip(), labels))
    named = re.findall(r"Theorem\s+([\w']+)", text)
    if named != [theorem.name for theorem in found]:
        raise ValueError(f"each theorem of {file}.v must have a comment before it, got {named}")
    return found


def every() -> dict[str, Theorem]:
    """All theorems by name, file by file. Raises ValueError where two have one name."""
    found = [theorem for file, text in written().items() for theorem in theorems(file, text)]
    names = [theorem.name for theorem in found]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"each theorem in {PROOFS} must have a name of its own, got {twice} twice")
    return {theorem.name: theorem for theorem in found}


def source(name: str) -> str:
    """A theorem as it is written: its comment, its statement, its proof. Raises KeyError for another name."""
    text = written()[every()[name].file]
    found = re.search(rf"\(\*(?:(?!\*\)).)*\*\)\s*Theorem {name}\b.*?Qed\.", text, flags=re.S)
    return found[0]


@cache
def printed() -> dict[str, str]:
    """What is printed for the proofs: the letters, and each equation that one of them requires, by file."""
    needed = set().union(*map(required, written().values()))
    texts = {file: statements.equation(EQUATIONS[file]) for file in sorted(needed & set(EQUATIONS))}
    return {"Letters": statements.letters(), **texts}


def given() -> dict[str, str]:
    """What a record is made from: what is printed, what is written by hand, and the checker."""
    return printed() | written() | {"check.py": (PROOFS / "check.py").read_text(encoding="utf-8")}


def digest(texts: Mapping[str, str] | None = None) -> str:
    """Of some texts; without any, of what Coq is given, and of the program that judges what it answers."""
    texts = given() if texts is None else texts
    return hashlib.sha256(json.dumps(sorted(texts.items())).encode()).hexdigest()


# --- what came of them ----------------------------------------------------------------------


def record(path: Path = RECORD) -> dict | None:
    """What Coq checked of the equations and proofs as they are now; None where it did not.

    A record that is left from when there was a Coq counts for nothing where there is none.
    """
    if shutil.which("coqc") is None or not path.exists():
        return None
    found = json.loads(path.read_text(encoding="utf-8"))
    return found if found["digest"] == digest() else None


def mutants(path: Path = MUTANTS) -> dict:
    """How many wrong equations the last complete run tried, and how many broke a proof, by equation."""
    return json.loads(path.read_text(encoding="utf-8"))


def verdict(theorem: Theorem, found: dict | None, where: str) -> str:
    """A theorem as a verdict of the kind "kernel"; without a record a clear word that it was not checked.

    `where` is the address of the page with all theorems.
    """
    words, sign = MEANING["kernel"]
    if found is None:
        words, sign = NOT_CHECKED, "○"
    items = " ".join(f'<span class="urep-item">({html.escape(label)})</span>' for label in theorem.checks)
    by = f"theorem {theorem.name}, {_checker(found)}"
    return (
        f'<div class="urep-verdict urep-{"kernel" if found else "skipped"}" id="kernel-{theorem.name}">'
        f'<span class="urep-sign" aria-hidden="true">{sign}</span> {items} '
        f'<span class="urep-kind">{words}</span> <span class="urep-claim">{in_signs(theorem.says)}</span>'
        f'<span class="urep-detail"><a href="{html.escape(where)}#{theorem.anchor}">{by}</a></span></div>'
    )


NOT_CHECKED = "not checked in this build"
"""What stands for the verdict where Coq is not installed."""


def _checker(found: dict | None) -> str:
    return f"Coq {found['coqc']}" if found else "Coq is not installed here"


def in_signs(text: str) -> str:
    """Words of a comment in Coq as a page writes them: ‖dh‖² for ||dh||^2; escaped."""
    for typed, sign in (("||", "‖"), ("^2", "²"), ("^3", "³"), ("<=", "≤"), (">=", "≥")):
        text = text.replace(typed, sign)
    return escaped(text)


def mark(label: str, found: dict | None, where: str) -> str:
    """The sign of an equation that a theorem checks, for the tables; nothing where none does.

    It is a tick if each line of the equation is presupposed or concluded by one of these theorems.
    """
    own = [row for row in (found or {}).get("theorems", ()) if label in row["checks"]]
    if not own:
        return ""
    words, sign = MEANING["kernel"]
    count, used = len(found["equations"][label]), used_lines(label, own)
    whole = len(used) == count
    title = f"{words} theorems about it: {', '.join(row['name'] for row in own)}"
    title += f"; they presuppose or conclude {len(used)} of its {count} lines" * (not whole)
    title += "" if label in concluded(found) else "; none has it as its conclusion"
    title = html.escape(title, quote=True)
    address = f"{html.escape(where)}#theorem-{own[0]['name']}"
    kind, text = ("kernel", f"{sign} kernel") if whole else ("skipped", "kernel, in part")
    return f' <a class="urep-mark urep-{kind}" href="{address}" title="{title}">{text}</a>'


def used_lines(label: str, rows: Iterable[Mapping]) -> set[int]:
    """The lines of an equation that theorems presuppose or conclude."""
    return {
        line for row in rows for word in ("presupposes", "concludes") for line in row[word].get(label, ())
    }


def concluded(found: dict) -> set[str]:
    """The equations of which a theorem that checks them concludes a line that it does not presuppose."""
    return {label for row in found["theorems"] for label in row["concludes"] if label in row["checks"]}


def table(found: dict | None) -> str:
    """All theorems, file by file: what each says, which equations it checks, and its statement in Coq."""
    rows = [_row(theorem, _statement(theorem, found)) for theorem in every().values()]
    return html_table(("Theorem", "What it says", "Checks", "Verdict"), rows, filtered=True, cards=True)


def _statement(theorem: Theorem, found: dict | None) -> str:
    own = [row["statement"] for row in (found or {}).get("theorems", ()) if row["name"] == theorem.name]
    return own[0] if own else ""


def _row(theorem: Theorem, statement: str) -> str:
    labels = " ".join(
        f'<a href="../paper_map.html#eq-{html.escape(label)}">({html.escape(label)})</a>'
        for label in theorem.checks
    )
    words, sign = MEANING["kernel"]
    came = f'<span class="urep-kernel">{sign} {words}</span>' if statement else f"○ {NOT_CHECKED}"
    coq = f"<details><summary>in Coq</summary><pre>{html.escape(statement)}</pre></details>" * bool(statement)
    return (
        f'<tbody id="{theorem.anchor}" data-status="{words if statement else NOT_CHECKED}"><tr>'
        f"<td><code>{theorem.name}</code> <span>{theorem.file}.v</span></td>"
        f"<td>{in_signs(theorem.says)}{coq}</td>"
        f'<td data-head="Checks">{labels}</td><td>{came}</td></tr></tbody>'
    )


def counts(found: dict | None) -> str:
    """The cards of the front page: how many theorems were checked, and how many wrong equations broke one."""
    if found is None:
        cards = [(f"{len(every())}", f"theorems for Coq's kernel: {NOT_CHECKED}, where Coq is not installed")]
    else:
        about = f"{len(found['equations'])} equations, {len(concluded(found))} of them as conclusions"
        cards = [(str(len(found["theorems"])), f"theorems about {about}, kernel-checked")]
    rows = mutants()["equations"].values()
    refused, tried = (sum(row[word] for row in rows) for word in ("refused", "mutants"))
    cards.append((f"{refused} of {tried}", f"mutants of {len(rows)} equations break a kernel's proof"))
    return html_cards(cards)


def scope() -> Table:
    """How many registered equations have a theorem, how many might, and for how many Coq has no words."""
    checked = {label for theorem in every().values() for label in theorem.checks}
    printable = {str(e.number) for e in EQUATIONS.values() if _printable(e)}
    rows = [
        ["a theorem is about them", checked],
        ["printed for Coq, without a theorem", printable - checked],
        ["no words in Coq", {str(e.number) for e in EQUATIONS.values()} - printable],
    ]
    return Table(["registered equations", "number"], [[words, len(labels)] for words, labels in rows])


def _printable(equation: Equation) -> bool:
    try:
        return bool(statements.equation(equation))
    except statements.Unprintable:
        return False


def mutants_table() -> Page:
    """Of each equation: how many mutants were refused, in the proof of what, and the control of this.

    The control is how many true rewritings of its right-hand sides the proofs accept.
    """
    rows, plain = [], []
    for number, row in mutants()["equations"].items():
        by = ", ".join(f"{where} ({times})" for where, times in row["by"].items())
        control = f"{row['accepted']} of {row['rewritings']}" if row.get("rewritings") else "none tried"
        cells = f"({number})", row["mutants"], row["refused"], by, control
        rows.append("<tr>" + "".join(f"<td>{html.escape(str(cell))}</td>" for cell in cells) + "</tr>")
        refused = f"{row['refused']} of {row['mutants']} refused, by {by}"
        plain.append(f"({number}): {refused}; true rewritings accepted: {control}")
    heads = "Equation", "Mutants", "Refused", "In the proof of", "True rewritings accepted"
    return Page("\n".join(plain), html_table(heads, rows))
