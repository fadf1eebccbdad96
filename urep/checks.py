"""verify(...): the one way a chapter makes a claim.

*Symbolic* claims (both sides of derived lines equal those of registered ones, proved by algebra) and
*numerical* ones (two computations agree within a tolerance that has a reason) stand in their chapter; one
that does not hold raises ClaimFailed, which names the equation. Claims about networks stand in the registry,
`urep.claims`, with what decides them; they are shown as they come out. A *control* is something wrong that
must miss, and raises where it does not.

Each verdict leaves a record in the cell's output, from which the tally is made.
"""

from __future__ import annotations

import html
import json
import re
import sys
import zlib
from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from math import isfinite

from . import claims

MIME = "application/vnd.urep.check+json"
"""Key of a record in the metadata of a cell's output, where page builders leave it alone."""

MEANING = {
    "kernel": ("kernel-checked", "✓"),
    "symbolic": ("proved", "✓"),
    "verification": ("proved, by substitution", "✓"),
    "definition": ("by definition", "≡"),
    "numerical": ("agrees", "✓"),
    "confirmed": ("confirmed on fresh seeds", "✓"),
    "seen": ("seen in networks, exploratory", "✓"),
    "described": ("describes what it was fitted to", "✓"),
    "unskilled": ("no better than a model that knows less", "○"),
    "control": ("control", "✓"),
    "violated": ("assumption violated", "≠"),
    "refuted": ("does not hold", "✗"),
}
"""For each kind of verdict: the words and the sign that it shows."""

STAGES = {"confirmed": "on fresh seeds", "exploratory": "exploratory"}
"""Each stage of a claim about networks in words."""

OWNERS = {"book": "this book's claim", "code": "a claim about the authors' code"}
"""Whose a claim is that fails, where it is not the paper's: a figure of the paper does not fail by it."""

TRACE = ("shows", "rests_on")
"""What a record says of the derivation: of which equations it has lines, and on which it rests."""

HOW = {"derivation": "symbolic", "verification": "verification", "definition": "definition"}
"""For each way to a symbolic claim its kind: derived from elsewhere, the result substituted, or defined."""

WORDS = {"eq": "Equation ({})", "fig": "Figure {}", "table": "Table {}"}
"""Each kind of numbered item in words."""

EQUATIONS = range(1, 51)
"""Numbers of the paper's equations."""


def in_words(item: str) -> str:
    """An item in words: "eq 38" and "book E9" are equations, (38) and (E9), "fig 2" is Figure 2."""
    kind, number = item.split(" ", 1)
    if kind == "book" and re.fullmatch(r"E?\d+[=+'-]?", number):
        kind = "eq"
    return WORDS.get(kind, "{}").format(number)


def label_of(item: str) -> str:
    """An item as the paper writes it: (38), Figure 2, Table 1."""
    return in_words(item).removeprefix("Equation ")


def outcome(kind: str, stage: str | None, whose: str | None) -> str:
    """What came out in words; of a claim about networks whether fresh runs say so, and whose claim fails.

    `stage` and `whose` are None for claims that are not in the registry.
    """
    words = MEANING[kind][0]
    if kind == "refuted" and whose in OWNERS:
        words = f"{OWNERS[whose]} {words}"
    told = stage is None or kind in ("confirmed", "seen", "control")
    return words if told else f"{words}, {STAGES[stage]}"


class ClaimFailed(AssertionError):
    """A claim of the book does not hold; the message names the paper's equation and the miss."""


