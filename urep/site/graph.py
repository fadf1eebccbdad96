"""What rests on what: all equations, the paper's and the book's, as a graph of recorded derivations.

An edge leads from an equation to one that rests on it. Edges are in the records of symbolic claims
(`urep.equations.premises`), and so is what was proved: nobody types either.
"""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote

from ..checks import HOW, MEANING
from ..shown import Page, html_table
from . import drawing
from .items import ITEMS
from .verdicts import Record, records

PROVED, DEFINED, OPEN = "proved", "defined", "not proved"
"""What an equation is by its own verdicts: every line derived or substituted, all stated as a definition."""

WORDS = {
    (PROVED, True): "proved, and so is all below",
    (PROVED, False): "proved, not all below",
    (DEFINED, True): "a definition",
    (DEFINED, False): "a definition of what is not all proved",
    (OPEN, False): "not proved",
}
"""The states of an equation in words: its own, and whether that and everything below it is proved."""


@dataclass(frozen=True)
class Node:
    """An equation: what it rests on, what rests on it, its verdicts, what they say of it and of those below.

    `founded` says that it is proved, or defined, and so is everything that it rests on, without a circle.
    """

    label: str
    says: str
    uses: tuple[str, ...]
    used_by: tuple[str, ...]
    verdicts: tuple[Record, ...]
    state: str
    founded: bool

    @property
    def key(self) -> str:
        """Its row in the map and in this graph."""
        return f"eq-{self.label}"

    @property
    def words(self) -> str:
        """Its state in words."""
        return WORDS[self.state, self.founded]

    @property
    def own(self) -> bool:
        """Whether it is the book's and not the paper's."""
        return not self.label.isdigit()


# --- from records to nodes ------------------------------------------------------------------


def equations() -> dict[str, object]:
    """Every numbered equation by its label, as it is registered; None for those that are stated in words."""
    from ..equations import book, paper

    numbers = [item.key.split()[1] for item in ITEMS if item.key.startswith("eq ")]
    return {number: paper.get(int(number)) for number in numbers} | dict(book)


def nodes(found: Iterable[Record], known: Mapping[str, object] | None = None) -> dict[str, Node]:
    """The graph of these records: a node for each of the equations that are `known`, by default all."""
    known, found = equations() if known is None else known, list(found)
    shown = {label: _showing(label, found) for label in known}
    edges = {label: _premises(label, own) for label, own in shown.items()}
    states = {label: _state(known[label], own) for label, own in shown.items()}
    firm = _firm(known, shown)
    return {
        label: Node(
            label,
            _says(label, shown[label]),
            edges[label],
            tuple(other for other in known if label in edges[other]),
            _about(label, found),
            states[label],
            label in firm and all(states[other] != OPEN for other in _below(label, edges)),
        )
        for label in known
    }


def _showing(label: str, found: list[Record]) -> list[Record]:
    """The symbolic verdicts that have lines of an equation."""
    kinds = set(HOW.values())
    return [r for r in found if r.fields["kind"] in kinds and label in r.fields.get("shows", ())]


def _about(label: str, found: list[Record]) -> tuple[Record, ...]:
    """The verdicts that are about an equation, or have lines of it."""
    items = f"eq {label}", f"book {label}"
    return tuple(r for r in found if r.fields["item"] in items or label in r.fields.get("shows", ()))


def _premises(label: str, own: Iterable[Record]) -> tuple[str, ...]:
    found = (premise for record in own for premise in record.fields.get("rests_on", ()))
    return tuple(dict.fromkeys(premise for premise in found if premise != label))


def _state(equation, own: list[Record]) -> str:
    """What the verdicts that have lines of an equation say of it: every line has to be in one of them."""
    said = {line for record in own for line in record.fields["registered"]}
    if not own or not said.issuperset(_lines(equation)):
        return OPEN
    derived = any(record.fields["kind"] != "definition" for record in own)
    return PROVED if derived else DEFINED


@cache  # SymPy prints slowly, and every proof is asked for again and again
def _lines(equation) -> tuple[str, ...]:
    return () if equation is None else equation.lines


def _below(label: str, edges: Mapping[str, Iterable[str]]) -> set[str]:
    """Everything that an equation rests on, directly or not."""
    found, wanted = set(), [*edges[label]]
    while wanted:
        premise = wanted.pop()
        if premise not in found:
            found.add(premise)
            wanted += edges[premise]
    return found - {label}


def _firm(known: Mapping[str, object], shown: Mapping[str, list[Record]]) -> set[str]:
    """What can be proved in some order, each from what was proved before, so that none rests on itself."""
    firm: set[str] = set()
    while True:
        more = {
            label
            for label in known.keys() - firm
            if _state(known[label], [r for r in shown[label] if _stands_on(r, firm, label)]) != OPEN
        }
        if not more:
            return firm
        firm |= more


