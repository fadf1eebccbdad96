"""What the paper numbers, and what the book has to say of each: rows, records, tally.

A verdict is read from the executed reference of the chapter that earned it, never typed.
"""

from __future__ import annotations

import html
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from .checks import MEANING, MIME, Verdict


@dataclass(frozen=True)
class Item:
    """A numbered thing of the paper: its key ("eq 38"), its section, and what it says."""

    key: str
    section: str
    says: str


def _items(kind: str, rows: str) -> list[Item]:
    items = []
    for line in rows.strip().splitlines():
        number, section, says = (part.strip() for part in line.split("|"))
        items.append(Item(f"{kind} {number}", section, says))
    return items


ITEMS: tuple[Item, ...] = tuple(
    _items("eq", """
 1 | 2.1 | training loss, half the mean squared error
 2 | 2.1 | the loss through encoder and decoder
 3 | 2.1 | gradient descent on the parameters
 4 | 2.1 | its continuous-time limit
 5 | 2.2 | encoder and decoder linearised around the mean of the two points
 6 | 2.2 | gradient descent on the linearisation, with effective time constants
 7 | 2.3 | the closed system for ‖dh‖², ‖dy‖² and w
 8 | 2.3 | what dx, dh, dy and w are
 9 | 3.3 | the loss through the three variables
10 | 4.1 | final representational distance
11 | 4.1 | A_high and A_low
12 | 4.1 | large initial weights
13 | 4.1 | small initial weights
14 | 5.1 | initial distance against depth
15 | A.1 | the linearisation, once more
16 | A.1 | the loss of the linearised network
17 | A.1 | gradient descent on its matrices
18 | A.1 | the mean output decays to its target
19 | A.1 | the representations do not rotate
20 | A.1 | derivatives of the three scalars
21 | A.1 | the closed system, once more
22 | A.2 | derivation of the loss
23 | A.3 | ‖dy‖²/‖dh‖² moves with ‖dh‖²
24 | A.3 | ‖dy‖² as a function of ‖dh‖²
25 | A.3 | the two-dimensional system
26 | A.3 | w vanishes at a fixed point
27 | A.3 | the three candidates for ‖dh‖²
28 | A.3 | A_high and A_low, once more
29 | A.3 | Jacobian at the positive fixed point
30 | A.3 | its trace is negative
31 | A.3 | its determinant is positive
32 | A.3 | Jacobian at zero
33 | A.3 | eigenvectors along the direction of approach
34 | A.3 | the two directions
35 | A.3 | the two eigenvalues
36 | A.3 | where training ends
37 | A.4 | the system for identical targets
38 | A.4 | a Bernoulli equation for ‖dh‖²
39 | A.4 | its solution
40 | A.4 | ‖dy‖² along it
41 | A.5 | scaling of the start with the weights
42 | A.5 | change of variables
43 | A.5 | the scaled system
44 | A.6 | distribution of the final distance
45 | A.6 | the same, simplified
46 | A.6 | A_high is Gaussian
47 | A.6 | its distribution function
48 | A.6 | distribution of the final distance, explicit
49 | B.1 | objective of the fit
50 | B.4 | exponential weighing
""")
    + _items("fig", """
 1 | 2.3 | the variables, drawn
 2 | 3.1 | two-point dynamics of eleven architectures
 3 | 3.2 | dynamics and loss against initial weights
 4 | 3.4 | two tracked points in MNIST
 5 | 4.3 | predicted against learned final distance
 6 | 4.4 | XOR
 7 | 4.5 | the Gaussian-blob task
 8 | 4.5 | feature collapse
 9 | 4.6 | MNIST representational structure
10 | 5.1 | fit quality and rates against depth
11 | C.1 | loss curves of the architectures
12 | C.2 | very low weights on the blobs
13 | C.3 | Adam on two points
14 | C.3 | Adam on XOR
15 | C.3 | Adam on the blobs
16 | C.3 | Adam on MNIST
""")
    + _items("table", """
1 | B.1 | settings of the two-point experiments
2 | B.2 | settings of XOR, blobs and MNIST
""")
)  # fmt: skip
"""Every equation, figure and table of the paper, in its order."""


