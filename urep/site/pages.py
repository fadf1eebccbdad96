"""What the book says of itself: the map of the paper, the tally, the notation, the errata, as pages."""

from __future__ import annotations

import html
import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from .. import claims
from ..checks import MEANING, label_of
from ..shown import Page, Table, html_cards, html_table
from .graph import around
from .items import EXPLORE, ITEMS
from .registry import numbers
from .verdicts import SIGNS, Record, about, records, references_folder, status

if TYPE_CHECKING:
    from ..experiments.runs import Sweep


def registered(number: str):
    """The registered equation of a number of the paper ("38") or of the book ("E3"), or None."""
    from ..equations import book, paper

    return paper.get(int(number)) if number.isdigit() else book.get(number)


def _formula(number: str, columns: int = 5) -> str:
    """A row with the registered equation as the page typesets it, or nothing."""
    known = registered(number)
    if known is None:
        return ""
    return rf'<tr><td colspan="{columns}"><div class="math">\[{html.escape(known.latex())}\]</div></td></tr>'


def _explore(number: str) -> str:
    query = EXPLORE.get(number)
    if query is None:
        return ""
    address = html.escape(f"explorer.html?{query}", quote=True)
    return f'<a class="urep-mark" href="{address}" title="see it in the explorer">▶ explore</a>'


def _graph(number: str) -> str:
    address = html.escape(around(number), quote=True)
    return f'<a class="urep-mark" href="{address}" title="what it rests on, what rests on it">⇄ graph</a>'


def _sign(record: Record) -> str:
    sign = MEANING[record.fields["kind"]][1]
    title = html.escape(f"{record.outcome}: {record.fields['claim']}", quote=True)
    return (
        f'<a class="urep-mark urep-{record.fields["kind"]}" href="{html.escape(record.link)}" '
        f'title="{title}">{sign} {record.fields["kind"]}</a>'
    )


def paper_map(kind: str, found: list[Record] | None = None) -> Page:
    """The table of one kind of item ("eq", "fig", "table"): what it says, its verdicts, linked."""
    if kind not in ("eq", "fig", "table"):
        raise ValueError(f"kind must be 'eq', 'fig' or 'table', got {kind!r}")
    found = records() if found is None else found
    rows, plain = [], []
    for item in ITEMS:
        if not item.key.startswith(kind + " "):
            continue
        own = about(item, found)
        number = item.key.split()[1]
        formula = _formula(number) if kind == "eq" else ""
        doors = f"{_explore(number)} {_graph(number)}" if kind == "eq" else ""
        rows.append(
            f'<tbody id="{item.key.replace(" ", "-")}" data-status="{status(own)}"><tr><td>{number}</td>'
            f"<td>{item.section}</td><td>{html.escape(item.says)}</td><td>{status(own)}</td>"
            f"<td>{' '.join(map(_sign, own))} {doors}</td></tr>{formula}</tbody>"
        )
        plain.append(f"{number:>3} {status(own)}")
    columns = "No.", "Section", "What it says", "Status", "Checks"
    return Page("\n".join(plain), html_table(columns, rows, filtered=True))


def own_equations(found: list[Record] | None = None) -> Page:
    """The table of the book's own equations: each with the checks that it was registered for."""
    from ..equations import book

    found = records() if found is None else found
    rows, plain = [], []
    for label, equation in book.items():
        lines = list(equation.lines)  # SymPy prints slowly, and there are many records
        proofs = [record for record in found if record.fields["registered"] == lines]
        rows.append(
            f'<tbody id="eq-{label}"><tr><td>{label}</td>'
            f"<td>{' '.join(map(_sign, proofs))} {_explore(label)} {_graph(label)}</td></tr>"
            f"{_formula(label, 2)}</tbody>"
        )
        kinds = [r.fields["kind"] for r in proofs]
        plain.append(f"{label:>4} " + ", ".join(f"{kinds.count(k)} {k}" for k in dict.fromkeys(kinds)))
    return Page("\n".join(plain), html_table(("Label", "Checks"), rows))


def beyond(found: list[Record] | None = None) -> Page:
    """The table of all claims that are about no numbered item, each with whose it is, linked."""
    found = records() if found is None else found
    own = [record for record in found if record.fields["item"].startswith("book ")]
    rows = [
        f"<tr><td>{html.escape(r.fields['item'].removeprefix('book '))}</td>"
        f"<td>{html.escape(r.fields['claim'])}</td><td>{r.whose}</td><td>{_sign(r)}</td></tr>"
        for r in own
    ]
    return Page(
        "\n".join(f"{r.fields['item']}: {r.fields['kind']}: {r.fields['claim']}" for r in own),
        html_table(("About", "Claim", "Whose", "Check"), rows),
    )


COUNTED = {
    "symbolic": "proved",
    "verification": "proved, by substitution",
    "definition": "by definition",
    "numerical": "two computations agree",
    "control": "controls: the nearest wrong thing misses",
}
"""Kinds of verdict that the tally counts by themselves, in words; the others are `OUTCOMES`."""