def _stands_on(record: Record, firm: set[str], label: str) -> bool:
    """Whether a verdict needs only what is firm; one that substitutes an equation needs that as well."""
    substituted = {label} if record.fields["kind"] == "verification" else set()
    return set(record.fields.get("rests_on", ())) <= firm | substituted


def _says(label: str, own: list[Record]) -> str:
    """What an equation says: of the paper's as the map has it, else the claim that first shows it."""
    known = {item.key: item.says for item in ITEMS}
    if f"eq {label}" in known:
        return known[f"eq {label}"]
    return own[0].fields["claim"].removesuffix(".") if own else "the book's own"


# --- drawn and as a table -------------------------------------------------------------------


KINDS = {PROVED: "urep-proved", DEFINED: "urep-defined", OPEN: "urep-open"}
"""The class of each state, which has its border."""

TITLE = "What rests on what: each equation stands to the right of all that it rests on"


def picture(found: Iterable[Record] | None = None) -> Page:
    """The graph as a drawing, in which each node leads to its row of the table."""
    graph = nodes(records() if found is None else found)
    edges = {node.key: tuple(f"eq-{label}" for label in node.uses) for node in graph.values()}
    drawn = drawing.svg([_box(node) for node in graph.values()], edges, TITLE)
    plain = [f"({label}) {node.words}; rests on {_named(node.uses)}" for label, node in graph.items()]
    box = f'<div class="urep-wide urep-graph-box" tabindex="0">{drawn}</div>'
    return Page("\n".join(plain), f"{_legend(graph)}{box}")


def _box(node: Node) -> drawing.Box:
    kinds = [KINDS[node.state], "urep-founded" * node.founded, "urep-own" * node.own]
    name = f"({node.label}), {node.words}: {node.says}"
    return drawing.Box(node.key, f"({node.label})", address(node.label), name, " ".join(filter(None, kinds)))


def address(label: str, page: str = "") -> str:
    """Where the row of an equation is, from the page of the graph itself or from another."""
    return f"{page}#{quote(f'eq-{label}')}"


def around(label: str, depth: int = 2) -> str:
    """The address, below the folder of the pages, of the part of the graph around an equation.

    It names no place in the page: a row of the table lies far below the drawing, to which `graph.js` goes.
    """
    return f"graph.html?focus={quote(f'eq-{label}')}&depth={depth}"


def _legend(graph: Mapping[str, Node]) -> str:
    words = [node.words for node in graph.values()]
    rows = [
        f'<li class="{KINDS[state]}{" urep-founded" * founded}">{text}: {words.count(text)}</li>'
        for (state, founded), text in WORDS.items()
        if text in words
    ]
    return f'<ul class="urep-legend">{"".join(rows)}</ul>'


def table(found: Iterable[Record] | None = None) -> Page:
    """The graph as a table: each equation, what it says, what it rests on, what rests on it, its verdicts."""
    graph = nodes(records() if found is None else found)
    columns = "No.", "What it says", "State", "Rests on", "Used by", "Verdicts"
    plain = [f"({label}) used by {_named(node.used_by)}" for label, node in graph.items()]
    return Page("\n".join(plain), html_table(columns, map(_row, graph.values()), filtered=True, cards=True))


def _row(node: Node) -> str:
    equation = equations()[node.label]
    formula = equation and (
        rf'<tr><td colspan="6"><div class="math">\[{html.escape(equation.latex())}\]</div></td></tr>'
    )
    where = html.escape(f"paper_map.html#eq-{node.label}", quote=True)
    return (
        f'<tbody id="{html.escape(node.key)}" data-status="{node.words}">'
        f'<tr><td><a href="{where}" title="in the map of the paper">({html.escape(node.label)})</a></td>'
        f'<td>{html.escape(node.says)}</td><td class="{KINDS[node.state]}">{node.words}</td>'
        f'<td data-head="Rests on">{_links(node.uses)}</td>'
        f'<td data-head="Used by">{_links(node.used_by)}</td>'
        f"<td>{' '.join(map(_sign, node.verdicts))}</td></tr>{formula or ''}</tbody>"
    )


def _links(labels: Iterable[str]) -> str:
    return (
        " ".join(f'<a href="{html.escape(address(label))}">({html.escape(label)})</a>' for label in labels)
        or "–"
    )


def _named(labels: Iterable[str]) -> str:
    return ", ".join(f"({label})" for label in labels) or "nothing"


def _sign(record: Record) -> str:
    kind = record.fields["kind"]
    title = html.escape(f"{record.outcome}: {record.fields['claim']}", quote=True)
    return (
        f'<a class="urep-mark urep-{kind}" href="{html.escape(record.link, quote=True)}" title="{title}">'
        f"{MEANING[kind][1]} {kind}</a>"
    )
