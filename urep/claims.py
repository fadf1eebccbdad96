"""Claims about networks: what each says, whose it is and what decides it, written down before its evidence.

The registry is `book/claims`, a file for each page, a table for each claim. A page measures; `judge` takes
statistic and bound from the registry, and says what the numbers come to: on the exploratory data, on which
claim and bound were chosen, and on fresh runs, where there are some.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    # Each function that computes imports NumPy itself: algebra, which runs in a reader's browser, has none.
    import numpy as np
    from numpy.typing import ArrayLike

FOLDER = Path(__file__).resolve().parents[1] / "book" / "claims"
"""Folder of the registry, beside the pages."""

WHOSE = {
    "paper": "the paper's claim",
    "assumption": "an assumption that the paper declares",
    "code": "what the authors' code does",
    "book": "this book's claim",
}
"""Whose a claim may be, in words."""

ROLES = ("prediction", "description", "observation", "control")
"""What a claim may be: of data that its model has not seen, of data that it was fitted to, of networks
without a model, or the nearest wrong thing, which has to miss."""

STATISTICS = ("tail", "median", "value")
"""What is compared with a bound: the tail on its side, the median of the runs, or one number."""

TAIL, MANY = 0.05, 20
"""Share of the runs that the tail leaves out, where there are as many as this; of fewer it is the worst."""

DRAWS, CONFIDENCE = 2000, 0.9
"""Bootstrap samples of an interval, and its level."""

JUDGED = ("item", "role", "sentence", "measure", "statistic", "below", "above", "null", "explored",
          "confirmed", "runs")  # fmt: skip
"""Fields that must not change once the runs which judge a claim are there; whose it is may be corrected."""

_REQUIRED = ("item", "whose", "role", "sentence", "measure", "statistic", "because", "explored")
_OPTIONAL = ("below", "above", "null", "no_null", "no_spread", "confirmed", "runs", "leaves_out", "was",
             "superseded", "digits")  # fmt: skip

ITEM = re.compile(r"(eq|fig|table) [1-9]\d*|book ([a-z0-9 -]+|E?\d+[=+'-]?)")
"""What a claim may be about: "eq 38", "fig 2", "table 1", "book E9" or "book " and a name."""

NAME = re.compile(r"[a-z0-9_]+\.[a-z0-9-]+")
"""The name of a claim: its page and its own."""


@dataclass(frozen=True)
class Claim:
    """One entry of the registry; `bound` is `below` or `above` it, whichever was given.

    `superseded` names the claim that says the same against a stronger null: shown with the outcome, and no
    part of it. `digits` is 1 where two digits are not the same on all processors; what decides has all.
    """

    id: str
    item: str
    whose: str
    role: str
    sentence: str
    measure: str
    statistic: str
    because: str
    explored: str
    below: float | None = None
    above: float | None = None
    null: str = ""
    no_null: str = ""
    no_spread: str = ""
    confirmed: str = ""
    runs: tuple[str, ...] = ()
    leaves_out: str = ""
    was: str = ""
    superseded: str = ""
    digits: int = 2

    @property
    def bound(self) -> float:
        """The number that decides."""
        return self.below if self.above is None else self.above

    @property
    def seeds(self) -> range | None:
        """Seeds of the fresh runs, None where there are none."""
        if not self.confirmed:
            return None
        first, last = map(int, self.confirmed.split("-"))
        return range(first, last + 1)

    def holds(self, number: float) -> bool:
        """Whether a number is on the right side of the bound."""
        return bool(number > self.above if self.below is None else number < self.below)


# --- the registry ---------------------------------------------------------------------------


def claim(name: str) -> Claim:
    """The claim of a name, "page.claim"; raises KeyError, naming those there are, for an unknown one.

    Raises ValueError, naming the field, for an entry that breaks the protocol.
    """
    page, _, own = name.partition(".")
    path = FOLDER / f"{page}.toml"
    if not path.exists():
        pages = ", ".join(sorted(path.stem for path in FOLDER.glob("*.toml")))
        raise KeyError(f"no claims of a page {page!r} (claim {name!r}); there are: {pages}")
    entries = tomllib.loads(path.read_text(encoding="utf-8"))
    if own not in entries:
        raise KeyError(f"{path.name} has no claim {own!r}; it has: {', '.join(entries)}")
    return entry(name, entries[own])


def every() -> dict[str, Claim]:
    """Every claim of the registry by name, page by page; raises ValueError where one breaks the protocol."""
    found = {}
    for path in sorted(FOLDER.glob("*.toml")):
        for own, fields in tomllib.loads(path.read_text(encoding="utf-8")).items():
            name = f"{path.stem}.{own}"
            found[name] = entry(name, fields)
    for name, known in found.items():
        if known.superseded and known.superseded not in found:
            raise ValueError(f"claim {name!r}: superseded names {known.superseded!r}, which is no claim")
    return found


def entry(name: str, fields: Mapping) -> Claim:
    """The claim that a table of the registry holds; raises ValueError, naming the field, for a wrong one."""

    def refuse(why: str):
        raise ValueError(f"claim {name!r}: {why}")

    missing = [field for field in _REQUIRED if not str(fields.get(field, "")).strip()]
    if missing:
        refuse(f"{missing[0]} must be given")
    unknown = sorted(set(fields) - set(_REQUIRED) - set(_OPTIONAL))
    if unknown:
        refuse(f"{unknown[0]} is no field of a claim; they are {', '.join((*_REQUIRED, *_OPTIONAL))}")
    for field, allowed in (("whose", tuple(WHOSE)), ("role", ROLES), ("statistic", STATISTICS)):
        if fields[field] not in allowed:
            refuse(f"{field} must be one of {', '.join(allowed)}; got {fields[field]!r}")
    if not ITEM.fullmatch(fields["item"]):
        refuse(f"item must be like 'eq 38', 'fig 2', 'table 1' or 'book name', got {fields['item']!r}")
    why = incomplete(fields["sentence"])
    if why:
        refuse(f"sentence {why}: {fields['sentence']!r}")
    _require_bound(fields, refuse)
    _require_null(fields, refuse)
    _require_statistic(fields, refuse)
    _require_runs(fields, refuse)
    later = fields.get("superseded", "")
    if later and (not NAME.fullmatch(later) or later == name):
        refuse(f"superseded must be the name of another claim, like 'page.claim', got {later!r}")
    if fields.get("digits", 2) not in (1, 2):
        refuse(f"digits must be 1 or 2, got {fields['digits']!r}")
    return Claim(id=name, **{**fields, "runs": tuple(fields.get("runs", ()))})


def _require_bound(fields: Mapping, refuse) -> None:
    bounds = [fields[side] for side in ("below", "above") if side in fields]
    if len(bounds) != 1:
        refuse("one of below and above must be given")
    bound = bounds[0]
    if isinstance(bound, bool) or not isinstance(bound, int | float) or not isfinite(bound):
        refuse(f"the bound must be a finite number, got {bound!r}")
    if fields["role"] == "control" and "below" in fields:
        refuse("a control misses by more than a bound: it needs above")


def _require_null(fields: Mapping, refuse) -> None:
    given = [field for field in ("null", "no_null") if fields.get(field, "").strip()]
    if len(given) != 1:
        refuse("null must say which model knows less, or no_null why none applies")
    if fields["role"] in ("prediction", "description") and given == ["no_null"]:
        refuse(f"a {fields['role']} needs null, the strongest model that knows less")
    if given == ["null"] and "above" in fields:
        refuse("a claim with a null measures an error: it needs below")


def _require_statistic(fields: Mapping, refuse) -> None:
    sentence, statistic = fields["sentence"].lower(), fields["statistic"]
    if statistic == "median" and not ("typically" in sentence or "median" in sentence):
        refuse("statistic is the median: the sentence must say 'typically' or 'median'")
    if statistic != "value" and fields.get("no_spread"):
        refuse("no_spread belongs to statistic = 'value'; tail and median show their spread")


def _require_runs(fields: Mapping, refuse) -> None:
    confirmed, stored = fields.get("confirmed", ""), fields.get("runs", ())
    if bool(confirmed) != bool(stored):
        refuse("confirmed and runs must be given together: fresh seeds, and the stored files that hold them")
    if confirmed and not re.fullmatch(r"\d+-\d+", confirmed):
        refuse(f"confirmed must be seeds like '100-119', got {confirmed!r}")


_OPENINGS = re.compile(
    r"\(?(its?|they|their|them|this|that|these|those|such|he|she|and|but|so|or|then|there|here|also|too|which"
    r"|where|is|are|has|have|does|do|was|were|in (these|this|that|those|such))\b",
    re.I,
)
_POINTERS = re.compile(
    r"\b(this page|this chapter|as well(?! as)|the same networks?|do(es)? too|above|below one|as above|"
    r"said so|(?<!\band )do(es)? so|either way)\b",
    re.I,
)


def incomplete(sentence: str) -> str:
    """Why a sentence cannot be read without its page; empty where it can.

    It has a capital or a formula first, a full stop last, six words at least, a subject of its own, and no
    word that points at what stands elsewhere.
    """
    text = sentence.strip()
    opening = _OPENINGS.match(text)
    if opening:
        return f"must name its subject, and not begin with {opening[0]!r}"
    if text[:1].islower() and not re.match(r"[a-z](_|/|\()|dh|dy|dx|w\b", text):
        return "must begin with a capital or a formula"
    if not text.endswith("."):
        return "must end with a full stop"
    if len(text.split()) < 6:
        return "must say what is claimed of what, in six words at least"
    pointer = _POINTERS.search(text)
    if pointer:
        return f"must stand alone, and not say {pointer[0]!r}"
    if re.search(r"\b(also|already)\b|\btoo\b(?= *[.,;])", text):
        return "must stand alone, without 'too', 'also' or 'already'"
    return ""


# --- judgement ------------------------------------------------------------------------------


@dataclass(frozen=True)
class Evidence:
    """The numbers of one set of runs: the statistic, the median, 5% and 95%, how many; skill beyond the null.

    `low` and `high` are quantiles over runs, or the interval of a single number, None where it has none.
    `skill` is 1 - median error / median error of the null, with a bootstrap interval over the runs, or over
    `groups` of runs that are not independent. `left_out` numbers of stored runs are not among them.
    """

    number: float
    holds: bool
    runs: int
    median: float | None = None
    low: float | None = None
    high: float | None = None
    skill: tuple[float, float, float] | None = None
    groups: int | None = None
    left_out: int = 0


@dataclass(frozen=True)
class Judgement:
    """A claim held against exploratory runs, and against fresh ones where there are some."""

    claim: Claim
    explored: Evidence
    fresh: Evidence | None = None

    @property
    def deciding(self) -> Evidence:
        """What decides: the fresh runs, where there are some."""
        return self.fresh or self.explored

    @property
    def stage(self) -> str:
        """Whether runs judge the claim that it was decided before, or those that it was made from."""
        return "confirmed" if self.fresh else "exploratory"

    @property
    def kind(self) -> str:
        """The kind of verdict that the numbers come to, one of `checks.MEANING`."""
        if self.claim.role == "control":
            return "control"
        if not self.deciding.holds:
            return "violated" if self.claim.whose == "assumption" else "refuted"
        if self.deciding.skill is not None and self.deciding.skill[1] <= 0:
            return "unskilled"
        if self.claim.role == "description":
            return "described"
        return "confirmed" if self.fresh else "seen"

    def record(self) -> dict:
        """What pages are made from: the claim's fields, and the numbers in two digits or in one."""
        fields = asdict(self.claim)
        shown = fields.pop("digits")
        if not self.claim.superseded:
            del fields["superseded"]  # verdicts show a digest of their record, and those stay what they were
        numbers = {
            "explored": _rounded(self.explored, shown),
            "fresh": self.fresh and _rounded(self.fresh, shown),
        }
        return {**fields, "runs": list(self.claim.runs), "stage": self.stage, "evidence": numbers}

    def facts(self) -> list[tuple[str, str]]:
        """Whose claim, by what numbers, against which null, decided when: each with the word before it."""
        return facts(self.record())

    def details(self) -> str:
        """The facts in one line."""
        return "; ".join(f"{word}: {text}" for word, text in self.facts())