_EQUAL = "tau_h=100&tau_y=100&dx2=1&dy2_target=0.5"

EXPLORE = {
    "7": "row=Default",
    "9": "row=Default",
    "10": f"{_EQUAL}&dh2_0=0.5&dy2_0=0.05&angle=60&epochs=fit",
    "12": f"{_EQUAL}&dh2_0=5&dy2_0=0.01&angle=90&epochs=fit",
    "13": f"{_EQUAL}&dh2_0=0.001&dy2_0=1e-6&angle=60&epochs=fit",
    "21": "row=Linear",
    "24": f"{_EQUAL}&dh2_0=0.5&dy2_0=0.05&angle=120&epochs=fit",
    "25": f"{_EQUAL}&dh2_0=0.2&dy2_0=0.02&angle=150&epochs=fit",
    "35": f"{_EQUAL}&dh2_0=1e-5&dy2_0=1e-10&angle=30&epochs=fit",
    "39": "tau_h=100&tau_y=100&dx2=1&dy2_target=0&dh2_0=2&dy2_0=1&angle=0&epochs=fit",
    "40": "tau_h=100&tau_y=100&dx2=1&dy2_target=0&dh2_0=0.5&dy2_0=2&angle=0&epochs=fit",
    "43": f"{_EQUAL}&dh2_0=50&dy2_0=80&angle=40&epochs=fit",
    "E1": "row=Default",
    "E3": f"{_EQUAL}&dh2_0=0.05&dy2_0=0.5&angle=180&epochs=fit",
}
"""What the explorer's sliders show of an equation, by its number: the query of its address."""


@dataclass(frozen=True)
class Record:
    """One verdict found in an executed reference: the page that earned it, and what it says."""

    page: str
    fields: dict

    @property
    def link(self) -> str:
        """Address of the verdict, relative to the book's front page."""
        return f"{self.page}.html#{self.fields['anchor']}"


