"""verify(...): the one way a chapter makes a claim.

Five kinds. *symbolic*: a derived expression equals a registered one, proved by algebra.
*numerical*: two computations agree within a tolerance that has a reason. *empirical*: a network
agrees with the theory within a tolerance that has a reason. *control*: something deliberately
wrong misses by a stated margin. *refuted*: a claim that a network contradicts by a stated margin.

A claim that does not hold raises ClaimFailed, which names the paper's equation. One that holds
shows a verdict and leaves a record in the cell's output, from which the tally is made.
"""

from __future__ import annotations

import html
import json
import re
import zlib
from dataclasses import asdict, dataclass
from math import isfinite

MIME = "application/vnd.urep.check+json"
"""Key of a record in the metadata of a cell's output, where page builders leave it alone."""

MEANING = {
    "symbolic": ("proved", "✓"),
    "numerical": ("agrees", "✓"),
    "empirical": ("seen in a network", "✓"),
    "control": ("control fails, as it must", "✓"),
    "refuted": ("does not hold", "✗"),
}
"""For each kind of claim: the words and the sign that a verdict shows."""

_ITEM = re.compile(r"(eq|fig|table) [1-9]\d*|book [a-z0-9 -]+")


class ClaimFailed(AssertionError):
    """A claim of the book does not hold; the message names the paper's equation and the miss."""