def judge(
    name: str,
    *,
    measured: ArrayLike,
    null: ArrayLike | None = None,
    interval: tuple[float, float] | None = None,
    skill: tuple[float, float, float] | None = None,
    groups: ArrayLike | None = None,
    fresh: ArrayLike | None = None,
    fresh_null: ArrayLike | None = None,
    fresh_groups: ArrayLike | None = None,
    left_out: int = 0,
) -> Judgement:
    """Hold the claim of a name against what a page measured on the exploratory runs and on fresh ones.

    measured and null: one number a run, paired; or one number where the statistic is "value", with its
    `interval`, and with `skill` (value, low, high) in place of `null`. groups: one label a run, where runs of
    one label are not independent; the skill's interval then comes from whole groups. fresh, fresh_null and
    fresh_groups: the same of the runs that the registry names, of which `left_out` numbers may be missing
    where the registry says why. Raises KeyError for an unknown claim, ValueError where the evidence is not
    what the registry asks for.
    """
    import numpy as np

    known = claim(name)
    if known.statistic == "value":
        if fresh is not None or fresh_null is not None:
            raise ValueError(f"claim {name!r}: fresh runs need one number a run, not statistic = 'value'")
        return Judgement(known, _of_one_number(known, measured, interval, skill, null))
    if interval is not None or skill is not None:
        raise ValueError(f"claim {name!r}: interval and skill belong to statistic = 'value'")
    if (fresh is None) != (not known.confirmed):
        raise ValueError(
            f"claim {name!r}: fresh must be given exactly where the registry has confirmed seeds, "
            f"which are {known.confirmed or 'none'}"
        )
    explored = _of_runs(known, "measured", measured, null, groups)
    if fresh is None:
        return Judgement(known, explored)
    if np.array_equal(measured, fresh) and not _is_one_count(measured):
        raise ValueError(
            f"claim {name!r}: fresh must come from other runs than measured, got the same numbers"
        )
    if bool(left_out) != bool(known.leaves_out) or left_out < 0:
        raise ValueError(
            f"claim {name!r}: left_out must be a count exactly where the registry says what it leaves out, "
            f"which is {known.leaves_out or 'nothing'!r}; got {left_out}"
        )
    return Judgement(known, explored, _of_runs(known, "fresh", fresh, fresh_null, fresh_groups, left_out))


