"""All verdicts for machines: `verdicts.json` of the built site, and the JSON schema of it."""

from __future__ import annotations

from collections.abc import Iterable

from ..checks import MEANING
from . import graph, sentences
from .verdicts import Record, records

_TEXT, _FLAG, _COUNT = {"type": "string"}, {"type": "boolean"}, {"type": "integer", "minimum": 0}
_NUMBER, _TEXTS = {"type": ["number", "null"]}, {"type": "array", "items": _TEXT}
_LINES = {
    "type": "object",
    "additionalProperties": {"type": "array", "items": {"type": "integer", "minimum": 1}},
}
_DAY = {"type": "string", "pattern": r"^(\d{4}-\d{2}-\d{2})?$"}
_COMMIT = {"type": "string", "pattern": r"^([0-9a-f]{40}\+?)?$"}


def _of(meaning: str, properties: dict) -> dict:
    """A schema of an object that has these properties and no others."""
    return {
        "description": meaning,
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _or_null(schema: dict) -> dict:
    return schema | {"type": ["object", "null"]}


_DATA = _of(
    "What some runs came to: how many there are, the statistic, the spread, the skill with its interval.",
    {
        "runs": _COUNT,
        "left_out": _COUNT,
        "groups": {"type": ["integer", "null"]},
        "number": _NUMBER,
        "median": _NUMBER,
        "low": _NUMBER,
        "high": _NUMBER,
        "holds": _FLAG,
        "skill": {"type": ["array", "null"], "items": {"type": "number"}, "minItems": 3, "maxItems": 3},
    },
)

_CLAIM = _of(
    "One claim with its verdict.",
    {
        "id": {"description": "page.claim where the claim is registered, else its address", **_TEXT},
        "address": {"description": "from the folder of the site", **_TEXT},
        "about": {"description": "eq 38, fig 2, table 1, or 'book ' and a name", **_TEXT},
        "sentence": _TEXT,
        "verdict": {"enum": list(MEANING)},
        "outcome": _TEXT,
        "whose": {"enum": ["paper", "assumption", "code", "book"]},
        "measured": {
            "description": "null where algebra decides, and of two computations that agree: how far apart "
            "they are differs between machines, so no record keeps it; it is below the bound, or the build "
            "stops",
            **_NUMBER,
        },
        "bound": {"description": "what `measured` was held against; null where algebra decides", **_NUMBER},
        "because": _TEXT,
        "algebra": _or_null(
            _of(
                "Of a symbolic claim or control: lines as SymPy writes them, the equations of which it has "
                "lines, and those that it was derived from.",
                {
                    "assuming": _TEXTS,
                    "derived": _TEXTS,
                    "registered": _TEXTS,
                    "shows": _TEXTS,
                    "rests_on": _TEXTS,
                },
            )
        ),
        "networks": _or_null(
            _of(
                "Of a claim about networks: what decides it, and the data on which it was chosen and judged.",
                {
                    "role": _TEXT,
                    "stage": {"enum": ["exploratory", "confirmed"]},
                    "measure": _TEXT,
                    "statistic": {"enum": ["tail", "median", "value"]},
                    "below": _NUMBER,
                    "above": _NUMBER,
                    "null": _TEXT,
                    "no_null": _TEXT,
                    "no_spread": _TEXT,
                    "explored": _TEXT,
                    "confirmed": _TEXT,
                    "runs": _TEXTS,
                    "leaves_out": _TEXT,
                    "was": _TEXT,
                    "on_explored": _DATA,
                    "on_fresh": _or_null(_DATA),
                },
            )
        ),
    },
)

_EQUATION = _of(
    "An equation: what it says, whether it and all below it is proved, what it rests on, what rests on it.",
    {
        "says": _TEXT,
        "state": {"enum": [graph.PROVED, graph.DEFINED, graph.OPEN]},
        "founded": _FLAG,
        "rests_on": _TEXTS,
        "used_by": _TEXTS,
    },
)

_SENTENCE = _of(
    "A sentence of the paper in this book's words, and what the verdicts named come to.",
    {
        "section": {"enum": list(sentences.SECTIONS)},
        "says": _TEXT,
        "verdict": {"enum": list(sentences.VERDICTS)},
        "bears": _TEXTS,
        "against": _TEXTS,
    },
)

_KERNEL = _of(
    "What Coq's kernel checked in this build: its version, the axioms that are allowed, and the theorems.",
    {
        "coqc": _TEXT,
        "axioms": _TEXTS,
        "theorems": {
            "type": "array",
            "items": _of(
                "A theorem: where it is, what it says, the equations that it is about, and its axioms.",
                {
                    "name": _TEXT,
                    "file": _TEXT,
                    "says": _TEXT,
                    "checks": _TEXTS,
                    "presupposes": {
                        "description": "lines of equations before an arrow of the statement, from 1",
                        **_LINES,
                    },
                    "concludes": {
                        "description": "lines after the last arrow, of those that are not presupposed",
                        **_LINES,
                    },
                    "statement": {"description": "as Coq prints it", **_TEXT},
                    "axioms": _TEXTS,
                },
            ),
        },
    },
)

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "title": "Verdicts of When Representations Align, executed",
    **_of(
        "All claims of the book with their verdicts, its equations, and the sentences of the paper.",
        {
            "$schema": _TEXT,
            "version": _TEXT,
            "built": _of(
                "What the site was built from and when; both are empty in an export without a build.",
                {
                    "commit": {
                        "description": "+ where files differed from it; empty without git",
                        **_COMMIT,
                    },
                    "date": _DAY,
                },
            ),
            "meaning": {
                "description": "each verdict in words",
                "type": "object",
                "additionalProperties": _TEXT,
            },
            "claims": {"type": "array", "items": _CLAIM},
            "equations": {"type": "object", "additionalProperties": _EQUATION},
            "sentences": {"type": "array", "items": _SENTENCE},
            "kernel": {
                "description": "null where Coq is not installed, or did not check these proofs",
                **_or_null(_KERNEL),
            },
        },
    ),
}
"""What `verdicts.json` holds, as a JSON schema."""


