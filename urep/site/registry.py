"""The page of all claims: each entry of the registry with what came out, made from the executed pages."""

from __future__ import annotations

import html
from datetime import UTC, datetime
from functools import cache

from .. import claims
from ..checks import MEANING, escaped, facts_html, label_of
from ..shown import Page, html_table
from .verdicts import Record, records


def judged(found: list[Record] | None = None) -> list[Record]:
    """Records of claims that the registry decides, page by page."""
    found = records() if found is None else found
    return [record for record in found if record.judgement]


def all_claims(found: list[Record] | None = None) -> Page:
    """The table of all claims of the registry: what each says, what would have refuted it, what came out."""
    own = judged(found)
    rows = [_row(record) for record in own]
    plain = "\n".join(f"{r.judgement['id']}: {r.outcome}" for r in own)
    return Page(plain, html_table(("Item", "Claim", "Outcome"), rows, filtered=True, cards=True))


def _row(record: Record) -> str:
    own = record.judgement
    whose, measured, wanted, *seen = claims.facts(own)
    facts = [whose, measured, wanted, ("decided", decided(own)), *seen, ("entry", own["id"])]
    return (
        f'<tbody id="{html.escape(own["id"], quote=True)}" data-status="{record.outcome}"><tr>'
        f'<td class="urep-item">{html.escape(label_of(own["item"]))}</td>'
        f"<td>{escaped(own['sentence'])}{facts_html(facts)}</td>"
        f"<td>{_outcome(record)}</td></tr></tbody>"
    )


def answers(*names: str, found: list[Record] | None = None) -> Page:
    """The table of some claims, by id: what each says, what was seen and wanted, what came out, and where.

    Raises ValueError for a name that no executed page has judged.
    """
    known = {record.judgement["id"]: record for record in judged(found)}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise ValueError(f"names must be claims that a page judges, got {', '.join(unknown)}")
    own = [known[name] for name in names]
    plain = "\n".join(f"{r.judgement['id']}: {r.outcome}; {numbers(r)}" for r in own)
    rows = [
        f"<tr><td>{escaped(r.judgement['sentence'])}</td><td>{html.escape(numbers(r))}</td>"
        f"<td>{_outcome(r)}</td></tr>"
        for r in own
    ]
    return Page(plain, html_table(("Claim", "What was seen", "Outcome"), rows))


def numbers(record: Record) -> str:
    """What decides a claim, in words: what was seen, on fresh runs if there are any, and what was wanted."""
    own = record.judgement
    data = "fresh" if own["evidence"]["fresh"] else "explored"
    return f"{claims.seen(own, data)}; wanted {claims.wanted(own)}"


def _outcome(record: Record) -> str:
    """The outcome in words, a link to its check."""
    kind = record.fields["kind"]
    return (
        f'<a class="urep-{kind}" href="{html.escape(record.link, quote=True)}">'
        f'<span aria-hidden="true">{MEANING[kind][1]}</span> {record.outcome}</a>'
    )


def decided(judgement: dict) -> str:
    """When claim and bound were decided: after the explored data, or before the runs that judge it."""
    if not judgement["runs"]:
        return "claim and bound were chosen on the explored data"
    made = [trial for name in judgement["runs"] for trial in _trials(name)]
    commits = ", ".join(dict.fromkeys(trial["commit"][:10] for trial in made))
    days = sorted({datetime.fromtimestamp(trial["at"], UTC).date().isoformat() for trial in made})
    when = days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"
    return f"before the fresh runs, which were trained from commit {commits} on {when}"


@cache
def _trials(name: str) -> list[dict]:
    from ..experiments import runs  # which brings torch, that few pages of the site need

    return runs.sweep(name).load().provenance["trials"]