def _is_one_count(values: ArrayLike) -> bool:
    """Whether all runs have one whole number, which fresh runs may have too."""
    import numpy as np

    values = np.asarray(values, dtype=float)
    return bool((values == values[0]).all() and values[0] == np.round(values[0]))


def _statistic(known: Claim, values: np.ndarray) -> float:
    """The number that is held against the bound."""
    import numpy as np

    if known.statistic == "median":
        return float(np.median(values))
    if values.size < MANY:
        return float(values.max() if known.above is None else values.min())
    return float(np.quantile(values, 1 - TAIL if known.above is None else TAIL))


def _of_runs(known: Claim, name: str, measured, null, groups, left_out: int = 0) -> Evidence:
    import numpy as np

    values = _checked(known, name, measured)
    number, beyond = _statistic(known, values), None
    if (null is not None) != bool(known.null):
        raise ValueError(
            f"claim {known.id!r}: errors of the null must be given exactly where the registry has a null, "
            f"which is {known.null or 'none'!r}"
        )
    if null is not None:
        errors = _checked(known, f"null of {name}", null)
        if errors.shape != values.shape:
            raise ValueError(
                f"claim {known.id!r}: {errors.size} errors of the null for {values.size} of {name}"
            )
        try:
            beyond = skill(values, errors, groups)
        except ValueError as wrong:
            raise ValueError(f"claim {known.id!r}: {wrong}") from wrong
    elif groups is not None:
        raise ValueError(f"claim {known.id!r}: groups belong to a skill, and the registry has no null")
    low, median, high = map(float, np.quantile(values, [TAIL, 0.5, 1 - TAIL]))
    independent = None if groups is None else len(np.unique(groups))
    return Evidence(
        number, known.holds(number), values.size, median, low, high, beyond, independent, left_out
    )  # fmt: skip