@dataclass(frozen=True)
class Verdict:
    """A claim that held: what it is about, its kind, and what was compared with what.

    `derived` and `registered` are the lines of a symbolic claim, "left = right" or an expression, with sides
    that SymPy reads back; `measured` is the number seen, `bound` what it was held against, `because` why that
    bound. `shows` are the labels of the equations that a symbolic claim has lines of, `rests_on` those of the
    equations that its page read on the way to it, where a page made it.
    """

    item: str
    claim: str
    kind: str
    assuming: tuple[str, ...] = ()
    derived: tuple[str, ...] = ()
    registered: tuple[str, ...] = ()
    measured: float | None = None
    bound: float | None = None
    because: str = ""
    judgement: claims.Judgement | None = None
    shows: tuple[str, ...] = ()
    rests_on: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        """Where on its page this verdict stands; the same for the same claim."""
        digest = zlib.crc32(f"{self.kind} {self.claim}".encode())
        name = re.sub(r"[^\w+-]", "-", self.item)
        return f"check-{name}-{digest:08x}"

    def record(self) -> dict:
        """What the tally is made from; free of digits that differ between machines."""
        shown = self.judgement.claim.digits if self.judgement else 2
        measured = None if self.kind == "numerical" else _digits(self.measured, shown)
        own = {**asdict(self), "measured": measured, "anchor": self.anchor}
        own |= {"judgement": self.judgement and self.judgement.record()}
        return own if self.shows else {key: own[key] for key in own if key not in TRACE}

    def _digest(self) -> str:
        # Of what is claimed: from which equations a page came to it stands in the record alone.
        said = {key: value for key, value in self.record().items() if key not in TRACE}
        return f"{zlib.crc32(json.dumps(said, sort_keys=True).encode()):08x}"

    @property
    def label(self) -> str:
        """The item as the paper writes it: (38), Figure 2, Table 1."""
        return label_of(self.item)

    @property
    def words(self) -> str:
        """What came out, and of a claim about networks whether fresh runs say so."""
        found = self.judgement
        return outcome(self.kind, found and found.stage, found and found.claim.whose)

    def _details(self) -> tuple[str, str, str]:
        """Number and bound in words: what comes before the number, the number, what comes after it."""
        if self.judgement is not None:
            return self.judgement.details(), "", ""
        if self.bound is None:
            return "assuming " + "; ".join(self.assuming) if self.assuming else "", "", ""
        return "seen ", f"{self.measured:.1e}", f", allowed < {_digits(self.bound)}: {self.because}"

    def __repr__(self) -> str:
        words, sign = self.words, MEANING[self.kind][1]
        before, number, after = self._details()
        detail = before + ("…" if self.kind == "numerical" else number) + after
        return f"{sign} {self.label} {words}: {self.claim}" + (f" [{detail}]" if detail else "")

    def _repr_html_(self) -> str:
        # The digest lets nbval, which compares HTML and not metadata, see a changed record.
        data = f'data-record="{self._digest()}"'
        if self.judgement:
            data += f' data-stage="{self.judgement.stage}"'
        return (
            f'<div class="urep-verdict urep-{self.kind}" id="{self.anchor}" {data}>'
            f'<span class="urep-sign" aria-hidden="true">{MEANING[self.kind][1]}</span> '
            f'<span class="urep-item">{html.escape(self.label)}</span> '
            f'<span class="urep-kind">{self.words}</span> '
            f'<span class="urep-claim">{escaped(self.claim)}</span>{self._details_html()}</div>'
        )

    def _details_html(self) -> str:
        if self.judgement is not None:
            return facts_html(self.judgement.facts())
        before, number, after = map(escaped, self._details())
        if self.kind == "numerical":  # digits that differ between machines
            number = f'<span class="urep-noise">{number}</span>'
        detail = before + number + after
        return f'<span class="urep-detail">{detail}</span>' if detail else ""

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}, {MIME: self.record()}


def escaped(text: str) -> str:
    """Escaped text in which A_high has a subscript."""
    return re.sub(r"\bA_(high|low)(?![a-zA-Z_])", r"A<sub>\1</sub>", html.escape(text))


def facts_html(facts: Iterable[tuple[str, str]]) -> str:
    """What a reader has to know of a judgement as a list: each fact with the word before it."""
    rows = (f"<div><dt>{word}</dt><dd>{escaped(text)}</dd></div>" for word, text in facts)
    # The theme sets lists of another class apart by three lines.
    return f'<dl class="urep-facts simple">{"".join(rows)}</dl>'


def verify(item: str, claim: str | None = None, **evidence) -> None:
    """Hold a claim against its evidence and show the verdict.

    `verify("page.claim", measured=...)` takes the claim from the registry, and its evidence as
    `urep.claims.judge` does; it shows what comes out, whatever it is. With an item and a claim it takes the
    arguments of `check`, and raises ClaimFailed when the claim does not hold, as a control always does.
    """
    verdict = judged(item, **evidence) if claim is None else check(item, claim, **evidence)
    try:
        from IPython import get_ipython
    except ImportError:
        return
    shell = get_ipython()
    if shell is not None:
        from IPython.display import display

        if verdict.shows:
            verdict = _traced(verdict, evidence["derived"], sys._getframe(1), shell.user_ns)
        display(verdict)


def _traced(verdict: Verdict, derived, frame, names) -> Verdict:
    """The verdict with what its claim, made in `frame`, rests on."""
    from .equations import premises
    from .equations.algebra import lines

    sides = [getattr(line, "rhs", line) for line in lines(derived)]
    own = verdict.item.split(" ", 1)[1]  # what was derived stands for this, though others share a line of it
    stands_for = (own,) if own in verdict.shows else verdict.shows
    return replace(verdict, rests_on=premises.page.premises(frame, names, stands_for, sides))


