"""What the book says of itself: the map of the paper, the tally, the notation, the errata, as pages."""

from __future__ import annotations

import html
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from ..checks import MEANING, Verdict
from ..shown import Page, Table, html_table
from .items import EXPLORE, ITEMS
from .verdicts import Record, about, records, status

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


def _sign(record: Record) -> str:
    words, sign = MEANING[record.fields["kind"]]
    title = html.escape(f"{words}: {record.fields['claim']}", quote=True)
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
        formula, explore = (_formula(number), _explore(number)) if kind == "eq" else ("", "")
        rows.append(
            f'<tbody id="{item.key.replace(" ", "-")}" data-status="{status(own)}"><tr><td>{number}</td>'
            f"<td>{item.section}</td><td>{html.escape(item.says)}</td><td>{status(own)}</td>"
            f"<td>{' '.join(map(_sign, own))} {explore}</td></tr>{formula}</tbody>"
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
        proofs = [r for r in found if r.fields["registered"] == list(equation.lines)]
        rows.append(
            f'<tbody id="eq-{label}"><tr><td>{label}</td>'
            f"<td>{' '.join(map(_sign, proofs))} {_explore(label)}</td></tr>{_formula(label, 2)}</tbody>"
        )
        plain.append(f"{label:>4} {len(proofs)} derived")
    return Page("\n".join(plain), html_table(("Label", "Checks"), rows))


def beyond(found: list[Record] | None = None) -> Page:
    """The table of the book's own results: each claim that is not about a numbered item, linked."""
    found = records() if found is None else found
    own = [record for record in found if record.fields["item"].startswith("book ")]
    rows = [
        f"<tr><td>{html.escape(r.fields['item'].removeprefix('book '))}</td>"
        f"<td>{html.escape(r.fields['claim'])}</td><td>{_sign(r)}</td></tr>"
        for r in own
    ]
    return Page(
        "\n".join(f"{r.fields['item']}: {r.fields['kind']}: {r.fields['claim']}" for r in own),
        html_table(("Result", "Claim", "Check"), rows),
    )


def tally(found: list[Record] | None = None) -> Page:
    """The counts of equations, figures and tables with a verdict, and of checks of each kind."""
    found = records() if found is None else found
    cards = []
    for kind, name in (("eq", "equations"), ("fig", "figures"), ("table", "tables")):
        items = [item for item in ITEMS if item.key.startswith(kind + " ")]
        done = sum(status(about(item, found)) != "planned" for item in items)
        cards.append((f"{done} of {len(items)}", f"{name} of the paper with a verdict"))
    for kind, (words, _) in MEANING.items():
        count = sum(record.fields["kind"] == kind for record in found)
        cards.append((str(count), f"{kind}: {words}"))
    plain = "\n".join(f"{number:>8}  {words}" for number, words in cards)
    body = "".join(
        f'<div class="urep-card"><strong>{number}</strong><span>{words}</span></div>'
        for number, words in cards
    )
    return Page(plain, f'<div class="urep-tally">{body}</div>{_ticks(found)}')


def refuted(found: list[Record] | None = None) -> Page:
    """The table of all claims that do not hold, in the paper's order, each linked to where it failed."""
    found = records() if found is None else found
    order = {item.key: number for number, item in enumerate(ITEMS)}
    own = [record for record in found if record.fields["kind"] == "refuted"]
    own.sort(key=lambda record: order.get(record.fields["item"], len(order)))
    names = [Verdict(r.fields["item"], r.fields["claim"], "refuted").label for r in own]
    rows = [
        f"<tr><td>{html.escape(name)}</td><td>{html.escape(r.fields['claim'])}</td>"
        f"<td>{r.fields['measured']}, above {r.fields['bound']:.2g}: {html.escape(r.fields['because'])}</td>"
        f"<td>{_sign(r)}</td></tr>"
        for name, r in zip(names, own, strict=True)
    ]
    plain = "\n".join(f"{name}: {r.fields['claim']}" for name, r in zip(names, own, strict=True))
    return Page(plain, html_table(("Item", "Claim", "By how much", "Check"), rows))


TICKS = {"proved": "✓", "checked": "✓", "holds in part": "✓✗", "does not hold": "✗", "planned": "·"}
"""For each status the sign that the front page shows."""


def _ticks(found: list[Record]) -> str:
    """A sign for each numbered item, linked to the check that says most: the refutation, if there is one."""
    lines = []
    for kind, name in (("eq", "Equations"), ("fig", "Figures"), ("table", "Tables")):
        marks = []
        for item in (item for item in ITEMS if item.key.startswith(kind + " ")):
            own = about(item, found)
            word, number = status(own), item.key.split()[1]
            title = html.escape(f"{name[:-1]} {number}, {item.says}: {word}", quote=True)
            text = f'{number} <span aria-hidden="true">{TICKS[word]}</span>'
            if own:
                telling = next((r for r in own if r.fields["kind"] == "refuted"), own[0])
                text = (
                    f'<a href="{html.escape(telling.link)}" title="{title}" aria-label="{title}">{text}</a>'
                )
            marks.append(f'<li data-status="{word}">{text}</li>')
        lines.append(f'<p>{name}</p><ul class="urep-ticks">{"".join(marks)}</ul>')
    return "".join(lines)


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