def verdicts(
    found: Iterable[Record] | None = None, *, commit: str = "", date: str = "", checked: dict | None = None
) -> dict:
    """All claims with their verdicts, the graph of equations, and the sentences, as JSON holds them.

    `commit` and `date` are those of the build that writes them, `checked` what Coq checked (`kernel.record`).
    """
    from .. import __version__

    found = records() if found is None else list(found)
    return {
        "$schema": "verdicts.schema.json",
        "version": __version__,
        "built": {"commit": commit, "date": date},
        "meaning": {kind: words for kind, (words, _) in MEANING.items()},
        "claims": [_claim(record) for record in found],
        "equations": {label: _equation(node) for label, node in graph.nodes(found).items()},
        "sentences": [
            {"section": s.section, "says": s.says, "verdict": word, "bears": s.bears, "against": s.against}
            for s, word, _ in sentences.judged(found)
        ],
        "kernel": checked and _only(checked, _KERNEL) | {"theorems": _theorems(checked)},
    }


def _only(fields: dict, schema: dict) -> dict:
    """The fields that a schema knows."""
    return {name: fields[name] for name in schema["properties"]}


def _theorems(checked: dict) -> list[dict]:
    known = _KERNEL["properties"]["theorems"]["items"]
    return [_only(row, known) for row in checked["theorems"]]


def _claim(record: Record) -> dict:
    fields, judgement = record.fields, record.judgement
    address = f"book/{record.link}"
    return {
        "id": judgement["id"] if judgement else address,
        "address": address,
        "about": fields["item"],
        "sentence": fields["claim"],
        "verdict": fields["kind"],
        "outcome": record.outcome,
        "whose": record.whose,
        "measured": _number(fields["measured"]),
        "bound": fields["bound"],
        "because": fields["because"],
        "algebra": _algebra(fields) if fields["derived"] else None,
        "networks": _networks(judgement) if judgement else None,
    }


def _algebra(fields: dict) -> dict:
    names = _CLAIM["properties"]["algebra"]["properties"]
    return {name: fields.get(name, []) for name in names}


def _networks(judgement: dict) -> dict:
    names = _CLAIM["properties"]["networks"]["properties"]
    own = {name: judgement[name] for name in names if name in judgement}
    data = judgement["evidence"]
    return own | {"on_explored": _data(data["explored"]), "on_fresh": data["fresh"] and _data(data["fresh"])}


def _data(came_to: dict) -> dict:
    own = {name: came_to[name] for name in _DATA["properties"]}
    numbers = {name: _number(own[name]) for name in ("number", "median", "low", "high")}
    return own | numbers | {"skill": own["skill"] and [float(one) for one in own["skill"]]}


def _number(digits: str | None) -> float | None:
    """A number that a record has as text, so that its digits are the same on each machine."""
    return None if digits is None else float(digits)


def _equation(node: graph.Node) -> dict:
    return {
        "says": node.says,
        "state": node.state,
        "founded": node.founded,
        "rests_on": node.uses,
        "used_by": node.used_by,
    }