OUTCOMES = {
    "holds": ("confirmed", "seen"),
    "describes what it was fitted to": ("described",),
    "no better than a model that knows less": ("unskilled",),
    "assumption violated": ("violated",),
    "does not hold": ("refuted",),
}
"""What a claim about networks comes to, and the kinds of verdict that say so."""


def tally(found: list[Record] | None = None) -> Page:
    """The counts of items with a verdict, of claims of each kind, and a sign for each numbered item."""
    found = records() if found is None else found
    cards = []
    for kind, name in (("eq", "equations"), ("fig", "figures"), ("table", "tables")):
        items = [item for item in ITEMS if item.key.startswith(kind + " ")]
        done = sum(status(about(item, found)) != "planned" for item in items)
        cards.append((f"{done} of {len(items)}", f"{name} of the paper with a verdict"))
    for kind, words in COUNTED.items():
        cards.append((str(sum(record.fields["kind"] == kind for record in found)), words))
    plain = "\n".join(f"{number:>8}  {words}" for number, words in cards)
    networks = outcomes(found)
    markup = (
        f'{html_cards(cards)}<p class="urep-over">Claims about networks</p>'
        f"{networks._repr_html_()}{_ticks(found)}"
    )
    return Page(f"{plain}\n{networks!r}", markup)


def outcomes(found: list[Record] | None = None) -> Table:
    """The counts of claims about networks: the paper's and others', those that fresh runs judge apart."""
    found = records() if found is None else found
    columns = {
        "paper: fresh": (("paper", "assumption"), "confirmed"),
        "paper: explored": (("paper", "assumption"), "exploratory"),
        "other: fresh": (("code", "book"), "confirmed"),
        "other: explored": (("code", "book"), "exploratory"),
    }
    rows = [
        [words, *(_count(found, kinds, whose, stage) for whose, stage in columns.values())]
        for words, kinds in OUTCOMES.items()
    ]
    return Table(["outcome", *columns], rows)


def _count(found: list[Record], kinds: tuple[str, ...], whose: tuple[str, ...], stage: str) -> int:
    return sum(r.fields["kind"] in kinds and r.whose in whose and r.stage == stage for r in found)


FAILURES = {
    "paper": (("refuted",), ("paper",)),
    "assumption": (("violated",), ("assumption",)),
    "skill": (("unskilled",), ("paper",)),
    "book": (("refuted",), ("code", "book")),
}
"""What the errata list apart: the kinds of verdict, and whose claims."""


def refuted(which: str, found: list[Record] | None = None) -> Page:
    """The table of claims that do not hold, in the paper's order: one of the lists of `FAILURES`."""
    if which not in FAILURES:
        raise ValueError(f"which must be one of {', '.join(FAILURES)}; got {which!r}")
    found = records() if found is None else found
    kinds, whose = FAILURES[which]
    own = _in_order(r for r in found if r.fields["kind"] in kinds and r.whose in whose)
    rows = [
        f"<tr><td>{html.escape(label_of(r.fields['item']))}</td><td>{html.escape(r.fields['claim'])}</td>"
        f"<td>{html.escape(_by_how_much(r))}</td><td>{_sign(r)}</td></tr>"
        for r in own
    ]
    plain = "\n".join(f"{label_of(r.fields['item'])}: {r.fields['claim']}" for r in own) or "none"
    return Page(plain, html_table(("Item", "Claim", "By how much", "Check"), rows) if own else "<p>None.</p>")


def _in_order(found: Iterable[Record]) -> list[Record]:
    """Records in the order of the paper's items, then all others."""
    order = {item.key: number for number, item in enumerate(ITEMS)}
    return sorted(found, key=lambda record: order.get(record.fields["item"], len(order)))


def _by_how_much(record: Record) -> str:
    own = record.judgement
    if record.fields["kind"] == "unskilled":
        return f"against {claims.skilled(own)}"
    return f"{own['measure']}: {numbers(record)}"


def _ticks(found: list[Record]) -> str:
    """A sign for each numbered item, linked to the check that says most: what speaks against it, if any."""
    lines = []
    for kind, name in (("eq", "Equations"), ("fig", "Figures"), ("table", "Tables")):
        marks = []
        for item in (item for item in ITEMS if item.key.startswith(kind + " ")):
            own = about(item, found)
            word, number = status(own), item.key.split()[1]
            title = html.escape(f"{name[:-1]} {number}, {item.says}: {word}", quote=True)
            text = f'{number} <span aria-hidden="true">{SIGNS[word]}</span>'
            if own:
                telling = _telling(own)
                text = (
                    f'<a href="{html.escape(telling.link)}" title="{title}" aria-label="{title}">{text}</a>'
                )
            marks.append(f'<li data-status="{word}">{text}</li>')
        lines.append(f'<p class="urep-over">{name}</p><ul class="urep-ticks">{"".join(marks)}</ul>')
    return "".join(lines)


