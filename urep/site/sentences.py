"""The sentences of the paper: claims without a number, each with what the book's verdicts say of it.

`book/sentences.toml` says which verdicts bear on which sentence; what they come to is computed here.
"""

from __future__ import annotations

import html
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..checks import HOW, MEANING
from ..shown import Page, Table, html_table
from .graph import OPEN, Node, nodes
from .verdicts import Record, records

FILE = Path(__file__).resolve().parents[2] / "book" / "sentences.toml"
"""Where the sentences stand."""

SECTIONS = ("abstract", "3", "3.1", "3.2", "3.3", "3.4", "4.1", "4.2", "4.3", "4.4", "4.5", "4.6", "5.1",
            "5.2", "6")  # fmt: skip
"""Where in the paper a sentence may stand."""

SAYS = {
    **dict.fromkeys(HOW.values(), "proved"),
    "confirmed": "confirmed",
    "seen": "seen",
    "described": "described",
    "unskilled": "no better",
    "violated": "violated",
    "refuted": "refuted",
}
"""What a verdict of each kind says of its claim; controls and two computations say nothing of a sentence."""

GOOD, BAD = ("described", "seen", "confirmed", "proved"), ("refuted", "violated")
"""What speaks for a claim, the weakest first, and what speaks against it."""

VERDICTS = {
    "proved": "✓",
    "confirmed on fresh seeds": "✓",
    "seen in networks, exploratory": "✓",
    "describes what it was fitted to": "✓",
    "in part no better than a model that knows less": "✓○",
    "no better than a model that knows less": "○",
    "claims disagree": "✓✗",
    "assumption violated": "≠",
    "does not hold": "✗",
    "not tested": "·",
}
"""What the verdicts on a sentence may come to, and the sign of each."""

HOLDS = dict(zip(("proved", "confirmed", "seen", "described"), VERDICTS, strict=False))
"""The verdict on a sentence that all speak for, by the weakest that networks say, or by proofs alone."""


@dataclass(frozen=True)
class Sentence:
    """One sentence in our words: where it stands, and what speaks for it or against it if it holds."""

    section: str
    says: str
    bears: tuple[str, ...] = ()
    against: tuple[str, ...] = ()


@dataclass(frozen=True)
class Bearing:
    """A verdict that bears on a sentence: its name, where it stands, what it says, in which words."""

    name: str
    link: str
    kind: str
    says: str
    words: str


def sentences(file: Path = FILE) -> list[Sentence]:
    """The sentences of a file, in its order.

    Raises ValueError, which names the sentence, for a field or a section that there is not.
    """
    found = []
    for entry in tomllib.loads(file.read_text(encoding="utf-8"))["sentence"]:
        unknown = set(entry) - set(Sentence.__annotations__)
        if unknown or entry.get("section") not in SECTIONS:
            raise ValueError(
                f"a sentence must have a section, one of {', '.join(SECTIONS)}, and may have says, bears "
                f"and against; got {entry}"
            )
        found.append(Sentence(**{key: tuple(v) if isinstance(v, list) else v for key, v in entry.items()}))
    return found


# --- what the verdicts come to --------------------------------------------------------------


def bearings(sentence: Sentence, found: Iterable[Record], graph: Mapping[str, Node]) -> list[Bearing]:
    """The verdicts on a sentence, in the order in which they are named.

    Raises ValueError for a name that is no claim with a verdict and no proved equation.
    """
    known = {r.judgement["id"]: r for r in found if r.judgement}
    sides = [(name, False) for name in sentence.bears] + [(name, True) for name in sentence.against]
    return [_bearing(name, turned, known, graph) for name, turned in sides]