def judged(name: str, **evidence) -> Verdict:
    """Hold a claim of the registry, "page.claim", against the evidence that `urep.claims.judge` takes.

    Raises ClaimFailed for a control that does not miss as it must; other claims come out as they do.
    """
    found = claims.judge(name, **evidence)
    known, deciding = found.claim, found.deciding
    if known.role == "control" and not deciding.holds:
        raise ClaimFailed(
            f"{in_words(known.item)}: {known.sentence} — the control does not miss: {deciding.number:.3g} is "
            f"not above {known.bound:.3g} ({known.because})"
        )
    return Verdict(
        known.item, known.sentence, found.kind, measured=deciding.number, bound=known.bound,
        because=known.because, judgement=found,
    )  # fmt: skip


def check(
    item: str,
    claim: str,
    *,
    derived=None,
    registered=None,
    numerical: float | None = None,
    control=None,
    below: float | None = None,
    because: str = "",
    through: int | str | tuple[int | str, ...] = (),
    how: str = "derivation",
) -> Verdict:
    """Hold a claim about `item` ("eq 38", "fig 2", "table 1", "book ...") against its evidence.

    Give one kind: `derived` and `registered` (lines that must be equal, see below); `numerical` (an error)
    with `below` and `because`; or `control=(derived, wrong)`, lines of which a number must tell one pair
    apart. What networks have to say stands in the registry: `urep.claims`.

    Lines are what `urep.equations.algebra.lines` takes: `registered=paper[11]` with `derived={A_high: ...,
    A_low: ...}`, of which both sides are compared; for what is not registered, an expression or a tuple of
    them. The right-hand side of a registered equation alone is refused.

    A claim about an equation ("eq 38", "book E2") whose registered lines are equations of the registry is
    held against that equation, among others or alone. Where it is held against others only, `through` names
    them: `through=37` for the limit of (43) that is (37). Claims about a figure, a table or a "book name" are
    free.

    `how` says what a symbolic claim is: a "derivation", a "verification", where the result was substituted
    and found to satisfy, or a "definition".

    Raises ClaimFailed when the claim does not hold, ValueError or TypeError when the evidence is incomplete.
    """
    if how not in HOW:
        raise ValueError(f"how must be one of {', '.join(HOW)}; got {how!r}")
    if not isinstance(item, str) or not claims.ITEM.fullmatch(item):
        raise ValueError(f"item must be like 'eq 38', 'fig 2', 'table 1' or 'book name', got {item!r}")
    kind, number = item.split(" ", 1)
    if kind == "eq" and int(number) not in EQUATIONS:
        raise ValueError(f"item {item!r} names no equation: the paper's equations are 1 to {EQUATIONS[-1]}")
    if not isinstance(claim, str) or not claim.strip():
        raise ValueError(f"claim must be a sentence, got {claim!r}")
    given = {"symbolic": derived, "numerical": numerical, "control": control}
    kinds = [kind for kind, evidence in given.items() if evidence is not None]
    if len(kinds) != 1:
        raise ValueError(f"a claim needs exactly one kind of evidence, got {kinds or 'none'}")
    kind = kinds[0]
    if kind == "symbolic":
        if registered is None:
            raise ValueError("registered must be given with derived, got None")
        return _symbolic(item, claim, derived, registered, through, HOW[how])
    if through != ():
        raise ValueError(f"through belongs to a symbolic claim, got {through!r} with {kind}")
    if how != "derivation":
        raise ValueError(f"how belongs to a symbolic claim, got {how!r} with {kind}")
    if kind == "control":
        if not isinstance(control, tuple) or len(control) != 2:
            raise ValueError(f"control must be (derived, wrong), got {control!r}")
        return _different(item, claim, *control)
    return _numerical(item, claim, numerical, below, because)


# --- algebra --------------------------------------------------------------------------------