def _telling(own: list[Record]) -> Record:
    """The first of the paper's claims that fails, worst first, or else the best check."""
    papers = [record for record in own if record.whose in ("paper", "assumption")]
    failed = (r for kind in ("refuted", "violated", "unskilled") for r in papers if r.fields["kind"] == kind)
    return next(failed, (papers or own)[0])


def notation() -> Page:
    """The table of letters: sign, Python name, meaning, unit, where the paper defines it."""
    from ..equations import NOTATION

    rows = [
        rf'<tr><td><span class="math">\({html.escape(q.latex)}\)</span></td><td><code>{q.name}</code></td>'
        f"<td>{html.escape(q.meaning)}</td><td>{q.unit}</td><td>{q.shape}</td><td>{q.defined}</td></tr>"
        for q in NOTATION
    ]
    return Page(
        "\n".join(f"{q.name}: {q.meaning} [{q.unit}; {q.shape}] {q.defined}" for q in NOTATION),
        html_table(("Sign", "Python", "Meaning", "Unit", "Shape", "Defined in"), rows),
    )


# --- mutants ---


def mutation_score() -> Page:
    """The result of the last complete run of mutants of equations, as `tests/mutations.json` keeps it."""
    path = references_folder().parent / "mutations.json"
    return mutants_table(json.loads(path.read_text(encoding="utf-8")))


def mutants_table(record: dict) -> Page:
    """How many mutants were accused, stopped a page otherwise or survived, and which; of which sample."""
    rows = record["equations"]
    mutants, accused, raised = (
        sum(row[word] for row in rows.values()) for word in ("mutants", "accused", "raised")
    )
    survivors = [f"{number}: {name}" for number, row in rows.items() for name in row["survived"]]
    table = Table(
        ["mutants", "accused by name", "stopped otherwise", "survived", "sampled by make test", "commit"],
        [[mutants, accused, raised, len(survivors), record["sampled"], record["commit"][:10]]],
    )
    told = survivors or ["No mutant survived."]
    listed = "".join(f"<li>{html.escape(line)}</li>" for line in told)
    return Page("\n".join([repr(table), *told]), f"{table._repr_html_()}<ul>{listed}</ul>")


def certified() -> Table:
    """What rounding can do to `urep.solve`, by regions, as `tests/proofs/boxes.json` keeps it."""
    path = references_folder().parent / "proofs" / "boxes.json"
    kept = json.loads(path.read_text(encoding="utf-8"))

    def largest(errors: dict) -> str:
        worst = max(errors.values())
        return f"{worst:.1e}" if worst else "no start met"  # in a box at the end of the sliders

    errors = [[largest(row["errors"]), largest(row["seen"])] for row in kept["regions"]]
    rising = f"{kept['bound']:g}, or {kept['bound'] * kept['shell']:g}/distance if that is more"
    bounds = f"{kept['bound']:g}", rising
    rows = [
        [row["region"], bounds[row["rises"]], row["certified"], row["open"], *both]
        for row, both in zip(kept["regions"], errors, strict=True)
    ]
    head = [
        "starts",
        "bound",
        "boxes certified",
        "boxes open",
        "largest error certified",
        "largest seen there",
    ]
    return Table(head, rows)


# --- stored runs ---


def provenance() -> Table:
    """The table of all stored files: what is in each, what made it, when, where, in how long.

    A commit that ends in "+" had uncommitted changes. Arithmetic is torch's instruction set and what
    the compiled kernel was compiled for; files from before it was recorded say so.
    """
    from ..experiments import runs  # which brings torch, that no other page of the site needs

    columns = ["file", "trials", "seeds", "took", "commit", "day", "torch", "machine", "arithmetic"]
    rows = [_provenance_row(known, known.load().provenance["trials"]) for known in runs.SWEEPS.values()]
    return Table(columns, rows)


def _provenance_row(known: Sweep, made: list[dict]) -> list:
    from ..experiments.store import short_commit  # which brings torch too

    def every(value: Callable[[dict], str]) -> str:
        return ", ".join(sorted({value(trial) for trial in made}))

    seeds = sorted({trial.seed for trial in known.trials})
    return [
        known.name,
        len(made),
        seeds[0] if len(seeds) == 1 else f"{seeds[0]} to {seeds[-1]}",
        f"{sum(trial['seconds'] for trial in made):.0f} s",
        every(lambda trial: short_commit(trial["commit"])),
        every(lambda trial: datetime.fromtimestamp(trial["at"], UTC).date().isoformat()),
        every(lambda trial: trial["versions"]["torch"]),
        every(lambda trial: trial["machine"]),
        every(lambda trial: _arithmetic(trial.get("arithmetic"))),
    ]


def _arithmetic(recorded: dict | None) -> str:
    if recorded is None:
        return "not recorded"
    return f"{recorded['instructions']}, {recorded['compiled for']}, threads: {recorded['threads']}"