def _bearing(name: str, turned: bool, known: Mapping[str, Record], graph: Mapping[str, Node]) -> Bearing:
    if name.startswith("("):
        return _proof(name, graph.get(name[1:-1]))
    if name not in known:
        raise ValueError(f"{name!r} is no claim with a verdict; a sentence names 'page.claim' or '(10)'")
    record = known[name]
    kind = record.fields["kind"]
    if kind not in SAYS:
        raise ValueError(f"{name!r} is a {kind}, which says nothing of a sentence")
    says = SAYS[kind]
    if turned and says in BAD:
        says = "confirmed" if record.stage == "confirmed" else "seen"
    elif turned and says in GOOD:
        says = "refuted"
    side = " (speaks against it where it holds)" if turned else ""
    return Bearing(name, record.link, kind, says, f"{record.outcome}{side}: {record.fields['claim']}")


def _proof(name: str, node: Node | None) -> Bearing:
    if node is None or node.state == OPEN:
        raise ValueError(f"{name!r} is no equation that is proved or defined")
    proofs = [record for record in node.verdicts if record.fields["kind"] in HOW.values()]
    first = next(record for record in proofs if node.label in record.fields.get("shows", ()))
    return Bearing(name, first.link, first.fields["kind"], "proved", f"{node.words}: {node.says}")


def verdict(found: Iterable[Bearing]) -> str:
    """One of `VERDICTS`: what all that bears on a sentence comes to."""
    said = {bearing.says for bearing in found}
    good = [word for word in GOOD if word in said]
    if not said:
        return "not tested"
    if said & set(BAD):
        return "claims disagree" if good else _fails(said)
    if "no better" in said:
        return "in part " * bool(good) + "no better than a model that knows less"
    return HOLDS[good[0]]


def _fails(said: set[str]) -> str:
    return "does not hold" if "refuted" in said else "assumption violated"


# --- as pages -------------------------------------------------------------------------------


def judged(found: Iterable[Record] | None = None) -> list[tuple[Sentence, str, list[Bearing]]]:
    """Every sentence with its verdict and what bears on it."""
    found = records() if found is None else list(found)
    graph = nodes(found)
    rows = [(sentence, bearings(sentence, found, graph)) for sentence in sentences()]
    return [(sentence, verdict(own), own) for sentence, own in rows]


def table(found: Iterable[Record] | None = None) -> Page:
    """All sentences: where each stands, what it says, its verdict, and what bears on it, linked."""
    own = judged(found)
    plain = "\n".join(f"{s.section}: {word} ({counts(on) or 'nothing'}): {s.says}" for s, word, on in own)
    columns = "Section", "What it says", "Verdict", "What bears on it"
    return Page(plain, html_table(columns, map(_row, own), filtered=True, cards=True))


def counts(found: Iterable[Bearing]) -> str:
    """How many verdicts speak for a sentence, how many against it, and how many leave it open, in words."""
    said = [bearing.says for bearing in found]
    sides = {"for": GOOD, "against": BAD, "no better": ("no better",)}
    numbers = {side: sum(word in words for word in said) for side, words in sides.items()}
    return ", ".join(f"{number} {side}" for side, number in numbers.items() if number)


def _row(own: tuple[Sentence, str, list[Bearing]]) -> str:
    sentence, word, found = own
    marks = " ".join(map(_mark, found)) or "–"
    told = f"{word}: {counts(found)}" if word == "claims disagree" else word
    return (
        f'<tbody data-status="{word}"><tr><td>{sentence.section}</td><td>{html.escape(sentence.says)}</td>'
        f'<td><span aria-hidden="true">{VERDICTS[word]}</span> {told}</td><td>{marks}</td></tr></tbody>'
    )


def _mark(bearing: Bearing) -> str:
    title = html.escape(bearing.words, quote=True)
    link = html.escape(bearing.link, quote=True)
    return (
        f'<a class="urep-mark urep-{bearing.kind}" href="{link}" title="{title}">'
        f"{MEANING[bearing.kind][1]} {html.escape(bearing.name)}</a>"
    )


def tally(found: Iterable[Record] | None = None) -> Table:
    """How many sentences came to which verdict."""
    words = [word for _, word, _ in judged(found)]
    return Table(["verdict", "sentences"], [[word, words.count(word)] for word in VERDICTS if word in words])