def _checked(known: Claim, name: str, values: ArrayLike) -> np.ndarray:
    import numpy as np

    values = np.asarray(values, dtype=float)
    if values.ndim != 1 or values.size < 2:
        raise ValueError(f"claim {known.id!r}: {name} must be one number a run, got shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError(f"claim {known.id!r}: {name} must be finite, got {values[~np.isfinite(values)][0]}")
    return values


def _of_one_number(known: Claim, measured, interval, skill, null) -> Evidence:
    import numpy as np

    if np.ndim(measured) != 0:
        raise ValueError(
            f"claim {known.id!r}: statistic is 'value', one number, got shape {np.shape(measured)}"
        )
    if null is not None:
        raise ValueError(f"claim {known.id!r}: one number takes skill=(value, low, high), and no null=")
    if (skill is not None) != bool(known.null):
        raise ValueError(f"claim {known.id!r}: skill must be given exactly where the registry has a null")
    if (interval is None) != bool(known.no_spread):
        raise ValueError(f"claim {known.id!r}: interval must be given, or the registry say no_spread and why")
    numbers = [float(measured), *(interval or ()), *(skill or ())]
    if not np.isfinite(numbers).all():
        raise ValueError(f"claim {known.id!r}: measured, interval and skill must be finite, got {numbers}")
    low, high = interval or (None, None)
    for name, ends in (("interval", interval), ("skill", skill and skill[1:])):
        if ends and ends[0] > ends[1]:
            raise ValueError(f"claim {known.id!r}: {name} must go from low to high, got {ends}")
    return Evidence(float(measured), known.holds(float(measured)), 1, None, low, high, skill)


def skill(errors: ArrayLike, null: ArrayLike, groups: ArrayLike | None = None) -> tuple[float, float, float]:
    """Skill, 1 - median error / median error of a null model, and its bootstrap interval.

    errors and null: (n,), paired, by run; groups as in `bootstrap`. Raises ValueError for a negative error,
    and where the null typically makes none.
    """
    import numpy as np

    errors, null = np.asarray(errors, dtype=float), np.asarray(null, dtype=float)
    typical = np.median(null)
    if (errors < 0).any() or (null < 0).any() or typical == 0:
        raise ValueError("errors must be >= 0, those of the null with a median > 0")

    def beyond(errors: np.ndarray, null: np.ndarray) -> float:
        theirs = np.median(null)
        return 1 - np.median(errors) / (theirs if theirs > 0 else typical)

    return float(beyond(errors, null)), *bootstrap(beyond, errors, null, groups=groups)


def bootstrap(statistic, *samples: ArrayLike, groups: ArrayLike | None = None) -> tuple[float, float]:
    """Bootstrap interval of a statistic of paired samples, at the level that verdicts show.

    statistic: a function of as many (n,) arrays as samples. groups: one label a row, where rows of one label
    are not independent and are drawn together. Draws are the same each time.
    """
    import numpy as np

    columns = [np.asarray(sample, dtype=float) for sample in samples]
    drawn = _drawn(len(columns[0]), groups)
    found = [statistic(*(column[rows] for column in columns)) for rows in drawn]
    low, high = np.quantile(found, [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def _drawn(size: int, groups: ArrayLike | None) -> list[np.ndarray]:
    """Rows of each bootstrap sample: of all rows, or of whole groups of them."""
    import numpy as np

    random = np.random.default_rng(0)
    if groups is None:
        return list(random.integers(size, size=(DRAWS, size)))
    labels = np.asarray(groups)
    if labels.shape != (size,):
        raise ValueError(f"groups must be one label a run, {size}, got {labels.shape}")
    members = [np.flatnonzero(labels == label) for label in np.unique(labels)]
    if len(members) < 2:
        raise ValueError(f"groups must be two at least, got {str(labels[0])!r} for all runs")
    choices = random.integers(len(members), size=(DRAWS, len(members)))
    return [np.concatenate([members[k] for k in chosen]) for chosen in choices]


# --- in words -------------------------------------------------------------------------------


def digits(number: float | None, shown: int = 2) -> str | None:
    """A number in two digits, or in as many as are shown."""
    return None if number is None else f"{number:.{shown}g}"


def facts(record: dict) -> list[tuple[str, str]]:
    """What a reader has to know of a record's judgement besides its outcome, with the word before each."""
    found = [
        ("whose", f"{WHOSE[record['whose']]} ({record['role']})"),
        ("measured", record["measure"]),
        ("wanted", f"{wanted(record)}: {record['because']}"),
        ("explored", f"{record['explored']}: {seen(record, 'explored')}"),
    ]
    if record["confirmed"]:
        found.append(("fresh", f"seeds {record['confirmed']}, trained afterwards: {seen(record, 'fresh')}"))
    found.append(("null model", skilled(record)))
    if record["was"]:
        found.append(("before", record["was"]))
    if record.get("superseded"):
        found.append(("superseded", f"by {record['superseded']}, whose null model is stronger"))
    return found


def wanted(record: dict) -> str:
    """The bound in words, and how many of the runs have to keep it."""
    side = "above" if record["below"] is None else "below"
    of = {
        "tail": f" in {1 - TAIL:.0%} of runs, in all of fewer than {MANY}",
        "median": " in the median",
        "value": "",
    }
    return f"{side} {record[side]:g}{of[record['statistic']]}"


def seen(record: dict, data: str) -> str:
    """What was measured on "explored" or "fresh" data, in words: the number that decides, and its spread."""
    found = record["evidence"][data]
    number, between = found["number"], f"{found['low']} to {found['high']}"
    if record["statistic"] == "value":
        return (
            f"{number} (no spread: {record['no_spread']})"
            if found["low"] is None
            else f"{number} ({between})"
        )
    spread = f"5-95% {between}, {found['runs']} runs"
    if found["left_out"]:
        spread += f", without {found['left_out']}: {record['leaves_out']}"
    if record["statistic"] == "median":
        return f"median {number}, {spread}"
    side = "above" if record["below"] is None else "below"
    held = f"{1 - TAIL:.0%} {side}" if found["runs"] >= MANY else "the worst"
    return f"{held} {number}; median {found['median']}, {spread}"


def skilled(record: dict) -> str:
    """The null model, and the skill beyond it with its interval; or why there is none."""
    if not record["null"]:
        return f"none, {record['no_null']}"
    skills = []
    for data in ("explored", "fresh"):
        if record["evidence"][data]:
            found = record["evidence"][data]
            value, low, high = found["skill"]
            groups = f", over {found['groups']} groups" if found["groups"] else ""
            skills.append(f"{value} ({low} to {high}{groups}) {data}")
    return f"{record['null']}; skill {', '.join(skills)}"


def _rounded(evidence: Evidence, shown: int) -> dict:
    fields = asdict(evidence)
    for name in ("number", "median", "low", "high"):
        fields[name] = digits(fields[name], shown)
    if evidence.skill is not None:
        fields["skill"] = [digits(value, shown) for value in evidence.skill]
    return fields