def _symbolic(item: str, claim: str, derived, registered, through, kind: str) -> Verdict:
    from .equations.algebra import assumptions, difference, paired, require_whole_equations
    from .equations.registry import as_text

    ours, theirs = paired(derived, registered, "registered")
    require_whole_equations(registered, _own_equations(item, registered, through))
    for number, (one, other) in enumerate(zip(ours, theirs, strict=True), start=1):
        part, found = difference(one, other)
        if found.outcome != "equal":
            line = f", line {number}" if len(ours) > 1 else ""
            raise ClaimFailed(
                f"{in_words(item)}{line}: {claim} — not proved.\n  derived:    {as_text(one)}\n"
                f"  registered: {as_text(other)}\n  {part}: {found.detail}"
            )
    rights = (getattr(line, "rhs", line) for line in (*ours, *theirs))
    texts = (tuple(map(as_text, lines)) for lines in (ours, theirs))
    return Verdict(item, claim, kind, assumptions(*rights), *texts, shows=_shown(item, registered))


def _shown(item: str, registered) -> tuple[str, ...]:
    """Labels of the equations that a claim has lines of; of a line that several have, the item's own.

    An equation of the paper that is not registered, because it is stated in words, is shown by its claims.
    """
    from .equations.algebra import registered_numbers
    from .equations.registry import paper

    kind, name = item.split(" ", 1)
    own = int(name) if kind == "eq" else name
    found = [{own} if own in numbers else numbers for numbers in registered_numbers(registered)]
    found += [{own}] if kind == "eq" and own not in paper else []
    return tuple(dict.fromkeys(str(number) for numbers in found for number in sorted(numbers, key=str)))


def _own_equations(item: str, registered, through) -> list:
    """The registered equations that a claim is about or goes through; ValueError when held against others."""
    from .equations.algebra import registered_numbers
    from .equations.registry import book, paper

    kind, name = item.split(" ", 1)
    own = int(name) if kind == "eq" else name
    through = through if isinstance(through, tuple) else (through,)
    found = registered_numbers(registered)
    stray = set(through) - set().union(*found)
    if stray:
        raise ValueError(f"through names {_in_brackets(stray)}, which is not registered in this claim")
    others = [numbers for numbers in found if not numbers & set(through)]
    of_an_equation = kind == "eq" or name in book
    if of_an_equation and others and not any(own in numbers for numbers in found):
        raise ValueError(
            f"registered is {_in_brackets(set().union(*others))}, not ({own}) of the item {item!r}: "
            "give the item of that equation, or say through= which others the claim is held against"
        )
    every = {**paper, **book}
    return [every[n] for n in (own, *through) if n in every]


def _in_brackets(numbers) -> str:
    return ", ".join(f"({number})" for number in sorted(numbers, key=str))


def _different(item: str, claim: str, derived, wrong) -> Verdict:
    from .equations.algebra import compare, difference, paired
    from .equations.registry import as_text

    ours, theirs = paired(derived, wrong, "wrong")
    for number, (one, other) in enumerate(zip(ours, theirs, strict=True), start=1):
        sign = getattr(one, "rel_op", None)
        alike = sign == getattr(other, "rel_op", None)
        if not alike or (sign and compare(one.lhs, other.lhs).outcome != "equal"):
            raise ValueError(
                f"a control must differ on the right and be equal on the left, with the same sign, got in "
                f"line {number}: {one} and {other}"
            )
    found = [difference(one, other)[1] for one, other in zip(ours, theirs, strict=True)]
    if not any(comparison.outcome == "different" for comparison in found):
        undecided = [comparison.detail for comparison in found if comparison.outcome == "undecided"]
        why = undecided[0] if undecided else "it is equal"
        raise ClaimFailed(f"{in_words(item)}: {claim} — the control does not fail: {why}")
    return Verdict(item, claim, "control", (), *(tuple(map(as_text, lines)) for lines in (ours, theirs)))


# --- numbers --------------------------------------------------------------------------------


def _numerical(item: str, claim: str, error, below, because: str) -> Verdict:
    if below is None:
        raise ValueError(f"a numerical claim needs `below`, got {below!r}")
    if not because.strip():
        raise ValueError(f"a numerical claim needs `because`, the reason for its bound, got {because!r}")
    if not hasattr(error, "__float__") or type(error).__name__ in ("bool", "bool_"):
        raise TypeError(f"numerical must be a number, got {error!r}")
    error, bound = float(error), float(below)
    if not isfinite(bound) or bound <= 0:
        raise ValueError(f"below must be finite and > 0, got {bound!r}")
    if error < 0:
        raise ValueError(f"numerical must be an error >= 0, got {error!r}")
    if not error < bound:  # NaN lands here too
        raise ClaimFailed(
            f"{in_words(item)}: {claim} — does not hold: {error:.3g} is not below {bound:.3g} ({because})"
        )
    return Verdict(item, claim, "numerical", measured=error, bound=bound, because=because)


_digits = claims.digits