@dataclass(frozen=True)
class Verdict:
    """A claim that held: what it is about, its kind, and what was compared with what.

    `derived` and `registered` are both sides of a symbolic claim, as text that SymPy reads back;
    `measured` is the number seen, `bound` what it was held against, `because` why that bound.
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

    @property
    def anchor(self) -> str:
        """Where on its page this verdict stands; the same for the same claim."""
        digest = zlib.crc32(f"{self.kind} {self.claim}".encode())
        return f"check-{self.item.replace(' ', '-')}-{digest:08x}"

    def record(self) -> dict:
        """What the tally is made from; free of digits that differ between machines."""
        measured = None if self.kind == "numerical" else _digits(self.measured)
        return {**asdict(self), "measured": measured, "anchor": self.anchor}

    def _digest(self) -> str:
        return f"{zlib.crc32(json.dumps(self.record(), sort_keys=True).encode()):08x}"

    @property
    def label(self) -> str:
        """The item as the paper writes it: (38), Figure 2, Table 1."""
        kind, number = self.item.split(" ", 1)
        return {"eq": f"({number})", "fig": f"Figure {number}", "table": f"Table {number}"}.get(kind, number)

    def detail(self, noise: str = "{}") -> str:
        """Number and bound in words; `noise` wraps digits that differ between machines."""
        if self.bound is None:
            return "assuming " + "; ".join(self.assuming) if self.assuming else ""
        number = f"{self.measured:.1e}" if self.kind == "numerical" else _digits(self.measured)
        number = noise.format(number) if self.kind == "numerical" else number
        sign, wanted = ("<", "allowed") if self.kind in ("numerical", "empirical") else (">", "required")
        return f"seen {number}, {wanted} {sign} {_digits(self.bound)}: {self.because}"

    def __repr__(self) -> str:
        words, sign = MEANING[self.kind]
        detail = self.detail("…")
        return f"{sign} {self.label} {words}: {self.claim}" + (f" [{detail}]" if detail else "")

    def _repr_html_(self) -> str:
        words, sign = MEANING[self.kind]
        detail = _signs(self.detail("<noise>{}</noise>"))
        detail = detail.replace("&lt;noise&gt;", '<span class="urep-noise">')
        detail = detail.replace("&lt;/noise&gt;", "</span>")
        return (
            # The digest lets nbval, which compares HTML and not metadata, see a changed record.
            f'<div class="urep-verdict urep-{self.kind}" id="{self.anchor}" data-record="{self._digest()}">'
            f'<span class="urep-sign" aria-hidden="true">{sign}</span> '
            f'<span class="urep-item">{html.escape(self.label)}</span> '
            f'<span class="urep-kind">{words}</span> '
            f'<span class="urep-claim">{_signs(self.claim)}</span>'
            + (f'<span class="urep-detail">{detail}</span>' if detail else "")
            + "</div>"
        )

    def _repr_mimebundle_(self, include=None, exclude=None) -> tuple[dict, dict]:
        return {"text/plain": repr(self), "text/html": self._repr_html_()}, {MIME: self.record()}


def _signs(text: str) -> str:
    """Escaped text in which A_high has a subscript."""
    return re.sub(r"\bA_(high|low)(?![a-zA-Z_])", r"A<sub>\1</sub>", html.escape(text))


def verify(item: str, claim: str, **evidence) -> None:
    """Hold a claim against its evidence and show the verdict; the arguments are those of `check`.

    Raises ClaimFailed when the claim does not hold.
    """
    verdict = check(item, claim, **evidence)
    try:
        from IPython import get_ipython
    except ImportError:
        return
    if get_ipython() is not None:
        from IPython.display import display

        display(verdict)


def check(
    item: str,
    claim: str,
    *,
    derived=None,
    registered=None,
    numerical: float | None = None,
    empirical: float | None = None,
    control=None,
    refuted: float | None = None,
    below: float | None = None,
    above: float | None = None,
    because: str = "",
) -> Verdict:
    """Hold a claim about `item` ("eq 38", "fig 2", "table 1", "book ...") against its evidence.

    Give one kind: `derived` and `registered` (expressions, or tuples of them, whose difference
    must simplify to zero); `numerical` or `empirical` (an error) with `below` and `because`;
    `control` or `refuted` (an error) with `above` and `because`; or `control=(derived, wrong)`,
    two expressions that must differ. Raises ClaimFailed when the claim does not hold, ValueError
    or TypeError when the evidence is incomplete.
    """
    if not isinstance(item, str) or not _ITEM.fullmatch(item):
        raise ValueError(f"item must be like 'eq 38', 'fig 2', 'table 1' or 'book name', got {item!r}")
    if not isinstance(claim, str) or not claim.strip():
        raise ValueError(f"claim must be a sentence, got {claim!r}")
    given = {
        "symbolic": derived, "numerical": numerical, "empirical": empirical,
        "control": control, "refuted": refuted,
    }  # fmt: skip
    kinds = [kind for kind, evidence in given.items() if evidence is not None]
    if len(kinds) != 1:
        raise ValueError(f"a claim needs exactly one kind of evidence, got {kinds or 'none'}")
    kind = kinds[0]
    if kind == "symbolic":
        if registered is None:
            raise ValueError("registered must be given with derived, got None")
        return _symbolic(item, claim, derived, registered)
    if kind == "control" and isinstance(control, tuple):
        return _different(item, claim, *control)
    return _measured(item, claim, kind, given[kind], below, above, because)


# --- algebra --------------------------------------------------------------------------------


def _symbolic(item: str, claim: str, derived, registered) -> Verdict:
    from .equations.algebra import assumptions, counterexample, residue, sides

    left, right = sides(derived), sides(registered)
    if len(left) != len(right):
        raise ValueError(f"derived and registered must have equal length, got {len(left)} and {len(right)}")
    for number, (a, b) in enumerate(zip(left, right, strict=True), start=1):
        rest = counterexample(a - b) or residue(a - b)
        if rest != 0:
            line = f", line {number}" if len(left) > 1 else ""
            raise ClaimFailed(
                f"{_name(item)}{line}: {claim} — not proved.\n  derived:    {a}\n"
                f"  registered: {b}\n  difference does not simplify to zero: {rest}"
            )
    return Verdict(
        item, claim, "symbolic", assumptions(*left, *right), tuple(map(str, left)), tuple(map(str, right))
    )


def _different(item: str, claim: str, derived, wrong) -> Verdict:
    from .equations.algebra import residue, sides

    left, right = sides(derived), sides(wrong)
    if all(residue(a - b) == 0 for a, b in zip(left, right, strict=True)):
        raise ClaimFailed(f"{_name(item)}: {claim} — the control does not fail: {right} equals {left}")
    return Verdict(item, claim, "control", (), tuple(map(str, left)), tuple(map(str, right)))


# --- numbers --------------------------------------------------------------------------------


def _measured(item, claim, kind, error, below, above, because) -> Verdict:
    side, bound, other = (
        ("below", below, above) if kind in ("numerical", "empirical") else ("above", above, below)
    )
    if bound is None or other is not None:
        raise ValueError(
            f"a {kind} claim needs `{side}` and no other bound, got below={below!r}, above={above!r}"
        )
    if not because.strip():
        raise ValueError(f"a {kind} claim needs `because`, the reason for its bound, got {because!r}")
    error, bound = float(error), float(bound)
    if not isfinite(bound) or bound <= 0:
        raise ValueError(f"{side} must be finite and > 0, got {bound!r}")
    held = error < bound if side == "below" else error > bound
    if not held:  # NaN lands here too
        raise ClaimFailed(
            f"{_name(item)}: {claim} — does not hold: {error:.3g} is not {side} {bound:.3g} ({because})"
        )
    return Verdict(item, claim, kind, measured=error, bound=bound, because=because)


def _digits(number: float | None) -> str | None:
    return None if number is None else f"{number:.2g}"


def _name(item: str) -> str:
    kind, number = item.split(" ", 1)
    words = {"eq": "equation ({})", "fig": "Figure {}", "table": "Table {}"}
    return words.get(kind, "{}").format(number)