def references_folder(start: Path | None = None) -> Path:
    """`tests/notebooks` of the checkout that holds `start` (default: the working directory).

    Raises FileNotFoundError when there is none above it.
    """
    start = (start or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (folder / "_toc.yml").exists() and (folder / "tests" / "notebooks").is_dir():
            return folder / "tests" / "notebooks"
    raise FileNotFoundError(f"no tests/notebooks above {start}: run inside a checkout of the book")


def records(folder: Path | None = None) -> list[Record]:
    """All verdicts in the executed references below `folder`: page by page, each in its own order."""
    folder = folder or references_folder()
    found = []
    for path in sorted(folder.rglob("*.ipynb")):
        page = path.relative_to(folder).with_suffix("").as_posix()
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
            for output in cell.get("outputs", ()):
                if MIME in output.get("metadata", {}):
                    found.append(Record(page, output["metadata"][MIME]))
    return found


def _of(item: Item, found: Iterable[Record]) -> list[Record]:
    """What was said of an item: proofs first, then numbers, networks, controls, what does not hold."""
    own = [record for record in found if record.fields["item"] == item.key]
    return sorted(own, key=lambda record: list(MEANING).index(record.fields["kind"]))


class Page:
    """A piece of HTML that also has a plain form; what `paper_map` and `tally` return."""

    def __init__(self, plain: str, markup: str):
        self._plain, self._markup = plain, markup

    def __repr__(self) -> str:
        return self._plain

    def _repr_html_(self) -> str:
        return self._markup


def _table(columns: Iterable[str], rows: Iterable[str], *, filtered: bool = False) -> str:
    """A table that scrolls by itself where it is too wide; `filtered` gets book/_static/filter.js.

    Rows may come in groups of their own.
    """
    head = "".join(f'<th scope="col">{name}</th>' for name in columns)
    kind = "urep-map urep-filtered" if filtered else "urep-map"
    body = "".join(rows)
    body = body if body.startswith("<tbody") else f"<tbody>{body}</tbody>"
    table = f'<table class="{kind}"><thead><tr>{head}</tr></thead>{body}</table>'
    return f'<div class="urep-wide" tabindex="0">{table}</div>'


def registered(number: str):
    """The registered equation of a number of the paper ("38") or of the book ("E3"), or None."""
    from .equations import book, paper

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


def status(found: list[Record]) -> str:
    """One word for all that was said of an item: planned, proved, checked, or in part refuted."""
    kinds = {record.fields["kind"] for record in found}
    if not kinds:
        return "planned"
    if "refuted" in kinds:
        return "holds in part" if kinds & {"symbolic", "numerical", "empirical"} else "does not hold"
    return "proved" if "symbolic" in kinds else "checked"


def paper_map(kind: str, found: list[Record] | None = None) -> Page:
    """The table of one kind of item ("eq", "fig", "table"): what it says, its verdicts, linked."""
    if kind not in ("eq", "fig", "table"):
        raise ValueError(f"kind must be 'eq', 'fig' or 'table', got {kind!r}")
    found = records() if found is None else found
    rows, plain = [], []
    for item in ITEMS:
        if not item.key.startswith(kind + " "):
            continue
        own = _of(item, found)
        number = item.key.split()[1]
        formula, explore = (_formula(number), _explore(number)) if kind == "eq" else ("", "")
        rows.append(
            f'<tbody id="{item.key.replace(" ", "-")}" data-status="{status(own)}"><tr><td>{number}</td>'
            f"<td>{item.section}</td><td>{html.escape(item.says)}</td><td>{status(own)}</td>"
            f"<td>{' '.join(map(_sign, own))} {explore}</td></tr>{formula}</tbody>"
        )
        plain.append(f"{number:>3} {status(own)}")
    columns = "No.", "Section", "What it says", "Status", "Checks"
    return Page("\n".join(plain), _table(columns, rows, filtered=True))


def own_equations(found: list[Record] | None = None) -> Page:
    """The table of the book's own equations: each with the checks that have it on their right-hand side."""
    from .equations import book

    found = records() if found is None else found
    rows, plain = [], []
    for label, equation in book.items():
        sides = equation.rhs if isinstance(equation.rhs, tuple) else (equation.rhs,)
        proofs = [r for r in found if r.fields["registered"] == [str(side) for side in sides]]
        rows.append(
            f'<tbody id="eq-{label}"><tr><td>{label}</td>'
            f"<td>{' '.join(map(_sign, proofs))} {_explore(label)}</td></tr>{_formula(label, 2)}</tbody>"
        )
        plain.append(f"{label:>4} {len(proofs)} derived")
    return Page("\n".join(plain), _table(("Label", "Checks"), rows))


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
        _table(("Result", "Claim", "Check"), rows),
    )


def tally(found: list[Record] | None = None) -> Page:
    """How many equations, figures and tables have a verdict, and how many checks of each kind."""
    found = records() if found is None else found
    cards = []
    for kind, name in (("eq", "equations"), ("fig", "figures"), ("table", "tables")):
        items = [item for item in ITEMS if item.key.startswith(kind + " ")]
        done = sum(status(_of(item, found)) != "planned" for item in items)
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
    return Page(plain, _table(("Item", "Claim", "By how much", "Check"), rows))


TICKS = {"proved": "✓", "checked": "✓", "holds in part": "✓✗", "does not hold": "✗", "planned": "·"}
"""For each status the sign that the front page shows."""


def _ticks(found: list[Record]) -> str:
    """A sign for each numbered item, linked to the check that says most: the refutation, if there is one."""
    lines = []
    for kind, name in (("eq", "Equations"), ("fig", "Figures"), ("table", "Tables")):
        marks = []
        for item in (item for item in ITEMS if item.key.startswith(kind + " ")):
            own = _of(item, found)
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
    from .equations import NOTATION

    rows = [
        rf'<tr><td><span class="math">\({html.escape(q.latex)}\)</span></td><td><code>{q.name}</code></td>'
        f"<td>{html.escape(q.meaning)}</td><td>{q.unit}</td><td>{q.shape}</td><td>{q.defined}</td></tr>"
        for q in NOTATION
    ]
    return Page(
        "\n".join(f"{q.name}: {q.meaning} [{q.unit}; {q.shape}] {q.defined}" for q in NOTATION),
        _table(("Sign", "Python", "Meaning", "Unit", "Shape", "Defined in"), rows),
    )
